"""A ZIP that is made while its parts are read, so that it is never whole in memory."""

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lineset.kit.objects import Sink


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the ZIP: its size in bytes and the SHA-256 of its content, in hexadecimal."""

    name: str
    bytes: int
    sha256: str


class Archive:
    """A ZIP (with 64-bit sizes) that is written from front to back, compressed."""

    def __init__(self, sink: Sink, made_at: datetime) -> None:
        self._zip = zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=6)
        self._at = made_at.timetuple()[:6]

    def text(self, name: str, content: str) -> Entry:
        """A small file."""
        return self.pieces(name, [content.encode()])

    def pieces(self, name: str, pieces: Iterable[bytes], *, packed: bool = False) -> Entry:
        """A large file, piece by piece; one that is `packed` already is not compressed again."""
        sha, size = hashlib.sha256(), 0
        with self._zip.open(self._entry(name, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED), "w", force_zip64=True) as entry:
            for piece in pieces:
                entry.write(piece)
                sha.update(piece)
                size += len(piece)
        return Entry(name, size, sha.hexdigest())

    def close(self) -> None:
        """Write the list of contents."""
        self._zip.close()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # what was begun is nobody's: no list of contents is written to it when this object goes
            self._zip.fp = None

    def _entry(self, name: str, compress: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self._at)
        entry.compress_type = compress
        entry.external_attr = 0o644 << 16
        return entry
