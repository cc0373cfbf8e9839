"""Objects of downloads: below a folder of each download's own in a storage. Calls block; run them in a thread."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import obstore

from lineset.kit.ids import parse_id
from lineset.kit.storage import Storage

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CHUNK = 1 << 22
"""Bytes that are in memory at one time when a file is read."""


class Spoilt(Exception):
    """An object is gone or is not what was written."""


@dataclass(frozen=True, slots=True)
class Written:
    """An object as it was written: its size in bytes and the SHA-256 of its bytes, in hexadecimal."""

    path: str
    bytes: int
    sha256: str


def part_path(download: UUID, number: int, ending: str = "parquet") -> str:
    """A new path for a part: never one that another try has written."""
    return f"{download}/parts/{number:06d}-{uuid4().hex}.{ending}"


def file_path(download: UUID, ending: str) -> str:
    """A new path for the finished file."""
    return f"{download}/{uuid4().hex}.{ending}"


def put(storage: Storage, path: str, data: bytes) -> Written:
    """Write a whole object."""
    obstore.put(storage.store(), path, data)
    sync(storage, path)
    return Written(path, len(data), hashlib.sha256(data).hexdigest())


def get(storage: Storage, path: str, sha256: str) -> bytes:
    """A whole object.

    Raises:
        Spoilt: it is gone, or not what was written.
    """
    try:
        data = bytes(obstore.get(storage.store(), path).bytes())
    except FileNotFoundError as error:
        raise Spoilt(path) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Spoilt(path)
    return data


def sync(storage: Storage, path: str) -> None:
    """Make a file in a folder outlast a power cut; object storage does by itself."""
    if storage.folder is None:
        return
    file = storage.folder / path
    for name in (file, file.parent):
        handle = os.open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def digest(storage: Storage, path: str) -> Written:
    """Size and SHA-256 of an object, read piece by piece."""
    store, sha, at = storage.store(), hashlib.sha256(), 0
    size = int(obstore.head(store, path)["size"])
    while at < size:
        piece = bytes(obstore.get_range(store, path, start=at, end=min(at + CHUNK, size)))
        sha.update(piece)
        at += len(piece)
    return Written(path, size, sha.hexdigest())


class Sink(io.RawIOBase):
    """A file that is written from front to back and becomes an object when it is finished; nothing is there before."""

    def __init__(self, storage: Storage, path: str) -> None:
        super().__init__()
        self._storage, self._path = storage, path
        self._writer = obstore.open_writer(storage.store(), path)
        self._sha = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Take these bytes."""
        piece = bytes(data)
        self._writer.write(piece)
        self._sha.update(piece)
        self._size += len(piece)
        return len(piece)

    def finish(self) -> Written:
        """Make it an object."""
        self._writer.close()
        sync(self._storage, self._path)
        return Written(self._path, self._size, self._sha.hexdigest())


def remove(storage: Storage, download: UUID, keep: str | None = None) -> int:
    """Delete what a download has in storage, all but `keep`; how many objects. What a process that died had begun to write goes too."""
    if storage.folder is None:
        store = storage.store()
        paths = [str(entry["path"]) for page in obstore.list(store, prefix=str(download)) for entry in page]
        paths = [path for path in paths if path != keep]
        for path in paths:
            discard(storage, path)
        return len(paths)
    place = storage.folder / str(download)
    files = [file for file in place.rglob("*") if file.is_file() and str(file.relative_to(storage.folder)) != keep]
    for file in files:
        file.unlink(missing_ok=True)
    if keep is None:
        shutil.rmtree(place, ignore_errors=True)
    return len(files)


def pieces(storage: Storage, path: str, sha256: str) -> Iterator[bytes]:
    """The bytes of an object, with `CHUNK` of them in memory at one time.

    Raises:
        Spoilt: it is gone, or not what was written; told before the first piece.
    """
    try:
        whole = digest(storage, path)
    except FileNotFoundError as error:
        raise Spoilt(path) from error
    if whole.sha256 != sha256:
        raise Spoilt(path)
    store = storage.store()
    for at in range(0, whole.bytes, CHUNK):
        yield bytes(obstore.get_range(store, path, start=at, end=min(at + CHUNK, whole.bytes)))


def lines(storage: Storage, path: str, sha256: str) -> Iterator[bytes]:
    """The lines of an object, as `pieces`."""
    rest = b""
    for piece in pieces(storage, path, sha256):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def discard(storage: Storage, path: str) -> None:
    """Delete an object; one that is gone already is none."""
    try:
        obstore.delete(storage.store(), path)
    except FileNotFoundError:
        return


def folders(storage: Storage) -> dict[UUID, datetime]:
    """Every download that has something in storage, with the time of its newest object."""
    found: dict[UUID, datetime] = {}
    for name, at in _times(storage):
        download = parse_id(name.partition("/")[0])
        if download is not None:
            found[download] = max(found.get(download, at), at)
    return found


def _times(storage: Storage) -> list[tuple[str, datetime]]:
    folder = storage.folder
    if folder is None:
        return [(str(entry["path"]), entry["last_modified"]) for page in obstore.list(storage.store()) for entry in page]
    return [(str(file.relative_to(folder)), datetime.fromtimestamp(file.stat().st_mtime, UTC)) for file in folder.rglob("*")]
