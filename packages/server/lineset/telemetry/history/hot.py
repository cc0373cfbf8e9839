"""From rows of the hot tables to columns by point.

PostgreSQL hands rows out in its binary COPY format, those of a machine put together as arrays of arrays, which are read without a step a
row; a copy of plain rows is read so too, since rows with equally long arrays lie there as one array of a structured type
(`copying.row_type`).
"""

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
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
        f"COPY (SELECT series_id, array_agg(t), {_all('reals')}, {_all('totals')} FROM {table}"  # noqa: S608 - one of two names
        f" WHERE t >= '{since.isoformat()}' AND t < '{until.isoformat()}' AND series_id % {int(modulus)} = {int(remainder)}{only}"
        " GROUP BY series_id, date_bin('1 day', t, '2000-01-01'), cardinality(reals), cardinality(totals)) TO STDOUT (FORMAT BINARY)"
    )
    # Enough that a day of a machine is gathered in memory; the transaction's other queries may have it too.
    await tx.session.execute(text("SET LOCAL work_mem = '32MB'"))
    async with raw.cursor() as cursor, cursor.copy(query) as copy:
        sent = [bytes(piece) async for piece in copy]
    blocks = list(gathered(sent))
    found = sorted({int(s) for block in blocks for s in np.unique(block.series)})
    return by_point(blocks, await slots_of(tx, found))


def _all(arrays: str) -> str:
    """Each row of a copy is a message that the client takes out one by one, and each value of a query a call of the server, so the rows
    of a machine's day come as one, which stays far below the 1 GB that a row may have: arrays of equal length as an array of two
    dimensions, which copies them whole. Empty ones cannot."""
    return f"array_agg({arrays}) FILTER (WHERE cardinality({arrays}) > 0)"


def gathered(sent: Iterable[bytes]) -> Iterable[Rows]:
    """The rows (series_id, t[], real[][], double precision[][]) of a binary COPY, a piece each (the first has the header too), with those
    of equally wide arrays together.

    Raises:
        ValueError: the bytes are not such a copy, or an array has an element that is null.
    """
    alike: dict[tuple[int, int], list[tuple[int, int, bytes, bytes, bytes]]] = {}
    for n, piece in enumerate(sent):
        at = len(copying.HEADER) if n == 0 else 0
        if n == 0 and piece[:11] != copying.HEADER[:11]:
            raise ValueError("not a binary COPY")
        if len(piece) == at or piece[at : at + 2] == copying.TRAILER:
            continue
        series = int.from_bytes(piece[at + 6 : at + 10], "big")
        count, _, t, at = _array(piece, at + 10)
        _, reals, real, at = _array(piece, at)
        _, totals, total, _ = _array(piece, at)
        alike.setdefault((reals, totals), []).append((series, count, t, real, total))
    for (reals, totals), each in alike.items():
        counts = np.array([count for _, count, *_ in each])
        rows = int(counts.sum())
        numbers = np.repeat(np.array([series for series, *_ in each], np.int32), counts)
        micros = _values([one[2] for one in each], ">i8").astype(np.int64) + _POSTGRES_EPOCH_US
        found = _values([one[3] for one in each], ">f4").astype(np.float32), _values([one[4] for one in each], ">f8").astype(np.float64)
        yield Rows(numbers, micros, found[0].reshape(rows, reals), found[1].reshape(rows, totals))


_FIELD = struct.Struct(">i")
_DIMENSION = struct.Struct(">ii")


def _array(piece: bytes, at: int) -> tuple[int, int, bytes, int]:
    """Of the array at that place how many rows it has, how wide they are (1: one dimension), its elements, and the place behind it."""
    (size,) = _FIELD.unpack_from(piece, at)
    at += 4
    if size < 0:
        return 0, 0, b"", at
    (dimensions,) = _FIELD.unpack_from(piece, at)
    sides = [_DIMENSION.unpack_from(piece, at + 12 + 8 * n)[0] for n in range(dimensions)]
    return sides[0], sides[1] if dimensions > 1 else 1, piece[at + 12 + 8 * dimensions : at + size], at + size


def _values(arrays: Sequence[bytes], form: str) -> NDArray[Any]:
    """The values of the elements of arrays, one after the other."""
    elements = b"".join(arrays)
    dtype = np.dtype([("len", ">i4"), ("value", form)])
    if len(elements) % dtype.itemsize:
        raise ValueError("an element of an unknown form")
    found = np.frombuffer(elements, dtype)
    if len(found) and not (found["len"] == dtype.itemsize - 4).all():
        raise ValueError("an element of an unknown form")
    return found["value"]


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
