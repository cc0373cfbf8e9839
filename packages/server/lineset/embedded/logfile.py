"""Log files of the process tree: one a process, turned over by size and by day, kept for as long as the register says."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

MAX_BYTES = 8 * 1024 * 1024
KEEP_DAYS = 14  # as the register declares for logs/**
KEEP_FILES = 20

_LOUD = {"warning", "error", "critical"}


class LogFile:
    """Lines of one process. A line that is no JSON object becomes one, with its time and the process's name."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._path = folder / f"{name}.log"
        self._name = name
        self._file = self._path.open("ab")
        self._day = time.gmtime().tm_yday

    def write(self, line: str) -> None:
        """Add a line. A full disk loses the line and nothing else."""
        if not line.startswith("{"):
            line = json.dumps({"t": _now(), "role": self._name, "line": line}, ensure_ascii=False)
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            if self._file.tell() > MAX_BYTES or time.gmtime().tm_yday != self._day:
                self._turn()
        except OSError:
            return

    def tidy(self) -> None:
        """Delete turned-over files that are too old or too many."""
        old = sorted(self._path.parent.glob(f"{self._name}.log.*"), reverse=True)
        for index, path in enumerate(old):
            if index >= KEEP_FILES or time.time() - path.stat().st_mtime > KEEP_DAYS * 86400:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _turn(self) -> None:
        self._file.close()
        self._path.rename(self._path.with_name(f"{self._path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}"))
        self._file = self._path.open("ab")
        self._day = time.gmtime().tm_yday
        self.tidy()


def for_people(role: str, line: str) -> tuple[str, str] | None:
    """What of a log line belongs on the terminal: level and a short line, or None.

    Our own processes' warnings and errors do, and whatever they print in plain text; of the engines' lines only the dire ones.
    """
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            return ("info", line)
        level = str(event.get("level", "info"))
        if level not in _LOUD:
            return None
        told = {key: value for key, value in event.items() if key not in ("t", "level", "role", "event", "exception")}
        details = " ".join(f"{key}={value}" for key, value in told.items())
        last = str(event.get("exception", "")).strip().splitlines()[-1:]
        return level, " ".join(filter(None, [str(event.get("event", "")), details, *last]))
    if role == "postgres":
        return ("error", line.partition("] ")[2] or line) if "PANIC:" in line or "No space left" in line else None
    if role.startswith("nats-"):
        return ("error", line.partition("] ")[2] or line) if "[FTL]" in line else None
    return "info", line


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
