"""Saturation temperatures of refrigerants at a pressure: dew and bubble lines, tabulated with CoolProp to better than 0.05 K."""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class _Tables(NamedTuple):
    numbers: tuple[str, ...]
    low: Floats
    high: Floats
    degc: NDArray[np.float32]


@cache
def _tables() -> _Tables:
    with files(__package__).joinpath("refrigerants.npz").open("rb") as file, np.load(file) as data:
        return _Tables(tuple(data["numbers"].tolist()), data["low"], data["high"], data["degc"])


def refrigerants() -> tuple[str, ...]:
    """The refrigerants that have tables, by number in upper case: R410A, R1234YF …"""
    return _tables().numbers


@lru_cache(maxsize=1000)
def index_of(name: str) -> int:
    """Which table a refrigerant's name means ("R-410A", "r410a", "R 410 A"), or -1 where there is none."""
    plain = "".join(c for c in name.upper() if c.isalnum())
    plain = plain if plain.startswith("R") else "R" + plain
    return _tables().numbers.index(plain) if plain in _tables().numbers else -1


def saturation_temperature(refrigerant: Ints, pressure_kpa: Floats, line: Literal["dew", "bubble"]) -> Floats:
    """The temperature (degC) at which the refrigerant begins to condense (dew) or to boil (bubble) at an absolute pressure (kPa).

    `refrigerant`: indices by `index_of`, of the shape of `pressure_kpa`. NaN without a table, or where the pressure lies outside it
    (-60 degC to 97 % of the critical temperature). Linear in the logarithm of pressure between 512 tabulated values of CoolProp.
    """
    tables, side = _tables(), 0 if line == "dew" else 1
    known = np.maximum(refrigerant, 0)
    low, high = tables.low[known, side], tables.high[known, side]
    last = tables.degc.shape[2] - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (np.log(pressure_kpa * 1000.0) - low) / (high - low) * last
    inside = (place >= 0.0) & (place <= last) & (refrigerant >= 0)
    place = np.where(inside, place, 0.0)
    cell = np.minimum(place.astype(np.int64), last - 1)
    below, above = tables.degc[known, side, cell], tables.degc[known, side, cell + 1]
    return np.where(inside, below + (place - cell) * (above - below), np.nan)
