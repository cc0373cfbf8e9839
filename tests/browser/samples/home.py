"""View models of the home app."""

from typing import Any

from lineset.pages.common.ahead import forecast_view
from lineset.pages.common.facts import Order
from lineset.pages.common.findings import finding_view
from lineset.pages.common.flows.sites import ZONES, site_kinds
from lineset.pages.common.forms import Form
from lineset.pages.common.health import Health
from lineset.pages.common.machine_page import lines, machine_page
from lineset.pages.common.reader import Reader
from lineset.pages.home.now import now_view
from lineset.pages.home.routes_advice import FIRST
from lineset_contract.control import NO_LIMITS, bounds
from lineset_contract.profiles import PROFILES

from tests.browser.samples.charts import part
from tests.browser.samples.data import CABIN, NOW, SITE, Sample, day, heat_pump, order, water_heater
from tests.browser.samples.diagnosed import advice_sample, finding, forecast, health, two_causes

BOUNDS = bounds(PROFILES["heat_pump_air_air"], NO_LIMITS, "heating_setpoint")


def _now(
    reader: Reader, current: Order | None = None, age: float = 2.0, *, online: bool = True, calm: bool = False, **changed: float | str
) -> dict[str, Any]:
    pump = heat_pump(age, online=online, **changed)
    view = now_view(
        reader, SITE, (SITE, CABIN), (pump, water_heater()), day(fault=not calm, gap=not calm), current, BOUNDS, ("Alder Mechanical",), NOW
    )
    return {"now": view, "base": f"/home/{SITE.id}"}


def _weak(reader: Reader) -> dict[str, Any]:
    found = [finding_view(reader, f, "Heat pump HP-1", NOW) for f in (two_causes(), finding("low_air_flow", 2), finding("anode_due", 3))]
    tomorrow = forecast_view(reader, forecast()).say
    view = now_view(
        reader, SITE, (SITE,), (heat_pump(),), day(fault=True), None, BOUNDS, (), NOW, findings=found, advice=5, tomorrow=tomorrow
    )
    return {"now": view, "base": f"/home/{SITE.id}"}


def _advice(reader: Reader, *, calm: bool = False) -> dict[str, Any]:
    lines = () if calm else advice_sample(reader)
    ran = () if calm else (("Heat pump HP-1", "a", health(reader, technician=False)),)
    saved = (
        ()
        if calm
        else (reader.gettext("Other homes: no comparison. It takes 11 that let models learn from them, and is of the last whole month."),)
    )
    return LAYOUT | {
        "lines": lines,
        "first": FIRST,
        "saved": saved,
        "month": ("2026-10", reader.month_year(NOW.date())),
        "dismissed": lines[:1],
        "machines": ran,
        "may_dismiss": True,
        "done": "" if calm else "dismissed",
    }


LAYOUT: dict[str, Any] = {"layout": "home/frame.html", "site": SITE, "sites": [SITE, CABIN], "tab": "machines", "base": f"/home/{SITE.id}"}


def _machines(reader: Reader) -> dict[str, Any]:
    shown = lines(reader, (heat_pump(), water_heater(), heat_pump(9000.0, online=False, fault_code=34.0)), NOW)
    return LAYOUT | {"machines": shown, "retired": ["Old boiler"], "may_change": True}


def _machine(reader: Reader, health: Health | None = None) -> dict[str, Any]:
    pump = heat_pump()
    profile = PROFILES[pump.type]
    limits = {name: bounds(profile, NO_LIMITS, name) for name, setting in profile.settings.items() if not setting.choices}
    view = machine_page(
        reader,
        pump,
        part(reader, pump),
        (order("succeeded"), order("failed", "The machine did not answer.")),
        limits,
        NOW,
        may_command=True,
        health=health,
    )
    return LAYOUT | {"e": view, "here": f"/home/{SITE.id}/machines/{pump.id}", "may_change": True}


def _site_new(reader: Reader) -> dict[str, Any]:
    return {"form": Form(), "households": [("a", "Lund")], "kinds": site_kinds(reader), "time_zones": ZONES[:40]}


SAMPLES: dict[str, Sample] = {
    "now": ("home/now.html", _now),
    "now-quiet": (
        "home/now.html",
        lambda r: _now(
            r,
            calm=True,
            room_temperature=20.1,
            operating_mode="idle",
            auxiliary_heat_state="off",
            outdoor_temperature=4.0,
            electric_power=40.0,
        ),
    ),
    "now-sent": ("home/now.html", lambda r: _now(r, order("sent"))),
    "now-refused": (
        "home/now.html",
        lambda r: _now(r, order("refused", "Heating set point 31 °C is above 30 °C, the limit of this type of machine.")),
    ),
    "now-offline": ("home/now.html", lambda r: _now(r, order("queued"), age=9400.0, online=False)),
    "now-fault": ("home/now.html", lambda r: _now(r, operating_mode="lockout", alarm_state="lockout", fault_code=34.0)),
    "machines": ("home/machines.html", _machines),
    "machines-empty": ("home/machines.html", lambda _r: LAYOUT | {"machines": (), "retired": [], "may_change": True}),
    "machine": ("home/machine.html", _machine),
    "machine-finding": ("home/machine.html", lambda r: _machine(r, health(r, technician=False))),
    "now-finding": ("home/now.html", _weak),
    "advice": ("home/advice.html", _advice),
    "advice-none": ("home/advice.html", lambda r: _advice(r, calm=True)),
    "site-new": ("home/site_new.html", _site_new),
    "now-empty": (
        "home/now.html",
        lambda r: {"now": now_view(r, SITE, (SITE,), (), None, None, None, (), NOW), "base": f"/home/{SITE.id}"},
    ),
}
