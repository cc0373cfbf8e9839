"""Logs, locks and addresses of the data folder."""

import json
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from lineset.embedded import logfile
from lineset.embedded.faults import EngineFault
from lineset.embedded.logfile import LogFile, for_people
from lineset.embedded.process import end_marked
from lineset.embedded.run import MARK, RunFolder, new_state
from lineset.kit.addresses import Addresses, nats_url, owner_url, write_addresses
from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings
from lineset.kit.violations import Violation, parse


def test_log_is_json_lines_turned_over_by_size_and_thrown_away_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "MAX_BYTES", 400)
    log = LogFile(tmp_path, "web")
    log.write('{"event": "as it is"}')
    log.write('a plain line with "quotes"')
    first, second = (json.loads(line) for line in (tmp_path / "web.log").read_text().splitlines())
    assert first == {"event": "as it is"}
    assert (second["role"], second["line"]) == ("web", 'a plain line with "quotes"')
    for number in range(20):
        log.write(f"line {number}")
    turned = list(tmp_path.glob("web.log.*"))
    assert 2 < len(turned) < 20
    assert sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir()) == 22
    monkeypatch.setattr(logfile, "KEEP_DAYS", -1)
    log.tidy()
    assert not list(tmp_path.glob("web.log.*"))
    log.close()


@pytest.mark.parametrize(
    ("role", "line", "shown"),
    [
        ("web", "printed for the person", ("info", "printed for the person")),
        ("web", '{"level": "info", "event": "quiet", "t": "x", "role": "web"}', None),
        ("web", '{"level": "error", "event": "broke", "page": "/x", "role": "web"}', ("error", "broke page=/x")),
        ("web", '{"level": "error", "event": "broke", "exception": "Trace\\nValueError: no"}', ("error", "broke ValueError: no")),
        ("web", "{broken", ("info", "{broken")),
        ("postgres", "2026-01-01 00:00:00.000 UTC [7] LOG:  checkpoint", None),
        ("postgres", '2026-01-01 00:00:00 UTC [7] PANIC:  no "x"', ("error", 'PANIC:  no "x"')),
        ("nats-hub", "[7] 2026/01/01 00:00:00.1 [INF] Server is ready", None),
        ("nats-hub", "[7] 2026/01/01 00:00:00.1 [FTL] no", ("error", "2026/01/01 00:00:00.1 [FTL] no")),
    ],
)
def test_terminal_shows_what_a_person_must_know(role: str, line: str, shown: tuple[str, str] | None) -> None:
    assert for_people(role, line) == shown


def test_attempts_in_the_brokers_log_are_understood() -> None:
    head = '[1] 2026/01/02 03:04:05.678901 [ERR] 192.0.2.1:5 - mid:9 - "g1" - '
    at = 1767323045.678901
    assert parse(head + 'Publish Violation - Subject "lineset.v1.g2.frames"') == Violation("g1", "publish", "lineset.v1.g2.frames", at)
    subscribed = parse(head + 'Subscription Violation - Subject "lineset.>", SID lineset.>')
    assert subscribed == Violation("g1", "subscribe", "lineset.>", at)
    assert parse(head + "maximum payload exceeded: 300000 vs 262144") == Violation("g1", "oversize", "", at)
    for other in ("", "[1] 2026/01/02 03:04:05.6 [INF] Server is ready", head + "TLS handshake error: EOF"):
        assert parse(other) is None


def test_data_folder_is_taken_once_and_free_again_when_its_holder_dies(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from lineset.embedded.run import RunFolder, new_state; from lineset.kit.settings import Settings\n"
        "folder = RunFolder(Path(sys.argv[1])); folder.take()\n"
        "folder.write(new_state(Settings(data=Path(sys.argv[1])))); print('taken', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"taken\n"
    mine = RunFolder(tmp_path)
    assert mine.taken()
    with pytest.raises(EngineFault, match=rf"already runs on .* \(process {holder.pid}, {Settings(data=tmp_path).url}\)"):
        mine.take()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    assert not mine.taken()
    mine.take()
    assert mine.taken()
    mine.release()
    assert not mine.taken()


def test_marked_processes_of_a_dead_run_are_ended_and_no_others(tmp_path: Path) -> None:
    marked, other = (
        subprocess.Popen(["sleep", "60"], env={MARK: value, "PATH": "/usr/bin:/bin"}) for value in (str(tmp_path), f"{tmp_path}x")
    )
    assert end_marked(MARK, str(tmp_path)) == [marked.pid]
    assert marked.wait() != 0
    assert other.poll() is None
    other.kill()
    other.wait()


def test_state_survives_reading_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.read() is None
    state = new_state(Settings(data=tmp_path))
    folder.write(state)
    assert folder.read() == state
    assert time.time() - state.since < 60
    (tmp_path / "run" / "status.json").write_text("{")
    assert folder.read() is None


def test_SEC_02_outside_servers_are_reached_encrypted_or_not_at_all(tmp_path: Path) -> None:
    for url in ("nats://bus.example:4222", "bus.example:4222", "tls://a.example,nats://b.example"):
        with pytest.raises(Invalid, match="not encrypted"):
            nats_url(Settings(data=tmp_path, nats_url=url))
    for url in ("tls://a.example:4222,tls://b.example", "nats://127.0.0.1:4222"):
        assert nats_url(Settings(data=tmp_path, nats_url=url)) == url
    for url in (
        "postgresql://o:p@db.example/lineset",
        "postgresql://o:p@db.example/lineset?sslmode=prefer",
        "postgresql://o:p@127.0.0.1,db.example/lineset",
        "postgresql://o:p@/lineset?host=127.0.0.1&host=db.example",
        "postgresql://o:p@localhost/lineset?hostaddr=192.0.2.7",
        "postgresql:///x?host=db.example",
    ):
        with pytest.raises(Invalid, match="without encryption"):
            owner_url(Settings(data=tmp_path, database_url=url))
    for url in (
        "postgresql://o:p@db.example/lineset?sslmode=verify-full",
        "postgresql://o:p@/lineset?host=/run/postgresql",
        "postgresql://o:p@localhost/lineset",
    ):
        assert owner_url(Settings(data=tmp_path, database_url=url)) == url


def test_addresses_of_embedded_engines_are_found_once_they_were_started(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    for ask in (owner_url, nats_url):
        with pytest.raises(Invalid, match="lineset up"):
            ask(settings)
    write_addresses(tmp_path, socket="/s")
    write_addresses(tmp_path, nats="tls://127.0.0.1:5")
    assert nats_url(settings) == "tls://127.0.0.1:5"
    assert owner_url(settings).startswith("postgresql://lineset_owner:")
    assert owner_url(settings).endswith("@/lineset?host=/s")
    told = msgspec.json.decode((tmp_path / "run" / "engines.json").read_bytes(), type=Addresses)
    assert told == Addresses("/s", "tls://127.0.0.1:5")
