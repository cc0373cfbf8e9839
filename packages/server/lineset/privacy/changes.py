"""Corrections: what people change of what they told, kept for two years so that they can see when, by whom, and what it was before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select

from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy.door import Person, Tx
from lineset.privacy.model_changes import HouseholdChangeRow, PersonChangeRow

MOST_LISTED = 500
_Row = type[PersonChangeRow] | type[HouseholdChangeRow]
Values = Mapping[str, tuple[str, str]]
"""What changed: by field ("person.name") the text before and after, empty for none."""


@dataclass(frozen=True, slots=True)
class Change:
    """A correction. `by` is None where the one who made it is gone, or the platform itself did."""

    at: datetime
    field: str
    before: str
    after: str
    by: UUID | None


async def note_person(tx: Tx, person: UUID, values: Values, thing: UUID | None = None) -> None:
    """Keep what changed of a person, or of a thing of theirs; what stayed the same is left out."""
    await _note(tx, PersonChangeRow, {"person_id": person, "thing": thing}, person, values)


async def note_household(tx: Tx, household: UUID, values: Values, thing: UUID | None = None) -> None:
    """Keep what changed of a household, its sites or machines. The platform's own actors leave no line: nobody was corrected."""
    if isinstance(tx.context.actor, Person):
        await _note(tx, HouseholdChangeRow, {"household_id": household, "thing": thing}, household, values)


async def forget_thing(tx: Tx, thing: UUID) -> None:
    """Delete all corrections of a contact, site or machine that is deleted itself."""
    await tx.session.execute(delete(PersonChangeRow).where(PersonChangeRow.thing == thing))
    await tx.session.execute(delete(HouseholdChangeRow).where(HouseholdChangeRow.thing == thing))


async def list_changes(tx: Tx, household: UUID | None = None, limit: int = MOST_LISTED) -> list[Change]:
    """Corrections of the acting person, and of one of their households, newest first. For the purpose of rights."""
    found = await _list(tx, PersonChangeRow, PersonChangeRow.person_id == tx.context.person, limit)
    if household is not None:
        found += await _list(tx, HouseholdChangeRow, HouseholdChangeRow.household_id == household, limit)
    return sorted(found, key=lambda c: c.at, reverse=True)[:limit]


async def _note(tx: Tx, row: _Row, whose: dict[str, UUID | None], subject: UUID, values: Values) -> None:
    by = tx.context.actor.id if isinstance(tx.context.actor, Person) else None
    for field, (before, after) in values.items():
        if before != after:
            sealed = {
                "before_sealed": await tx.vault.seal(subject, before) if before else None,
                "after_sealed": await tx.vault.seal(subject, after) if after else None,
            }
            await tx.session.execute(insert(row).values(id=new_id(), at=now(), field=field, by_person=by, **whose, **sealed))


async def _list(tx: Tx, row: _Row, mine: ColumnElement[bool], limit: int) -> list[Change]:
    rows: list[Any] = list(await tx.session.scalars(select(row).where(mine).order_by(row.at.desc(), row.id.desc()).limit(limit)))
    subjects = [r.person_id if isinstance(r, PersonChangeRow) else r.household_id for r in rows]
    before = await tx.vault.open_many((s, r.before_sealed) for s, r in zip(subjects, rows, strict=True))
    after = await tx.vault.open_many((s, r.after_sealed) for s, r in zip(subjects, rows, strict=True))
    return [Change(r.at, r.field, b or "", a or "", r.by_person) for r, b, a in zip(rows, before, after, strict=True)]
