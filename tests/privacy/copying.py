"""What tests of copies of one's data do again and again: ask for one, have it made, read what is in it."""

import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from lineset import diagnostics, schema
from lineset.kit.storage import Storage
from lineset.pages.common.words import catalogue
from lineset.privacy import Context, Door, Person, Purpose, Tx, ask_export, exporting
from lineset.privacy.exporting import ending
from lineset.telemetry.exports import Measurements


class Told:
    """Whom the workshop told, and until when the copy is there."""

    def __init__(self) -> None:
        self.people: list[tuple[UUID, datetime]] = []

    async def __call__(self, tx: Tx, person: UUID, until: datetime) -> None:  # noqa: ARG002
        self.people.append((person, until))


def shop_of(door: Door, storage: Storage, language: str = "en", told: Told | None = None) -> exporting.Workshop:
    """A workshop as the worker has one, in which everybody speaks one language."""

    async def speaks(tx: Tx, person: UUID) -> str:
        return language

    exporters: dict[str, exporting.Exporter] = {"measurements": Measurements(), "days": diagnostics.DayFiles()}
    return exporting.Workshop(door, storage, schema.register(), exporters, speaks, lambda name: catalogue(name).gettext, told or Told())


def rights(person: UUID) -> Context:
    return Context(Person(person), Purpose.RIGHTS)


async def asked(door: Door, person: UUID, subject: UUID | None = None) -> UUID:
    async with door.open(rights(person)) as tx:
        return await ask_export(tx, subject or person)


async def state(door: Door, person: UUID, export: UUID) -> exporting.AccountExport:
    async with door.open(rights(person)) as tx:
        return await exporting.get_export(tx, export)


async def copy_of(shop: exporting.Workshop, person: UUID, subject: UUID | None = None) -> dict[str, bytes]:
    """A copy of the person's data, made without a break: every file in it."""
    export = await asked(shop.door, person, subject)
    await shop.work(export, turn_s=1e9)
    await ending.clean_up(shop.door, shop.storage, export)
    return await opened(shop, person, export)


async def opened(shop: exporting.Workshop, person: UUID, export: UUID) -> dict[str, bytes]:
    """Every file of a finished copy."""
    async with shop.door.open(rights(person)) as tx:
        file = await exporting.file_of(tx, export)
    pieces = exporting.stream(shop.door, rights(person), shop.storage, file, 0, file.bytes)
    data = b"".join([piece async for piece in pieces])
    assert len(data) == file.bytes
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows_in(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    """The rows of `folder/table`; none where the copy has no such file."""
    found = files.get(f"data/{name}.json")
    return [] if found is None else msgspec.json.decode(found)["rows"]


def objects(storage: Storage) -> list[Path]:
    assert storage.folder is not None
    return [path for path in storage.folder.rglob("*") if path.is_file()]
