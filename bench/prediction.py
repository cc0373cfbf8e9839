"""How good predictions are: `python -m bench.prediction [seed]`.

The 25 simulated homes of the demo, without faults and without gaps, are recorded in winter and in summer at 5 minutes for 60 days. What the
platform makes of the readings (hourly loads of each machine; rooms, weather and heat of each home) is forecast at the end of each of the
last 14 days from what was known then, and compared with what came. Nothing here is asked of the platform that it does not do itself.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from lineset.diagnostics import modes
from lineset.diagnostics.features import features
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.forecast import outlook
from lineset.diagnostics.predict.loads import Loads, hour_loads
from lineset.diagnostics.predict.thermal import STEP_S, Records, clear_sky, fit
from lineset.diagnostics.samples import DAY_S, HOUR_S, Floats, Ints, Samples
from lineset_simulator import HomeSpec, demo_fleet, history

SEED = 7
DAYS, JUDGED_DAYS = 60, 14
THERMAL_DAYS = 28
LEAST_KWH = 0.05
"""Machines that use less in an hour on average are not judged: an air conditioner in winter."""
SEASONS = {"winter": datetime(2026, 2, 20, tzinfo=UTC), "summer": datetime(2026, 8, 20, tzinfo=UTC)}
"""The end of each recording."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the platform made of a home's readings: its machines, their hours (machines, hours, 3) as `loads_of` gives them from the local
    hour `first` on, and how it is heated."""

    key: str
    machines: Sequence[Machine]
    first: int
    hours: Floats
    home: Records | None


def recorded(work: tuple[int, int, str]) -> Recorded:
    """One home of the fleet of a seed in a season."""
    number, seed, season = work
    spec = sound(demo_fleet(seed)[number])
    start = SEASONS[season].timestamp() - DAYS * DAY_S
    with np.errstate(all="ignore"):
        samples = samples_of(spec, SEASONS[season].timestamp(), DAYS)
        hours = loads_of(samples, ZoneInfo(spec.tz), start, DAYS)
        return Recorded(spec.key, samples.machines, round(start / DAY_S) * 24, hours, home_of(spec, samples, start, DAYS))


def sound(spec: HomeSpec) -> HomeSpec:
    """The home without faults and without times at which its gateway is without power."""
    return msgspec.structs.replace(spec, faults=(), silence=())


def samples_of(spec: HomeSpec, end: float, days: int) -> Samples:
    """Readings of all machines of a home over these days."""
    blocks: dict[str, list[tuple[Floats, dict[str, Floats]]]] = {}
    for block in history(spec, end - days * DAY_S, end - 1.0):
        blocks.setdefault(block.equipment, []).append((block.times, dict(block.points)))
    machines: list[Machine] = []
    place, times = [], []
    names = sorted({name for parts in blocks.values() for _, points in parts for name in points})
    columns: dict[str, list[Floats]] = {name: [] for name in names}
    for e in spec.equipment:
        for t, points in blocks.get(e.local, ()):
            place.append(np.full(len(t), len(machines)))
            times.append(t)
            for name in names:
                columns[name].append(points.get(name, np.full(len(t), np.nan)))
        machines.append(
            Machine(
                f"{spec.key}-{e.local}",
                e.type,
                spec.key,
                str(e.zone),
                e.serves,
                e.make,
                e.model,
                e.capacity,
                e.fuel,
                e.refrigerant,
                time_zone=spec.tz,
            )
        )
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    return Samples(machines, np.concatenate(place), np.concatenate(times), {n: v for n, v in whole.items() if not np.isnan(v).all()})


def loads_of(samples: Samples, zone: ZoneInfo, start: float, days: int) -> Floats:
    """Run time (s), energy (kWh) and outdoor temperature (degC) of each machine and local hour, (machines, hours, 3)."""
    found = np.stack(hour_loads(features(samples)), axis=1)
    offset = datetime.fromtimestamp(start, UTC).astimezone(zone).utcoffset()
    shift = 0 if offset is None else round(offset.total_seconds() / HOUR_S)
    grid = np.full((len(samples.machines), 24 * days, 3), np.nan)
    hour = np.round((samples.hour_start - start) / HOUR_S).astype(np.int64) + shift
    inside = (hour >= 0) & (hour < 24 * days)
    grid[samples.hour_machine[inside], hour[inside]] = found[inside]
    return grid


def mean_of_steps(values: Floats, step: Ints, steps: int) -> Floats:
    """Means of the known values of each step, NaN where there are none."""
    known = ~np.isnan(values)
    count = np.bincount(step[known], minlength=steps)
    return np.where(count > 0, np.bincount(step[known], values[known], minlength=steps) / np.maximum(count, 1), np.nan)


HEATERS = ("heat_pump", "air_conditioner", "furnace", "boiler", "rooftop_unit")
HEATS, COOLS = (modes.HEATING, modes.DEFROST, modes.AUXILIARY), (modes.COOLING, modes.DRY)


def home_of(spec: HomeSpec, samples: Samples, start: float, days: int) -> Records | None:
    """What the platform knows of how a home is heated, in steps of half an hour; None where no heat is measured."""
    steps = round(days * DAY_S / STEP_S)
    step = ((samples.t - start) / STEP_S).astype(np.int64)
    room_read, capacity = samples.point("room_temperature"), samples.channel("capacity")
    flows = np.where(np.isin(samples.mode, COOLS), -capacity, np.where(np.isin(samples.mode, HEATS), capacity, 0.0))
    rooms, heat, known = [], np.zeros(steps), False
    for n, machine in enumerate(samples.machines):
        mine = samples.row_machine == n
        rooms.append(mean_of_steps(room_read[mine], step[mine], steps))
        if machine.family not in HEATERS or np.isnan(flows[mine]).mean() > 0.5:
            continue
        told = mean_of_steps(flows[mine], step[mine], steps)
        heat += np.nan_to_num(told)
        known = True
    outdoor = mean_of_steps(samples.point("outdoor_temperature"), step, steps)
    every = np.array(rooms)
    count = (~np.isnan(every)).sum(axis=0)
    room = np.where(count > 0, np.nansum(every, axis=0) / np.maximum(count, 1), np.nan)
    if not known or np.isnan(outdoor).all() or np.isnan(room).all():
        return None
    there = ~np.isnan(outdoor)
    outdoor = np.interp(np.arange(steps), np.flatnonzero(there), outdoor[there])
    t: Floats = start + (np.arange(steps, dtype=np.float64) + 0.5) * STEP_S
    offset = datetime.fromtimestamp(start, UTC).astimezone(ZoneInfo(spec.tz)).utcoffset()
    hour = np.mod(t / HOUR_S + (0.0 if offset is None else offset.total_seconds() / HOUR_S), 24.0)
    return Records(STEP_S, room, outdoor, heat, clear_sky(t, spec.latitude, spec.longitude), hour)


def forecasts(homes: Sequence[Recorded]) -> dict[str, float]:
    """Of the forecasts of the first and second day (24 and 48 h ahead): by how much their error is smaller than that of the last known
    day's load, as the mean of machines (`better1`, `better2`) and of all energy (`all1`, `all2`); shares of outcomes within, above and
    below the limits, within and below where the lower one is above zero."""
    machines = [m for each in homes for m in each.machines]
    hours = np.concatenate([each.hours for each in homes])
    judged = np.nanmean(hours[:, -24 * JUDGED_DAYS :, 1], axis=1) > LEAST_KWH
    machines, hours, first = [m for m, mine in zip(machines, judged.tolist(), strict=True) if mine], hours[judged], homes[0].first
    off: dict[str, list[Floats]] = {name: [] for name in ("1", "2", "naive1", "naive2", "within", "above", "below")}
    for back in range(JUDGED_DAYS + 1, 1, -1):
        end = hours.shape[1] - 24 * back
        known, came, last = hours[:, :end], hours[:, end : end + 48, 1], hours[:, end - 24 : end, 1]
        told = outlook(Loads(machines, first, known[..., 0], known[..., 1], known[..., 2])).energy_kwh
        there = ~np.isnan(came[:, :24])
        for day in (0, 1):
            those = slice(24 * day, 24 * day + 24)
            off[str(day + 1)].append(np.abs(told[:, those, 1] - came[:, those]))
            off[f"naive{day + 1}"].append(np.abs(last - came[:, those]))
        low, high = told[:, :24, 0], told[:, :24, 2]
        off["above"].append(np.where(there, came[:, :24] > high + 1e-9, np.nan))
        off["below"].append(np.where(there & (low > 0), came[:, :24] < low - 1e-9, np.nan))
        off["within"].append(np.where(there & (low > 0), (came[:, :24] >= low - 1e-9) & (came[:, :24] <= high + 1e-9), np.nan))
    found = {"machines": float(len(machines))}
    for which in ("1", "2"):
        error, naive = (np.nanmean(np.concatenate(off[name], axis=1), axis=1) for name in (which, f"naive{which}"))
        found[f"better{which}"], found[f"all{which}"] = float(np.mean(1 - error / naive)), float(1 - error.sum() / naive.sum())
    return found | {name: float(np.nanmean(np.concatenate(off[name]))) for name in ("within", "above", "below")}


def thermal(records: Records) -> float:
    """The error a day ahead of the thermal model of a home (K), over days that it had not learnt from."""
    last = slice(-round(THERMAL_DAYS * DAY_S / records.step), None)
    parts = (records.room, records.outdoor, records.heat, records.sun, records.hour)
    home = fit(Records(records.step, *(values[last] for values in parts)))
    return float("nan") if home is None else home.error_k


def run(seed: int = SEED) -> dict[str, dict[str, float]]:
    """Figures by season."""
    found = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for season in SEASONS:
            homes = list(pool.map(recorded, [(n, seed, season) for n in range(len(demo_fleet(seed)))]))
            errors = np.array(list(pool.map(thermal, [each.home for each in homes if each.home is not None])))
            found[season] = {
                **forecasts(homes),
                "homes": float(len(errors)),
                "error_k": float(np.median(errors)),
                "mean_k": float(np.mean(errors)),
                "half_k": float(np.mean(errors < 0.5)),
            }
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """The figures as Markdown."""
    lines = [f"| | {' | '.join(found)} |", "|---|" + "---|" * len(found)]

    def row(name: str, say: str) -> None:
        lines.append(f"| {name} | " + " | ".join(say.format(**each) for each in found.values()) + " |")

    row("machines that use energy; homes with measured heat", "{machines:.0f}; {homes:.0f}")
    row("first day: error less than that of the last day's load, mean of machines; of all energy", "{better1:.1%}; {all1:.1%}")
    row("second day, likewise", "{better2:.1%}; {all2:.1%}")
    row("outcomes within the limits of four in five, where the lower one is above zero", "{within:.1%}")
    row("outcomes above; below", "{above:.1%}; {below:.1%}")
    row("thermal model, error 24 h ahead, median and mean of homes", "{error_k:.2f} K; {mean_k:.2f} K")
    row("homes with an error below 0.5 K", "{half_k:.0%}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run(int(sys.argv[1]) if len(sys.argv) > 1 else SEED)))
