"""Child processes that never outlive their parent, and what /proc knows about processes that were left behind."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that engines run as when we are root."""

    uid: int
    gid: int
    name: str

    @classmethod
    def of(cls, uid: int) -> "Account":
        """The account with that user number.

        Raises:
            KeyError: there is none.
        """
        entry = pwd.getpwuid(uid)
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, as whom, and how to end it."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGTERM  # what the kernel sends it when we die
    patience_s: float = 10.0  # between asking and killing


def spawn(command: Command, output: int) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own, with standard output and error on the file descriptor `output`.

    Call it from the main thread: the kernel's parent-death signal follows the thread that spawned, not the process.
    """
    parent = os.getpid()
    account = command.account

    def tie_to_parent() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(command.orphaned), 0, 0, 0)
            if os.getppid() != parent:  # it died between fork and prctl
                os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(  # noqa: S603 - the command is ours
        command.argv,
        env=dict(command.env),
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        umask=0o077,
        # setpriv --pdeathsig would do the same, but is missing on small systems. It must come after the change of user,
        # which clears the setting; Popen runs this hook then. The hook takes no lock: one system call.
        preexec_fn=tie_to_parent,  # noqa: PLW1509
    )


def run(argv: list[str], account: Account | None, *, text_in: str = "", env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a short command as that account and wait. Returns its exit code and everything it said."""
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours
            argv,
            env=dict(env or plain_environment()),
            cwd="/",
            input=text_in.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=0o077,
        )
    except PermissionError as error:
        return 126, str(error)
    return done.returncode, done.stdout.decode(errors="replace")


def plain_environment() -> dict[str, str]:
    """The little that engines need of our environment; secrets and settings in it are none of their business."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", **kept}


def stop_group(process: subprocess.Popen[bytes], how: signal.Signals, patience_s: float) -> int:
    """End a child: ask, wait, kill; then kill what is left of its process group. Returns its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    code = process.wait()
    kill_group(process.pid)
    return code


def kill_group(group: int) -> None:
    """Kill every process of the group that is still there."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def wait_until(condition: Callable[[], bool], timeout_s: float, step_s: float = 0.02) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(step_s)
    return True


def started_at(pid: int) -> int | None:
    """When the process started, in clock ticks since boot: with the pid, a name for it that is never used twice. None: no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def processes_in(folder: Path, program: str) -> Iterator[int]:
    """Live processes whose working directory is `folder` and whose program file has that name."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            same = os.readlink(entry / "cwd") == str(folder)
            # an upgraded or removed program still runs; the kernel then adds " (deleted)"
            ours = Path(os.readlink(entry / "exe").removesuffix(" (deleted)")).name == program
        except OSError:
            continue
        if same and ours and started_at(int(entry.name)) is not None:
            yield int(entry.name)


def end_leftovers(folder: Path, program: str, polite: signal.Signals, patience_s: float = 10.0) -> list[int]:
    """End processes of an engine that an earlier start left behind: ask politely, then kill. Returns their pids."""
    found = list(processes_in(folder, program))
    for how, wait_s in ((polite, patience_s), (signal.SIGKILL, 5.0)):
        for pid in processes_in(folder, program):
            _signal(pid, how)
        if wait_until(lambda: not any(processes_in(folder, program)), wait_s):
            break
    return found


def end_marked(variable: str, value: str) -> list[int]:
    """Kill every process that was started with this variable in its environment. Returns their pids."""
    mark = f"{variable}={value}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0") and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        except OSError:
            continue
    for pid in found:
        _signal(pid, signal.SIGKILL)
    wait_until(lambda: all(started_at(pid) is None for pid in found), 5.0)
    return found


def _signal(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
