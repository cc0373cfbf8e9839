"""PostgreSQL's write-ahead log: the stream of records without its page headers, and the images of whole pages in it, decompressed.

A segment is a row of pages of 8 kB, each with a header of 24 bytes (the first: 40) that says how much of a record from before continues
in it (xlog_internal.h). A record begins at a multiple of 8 with its length, and names the pages it touches; it may hold them whole, without
the unused middle, compressed or not (xlogrecord.h).
"""

import contextlib
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineset.probing import pglz
from lineset.probing.canary import Search
from lineset.probing.pages import PAGE, in_page

_NAME = re.compile(r"[0-9A-F]{24}(\.partial)?")
_SHORT_HEADER, _LONG_HEADER = 24, 40
_RECORD_HEADER = 24
_LONGEST_RECORD = 64 << 20  # bytes; a longer one is searched as bytes only
_HAS_IMAGE, _SAME_RELATION = 0x10, 0x80
_PGLZ, _OTHERS, _HAS_HOLE = 0x04, 0x18, 0x01
_MAIN_SHORT, _MAIN_LONG, _ORIGIN, _TOP_XID, _LAST_BLOCK = 255, 254, 253, 252, 32


class Unreadable(Exception):
    """The log holds page images in a compression that can't be opened here."""


def is_segment(name: str) -> bool:
    """Whether a file of that name is a segment of the log."""
    return _NAME.fullmatch(name) is not None


def scan_log(paths: Sequence[Path], search: Search) -> Iterator[int | dict[int, str]]:
    """Search these segments, oldest first. Yields how many bytes each step read, and at the end what was found: canary to the segment.

    Raises:
        Unreadable: `wal_compression` is lz4 or zstd.
    """
    scan = search.scan(short=True)
    found: dict[int, str] = {}
    before, carry = "", b""
    for path, raw in _contents(paths):
        stream = _stream(raw)
        scan.feed(stream)
        places = set(scan.found)
        for _, value in pglz.values(stream, step=1):
            places |= search.in_bytes(value, short=True)
        whole, carry = _split(carry if _follows(before, path.name) else b"", stream, raw)
        for record in whole:
            for image in images(record):
                places |= in_page(image, search)
        for n in places:
            found.setdefault(n, path.name)
        before = path.name
        yield len(raw)
    for n in scan.close():
        found.setdefault(n, before)
    yield found


def records(paths: Sequence[Path]) -> Iterator[bytes]:
    """The records of these segments, oldest first."""
    before, carry = "", b""
    for path, raw in _contents(paths):
        whole, carry = _split(carry if _follows(before, path.name) else b"", _stream(raw), raw)
        yield from whole
        before = path.name


def _contents(paths: Sequence[Path]) -> Iterator[tuple[Path, bytes]]:
    """Each segment whole; PostgreSQL's usual size is 16 MB."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            yield path, path.read_bytes()


def _stream(raw: bytes) -> bytes:
    return b"".join([raw[_LONG_HEADER:PAGE], *(raw[p + _SHORT_HEADER : p + PAGE] for p in range(PAGE, len(raw), PAGE))])


def _follows(before: str, name: str) -> bool:
    # the last two groups of eight digits are a number whose low group runs to 0xFF with segments of 16 MB
    return bool(before) and before[:8] == name[:8] and _number(name) == _number(before) + 1


def _number(name: str) -> int:
    return int(name[8:16], 16) * 256 + int(name[16:24], 16)


def _continued(raw: bytes) -> int:
    """How many bytes at the beginning belong to a record from before, up to the next multiple of 8."""
    if len(raw) < _LONG_HEADER:
        return 0
    (flags,) = struct.unpack_from("<H", raw, 2)
    (rest,) = struct.unpack_from("<I", raw, 16)
    return (rest + 7) // 8 * 8 if flags & 1 else 0


def _split(carry: bytes, stream: bytes, raw: bytes) -> tuple[list[bytes], bytes]:
    """The records that end in a segment, and the beginning of the one that does not; `carry`: such a beginning, from the segment before."""
    at = 0 if carry else _continued(raw)
    data = carry + stream
    whole: list[bytes] = []
    while at + _RECORD_HEADER <= len(data):
        (length,) = struct.unpack_from("<I", data, at)
        if not _RECORD_HEADER <= length <= _LONGEST_RECORD or data[at + 18 : at + 20] != b"\0\0":  # two bytes that nothing uses
            return whole, b""  # zeros: the log ends here, or was ended early to go on in the next segment
        if at + length > len(data):
            break
        whole.append(data[at : at + length])
        at += (length + 7) // 8 * 8
    return whole, data[at:]


@dataclass(frozen=True, slots=True)
class _Block:
    """What a record says of one page that it touches: how much is told of it besides, and of its image (0: none) the length, flags, and
    the place and length of the unused middle that was left out."""

    data: int
    size: int = 0
    flags: int = 0
    place: int = 0
    hole: int = 0


def images(record: bytes) -> list[bytes]:
    """The whole pages that one record holds; none where it is no record.

    Raises:
        Unreadable: in a compression other than PostgreSQL's own.
    """
    try:
        at, blocks = _blocks(record)
    except (struct.error, IndexError):
        return []
    result = []
    for block in blocks:
        if block.size:
            result.append(_page(record[at : at + block.size], block))
        at += block.size + block.data
    return result


def _blocks(record: bytes) -> tuple[int, list[_Block]]:
    """The pages that a record touches, and where what it says of them begins."""
    blocks: list[_Block] = []
    at, payload = _RECORD_HEADER, 0
    while len(record) - at > payload:
        kind = record[at]
        at += 1
        if kind in (_MAIN_SHORT, _MAIN_LONG):
            at += 1 if kind == _MAIN_SHORT else 4
            break
        if kind in (_ORIGIN, _TOP_XID):
            at += 2 if kind == _ORIGIN else 4
            continue
        if kind > _LAST_BLOCK:
            return at, []
        fork, data = struct.unpack_from("<BH", record, at)
        at += 3
        block = _Block(data)
        if fork & _HAS_IMAGE:
            size, place, flags = struct.unpack_from("<HHB", record, at)
            at += 5
            hole = PAGE - size if flags & _HAS_HOLE else 0
            if flags & (_PGLZ | _OTHERS):
                (hole,) = struct.unpack_from("<H", record, at) if flags & _HAS_HOLE else (0,)
                at += 2 if flags & _HAS_HOLE else 0
            block = _Block(data, size, flags, place, hole)
        blocks.append(block)
        payload += block.size + block.data
        at += (0 if fork & _SAME_RELATION else 12) + 4
    return at, blocks


def _page(content: bytes, block: _Block) -> bytes:
    if block.flags & _OTHERS:
        raise Unreadable("wal_compression is lz4 or zstd; set it to pglz or off")
    if block.flags & _PGLZ:
        try:
            content = pglz.decompress(content, max(0, PAGE - block.hole))
        except pglz.Broken:
            return content
    return content[: block.place] + bytes(max(0, block.hole)) + content[block.place :]
