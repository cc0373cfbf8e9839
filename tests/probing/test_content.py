"""Files of every format, decoded."""

import gzip
import io
import lzma
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest
from lineset.kit.storage import Storage
from lineset.probing.canary import Search, canary
from lineset.probing.content import Unsearchable, scan_file
from lineset.telemetry.history.delta import vacuum
from lineset.telemetry.history.lake import Lake

TEXT, NUMBER = "Rumpelstilz", "31.41593"


def found(path: Path) -> dict[int, str]:
    """0: the text, 1: the number."""
    result: dict[int, str] = {}
    for step in scan_file(path, Search([canary(TEXT), canary(NUMBER)])):
        if isinstance(step, dict):
            result |= step
    return result


def frame(canaries: int, rows: int = 200_000) -> pl.DataFrame:
    """Readings, of which the last `canaries` are what is searched for."""
    plain = rows - canaries
    return pl.DataFrame(
        {
            "value": pl.Series([20.0 + n % 7 for n in range(plain)] + [float(NUMBER)] * canaries, dtype=pl.Float32),
            "name": [f"machine {n}" for n in range(plain)] + [f"the {TEXT}"] * canaries,
        }
    )


def test_a_value_in_compressed_parquet_is_found_where_bytes_hide_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame(1).write_parquet(path, compression="zstd", statistics=False)
    raw = path.read_bytes()
    assert TEXT.encode() not in raw
    assert found(path) == {0: "rows 196608 to 200000", 1: "rows 196608 to 200000"}
    frame(0).write_parquet(path, compression="zstd", statistics=False)
    assert found(path) == {}


def test_archives_are_opened_also_within_each_other(tmp_path: Path) -> None:
    table = io.BytesIO()
    frame(1, 1000).write_parquet(table)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tables/readings.parquet", table.getvalue())
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", f"of {TEXT} " + "lorem ipsum " * 500)
        archive.writestr("readings.csv", "t,v\n1,2\n" * 900 + f"2,{NUMBER}\n")
        archive.writestr("more.zip", inner.getvalue())
    assert NUMBER.encode() not in path.read_bytes()
    assert {n: place.split(",")[0] for n, place in found(path).items()} == {0: "readme.txt", 1: "readings.csv"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("more.zip", inner.getvalue())
    assert found(path) == dict.fromkeys((0, 1), "more.zip, tables/readings.parquet, rows 0 to 1000")


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_compressed_logs_are_read(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "ingest.log.1"
    path.write_bytes(pack(("nothing\n" * 5000 + f'{{"v": {NUMBER}}}').encode()))  # type: ignore[operator]
    assert set(found(path)) == {1}


def test_a_database_of_an_agent_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "buffer.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE frames (v REAL)")
        db.executemany("INSERT INTO frames VALUES (?)", [(float(n),) for n in range(5000)] + [(float(NUMBER),)])
    db.close()
    assert set(found(path)) == {1}


@pytest.mark.parametrize("content", [b"PAR1 and then nothing", b"PK\x03\x04 broken", b"\x1f\x8bbroken", b"\x28\xb5\x2f\xfd" + bytes(20)])
def test_what_cannot_be_decoded_is_said_and_not_passed_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Unsearchable):
        found(path)


def test_the_log_of_history_and_its_checkpoints_are_read(tmp_path: Path) -> None:
    """A table as another program writes it: with statistics, that is, with the lowest and highest values of what was deleted."""
    from deltalake import DeltaTable, write_deltalake  # noqa: PLC0415 - slow to load

    table = tmp_path / "raw"
    write_deltalake(table, frame(1, 1000))
    write_deltalake(table, frame(0, 1000), mode="overwrite")
    entries = sorted((table / "_delta_log").glob("*.json"))
    assert set(found(entries[0])) == {0, 1}
    DeltaTable(table).create_checkpoint()
    files = [p for p in table.rglob("*") if p.is_file()]
    where = {p.relative_to(table).parts[0]: set(found(p)) for p in files if found(p)}
    assert where.pop("_delta_log") == {0, 1}
    assert list(where.values()) == [{0, 1}]  # the file that the table does not name any more


def test_history_that_no_log_names_is_found_until_it_is_vacuumed(tmp_path: Path) -> None:
    from datetime import UTC, date, datetime  # noqa: PLC0415 - only here

    folder = tmp_path / "history"
    lake = Lake(Storage(f"file://{folder}"))
    rows = pl.DataFrame({"series": [7], "t": [datetime(2026, 1, 2, tzinfo=UTC)], "supply_air_temperature": [float(NUMBER)]}).cast(
        {"series": pl.Int32, "supply_air_temperature": pl.Float32}
    )
    part = lake.write("raw", rows, period=date(2026, 1, 2), keep_days=800, modulus=1, remainder=0)
    assert set(found(folder / part.path)) == {1}
    assert vacuum(lake.storage, "raw") != []
    assert [p for p in folder.rglob("*") if p.is_file() and found(p)] == []
