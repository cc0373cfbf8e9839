"""Findings, performance, forecasts and advice, as diagnosis gives them, made up."""

import math
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from lineset.diagnostics import Advice, Candidate, Course, Due, Figure, Finding, Forecast, Life, Performance, Step, advise
from lineset.diagnostics.advice import Known
from lineset.pages.common.advised import AdviceLine, advice_lines
from lineset.pages.common.health import Health, health_view
from lineset.pages.common.reader import Reader

from tests.browser.samples.data import HP, NOW, SITE

LUIS, HOUSEHOLD = UUID(int=71), UUID(int=72)
PLOT = ("suction_line_temperature", "liquid_line_temperature", "supply_air_temperature", "electric_power")


def finding(fault: str = "low_charge", n: int = 1, **changed: Any) -> Finding:
    """A finding of yesterday."""
    made = Finding(
        id=UUID(int=900 + n),
        equipment=UUID(HP),
        site=UUID(SITE.id),
        household=HOUSEHOLD,
        fault=fault,
        candidates=(Candidate(fault, 0.91),),
        effects=(),
        confidence=0.91,
        severity=0.5,
        cost_a_day=1.3,
        evidence={"bad_days_d": 5.0},
        plot=PLOT,
        state="open",
        opened=NOW - timedelta(hours=31),
        seen=NOW - timedelta(minutes=12),
    )
    return msgspec.structs.replace(made, **changed)


def two_causes() -> Finding:
    """One that can't be told apart from another yet."""
    return finding(
        candidates=(Candidate("low_charge", 0.46), Candidate("liquid_line_restriction", 0.4)),
        effects=("setpoint_not_reached", "capacity_degradation"),
        confidence=0.86,
        severity=0.9,
        cost_a_day=9.4,
        evidence={
            "superheat_K": 11.2,
            "superheat_expected_K": 1.7,
            "capacity_W": 2900.0,
            "capacity_expected_W": 4800.0,
            "backup_share": 0.62,
        },
        state="assigned",
    )


STEPS = (
    Step(NOW - timedelta(hours=31), "open", None, ""),
    Step(NOW - timedelta(hours=8), "acknowledged", LUIS, "Called the household, room at 16 °C."),
    Step(NOW - timedelta(hours=2), "assigned", LUIS, ""),
)


def forecast() -> Forecast:
    """A cold day: most in the morning."""
    likely = [1.4 + 1.2 * math.exp(-(((h - 6) / 3.0) ** 2)) + 0.5 * math.exp(-(((h - 20) / 3.0) ** 2)) for h in range(24)]
    start = NOW.replace(minute=0, second=0) + timedelta(hours=1)
    hours = tuple((e, e * 0.78, e * 1.26) for e in likely)
    return Forecast(UUID(HP), start, tuple((e * 1100, e * 800, min(3600.0, e * 1500)) for e in likely), hours, 0.37, 4.2)


def performance() -> Performance:
    """Thirty days of a heat pump without pressures."""
    figures = {
        "electric": Figure(812.0, "kWh", 8.0, "measured"),
        "heat": Figure(1930.0, "kWh", 170.0, "air_side"),
        "spf_heating": Figure(2.38, "1", 0.2, "air_side"),
        "superheat_heating": Figure(11.2, "K", 1.1, "measured"),
        "hours_heating": Figure(14.2 * 30, "h", None, "measured"),
        "backup_share": Figure(0.31, "share", 0.02, "measured"),
        "subcooling": Figure(None, "K", None, "", "not_measured"),
    }
    return Performance(UUID(HP), NOW.date() - timedelta(days=30), 30, figures)


def months_of_running() -> list[Performance]:
    """Thirteen months, the first without a meter, the last one not over."""
    ran = []
    for n in range(13):
        year, month = divmod(NOW.year * 12 + NOW.month - 1 - 12 + n, 12)
        cold = 0.5 + 0.5 * math.cos(month * math.pi / 6)
        figures = {
            "electric": Figure(120 + 700 * cold, "kWh", 8.0, "measured") if n else Figure(None, "kWh", None, "", "not_measured"),
            "heat": Figure(300 + 1600 * cold, "kWh", 170.0, "air_side"),
            "cop_heating": Figure(3.4 - 1.1 * cold, "1", 0.2, "air_side") if cold > 0.1 else Figure(None, "1", None, "", "not_run"),
            "hours_running": Figure(80 + 380 * cold, "h", None, "measured"),
            "starts": Figure(200.0 + 10 * n, "1", None, "counted"),
        }
        ran.append(Performance(UUID(HP), date(year, month + 1, 1), 30, figures))
    return ran


DUES = (Due(UUID(HP), "filter", 19.0, 6.0, "run_time", {}), Due(UUID(HP), "service", 80.0, 5.0, "run_time", {}))
LIVES = (Life(UUID(HP), "compressor", (0.6, 1.8, 4.1), 0.28, "weibull-2", {"age_years": 13.0}),)


def course() -> Course:
    """Superheat of a month: usual until eight days ago, then climbing out of what is normal; two days without running."""
    first = NOW.date() - timedelta(days=28)
    expected = tuple(6.2 + 0.8 * math.sin(n / 3) for n in range(29))
    gone = (9, 10)
    measured = tuple(None if n in gone else e + 0.4 * math.cos(2.1 * n) + max(0, n - 20) * 0.8 for n, e in enumerate(expected))
    days = tuple(first + timedelta(days=n) for n in range(29))
    low, high = tuple(e - 1.3 for e in expected), tuple(e + 1.3 for e in expected)
    return Course("heating", "superheat", "K", days, measured, expected, low, high, days[21], None)


def health(reader: Reader, *, technician: bool, calm: bool = False) -> Health:
    """One weak machine, or one that is well."""
    found = (
        []
        if calm
        else [two_causes(), finding("low_air_flow", 2), finding("defrost_stuck", 3, state="verified_fixed", closed=NOW - timedelta(days=9))]
    )
    return health_view(
        reader,
        "Heat pump HP-1",
        NOW,
        findings=found,
        steps={two_causes().id: STEPS},
        courses={two_causes().id: (course(),)},
        names={LUIS: "Luis Ortega"},
        performance=performance(),
        forecast=forecast(),
        dues=DUES,
        lives=LIVES,
        may_act=True,
        technician=technician,
    )


def advice() -> list[Advice]:
    """What follows from all of it."""
    known = Known(
        household=HOUSEHOLD,
        equipment=UUID(HP),
        site=UUID(SITE.id),
        type="heat_pump_air_air",
        findings=[two_causes(), finding("low_air_flow", 2)],
        dues=DUES,
        lives=LIVES,
        energy_kwh=7400.0,
        price=0.25,
        efficiency=1.7,
    )
    cooler = Known(
        household=HOUSEHOLD,
        equipment=UUID(int=5),
        site=UUID(SITE.id),
        type="heat_pump_air_water",
        energy_kwh=6000.0,
        price=0.25,
        evaporating=-3.0,
        condensing=45.0,
        comfort=0.98,
    )
    return advise(known, NOW) + advise(cooler, NOW)


def advice_sample(reader: Reader, *, technician: bool = False) -> tuple[AdviceLine, ...]:
    """The lines of it."""
    return advice_lines(reader, advice(), {HP: "Heat pump HP-1", str(UUID(int=5)): "Heat pump, basement"}, NOW, technician=technician)
