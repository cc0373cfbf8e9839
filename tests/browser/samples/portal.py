"""View models of the contractor's portal."""

import math
import random
from functools import cache
from typing import Any

import msgspec
from lineset.diagnostics import Finding
from lineset.kit.ids import new_id
from lineset.pages.common.charting import ChartPart
from lineset.pages.common.draw import Spark, spark
from lineset.pages.common.facts import Machine, Site
from lineset.pages.common.flows.sites import ZONES, site_kinds
from lineset.pages.common.forms import Form
from lineset.pages.common.machine_page import lines, machine_page
from lineset.pages.common.orders import order_line
from lineset.pages.common.reader import Reader
from lineset.pages.portal.fleet import Query, fleet_view
from lineset.pages.portal.ranking import Home, rank
from lineset.pages.portal.routes_leads import Lead
from lineset.pages.portal.routes_team import Colleague, Invited, Team
from lineset.sites import Zone
from lineset_contract.control import NO_LIMITS, Bounds, bounds
from lineset_contract.profiles import PROFILES

from tests.browser.samples.charts import part, refused, silent
from tests.browser.samples.data import NOW, SITE, Sample, boiler, furnace, heat_pump, order, water_heater
from tests.browser.samples.diagnosed import advice_sample, finding, health, two_causes
from tests.browser.samples.shared import gateway_samples, refused_samples, trouble_samples

CROWDED = {"compare": "week", "outdoor": "1", "points": "room_temperature,electric_power,supply_air_temperature,defrost_state"}
LAYOUT: dict[str, Any] = {
    "layout": "portal/frame.html",
    "site": SITE,
    "tab": "sites",
    "base": f"/portal/sites/{SITE.id}",
    "household": "Ortega-Lund",
    "scopes": {"view", "control"},
}
STREETS = (
    "Donner Pass Rd",
    "Sugar Pine Rd",
    "Lakeview Dr",
    "Mill St",
    "K St",
    "Ski Run Blvd",
    "Broad St",
    "Pioneer Trl",
    "Brockway Rd",
    "Foothill Rd",
)
TOWNS = ("Truckee", "Tahoe City", "Grass Valley", "Sacramento", "South Lake Tahoe", "Nevada City")
NAMES = ("Ortega-Lund", "Nakamura", "Sørensen", "Delgado", "Whitfield", "Okafor", "Petrov", "Hughes", "Alvarado de la Fuente", "Kim")


def homes(count: int, seed: int = 3) -> list[Home]:
    """`count` sites: most as they should be, a few not."""
    chance = random.Random(seed)
    made: list[Home] = []
    for index in range(count):
        target = chance.choice((18.9, 20.0, 20.0, 21.1))
        room = target + chance.gauss(0.1, 0.5)
        seen, mode, alarm, code = NOW.timestamp() - chance.uniform(1, 55), chance.choice(("heating", "heating", "idle")), "none", None
        if index % 211 == 7:
            alarm, mode, room = "lockout", "lockout", target - chance.uniform(2, 8)
        elif index % 173 == 11:
            room, mode = target - chance.uniform(2.1, 4.5), "heating"
        elif index % 397 == 23:
            room, mode = target + 2.8, "heating"
        elif index % 149 == 5:
            seen -= chance.uniform(1, 30) * 3600
        elif index % 131 == 9:
            alarm, code = "fault", float(chance.randint(10, 99))
        made.append(
            Home(
                site=Site(
                    f"0198c0de-0000-7000-8000-{index:012x}", f"{chance.randint(2, 4200)} {chance.choice(STREETS)}", chance.choice(TOWNS)
                ),
                household=chance.choice(NAMES),
                machine=f"0198c0de-0000-7000-9000-{index:012x}",
                machine_name="HP-1",
                machine_type="heat_pump_air_air",
                machines=1,
                mode=mode,
                room=room,
                target=target,
                tank=None,
                tank_target=None,
                alarm=alarm,
                fault_code=code,
                online=True,
                seen=seen,
                backup=chance.random() < 0.05,
                findings=_findings(index),
            )
        )
    return made


def _findings(index: int) -> tuple[Finding, ...]:
    """Findings of a few sites, worse and milder ones."""
    if index % 307 == 4:
        return (two_causes(), finding("low_air_flow", 2))
    if index % 113 == 2:
        return (finding(("defrost_missed", "outdoor_coil_fouling", "auxiliary_heat_locked_in")[index % 3], severity=(index % 10) / 10),)
    return (finding("standby_excess", cost_a_day=None),) if index % 59 == 1 else ()


@cache
def trends() -> dict[str, Spark]:
    """A day of each sample row that ends at the row's own reading, in K from the set point."""
    made: dict[str, Spark] = {}
    for ranked in rank(homes(2000), NOW):
        chance = random.Random(ranked.home.machine)
        target = ranked.home.target or 20.0
        end = (ranked.home.room or target) - target
        start = chance.randint(10, 36)
        values = [(i * 1800.0, end * max(0.0, (i - start) / (47 - start)) + 0.25 * math.sin(i / 1.7 + start)) for i in range(48)]
        if ranked.why == "silent":
            del values[-12:]
        made[ranked.home.machine] = spark(values, [(0.0, 0.0)], 0.0, 84600.0, gap=2000.0, least=3.0)
    return made


def _fleet(reader: Reader, count: int, **query: Any) -> dict[str, Any]:
    ranked = rank(homes(count), NOW)
    asked = Query(**query)
    return {"fleet": fleet_view(reader, ranked, asked, NOW)}


def _limits(kind: str) -> dict[str, Bounds]:
    profile = PROFILES[kind]
    return {name: bounds(profile, NO_LIMITS, name) for name, setting in profile.settings.items() if not setting.choices}


def _equipment(
    reader: Reader,
    machine: Machine | None = None,
    *,
    may_command: bool = True,
    full: bool = True,
    chart: ChartPart | None = None,
    **form: Any,
) -> dict[str, Any]:
    shown = machine or heat_pump()
    orders = (
        order("sent", age=2.0, who="Priya Shah"),
        order("succeeded", "", 20.0, age=8200.0, who="Ines Lund"),
        order("expired", "", 21.5, age=17000.0, who="Priya Shah"),
        order("refused", "Heating set point 31 °C is above 30 °C, the limit of this type of machine.", 31.0, age=40000.0, who="Ines Lund"),
    )
    view = machine_page(
        reader,
        shown,
        (chart or part(reader, shown)) if full else None,
        orders if full else (),
        _limits(shown.type),
        NOW,
        may_command=may_command,
        **form,
    )
    return LAYOUT | {"e": view, "here": f"/portal/equipment/{shown.id}"}


def _site(reader: Reader) -> dict[str, Any]:
    orders = [("Heat pump HP-1", order_line(reader, o, "heat_pump_air_air", NOW)) for o in (order("sent"), order("expired", age=9000.0))]
    return LAYOUT | {
        "machines": lines(reader, (heat_pump(), water_heater(9000.0), heat_pump(alarm_state="fault", fault_code=34.0)), NOW),
        "gateways": gateway_samples(reader),
        "refused": refused_samples(),
        "troubles": trouble_samples(reader),
        "orders": orders,
        "rooms": (Zone(new_id(), "Upstairs"), Zone(new_id(), "Studio")),
        "address": "14 Sugar Pine Rd, Truckee, CA 96161",
        "local_time": "06:11",
    }


def _site_new(reader: Reader, households: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    form = Form(values={"time_zone": "America/Los_Angeles"}, errors={"name": reader.gettext("Fill this in.")})
    return {"form": form, "households": list(households), "kinds": site_kinds(reader), "time_zones": ZONES[:40]}


def _team_page(reader: Reader) -> dict[str, Any]:
    people = (
        Colleague("p1", "Priya Shah", "priya@example.org", "manager", reader.gettext("Manager"), "3 Mar 2025", me=True),
        Colleague("p2", "Luis Ortega", "luis@example.org", "technician", reader.gettext("Technician"), "9 Sep 2025", me=False),
    )
    invited = (Invited("i1", "dana@example.org", reader.gettext("Dispatcher"), "29 Nov 2026"),)
    roles = [("manager", reader.gettext("Manager")), ("technician", reader.gettext("Technician"))]
    return {"teams": [Team("c1", "Alder Mechanical", True, people, invited)], "roles": roles, "form": Form()}


SAMPLES: dict[str, Sample] = {
    "fleet": ("portal/fleet.html", lambda r: _fleet(r, 2000)),
    "fleet-small": ("portal/fleet.html", lambda r: _fleet(r, 13)),
    "fleet-search": ("portal/fleet.html", lambda r: _fleet(r, 2000, q="lakeview")),
    "fleet-nothing": ("portal/fleet.html", lambda r: _fleet(r, 13, q="zzz")),
    "equipment": ("portal/equipment.html", _equipment),
    "equipment-finding": ("portal/equipment.html", lambda r: _equipment(r, health=health(r, technician=True))),
    "equipment-calm": ("portal/equipment.html", lambda r: _equipment(r, health=health(r, technician=True, calm=True))),
    "equipment-cooling": (
        "portal/equipment.html",
        lambda r: _equipment(r, heat_pump(operating_mode="cooling", outdoor_temperature=34.0, room_temperature=26.1)),
    ),
    "equipment-late": (
        "portal/equipment.html",
        lambda r: _equipment(r, heat_pump(9400.0, online=False, fault_code=34.0), may_command=False),
    ),
    "equipment-refused": (
        "portal/equipment.html",
        lambda r: _equipment(
            r, typed={"heating_setpoint": "99"}, errors={"heating_setpoint": "99 °F is above 86 °F, the limit of this type of machine."}
        ),
    ),
    "equipment-crowded": ("portal/equipment.html", lambda r: _equipment(r, chart=part(r, query=CROWDED))),
    "equipment-silent": ("portal/equipment.html", lambda r: _equipment(r, chart=part(r, shown=silent()))),
    "equipment-bad-range": ("portal/equipment.html", lambda r: _equipment(r, chart=refused(r))),
    "equipment-tank": ("portal/equipment.html", lambda r: _equipment(r, water_heater())),
    "equipment-boiler": ("portal/equipment.html", lambda r: _equipment(r, boiler())),
    "equipment-furnace": ("portal/equipment.html", lambda r: _equipment(r, furnace())),
    "equipment-empty": (
        "portal/equipment.html",
        lambda r: _equipment(r, msgspec.structs.replace(heat_pump(), latest={}, seen=None, online=False), full=False),
    ),
    "site": ("portal/site.html", _site),
    "site-new": ("portal/site_new.html", lambda r: _site_new(r, (("a", "Ortega-Lund"), ("b", "Nakamura")))),
    "site-new-none": ("portal/site_new.html", lambda r: _site_new(r, ())),
    "team": ("portal/team.html", _team_page),
    "leads": (
        "portal/leads.html",
        lambda r: {"homes": (Lead(SITE.id, "14 Sugar Pine Rd, Truckee", "Ortega-Lund", advice_sample(r, technician=True)),)},
    ),
    "leads-none": ("portal/leads.html", lambda _r: {"homes": ()}),
    "fleet-empty": ("portal/fleet.html", lambda r: _fleet(r, 0)),
}
