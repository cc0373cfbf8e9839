"""Chance that needs no history: the same seed, name and index give the same draw at any time and in any process.

A running generator would have to be replayed to reach "now", so recorded history and the live home would part ways.
Here every draw is a hash of where it stands (splitmix64, Steele, Lea and Flood 2014).
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def key(seed: int, *names: str | int) -> int:
    """A 64-bit key for a seed and a path of names: `key(7, "home 3", "hp1", "noise")`."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _mix(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        x = keys + _GOLDEN
        x = (x ^ (x >> _S30)) * _MIX_A
        x = (x ^ (x >> _S27)) * _MIX_B
        return x ^ (x >> _S31)


def uniform(seed_key: int | NDArray[np.uint64], index: Ints) -> Floats:
    """Uniform draws in (0, 1), one for each index (any integers); keys and indices broadcast."""
    keys = _mix(np.asarray(seed_key, dtype=np.uint64))
    mixed = _mix(keys ^ _mix(np.asarray(index).astype(np.uint64)))
    return (np.asarray(mixed >> _S11, dtype=np.float64) + 0.5) * (1.0 / 9007199254740992.0)


def normal(seed_key: int | NDArray[np.uint64], index: Ints) -> Floats:
    """Standard normal draws, one for each index, by the polar form of Box and Muller (1958)."""
    keys = np.asarray(seed_key, dtype=np.uint64)
    radius = np.sqrt(-2.0 * np.log(uniform(keys, index)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(keys ^ _MIX_B, index)))


def red_noise(seed_key: int, times: Floats, knot_s: float, memory_s: float) -> Floats:
    """A first-order autoregressive process of unit variance, read at any times (s) without running it from its start.

    On knots `knot_s` apart it is the moving-average form x_n = sqrt(1 - f^2) sum_k f^k e_(n-k), cut where f^k < 1e-3;
    between knots a Catmull-Rom curve joins them. `memory_s` is the time over which the correlation falls to 1/e.
    """
    position = times / knot_s
    floor = np.floor(position).astype(np.int64)
    first, last = int(floor.min()) - 1, int(floor.max()) + 2
    keep = float(np.exp(-knot_s / memory_s))
    depth = int(np.ceil(np.log(1e-3) / np.log(keep)))
    weights = keep ** np.arange(depth) * np.sqrt(1.0 - keep**2)
    shocks = normal(seed_key, np.arange(first - depth + 1, last + 1, dtype=np.int64))
    knots = np.convolve(shocks, weights, mode="valid")
    u = position - floor
    i = floor - first
    a, b, c, d = knots[i - 1], knots[i], knots[i + 1], knots[i + 2]
    return np.asarray(b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a))))
