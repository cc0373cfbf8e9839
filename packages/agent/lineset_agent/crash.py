"""What the agent leaves behind when it fails: a short report on the disk, sent at the next start.

It holds what a developer needs and nothing about people: the class of the error, its sentence and the last lines of the agent's own log
without addresses and secrets, and places in programs without values or the folders that they lie in.
"""

import collections
import contextlib
import json
import logging
import os
import platform
import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lineset_agent import __version__

FILE = "crash.json"
MAX_BYTES = 6_000
MAX_FRAMES = 20
MAX_LINES = 30
MAX_LINE = 200
MAX_SAY = 300

_HIDDEN = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]+"  # e-mail addresses
    r"|\w+://\S+"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?=[0-9a-fA-F:]*:[0-9a-fA-F]*:)[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}"  # network addresses
    r"|\bls[dt]?_\w+"  # tokens
    r"|\b[\w+/=-]{24,}"  # whatever is as long as a secret
    r"|(?:/[\w.@+-]+){2,}"  # folders
)

log = logging.getLogger(__name__)


class Recent(logging.Handler):
    """Remembers the last lines of the agent's own log, for a process that holds one agent."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: collections.deque[str] = collections.deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember one line."""
        with contextlib.suppress(Exception):  # a log call with wrong arguments must not become a fault of its own
            self._lines.append(f"{record.levelname} {record.getMessage()}")

    def lines(self) -> list[str]:
        """The last lines, oldest first."""
        return list(self._lines)


def write(folder: Path, error: BaseException, *, at: float, uptime_s: float, lines: Iterable[str] = ()) -> None:
    """Keep a report of this error (`at`: s since 1970) for the next start. A disk that takes none is only logged."""
    report = describe(error, uptime_s, lines) | {"at": at}
    path = folder / FILE
    fresh = path.with_suffix(".new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(report, out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except OSError as problem:
        log.warning("the crash report could not be kept: %s", problem)


def describe(error: BaseException, uptime_s: float, lines: Iterable[str] = ()) -> dict[str, Any]:
    """A report as an event's detail, at most 6 kB as JSON: the oldest lines of the log go first, then the outermost frames."""
    frames = [_place(frame) for frame in traceback.extract_tb(error.__traceback__)][-MAX_FRAMES:]
    report: dict[str, Any] = {
        "code": "crash",
        "type": type(error).__name__[:60],
        "say": shown(str(error), MAX_SAY),
        "frames": frames,
        "agent": __version__,
        "python": platform.python_version(),
        "uptime_s": round(max(0.0, uptime_s)),
        "log": [shown(line, MAX_LINE) for line in lines][-MAX_LINES:],
    }
    while len(json.dumps(report)) > MAX_BYTES and (report["log"] or len(report["frames"]) > 1):
        del (report["log"] or report["frames"])[0]
    return report


def take(folder: Path, keep: Callable[[float, dict[str, Any]], None]) -> bool:
    """Hand a report that was left behind to `keep(at, detail)` and delete it once that is done; whether there was one."""
    path = folder / FILE
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError as problem:
        log.warning("the crash report could not be read: %s", problem)
        return False
    try:
        report = json.loads(raw) if len(raw) <= 2 * MAX_BYTES else None
    except ValueError:
        report = None
    at = report.pop("at", None) if isinstance(report, dict) else None
    if not isinstance(report, dict) or not isinstance(at, (int, float)):
        log.warning("%s is no crash report; it is deleted", path)
        path.unlink(missing_ok=True)
        return False
    keep(float(at), report)
    path.unlink(missing_ok=True)
    return True


def shown(text: str, most: int) -> str:
    """The text in one line without what may name somebody or something secret."""
    return _HIDDEN.sub("…", " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split()))[:most]


def _place(frame: traceback.FrameSummary) -> str:
    """`lineset_agent/runtime.py:100 _run`: a program's file as its package names it, without the folders above."""
    parts = Path(frame.filename).parts
    roots = [n for n, part in enumerate(parts) if part in {"site-packages", "dist-packages"} or re.fullmatch(r"python3\.\d+", part)]
    ours = [n for n, part in enumerate(parts) if part.startswith("lineset_")]
    begin = ours[-1] if ours else roots[-1] + 1 if roots else len(parts) - 1
    return f"{'/'.join(parts[begin:][-4:])}:{frame.lineno} {frame.name}"[:160]
