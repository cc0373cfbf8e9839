"""PostgreSQL's data files, page by page: tables, indexes and values kept outside their rows, with what was deleted and not overwritten.

Bytes are searched as they are; that finds what is not compressed, also where its row is long gone. Compressed values are opened: those in
rows wherever they stand, those kept in pieces as long as a page still says which pieces belong together.
"""

import struct
from collections import OrderedDict
from collections.abc import Iterator
from typing import BinaryIO

from lineset.probing import pglz
from lineset.probing.canary import Search

PAGE = 8192
_PIECE = 512 * PAGE
_OPEN_VALUES = 256  # unfinished values kept outside their rows, remembered at once
_LONGEST_VALUE = 32 << 20  # bytes of one such value that are put together
_NORMAL = 1  # state of a line pointer with storage


def scan_relation(file: BinaryIO, search: Search, *, toast: bool) -> Iterator[int | dict[int, str]]:
    """Search one data file. Yields how many bytes each step read, and at the end what was found: canary to the place in the file.

    `toast`: whether the file belongs to a table of values that are kept outside their rows.
    """
    scan = search.scan(short=True)
    inside: dict[int, str] = {}
    values = _Values(search) if toast else None
    base = 0
    while piece := file.read(_PIECE):
        scan.feed(piece)
        _search_values(piece, search, inside, base, step=4)
        if values is not None:
            for page in range(0, len(piece) - PAGE + 1, PAGE):
                values.add(piece[page : page + PAGE])
        base += len(piece)
        yield len(piece)
    scan.close()
    found = {n: f"page {at // PAGE}" for n, at in scan.found.items()}
    yield (values.finish() if values is not None else {}) | inside | found


def _search_values(data: bytes, search: Search, found: dict[int, str], base: int, *, step: int) -> None:
    for at, value in pglz.values(data, step=step):
        for n in search.in_bytes(value, short=True):
            found.setdefault(n, f"page {(base + at) // PAGE}, compressed")


def in_page(page: bytes, search: Search) -> set[int]:
    """The canaries in one page, as it is and in its compressed values."""
    inside: dict[int, str] = {}
    _search_values(page, search, inside, 0, step=4)
    return search.in_bytes(page, short=True) | set(inside)


def toast_pieces(page: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The pieces of values that a page of such a table holds, deleted ones too: number of the value, number of the piece, bytes.

    A page begins with 24 bytes, of which the 13th and 14th say where the line pointers end; each has 15 bits for the place of its row, two
    for its state and 15 for its length (bufpage.h, itemid.h). A row has its columns behind as many bytes as its 23rd says (htup_details.h):
    the value's number, the piece's number, and the piece, whose length stands in one byte or in four (varatt.h).
    """
    (lower,) = struct.unpack_from("<H", page, 12)
    if not 24 <= lower <= PAGE:
        return
    for (pointer,) in struct.iter_unpack("<I", page[24 : lower - (lower - 24) % 4]):
        at, state, length = pointer & 0x7FFF, pointer >> 15 & 3, pointer >> 17
        if state != _NORMAL or length < 32 or at + length > PAGE:
            continue
        row = page[at : at + length]
        begin = row[22]
        if begin + 9 > length:
            continue
        value, number = struct.unpack_from("<II", row, begin)
        head = begin + 8
        if row[head] & 1:
            size, start = (row[head] >> 1) - 1, head + 1
        else:
            size, start = (struct.unpack_from("<I", row, head)[0] >> 2) - 4 if head + 4 <= length else 0, head + 4
        if 0 < size <= length - start:
            yield value, number, row[start : start + size]


class _Values:
    """Puts together values that are kept in pieces, and searches them."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._open: OrderedDict[int, dict[int, bytes]] = OrderedDict()
        self._found: dict[int, str] = {}

    def add(self, page: bytes) -> None:
        for value, number, piece in toast_pieces(page):
            pieces = self._open.setdefault(value, {})
            if sum(map(len, pieces.values())) < _LONGEST_VALUE:
                pieces[number] = piece
            while len(self._open) > _OPEN_VALUES:
                self._close(*self._open.popitem(last=False))

    def finish(self) -> dict[int, str]:
        while self._open:
            self._close(*self._open.popitem(last=False))
        return self._found

    def _close(self, value: int, pieces: dict[int, bytes]) -> None:
        stored = b"".join(pieces[n] for n in sorted(pieces))
        for content in (stored, pglz.external(stored)):
            for n in self._search.in_bytes(content or b"", short=True):
                self._found.setdefault(n, f"value {value}")
