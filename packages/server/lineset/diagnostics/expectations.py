"""What is known of a machine before it was ever measured: how its channels follow the conditions, by mode.

Each channel is linear in six drivers (`DRIVERS`). Means and standard deviations stand for published catalogue and laboratory behaviour of
unitary equipment, wide enough for makes and sizes to differ: slopes of evaporating and condensing temperature near one kelvin a kelvin of
source and sink (Rossi & Braun 1997; Kim, Payne & Domanski, NIST TN 1087 and the reference models of Kim, Yoon, Payne & Domanski 2010, which
are polynomials of indoor dry bulb, dew point and outdoor dry bulb), capacity 2 % and power 0.5 % a kelvin of source (AHRI 210/240 and
EN 14511 rating points).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.samples import Floats

MODES = ("heating", "cooling", "hot_water")
REST = "rest"
DRIVERS = ("one", "source", "sink", "speed", "humidity", "source_squared")
"""1; source temperature / 10 K; sink temperature / 10 K; ln(compressor speed); relative humidity / 20 %; the square of the second.
Each is taken from `CENTRE`. At rest the first two are outdoor less room temperature / 10 K and nothing."""

CENTRE: Mapping[str, tuple[float, float]] = {"heating": (7.0, 30.0), "cooling": (25.0, 32.0), "hot_water": (10.0, 45.0), REST: (0.0, 0.0)}
"""Source and sink temperature (degC) at which the first coefficient is what the channel reads."""

SPEED_CENTRE, HUMIDITY_CENTRE = 70.0, 50.0

RELATIVE = frozenset({"power", "capacity", "cop", "air_flow", "water_flow", "current", "recovery", "carnot"})
"""Channels that are compared by the logarithm, so their deviations are shares (0.1 = 10 % more)."""

CHANNELS = (
    "superheat",
    "subcooling",
    "evaporating",
    "condensing",
    "discharge",
    "suction_line",
    "liquid_line",
    "split",
    "water_difference",
    "power",
    "capacity",
    "cop",
    "air_flow",
    "water_flow",
    "current",
    "valve",
    "outdoor_coil",
    "indoor_coil",
)
REST_CHANNELS = (
    "supply",
    "return",
    "indoor_coil",
    "outdoor_coil",
    "suction_line",
    "liquid_line",
    "condensing",
    "evaporating",
    "water_difference",
)
"""How far a sensor reads from the air around it after the machine has rested: see `features/rest.py`."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Coefficients of the drivers, mean and standard deviation (6,), and the standard deviation of one hour around them."""

    mean: Floats
    sd: Floats
    noise: float


def _prior(mean: tuple[float, ...], sd: tuple[float, ...], noise: float) -> Prior:
    return Prior(np.array(mean), np.array(sd), noise)


_HEATING: Mapping[str, Prior] = {
    "superheat": _prior((6, 0.5, 0, 0, 0, 0), (5, 2, 1, 2, 1, 0.5), 1.0),
    "subcooling": _prior((6, 0, 0.5, 0, 0, 0), (5, 1.5, 2, 2, 0.5, 0.5), 1.0),
    "evaporating": _prior((-1, 8.5, 0.3, -3, 0.5, 0), (6, 2, 1.5, 3, 1, 0.7), 0.8),
    "condensing": _prior((40, 0.7, 9, 3, 0, 0), (8, 1.5, 2, 4, 0.5, 0.5), 0.8),
    "discharge": _prior((70, -4, 11, 6, -0.5, 0), (15, 6, 6, 10, 2, 2), 2.0),
    "suction_line": _prior((5, 8.5, 0.5, -3, 0.5, 0), (8, 2.5, 2, 4, 1, 0.8), 1.0),
    "liquid_line": _prior((34, 0.5, 8.5, 2, 0, 0), (9, 2, 2.5, 4, 0.5, 0.5), 1.0),
    "split": _prior((15, 2.5, -1, 6, 0, 0), (8, 2, 2, 6, 0.5, 0.8), 0.8),
    "water_difference": _prior((5, 1, -0.5, 3, 0, 0), (3, 1, 1, 3, 0.3, 0.4), 0.4),
    "power": _prior((7.4, 0.03, 0.2, 1, 0, 0), (1.5, 0.12, 0.12, 0.5, 0.03, 0.05), 0.06),
    "capacity": _prior((8.7, 0.2, -0.06, 0.9, 0.01, 0), (1.5, 0.1, 0.08, 0.4, 0.03, 0.05), 0.06),
    "cop": _prior((1.2, 0.17, -0.25, -0.1, 0.01, 0), (0.4, 0.12, 0.12, 0.4, 0.03, 0.05), 0.07),
    "air_flow": _prior((7, 0, 0, 0.3, 0, 0), (1.5, 0.1, 0.1, 0.5, 0.02, 0.03), 0.05),
    "water_flow": _prior((-1, 0, 0, 0.2, 0, 0), (1.5, 0.15, 0.15, 0.5, 0.02, 0.03), 0.05),
    "current": _prior((2, 0.03, 0.2, 1, 0, 0), (1.5, 0.12, 0.12, 0.5, 0.03, 0.05), 0.06),
    "valve": _prior((40, 8, 0, 20, 0, 0), (25, 12, 8, 25, 2, 3), 3.0),
    "outdoor_coil": _prior((0, 8.5, 0.3, -2, 0.5, 0), (6, 2, 1.5, 3, 1, 0.7), 1.0),
    "indoor_coil": _prior((38, 0.7, 8.5, 3, 0, 0), (9, 2, 3, 5, 0.5, 0.5), 1.0),
}

_COOLING: Mapping[str, Prior] = {
    "superheat": _prior((7, 1.5, -1, 0, 0.5, 0), (5, 3, 3, 2, 1.5, 0.5), 1.0),
    "subcooling": _prior((6, 0.3, -0.3, 0, 0, 0), (5, 1.5, 2, 2, 0.5, 0.5), 1.0),
    "evaporating": _prior((9, 6, 1, -3, 1, 0), (5, 2.5, 1, 3, 1, 0.7), 0.8),
    "condensing": _prior((45, 1, 9.3, 4, 0.5, 0), (7, 1.5, 1.5, 4, 0.7, 0.5), 0.8),
    "discharge": _prior((72, -2, 11, 7, -0.5, 0), (13, 6, 6, 10, 2, 2), 2.0),
    "suction_line": _prior((15, 7, 0.5, -3, 1, 0), (6, 3, 2, 4, 1.5, 0.8), 1.0),
    "liquid_line": _prior((39, 0.7, 9.3, 3, 0.3, 0), (7, 2, 2, 4, 0.7, 0.5), 1.0),
    "split": _prior((10.5, 2, -0.8, 4, -1.2, 0), (3.5, 2, 0.8, 4, 1, 0.8), 0.8),
    "water_difference": _prior((5, 1, -0.4, 3, 0, 0), (3, 1, 0.5, 3, 0.3, 0.4), 0.4),
    "power": _prior((7.5, 0.03, 0.18, 1, 0.01, 0), (1.5, 0.12, 0.1, 0.5, 0.03, 0.05), 0.06),
    "capacity": _prior((8.9, 0.2, -0.09, 0.9, 0.03, 0), (1.5, 0.12, 0.08, 0.4, 0.05, 0.05), 0.06),
    "cop": _prior((1.3, 0.17, -0.27, -0.1, 0.02, 0), (0.4, 0.12, 0.12, 0.4, 0.05, 0.05), 0.07),
    "air_flow": _prior((7, 0, 0, 0.3, 0, 0), (1.5, 0.1, 0.1, 0.5, 0.02, 0.03), 0.05),
    "water_flow": _prior((-1, 0, 0, 0.2, 0, 0), (1.5, 0.15, 0.15, 0.5, 0.02, 0.03), 0.05),
    "current": _prior((2, 0.03, 0.18, 1, 0.01, 0), (1.5, 0.12, 0.1, 0.5, 0.03, 0.05), 0.06),
    "valve": _prior((40, 8, 0, 20, 2, 0), (25, 12, 8, 25, 5, 3), 3.0),
    "outdoor_coil": _prior((43, 1, 9.3, 4, 0.5, 0), (8, 2, 2, 4, 0.7, 0.5), 1.0),
    "indoor_coil": _prior((10, 6, 1, -3, 1, 0), (5, 2.5, 1, 3, 1, 0.7), 1.0),
}

_AT_REST = _prior((0, 0, 0, 0, 0, 0), (1.2, 1.5, 0.01, 0.01, 0.01, 0.3), 0.8)

PRIORS: Mapping[tuple[str, str], Prior] = {
    **{("heating", channel): prior for channel, prior in _HEATING.items()},
    **{("cooling", channel): prior for channel, prior in _COOLING.items()},
    **{("hot_water", channel): Prior(prior.mean, prior.sd * 1.3, prior.noise * 1.3) for channel, prior in _HEATING.items()},
    **{(REST, channel): _AT_REST for channel in REST_CHANNELS},
    ("hot_water", "recovery"): _prior((1.3, 0.1, -0.1, 0, 0, 0), (1.0, 0.2, 0.2, 0.4, 0.03, 0.05), 0.06),
}
BLOCKS: tuple[tuple[str, str], ...] = tuple(PRIORS)
"""All pairs of mode and channel that are learnt, in the order in which they lie in a memory."""


COLUMNS: tuple[tuple[str, str], ...] = (*BLOCKS, *((mode, "carnot") for mode in MODES))
"""All pairs that signatures of faults speak of: those that are learnt, and how good the circuit is by itself, which is only compared with
what its kind reaches: to a machine's own memory it says what power, capacity and temperatures say already."""


def stem(mode: str, channel: str) -> str:
    """Where a channel's sums stand among the features: `<stem>.x` and `<stem>.s`."""
    return f"{REST}.{channel}" if mode == REST else f"steady.{mode}.{channel}"
