"""How long an hour's diagnosis of a fleet takes: `python -m bench.diagnosis_speed [machines] [step_s]`.

Makes readings of that many heat pumps, air conditioners, furnaces and boilers (18 points each) in shards, and measures features, folding
into days, cases and detectors as processor time, on two processes. Two weeks of earlier
days stand in each case.
"""

import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from lineset.diagnostics.cases import WINDOW_DAYS
from lineset.diagnostics.course import Window
from lineset.diagnostics.days import Days, fold
from lineset.diagnostics.engine import judge
from lineset.diagnostics.features import EXTRACTORS, features
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import Floats, Samples

SHARD = 5_000
TYPES = ("heat_pump_air_air", "heat_pump_air_water", "air_conditioner", "furnace_gas", "boiler_gas")
ZONES = ("Europe/Madrid", "America/New_York", "America/Chicago", "Europe/Berlin")


def samples_of(count: int, step: float, seed: int) -> Samples:
    """An hour of `count` machines with 18 points every `step` seconds, of all of `TYPES` in turn."""
    rng = np.random.default_rng(seed)
    per = int(3600 / step)
    rows = count * per
    row_machine = np.repeat(np.arange(count), per)
    machines = [
        Machine(str(n), TYPES[n % 5], refrigerant=("R410A", "R32")[n % 2], capacity_w=9000.0, time_zone=ZONES[n % 4]) for n in range(count)
    ]
    offset = np.tile(np.arange(per) * step, count)
    on = ((offset + rng.integers(0, 3600, count)[row_machine]) % 3600) < 2100
    cools = row_machine % 5 == 2

    def about(mean: float, spread: float) -> Floats:
        return mean + spread * rng.standard_normal(rows)

    points: Mapping[str, Floats] = {
        "operating_mode": np.where(on, np.where(cools, 2.0, 1.0), 0.0),
        "room_temperature": about(20.5, 0.1),
        "heating_setpoint": np.full(rows, 20.5),
        "outdoor_temperature": about(5.0, 0.2),
        "supply_air_temperature": np.where(on, about(38.0, 0.2), 22.0),
        "return_air_temperature": about(20.3, 0.1),
        "supply_air_flow": np.where(on, about(1200.0, 5.0), 0.0),
        "outlet_water_temperature": np.where(on, about(37.0, 0.1), 32.0),
        "inlet_water_temperature": about(32.0, 0.1),
        "water_flow_rate": np.where(on, 0.3, 0.0),
        "electric_power": np.where(on, about(2100.0, 20.0), 25.0),
        "suction_line_temperature": about(2.0, 0.2),
        "suction_line_pressure": about(700.0, 4.0),
        "liquid_line_temperature": about(33.0, 0.2),
        "liquid_line_pressure": about(2500.0, 9.0),
        "discharge_line_temperature": about(70.0, 0.3),
        "compressor_speed": np.where(on, 60.0, 0.0),
        "electric_energy": 1000.0 + offset * 0.0004,
    }
    return Samples(machines, row_machine, 1_767_225_600.0 + offset, points)


def shard(work: tuple[int, float, int]) -> dict[str, float]:
    """Seconds of processor time by stage for one shard."""
    count, step, seed = work
    samples = samples_of(count, step, seed)
    spent: dict[str, float] = {}

    def done(stage: str, since: float) -> float:
        spent[stage] = time.process_time() - since
        return time.process_time()

    t = time.process_time()
    found = features(samples)
    t = done("features", t)
    today = fold(samples.machines, samples.hour_machine, samples.hour_day, found)
    t = done("days", t)
    window = Window(samples.machines)
    newest = int(today.day.max())
    for back in range(WINDOW_DAYS - 1, 0, -1):
        window.roll(newest - back)
        window.put(Days(samples.machines, today.machine, np.full(len(today.day), newest - back, np.int64), today.sums))
    t = time.process_time()
    window.roll(newest)
    window.put(today)
    cases = window.cases()
    t = done("cases", t)
    judge(cases)
    done("detectors", t)
    return spent


def by_extractor(count: int, step: float) -> None:
    """Print what each extractor takes alone, the first one with what all share."""
    samples = samples_of(count, step, 0)
    for extract in EXTRACTORS:
        since = time.process_time()
        names = len(extract(samples))
        print(
            f"  {extract.__module__.rsplit('.', 1)[-1]}.{extract.__name__}: {1000 * (time.process_time() - since):.0f} ms, {names} features"
        )


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    step = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    works = [(min(SHARD, count - start), step, start) for start in range(0, count, SHARD)]
    spent: dict[str, float] = {}
    wall = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for result in pool.map(shard, works):
            for stage, seconds in result.items():
                spent[stage] = spent.get(stage, 0.0) + seconds
    took = sum(spent.values()) / 2
    print(
        f"{count} machines, an hour every {step:.0f} s: {took:.1f} s on 2 processes ({time.perf_counter() - wall:.1f} s with making them)"
    )
    for stage, seconds in spent.items():
        print(f"  {stage}: {seconds:.1f} s of one core")
    print(f"of one shard of {SHARD} machines, by extractor:")
    by_extractor(SHARD, step)


if __name__ == "__main__":
    main()
