"""What `lineset up` leaves in the data folder while it runs: a lock, and a file that says what runs."""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import msgspec

from lineset.embedded.faults import EngineFault
from lineset.embedded.process import end_marked
from lineset.kit.settings import Settings

MARK = "LINESET_TREE"  # in the environment of every process of the tree that `lineset up` starts, and of their children


class RoleState(msgspec.Struct):
    """One process of the tree."""

    name: str
    state: str = "waiting"  # waiting, starting, running, restarting, stopped
    pid: int | None = None
    since: float = 0.0  # seconds since 1970
    restarts: int = 0


class State(msgspec.Struct):
    """The whole tree."""

    state: str  # starting, ready, stopping, stopped
    pid: int
    since: float
    data: str
    web: str
    mqtt: int
    mqtt_token: int
    roles: list[RoleState]
    listens: tuple[str, int] = ("127.0.0.1", 8000)
    """Where the web process listens, as seen from this machine."""


@dataclass(slots=True)
class RunFolder:
    """The folder `run/` of a data folder."""

    data: Path
    _lock: TextIO | None = None

    @property
    def path(self) -> Path:
        """The folder, made where it is missing."""
        path = self.data / "run"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def take(self) -> None:
        """Take the data folder for this process, until it ends in whatever way.

        Raises:
            EngineFault: another process has it; the message says which.
        """
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            state = self.read()
            who = f" (process {state.pid}, {state.web})" if state else ""
            raise EngineFault(
                "already_running",
                f"Lineset already runs on {self.data}{who}. Use it, stop it, or choose another folder with --data.",
            ) from error
        self._lock = lock

    def release(self) -> None:
        """Give the data folder back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def taken(self) -> bool:
        """Whether some process has it."""
        try:
            with (self.data / "run" / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def read(self) -> State | None:
        """What the last process to have it said."""
        try:
            return msgspec.json.decode((self.data / "run" / "status.json").read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, state: State) -> None:
        """Say what runs."""
        draft = self.path / ".status.json"
        try:
            draft.write_text(json.dumps(msgspec.to_builtins(state), indent=1))
            draft.replace(self.path / "status.json")
        except OSError:  # a full disk must not end what runs
            return

    def end_leftovers(self) -> int:
        """End processes of an earlier run whose parent died before it could; the engines see to theirs. How many there were.

        Only for whoever has taken the folder: every process with its mark is then a leftover.
        """
        return len(end_marked(MARK, str(self.data)))


def new_state(settings: Settings) -> State:
    """The state of a tree that is about to start."""
    host = "127.0.0.1" if settings.web_host in ("0.0.0.0", "::") else settings.web_host  # noqa: S104 - compared, not bound
    ports = settings.mqtt_port, settings.mqtt_token_port
    return State("starting", os.getpid(), time.time(), str(settings.data), settings.url, *ports, [], (host, settings.web_port))
