"""Ticks of a time axis at round hours, days and months of the reader's own clock, through both changes of the clock."""

from collections.abc import Iterator
from datetime import date as Date  # noqa: N812  a day of the calendar, beside moments
from datetime import datetime, time, timedelta

import msgspec

from .reader import Reader

MOST = 10  # ticks on one axis
_CLOCK_STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600)  # s within a day
_DAY_STEPS = (1, 2)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60)
DAY_S = 86_400.0
_SLACK_S = 3 * 3600  # more than any change of the clock


class Tick(msgspec.Struct, frozen=True):
    """A moment in seconds since 1970, its words, and whether it begins a day (or a year on a long axis)."""

    t: float
    text: str
    major: bool = False


def ticks(reader: Reader, start: float, end: float, *, margin: float = 0.0, most: int = MOST) -> tuple[Tick, ...]:
    """At most about `most` ticks from `start` to `end`, and those of the same step `margin` seconds to either side."""
    length = end - start
    low, high = start - margin, end + margin
    for step in _CLOCK_STEPS:
        if length / step <= most:
            return tuple(_clock_ticks(reader, low, high, step))
    for days in _DAY_STEPS:
        if length / (days * DAY_S) <= most:
            return tuple(_day_ticks(reader, low, high, days))
    if length / (7 * DAY_S) <= most:
        return tuple(_week_ticks(reader, low, high))
    months = next((n for n in _MONTH_STEPS if length / (n * 30.4 * DAY_S) <= most), _MONTH_STEPS[-1])
    return tuple(_month_ticks(reader, low, high, months))


def edges(reader: Reader, start: float, end: float, most: int) -> list[float]:
    """Round moments that cut `start` to `end` into at most about `most` parts, with both ends."""
    inner = [tick.t for tick in ticks(reader, start, end, most=most) if start < tick.t < end]
    return [start, *inner, end]


def _local_days(reader: Reader, low: float, high: float) -> Iterator[Date]:
    day = datetime.fromtimestamp(low, reader.zone).date()
    last = datetime.fromtimestamp(high, reader.zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _moments(reader: Reader, day: Date, seconds: int) -> Iterator[datetime]:
    """The moments at which the clock shows this time on this day: one, none in the hour left out, or two in the hour shown twice."""
    wall = datetime.combine(day, time(seconds // 3600, seconds % 3600 // 60))
    found = [wall.replace(tzinfo=reader.zone, fold=fold) for fold in (0, 1)]
    first, second = (moment.timestamp() for moment in found)
    if first > second:  # left out: the clock jumps over it
        return
    yield found[0]
    if second > first:
        yield found[1]


def _clock_ticks(reader: Reader, low: float, high: float, step: int) -> Iterator[Tick]:
    first, last = (datetime.fromtimestamp(t, reader.zone).replace(tzinfo=None) for t in (low, high))
    for day in _local_days(reader, low, high):
        midnight = datetime.combine(day, time())
        early = max(0, int((first - midnight).total_seconds() - _SLACK_S) // step * step)
        late = min(int(DAY_S), int((last - midnight).total_seconds() + _SLACK_S))
        for seconds in range(early, late, step):
            for moment in _moments(reader, day, seconds):
                t = moment.timestamp()
                if low <= t <= high:
                    yield Tick(t, reader.weekday(moment, year=False) if seconds == 0 else _hour(reader, moment), seconds == 0)


def _hour(reader: Reader, moment: datetime) -> str:
    if reader.clock24 or moment.minute:
        return reader.clock(moment)
    if moment.hour == 12:
        return reader.gettext("noon")
    return f"{moment.hour % 12} {'am' if moment.hour < 12 else 'pm'}"


def _midnight(reader: Reader, day: Date) -> datetime:
    """When the day begins; where midnight is left out, the first moment after it."""
    return datetime.combine(day, time(), reader.zone)


def _day_ticks(reader: Reader, low: float, high: float, days: int) -> Iterator[Tick]:
    for day in _local_days(reader, low, high):
        moment = _midnight(reader, day)
        if day.toordinal() % days == 0 and low <= moment.timestamp() <= high:
            yield Tick(moment.timestamp(), reader.weekday(moment, year=False), day.weekday() == 0)


def _week_ticks(reader: Reader, low: float, high: float) -> Iterator[Tick]:
    for day in _local_days(reader, low, high):
        moment = _midnight(reader, day)
        if day.weekday() == 0 and low <= moment.timestamp() <= high:
            yield Tick(moment.timestamp(), reader.short_day(moment), day.day <= 7)


def _month_ticks(reader: Reader, low: float, high: float, months: int) -> Iterator[Tick]:
    day = datetime.fromtimestamp(low, reader.zone).date().replace(day=1)
    while (moment := _midnight(reader, day)).timestamp() <= high:
        if (day.year * 12 + day.month - 1) % months == 0 and moment.timestamp() >= low:
            yield Tick(moment.timestamp(), reader.month(moment), day.month == 1)
        day = (day + timedelta(days=32)).replace(day=1)
