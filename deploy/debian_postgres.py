"""Debian's PostgreSQL with TLS, run from the files that `deploy.writing` made. (The one from the wheel has no TLS.)"""

import os
import signal
from pathlib import Path

from lineset.embedded.faults import EngineFault, explain
from lineset.embedded.place import Place, place_of
from lineset.embedded.process import Command, plain_environment, run
from lineset.kit.ca import Authority
from lineset.kit.settings import Settings

from deploy.plan import Database
from deploy.writing import write_database

OLDEST = 15
_FOLDER = Path("/usr/lib/postgresql")


def programs() -> Path:
    """The folder of the newest server that Debian's packages installed.

    Raises:
        EngineFault: there is none that is new enough.
    """
    found = [
        (int(path.name), path / "bin") for path in _FOLDER.glob("[0-9]*") if path.name.isdigit() and (path / "bin" / "initdb").exists()
    ]
    newest = max(found, default=(0, _FOLDER))
    if newest[0] < OLDEST:
        raise EngineFault("no_postgres", f"There is no PostgreSQL {OLDEST} or newer in {_FOLDER}. Install it: apt-get install postgresql")
    return newest[1]


class DebianPostgres:
    """One cluster of PostgreSQL in a data folder, on a port of loopback, for as long as its files are there."""

    def __init__(self, data: Path, database: Database) -> None:
        """`data`: the folder whose secrets and authority it uses. Only host and port of `database` count; its files lie below `data`."""
        self._data = data
        self._database = database
        self._programs = programs()

    def make(self) -> Command:
        """Make a new cluster with Lineset's role and database in it. Returns how to run it.

        Raises:
            EngineFault: it can't be made; the message says why.
        """
        place = place_of(self._data, "postgres")
        cluster = place.folder / "cluster"
        code, said = run(
            [
                str(self._programs / "initdb"),
                *("-D", str(place.private("cluster")), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"),
                *("--auth=reject", "--no-instructions", "--data-checksums", "--no-sync"),
            ],
            place.account,
        )
        if code != 0:
            raise explain("PostgreSQL's initdb", said.splitlines(), self._data)
        written = self._write(place)
        code, said = run(
            [str(self._programs / "postgres"), "--single", "-D", str(cluster), "-c", "exit_on_error=on", "postgres"],
            place.account,
            text_in=written["roles.sql"].read_text(),
        )
        if code != 0:
            raise explain("PostgreSQL (making its roles)", [line for line in said.splitlines() if "PASSWORD" not in line], self._data)
        return Command(
            "postgres",
            (
                *(str(self._programs / "postgres"), "-D", str(cluster), "-c", f"config_file={written['postgresql.conf']}"),
                *("-c", f"hba_file={written['pg_hba.conf']}", "-c", "unix_socket_directories=", "-c", "shared_buffers=64MB"),
            ),
            env=plain_environment(),
            account=place.account,
            stop=signal.SIGINT,
            orphaned=signal.SIGINT,
            patience_s=20.0,
        )

    def _write(self, place: Place) -> dict[str, Path]:
        """The same files as for a machine of its own, readable by the server's account only."""
        home = place.private("files")
        settings = Settings(data=self._data)
        here = Database(self._database.host, self._database.port, self._database.host, str(home))
        folder = write_database(here, self._data, Authority.open(settings), home)
        for path in folder.iterdir():
            if place.account is not None:
                os.chown(path, place.account.uid, place.account.gid)
        return {path.name: path for path in folder.iterdir()}

    def ready(self) -> bool:
        """Whether it takes connections."""
        try:
            lines = (place_of(self._data, "postgres").folder / "cluster" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"
