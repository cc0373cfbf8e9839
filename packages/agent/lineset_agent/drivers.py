"""What joins the agent to machines: an interface, and a driver that runs any program."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Sequence
from typing import Protocol

import msgspec
from lineset_contract.wire import Frame, InventoryItem, WireValue

from lineset_agent.clock import Clock, SystemClock

_MAX_OUTPUT = 4 << 20
_MAX_SAID = 300


class DriverError(Exception):
    """A machine could not be read or written; the message says what failed. `frames` are what was read nevertheless."""

    def __init__(self, say: str, frames: Sequence[Frame] = ()) -> None:
        super().__init__(say)
        self.frames = list(frames)


class Driver(Protocol):
    """One bus, maker's protocol or simulation. Calls never overlap: the agent makes one at a time."""

    async def inventory(self) -> list[InventoryItem]:
        """The equipment there is. Raises DriverError."""
        ...

    async def read(self) -> list[Frame]:
        """What the equipment measures now, points in the catalogue's units. Raises DriverError."""
        ...

    async def write(self, equipment: str, setting: str, value: float | str) -> None:
        """Change a setting of the profile, or start an action ("restart", 1.0). Raises DriverError."""
        ...


class _Line(msgspec.Struct):
    e: str
    v: dict[str, WireValue]
    t: float | None = None


class CommandDriver:
    """Runs a program of yours. A shell script will do.

    `PROGRAM inventory` prints a JSON object a line: {"name": "hp1", "type": "heat_pump_air_water", "make": "..."}.
    `PROGRAM read` prints a frame a line: {"e": "hp1", "v": {"room_temperature": 20.5}}, with "t" if it knows better
    than now. `PROGRAM write hp1 heating_setpoint 21.0` changes a setting. It ends with 0, or says on standard error
    what went wrong. It must end within `timeout` seconds.
    """

    def __init__(self, command: Sequence[str], timeout: float = 30.0, clock: Clock | None = None) -> None:
        if not command:
            raise ValueError("The driver's command is empty. Name a program.")
        self._command = list(command)
        self._timeout = timeout
        self._clock = clock or SystemClock()

    async def inventory(self) -> list[InventoryItem]:
        """What `PROGRAM inventory` prints. Raises DriverError."""
        items: list[InventoryItem] = []
        for number, line in enumerate((await self._run("inventory")).splitlines(), 1):
            if line.strip():
                try:
                    items.append(msgspec.json.decode(line, type=InventoryItem))
                except (msgspec.MsgspecError, UnicodeError) as error:
                    raise DriverError(f"line {number} of the inventory is not usable: {error}") from None
        return items

    async def read(self) -> list[Frame]:
        """What `PROGRAM read` prints. Raises DriverError with the good frames when a line is bad."""
        frames: list[Frame] = []
        bad: list[str] = []
        for number, line in enumerate((await self._run("read")).splitlines(), 1):
            if not line.strip():
                continue
            try:
                parsed = msgspec.json.decode(line, type=_Line)
            except (msgspec.MsgspecError, UnicodeError) as error:
                bad.append(f"line {number}: {error}")
                continue
            frames.append(Frame(self._clock.now() if parsed.t is None else parsed.t, parsed.e, parsed.v))
        if bad:
            raise DriverError(f"{len(bad)} lines are not frames; {bad[0][:_MAX_SAID]}", frames)
        return frames

    async def write(self, equipment: str, setting: str, value: float | str) -> None:
        """Runs `PROGRAM write EQUIPMENT SETTING VALUE`. Raises DriverError."""
        await self._run("write", equipment, setting, value if isinstance(value, str) else json.dumps(value))

    async def _run(self, *arguments: str) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise DriverError(f"{self._command[0]} cannot be run: {error.strerror}") from None
        group: int | None = process.pid
        try:
            async with asyncio.timeout(self._timeout):
                output, said = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr))
                code = await process.wait()
        except TimeoutError:
            raise DriverError(f"{self._command[0]} {arguments[0]} did not end within {self._timeout:g} s") from None
        else:
            group = None
        finally:
            if group is not None:
                await _end(process, group)
        if output is None:
            raise DriverError(f"{self._command[0]} {arguments[0]} printed more than {_MAX_OUTPUT >> 20} MB")
        if code != 0:
            text = (said or b"").decode(errors="replace").strip()[-_MAX_SAID:]
            raise DriverError(f"{self._command[0]} {arguments[0]} ended with {code}: {text or 'it said nothing'}")
        return output


async def _bounded(stream: asyncio.StreamReader | None) -> bytes | None:
    """All that a stream brings, or None when it is too much; the rest is then read and thrown away."""
    parts: list[bytes] = []
    size = 0
    while stream is not None and (part := await stream.read(65_536)):
        size += len(part)
        if size <= _MAX_OUTPUT:
            parts.append(part)
    return b"".join(parts) if size <= _MAX_OUTPUT else None


async def _end(process: asyncio.subprocess.Process, group: int) -> None:
    """End the program with all that it started, some of which may have outlived it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    await process.wait()
