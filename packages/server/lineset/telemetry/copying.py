"""PostgreSQL's binary COPY format, written by arrays instead of row by row.

A block of rows with equally long arrays is one NumPy array of a structured type whose bytes are the wire format itself
(PostgreSQL documentation, "COPY", section "Binary Format").
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970
_REAL = 700
_DOUBLE = 701


@functools.lru_cache(maxsize=4096)
def row_type(widths: tuple[tuple[int, int], ...]) -> tuple[np.dtype[Any], NDArray[Any]]:
    """Structured type of a row (series_id int4, t timestamptz, arrays...) and one row with everything constant filled in.

    `widths` has (element type's OID, length) for each array.
    """
    fields: list[Any] = [("fields", ">i2"), ("series_len", ">i4"), ("series", ">i4"), ("t_len", ">i4"), ("t", ">i8")]
    for n, (oid, length) in enumerate(widths):
        element = np.dtype([("len", ">i4"), ("value", ">f4" if oid == _REAL else ">f8")])
        fields += [(f"head{n}", ">i4", (6,) if length else (4,))]
        if length:
            fields += [(f"array{n}", element, (length,))]
    dtype = np.dtype(fields)
    row = np.zeros(1, dtype)
    row["fields"], row["series_len"], row["t_len"] = 2 + len(widths), 4, 8
    for n, (oid, length) in enumerate(widths):
        size = 4 if oid == _REAL else 8
        if length:
            # byte length of the whole array; dimensions; has nulls; element type; length; lower bound
            row[f"head{n}"] = [20 + length * (4 + size), 1, 0, oid, length, 1]
            row[f"array{n}"]["len"] = size
        else:
            row[f"head{n}"] = [12, 0, 0, oid]
    return dtype, row


def rows(
    series: NDArray[np.int64], t: NDArray[np.float64], reals: Sequence[NDArray[np.float64]], doubles: Sequence[NDArray[np.float64]] = ()
) -> bytes:
    """Rows (series_id, t, real[]..., double precision[]...) in the binary format, without header and trailer.

    `series` and `t` (seconds since 1970) have shape (n,); each array shape (n, width).
    """
    arrays = [(_REAL, a) for a in reals] + [(_DOUBLE, a) for a in doubles]
    dtype, row = row_type(tuple((oid, int(a.shape[1])) for oid, a in arrays))
    block = np.repeat(row, len(series)).astype(dtype, copy=False)
    block["series"] = series
    block["t"] = microseconds(t) - _POSTGRES_EPOCH_US
    for n, (_, array) in enumerate(arrays):
        if array.shape[1]:
            block[f"array{n}"]["value"] = array
    return block.tobytes()


def microseconds(t: NDArray[np.float64]) -> NDArray[np.int64]:
    """Seconds since 1970 as whole microseconds, the resolution of the database."""
    return np.rint(t * 1e6).astype(np.int64)
