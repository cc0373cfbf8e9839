"""From rows of the hot tables to columns by point.

PostgreSQL hands rows out in its binary COPY format; rows with equally long arrays lie there as one array of a structured type
(`copying.row_type`), so they are read without a step a row.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
import polars as pl
from lineset_contract.points import POINTS
from numpy.typing import NDArray
from psycopg import AsyncConnection
from sqlalchemy import text

from lineset.privacy import Tx
from lineset.telemetry import copying
from lineset.telemetry.history.columns import KEYS, MORE, MORE_TYPE, TIME, point_type
from lineset.telemetry.layout import Kind

Slots = Mapping[str, tuple[Kind, int]]
_POSTGRES_EPOCH_US = 946_684_800_000_000
_FLOAT4, _FLOAT8 = 700, 701


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of equally long arrays: `series` and `micros` (microseconds since 1970) of shape (n,), `reals` (n, r), `totals` (n, c)."""

    series: NDArray[np.int32]
    micros: NDArray[np.int64]
    reals: NDArray[np.float32]
    totals: NDArray[np.float64]


async def read_hot(
    tx: Tx, table: str, since: datetime, until: datetime, modulus: int = 1, remainder: int = 0, series: Collection[int] | None = None
) -> pl.DataFrame:
    """Rows of `frames` or `late_frames` from `since` until before `until` as columns by point, sorted by series and time.

    Only series with `series_id % modulus = remainder`, and of those only `series` where given. For actors that the tables name.
    """
    if table not in ("frames", "late_frames"):
        raise ValueError(table)
    raw = cast("AsyncConnection", (await (await tx.session.connection()).get_raw_connection()).driver_connection)
    only = "" if series is None else f" AND series_id = ANY('{{{','.join(str(int(s)) for s in series)}}}')"
    query = (
        f"COPY (SELECT string_agg({_AS_COPIED}, ''::bytea ORDER BY t) FROM (SELECT series_id, t, array_send(reals) AS reals,"  # noqa: S608
        f" array_send(coalesce(totals, '{{}}')) AS totals FROM {table}"  # one of two names
        f" WHERE t >= '{since.isoformat()}' AND t < '{until.isoformat()}' AND series_id % {int(modulus)} = {int(remainder)}{only}) AS sent"
        " GROUP BY series_id, date_trunc('hour', t) ORDER BY series_id, min(t)) TO STDOUT (FORMAT BINARY)"
    )
    buffer = bytearray()
    async with raw.cursor() as cursor, cursor.copy(query) as copy:
        async for piece in copy:
            buffer += piece
    buffer = _unpacked(buffer)
    blocks = list(parse(memoryview(buffer)))
    found = sorted({int(s) for block in blocks for s in np.unique(block.series)})
    return by_point(blocks, await slots_of(tx, found))


_AS_COPIED = (
    "'\\x000400000004'::bytea || int4send(series_id) || '\\x00000008'::bytea || timestamptz_send(t)"
    " || int4send(octet_length(reals)) || reals || int4send(octet_length(totals)) || totals"
)
"""A row (series_id, t, reals, totals) as COPY writes it. Each row of a copy is a message that the client takes out one by one, which took
longer than all else; so the server puts those of a series and hour together."""


def _unpacked(copied: bytearray) -> bytearray:
    """The copy whose rows are the values of the one field of this one."""
    at, whole = len(copying.HEADER), bytearray(copying.HEADER)
    while copied[at : at + 2] != copying.TRAILER:
        size = int.from_bytes(copied[at + 2 : at + 6], "big")
        whole += memoryview(copied)[at + 6 : at + 6 + size]
        at += 6 + size
    return whole + copying.TRAILER


async def slots_of(tx: Tx, series: list[int]) -> dict[int, Slots]:
    """Where the points of each of these series stand in its rows' arrays."""
    rows = await tx.session.execute(
        text(
            "SELECT n.series_id, s.point, s.kind, s.slot FROM tenures n JOIN slots s USING (equipment_id)"
            " WHERE n.series_id = ANY(:series) ORDER BY n.series_id, s.point"
        ),
        {"series": series},
    )
    found: dict[int, dict[str, tuple[Kind, int]]] = {}
    for id_, point, kind, slot in rows:
        found.setdefault(id_, {})[point] = (cast("Kind", kind), slot)
    return cast("dict[int, Slots]", found)


def parse(data: memoryview) -> Iterable[Rows]:
    """The rows (series_id, t, real[], double precision[]) of a binary COPY, in runs of equally long arrays.

    Raises:
        ValueError: the bytes are not such a copy.
    """
    if bytes(data[:11]) != copying.HEADER[:11]:
        raise ValueError("not a binary COPY")
    at = len(copying.HEADER) + int.from_bytes(data[15:19], "big")
    while bytes(data[at : at + 2]) != copying.TRAILER:
        reals, totals = _widths(data, at)
        dtype, model = copying.row_type(((_FLOAT4, reals), (_FLOAT8, totals)))
        ahead = 256
        while True:
            n = min(ahead, (len(data) - 2 - at) // dtype.itemsize)
            block = np.frombuffer(data, dtype, n, at)
            same = _alike(block, model)
            if same < n or n < ahead:
                break
            ahead *= 4
        if not same:
            raise ValueError("a row of an unknown form")
        block = block[:same]
        yield Rows(
            block["series"].astype(np.int32),
            block["t"].astype(np.int64) + _POSTGRES_EPOCH_US,
            block["array0"]["value"].astype(np.float32) if reals else np.empty((same, 0), np.float32),
            block["array1"]["value"].astype(np.float64) if totals else np.empty((same, 0), np.float64),
        )
        at += same * dtype.itemsize


def _widths(data: memoryview, at: int) -> tuple[int, int]:
    """Lengths of the two arrays of the row at that place."""

    def number(place: int) -> int:
        return int.from_bytes(data[place : place + 4], "big", signed=True)

    first = at + 2 + 8 + 12
    reals = 0 if number(first + 4) == 0 else number(first + 16)
    second = first + 4 + number(first)
    return reals, 0 if number(second + 4) == 0 else number(second + 16)


def _alike(block: NDArray[Any], model: NDArray[Any]) -> int:
    """How many rows from the first on have the model's form."""
    same = block["fields"] == model["fields"][0]
    for name in ("head0", "head1"):
        same &= (block[name] == model[name][0]).all(axis=1)
    other = np.flatnonzero(~same)
    return int(other[0]) if len(other) else len(block)


def by_point(blocks: Iterable[Rows], slots: Mapping[int, Slots]) -> pl.DataFrame:
    """Rows as columns by point, sorted by series and time; null where nothing was measured. Series without slots have no columns."""
    frames = []
    for block in blocks:
        groups: dict[tuple[tuple[str, tuple[Kind, int]], ...], list[int]] = {}
        for series in np.unique(block.series).tolist():
            groups.setdefault(tuple(sorted(slots.get(series, {}).items())), []).append(series)
        for layout, members in groups.items():
            chosen = slice(None) if len(groups) == 1 else np.isin(block.series, members)
            frames.append(_frame(block, chosen, dict(layout)))
    if not frames:
        return pl.DataFrame(schema=KEYS)
    return pl.concat(frames, how="diagonal").sort("series", "t")


def _frame(block: Rows, chosen: Any, slots: Slots) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {
        "series": pl.Series("series", block.series[chosen], pl.Int32),
        "t": pl.Series("t", block.micros[chosen], pl.Int64).cast(TIME),
    }
    unknown: dict[str, pl.Series] = {}
    for point, (kind, slot) in slots.items():
        source = block.totals if kind == "counter" else block.reals
        if slot >= source.shape[1]:
            continue
        values = pl.Series(point, np.ascontiguousarray(source[chosen, slot])).fill_nan(None)
        if values.null_count() == len(values):
            continue
        if point in POINTS:
            columns[point] = values.cast(point_type(point))
        else:
            unknown[point] = values.cast(pl.Float32)
    frame = pl.DataFrame(columns)
    return frame if not unknown else frame.with_columns(_more(unknown))


def _more(unknown: Mapping[str, pl.Series]) -> pl.Series:
    """The list of (point, value) of each row, unmeasured ones left out."""
    pairs = pl.DataFrame(dict(unknown)).select(
        pl.concat_list(
            pl.when(pl.col(name).is_not_null()).then(pl.struct(pl.lit(name).alias("point"), pl.col(name).alias("value")))
            for name in unknown
        )
        .list.drop_nulls()
        .alias(MORE)
    )[MORE]
    return pairs.cast(MORE_TYPE)
