"""When something will be due: how long until what drifts reaches its limit, with the span within which four in five outcomes lie.

The trend is the Theil-Sen line (Theil 1950; Sen, JASA 63, 1968), which up to 29 % of wild days can't bend. Its spread is the normal
approximation of Sen's interval by Kendall's score, widened where days resemble their neighbours (Hamed and Rao, Journal of Hydrology 204,
1998, in its first-order form). The day on which the limit is met has the spread of a quotient to first order.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np

from lineset.diagnostics.cases import ratio
from lineset.diagnostics.days import Days
from lineset.diagnostics.samples import HOUR_S, Floats
from lineset.diagnostics.views import Due

_EPOCH = date(1970, 1, 1)
LOOK_BACK_DAYS = 60
LEAST_DAYS = 14
FURTHEST_DAYS = 730.0
"""Beyond this nothing is foretold."""
SURE = 2.0
"""A drift is told of when its slope is this many standard deviations from none."""
FOUR_IN_FIVE = 1.2816
"""Standard deviations to either side that hold four in five of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Straight lines through the days of machines, each (machines,): `level` at the newest day, `slope` a day, and their standard
    deviations; NaN where fewer than `LEAST_DAYS` days are known."""

    level: Floats
    slope: Floats
    level_sd: Floats
    slope_sd: Floats


def trend(values: Floats) -> Trend:
    """Lines through `values` (machines, days), the newest day last, NaN where unknown."""
    machines, days = values.shape
    at = np.arange(days, dtype=np.float64) - (days - 1)
    first, second = np.triu_indices(days, 1)
    known = ~np.isnan(values)
    count = known.sum(axis=1).astype(np.float64)
    slope, level, slope_sd, level_sd = (np.full(machines, np.nan) for _ in range(4))
    enough = np.flatnonzero(count >= LEAST_DAYS)
    if not len(enough):
        return Trend(level, slope, level_sd, slope_sd)
    mine, n = values[enough], count[enough]
    slopes = np.sort((mine[:, second] - mine[:, first]) / (at[second] - at[first]), axis=1)
    pairs = n * (n - 1) / 2
    slope[enough] = _ranked(slopes, 0.5 * (pairs - 1))
    rest = mine - slope[enough, None] * at
    level[enough] = np.nanmedian(rest, axis=1)
    rest -= level[enough, None]
    noise = 1.4826 * np.nanmedian(np.abs(rest), axis=1)
    widening = _widening(rest)
    # Kendall's score has the variance n(n-1)(2n+5)/18; half the width of the band of as many ranks is one standard deviation of the slope
    score = np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    band = np.minimum(score, 0.5 * (pairs - 1))
    slope_sd[enough] = widening * (_ranked(slopes, 0.5 * (pairs - 1) + 0.5 * band) - _ranked(slopes, 0.5 * (pairs - 1) - 0.5 * band))
    middle = np.where(known[enough], at, 0.0).sum(axis=1) / n
    # a median's variance is pi/2 that of a mean; the line's value at the newest day also moves with its slope
    level_sd[enough] = np.sqrt((1.2533 * widening * noise) ** 2 / n + (slope_sd[enough] * middle) ** 2)
    return Trend(level, slope, level_sd, slope_sd)


def _ranked(ordered: Floats, rank: Floats) -> Floats:
    """The value at a fractional rank of each sorted row."""
    low = np.floor(rank).astype(np.int64)
    values = [np.take_along_axis(ordered, place[:, None], axis=1)[:, 0] for place in (low, np.minimum(low + 1, ordered.shape[1] - 1))]
    share = rank - low
    return np.asarray(np.where(share > 0, (1 - share) * values[0] + share * values[1], values[0]))


def _widening(rest: Floats) -> Floats:
    """By how much a standard deviation grows because neighbouring days are alike, from the correlation at a lag of one day."""
    both = rest[:, 1:] * rest[:, :-1]
    alike = ratio(np.nanmean(np.where(np.isnan(both).all(axis=1, keepdims=True), 0.0, both), axis=1), np.nanmean(rest**2, axis=1))
    alike = np.clip(np.nan_to_num(alike), 0.0, 0.9)
    return np.sqrt((1 + alike) / (1 - alike))


def until(found: Trend, limit: Floats) -> tuple[Floats, Floats]:
    """Days until the trend reaches `limit` (machines,) and half the width of the span that holds four in five, each (machines,).

    NaN where there is no sure drift towards the limit; 0 days where it is reached.
    """
    gap = limit - found.level
    towards = (found.slope * gap > 0) & (np.abs(found.slope) >= SURE * np.maximum(found.slope_sd, 1e-12))
    days = np.where(towards, ratio(gap, found.slope), np.nan)
    spread = np.sqrt(ratio(found.level_sd, found.slope) ** 2 + (days * ratio(found.slope_sd, found.slope)) ** 2)
    return days, FOUR_IN_FIVE * spread


@dataclass(frozen=True, slots=True)
class Part:
    """What drifts towards the need of a part's care. `integral` over `weight` is the day's figure; no weight: the feature itself. `limit`
    is a value, or with `times_clean` so many times the median of the first third of the days. `up`: which way wear goes."""

    part: str
    reason: str
    integral: str
    weight: str
    limit: float
    up: bool = True
    times_clean: bool = False
    source: str = ""


_APPROACH = "4 K over its own clean approach, which costs about 8 % at 2 % of COP a kelvin: an assumption of ours"
_AIR = "15 % below what it had, as grade I of ANSI/RESNET/ACCA 310-2020 allows of design"
_COOLING, _HEATING = "residual.cooling.", "residual.heating."
PARTS: tuple[Part, ...] = (
    Part("filter", "filter_run_time", "wear.filter_s.max", "", 500 * HOUR_S, source="500 h of air, makers' usual reminder for 25 mm media"),
    Part(
        *("filter", "pressure_drop", "wear.filter_drop.x", "wear.filter_drop.s", 2.0),
        times_clean=True,
        source="twice the clean resistance, the usual final resistance of maintenance (NAFA Guide to Air Filtration)",
    ),
    Part("filter", "air_flow", f"{_COOLING}air_flow.x", f"{_COOLING}air_flow.s", -0.15, up=False, source=_AIR),
    Part("filter", "air_flow", f"{_HEATING}air_flow.x", f"{_HEATING}air_flow.s", -0.15, up=False, source=_AIR),
    Part("coil", "approach", f"{_COOLING}condensing_over_sink.x", f"{_COOLING}condensing_over_sink.s", 4.0, source=_APPROACH),
    Part("coil", "approach", f"{_HEATING}source_over_evaporating.x", f"{_HEATING}source_over_evaporating.s", 4.0, source=_APPROACH),
    Part(
        *("anode", "anode_current", "wear.anode.x", "wear.anode.s", 1.0),
        up=False,
        source="below 1 mA an impressed-current anode hardly protects: an assumption of ours",
    ),
)
"""What drifts. Limits are declared here and shown with each forecast."""


def drifting(days: Days, today: int) -> list[Due]:
    """What of these machines' parts drifts towards its limit; of reasons for one part the nearest. `today`: days since 1970. The ids
    of the machines are UUIDs."""
    soonest: dict[tuple[int, str], Due] = {}
    for part in PARTS:
        values = _matrix(days, part.integral, part.weight, today)
        if values is None:
            continue
        if part.reason == "filter_run_time":
            values = _since_reset(values)
        found = trend(values)
        limit = np.full(len(values), part.limit)
        if part.times_clean:
            limit = part.limit * _clean(values)
        left, doubt = until(found, limit)
        passed = (found.level >= limit) if part.up else (found.level <= limit)
        left, doubt = np.where(passed, 0.0, left), np.where(passed, 0.0, doubt)
        right_way = passed | ((found.slope > 0) == part.up)
        for n in np.flatnonzero(right_way & (left <= FURTHEST_DAYS) & (doubt <= np.maximum(left, 7.0))).tolist():
            figures = {"now": float(found.level[n]), "limit": float(limit[n]), "a_day": float(found.slope[n])}
            due = Due(UUID(days.machines[n].id), part.part, float(left[n]), float(doubt[n]), part.reason, figures)
            if (n, part.part) not in soonest or soonest[n, part.part].days > due.days:
                soonest[n, part.part] = due
    return list(soonest.values())


def _clean(values: Floats) -> Floats:
    """The median of the first third of the known days, (machines,): how it was when it was clean, or as clean as it was seen."""
    early = values[:, : max(values.shape[1] // 3, 1)]
    seen = ~np.isnan(early).all(axis=1)
    out = np.full(len(values), np.nan)
    out[seen] = np.nanmedian(early[seen], axis=1)
    return out


def _since_reset(values: Floats) -> Floats:
    """Only the days since a counter last fell, which is when its part was changed."""
    known = ~np.isnan(values)
    newest = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), 0), axis=1)
    carried = np.take_along_axis(values, newest, axis=1)
    fell = np.zeros(values.shape, bool)
    fell[:, 1:] = known[:, 1:] & (values[:, 1:] < carried[:, :-1] - HOUR_S)
    last = np.where(fell.any(axis=1), values.shape[1] - 1 - np.argmax(fell[:, ::-1], axis=1), 0)
    return np.where(np.arange(values.shape[1]) >= last[:, None], values, np.nan)


def _matrix(days: Days, integral: str, weight: str, today: int) -> Floats | None:
    """A figure of the last days, (machines, days); None where nobody has it."""
    if integral not in days.sums:
        return None
    figures = days.sums[integral] if not weight else ratio(days.sums[integral], days.sums[weight])
    back = today - days.day
    mine = (back >= 0) & (back < LOOK_BACK_DAYS)
    out = np.full((len(days.machines), LOOK_BACK_DAYS), np.nan)
    out[days.machine[mine], LOOK_BACK_DAYS - 1 - back[mine]] = figures[mine]
    return out


SERVICE_DAYS, SERVICE_RUN_S = 365.0, 2500 * HOUR_S
"""A look by a technician: each year (the least of ANSI/ASHRAE/ACCA Standard 180-2018) or each 2,500 h of running, whichever is sooner."""
UNSERVICED = frozenset({"thermostat", "pump"})
"""Families that are looked at with what they serve."""
ANODE_DAYS, ANODE_DOUBT_DAYS = 4 * 365.0, 365.0
"""A magnesium rod lasts three to five years; without a reading of its current only its age tells."""


def by_age(days: Days, today: int) -> list[Due]:
    """What comes due by the calendar and by running: service of all machines, and rods of water heaters that tell no current."""
    running = _matrix(days, "wear.run_s.max", "", today)
    found = []
    rate = trend(running) if running is not None else None
    for n, machine in enumerate(days.machines):
        if machine.installed is None:
            continue
        age = float(today - (machine.installed - _EPOCH).days)
        left, doubt, reason, figures = SERVICE_DAYS - age % SERVICE_DAYS, 7.0, "age", {"age_days": age}
        if rate is not None and rate.slope[n] > 60.0:
            hours = (SERVICE_RUN_S - rate.level[n] % SERVICE_RUN_S) / rate.slope[n]
            if hours < left:
                left, doubt, reason = float(hours), float(max(FOUR_IN_FIVE * hours * rate.slope_sd[n] / rate.slope[n], 1.0)), "run_time"
                figures |= {"run_hours": float(rate.level[n] / HOUR_S)}
        if machine.family not in UNSERVICED:
            found.append(Due(UUID(machine.id), "service", left, doubt, reason, figures))
        if machine.type in ("water_heater_electric", "water_heater_gas") and not _has(days, n, "wear.anode.s"):
            found.append(Due(UUID(machine.id), "anode", max(ANODE_DAYS - age, 0.0), ANODE_DOUBT_DAYS, "age", {"age_days": age}))
    return found


def dues(days: Days, today: int) -> list[Due]:
    """All that comes due at these machines, the soonest first."""
    return sorted([*drifting(days, today), *by_age(days, today)], key=lambda due: due.days)


def _has(days: Days, machine: int, feature: str) -> bool:
    values = days.sums.get(feature)
    return values is not None and bool((~np.isnan(values[days.machine == machine])).any())
