"""The content of any file: Parquet, ZIP and compressed files are decoded, and every file is searched as bytes as well."""

import bz2
import contextlib
import gzip
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import polars as pl

from lineset.probing.canary import Search

PIECE = 4 << 20
_ROWS = 65_536
"""Rows of Parquet in memory at one time."""
_DEEPEST = 4
"""Archives within archives."""
_MOST_BYTES = 1 << 40
"""What the archives of one file may unpack to, in bytes, before the file counts as one that can't be searched."""


class _Packed(Protocol):
    """A file that unpacks itself while it is read."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


_OPENERS: dict[bytes, Callable[[Path], _Packed]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_CLOSED = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"7z\xbc\xaf\x27\x1c": "7z"}


class Unsearchable(Exception):
    """A file whose content can't be decoded, so that nothing can be said of it."""


def scan_file(path: Path, search: Search, *, short: bool = False) -> Iterator[int | dict[int, str]]:
    """Search one file. Yields how many of its bytes each step read, and at the end what was found: canary to the place within the file.

    Raises:
        Unsearchable: it is in a format that is known and can't be decoded.
        OSError: it can't be read.
    """
    scan = search.scan(short=short)
    with path.open("rb") as file:
        begin = file.read(8)
        file.seek(0)
        while piece := file.read(PIECE):
            scan.feed(piece)
            yield len(piece)
    scan.close()
    yield {n: f"byte {at}" for n, at in scan.found.items()} | _Decoder(search).decode(path, begin)


class _Decoder:
    """Opens one file, and what is packed in it, and what is packed in that."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._room = _MOST_BYTES

    def decode(self, path: Path, begin: bytes, deep: int = 0) -> dict[int, str]:
        if deep > _DEEPEST:
            raise Unsearchable(f"more than {_DEEPEST} archives within each other")
        try:
            if begin.startswith(b"PAR1"):
                return self._parquet(path)
            if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                return self._zip(path, deep)
            for magic, opener in _OPENERS.items():
                if begin.startswith(magic):
                    with contextlib.closing(opener(path)) as packed:
                        return self._packed(packed, "unpacked", deep)
        except (
            pl.exceptions.PolarsError,
            zipfile.BadZipFile,
            EOFError,
            zlib.error,
            lzma.LZMAError,
            RuntimeError,
            NotImplementedError,
        ) as e:
            raise Unsearchable(f"{type(e).__name__}: {str(e).splitlines()[0][:200] if str(e) else 'it ends early'}") from e
        for magic, name in _CLOSED.items():
            if begin.startswith(magic):
                raise Unsearchable(f"{name}, which is not decoded here")
        return {}

    def _parquet(self, path: Path) -> dict[int, str]:
        found: dict[int, str] = {}
        lazy = pl.scan_parquet(path, hive_partitioning=False, glob=False)
        rows = int(lazy.select(pl.len()).collect().item())
        for start in range(0, rows, _ROWS):
            frame = lazy.slice(start, _ROWS).collect()
            for n in self._search.in_frame(frame, frozenset(found)):
                found[n] = f"rows {start} to {min(start + _ROWS, rows)}"
        return found

    def _zip(self, path: Path, deep: int) -> dict[int, str]:
        found: dict[int, str] = {}
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                with archive.open(member) as packed:
                    for n, place in self._packed(packed, member.filename, deep).items():
                        found.setdefault(n, place)
        return found

    def _packed(self, packed: _Packed, name: str, deep: int) -> dict[int, str]:
        """Search a packed file; one that is packed or columnar again is unpacked to the disk first, for as long as it takes."""
        begin = packed.read(8)
        if _is_coded(begin):
            with tempfile.NamedTemporaryFile(prefix="lineset-probe-") as copy:
                copy.write(begin)
                self._pieces(packed, copy.write)
                copy.flush()
                inner = self.decode(Path(copy.name), begin, deep + 1)
            return {n: f"{name}, {place}" for n, place in inner.items()}
        scan = self._search.scan()
        scan.feed(begin)
        self._pieces(packed, scan.feed)
        return {n: f"{name}, byte {scan.found[n]}" for n in scan.close()}

    def _pieces(self, packed: _Packed, take: Callable[[bytes], object]) -> None:
        while piece := packed.read(PIECE):
            self._room -= len(piece)
            if self._room < 0:
                raise Unsearchable("it unpacks to more than a terabyte")
            take(piece)


def _is_coded(begin: bytes) -> bool:
    return begin.startswith((b"PAR1", b"PK\x03\x04", b"PK\x05\x06", *_OPENERS, *_CLOSED))
