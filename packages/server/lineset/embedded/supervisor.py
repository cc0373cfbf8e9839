"""The process tree of `lineset up`: engines, migration, roles, and with --demo the simulated homes.

One event loop in the main thread does everything: children are tied to the thread that spawned them.
"""

import asyncio
import errno
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from lineset.embedded.attempts import Attempts
from lineset.embedded.faults import EngineFault, disk_full, explain, has_room, tells_of_full_disk
from lineset.embedded.logfile import LogFile, for_people
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.place import abandoned
from lineset.embedded.ports import check_port
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.embedded.process import Command
from lineset.embedded.run import MARK, RunFolder, new_state
from lineset.embedded.tree import LOOK_S, Member
from lineset.kit.bus import Bus
from lineset.kit.errors import LinesetError
from lineset.kit.gate import VARIABLE as GATE
from lineset.kit.settings import Settings

DRAIN = "wake.drain.web"  # open live streams close by themselves when they hear it
_ENGINE_START_S = 90.0
_READY_S = 90.0
_HOUSEKEEPING_S = 3600.0
_GIVE_UP_AFTER = 3  # deaths of a role before the tree was ready for the first time


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of what."""

    ingest: int = 1
    workers: int = 1
    demo: bool = False


class Supervisor:
    """Starts the tree, keeps it up, and takes it down in order."""

    def __init__(self, settings: Settings, plan: Plan, tell: Callable[[str, str, str], None]) -> None:
        """`tell(level, who, text)` shows a line to people; level is info, good, warning or error."""
        self._settings = settings
        self._plan = plan
        self._tell = tell
        self._run_folder = RunFolder(settings.data)
        self._state = new_state(settings)
        self._members: list[Member] = []
        self._stop = asyncio.Event()
        self._hard = asyncio.Event()
        self._nats: EmbeddedNats | None = None
        self._bus: Bus | None = None
        self._healing = False
        self._gate = self._run_folder.path / "gate"
        self._attempts = Attempts(self._connection, lambda text: self._tell("warning", "lineset", text))
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> int:
        """Run until told to stop. Returns the exit code: 0 after a clean stop, 1 when it could not start.

        Raises:
            EngineFault: the data folder is in use; nothing was touched.
        """
        self._settings.data.mkdir(parents=True, exist_ok=True)
        self._run_folder.take()
        try:
            return asyncio.run(self._main())
        finally:
            self._run_folder.release()

    async def _main(self) -> int:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(sign, self._told_to_stop)
        code = 0
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        except LinesetError as fault:
            self._tell("error", "lineset", fault.say)
            code = 1
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._tell("error", "lineset", disk_full(self._settings.data).say if full else str(error))
            code = 1
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
            await self._take_down()
        return code

    def _told_to_stop(self) -> None:
        if self._stop.is_set():
            self._hard.set()
            self._tell("warning", "lineset", "killing what is left")
        else:
            self._tell("info", "lineset", "stopping (once more to kill)")
            self._stop.set()

    # --- up ---

    async def _start(self) -> None:
        begun = time.monotonic()
        left = self._run_folder.end_leftovers()
        if left:
            self._tell("warning", "lineset", f"ended {left} processes that an earlier run had left behind")
        self._write()
        self._gate.unlink(missing_ok=True)
        check_port(self._settings.web_host, self._settings.web_port, "the web pages", "--port (LINESET_PORT)")
        await self._start_engines()
        for folder in abandoned(self._settings.data):
            self._tell(
                "warning", "lineset", f"{folder} holds the database of an earlier {self._settings.data}; delete it if it is not needed"
            )
        roles = [self._role("web", "web", patience_s=12)]
        roles += [self._role(name, "ingest") for name in _numbered("ingest", self._plan.ingest)]
        roles += [self._role(name, "worker") for name in _numbered("worker", self._plan.workers)]
        for member in roles:  # they wait at the gate, and import their code meanwhile
            member.start()
            member.keep()
        await self._prepare()
        self._gate.touch()
        self._tell("info", "lineset", f"database ready after {time.monotonic() - begun:.1f} s")
        await self._until_ready(roles)
        if self._plan.demo:
            demo = self._role("demo", "demo")
            demo.start()
            demo.keep()
        self._state.state = "ready"
        self._write()
        self._tell("good", "lineset", f"ready after {time.monotonic() - begun:.1f} s: {self._settings.url}")
        self._background(self._housekeeping())

    async def _start_engines(self) -> None:
        waits: list[Awaitable[None]] = []
        token: Member | None = None
        if not self._settings.nats_url:
            self._nats = nats = EmbeddedNats(self._settings)
            commands = nats.prepare()
            hub, token = (self._member(command.name, lambda command=command: command) for command in commands)  # type: ignore[misc]
            hub.start()
            waits.append(self._up(hub, nats.hub_ready, "NATS"))
        if not self._settings.database_url:
            server = EmbeddedPostgres(self._settings)
            database = self._member("postgres", server.prepare)
            database.start()
            waits.append(self._up(database, server.ready, "PostgreSQL"))
        for wait in waits:
            await wait
        if token is not None and self._nats is not None:
            token.start()
            await self._up(token, self._nats.token_ready, "NATS (for tokens)")

    async def _up(self, member: Member, ready: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _ENGINE_START_S
        while not ready():
            if not member.running or time.monotonic() > end:
                await member.stop(self._hard)
                raise explain(what, list(member.last_words), self._settings.data)
            await asyncio.sleep(LOOK_S / 2)
        member.keep()

    async def _prepare(self) -> None:
        """Migrate and say what a first run has to say, in a process that takes its memory with it."""
        member = self._role("prepare", "prepare", log_text=False)  # it prints the operator's link
        member.start()
        code = await member.finish()
        self._members.remove(member)
        if code != 0:
            told = "\n".join(f"    {text[1]}" for line in member.last_words if (text := for_people("prepare", line)))
            raise EngineFault("migration_failed", f"The database could not be brought to this version:\n{told}")

    async def _until_ready(self, roles: list[Member]) -> None:
        end = time.monotonic() + _READY_S
        said = ""
        while time.monotonic() < end:
            for member in roles:
                if member.state.restarts >= _GIVE_UP_AFTER:
                    told = "\n".join(f"    {line}" for line in list(member.last_words)[-12:])
                    raise EngineFault("role_failed", f"{member.name} ended {member.state.restarts} times while starting. It said:\n{told}")
            status, said = await _ask(self._settings.web_host, self._settings.web_port, "/health/ready")
            if status == 200:
                return
            await asyncio.sleep(0.1)
        self._tell("warning", "lineset", f"not everything is ready after {_READY_S:.0f} s: {said or 'no answer from the web pages'}")

    def _role(self, name: str, command: str, *, patience_s: float = 10.0, log_text: bool = True) -> Member:
        argv = (sys.executable, "-P", "-m", "lineset", command)
        gate = {} if command == "prepare" else {GATE: str(self._gate)}
        made = Command(name, argv, env=environment(self._settings) | gate, cwd=Path.cwd(), patience_s=patience_s)
        return self._member(name, lambda: made, log_text=log_text)

    def _member(self, name: str, make: Callable[[], Command], *, log_text: bool = True) -> Member:
        member = Member(
            name,
            make,
            log=LogFile(self._settings.data / "logs", name),
            log_text=log_text,
            hear=self._hear,
            changed=self._write,
            tell=lambda level, text: self._tell(level, name, text),
        )
        self._members.append(member)
        return member

    # --- while it stands ---

    def _hear(self, name: str, line: str) -> None:
        if name.startswith("nats-"):
            self._attempts.hear(line)
            if tells_of_full_disk(line) and not self._healing:
                self._healing = True
                self._background(self._heal_broker(name))
        told = for_people(name, line)
        if told is not None:
            self._tell(told[0], name, told[1])

    async def _heal_broker(self, name: str) -> None:
        """A stream that once met a full disk refuses every write until its server starts again, even when there is room."""
        folder = self._settings.data
        self._tell("error", name, disk_full(folder).say)
        while not has_room(folder):  # noqa: ASYNC110 - room has no event to wait for
            await asyncio.sleep(2)
        for member in self._members:
            if member.name == name:
                member.signal(signal.SIGTERM)
        await asyncio.sleep(5)  # what it says while it ends is about the same disk
        self._healing = False

    async def _connection(self) -> Bus:
        if self._bus is None:
            self._bus = await Bus.connect(self._settings, "supervisor", patience_s=10)
        return self._bus

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_S)
            if self._nats is not None and self._nats.renew_certificate():
                for member in self._members:
                    if member.name.startswith("nats-"):
                        member.signal(signal.SIGHUP)

    # --- down ---

    async def _take_down(self) -> None:
        self._state.state = "stopping"
        self._write()
        for task in list(self._tasks):
            task.cancel()
        await self._attempts.close()
        order = [
            {"demo", "prepare"},
            {"web"},
            {member.name for member in self._members if member.name.startswith(("ingest", "worker"))},
            {"nats-token"},
            {"nats-hub"},
            {"postgres"},
        ]
        for names in order:
            leaving = [member for member in self._members if member.name in names]
            if not self._gate.exists() and not names & {"nats-token", "nats-hub", "postgres"}:
                for member in leaving:
                    member.signal(signal.SIGKILL)  # it waits at the gate and has nothing to finish
            if "web" in names and any(member.running for member in leaving):
                await self._drain()
            await asyncio.gather(*(member.stop(self._hard) for member in leaving))
            if "web" in names and self._bus is not None:
                await self._bus.close()
        self._state.state = "stopped"
        self._write()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(1.5):
                bus = await self._connection()
                await bus.publish(DRAIN)
                await bus.flush()
        except (LinesetError, TimeoutError):
            return  # the web processes then end their streams the hard way

    def _write(self) -> None:
        self._state.roles = [member.state for member in self._members]
        self._run_folder.write(self._state)

    def _background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def environment(settings: Settings) -> dict[str, str]:
    """The environment of the tree's own processes: ours, with these settings spelled out."""
    return {
        **os.environ,
        "LINESET_DATA": str(settings.data),
        "LINESET_PORT": str(settings.web_port),
        "LINESET_HOST": settings.web_host,
        "LINESET_MQTT_PORT": str(settings.mqtt_port),
        "LINESET_MQTT_TOKEN_PORT": str(settings.mqtt_token_port),
        "LINESET_DEMO": "1" if settings.demo else "",
        "LINESET_LOG": "json",
        MARK: str(settings.data),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # threads that rarely run need no arenas of their own: 5 to 10 MB a process
    }


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]


async def _ask(host: str, port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on one of our own ports; status 0 when nobody answers."""
    target = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(target, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.read(65536)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0, ""
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        status = int(head.split(b" ", 2)[1])
    except (IndexError, ValueError):
        return 0, ""
    try:
        parts = json.loads(body).get("parts", {})
    except ValueError:
        return status, body.decode(errors="replace")[:200]
    return status, ", ".join(f"{part}: {told}" for part, told in parts.items())
