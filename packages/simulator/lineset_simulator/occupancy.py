"""How people live: who is there when, what heat they bring, when they draw hot water. By local time, seeded by the day."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from .chance import Floats, key, normal, uniform

_DAY = 86400.0
_EPOCH = date(1970, 1, 1)


class Pattern(msgspec.Struct, frozen=True):
    """A way of living. Hours are local. `away` is when all are out on a workday, `asleep` the night; `weekend_away` is
    on Saturday and Sunday. Watts are for a m2 of floor: `standby` always, `awake` on top while people are up.
    `showers` are a person and day; `litres` a person and day of all other hot water."""

    away: tuple[float, float]
    weekend_away: tuple[float, float]
    asleep: tuple[float, float]
    standby: float
    awake: float
    showers: float
    litres: float


PATTERNS: dict[str, Pattern] = {
    "workers": Pattern((8.0, 17.3), (10.5, 13.0), (22.8, 6.3), 1.6, 2.6, 0.8, 24.0),
    "family": Pattern((8.3, 15.5), (10.0, 12.5), (22.3, 6.1), 1.9, 2.8, 0.75, 26.0),
    "home": Pattern((12.5, 12.5), (11.0, 12.0), (22.5, 6.8), 1.5, 2.2, 0.7, 28.0),
    "office": Pattern((18.0, 31.5), (0.0, 24.0), (24.0, 24.0), 2.0, 9.0, 0.0, 2.5),
    "shop": Pattern((19.2, 32.5), (19.2, 32.5), (24.0, 24.0), 2.2, 10.0, 0.0, 3.0),
}


class Day(NamedTuple):
    """One local day: times (s UTC) at which people's number changes and the number from then on; the same for heat
    (W a m2); `draws` are start (s UTC), duration (s) and litres at the tap, 41 degC, of each draw."""

    times: Floats
    people: Floats
    awake: Floats
    draws: Floats


class Life:
    """The life of one home. `residents` are people there at most, `seed` makes its days its own."""

    def __init__(self, pattern: str, residents: int, tz: str, seed: int) -> None:
        if pattern not in PATTERNS:
            raise ValueError(f"no way of living named {pattern!r}; use one of: {', '.join(PATTERNS)}")
        self.pattern, self.residents, self.tz, self.seed = PATTERNS[pattern], residents, ZoneInfo(tz), seed
        self.business = pattern in ("office", "shop")
        self.day = lru_cache(maxsize=8)(self._day)
        self._ramp = lru_cache(maxsize=2)(self._cumulated)

    def local(self, t: float) -> tuple[int, float, bool]:
        """Number of the local day since 1970, hour of it, and whether it is a weekend."""
        moment = datetime.fromtimestamp(t, self.tz)
        hour = moment.hour + moment.minute / 60.0 + moment.second / 3600.0
        return (moment.date() - _EPOCH).days, hour, moment.weekday() >= 5

    def midnight(self, number: int) -> float:
        """Start (s UTC) of the local day with this number; days with a change of clocks last 23 or 25 hours."""
        day = _EPOCH + timedelta(days=number)
        return datetime(day.year, day.month, day.day, tzinfo=self.tz).astimezone(UTC).timestamp()

    def _day(self, number: int) -> Day:
        p, start = self.pattern, self.midnight(number)
        weekend = (_EPOCH + timedelta(days=number)).weekday() >= 5
        seed = key(self.seed, "day", number)
        shift = np.clip(normal(seed, np.arange(4)), -2.0, 2.0) * 0.35
        out, back = p.weekend_away if weekend else p.away
        sleep, wake = p.asleep
        if self.business:
            opens, closes = (back - 24.0) % 24.0, out
            closed = weekend and p.weekend_away == (0.0, 24.0)
            there = 0.0 if closed else float(self.residents)
            marks = np.array([0.0, opens + shift[0] * 0.4, closes + shift[1] * 0.5, 24.0])
            people, awake = np.array([0.0, there, 0.0, 0.0]), np.array([0.0, there > 0, 0.0, 0.0], dtype=np.float64)
        else:
            late = 0.9 if weekend else 0.0
            marks = np.array([0.0, wake + late + shift[0], out + shift[1], max(back + shift[2], out + shift[1]), sleep + shift[3], 24.0])
            n = float(self.residents)
            people, awake = np.array([n, n, 0.0, n, n, n]), np.array([0.0, 1.0, 0.15, 1.0, 0.0, 0.0])
        return Day(start + marks * 3600.0, people, awake, self._draws(seed, start, marks, weekend))

    def _draws(self, seed: int, start: float, marks: Floats, weekend: bool) -> Floats:
        p, n = self.pattern, self.residents
        chance = uniform(seed, np.arange(1000, 1200))
        rows: list[tuple[float, float, float]] = []
        first, last = (marks[1], marks[2]) if self.business else (marks[1], marks[4])
        wake, away, back = float(marks[1]), float(marks[2]), float(marks[min(3, len(marks) - 2)])
        for i in range(n if not self.business else 0):
            if chance[i] < p.showers:
                morning = chance[20 + i] < (0.7 if not weekend else 0.8)
                begin = wake + 0.15 + 0.28 * i if morning else max(back + 0.5, 19.0) + 2.2 * chance[40 + i]
                litres = 36.0 + 30.0 * chance[60 + i]
                rows.append((begin, litres / 8.0 * 60.0, litres))
        left, i = p.litres * n * (0.7 + 0.6 * chance[80]), 90
        while left > 0.0 and i < 190:
            # small draws gather after waking, before bed and at meals
            u = chance[i]
            when = first + (last - first) * (0.12 * u / 0.3 if u < 0.3 else 0.12 + 0.88 * ((u - 0.3) / 0.7) ** 0.6)
            litres = 1.0 + 9.0 * chance[i + 1] ** 3
            if (self.business or not away < when < back) and when > 0.0:
                rows.append((float(when), litres / 5.0 * 60.0, litres))
            left -= litres
            i += 2
        if not rows:
            return np.zeros((0, 3))
        draws = np.array(sorted(rows))
        draws[:, 0] = start + draws[:, 0] * 3600.0
        return draws

    def present(self, times: Floats) -> tuple[Floats, Floats]:
        """People there, and the share of the waking load (0 to 1), at `times` (s UTC, rising)."""
        marks, people, awake = self._joined(float(times[0]), float(times[-1]))
        at = np.searchsorted(marks, times, side="right") - 1
        return people[at], awake[at]

    def schedule(self, times: Floats) -> tuple[Floats, Floats]:
        """Local hour, and 1 where the thermostat's schedule wants comfort, at `times` (s UTC, rising).

        The schedule is what somebody once typed in: fixed hours, the same each week, not when people really come.
        """
        p = self.pattern
        starts = [self.midnight(n) for n in range(self.local(float(times[0]))[0], self.local(float(times[-1]))[0] + 2)]
        at = np.searchsorted(np.array(starts), times, side="right") - 1
        hours = (times - np.array(starts)[at]) / 3600.0
        first = self.local(float(times[0]))[0]
        weekend = np.mod(first + at + 3, 7) >= 5  # 1 January 1970 was a Thursday
        if self.business:
            opens, closes = (p.away[1] - 24.0) % 24.0, p.away[0]
            shut = weekend & (p.weekend_away == (0.0, 24.0))
            return hours, ((hours >= opens - 1.0) & (hours < closes) & ~shut).astype(np.float64)
        sleep, wake = p.asleep
        out, back = p.away
        gone = ~weekend & (back - out > 5.0) & (hours >= out + 0.5) & (hours < back - 1.0)
        return hours, ((hours >= wake - 0.5) & (hours < sleep) & ~gone).astype(np.float64)

    def drawn(self, times: Floats) -> Floats:
        """Litres of warm water (41 degC) drawn at the taps between each of `times` (s UTC, rising) and the next."""
        edges, litres = self._ramp(self.local(float(times[0]))[0] - 1, self.local(float(times[-1]))[0] + 1)
        return np.diff(np.interp(times, edges, litres))

    def _cumulated(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Litres drawn since the day `first`, linear between the times returned with them."""
        rows = np.concatenate([self.day(n).draws for n in range(first, last + 1)])
        if len(rows) == 0:
            return np.zeros(1), np.zeros(1)
        # each draw is a ramp; their sum is linear between all starts and ends
        edges = np.unique(np.concatenate([rows[:, 0], rows[:, 0] + rows[:, 1]]))
        share = np.clip((edges[:, None] - rows[None, :, 0]) / rows[None, :, 1], 0.0, 1.0)
        return edges, np.asarray(share @ rows[:, 2])

    def _joined(self, first: float, last: float) -> tuple[Floats, Floats, Floats]:
        days = [self.day(n) for n in range(self.local(first)[0] - 1, self.local(last)[0] + 1)]
        # a day's last mark is the next day's first
        return (
            np.concatenate([d.times[:-1] for d in days]),
            np.concatenate([d.people[:-1] for d in days]),
            np.concatenate([d.awake[:-1] for d in days]),
        )
