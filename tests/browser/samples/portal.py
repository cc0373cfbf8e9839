"""View models of the contractor's portal."""

import math
import random
from typing import Any

from lineset.pages.common.facts import Site
from lineset.pages.common.reader import Reader
from lineset.pages.portal.fleet import Query, Trend, fleet_view, page_of, pick
from lineset.pages.portal.ranking import Home, Ranked, rank

from tests.browser.samples.data import NOW, Sample

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
    chance = random.Random(seed)  # noqa: S311  made-up data, the same on every run
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
            )
        )
    return made


def trend(ranked: Ranked) -> Trend:
    """48 half hours that end at the row's own reading."""
    chance = random.Random(ranked.home.machine)  # noqa: S311  made-up data, the same on every run
    target = ranked.home.target or 20.0
    end = (ranked.home.room or target) - target
    start = chance.randint(10, 36)
    values: list[float | None] = []
    for index in range(48):
        drift = end * max(0.0, (index - start) / (47 - start))
        values.append(target + drift + 0.25 * math.sin(index / 1.7 + start))
    if ranked.why == "silent":
        values[-12:] = [None] * 12
    return Trend(values, [target] * 48)


def _fleet(reader: Reader, count: int, **query: Any) -> dict[str, Any]:
    ranked = rank(homes(count), NOW)
    asked = Query(**query)
    large, rest = page_of(pick(ranked, asked, NOW), asked)
    trends = {r.home.machine: trend(r) for r in (*large, *rest)}
    return {"fleet": fleet_view(reader, ranked, asked, trends, NOW)}


SAMPLES: dict[str, Sample] = {
    "fleet": ("portal/fleet.html", lambda r: _fleet(r, 2000)),
    "fleet-small": ("portal/fleet.html", lambda r: _fleet(r, 13)),
    "fleet-search": ("portal/fleet.html", lambda r: _fleet(r, 2000, q="lakeview")),
    "fleet-nothing": ("portal/fleet.html", lambda r: _fleet(r, 13, q="zzz")),
    "fleet-empty": ("portal/fleet.html", lambda r: _fleet(r, 0)),
}
