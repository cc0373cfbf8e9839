"""What a copy of somebody's data is made of: a file for each declared table and subject, and what domains add."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text

from lineset.privacy.door import Tx
from lineset.privacy.exporting.rows import tables_of
from lineset.privacy.paths import Whose
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Subject

ROWS = "rows"
"""The maker of a table's rows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file to be made: its name in the copy, and what its maker needs to know (ids, names of points, times)."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it is handed over, and how many readings or rows it holds."""

    data: bytes
    rows: int


class Exporter(Protocol):
    """Hands over what is not rows of a table, or rows that say nothing by themselves. Domains register one by the name that their tables
    declare."""

    async def plan(self, tx: Tx, household: UUID) -> list[Piece]:
        """The files for a household, as its owner may see it."""

    async def make(self, tx: Tx, args: Mapping[str, Any]) -> Made | None:
        """One of them; None where there is nothing to be told.

        Raises:
            NotFound: it is not shared with the owner any more.
        """


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a copy: whose, made by what."""

    subject: UUID
    maker: str
    piece: Piece


async def owned(tx: Tx) -> list[UUID]:
    """The households of which the acting person is an owner."""
    return list(await tx.session.scalars(text("SELECT h FROM access.households('owner') AS h ORDER BY 1")))


async def parts_of(
    tx: Tx, register: Register, exporters: Mapping[str, Exporter], person: UUID, households: list[UUID], *, with_person: bool
) -> list[Part]:
    """Every file of a copy: about the person, then household by household."""
    found = []
    if with_person:
        found += [Part(person, ROWS, Piece(f"person/{name}", {"table": name})) for name in tables_of(register, Subject.PERSON)]
    for number, household in enumerate(households, 1):
        folder = f"household-{number}"
        found += [Part(household, ROWS, Piece(f"{folder}/{name}", {"table": name})) for name in tables_of(register, Subject.HOUSEHOLD)]
        for maker, exporter in sorted(exporters.items()):
            pieces = await exporter.plan(tx, household)
            found += [Part(household, maker, Piece(f"{folder}/{piece.name}", piece.args)) for piece in pieces]
    return found


def whose(part_subject: UUID, person: UUID) -> Whose:
    """The person, or else one of the households."""
    return Whose(Subject.PERSON if part_subject == person else Subject.HOUSEHOLD, part_subject)
