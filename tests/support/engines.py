"""PostgreSQL and NATS for tests: one pair a test session, shared by all workers of pytest-xdist.

Whoever needs them first starts a keeper process; it holds the engines as long as any test process holds a shared lock on its folder,
which the kernel releases however that process ends.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.ports import free_port
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.kit.addresses import database_secret, nats_url, owner_url
from lineset.kit.settings import Settings
from sqlalchemy.engine import make_url

_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Engines:
    """Running engines. `settings` describes them as any process of the server wants them; `data` is their data folder."""

    settings: Settings
    stop: Callable[[], None] = field(repr=False)

    @property
    def data(self) -> Path:
        return self.settings.data

    @property
    def database_url(self) -> str:
        """The owner's address of the database `lineset`."""
        return owner_url(self.settings)

    @property
    def nats_url(self) -> str:
        return nats_url(self.settings)

    @property
    def secret(self) -> bytes:
        """What the passwords of the database's roles are derived from."""
        return database_secret(self.settings)

    def url_of(self, database: str) -> str:
        """The owner's address of another database on the same server."""
        return make_url(self.database_url).set(database=database).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """A database of its own, copied from `template`; its owner's address. Dropped at the end."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.database_url, autocommit=True) as owner:
            # by copying files: 0.03 s of processor time, where copying through the log takes 0.5 s
            owner.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
            try:
                yield self.url_of(name)
            finally:
                # Not by force: the owner may not end other roles' sessions. Those of a test that closed them are gone in a moment.
                owner.execute(f'DROP DATABASE "{name}"')

    def template(self, name: str, build: Callable[[str], object]) -> str:
        """A database to copy from, built once a session by `build(owner's address)`. Returns its name."""
        with (self.data / "templates.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with psycopg.connect(self.database_url, autocommit=True) as owner:
                if owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                    return name
                owner.execute(f'CREATE DATABASE "{name}_draft"')
                build(self.url_of(f"{name}_draft"))
                owner.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
        return name


def start_engines(data: Path, *, durable: bool = False) -> Engines:
    """Engines of their own in that folder, children of this process: for tests that kill them. Call from the main thread."""
    settings = Settings(data=data, mqtt_port=free_port(), mqtt_token_port=free_port())
    postgres, nats = EmbeddedPostgres(settings, durable=durable, shared_mb=32), EmbeddedNats(settings)
    nats.start()
    try:
        postgres.start()
    except BaseException:
        nats.stop()
        raise

    def stop() -> None:
        nats.stop()
        postgres.stop()

    return Engines(settings, stop)


def shared_engines(folder: Path) -> Engines:
    """The engines of this test session; `folder` is the same for all its workers. They end after the last `stop`."""
    folder.mkdir(parents=True, exist_ok=True)
    users = (folder / "users.lock").open("w")
    with (folder / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        told = folder / "engines.json"
        if not told.exists():
            log = (folder / "keeper.log").open("wb")
            command = [sys.executable, "-m", "tests.support.engines", str(folder)]
            keeper = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            log.close()
            end = time.monotonic() + _PATIENCE_S
            while not told.exists():
                if keeper.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"no engines for the tests:\n{(folder / 'keeper.log').read_text()}")
                time.sleep(0.02)
            # the keeper outlives us on purpose; it is not a child that anybody waits for
            keeper.returncode = 0
        ports = json.loads(told.read_text())
    settings = Settings(data=folder / "data", mqtt_port=ports["mqtt"], mqtt_token_port=ports["token"])
    return Engines(settings, users.close)


@contextlib.contextmanager
def system_folder() -> Iterator[Path]:
    """A place for engines' files that any user may enter, as root's tests need it: pytest's own folders are closed to others."""
    before = os.environ.get("LINESET_SYSTEM_FOLDER")
    with tempfile.TemporaryDirectory(prefix="lineset-tests-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ["LINESET_SYSTEM_FOLDER"] = name
        try:
            yield folder
        finally:
            os.environ.pop("LINESET_SYSTEM_FOLDER")
            if before is not None:
                os.environ["LINESET_SYSTEM_FOLDER"] = before


def _keep(folder: Path) -> None:
    with system_folder():
        _hold(folder, start_engines(folder / "data"))


def _hold(folder: Path, engines: Engines) -> None:
    ended = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: ended.set())
    draft = folder / "engines.json.new"
    draft.write_text(json.dumps({"mqtt": engines.settings.mqtt_port, "token": engines.settings.mqtt_token_port}))
    draft.replace(folder / "engines.json")
    with (folder / "users.lock").open("r") as users:
        while not ended.wait(0.5):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
    engines.stop()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
