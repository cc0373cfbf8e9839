"""The log of requests: one line for each, in one file a day, whose addresses are shortened and which ends by its declared times.

A line holds no path as typed and no query, since ids and the secrets of links stand in them: only the route that answered.
"""

import hmac
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from lineset.privacy.declare import File
from lineset.privacy.retention import network_of
from lineset.privacy.vocabulary import Purpose, Retention, Subject

FOLDER = Path("logs") / "requests"
REQUESTS = File(
    "logs/requests/*",
    "requests to the web pages: when, which page, address, kind of browser, language, a mark of its cookie that changes each day,"
    " and the site it came from",
    "user.device.ip_address",
    Subject.TAG,
    (Purpose.SECURITY,),
    Retention("written", 14),
    shorten=Retention("written", 7),
)
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(\.short)?\.log")
_MARK_CHARS = 12


class Line(msgspec.Struct, frozen=True):
    """One request. `route` is the pattern that answered, "-" where none did; `mark` is empty for a browser without a cookie of ours;
    `from_site` is the origin that the browser came from, empty for none or ourselves; `ms` runs until the answer begins."""

    t: datetime
    method: str
    route: str
    status: int
    ms: float
    address: str
    browser: str
    language: str
    mark: str
    from_site: str


class RequestLog:
    """Appends lines to the day's file. Any number of processes may write to the same folder."""

    def __init__(self, data: Path, key: bytes) -> None:
        self._folder = data / FOLDER
        self._key = key
        self._day: date | None = None
        self._file = -1

    def mark(self, day: date, cookie: str) -> str:
        """What stands for a cookie on one day: equal for the same cookie, and of no use on the next day or to anybody without the key."""
        return hmac.digest(self._key, f"{day}:{cookie}".encode(), "sha256").hex()[:_MARK_CHARS] if cookie else ""

    def write(self, line: Line) -> None:
        """Add a line. A full disk loses the line and nothing else."""
        try:
            if line.t.date() != self._day:
                self._turn(line.t.date())
            os.write(self._file, msgspec.json.encode(line) + b"\n")  # one call: lines of several processes do not mix
        except OSError:
            self._day = None

    def close(self) -> None:
        """Close the day's file."""
        if self._file >= 0:
            os.close(self._file)
        self._day, self._file = None, -1

    def _turn(self, day: date) -> None:
        self.close()
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._file = os.open(self._folder / f"{day}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._day = day


def tend(data: Path, today: date | None = None) -> dict[str, int]:
    """Shorten the addresses of files past their first time and delete files past their last: how many files "shortened" and "deleted".

    Blocks; any number of processes may do it at once or die meanwhile.
    """
    today = today or datetime.now(UTC).date()
    counts = {"shortened": 0, "deleted": 0}
    for path, day, short in _files(data):
        age = (today - day).days
        if age > _days(REQUESTS.retention):
            path.unlink(missing_ok=True)
            counts["deleted"] += 1
        elif not short and age > _days(REQUESTS.shorten):
            counts["shortened"] += _shorten(path)
    for draft in (data / FOLDER).glob("*.draft"):  # of a process that died
        if today - datetime.fromtimestamp(draft.stat().st_mtime, UTC).date() > timedelta(days=1):
            draft.unlink(missing_ok=True)
    return counts


def overdue(data: Path, today: date | None = None) -> int:
    """Files of this machine that are past their time: to be deleted, or to have lost their addresses."""
    today = today or datetime.now(UTC).date()
    found = 0
    for _, day, short in _files(data):
        age = (today - day).days
        # one day more: the job that tends to them runs within the hours after midnight
        found += age > _days(REQUESTS.retention) + 1 or (not short and age > _days(REQUESTS.shorten) + 1)
    return found


def _files(data: Path) -> Iterator[tuple[Path, date, bool]]:
    for path in sorted((data / FOLDER).glob("*.log")):
        named = _NAME.fullmatch(path.name)
        if named:
            yield path, date.fromisoformat(named[1]), bool(named[2])


def _shorten(path: Path) -> int:
    """Write the file anew with networks in the place of addresses, line by line, and put it into the old one's place."""
    draft = path.with_name(f"{path.stem}.{os.getpid()}.draft")
    try:
        with path.open("rb") as source, draft.open("wb") as target:
            for raw in source:
                try:
                    line = msgspec.json.decode(raw, type=Line)
                except msgspec.DecodeError:  # half a line of a process that died
                    continue
                target.write(msgspec.json.encode(msgspec.structs.replace(line, address=network_of(line.address) or "")) + b"\n")
            target.flush()
            os.fsync(target.fileno())
    except FileNotFoundError:  # another process was faster
        draft.unlink(missing_ok=True)
        return 0
    draft.replace(path.with_name(f"{path.stem}.short.log"))
    path.unlink(missing_ok=True)
    return 1


def _days(retention: Retention | None) -> int:
    return retention.days or 0 if retention else 0
