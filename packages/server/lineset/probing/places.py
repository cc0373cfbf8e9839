"""Where files of this installation lie, and which tier each belongs to."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lineset.embedded.place import abandoned
from lineset.kit.settings import Settings

TIERS = ("broker", "hot", "history", "exports", "logs", "rest")
"""In the order in which measurements move on, so that what moves during the search is met behind."""
_FOLDERS = {"nats": "broker", "postgres": "hot", "history": "history", "exports": "exports", "logs": "logs"}
_RELATION = re.compile(r"(?:base/\d+|global|pg_tblspc/\d+/[^/]+/\d+)/t?\d*_?\d+(?:_[a-z]+)?(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its tier, its name for people, where it is, its size in bytes, and what tells it from one that takes its name later."""

    tier: str
    name: str
    path: Path
    size: int
    identity: tuple[int, int]

    @property
    def within_cluster(self) -> str | None:
        """Its path below the database's own folder, if it is there."""
        parts = self.name.split("/")
        return "/".join(parts[2:]) if parts[0] == "postgres" and len(parts) > 2 and parts[1].isdigit() else None

    @property
    def is_relation(self) -> bool:
        """Whether it is a data file of a table or an index."""
        inside = self.within_cluster
        return inside is not None and _RELATION.fullmatch(inside) is not None

    @property
    def relation(self) -> str:
        """The path that PostgreSQL knows the table or index by: without the number of the gigabyte and the kind of map."""
        return re.sub(r"(_[a-z]+)?(\.\d+)?$", "", self.within_cluster or "")


def tier_of(name: str) -> str:
    """The tier of a file or object by its path below the data folder or the storage."""
    return _FOLDERS.get(name.split("/", 1)[0], "rest")


def walk(settings: Settings) -> Iterator[Found]:
    """Every file below the data folder, what its links lead to, and what earlier data folders of the same path have left behind."""
    seen: set[tuple[int, int]] = set()
    yield from _below(settings.data, "", seen)
    for folder in abandoned(settings.data):
        yield from _below(folder, f"{folder}/", seen)


def _below(folder: Path, name: str, seen: set[tuple[int, int]]) -> Iterator[Found]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        try:
            state = entry.stat()
        except FileNotFoundError:  # removed meanwhile, or a link to nowhere
            continue
        identity = (state.st_dev, state.st_ino)
        if identity in seen:
            continue
        if stat.S_ISDIR(state.st_mode):
            seen.add(identity)
            yield from _below(Path(entry.path), f"{name}{entry.name}/", seen)
        elif stat.S_ISREG(state.st_mode):
            seen.add(identity)
            whole = name + entry.name
            yield Found(tier_of(whole), whole, Path(entry.path), state.st_size, identity)
