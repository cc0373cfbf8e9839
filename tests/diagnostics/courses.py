"""Recordings written down by hand: readings of a machine over days, with noise and gaps, brought to verdicts as the platform does."""

from collections.abc import Callable, Mapping

import numpy as np
from lineset.diagnostics.cases import Cases, Detector, Status, cases_of
from lineset.diagnostics.days import fold
from lineset.diagnostics.features import features
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import DAY_S, Floats, Samples

FIRST_DAY = 20_000
Readings = Mapping[str, Floats | float]
NOISE = {
    "room_temperature": 0.1,
    "outdoor_temperature": 0.2,
    "outdoor_coil_temperature": 0.3,
    "superheat": 0.4,
    "electric_power": 4.0,
    "water_flow_rate": 0.003,
    "pump_speed": 0.3,
    "flue_gas_temperature": 0.5,
    "inlet_water_temperature": 0.2,
    "outlet_water_temperature": 0.2,
    "supply_air_temperature": 0.2,
    "return_air_temperature": 0.2,
    "tank_top_temperature": 0.1,
    "tank_bottom_temperature": 0.1,
    "anode_current": 0.02,
}
"""Standard deviation of sensors, in their units."""


def recorded(
    told: Mapping[Machine, Callable[[Floats], Readings]], days: int = 5, step: float = 60.0, gaps: bool = True, seed: int = 7
) -> Cases:
    """Cases of the last day: for each machine a function from times (s since the first midnight) to readings. With `gaps`, three in a
    hundred rows are lost, and an hour in one night."""
    rng = np.random.default_rng(seed)
    machines = list(told)
    rows, times, columns = [], [], []
    for n, machine in enumerate(machines):
        t = np.arange(0.0, days * DAY_S, step)
        values = {name: v + rng.normal(0.0, NOISE.get(name, 0.0), len(t)) for name, v in told[machine](t).items()}
        if gaps:
            kept = (rng.random(len(t)) > 0.03) & ~((t > DAY_S + 7200) & (t < DAY_S + 10_800))
            t, values = t[kept], {name: column[kept] for name, column in values.items()}
        rows.append(np.full(len(t), n))
        times.append(t + FIRST_DAY * DAY_S)
        columns.append(values)
    points = {
        name: np.concatenate([c.get(name, np.full(len(t), np.nan)) for c, t in zip(columns, times, strict=True)])
        for name in sorted({name for c in columns for name in c})
    }
    samples = Samples(machines, np.concatenate(rows), np.concatenate(times), points)
    folded = fold(machines, samples.hour_machine, samples.hour_day, features(samples))
    return cases_of(folded, [(n, FIRST_DAY + days - 1) for n in range(len(machines))])


def said(detector: Detector, cases: Cases) -> list[str]:
    """What a detector says of each case: the likeliest fault, or the status in lower case."""
    with np.errstate(all="ignore"):
        verdicts = detector.judge(cases)
    out = []
    for n, status in enumerate(verdicts.status.tolist()):
        likeliest = max(verdicts.probability, key=lambda fault: float(verdicts.probability[fault][n]))
        out.append(likeliest if status == Status.FAULT else Status(status).name.lower())
    return out


def one(detector: Detector, machine: Machine, readings: Callable[[Floats], Readings], days: int = 5, step: float = 60.0) -> str:
    """What a detector says of a single machine."""
    return said(detector, recorded({machine: readings}, days, step))[0]


def in_turn(t: Floats, period: float, share: float, offset: float = 0.0) -> Floats:
    """1 in the first `share` of each period (s), else 0."""
    return (((t + offset) % period) < share * period).astype(float)


def machine(kind: str, **fields: object) -> Machine:
    """A machine of a type."""
    return Machine(id=str(fields.pop("id", kind)), type=kind, **fields)  # type: ignore[arg-type]
