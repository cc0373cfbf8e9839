"""What can go wrong with an engine, in words that say what to do."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from lineset.kit.errors import LinesetError

NEEDED_BYTES = 96 * 1024 * 1024  # a new cluster takes 46 MB, one write-ahead segment 16 MB, the broker's store a few

_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.IGNORECASE)


class EngineFault(LinesetError):
    """An engine can't start or go on; the sentence says why and what to do."""


def disk_full(folder: Path) -> EngineFault:
    """The fault of a full disk, naming the folder and what is left on it."""
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    return EngineFault(
        "disk_full",
        f"The disk is full: {folder} has {free} MB free, and Lineset needs {NEEDED_BYTES // (1024 * 1024)} MB to start. "
        "Free space there, or choose a folder on another disk with --data (LINESET_DATA).",
    )


def check_disk(folder: Path) -> None:
    """Refuse to start where a start would leave half-written files.

    Raises:
        EngineFault: less than `NEEDED_BYTES` is free.
    """
    if not has_room(folder):
        raise disk_full(folder)


def tells_of_full_disk(line: str) -> bool:
    """Whether an engine's log line says that it could not write for want of room."""
    return _FULL.search(line) is not None


def has_room(folder: Path) -> bool:
    """Whether there is enough room to go on."""
    return shutil.disk_usage(folder).free >= NEEDED_BYTES


def explain(engine: str, lines: Sequence[str], folder: Path) -> EngineFault:
    """The fault that an engine's last log lines tell of."""
    text = "\n".join(lines)
    if tells_of_full_disk(text):
        return disk_full(folder)
    taken = re.search(r"(?:listen tcp|listening on)\D*([\d.]+|\[[0-9a-f:]+\]):(\d+)\D*address already in use", text)
    if taken:
        return EngineFault("port_taken", f"{engine} can't listen: port {taken[2]} is taken by another program.")
    told = "\n".join(f"    {line}" for line in lines[-8:]) or "    (it said nothing)"
    return EngineFault("engine_failed", f"{engine} did not start. Its last words:\n{told}")
