"""What is held about somebody, told by the declarations alone: kinds of data, and for each what, why, since when, until when, from where.

A kind gathers everything whose declarations speak mostly of one family of categories. Nothing here names a table: what is declared
appears, what is no longer declared is gone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, Column, ColumnElement, DateTime, Float, LargeBinary, Uuid, false, func, literal, null, select, union_all
from sqlalchemy import Table as SqlTable

from lineset.kit.errors import NotFound
from lineset.privacy.declare import Holds, Table
from lineset.privacy.door import Context, Door
from lineset.privacy.paths import Whose, belongs, is_sealed, sealing
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import PURPOSES, Purpose, Retention, Sensitivity, Subject

Acts = Callable[[Purpose], Context]
"""The asking person's context for a purpose."""
Form = Literal["table", "stream", "file", "cookie"]
MOST_ROWS = 50
"""Rows of one page of a holder."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of data as people think of it: the categories that belong to it, by how they begin."""

    key: str
    title: str
    categories: tuple[str, ...]


FAMILIES = (
    Family(
        "you",
        "Name, contacts and what you told about you",
        ("user.name", "user.contact", "user.demographic", "user.account", "user.location"),
    ),
    Family("location", "Where your home or phone is", ("user.location.precise",)),
    Family("presence", "When somebody is at home", ("occupancy",)),
    Family("inferred", "What we conclude about you", ("derived",)),
    Family("readings", "Machine readings", ("equipment.measurement",)),
    Family("machines", "Machines and where they stand", ("equipment.identity", "equipment.placement")),
    Family("settings", "Settings and commands", ("equipment.setting",)),
    Family("events", "What happened to machines and gateways", ("equipment.event",)),
    Family("devices", "Sign-ins, browsers and devices", ("user.device", "user.authorization")),
    Family("choices", "Choices, roles and access", ("user.settings", "user.unique_id")),
    Family("messages", "Messages, and who looked in", ("user.content",)),
    Family("work", "Where you work", ("user.workplace",)),
    Family("acts", "What you did, and when", ("user.behavior",)),
)
SOURCES = {
    "you": "you",
    "choices": "you",
    "work": "your company",
    "devices": "your browser or device",
    "acts": "your use of the pages",
    "messages": "messages to and from you",
    "machines": "you or your gateway",
    "settings": "you, and those whom you let",
    "readings": "your machines",
    "events": "your machines and gateways",
    "location": "your device, or what you typed",
    "presence": "worked out from your readings",
    "inferred": "worked out from your other data",
}
"""Where the data of each family comes from."""
LASTING = ("account closed", "household deleted", "erasure")
"""What ends the data that has no time of its own."""
_WEIGHTS = {Sensitivity.NONE: 1.0, Sensitivity.ORDINARY: 2.0, Sensitivity.PRIVATE: 6.0, Sensitivity.SENSITIVE: 8.0}
_SILENT = ("system.", "user.unique_id")
_UNREADABLE = (*_SILENT, "user.authorization")
_PREFERRED = (Purpose.RIGHTS, Purpose.OPERATE, Purpose.ACCOUNT, Purpose.SECURITY, Purpose.COMMUNICATE)
_LATER = ("expires_at", "ends_at", "until", "next_at", "last_at", "last_seen_at")
"""Times that lie after a row's beginning."""
_ROOTS = {Subject.PERSON: "people", Subject.WORKER: "people", Subject.HOUSEHOLD: "households"}


@dataclass(frozen=True, slots=True)
class Holder:
    """One thing that holds data, in the words of its declaration. `fields` are a table's columns that people can read."""

    name: str
    form: Form
    about: str
    subject: Subject
    categories: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    retention: Retention
    recipients: tuple[str, ...] = ()
    sensitive: bool = False
    fields: tuple[str, ...] = ()
    counted: bool = False

    @property
    def family(self) -> Family:
        """The family of its first category."""
        return family_of(self.categories[0])

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its data comes from."""
        return tuple(dict.fromkeys(SOURCES[family_of(c).key] for c in self.categories[:1]))

    @property
    def open_ended(self) -> bool:
        """Whether it stays as long as the account or the household, not for a number of days of its own."""
        return self.retention.anchor in LASTING


@dataclass(frozen=True, slots=True)
class Kind:
    """A family with all that is declared of it."""

    family: Family
    holders: tuple[Holder, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of this family that are really declared."""
        return tuple(dict.fromkeys(c for h in self.holders for c in h.categories if family_of(c) is self.family))

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """Why, those first that most holders name; keeping in time is not a reason to have something."""
        named = [p for h in self.holders for p in h.purposes if p not in (Purpose.KEEP, Purpose.ADMINISTER, Purpose.RIGHTS)]
        return tuple(sorted(dict.fromkeys(named), key=lambda p: -named.count(p)))

    @property
    def longest(self) -> int | None:
        """Days after which each of it is gone; None where some stays as long as the account or household."""
        return None if any(h.open_ended for h in self.holders) else max(h.retention.days or 0 for h in self.holders)


@dataclass(frozen=True, slots=True)
class Scope:
    """Of whom: a person, and a household of theirs if it is to be counted in."""

    person: UUID
    household: UUID | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """How many rows of a holder there are, and since when; `gone` is when the oldest goes by itself, if that has a date."""

    rows: int
    since: datetime | None = None
    gone: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as its subject may read it: columns with their values, unsealed; `key` finds it again."""

    key: str
    values: dict[str, Any]


def family_of(category: str) -> Family:
    """The family that a category belongs to; what people did, if to no other."""
    fits = [(len(prefix), f) for f in FAMILIES for prefix in f.categories if category.startswith(prefix)]
    return max(fits, key=lambda fit: fit[0])[1] if fits else FAMILIES[-1]


def inventory(register: Register) -> tuple[Kind, ...]:
    """All declared kinds of data about people, in the order of `FAMILIES`; a family of which nothing is declared is left out."""
    holders = [*_tables(register), *_others(register)]
    kinds = (Kind(family, tuple(h for h in holders if h.family is family)) for family in FAMILIES)
    return tuple(kind for kind in kinds if kind.holders)


def kinds_of(register: Register, scope: Scope) -> tuple[Kind, ...]:
    """Those that can concern this person: without a household, only what is about people."""
    if scope.household is not None:
        return inventory(register)
    kinds = (Kind(k.family, tuple(h for h in k.holders if h.subject is not Subject.HOUSEHOLD)) for k in inventory(register))
    return tuple(kind for kind in kinds if kind.holders)


def find_holder(register: Register, scope: Scope, name: str) -> Holder:
    """The table of that name, if it can concern the person. Raises NotFound otherwise."""
    for kind in kinds_of(register, scope):
        for holder in kind.holders:
            if holder.name == name and holder.counted:
                return holder
    raise NotFound("kind of data")


async def amounts(door: Door, acts: Acts, register: Register, scope: Scope, kinds: tuple[Kind, ...]) -> dict[str, Amount]:
    """How much of each countable holder of these kinds there is for this person, as row-level security lets them see it.

    One transaction and statement for each purpose.
    """
    groups: dict[Purpose, list[Holder]] = {}
    for kind in kinds:
        for holder in kind.holders:
            if holder.counted:
                groups.setdefault(_purpose(register.table(holder.name)), []).append(holder)
    found: dict[str, Amount] = {}
    for purpose, holders in groups.items():
        async with door.open(acts(purpose)) as tx:
            for name, rows, since, first in await tx.session.execute(union_all(*(_count(register, h, scope) for h in holders))):
                found[name] = _amount(register, name, rows, since or _made_at(first))
    return found


async def rows(
    door: Door, acts: Acts, register: Register, scope: Scope, name: str, *, offset: int = 0, limit: int = MOST_ROWS
) -> list[Row]:
    """The newest rows of a table of this person, unsealed.

    Raises:
        NotFound: no such table concerns the person, or its rows can't be shown.
    """
    holder = find_holder(register, scope, name)
    table, declared = register.metadata.tables[name], register.table(name)
    keys = list(table.primary_key.columns)
    columns = [table.columns[c] for c in holder.fields]
    order = _moment(table, declared)
    of = func.coalesce(*(table.columns[c] for c in sealing(register, table))) if any(map(is_sealed, columns)) else null()
    wanted = select(*keys, of.label("of_"), *(c.label(f"v_{c.name}") for c in columns))
    wanted = wanted.where(_belongs(register, name, scope)).order_by((order if order is not None else keys[0]).desc(), *keys)
    async with door.open(acts(_purpose(declared))) as tx:
        found = (await tx.session.execute(wanted.limit(limit).offset(offset))).mappings().all()
        sealed = [(row["of_"], row[f"v_{c.name}"]) for row in found for c in columns if is_sealed(c)]
        opened = iter(await tx.vault.open_many(sealed))
    result = []
    for row in found:
        values = {c.name: next(opened) if is_sealed(c) else row[f"v_{c.name}"] for c in columns}
        result.append(Row("~".join(str(row[k.name]) for k in keys), {n: v for n, v in values.items() if v not in (None, "", {}, [])}))
    return result


def _tables(register: Register) -> list[Holder]:
    result = []
    for name, declared in register.tables.items():
        if declared.subject not in _ROOTS:
            continue
        table = register.metadata.tables[name]
        held = [(c, register.column(name, c.name)) for c in table.columns]
        categories = _ranked([h for _, h in held])
        if categories:
            readable = declared.guard.read != "false" and "SELECT" in declared.guard.app and declared.export is True
            result.append(
                Holder(
                    name,
                    "table",
                    declared.about,
                    declared.subject,
                    categories,
                    declared.purposes,
                    declared.retention,
                    tuple(dict.fromkeys(r for _, h in held for r in h.recipients)),
                    any(h.sensitivity is Sensitivity.SENSITIVE and h.export is True for _, h in held),
                    tuple(c.name for c, h in held if _is_readable(c, h)),
                    readable,
                )
            )
    return result


def _others(register: Register) -> list[Holder]:
    forms: tuple[tuple[Form, Any], ...] = (("stream", register.streams), ("file", register.files))
    result = [
        Holder(getattr(d, "name", "") or d.pattern, form, d.about, d.subject, (d.category,), d.purposes, d.retention)
        for form, declared in forms
        for d in declared
        if d.subject in _ROOTS and not d.category.startswith("system.")
    ]
    for cookie in register.cookies:
        life = Retention("set", cookie.life_days) if cookie.life_days else Retention("browser closed", 0)
        result.append(Holder(cookie.name, "cookie", cookie.about, Subject.PERSON, ("user.device.device_id",), (cookie.purpose,), life))
    return result


def _ranked(held: list[Holds]) -> tuple[str, ...]:
    """The categories that say something, the most telling one first.

    Nearly every table has times of what somebody did, which therefore count little.
    """
    weights: dict[str, float] = {}
    for holds in held:
        if not holds.category.startswith(_SILENT):
            weight = {"user.behavior": 0.7, "user.authorization.credentials": 4.0}.get(holds.category, _WEIGHTS[holds.sensitivity])
            weights[holds.category] = weights.get(holds.category, 0.0) + weight
    families: dict[str, float] = {}
    for category, weight in weights.items():
        families[family_of(category).key] = families.get(family_of(category).key, 0.0) + weight
    return tuple(sorted(weights, key=lambda c: (-families[family_of(c).key], FAMILIES.index(family_of(c)), -weights[c], c)))


def _is_readable(column: Column[Any], holds: Holds) -> bool:
    if holds.export is not True or holds.category.startswith(_UNREADABLE):
        return False
    if isinstance(column.type, ARRAY):  # packed measurements, which charts and downloads show
        return not isinstance(column.type.item_type, Float)
    return not isinstance(column.type, LargeBinary) or is_sealed(column)


def _purpose(declared: Table) -> Purpose:
    """The purpose for which a person looks at their own rows of this table."""
    own = [p for p in _PREFERRED if p in declared.purposes]
    return own[0] if own else next((p for p in declared.purposes if not PURPOSES[p].consent), declared.purposes[0])


def _belongs(register: Register, name: str, scope: Scope) -> ColumnElement[bool]:
    """That a row is about the scope's person, or its household."""
    of_household = register.table(name).subject is Subject.HOUSEHOLD
    subject = scope.household if of_household else scope.person
    kind = Subject.HOUSEHOLD if of_household else Subject.PERSON
    found = None if subject is None else belongs(register, name, Whose(kind, subject), also=False)
    return false() if found is None else found


def _count(register: Register, holder: Holder, scope: Scope) -> Any:
    table, declared = register.metadata.tables[holder.name], register.table(holder.name)
    moment = _moment(table, declared)
    mine = _belongs(register, holder.name, scope)
    key = next((c for c in table.primary_key.columns if c.name == "id" and isinstance(c.type, Uuid)), None)
    first = literal(None, Uuid()) if key is None or moment is not None else select(key).where(mine).order_by(key).limit(1).scalar_subquery()
    since = literal(None, DateTime(timezone=True)) if moment is None else func.min(moment)
    return select(literal(holder.name), func.count(), since, first).select_from(table).where(mine)


def _moment(table: SqlTable, declared: Table) -> Column[Any] | None:
    """The column that says when a row came to be: what the time to keep counts from, unless that lies ahead; else the first there is."""
    times = [c for c in table.columns if isinstance(c.type, DateTime)]
    early = [c for c in times if not c.nullable and c.name not in _LATER]
    anchor = table.columns.get(declared.retention.anchor)
    return anchor if anchor is not None and anchor in early else next(iter(early), None)


def _amount(register: Register, name: str, rows_: int, since: datetime | None) -> Amount:
    retention = register.table(name).retention
    moves = retention.anchor in ("created_at", "at", "asked_at", "made_at", "measured")  # other anchors move as long as a row is used
    gone = since + timedelta(days=retention.days) if since is not None and retention.days and moves else None
    return Amount(rows_, since, gone)


def _made_at(key: UUID | None) -> datetime | None:
    """The time within an id that `new_id` made."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC) if key is not None and key.version == 7 else None
