"""What a policy says, before it has words: everything in here comes from the declarations, the register of recipients and the settings."""

from collections.abc import Sequence

import msgspec

from lineset.privacy.declare import Holds, Table
from lineset.privacy.inventory import SOURCES, family_of
from lineset.privacy.policy.statute import NOWHERE, STATUTORY
from lineset.privacy.policy.words import anchors
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import PURPOSES, Purpose, Retention, Sensitivity, Subject

NOT_PERSONAL = "system."
CONTRACTORS = "companies that you give access to"
"""Stands among the recipients of what a household can open to a company."""
OURSELVES = "made by us"
LASTING = ("account closed", "household deleted", "company closed", "platform closed")
"""Ends that come with something else, and not after a time."""


class Contact(msgspec.Struct, frozen=True):
    """Who answers for the installation."""

    name: str
    address: str
    email: str
    phone: str
    privacy: str

    def missing(self) -> tuple[str, ...]:
        """The settings that are still blank, by name; a policy with one of them can't be published."""
        return tuple(f"LINESET_CONTACT_{name.upper()}" for name in self.__struct_fields__ if not getattr(self, name).strip())


class Processor(msgspec.Struct, frozen=True):
    """A recipient as the register has it: categories it may get, and what for."""

    name: str
    kind: str
    does: str
    region: str
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    sale: bool = False


class Holder(msgspec.Struct, frozen=True):
    """One thing that holds personal data: a table, stream, or kind of file. `days` after `anchor`; 0: until then."""

    name: str
    about: str
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    anchor: str
    days: int
    sensitive: bool = False


class Category(msgspec.Struct, frozen=True):
    """A category in use: where the law puts it, where it comes from, what for, who gets it."""

    key: str
    letters: tuple[str, ...]
    sensitive: str
    source: str
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]


class Browser(msgspec.Struct, frozen=True):
    """A cookie or an entry of a browser's store. `days` None: until the browser closes."""

    name: str
    store: str
    about: str
    purpose: str
    needed: bool
    days: int | None


class Facts(msgspec.Struct, frozen=True):
    """The whole, in the order in which it is told."""

    contact: Contact
    region: str
    categories: tuple[Category, ...]
    purposes: tuple[str, ...]
    holders: tuple[Holder, ...]
    browser: tuple[Browser, ...]
    processors: tuple[Processor, ...]
    promises: tuple[str, ...] = ()

    @property
    def sale(self) -> bool:
        """Whether something is given in return for personal data anywhere."""
        return any(p.sale for p in self.processors)

    def gaps(self) -> tuple[str, ...]:
        """What is in use without words or a place in the law, and where to give them; nothing can be published with one."""
        categories = [f"category {c.key}: give it letters in privacy/policy/statute.py" for c in self.categories if not c.letters]
        ends = sorted({h.anchor for h in self.holders} - set(anchors()))
        return (*categories, *(f"retention {a!r}: give it words in privacy/policy/words.py" for a in ends))


def facts_of(register: Register, contact: Contact, region: str, processors: Sequence[Processor]) -> Facts:
    """What the declarations of this build and the register of recipients say."""
    holders = holders_of(register)
    cookies = tuple(Browser(c.name, c.store, c.about, c.purpose.value, c.needed, c.life_days) for c in register.cookies)
    used = {p for h in holders for p in h.purposes} | {c.purpose for c in cookies}
    return Facts(
        contact=contact,
        region=region,
        categories=tuple(_category(key, register, holders, processors) for key in categories_in_use(register)),
        purposes=tuple(p.value for p in PURPOSES if p.value in used),
        holders=holders,
        browser=cookies,
        processors=tuple(processors),
    )


def categories_in_use(register: Register) -> tuple[str, ...]:
    """Every personal category that a declaration names, sorted."""
    return tuple(sorted({c for h in holders_of(register) for c in h.categories}))


def holders_of(register: Register) -> tuple[Holder, ...]:
    """Everything that holds personal data, in order of name."""
    found = [_table(name, declared, _columns(register, name)) for name, declared in register.tables.items()]
    found += [_single(s.name, s.about, s.category, s.purposes, s.retention) for s in register.streams]
    own = [f for f in register.files if f.subject is Subject.NOBODY and f.category.startswith("user.authorization")]  # the platform's keys
    found += [_single(_plain(f.pattern), f.about, f.category, f.purposes, f.retention) for f in register.files if f not in own]
    return tuple(sorted((h for h in found if h.categories), key=lambda h: h.name))


def _category(key: str, register: Register, holders: Sequence[Holder], processors: Sequence[Processor]) -> Category:
    having = [h for h in holders if key in h.categories]
    placed = STATUTORY.get(key, NOWHERE)
    named = {r for h in having if h.name in register.tables for r in _recipients(register, h.name, key)}
    shared = {CONTRACTORS} if any(_opened(register, h, key) for h in having) else set()
    return Category(
        key=key,
        letters=placed.letters,
        sensitive=placed.sensitive,
        source=OURSELVES if key == "user.unique_id" else SOURCES[family_of(key).key],
        purposes=tuple(p.value for p in PURPOSES if any(p.value in h.purposes for h in having)),
        recipients=tuple(sorted(named | shared | {p.name for p in processors if key in p.categories})),
    )


def _opened(register: Register, holder: Holder, category: str) -> bool:
    """Whether a household's grant opens this to a company: what is the household's own, and by the scope "people" names and contacts."""
    declared = register.tables.get(holder.name)
    if declared is None or Purpose.SERVICE not in declared.purposes or category.startswith("user.authorization"):
        return False
    return declared.subject is Subject.HOUSEHOLD or category.startswith(("user.name", "user.contact"))


def _columns(register: Register, name: str) -> list[Holds]:
    return [register.column(name, c.name) for c in register.metadata.tables[name].columns]


def _recipients(register: Register, name: str, category: str) -> tuple[str, ...]:
    return tuple(r for h in _columns(register, name) if h.category == category for r in h.recipients)


def _table(name: str, declared: Table, held: Sequence[Holds]) -> Holder:
    categories = {h.category for h in held if not h.category.startswith(NOT_PERSONAL)}
    sensitive = any(h.sensitivity is Sensitivity.SENSITIVE for h in held)
    return _holder(name, declared.about, categories, declared.purposes, declared.retention, sensitive)


def _single(name: str, about: str, category: str, purposes: Sequence[Purpose], retention: Retention) -> Holder:
    categories = set() if category.startswith(NOT_PERSONAL) else {category}
    return _holder(name, about, categories, purposes, retention, False)


def _holder(name: str, about: str, categories: set[str], purposes: Sequence[Purpose], retention: Retention, sensitive: bool) -> Holder:
    told = tuple(p.value for p in PURPOSES if p in purposes)
    return Holder(str(name), about, tuple(sorted(categories)), told, retention.anchor, retention.days or 0, sensitive)


def _plain(pattern: str) -> str:
    """A pattern of files as a name that no table has: its folder with a slash."""
    return pattern.removesuffix("**")
