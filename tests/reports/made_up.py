"""A home's months made up for tests: known extremes, a gap, a finding."""

import math
import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
from lineset.diagnostics import savings, views
from lineset.diagnostics.changepoint import Response
from lineset.pages.common.reader import Reader
from lineset.pages.common.report_voice import ReaderVoice
from lineset.reports.facts import Fleet, HomeMonth, MachineDays, Service, column
from lineset.reports.fleet import make_fleet

MADE = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
FIRST = date(2026, 10, 1)
HEAT_PUMP, TANK, SITE, HOUSEHOLD = (UUID(int=n) for n in range(1, 5))
COLDEST, DEAREST = 9, 17
"""Days of the month, from 0, with the lowest outdoor temperature and the highest energy."""
GAP = (21, 22)


def voice(language: str = "en", units: str = "us") -> ReaderVoice:
    """A reader of reports."""
    return ReaderVoice(Reader(language, "metric" if units == "metric" else "us", "America/Los_Angeles"))


def heat_pump(first: date = FIRST, count: int = 31, used: float = 1.0) -> MachineDays:
    """A month of a heat pump; on the dearest day 31.4 kWh, on the coldest -2.5 degC outdoors."""
    days = [first + timedelta(days=n) for n in range(count)]
    outdoor = [8.0 + 4.0 * math.sin(n / 3.0) - (8.5 if n == COLDEST else 0.0) for n in range(count)]
    outdoor[COLDEST % count] = -2.5
    electric: list[float | None] = [used * (4.0 + 0.9 * max(15.0 - t, 0.0)) for t in outdoor]
    if count > DEAREST:
        electric[DEAREST] = 31.4
    room: list[float | None] = [20.4 + 0.4 * math.sin(n) for n in range(count)]
    for n in GAP:
        if n < count:
            electric[n] = room[n] = None
    return MachineDays(
        HEAT_PUMP, "Heat pump", "heat_pump_air_air", "Alder", "A-36", days, electric, [None] * count,
        [None if v is None else v * 2.9 for v in electric], [None] * count, room,
        [None if v is None else v - 1.2 for v in room], [None if v is None else v + 0.9 for v in room],
        [21.0] * count, list(outdoor), {"heating": 412_000.0, "defrost": 9_300.0, "auxiliary_heat": 30_600.0, "off": 2_000_000.0}, 214,
        0.93,
    )  # fmt: skip


def tank(count: int = 31) -> MachineDays:
    """A month of a water heater that has no heat meter."""
    none: list[float | None] = [None] * count
    days = [FIRST + timedelta(days=n) for n in range(count)]
    return MachineDays(
        TANK, "Water heater", "water_heater_heat_pump", "Birch", "", days, [2.6 + 0.7 * (n % 7 == 6) for n in range(count)], none, none,
        none, none, none, none, none, none, {"hot_water": 240_000.0}, 61, 0.99,
    )  # fmt: skip


def finding(fault: str = "outdoor_coil_fouling", **changes: object) -> views.Finding:
    """An open finding at the heat pump."""
    found = views.Finding(
        UUID(int=9), HEAT_PUMP, SITE, HOUSEHOLD, fault, (views.Candidate(fault, 0.8), views.Candidate("low_charge", 0.15)), (), 0.84, 0.4,
        1.27, {"approach_K": 9.1}, ("outdoor_temperature",), "open", datetime(2026, 10, 14, 9, tzinfo=UTC), MADE,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changes)


def home(**changes: object) -> HomeMonth:
    """A home with both machines, a finding and something due."""
    response = Response("3PH", 6.9, 0.85, 15.0, 0.0, math.nan, 1.6, 0.11, 0.9, 0.3, 274)
    pump = heat_pump()
    expected = [6.9 + 0.85 * max(15.0 - t, 0.0) if t is not None else None for t in pump.outdoor]
    due = views.Due(HEAT_PUMP, "filter", 19.0, 6.0, "run_time", {})
    made = HomeMonth(
        SITE,
        "Spruce Lane 12",
        "America/Los_Angeles",
        FIRST,
        date(2026, 10, 31),
        (pump, tank()),
        expected,
        response,
        388.0,
        (finding(),),
        (due,),
    )
    return msgspec.structs.replace(made, **changes)


def service(factor: float = 0.8, count: int = 60) -> Service:
    """The heat pump 90 days before and `count` days after its coil was washed, using `factor` of what it did."""
    on = date(2026, 8, 1)
    before = _noisy(heat_pump(on - timedelta(days=90), 90), 1)
    after = _noisy(heat_pump(on + timedelta(days=1), count, factor), 2)
    whole = heat_pump(on - timedelta(days=90), 91 + count)
    saved = savings.savings(column(before.outdoor), column(before.electric), column(after.outdoor), column(after.electric))
    fixed = finding(state="verified_fixed", repaired=datetime(2026, 8, 1, 17, tzinfo=UTC))
    return Service("Spruce Lane 12", "America/Los_Angeles", whole, "A36-1042", on, before, after, saved, (fixed,))


def _noisy(machine: MachineDays, seed: int) -> MachineDays:
    noise = random.Random(seed)
    return msgspec.structs.replace(machine, electric=[None if v is None else max(0.1, v + noise.gauss(0.0, 0.7)) for v in machine.electric])


def fleet(alder: int = 24, birch: int = 13, cedar: int = 4, floor: int = 11) -> Fleet:
    """A company's homes: so many with machines of each make; every second of Alder's has a finding."""
    machines, findings = [], []
    for n in range(alder + birch + cedar):
        make, model, used = ("Alder", "A-36", 1.0) if n < alder else ("Birch", "B2", 1.3) if n < alder + birch else ("Cedar", "C", 3.0)
        machine = msgspec.structs.replace(heat_pump(used=used * (0.8 + 0.02 * (n % 20))), id=UUID(int=1000 + n), make=make, model=model)
        machines.append((UUID(int=5000 + n), machine))
        if make == "Alder" and n % 2:
            findings.append(finding(id=UUID(int=9000 + n), equipment=machine.id, household=UUID(int=5000 + n)))
    return make_fleet("Alder Heating", (FIRST, date(2026, 10, 31)), machines, findings, floor)
