"""Recorded CSV files: how columns are understood, what is refused by line, and what ends up stored."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset.importing import Request, import_csv
from lineset.kit.errors import Invalid
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System
from lineset.telemetry import recorded, series
from lineset.telemetry.recorded import ColumnMap, FileMapping
from lineset_contract.points import POINTS

from tests.telemetry.world import Bench

EARLY, LATE = datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2026-01-01")
YESTERDAY = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)


def guessed(*heads: str) -> dict[str, tuple[str, str]]:
    return {c.head: (c.point, c.unit) for c in recorded.plan(["Time", *heads], FileMapping()).columns}


def test_heads_are_understood_as_people_write_them() -> None:
    assert guessed("Supply Air Temp (F)", "OAT", "Compressor Power kW", "return_air_temperature", "SuctionLineTemp degC", "Mode") == {
        "Supply Air Temp (F)": ("supply_air_temperature", "degF"),
        "OAT": ("outdoor_temperature", ""),
        "Compressor Power kW": ("compressor_power", "kW"),
        "return_air_temperature": ("return_air_temperature", ""),
        "SuctionLineTemp degC": ("suction_line_temperature", "degC"),
        "Mode": ("operating_mode", ""),
    }


@pytest.mark.parametrize("name", sorted(POINTS))
def test_every_catalogued_name_is_understood_as_itself(name: str) -> None:
    assert guessed(name)[name] == (name, "")


def test_an_unknown_column_is_kept_if_it_holds_numbers_and_left_out_if_it_holds_words() -> None:
    how = recorded.plan(["time", "Blower Revs", "Remark"], FileMapping(), [["2026-01-01", "850", "noisy"], ["2026-01-02", "", "quiet"]])
    assert [(c.point, c.known) for c in how.columns] == [("blower_revs", False)]
    assert how.left_out == ["Remark"]


@pytest.mark.parametrize(
    ("heads", "mapping", "code"),
    [
        (["a", "b"], FileMapping(), "no_time"),
        (["time"], FileMapping(), "no_points"),
        (["time", "OAT", "Outdoor Temp"], FileMapping(), "point_twice"),
        (["time", "x"], FileMapping(columns={"y": "cop"}), "no_such_column"),
        (["time", "x"], FileMapping(columns={"x": ColumnMap("outdoor_temperature", "kW")}), "bad_unit"),
        (["time", "x"], FileMapping(columns={"x": "Not A Name"}), "bad_name"),
    ],
)
def test_a_file_that_cannot_be_understood_says_what_to_do(heads: list[str], mapping: FileMapping, code: str) -> None:
    with pytest.raises(Invalid) as error:
        recorded.plan(heads, mapping)
    assert error.value.code == code


@given(st.datetimes(EARLY, LATE), st.sampled_from(["UTC", "America/Denver", "Europe/Madrid"]))
def test_times_are_read_as_they_were_written(moment: datetime, zone: str) -> None:
    tz = ZoneInfo(zone)
    moment = moment.replace(microsecond=0, tzinfo=tz)
    assert recorded.read_time(moment.isoformat(), tz) == moment.timestamp()
    assert recorded.read_time(str(moment.timestamp()), tz) == moment.timestamp()
    assert recorded.read_time(str(int(moment.timestamp() * 1000)), tz) == moment.timestamp()
    naive = moment.replace(tzinfo=None)
    assert recorded.read_time(naive.isoformat(" "), tz) == naive.replace(tzinfo=tz).timestamp()


def test_daylight_saving_is_the_sites_own() -> None:
    denver = ZoneInfo("America/Denver")
    before, after = recorded.read_time("2026-03-08 01:59:59", denver), recorded.read_time("2026-03-08 03:00:00", denver)
    assert after - before == 1, "there is no hour between two and three on that day"


@pytest.mark.parametrize("text", ["1970-01-01", "2099-01-01", "yesterday", "", "nan"])
def test_absurd_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        recorded.read_time(text, ZoneInfo("UTC"))


def test_bad_rows_are_named_by_their_line() -> None:
    how = recorded.plan(["time", "room_temperature"], FileMapping())
    text = f"{YESTERDAY.isoformat()},20\nrubbish,20\n\n{YESTERDAY.isoformat()},hot\n{YESTERDAY.isoformat()},\n"
    (chunk,) = recorded.rows(io.StringIO(text), how, "UTC")
    assert [b.line for b in chunk.bad] == [3, 5]
    assert len(chunk.t) == 2


def _file(folder: Path, *rows: str) -> Path:
    path = folder / "log.csv"
    path.write_text("Time,Room Temp F,Mode\n" + "".join(f"{r}\n" for r in rows))
    return path


def _row(minutes: int, *values: object) -> str:
    return ",".join([(YESTERDAY + timedelta(minutes=minutes)).isoformat(), *map(str, values)])


@pytest.mark.anyio
async def test_TEL_02_a_file_is_loaded_whole_or_not_at_all_unless_told_so(world: Bench, tmp_path: Path) -> None:
    platform = cast("Platform", SimpleNamespace(door=world.door))
    good = [_row(m, 68 + m / 10, "heating") for m in range(30)]
    path = _file(tmp_path, *good, _row(31, "hot", "heating"))
    request = Request(path, "Barn", "heat_pump_air_air", FileMapping())
    with pytest.raises(Invalid, match="line 32"):
        await import_csv(platform, request)
    dry = await import_csv(platform, _with(request, dry_run=True))
    assert (dry.rows, [b.line for b in dry.bad]) == (30, [32])
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]
    done = await import_csv(platform, _with(request, skip_bad=True))
    again = await import_csv(platform, _with(request, skip_bad=True))
    assert (done.rows, done.equipment, again.equipment) == (30, done.equipment, done.equipment)
    assert world.rows("SELECT count(*) FROM frames") == [(30,)]
    assert done.equipment is not None
    async with world.door.open(Context(System("import"), Purpose.OPERATE)) as tx:
        found = await series(tx, done.equipment, ["room_temperature"], YESTERDAY, YESTERDAY + timedelta(hours=1))
    first = found.values["room_temperature"][0]
    assert first == pytest.approx(20.0, abs=1e-4), "68 °F"


def _with(request: Request, **changes: Any) -> Request:
    fields = {name: getattr(request, name) for name in Request.__slots__}
    return Request(**(fields | changes))
