"""The course of what a finding rests on: what was measured day by day, beside what the machine's own memory expected of such weather."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from lineset.diagnostics.baseline import YOUNG
from lineset.diagnostics.days import Days
from lineset.diagnostics.expectations import CHANNELS, MODES, RELATIVE
from lineset.diagnostics.keeping import EPOCH
from lineset.diagnostics.performing import own_days
from lineset.diagnostics.samples import Floats, Ints
from lineset.diagnostics.views import Finding
from lineset.kit.clock import now
from lineset.privacy import Tx

BEFORE, LONGEST = timedelta(days=21), timedelta(days=90)
"""What is shown before a fault began, and the most that is shown at all."""
NINE_IN_TEN = 1.645
"""Standard deviations to either side that hold nine in ten of a normal distribution."""
MOST, TELLING = 2, 1.0
"""So many quantities are shown, of those that lie this many standard deviations away in the days of the fault."""
UNITS = {
    **dict.fromkeys(("superheat", "subcooling", "split", "water_difference"), "K"),
    **dict.fromkeys(("evaporating", "condensing", "discharge", "suction_line", "liquid_line", "outdoor_coil", "indoor_coil"), "degC"),
    **dict.fromkeys(("power", "capacity"), "W"),
    **{"cop": "1", "air_flow": "m3/h", "water_flow": "kg/s", "current": "A", "valve": "%"},
}
Values = tuple[float | None, ...]


class Course(msgspec.Struct, frozen=True):
    """One quantity of steady running in a mode, a value a day in each list; None where it was not measured, or nothing was learnt to
    expect. `low` and `high` hold nine in ten hours of the sound machine in that day's weather. `began`, `ended`: days of the fault, None
    while it goes on. All in the catalogue's `unit`."""

    mode: str
    channel: str
    unit: str
    days: tuple[date, ...]
    measured: Values
    expected: Values
    low: Values
    high: Values
    began: date
    ended: date | None


async def courses_of(tx: Tx, finding: Finding, zone: str) -> tuple[Course, ...]:
    """The quantities that show a finding best, most telling first; none where the machine's memory has nothing to say. As far as the
    finding's machine is shared with the asker; `zone` of its site."""
    began = _local(finding.opened, zone)
    ended = None if finding.closed is None else _local(finding.closed, zone)
    last = min(ended + timedelta(days=7) if ended is not None else date.max, _local(now(), zone))
    first = max(began - BEFORE, last - LONGEST)
    days = await own_days(tx, finding.equipment, finding.household, (first - EPOCH).days, (last - EPOCH).days)
    if not len(days.day):
        return ()
    return courses(days, finding, max(first, EPOCH + timedelta(days=int(days.day.min()))), last, began, ended)


def _local(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def courses(days: Days, finding: Finding, first: date, last: date, began: date, ended: date | None) -> tuple[Course, ...]:
    """As `courses_of`, of one machine's days."""
    shown = tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    at = days.day - (first - EPOCH).days
    faulty = np.array([day >= began and (ended is None or day <= ended) for day in shown])
    told: list[tuple[float, Course]] = []
    for mode in MODES:
        for channel in CHANNELS:
            found = _columns(days, mode, channel, at, len(shown))
            if found is None:
                continue
            measured, apart, deviation = found
            known = faulty & np.isfinite(apart)
            if not known.any():
                continue
            weight = 2.0 if any(key.startswith(channel) for key in finding.evidence) else 1.0
            score = float(np.mean(np.abs(apart[known]) / deviation[known]))
            if score >= TELLING:
                told.append((weight * score, _course(mode, channel, shown, measured, apart, deviation, (began, ended))))
    return tuple(course for _, course in sorted(told, key=lambda pair: -pair[0])[:MOST])


def _columns(days: Days, mode: str, channel: str, at: Ints, count: int) -> tuple[Floats, Floats, Floats] | None:
    """By day: what was measured, how far that is from what was expected, and the standard deviation of that; NaN where unknown."""
    names = [f"steady.{mode}.{channel}.x", f"steady.{mode}.{channel}.s", *(f"residual.{mode}.{channel}.{end}" for end in "xsvn")]
    if any(name not in days.sums for name in names):
        return None
    out = np.full((len(names), count), np.nan)
    for row, name in enumerate(names):
        out[row, at] = days.sums[name]
    x, s, rx, rs, rv, rn = out
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = np.where(s > 0, x / s, np.nan)
        learnt = (rs > 0) & (rn / rs >= YOUNG)
        return measured, np.where(learnt, rx / rs, np.nan), np.where(learnt, np.sqrt(rv / rs), np.nan)


def _course(
    mode: str, channel: str, days: tuple[date, ...], measured: Floats, apart: Floats, deviation: Floats, span: tuple[date, date | None]
) -> Course:
    """In the channel's unit; of relative channels deviations are logarithms."""

    def less(by: Floats) -> Floats:
        return measured * np.exp(-by) if channel in RELATIVE else measured - by

    half = NINE_IN_TEN * deviation
    lines = (measured, less(apart), less(apart + half), less(apart - half))
    is_, should, low, high = (tuple(None if v != v else float(v) for v in line.tolist()) for line in lines)  # noqa: PLR0124 - NaN
    return Course(mode, channel, UNITS[channel], days, is_, should, low, high, *span)
