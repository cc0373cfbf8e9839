"""Whose rows: the condition that finds everything of one person or one household in a table, from the declarations alone."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, or_, select
from sqlalchemy import Table as SqlTable

from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Subject

_PEOPLE = (Subject.PERSON, Subject.WORKER)


@dataclass(frozen=True, slots=True)
class Whose:
    """One person or one household (`kind`)."""

    kind: Subject
    id: UUID


def belongs(register: Register, name: str, whose: Whose, *, also: bool = True) -> ColumnElement[bool] | None:
    """The condition for the rows of a table that are about that subject; None where no path of the table leads to its kind.

    `also`: with the rows of others that name the subject besides.
    """
    table, declared = register.metadata.tables[name], register.table(name)
    ways: list[tuple[str, Subject]] = [] if declared.subject is Subject.NOBODY else [(declared.path, declared.subject)]
    if also:
        ways += declared.also
    found: list[ColumnElement[bool]] = []
    for column, subject in ways:
        if whose.kind in _PEOPLE and subject in _PEOPLE:
            found.append(table.columns[column] == whose.id)
        elif whose.kind is Subject.HOUSEHOLD and subject is Subject.HOUSEHOLD:
            through, _, key = declared.via.partition(".") if column == declared.path else ("", "", "")
            if through:
                next_ = register.metadata.tables[through]
                leads = select(next_.columns[key]).where(next_.columns[register.table(through).path] == whose.id)
                found.append(table.columns[column].in_(leads))
            else:
                found.append(table.columns[column] == whose.id)
    return or_(*found) if found else None


def is_sealed(column: "Column[object]") -> bool:
    """Whether the column's values are sealed under a subject's key."""
    return isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")


def sealing(register: Register, table: SqlTable) -> tuple[str, ...]:
    """The columns of which the first that is filled names the subject under whose key a row is sealed."""
    declared = register.table(table.name)
    return declared.sealed_by or ((declared.path,) if declared.path else ())
