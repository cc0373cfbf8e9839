"""What an erasure reaches: the ids of everything that goes with its target, and the rows of each table that have one of them.

Which rows go is not listed by hand. A row goes if it is one of the things themselves, if its declared path leads to one, or if the
database would delete it together with one; what merely mentions one loses the mention.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, ColumnElement, ForeignKey, MetaData, String, Table, Uuid, and_, false, func, or_, select
from sqlalchemy.sql.selectable import ScalarSelect

from lineset.kit.database import Base
from lineset.kit.errors import Denied, NotFound
from lineset.privacy.declare import Holds
from lineset.privacy.declare import Table as Declared
from lineset.privacy.door import Person, Tx
from lineset.privacy.rights import may
from lineset.privacy.vocabulary import Subject

THINGS = {"account": "people", "household": "households", "site": "sites", "machine": "equipment", "device": "gateways"}
"""The table of each kind of target that has a table of its own."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be erased: `kind` is one of "account", "household", "site", "machine", "device" and "item"."""

    kind: str
    id: UUID


class Scope(msgspec.Struct, frozen=True):
    """Everything that goes with a target, by id. `subscriptions`: to news without an account, under the address of one that goes;
    `series`: numbers of measurements; `touches`: households that a hold may protect; `item`: the table of a single row."""

    people: tuple[UUID, ...] = ()
    households: tuple[UUID, ...] = ()
    sites: tuple[UUID, ...] = ()
    machines: tuple[UUID, ...] = ()
    gateways: tuple[UUID, ...] = ()
    subscriptions: tuple[UUID, ...] = ()
    series: tuple[int, ...] = ()
    touches: tuple[UUID, ...] = ()
    item: str = ""
    item_id: UUID | None = None

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Every id of a thing that goes."""
        return (*self.people, *self.households, *self.sites, *self.machines, *self.gateways, *self.subscriptions)

    @property
    def keyed(self) -> tuple[UUID, ...]:
        """Those that have a key of their own."""
        return (*self.people, *self.households, *self.subscriptions)


def tables(metadata: MetaData = Base.metadata) -> list[Table]:
    """All tables of the application, those first that others depend on."""
    return list(metadata.sorted_tables)


def declared(table: Table) -> Declared:
    """The declaration of a table."""
    found = table.info["declared"]
    assert isinstance(found, Declared)  # noqa: S101 - the register has checked every table
    return found


def _key(column: Column[Any]) -> ForeignKey | None:
    """The reference of a column to another table's key, if it has one, alone or together with other columns."""
    return next((key for key in column.foreign_keys if key.column.primary_key), None)


@dataclass(frozen=True)
class Reach:
    """How a table is reached: columns whose match makes a row go, columns that lose a match, and parents with which a row goes.

    `own`: the column of the household whose row it is, so that only the household that erases a thing loses rows that name it.
    `texts`: columns that name a device within other text, in tables that are nobody's.
    """

    goes: tuple[str, ...] = ()
    forgets: tuple[str, ...] = ()
    parents: tuple[tuple[str, str, str], ...] = ()
    texts: tuple[str, ...] = ()
    own: str = ""

    def match(self, table: Table, column: str, scope: Scope) -> ColumnElement[bool]:
        """The condition for rows whose column names what goes."""
        found = table.columns[column].in_(scope.ids)
        if not self.own or column == self.own or not scope.touches:
            return found
        theirs = table.columns[self.own]
        subjects = table.columns[column].in_(scope.keyed)
        return and_(found, or_(subjects, theirs.in_(scope.touches), theirs.is_(None)))


@cache
def reach(table: Table) -> Reach:
    """How the rows of a table are reached."""
    about = declared(table)
    goes, forgets, parents, texts = [], [], [], []
    for column in table.columns:
        key, holds = _key(column), column.info["holds"]
        assert isinstance(holds, Holds)  # noqa: S101 - as above
        if not isinstance(column.type, Uuid):
            if about.subject is Subject.NOBODY and isinstance(column.type, String) and holds.category == "user.device.device_id":
                texts.append(column.name)
            continue
        if about.erasure == "keep" and holds.erase == "keep":
            continue
        ends = key.ondelete if key is not None else None
        named = column.name == about.path or "outlives" in column.info
        if named or (column.primary_key and column.name == "id" and table.name in THINGS.values()):
            goes.append(column.name)
        elif key is not None and ends == "CASCADE":
            if key.column.table.name in THINGS.values() or key.column.table.name == "organisations":
                goes.append(column.name)
            else:
                parents.append((column.name, key.column.table.name, key.column.name))
        elif column.nullable and not column.primary_key:
            forgets.append(column.name)
    own = about.path if about.subject is Subject.HOUSEHOLD and about.path == "household_id" else ""
    return Reach(tuple(goes), tuple(forgets), tuple(parents), tuple(texts), own)


def leaving(table: Table, scope: Scope) -> ColumnElement[bool]:
    """The condition for rows that go; false where none can."""
    if scope.item:  # with what tells of it and outlives it
        names = ["id"] if table.name == scope.item else [column.name for column in table.columns if "outlives" in column.info]
        return or_(*(table.columns[name] == scope.item_id for name in names)) if names else false()
    ways, ids = reach(table), scope.ids
    if declared(table).erasure != "delete" or not ids:
        return false()
    found: list[ColumnElement[bool]] = [ways.match(table, name, scope) for name in ways.goes]
    for name, parent, key in ways.parents:
        above = table.metadata.tables[parent]
        found.append(table.columns[name].in_(select(above.columns[key]).where(leaving(above, scope))))
    for name in ways.texts:
        found += [table.columns[name].contains(str(id_), autoescape=True) for id_ in scope.gateways]
    return or_(*found) if found else false()


def mentions(table: Table, scope: Scope) -> dict[str, ColumnElement[bool]]:
    """For each column that may mention what goes: the condition for rows that do, and that stay."""
    if scope.item or not scope.ids:
        return {}
    ways = reach(table)
    names = ways.forgets
    if declared(table).erasure == "pseudonymise":
        names += tuple(name for name in ways.goes if table.columns[name].nullable)
    return {name: ways.match(table, name, scope) for name in names}


async def gather(tx: Tx, target: Target) -> Scope:
    """What goes with the target, as far as the actor sees it.

    Raises:
        NotFound: the target is not there for the actor.
    """
    t = Base.metadata.tables
    if target.kind == "item":
        return await _item(tx, target.id)
    thing = t[THINGS[target.kind]]
    if (await tx.session.execute(select(thing.c.id).where(thing.c.id == target.id))).one_or_none() is None:
        raise NotFound(target.kind)
    if target.kind == "account":
        return await _account(tx, target.id)
    if target.kind == "household":
        return await _households(tx, (target.id,))
    household = await tx.session.scalar(select(thing.c.household_id).where(thing.c.id == target.id))
    touches = (household,) if household is not None else ()
    if target.kind == "device":
        return Scope(gateways=(target.id,), touches=touches)
    where = "site_id" if target.kind == "site" else "id"
    machines = await _ids(tx, "equipment", where, (target.id,))
    series = await _series(tx, machines, household)
    if target.kind == "machine":
        return Scope(machines=machines, series=series, touches=touches)
    return Scope(
        sites=(target.id,), machines=machines, gateways=await _ids(tx, "gateways", "site_id", (target.id,)), series=series, touches=touches
    )


async def _account(tx: Tx, person: UUID) -> Scope:
    """A person with the households that nobody else owns, of the others only the membership, and with news under the same address."""
    m = Base.metadata.tables["household_members"].c
    lives = await tx.session.execute(select(m.household_id, m.role).where(m.person_id == person, m.ended_at.is_(None)))
    homes: dict[UUID, str] = dict(lives.all())
    owned = [household for household, role in homes.items() if role == "owner"]
    others = select(m.household_id).where(m.household_id.in_(owned), m.person_id != person, m.role == "owner", m.ended_at.is_(None))
    shared = set(await tx.session.scalars(others))
    whole = await _households(tx, tuple(h for h in owned if h not in shared))
    people, news = Base.metadata.tables["people"].c, Base.metadata.tables["news_subscribers"].c
    same = news.email_digest == select(people.email_digest).where(people.id == person).scalar_subquery()
    subscriptions = tuple(await tx.session.scalars(select(news.id).where(same)))
    return msgspec.structs.replace(whole, people=(person,), subscriptions=subscriptions, touches=tuple(homes))


async def _households(tx: Tx, households: tuple[UUID, ...]) -> Scope:
    tenures = Base.metadata.tables["tenures"].c
    return Scope(
        households=households,
        sites=await _ids(tx, "sites", "household_id", households),
        machines=await _ids(tx, "equipment", "household_id", households),
        gateways=await _ids(tx, "gateways", "household_id", households),
        series=tuple(await tx.session.scalars(select(tenures.series_id).where(tenures.household_id.in_(households)))),
        touches=households,
    )


async def _ids(tx: Tx, table: str, column: str, values: Collection[UUID]) -> tuple[UUID, ...]:
    found = Base.metadata.tables[table].c
    return tuple(await tx.session.scalars(select(found.id).where(found[column].in_(values)).order_by(found.id)))


async def _series(tx: Tx, machines: Collection[UUID], household: UUID | None) -> tuple[int, ...]:
    """What these machines measured while this household owned them: an earlier owner's time stays."""
    found = Base.metadata.tables["tenures"].c
    mine = found.equipment_id.in_(machines), found.household_id == household
    return tuple(await tx.session.scalars(select(found.series_id).where(*mine).order_by(found.series_id)))


def item_tables() -> list[Table]:
    """Tables of which a person may delete single rows of their own."""
    return [
        table
        for table in tables()
        if "id" in table.columns
        and table.columns["id"].primary_key
        and declared(table).subject is Subject.PERSON
        and declared(table).erasure == "delete"
        and table.name not in THINGS.values()
    ]


async def _item(tx: Tx, item: UUID) -> Scope:
    for table in item_tables():
        mine: ScalarSelect[Any] | ColumnElement[bool] = table.columns["id"] == item
        if isinstance(tx.context.actor, Person):
            mine = and_(mine, table.columns[declared(table).path] == tx.context.actor.id)
        if await tx.session.scalar(select(func.count()).select_from(table).where(mine)):
            return Scope(item=table.name, item_id=item)
    raise NotFound("item")


async def require(tx: Tx, target: Target) -> tuple[UUID | None, UUID | None]:
    """The person and the household whose erasure this is, if the acting person may ask for it.

    Raises:
        NotFound: no such thing is the asker's.
        Denied: somebody else's account, or a household of which the asker is not an owner.
    """
    person = tx.context.person
    if target.kind not in (*THINGS, "item"):
        raise NotFound(target.kind)
    if target.kind == "account":
        if target.id != person:
            raise Denied("own_account", "Only you yourself can have your account erased.")
        return person, None
    if target.kind == "item":
        await _item(tx, target.id)
        return person, None
    thing = Base.metadata.tables[THINGS[target.kind]].c
    household = thing.id if target.kind == "household" else thing.household_id
    found = await tx.session.scalar(select(household).where(thing.id == target.id))
    if found is None:
        raise NotFound(target.kind)
    if not await may(tx, found, "owner"):
        raise Denied("owners_only", "Only an owner of the household can have this erased.")
    return None, found


def unreached(claimed: Collection[str]) -> list[str]:
    """Tables with somebody's data that neither the rules reach nor an eraser of a domain claims, nor the law keeps."""
    found = []
    for table in tables():
        about = declared(table)
        if about.subject is Subject.NOBODY or table.name in claimed:
            continue
        ways = reach(table)
        if about.erasure == "keep":
            if any(c.info["holds"].erase != "keep" and c.info["holds"].category != "system.operations" for c in table.columns):
                found.append(table.name)
        elif not (ways.goes or ways.parents):
            found.append(table.name)
    return found
