"""Copies of all data about somebody: asked for, made by jobs from the declarations, taken by a signed link, gone after a week."""

from typing import TYPE_CHECKING

from lineset.privacy.exporting.jobs import add_jobs
from lineset.privacy.exporting.links import LINK_MINUTES, check, sign
from lineset.privacy.exporting.plan import Exporter, Made, Piece
from lineset.privacy.exporting.service import (
    AccountExport,
    AccountFile,
    ask_export,
    drop_export,
    file_of,
    get_export,
    list_exports_of,
    stream,
)
from lineset.privacy.exporting.work import Workshop

if TYPE_CHECKING:
    from uuid import UUID

    from lineset.kit.storage import Storage
    from lineset.privacy.door import Door

STORAGE = "account_exports"
"""The storage in which the objects of copies lie."""
KEY = "copies"
"""The secret by which links to copies are signed."""

__all__ = [
    "KEY",
    "LINK_MINUTES",
    "STORAGE",
    "AccountExport",
    "AccountFile",
    "Exporter",
    "Made",
    "Piece",
    "Workshop",
    "add_jobs",
    "ask_export",
    "check",
    "drop_export",
    "file_of",
    "forget_exports",
    "get_export",
    "list_exports_of",
    "sign",
    "stream",
]


async def forget_exports(door: "Door", storage: "Storage", subject: "UUID") -> int:
    """Delete every copy with data about this person or household; how many. For erasure."""
    from lineset.privacy.exporting import ending  # noqa: PLC0415 - loads what few processes need

    return await ending.forget_exports(door, storage, subject)
