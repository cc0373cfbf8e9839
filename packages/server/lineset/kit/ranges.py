"""Byte ranges of HTTP (RFC 9110, section 14), as far as a download that goes on needs them: one range of a file that never changes."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d*)-(\d*)\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """What to send: bytes from `start` until before `end` of a file of `size` bytes. `status` is 200, 206, 304 or 416."""

    status: int
    start: int
    end: int
    headers: dict[str, str]


def piece_of(size: int, etag: str, asked: str | None, if_range: str | None = None, if_none_match: str | None = None) -> Piece:
    """The answer to a request with these headers (`Range`, `If-Range`, `If-None-Match`); `etag` with its quotes, a strong one.

    Several ranges at once, and a range that can't be read, get the whole file, as the standard allows.
    """
    head = {"accept-ranges": "bytes", "etag": etag}
    if if_none_match is not None and (if_none_match.strip() == "*" or etag in [part.strip() for part in if_none_match.split(",")]):
        return Piece(304, 0, 0, head)
    whole = Piece(200, 0, size, {**head, "content-length": str(size)})
    found = _ONE.match((asked or "").strip())
    if found is None or found.group(1) == found.group(2) == "" or (if_range is not None and if_range.strip() != etag):
        return whole
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return whole
    if start >= size or (not first and int(last) == 0):
        return Piece(416, 0, 0, {**head, "content-range": f"bytes */{size}"})
    return Piece(206, start, end, {**head, "content-range": f"bytes {start}-{end - 1}/{size}", "content-length": str(end - start)})
