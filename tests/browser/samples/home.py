"""View models of the home app."""

from typing import Any

from lineset.pages.common.facts import Order
from lineset.pages.common.reader import Reader
from lineset.pages.home.now import now_view
from lineset_contract.control import NO_LIMITS, bounds
from lineset_contract.profiles import PROFILES

from tests.browser.samples.data import CABIN, NOW, SITE, Sample, day, heat_pump, order, water_heater

BOUNDS = bounds(PROFILES["heat_pump_air_air"], NO_LIMITS, "heating_setpoint")


def _now(
    reader: Reader, current: Order | None = None, age: float = 2.0, *, online: bool = True, calm: bool = False, **changed: float | str
) -> dict[str, Any]:
    pump = heat_pump(age, online=online, **changed)
    view = now_view(
        reader, SITE, (SITE, CABIN), (pump, water_heater()), day(fault=not calm, gap=not calm), current, BOUNDS, ("Alder Mechanical",), NOW
    )
    return {"now": view}


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
    "now-empty": ("home/now.html", lambda r: {"now": now_view(r, SITE, (SITE,), (), None, None, None, (), NOW)}),
}
