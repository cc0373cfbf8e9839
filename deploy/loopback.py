"""A whole cluster on one machine's loopback, from the same files as for three machines.

Three NATS servers with their token servers, two web, two ingest, two worker processes, Debian's PostgreSQL with TLS, and an S3 API
server. What runs is what the written units for systemd say, with the settings that the written `lineset.env` holds.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lineset.embedded.faults import EngineFault
from lineset.embedded.nats import wheel_program
from lineset.embedded.ports import free_port, listening
from lineset.embedded.process import Command, plain_environment, spawn, stop_group
from lineset.kit.settings import Settings, from_environment

from deploy.debian_postgres import DebianPostgres
from deploy.plan import Database, History, Machine, Plan
from deploy.writing import write

HOST = "127.0.0.1"
BUCKET = "lineset-history"
_START_S = 150.0  # of each process, on a machine that does other work
_LOOK_S = 0.05
_ENGINES = ("postgres", "s3")


def loopback_plan(folder: Path) -> Plan:
    """Three machines that are all this one; each has its own folder and ports. The third has a NATS server only."""
    ports = _free_ports()
    machines = tuple(
        Machine(
            name=name,
            host=HOST,
            listen=HOST,
            home=str(folder / name),
            programs=str(Path(sys.executable).parent),
            **dict.fromkeys(("web", "ingest", "worker"), 0 if name == "c" else 1),
            **{field: next(ports) for field in Machine.__struct_fields__ if field.endswith("_port")},
        )
        for name in ("a", "b", "c")
    )
    history = History(f"s3://{BUCKET}/history", f"http://{HOST}:{next(ports)}", "us-east-1")
    return Plan(machine=machines, database=Database(HOST, next(ports), HOST), history=history)


def _free_ports() -> Iterator[int]:
    given: set[int] = set()
    while True:
        port = free_port()
        if port not in given:
            given.add(port)
            yield port


class Loopback:
    """The running cluster. Processes are named after their machine and unit: a/nats, a/nats-token, a/web, a/ingest-1, postgres, s3."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        """`folder`: an empty one, for all files of the cluster. `env`: more LINESET_ variables for every role."""
        self.folder = folder
        self.data = folder / "data"
        self._tell = tell
        self.plan = loopback_plan(folder)
        self.plan = Plan(self.plan.machine, self.plan.database, self.plan.history, "", dict(env or {}))
        self.keys = {"LINESET_S3_KEY_ID": secrets.token_hex(8), "LINESET_S3_SECRET": secrets.token_hex(16)}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Command] = {}

    def settings(self, machine: str = "a") -> Settings:
        """The settings of the roles on that machine."""
        return from_environment(self._env(self.folder / machine))

    @property
    def web(self) -> dict[str, str]:
        """The addresses of the web processes by name."""
        return {f"{m.name}/web": f"http://localhost:{m.web_port}" for m in self.plan.machine if m.web}

    def up(self) -> list[str]:
        """Start everything and wait until it works. Call from the main thread. Returns what a first start has to say.

        Raises:
            EngineFault: something did not start; the message says what.
        """
        database = DebianPostgres(self.data, self.plan.database)
        self._tell("writing the files of three machines")
        write(self.plan, self.data, self.folder, self.keys)
        (self.folder / "logs").mkdir(exist_ok=True)
        for machine in self.plan.machine:
            self._read_units(machine)
        self._commands["postgres"] = database.make()
        self._commands["s3"] = self._storage()
        self._tell("starting PostgreSQL, the S3 server and three NATS servers")
        for name in (*_ENGINES, *(name for name in self._commands if name.endswith(("/nats", "/nats-token")))):
            self.start(name)
        self._wait("postgres", database.ready)
        self._wait("s3", self._make_bucket)
        for machine in self.plan.machine:
            for name, port in ((f"{machine.name}/nats", machine.mqtt_port), (f"{machine.name}/nats-token", machine.mqtt_token_port)):
                self._wait(name, partial(listening, port))
        self._tell("bringing the database to this version")
        said = self._prepare()
        self._tell("starting two web, two ingest and two worker processes")
        roles = [name for name in self._commands if name not in self.processes]
        for name in roles:
            self.start(name)
        for name, url in self.web.items():
            self._wait(name, partial(answers, f"{url}/health/ready"))
        return said

    def start(self, name: str) -> None:
        """Start one process, again after it ended."""
        with self._log(name).open("ab") as output:
            self.processes[name] = spawn(self._commands[name], output.fileno())

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def freeze(self, name: str) -> None:
        """Cut a process off from all others: it holds its connections and says nothing, as behind a broken network."""
        self.processes[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on where it was."""
        self.processes[name].send_signal(signal.SIGCONT)

    def tend(self) -> None:
        """Start again what ended by itself, as systemd would."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self._tell(f"{name} ended; starting it again")
                self.start(name)

    def down(self) -> None:
        """Stop the roles, then the bus, then storage and database."""
        bus = [name for name in self.processes if "/nats" in name]
        roles = [name for name in self.processes if name not in {*bus, *_ENGINES}]
        for group in (roles, bus, [name for name in _ENGINES if name in self.processes]):
            for name in group:
                self.processes[name].send_signal(signal.SIGCONT)
                self.processes[name].send_signal(self._commands[name].stop)
            for name in group:
                stop_group(self.processes.pop(name), self._commands[name].stop, self._commands[name].patience_s)

    def last_words(self, name: str) -> str:
        """The end of what a process said."""
        log = self._log(name)
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name.replace('/', '-')}.log"

    def _read_units(self, machine: Machine) -> None:
        """What systemd would run there: templated units once for each process that the plan asks for."""
        home = self.folder / machine.name
        env = self._env(home)
        for unit in sorted((home / "systemd").iterdir()):
            name = unit.stem.removeprefix("lineset-")
            role = name.rstrip("@")
            count = getattr(machine, role, 1)
            names = [f"{role}-{number}" for number in range(1, count + 1)] if name.endswith("@") else [role] * min(count, 1)
            for each in names:
                argv, cwd = _exec_start(unit.read_text())
                own = plain_environment() | ({} if role.startswith("nats") else env)
                self._commands[f"{machine.name}/{each}"] = Command(each, argv, env=own, cwd=cwd, patience_s=15.0)

    def _env(self, home: Path) -> dict[str, str]:
        lines = (home / "lineset.env").read_text().splitlines()
        quoted = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
        pairs = {name: value.strip("'") for name, value in quoted}
        passed = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
        return pairs | passed | {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}

    def _storage(self) -> Command:
        port = (self.plan.history.endpoint or "").rpartition(":")[2]
        argv = (sys.executable, "-m", "moto.server", "-H", HOST, "-p", port)
        return Command("s3", argv, env=plain_environment(), cwd=self.folder)

    def _make_bucket(self) -> bool:
        request = urllib.request.Request(f"{self.plan.history.endpoint}/{BUCKET}", method="PUT")  # noqa: S310 - loopback, ours
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
                return int(answer.status) == 200
        except OSError:
            return False

    def _prepare(self) -> list[str]:
        machine = self.plan.machine[0]
        argv = [str(Path(machine.programs) / "lineset"), "prepare"]
        env = plain_environment() | self._env(self.folder / machine.name)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise EngineFault("prepare", f"The database could not be made ready: {(done.stderr or done.stdout).strip()[-1000:]}")
        return [line for line in done.stdout.splitlines() if line and not line.startswith("{")]

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + _START_S
        while not ready():
            if self.processes[name].poll() is not None or time.monotonic() > end:
                raise EngineFault("not_started", f"{name} did not start. It said:\n{self.last_words(name)}")
            time.sleep(_LOOK_S)


def answers(url: str) -> bool:
    """Whether a page is there: status 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback, ours
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def _exec_start(unit: str) -> tuple[tuple[str, ...], Path]:
    """The command of a unit and its working directory. The wheel's own NATS stands in for one that is not beside the programs."""
    found = dict(re.findall(r"^(ExecStart|WorkingDirectory)=(.+)$", unit, re.M))
    argv = found["ExecStart"].split(" ")
    if argv[0].endswith("/nats-server") and not Path(argv[0]).exists():
        argv[0] = str(wheel_program()[0])
    return tuple(argv), Path(found["WorkingDirectory"])


@contextmanager
def loopback(folder: Path, env: Mapping[str, str] | None = None, tell: Callable[[str], None] = lambda _: None) -> Iterator[Loopback]:
    """A running cluster in an empty folder; stopped at the end."""
    made = Loopback(folder, env, tell)
    try:
        made.up()
        yield made
    finally:
        made.down()
