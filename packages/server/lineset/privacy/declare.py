"""Declarations of what holds data: columns, tables, streams, files and cookies.

A table declares whose data it holds, why, how long, and who may touch it (`Table`); each of its columns declares what it holds
(`held`). The same declarations make the row-level security of the database (`access.py`) and everything that people are told.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from lineset.privacy.vocabulary import CATEGORIES, PURPOSES, SYSTEM_ACTORS, Purpose, Retention, Sensitivity, Subject

Erase = Literal["delete", "null", "pseudonymise", "keep"]
Access = Literal["r", "rw"]


@dataclass(frozen=True, slots=True)
class Holds:
    """What one column holds. `export` is True or the reason why it is left out; `keep` the legal basis when erasure keeps it.

    `shorten`: a network address is kept whole for that time after a column of the same table, then only the network that it is in.
    """

    category: str
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    export: bool | str = True
    erase: Erase = "delete"
    keep: str = ""
    recipients: tuple[str, ...] = ()
    shorten: Retention | None = None

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"{self.category!r} is not a declared category; add it to privacy/vocabulary.py")
        if self.erase == "keep" and not self.keep:
            raise ValueError("erase='keep' needs the legal basis in `keep`")
        if self.shorten is not None and (self.category != "user.device.ip_address" or self.shorten.days is None):
            raise ValueError("only network addresses are shortened, and after a number of days")


def held(
    category: str,
    sensitivity: Sensitivity = Sensitivity.ORDINARY,
    *,
    export: bool | str = True,
    erase: Erase = "delete",
    keep: str = "",
    recipients: tuple[str, ...] = (),
    shorten: Retention | None = None,
) -> dict[str, Any]:
    """The `info` of a column, for `mapped_column(..., info=held("user.name"))`."""
    return {"holds": Holds(category, sensitivity, export, erase, keep, recipients, shorten)}


def technical() -> dict[str, Any]:
    """The `info` of a column that only makes the platform work (states, counts, keys between tables)."""
    return held("system.operations", Sensitivity.NONE)


def outlives(info: dict[str, Any], table: str) -> dict[str, Any]:
    """The `info` of a column that names a thing of `table` which may be somebody else's by now, or gone: the row is the household's of that
    time, so it goes when that household erases the thing, and stays when a later owner does."""
    return {**info, "outlives": table}


def secret_digest() -> dict[str, Any]:
    """The `info` of a column that keeps a digest of a secret: never exported."""
    return held("user.authorization.credentials", Sensitivity.SENSITIVE, export="a secret, kept only as a digest")


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may read and write a table's rows, as SQL conditions for the application's role.

    `systems` names the platform's own actors and whether each reads ("r") or also writes ("rw"). `ingest` is the privilege of the
    ingestion role, which is a database role of its own. Conditions may call the functions of schema `access`. `insert` is the condition
    for new rows where it differs from `write`; `app` may name the columns that alone may be updated, as SQL does.
    """

    read: str
    write: str
    systems: dict[str, Access] = field(default_factory=dict)
    ingest: str = ""
    app: str = "SELECT, INSERT, UPDATE, DELETE"
    insert: str = ""

    def __post_init__(self) -> None:
        unknown = set(self.systems) - set(SYSTEM_ACTORS)
        if unknown:
            raise ValueError(f"undeclared system actors: {sorted(unknown)}")


def by_household(
    read: str = "view",
    write: str = "equipment",
    *,
    column: str = "household_id",
    systems: dict[str, Access] | None = None,
    ingest: str = "",
    app: str = "SELECT, INSERT, UPDATE, DELETE",
) -> Guard:
    """Rows of a household, for people who hold the scope `read` or `write` there as members or by a grant; no `write`: for nobody."""
    return Guard(
        read=f"{column} = ANY (ARRAY(SELECT access.households('{read}')))",
        write=f"{column} = ANY (ARRAY(SELECT access.households('{write}')))" if write else "false",
        systems=systems or {},
        ingest=ingest,
        app=app,
    )


def by_person(column: str = "person_id", *, systems: dict[str, Access] | None = None, app: str = "SELECT, INSERT, UPDATE, DELETE") -> Guard:
    """Rows of the acting person."""
    mine = f"{column} = (SELECT access.person())"
    return Guard(read=mine, write=mine, systems=systems or {}, app=app)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's declaration: about what, whose, for which purposes, for how long, and who may touch it.

    `path` is the column that leads to the subject; "" where the data is nobody's. `engine` marks tables that an engine owns and that
    are declared whole. `via` names the column of another table to which the path points and whose own path leads on ("gateways.id").
    `also`: further columns that name somebody whose data a row is besides. `sealed_by`: the columns of which the first that is filled
    names the subject whose key seals the row, where that is not `path`. `export` is True or the reason why no row is handed over;
    `exporter` names what hands the rows over where rows as they are say nothing.
    `backup` is True or the reason why its rows are left out of backups.

    Under a purpose that waits for a yes only rows are read and written whose subject gave it: `detail` is what of them the yes is about, as
    SQL over the row ("'site:' || site_id"); nothing for a yes to the purpose as such. `record`: the rows only prove what was done under
    their purposes, and stand whatever somebody agrees to.
    """

    about: str
    subject: Subject
    path: str
    purposes: tuple[Purpose, ...]
    retention: Retention
    guard: Guard
    erasure: Erase = "delete"
    backup: bool | str = True
    via: str = ""
    also: tuple[tuple[str, Subject], ...] = ()
    sealed_by: tuple[str, ...] = ()
    export: bool | str = True
    exporter: str = ""
    detail: str = ""
    record: bool = False

    @property
    def consents(self) -> tuple[Purpose, ...]:
        """The purposes under which a row is touched only with its subject's yes."""
        return () if self.record else tuple(p for p in self.purposes if PURPOSES[p].consent)

    @property
    def rests_on(self) -> frozenset[Purpose]:
        """Why the data is held at all: the purposes, but for seeing, handing over and deleting it. A consent alone, and a no deletes it."""
        return frozenset(() if self.record else self.purposes) - {Purpose.RIGHTS, Purpose.KEEP}


def table(declaration: Table) -> dict[str, Any]:
    """The table arguments that carry a declaration: `__table_args__ = (..., table(Table(...)))`."""
    return {"info": {"declared": declaration}}


@dataclass(frozen=True, slots=True)
class Engine:
    """A schema of the database that an engine owns; its payloads hold ids, codes and times only."""

    schema: str
    about: str
    owner: str
    purposes: tuple[Purpose, ...]
    retention: Retention
    app: bool = False  # whether the application's role works in it


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream or bucket of the message broker."""

    name: str
    about: str
    category: str
    subject: Subject
    purposes: tuple[Purpose, ...]
    retention: Retention


@dataclass(frozen=True, slots=True)
class File:
    """Files below the data folder: `pattern` as in pathlib's match, relative to that folder.

    `shorten`: network addresses in them are kept whole for that time, then only the networks that they are in.
    """

    pattern: str
    about: str
    category: str
    subject: Subject
    purposes: tuple[Purpose, ...]
    retention: Retention
    shorten: Retention | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie or an entry of web storage (`store` says which), with its life in days; None: until the browser closes."""

    name: str
    about: str
    purpose: Purpose
    needed: bool
    life_days: int | None
    store: Literal["cookie", "local", "session"] = "cookie"
    asks: bool = True  # whether pages ask for it by themselves; else it waits on the page of choices
