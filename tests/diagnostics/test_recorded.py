"""Recorded files diagnosed through the command line: what is read, what is refused, and what is printed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from lineset.cli import app
from lineset.diagnostics import course, recorded
from lineset.diagnostics.cases import Cases, Detector, Verdicts, status_of
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import Samples
from lineset.kit.errors import Invalid
from lineset.telemetry.recorded import FileMapping
from typer.testing import CliRunner

START = 1_760_000_400.0  # 2025-10-09 09:00 UTC
HOT = 40.0


def _hot(cases: Cases) -> Verdicts:
    mean = cases.mean("test.room.x", "test.room.s", last=2)
    fault = mean > HOT - 10
    share = np.where(fault, 0.9, 0.0)
    return Verdicts(status_of(~np.isnan(mean), fault), {"sensor_biased": share}, {"sensor_biased": share}, {"sensor_biased": share * 0})


DETECTOR = Detector("hot", ("sensor_biased",), frozenset({"heat_pump"}), (("room_temperature",),), {}, "a test", (), _hot)


def _room(samples: Samples) -> dict[str, Any]:
    room = samples.point("room_temperature")
    known = ~np.isnan(room)
    return {"test.room.x": samples.total(room * samples.dt), "test.room.s": samples.seconds(known)}


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The room's temperature as a feature of its own, so that the test hangs on no other."""
    monkeypatch.setattr(course, "features", _room)


def recording(folder: Path, days: int = 6) -> tuple[Path, Path]:
    """Two machines of one home, one with a room sensor that reads far too much from the third day on, which falls silent a day early; a
    machine of another home; and one that nobody listed."""
    t = START + np.arange(0, days * 86_400, 600.0)
    wrong = np.where(t > START + 2 * 86_400, HOT, 21.0)
    ill = t < START + (days - 1) * 86_400
    frames = [
        pl.DataFrame({"machine": "a", "t": t[ill], "room_temperature": wrong[ill], "unheard_of": 1.0}),
        pl.DataFrame({"machine": "b", "t": t, "room_temperature": np.full(len(t), 21.0), "unheard_of": 1.0}),
        pl.DataFrame({"machine": "c", "t": t, "room_temperature": np.full(len(t), 20.0), "unheard_of": 1.0}),
        pl.DataFrame({"machine": "stranger", "t": t, "room_temperature": np.full(len(t), HOT), "unheard_of": 1.0}),
    ]
    file, machines = folder / "fleet.parquet", folder / "machines.json"
    pl.concat(frames).sample(fraction=1.0, shuffle=True, seed=1).write_parquet(file)
    listed = [
        {"id": i, "type": "heat_pump_air_air", "site": s, "time_zone": "Europe/Madrid"} for i, s in (("a", "x"), ("b", "x"), ("c", "y"))
    ]
    machines.write_text(json.dumps(listed))
    return file, machines


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize("at_once", [1, 10_000_000])
def test_DIA_02_a_recorded_fleet_is_diagnosed_whatever_its_order_and_however_it_is_shared_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(recorded, "ROWS_AT_ONCE", at_once)
    file, machines = recording(tmp_path)
    seen: list[float] = []
    told = list(recorded.diagnose_parquet(file, recorded.read_machines(machines), (DETECTOR,), lambda done, _: seen.append(done)))
    assert [(s.machine.id, s.found.what.fault, s.found.closed) for s in told] == [("a", "sensor_biased", None)]
    opened = told[0].found.opened
    assert START + 2 * 86_400 < opened < START + 4 * 86_400
    line = recorded.line(told[0].machine.site, told[0].machine.id, told[0].found)
    assert list(line) == ["site", "equipment", "fault", "opened", "closed", "confidence", "candidates"]
    assert (line["site"], line["equipment"], line["closed"]) == ("x", "a", None)
    assert line["candidates"] == [{"fault": "sensor_biased", "probability": 0.9}]
    assert seen[-1] == 1.0


@pytest.mark.usefixtures("rooms")
def test_a_csv_file_is_diagnosed_as_it_lies_there(tmp_path: Path) -> None:
    file = tmp_path / "room.csv"
    t = START + np.arange(0, 4 * 86_400, 900.0)
    rows = [f"{int(x)},{104.0 if x > START + 86_400 else 70.0}" for x in t]
    file.write_text("\n".join(["time,Room Temp F", *rows[::-1], "tomorrow,oops"]))
    told = recorded.diagnose_csv(file, Machine("m", "heat_pump_air_air"), FileMapping(), (DETECTOR,))
    assert [s.found.what.fault for s in told] == ["sensor_biased"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('[{"id": "a", "type": "toaster"}]', "unknown_type"),
        ('[{"id": "a", "type": "furnace"}, {"id": "a", "type": "furnace"}]', "machine_twice"),
        ("{", "bad_machines"),
    ],
)
def test_a_list_of_machines_that_cannot_be_used_says_why(tmp_path: Path, content: str, code: str) -> None:
    file = tmp_path / "machines.json"
    file.write_text(content.replace('"furnace"', '"furnace_gas"') if code == "machine_twice" else content)
    with pytest.raises(Invalid) as error:
        recorded.read_machines(file)
    assert error.value.code == code


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"machine": ["a"], "room_temperature": [20.0]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(Invalid, match="no column t"):
        list(recorded.diagnose_parquet(tmp_path / "x.parquet", []))
    (tmp_path / "y.parquet").write_text("no parquet")
    with pytest.raises(Invalid, match="can't be read"):
        list(recorded.diagnose_parquet(tmp_path / "y.parquet", []))


def _coils(folder: Path, over: list[float], minutes: int = 10) -> tuple[Path, Path]:
    """Heat pumps of as many homes that heat for three days at the rating point, each with its indoor coil so much over the room."""
    t = START + np.arange(0, 3 * 86_400, minutes * 60.0)
    moves = np.random.default_rng(1).normal(0.0, 0.2, (4, len(t)))  # a sensor that never moves is stuck
    fixed = {"operating_mode": 1.0, "compressor_state": 1.0, "compressor_speed": 100.0}
    read = {"outdoor_temperature": 7.0, "return_air_temperature": 20.0, "supply_air_temperature": 36.0, "indoor_coil_temperature": 20.0}
    moving = {name: value + moves[n] for n, (name, value) in enumerate(read.items())}
    frames = [
        pl.DataFrame({"machine": f"m{n}", "t": t} | fixed | moving | {"indoor_coil_temperature": moving["indoor_coil_temperature"] + each})
        for n, each in enumerate(over)
    ]
    file, machines = folder / "school.parquet", folder / "school.json"
    pl.concat(frames).write_parquet(file)
    machines.write_text(
        json.dumps([{"id": f"m{n}", "site": f"s{n}", "type": "heat_pump_air_air", "make": "Arbelo"} for n in range(len(over))])
    )
    return file, machines


def test_DIA_07_a_recorded_fleet_teaches_how_its_makes_differ_and_diagnosis_takes_it(tmp_path: Path) -> None:
    run = CliRunner(env={"NO_COLOR": "1", "COLUMNS": "100"}).invoke
    file, machines = _coils(tmp_path, [23.0 + 0.2 * n for n in range(11)])
    learnt = run(app, ["learn", str(file), str(machines)])
    assert learnt.exit_code == 0, learnt.output
    (tmp_path / "norms.json").write_text(learnt.stdout)
    known = recorded.read_norms(tmp_path / "norms.json")
    assert set(known) == {("heat_pump_air_air", "", ""), ("heat_pump_air_air", "Arbelo", "")}
    mean, spread = known["heat_pump_air_air", "Arbelo", ""]["heating.condensing"]
    assert mean == pytest.approx(4.0, abs=0.3)  # the kind's coil is 20 K over the room
    assert spread < 1.0

    few, few_machines = _coils(tmp_path, [23.0 + 0.2 * n for n in range(10)])
    assert json.loads(run(app, ["learn", str(few), str(few_machines)]).stdout) == [], "eleven homes at least"

    ill, one = _coils(tmp_path, [32.0])
    asked = ["diagnose", "--parquet", str(ill), "--machines", str(one), "--json"]
    alone, beside = run(app, asked), run(app, [*asked, "--norms", str(tmp_path / "norms.json")])
    assert (alone.exit_code, beside.exit_code) == (0, 0)
    assert alone.stdout == "", "as far as makes differ"
    assert "overcharge" in beside.stdout, "not this make"


@pytest.mark.parametrize("content", ["{", '[{"type": "chiller"}]', '[{"type": "chiller", "make": "", "model": "", "norms": {"a": [1]}}]'])
def test_norms_that_cannot_be_used_say_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "norms.json").write_text(content)
    with pytest.raises(Invalid, match="lineset learn"):
        recorded.read_norms(tmp_path / "norms.json")
