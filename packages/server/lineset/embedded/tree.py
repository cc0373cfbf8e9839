"""One process of the tree: started, listened to, watched, restarted with growing pauses, stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Awaitable, Callable

from lineset.embedded.faults import EngineFault
from lineset.embedded.logfile import LogFile
from lineset.embedded.process import Command, kill_group, spawn
from lineset.embedded.run import RoleState

LOOK_S = 0.05
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
GOOD_AFTER_S = 60.0  # one that ran this long starts with a short pause again
_LONGEST_LINE = 16 * 1024

Make = Callable[[], Command]
Ready = Callable[[], Awaitable[bool]]


class Member:
    """A process that belongs to the tree for as long as the tree stands."""

    def __init__(
        self,
        name: str,
        make: Make,
        *,
        log: LogFile,
        log_text: bool = True,
        hear: Callable[[str, str], None],
        changed: Callable[[], None],
        tell: Callable[[str, str], None],
    ) -> None:
        """`make` prepares what to run, anew for each start. `hear(name, line)` gets each line it says, `tell(level, text)` what people
        should know, `changed` is called when its state did. Without `log_text` only log events go to the log, not what it prints
        for the person at the terminal."""
        self.name = name
        self.state = RoleState(name)
        self.last_words: deque[str] = deque(maxlen=40)
        self._make = make
        self._log = log
        self._log_text = log_text
        self._hear = hear
        self._changed = changed
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._command: Command | None = None
        self._pipe = -1
        self._rest = b""
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def running(self) -> bool:
        """Whether it is alive at this moment."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it for the first time.

        Raises:
            EngineFault: it can't be prepared.
        """
        self._spawn()

    def keep(self) -> None:
        """From now on start it again whenever it ends."""
        self._set("running")
        self._keeper = asyncio.create_task(self._keep())

    async def finish(self) -> int:
        """Wait for the end of one that is meant to end. Returns its exit code."""
        while self.running:  # noqa: ASYNC110 - the end of a process has no event to wait for
            await asyncio.sleep(LOOK_S)
        return self._ended()

    async def stop(self, hard: asyncio.Event) -> None:
        """Stop it: ask, wait as long as it may take (or until `hard` is set), kill."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._process is None or self._command is None:
            return
        self._process.send_signal(self._command.stop)
        end = time.monotonic() + self._command.patience_s
        while self.running and time.monotonic() < end and not hard.is_set():  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_S)
        self._ended()
        self._set("stopped")

    def signal(self, sign: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self.running and self._process is not None:
            self._process.send_signal(sign)

    async def _keep(self) -> None:
        pause, began = FIRST_PAUSE_S, time.monotonic()
        while not self._stopping:
            await asyncio.sleep(LOOK_S)
            if self.running:
                continue
            code = self._ended()
            self.state.restarts += 1
            if time.monotonic() - began > GOOD_AFTER_S:
                pause = FIRST_PAUSE_S
            self._set("restarting")
            self._tell("warning", f"{self.name} ended ({_how(code)}); starting it again")
            await asyncio.sleep(pause)
            pause, began = min(pause * 2, LONGEST_PAUSE_S), time.monotonic()
            try:
                self._spawn()
            except EngineFault as fault:
                self._tell("error", fault.say)
            except OSError as error:
                self._tell("error", f"{self.name} can't be started: {error}")
            else:
                self._set("running")

    def _spawn(self) -> None:
        self._set("starting")
        self._command = self._make()
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(ours, False)
        try:
            self._process = spawn(self._command, theirs)
        finally:
            os.close(theirs)
        self._pipe, self._rest = ours, b""
        asyncio.get_running_loop().add_reader(ours, self._listen)
        self.state.pid = self._process.pid
        self._changed()

    def _listen(self) -> None:
        try:
            chunk = os.read(self._pipe, 65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._deaf()
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            if line:
                self.last_words.append(line)
                if self._log_text or line.startswith("{"):
                    self._log.write(line)
                self._hear(self.name, line)

    def _deaf(self) -> None:
        if self._pipe >= 0:
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1

    def _ended(self) -> int:
        """Take leave of a process that ended or must end now, with all its children."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.kill()
        code = process.wait()
        kill_group(process.pid)
        self._listen_to_the_end()
        self.state.pid = None
        return code

    def _listen_to_the_end(self) -> None:
        """Read what it said last, then close the pipe; an escaped grandchild may still hold its other end."""
        for _ in range(64):
            if self._pipe < 0:
                return
            before = len(self.last_words), self._rest
            self._listen()
            if (len(self.last_words), self._rest) == before:
                break
        self._deaf()

    def _set(self, state: str) -> None:
        self.state.state = state
        self.state.since = time.time()
        self._changed()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
