"""`lineset verify-erasure` as a process: what it says, what its record holds, and its exit codes."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from lineset.kit.ids import new_id

from tests.support.engines import Engines

NAME, NUMBER = "Rumpelstilz", "31.41593"


@pytest.fixture
def planted(installation: Engines, owner: psycopg.Connection) -> Iterator[Path]:
    """A row with both, and a file with the text where nobody would look; the file."""
    owner.execute("CREATE TABLE planted AS SELECT %s AS name, ARRAY[%s]::real[] AS reals", [NAME, float(NUMBER)])
    unexpected = installation.data / "attic" / "notes.bak"
    unexpected.parent.mkdir()
    unexpected.write_text(f"seen by {NAME}")
    yield unexpected
    owner.execute("DROP TABLE IF EXISTS planted")
    unexpected.unlink(missing_ok=True)
    unexpected.parent.rmdir()


def lineset(installation: Engines, *words: str) -> tuple[int, str]:
    env = os.environ | {"LINESET_DATA": str(installation.data), "COLUMNS": "300"}
    command = [sys.executable, "-m", "lineset", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def run(installation: Engines, *words: str) -> tuple[int, str]:
    return lineset(installation, "verify-erasure", *words)


def erase(owner: psycopg.Connection) -> None:
    owner.execute("DROP TABLE planted")
    for _ in range(2):
        owner.execute("SELECT pg_logical_emit_message(false, 'test', repeat('.', 16777216))")
        owner.execute("CHECKPOINT")


def test_DEL_02_the_search_fails_while_something_is_left_and_names_the_place(
    installation: Engines, owner: psycopg.Connection, planted: Path, tmp_path: Path
) -> None:
    record = tmp_path / "record.json"
    code, said = run(installation, "--record", str(record), "--canary", NAME, NUMBER, "--expect", "hot")
    assert code == 0, said
    assert "hot: table public.planted" in said
    assert "rest: attic/notes.bak (byte 8)" in said

    kept = record.read_text()
    assert NAME not in kept
    assert NUMBER not in kept
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert [sorted(entry["found"]) for entry in json.loads(kept)["canaries"]] == [["hot", "rest"], ["hot"]]

    assert run(installation, "--against", str(record))[0] == 1  # nothing was erased yet
    erase(owner)
    code, said = run(installation, "--against", str(record))
    assert code == 1, said
    assert "rest: attic/notes.bak" in said
    assert "hot: " not in said
    assert "1 of 2 canaries are still there" in said

    planted.unlink()
    code, said = run(installation, "--against", str(record), "--canary", NAME)
    assert code == 0, said
    assert "gone: no canary is found any more" in said


def test_what_was_not_found_before_is_no_proof(installation: Engines, planted: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    code, said = run(installation, "--record", str(record), "--canary", "Froschprinz")
    assert code == 2, said
    assert "canary 1 was not found anywhere" in said
    assert run(installation, "--against", str(record))[0] == 2
    code, said = run(installation, "--record", str(record), "--canary", NUMBER, "--expect", "hot", "--expect", "history")
    assert code == 2, said
    assert "canary 1 was not found in history" in said


def test_what_cannot_be_searched_is_no_proof(installation: Engines, planted: Path, tmp_path: Path) -> None:
    planted.write_bytes(b"PAR1 half a file")
    code, said = run(installation, "--record", str(tmp_path / "record.json"), "--canary", NAME)
    assert code == 3, said
    assert "can't be searched: attic/notes.bak" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "Give --record FILE before an erasure"),
        (("--record", "a", "--against", "b"), "Give --record FILE before an erasure"),
        (("--record", "a"), "Give 1 to 100 canaries"),
        (("--record", "a", "--canary", "21.5"), "too common a number"),
        (("--record", "a", "--canary", NAME, "--expect", "attic"), "'attic' is no tier"),
        (("--record", "missing/a", "--canary", NAME), "is no folder that can be written to"),
        (("--record", "other.txt", "--canary", NAME), "is no record of a search"),
        (("--against", "missing"), "Make a record before the erasure"),
        (("--against", "other.txt"), "is no record of a search"),
    ],
)
def test_what_is_given_wrong_is_said_and_counts_as_no_proof(
    installation: Engines, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "other.txt").write_text("precious")
    places = [
        str(tmp_path / word) if before in ("--record", "--against") else word for before, word in zip(("", *words), words, strict=False)
    ]
    code, said = run(installation, *places)
    assert (code, expected in said) == (3, True), said
    assert (tmp_path / "other.txt").read_text() == "precious"


def test_a_record_of_another_installation_is_refused(installation: Engines, planted: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    assert run(installation, "--record", str(record), "--canary", NAME)[0] == 0
    told = json.loads(record.read_text())
    told["canaries"][0]["sealed"] = told["canaries"][0]["sealed"][::-1]
    record.write_text(json.dumps(told))
    code, said = run(installation, "--against", str(record))
    assert (code, "another installation" in said) == (3, True), said


def test_SEC_03_the_command_prints_the_review_and_keeps_it(installation: Engines, owner: psycopg.Connection) -> None:
    master = installation.data / "secrets" / "master"
    assert lineset(installation, "review", "--no-keep")[0] == 0, "it makes the key where there is none yet"
    assert stat.S_IMODE(master.stat().st_mode) == 0o600
    master.chmod(0o644)
    try:
        code, said = lineset(installation, "review")
    finally:
        master.chmod(0o600)
    assert code == 0, said
    assert "secrets/master can be read by others" in said
    assert "nothing is stated on premises" in said
    assert "litestar " in said, "dependencies with their versions"
    code, said = lineset(installation, "review", "--json")
    assert code == 0, said
    made = json.loads(said[said.index("{") :])
    assert not [line for line in made["attention"] if "secrets" in line]
    assert {rule["what"] for rule in made["retention"]["rules"]} >= {"sessions", "history/raw/**", "logs/**"}
    owner.execute("ALTER TABLE evidence NO FORCE ROW LEVEL SECURITY")
    kept = owner.execute("SELECT count(*), bool_and(content->'access' IS NOT NULL) FROM evidence WHERE kind = 'review'").fetchone()
    owner.execute("ALTER TABLE evidence FORCE ROW LEVEL SECURITY")
    assert kept == (2, True)


def test_SEC_01_the_log_is_exported_checked_and_proven_at_the_command_line(
    installation: Engines, owner: psycopg.Connection, tmp_path: Path
) -> None:
    entry, file = new_id(), tmp_path / "log.jsonl"
    owner.execute("ALTER TABLE access_log NO FORCE ROW LEVEL SECURITY")
    owner.execute(
        "INSERT INTO access_log (id, at, window_start, actor_id, household_id, thing, role, purpose, action)"
        " VALUES (%s, now(), now(), %s, %s, %s, 'technician', 'service', 'look_site')",
        [entry, new_id(), new_id(), new_id()],
    )
    owner.execute("ALTER TABLE access_log FORCE ROW LEVEL SECURITY")
    assert lineset(installation, "audit", "export", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, said = lineset(installation, "audit", "prove", "--entry", str(entry))
    proof = json.loads(said[said.index("{") :])
    assert (code, proof["proof"]["type"]) == (0, "inclusion")
    kept = tmp_path / "checkpoint.json"
    kept.write_text(json.dumps(proof))
    for words in ((), ("--checkpoint", str(kept)), ("--checkpoint", str(kept), "--key", proof["public_key"])):
        code, said = lineset(installation, "audit", "verify", str(file), *words)
        assert (code, "nothing was changed" in said) == (0, True), said
    file.write_text(file.read_text().replace("technician", "manager"))
    code, said = lineset(installation, "audit", "verify", str(file))
    assert (code, "the entry changed" in said) == (1, True), said
    file.write_text("precious")
    assert lineset(installation, "audit", "verify", str(file))[0] == 2
    assert lineset(installation, "audit", "prove", "--entry", str(new_id()))[0] == 1
