"""Before anything is erased: exactly what goes, what stays, why and until when. All of it from the declarations."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Table, func, or_, select

from lineset.kit.clock import now
from lineset.privacy.copies import KEY_COPY_DAYS
from lineset.privacy.door import Tx
from lineset.privacy.erasure.scope import Scope, Target, declared, gather, leaving, mentions, require, tables
from lineset.privacy.vocabulary import Subject

GRACE_DAYS = {"account": 14, "household": 14, "site": 7, "machine": 7, "device": 7, "item": 0}
"""Days in which somebody may change their mind, unless they want none."""


@dataclass(frozen=True, slots=True)
class Goes:
    """A kind of data that goes, in the words of its declaration; `count` None: too many to count one by one, or nobody may count them."""

    what: str
    count: int | None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stays:
    """A kind of data that stays. `why` is the legal basis or reason; `until` None: as long as that reason lasts."""

    what: str
    why: str
    until: datetime | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would do. `grace_days`: time to change one's mind; `last_copy_days`: after so many days no backup is readable."""

    target: Target
    goes: list[Goes]
    stays: list[Stays]
    grace_days: int
    scope: Scope = field(repr=False)
    last_copy_days: int = KEY_COPY_DAYS

    @property
    def households(self) -> int:
        """How many whole households go with it."""
        return len(self.scope.households)


async def plan(tx: Tx, target: Target) -> Plan:
    """What erasing the target would do, counted now. The asker acts for the purpose of rights.

    Raises:
        NotFound: no such thing is the asker's.
        Denied: the asker may not have it erased.
    """
    await require(tx, target)
    scope = await gather(tx, target)
    goes: list[Goes] = []
    stays: list[Stays] = []
    for table in tables():
        goes += await _goes(tx, table, scope)
        stays += await _stays(tx, table, scope)
    if scope.series:
        goes.append(Goes("all that your machines measured, with hourly and daily sums", None, ("equipment.measurement",)))
    return Plan(target, goes, [*stays, *_always(scope)], GRACE_DAYS[target.kind], scope)


async def _goes(tx: Tx, table: Table, scope: Scope) -> list[Goes]:
    about = declared(table)
    # what is nobody's by declaration, and measurements, are not counted row by row
    if about.subject is Subject.NOBODY or about.erasure != "delete" or (about.path == "series_id"):
        return []
    if not scope.item and not scope.ids:
        return []
    count = await tx.session.scalar(select(func.count()).select_from(table).where(leaving(table, scope))) or 0
    if not count:
        return []
    held = {c.info["holds"].category for c in table.columns} - {"system.operations"}
    return [Goes(about.about, count, tuple(sorted(held)))]


async def _stays(tx: Tx, table: Table, scope: Scope) -> list[Stays]:
    """Rows that stay without their mention of who goes, or because a law wants them."""
    about = declared(table)
    if about.subject is Subject.NOBODY and not about.also:
        return []
    if about.erasure == "keep":
        bases = dict.fromkeys(c.info["holds"].keep for c in table.columns if c.info["holds"].keep)
        until = None if about.retention.days is None else now() + timedelta(days=about.retention.days)
        return [Stays(about.about, "; ".join(bases), until)] if not scope.item else []
    lost = list(mentions(table, scope).values())
    if not lost:
        return []
    rows = select(func.count()).select_from(table).where(or_(*lost), ~leaving(table, scope))
    count = await tx.session.scalar(rows) or 0
    return [Stays(about.about, "others' data: it stays without any mention of you", None, count)] if count else []


def _always(scope: Scope) -> list[Stays]:
    found = [
        Stays(
            "backups",
            "unreadable from the day on which the last copy of the keys ends; a restored one is erased again before it is used",
            now() + timedelta(days=KEY_COPY_DAYS),
        )
    ]
    shared = set(scope.touches) - set(scope.households)
    if scope.people and shared:
        found.append(Stays("households that somebody else owns too", "they are that owner's; your membership ends", None, len(shared)))
    return found
