"""Forms of a canary, and the search for them in streams and columns."""

import json
import struct
from datetime import UTC, datetime
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.kit.errors import Invalid
from lineset.probing.canary import Search, canary

NUMBER = "31.41593"
ID = "0190c3a4-1c2d-7e3f-8a4b-5c6d7e8f9a0b"


def has(text: str, data: bytes, *, short: bool = False) -> bool:
    return Search([canary(text)]).in_bytes(data, short=short) == {0}


@pytest.mark.parametrize(
    "data",
    [
        "x Frühling-7 y".encode(),
        json.dumps({"name": "Frühling-7"}).encode(),
        b"q=Fr%C3%BChling-7&",
        "Frühling-7".encode("utf-16-le"),
        b"\\x" + "Frühling-7".encode().hex().encode(),
        "frühling-7".encode(),
    ],
)
def test_a_text_is_found_as_formats_write_it(data: bytes) -> None:
    assert has("Frühling-7", data)


def test_an_id_is_found_as_sixteen_bytes_and_without_hyphens() -> None:
    assert has(ID, b"\0\0" + UUID(ID).bytes)
    assert has(ID.upper(), UUID(ID).hex.encode())
    assert not has(ID, UUID(int=7).bytes)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_number_is_found_as_floats_of_both_sizes_and_orders(order: str) -> None:
    single = struct.pack(f"{order}f", float(NUMBER))
    assert has(NUMBER, b"ab" + struct.pack(f"{order}d", float(NUMBER)))
    assert has(NUMBER, struct.pack(f"{order}d", struct.unpack(f"{order}f", single)[0]))  # a float4 kept in eight bytes
    assert has(NUMBER, b"abc" + single, short=True)
    assert not has(NUMBER, b"abc" + single)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ('{"v":31.41593}', True),
        ("t,31.415930\n", True),
        ('{"v":31.415929794311523}', True),  # the float4 written as a double
        ("t,131.41593\n", False),
        ("t,31.415931\n", False),
        ("1.31.41593", False),
    ],
)
def test_a_number_in_digits_is_a_number_and_not_a_part_of_one(text: str, *, there: bool) -> None:
    assert has(NUMBER, text.encode()) is there
    assert (Search([canary(NUMBER)]).in_frame(pl.DataFrame({"s": [None, text]})) == {0}) is there


def test_a_time_is_found_as_seconds_and_as_postgresql_keeps_it() -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    text = f"{at.timestamp():.1f}"
    assert has(text, struct.pack(">q", int((at.timestamp() - 946684800) * 1e6)))
    assert Search([canary(text)]).in_frame(pl.DataFrame({"t": [at]})) == {0}


@settings(max_examples=200, deadline=None)
@given(before=st.binary(max_size=300), after=st.binary(max_size=300), cut=st.integers(1, 700), form=st.sampled_from([0, 1, 2]))
def test_no_cut_of_a_stream_hides_a_canary(before: bytes, after: bytes, cut: int, form: int) -> None:
    planted = (b"Rumpelstilz", b'"31.41593"', struct.pack("<d", float(NUMBER)))[form]
    scan = Search([canary("Rumpelstilz"), canary(NUMBER)]).scan()
    whole = before + planted + after
    for start in range(0, len(whole), cut):
        scan.feed(whole[start : start + cut])
    assert scan.close() >= {0 if form == 0 else 1}
    assert all(whole[at:].startswith(planted.strip(b'"')) for n, at in scan.found.items() if n == (form > 0) and planted not in before)


@pytest.mark.parametrize("text", ["", "abc", "x" * 201, "21", "21.5", "1e300", "0.0"])
def test_what_would_prove_nothing_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        canary(text)


def test_columns_of_every_kind_are_compared_as_values() -> None:
    single = struct.unpack("<f", struct.pack("<f", float(NUMBER)))[0]
    columns = {
        "real": pl.Series([1.0, float(NUMBER)], dtype=pl.Float32),
        "double": pl.Series([1.0, float(NUMBER)], dtype=pl.Float64),
        "widened": pl.Series([None, single], dtype=pl.Float64),
        "list": pl.Series([[], [1.0, float(NUMBER)]], dtype=pl.List(pl.Float32)),
        "pairs": pl.Series(
            [[{"point": "a", "value": 2.0}], [{"point": "b", "value": float(NUMBER)}]],
            dtype=pl.List(pl.Struct({"point": pl.String, "value": pl.Float32})),
        ),
        "binary": pl.Series([b"", struct.pack("<f", float(NUMBER))]),
        "category": pl.Series(["a", NUMBER], dtype=pl.Categorical),
    }
    search = Search([canary("Rumpelstilz"), canary(NUMBER)])
    for name, column in columns.items():
        assert search.in_frame(pl.DataFrame({name: column})) == {1}, name
        assert search.in_frame(pl.DataFrame({name: column.head(1)})) == set(), name
    assert search.in_frame(pl.DataFrame({"point": [["Herr Rumpelstilz"]]})) == {0}
    big = Search([canary("1812345678")])
    assert big.in_frame(pl.DataFrame({"n": pl.Series([1812345678], dtype=pl.Int64)})) == {0}
