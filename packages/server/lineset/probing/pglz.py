"""PostgreSQL's own compression (src/common/pg_lzcompress.c), the reading half.

A control byte says of each of the eight items that follow, lowest bit first, whether it is a byte (0) or a copy of what came before (1):
two bytes with length - 3 in the low four bits of the first, and the distance in its high four bits and the second; a length of 18 is
continued in a third byte.
"""

import struct
from collections.abc import Iterator

import numpy as np

_PAGE = 8192
_LONGEST = 18
_COPIES = frozenset(bytes([control]) for control in range(1, 256, 2))


class Broken(ValueError):
    """These bytes are not what the compression writes."""


def decompress(source: bytes, size: int) -> bytes:
    """What was compressed, `size` bytes at most; less where the source ends early.

    Raises:
        Broken: a copy from before the beginning.
    """
    out = bytearray()
    at, end = 0, len(source)
    while at < end and len(out) < size:
        control = source[at]
        at += 1
        if control == 0:
            out += source[at : at + 8]
            at += 8
            continue
        for _ in range(8):
            if at >= end or len(out) >= size:
                break
            if control & 1:
                at = _copy(source, at, out)
            else:
                out.append(source[at])
                at += 1
            control >>= 1
    return bytes(out[:size])


def _copy(source: bytes, at: int, out: bytearray) -> int:
    if at + 1 >= len(source):
        return len(source)
    length, distance = (source[at] & 0x0F) + 3, (source[at] & 0xF0) << 4 | source[at + 1]
    at += 2
    if length == _LONGEST:
        if at >= len(source):
            return at
        length += source[at]
        at += 1
    if not 0 < distance <= len(out):
        raise Broken("a copy from before the beginning")
    begin = len(out) - distance
    if distance >= length:
        out += out[begin : begin + length]
    else:
        out += (out[begin:] * (length // distance + 1))[:length]
    return at


def values(data: bytes, *, step: int) -> Iterator[tuple[int, bytes]]:
    """The compressed values that stand in rows, live or deleted, with their place: `data` is pages or log, `step` how values are aligned.

    A value has four bytes with its length and the bits 10 (varatt.h, little-endian), four with the size of the original and the method,
    of which 00 is this one. Whatever looks so is tried; what is not of the announced size is none.
    """
    for shift in range(0, 4, step):
        usable = (len(data) - shift) // 4 * 4
        if usable < 8:
            continue
        words = np.frombuffer(data, "<u4", usable // 4, shift)
        length, size = words[:-1] >> 2, words[1:]
        fits = (words[:-1] & 3 == 2) & (length > 8) & (length < _PAGE) & (size >> 30 == 0) & (size > length - 8) & (size < length * 300)
        for index in np.nonzero(fits)[0].tolist():
            at = shift + index * 4
            if data[at + 8 : at + 9] in _COPIES:  # the first item can't be a copy
                continue
            wanted = int(size[index])
            value = _try(data[at + 8 : at + int(length[index])], wanted)
            if value is not None:
                yield at, value


def external(stored: bytes) -> bytes | None:
    """The original of a value that was compressed and then kept in pieces outside its row; None if it was not compressed.

    Where the last pieces are missing, as much as the others give.
    """
    if len(stored) < 8:
        return None
    (size,) = struct.unpack_from("<I", stored)
    if size >> 30 or size <= len(stored) - 4:
        return None
    try:
        return decompress(stored[4:], size)
    except Broken:
        return None


def _try(source: bytes, size: int) -> bytes | None:
    try:
        out = decompress(source, size)
    except Broken:
        return None
    return out if len(out) == size else None
