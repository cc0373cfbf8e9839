"""Ports: whether one is free, and which program has it."""

import errno
import os
import socket
from pathlib import Path

from lineset.embedded.faults import EngineFault


def check_port(host: str, port: int, what: str, setting: str) -> None:
    """Refuse a port that we can't listen on.

    Raises:
        EngineFault: it is taken (by whom, where that can be known) or not ours to take; the message names the setting.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                holder = _holder(port)
                by = f" by {holder}" if holder else ""
                raise EngineFault(
                    "port_taken", f"Port {port}, meant for {what}, is taken{by}. End that program, or choose another port with {setting}."
                ) from error
            raise EngineFault(
                "port_refused", f"{host}:{port}, meant for {what}, can't be opened ({error.strerror}). Choose another port with {setting}."
            ) from error


def listening(port: int) -> bool:
    """Whether some program of this machine listens on that TCP port. Looked up, not tried: a try would fill the program's log."""
    if Path("/proc/net/tcp").exists():
        return bool(_listeners(port))
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _listeners(port: int) -> set[str]:
    """The sockets that listen on it, as /proc/PID/fd names them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: listening
                found.add(f"socket:[{fields[9]}]")
    return found


def _holder(port: int) -> str:
    """The program that listens on a TCP port, as far as we may see it."""
    sockets = _listeners(port)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(handle) in sockets for handle in (entry / "fd").iterdir()):
                return f"{(entry / 'comm').read_text().strip()} (process {entry.name})"
        except OSError:
            continue
    return ""
