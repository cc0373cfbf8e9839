"""The columns of history's tables: named points for raw readings, one row a point and hour (or day) for sums."""

from collections.abc import Collection
from typing import Any

import polars as pl
from lineset_contract.points import POINTS

MORE = "more"
"""Column of raw readings for points that the catalogue does not know: a list of (point, value)."""
MORE_TYPE = pl.List(pl.Struct({"point": pl.String, "value": pl.Float32}))
TIME = pl.Datetime("us", "UTC")
KEYS: dict[str, Any] = {"series": pl.Int32, "t": TIME}

SUMS: dict[str, Any] = {
    "series": pl.Int32,
    "point": pl.String,
    "t": TIME,  # the start of the site's local hour or day
    "code": pl.Int16,  # of a state: one row for each state that the point had
    "low": pl.Float32,
    "high": pl.Float32,
    "mean": pl.Float32,  # of the readings
    "last": pl.Float64,
    "last_t": TIME,
    "count": pl.Int32,  # readings
    "starts": pl.Int32,  # how often the state was entered
    "seconds": pl.Float32,  # for how long there was a value; of a state: for how long it lasted
    "total": pl.Float64,  # integral over time in the point's unit times s (power, flow); increase of a counter, resets counted
}
INTEGRATED = frozenset({"W", "kg/s"})
"""Units of points whose integral over time means something: energy in J, mass in kg."""


def point_type(name: str) -> Any:
    """The type of a catalogued point's column of raw readings: real, counter or code."""
    kind = POINTS[name].kind
    return pl.Float64 if kind == "counter" else pl.Int16 if kind == "code" else pl.Float32


def raw_schema(points: Collection[str] | None = None) -> dict[str, Any]:
    """Columns of raw readings: the keys, these catalogued points (None: all), and `more` where all or an unknown one is wanted."""
    wanted = POINTS.keys() if points is None else [p for p in points if p in POINTS]
    more = points is None or any(p not in POINTS for p in points)
    return {**KEYS, **{name: point_type(name) for name in wanted}, **({MORE: MORE_TYPE} if more else {})}
