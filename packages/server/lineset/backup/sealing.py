"""The file of a backup: chunks, each sealed under the key of the one whose rows it holds, and a sealed list of contents at the end.

    magic, length of header, header (JSON)
    chunk …: section, group, number of rows, length, label; sealed bytes (AES-256-GCM)
    sealed list of contents; its length; closing magic

Chunks are numbered through the file; the number is the nonce (each key serves one file only) and, with the header and the chunk's own
head, what the seal binds. So chunks can't be changed, left out, doubled or moved without being found. A label is a keyed digest of the
subject's id: the file names nobody. NIST SP 800-38D; no chunk is longer than `MOST`.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lineset.kit.errors import LinesetError

FORMAT = 1
CHUNK = 1 << 20
"""Bytes of rows after which a chunk is closed."""
MOST = 1 << 28
_MAGIC, _END = b"LINESETB", b"LSB.END\n"
_HEAD = struct.Struct(">HIIQ16s")
_LABEL_OF_ALL = bytes(16)
_LIST_NONCE = b"\xff" * 12
_READ = 1 << 20


class BadBackup(LinesetError):
    """A file can't be used as a backup: cut short, changed, made by another installation or by a newer Lineset."""


class Header(msgspec.Struct, frozen=True):
    """What stands openly at the beginning. `check`: a digest by which the right master key is known; each file has its own `salt`."""

    format: int
    version: str
    made_at: str
    revision: str
    salt: str
    check: str


class Section(msgspec.Struct):
    """One table, or one kind of files: where its chunks begin, how many there are, and how many rows of how many subjects they hold."""

    name: str
    columns: list[str]
    at: int
    first: int
    chunks: int = 0
    rows: int = 0
    packed: bool = True  # rows of text, compressed here; else what compresses itself


class Contents(msgspec.Struct):
    """The sealed list at the end; `about` holds what restoring needs besides rows."""

    digest: str
    chunks: int
    subjects: int
    sections: list[Section]
    about: dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk as it lies in the file. `label` None: sealed for the installation itself."""

    number: int
    group: int
    rows: int
    label: bytes | None
    head: bytes
    sealed: bytes
    packed: bool

    def opened(self, key: AESGCM) -> bytes:
        """Its rows.

        Raises:
            BadBackup: it was changed, or sealed under another key.
        """
        try:
            plain = key.decrypt(self.number.to_bytes(12, "big"), self.sealed, self.head)
            return zlib.decompress(plain) if self.packed else plain
        except (InvalidTag, zlib.error) as error:
            raise BadBackup(
                "changed", f"Chunk {self.number} of the backup was changed or belongs to another key. Use another copy."
            ) from error


class Writer:
    """Writes a file from its beginning to its end."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._at = 0
        self._number = 0
        self.sections: list[Section] = []
        told = msgspec.json.encode(header)
        self._bound = hashlib.sha256(told).digest()
        self._put(_MAGIC + struct.pack(">I", len(told)) + told)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._at

    def begin(self, name: str, columns: list[str], *, packed: bool = True) -> None:
        """A new section, to which the following chunks belong."""
        self.sections.append(Section(name, columns, self._at, self._number, packed=packed))

    def add(self, key: AESGCM, label: bytes | None, rows: int, data: bytes, group: int = 0) -> None:
        """Seal these rows of one subject (label None: of nobody) as the section's next chunk."""
        section = self.sections[-1]
        plain = zlib.compress(data, 4) if section.packed else data
        head = _HEAD.pack(len(self.sections) - 1, group, rows, len(plain) + 16, label or _LABEL_OF_ALL)
        self._put(head)
        self._put(key.encrypt(self._number.to_bytes(12, "big"), plain, self._bound + head))
        self._number += 1
        section.chunks, section.rows = section.chunks + 1, section.rows + rows

    def finish(self, key: AESGCM, subjects: int, about: dict[str, msgspec.Raw]) -> str:
        """Write the list of contents under the installation's key; the SHA-256 of the whole file in hexadecimal."""
        contents = Contents(self._digest.hexdigest(), self._number, subjects, self.sections, about)
        sealed = key.encrypt(_LIST_NONCE, zlib.compress(msgspec.json.encode(contents)), self._bound)
        self._put(sealed + struct.pack(">Q", len(sealed)) + _END)
        return self._digest.hexdigest()

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._at += len(data)


class Reader:
    """Reads a file; its header is known at once, its contents once it has been verified with the installation's key."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.contents: Contents | None = None
        start = file.read(len(_MAGIC) + 4)
        if start[:8] != _MAGIC or len(start) < 12:
            raise BadBackup("no_backup", "This is not a backup of Lineset.")
        told = file.read(min(int.from_bytes(start[8:], "big"), 65_536))
        self._bound = hashlib.sha256(told).digest()
        try:
            known = msgspec.json.decode(told, type=dict[str, msgspec.Raw])
            if msgspec.json.decode(known.get("format", msgspec.Raw(b"0")), type=int) != FORMAT:
                raise BadBackup("newer", "The backup has a format that this Lineset does not know. Use a newer one.")
            self.header = msgspec.json.decode(told, type=Header)
        except msgspec.DecodeError as error:
            raise BadBackup("changed", "The beginning of the backup was changed. Use another copy.") from error

    @classmethod
    def of(cls, file: BinaryIO, path: Path) -> Self:
        """Of an open file.

        Raises:
            BadBackup: it is no backup, or one that this build can't read.
        """
        return cls(file, path.stat().st_size)

    def verify(self, key: AESGCM) -> Iterator[int]:
        """Read the whole file and compare it with its list of contents. Yields the bytes read so far.

        Raises:
            BadBackup: it is cut short or was changed.
        """
        end = self._list_at()
        self._file.seek(end)
        sealed = self._file.read(self._size - len(_END) - 8 - end)
        try:
            told = zlib.decompress(key.decrypt(_LIST_NONCE, sealed, self._bound))
            contents = msgspec.json.decode(told, type=Contents)
        except (InvalidTag, zlib.error, msgspec.DecodeError) as error:
            raise BadBackup("changed", "The backup's list of contents can't be opened: the file was changed. Use another copy.") from error
        digest, left = hashlib.sha256(), end
        self._file.seek(0)
        while left:
            piece = self._file.read(min(_READ, left))
            if not piece:
                raise _short()
            digest.update(piece)
            left -= len(piece)
            yield end - left
        if digest.hexdigest() != contents.digest:
            raise BadBackup("changed", "The backup was changed or damaged: its bytes do not fit its list of contents. Use another copy.")
        self.contents = contents

    def section(self, name: str) -> Section | None:
        """That section, or None where the backup has none. After `verify`."""
        assert self.contents is not None  # noqa: S101 - the caller has verified the file
        return next((s for s in self.contents.sections if s.name == name), None)

    def chunks(self, section: Section) -> Iterator[Chunk]:
        """The chunks of a section, in order.

        Raises:
            BadBackup: a chunk is not the one that must stand there.
        """
        assert self.contents is not None  # noqa: S101 - as above
        place, at = self.contents.sections.index(section), section.at
        for number in range(section.first, section.first + section.chunks):
            self._file.seek(at)
            head = self._file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                raise _short()
            index, group, rows, length, label = _HEAD.unpack(head)
            if index != place or length > MOST:
                raise BadBackup("changed", f"Chunk {number} of the backup is not where it must be: the file was changed. Use another copy.")
            sealed = self._file.read(length)
            at += _HEAD.size + length
            whose = None if label == _LABEL_OF_ALL else label
            yield Chunk(number, group, rows, whose, self._bound + head, sealed, section.packed)

    def _list_at(self) -> int:
        self._file.seek(max(0, self._size - len(_END) - 8))
        tail = self._file.read(len(_END) + 8)
        length = int.from_bytes(tail[:8], "big")
        start = self._size - len(_END) - 8 - length
        if tail[8:] != _END or start < len(_MAGIC) or length > MOST:
            raise _short()
        return start


def _short() -> BadBackup:
    return BadBackup("cut_short", "The backup is cut short: its end is missing. Use another copy.")
