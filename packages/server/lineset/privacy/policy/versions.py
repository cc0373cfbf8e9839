"""Versions: published by the operator, read by everybody, accepted by people, each with a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import Select, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.privacy.door import Person, Tx
from lineset.privacy.policy.changes import Change, significant, worded
from lineset.privacy.policy.document import Draft, Kind
from lineset.privacy.policy.model import PolicyReceiptRow, PolicyVersionRow
from lineset.privacy.policy.words import Speaker

NOTICE = timedelta(days=30)
"""How long before it takes effect a change that matters is announced, unless the operator names a day."""
LONGEST_AHEAD = timedelta(days=366)
Act = Literal["accepted", "noticed", "mailed"]


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. `replaced_at`: when the next one takes effect."""

    id: UUID
    kind: Kind
    digest: str
    draft: Draft
    changes: tuple[Change, ...]
    significant: bool
    published_at: datetime
    effective_at: datetime
    replaced_at: datetime | None = None

    @property
    def genuine(self) -> bool:
        """Whether the content is still what its address was made of."""
        return self.draft.digest == self.digest

    def in_effect(self, at: datetime) -> bool:
        """Whether it holds at that time."""
        return self.effective_at <= at and (self.replaced_at is None or at < self.replaced_at)


@dataclass(frozen=True, slots=True)
class Head:
    """A version without its content."""

    id: UUID
    kind: Kind
    digest: str
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a person did with a version, and when."""

    version_id: UUID
    kind: str
    digest: str
    what: str
    at: datetime
    language: str
    channel: str


async def publish(tx: Tx, draft: Draft, speakers: Sequence[Speaker], effective_at: datetime | None = None) -> Version:
    """Publish a text, from `effective_at` on: at once, or after `NOTICE` where the change matters, if none is given.

    For the operator's staff, the demo and the command line. A change that matters is mailed to all account holders by a job.

    Raises:
        Invalid: contact details are blank, or the date can't be used.
        Conflict: something declared has no words yet, the newest version says exactly this, or a later date has a version already.
    """
    gaps = draft.facts.gaps()
    if gaps:
        raise Conflict("no_words", f"Not published: something is declared without words. {'; '.join(gaps)}.")
    blank = draft.facts.contact.missing()
    if blank:
        raise Invalid("contact_blank", f"Not published: say first who runs this installation. Blank: {', '.join(blank)}.")
    moment = now()
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('lineset.policy'))"))
    newest = next(iter(await list_versions(tx, draft.kind)), None)
    if newest is not None and newest.digest == draft.digest:
        raise Conflict("same_text", "Nothing to publish: the newest version says exactly this.")
    found = significant(newest.draft.facts if newest else None, draft.facts) if draft.kind == "policy" else ()
    changes = [worded(change, speakers) for change in found]
    matters = bool(changes) or (draft.kind == "terms" and newest is not None)
    effective = effective_at or (moment + NOTICE if matters else moment)
    _check_date(effective, moment, newest)
    row = PolicyVersionRow(
        id=new_id(),
        kind=draft.kind,
        digest=draft.digest,
        body=msgspec.to_builtins(draft),
        changes=msgspec.to_builtins(changes),
        significant=matters,
        published_at=moment,
        effective_at=effective,
        published_by=tx.context.actor.id if isinstance(tx.context.actor, Person) else None,
        told_at=None if matters else moment,
    )
    tx.session.add(row)
    await tx.session.flush()
    if matters:
        await defer(tx.session, "accounts.tell_policy", version=str(row.id))
    return _version(row)


def _check_date(effective: datetime, moment: datetime, newest: Version | None) -> None:
    if effective < moment - timedelta(minutes=5):
        raise Invalid("bad_effective", "A version takes effect now or later, never in the past.", "effective")
    if effective > moment + LONGEST_AHEAD:
        raise Invalid("bad_effective", "Name a day within a year.", "effective")
    if newest is not None and effective < newest.effective_at:
        raise Conflict("later_version", "A version that takes effect later is published already; name a day after it.")


async def list_versions(tx: Tx, kind: Kind) -> list[Version]:
    """All versions of a text, the one that takes effect last first."""
    found = select(PolicyVersionRow).where(PolicyVersionRow.kind == kind)
    rows = (await tx.session.scalars(found.order_by(PolicyVersionRow.effective_at.desc(), PolicyVersionRow.published_at.desc()))).all()
    result: list[Version] = []
    for row in rows:
        result.append(_version(row, result[-1].effective_at if result else None))
    return result


async def awaiting(tx: Tx) -> list[Head]:
    """The versions that people have to settle, if there are any: the newest terms, and the newest policy with a change that matters."""
    newest = select(PolicyVersionRow.id, PolicyVersionRow.kind, PolicyVersionRow.digest, PolicyVersionRow.effective_at)
    newest = newest.order_by(PolicyVersionRow.effective_at.desc(), PolicyVersionRow.published_at.desc()).limit(1)
    terms, changed = (
        newest.where(PolicyVersionRow.kind == "terms"),
        newest.where(PolicyVersionRow.kind == "policy", PolicyVersionRow.significant),
    )
    found = [(await tx.session.execute(wanted)).one_or_none() for wanted in (terms, changed)]
    return [Head(row.id, row.kind, row.digest, row.effective_at) for row in found if row is not None]


async def current(tx: Tx, kind: Kind = "policy", at: datetime | None = None) -> Version | None:
    """The version in effect at that time (now, if none is given), or None while nothing is published."""
    moment = at or now()
    return next((v for v in await list_versions(tx, kind) if v.effective_at <= moment), None)


async def get_version(tx: Tx, kind: Kind, digest: str) -> Version:
    """The newest version with that address; its first 12 digits do. Raises NotFound where there is none."""
    if len(digest) < 12 or not set(digest) <= set("0123456789abcdef"):
        raise NotFound("version")
    found = [v for v in await list_versions(tx, kind) if v.digest.startswith(digest)]
    if not found:
        raise NotFound("version")
    return found[0]


async def find_version(tx: Tx, version: UUID) -> Version | None:
    """A version by its id."""
    row = await tx.session.get(PolicyVersionRow, version)
    return None if row is None else _version(row)


def told_people(version: UUID) -> Select[UUID]:
    """The people who were mailed about a version, for a condition."""
    return select(PolicyReceiptRow.person_id).where(PolicyReceiptRow.version_id == version, PolicyReceiptRow.what == "mailed")


async def acknowledge(tx: Tx, person: UUID, version: UUID, what: Act, *, language: str, channel: str) -> bool:
    """Write down that this person accepted, put away or was mailed a version; whether it is new.

    Raises:
        NotFound: there is no such version.
    """
    if not await tx.session.scalar(select(exists().where(PolicyVersionRow.id == version))):
        raise NotFound("version")
    values = {
        "id": new_id(),
        "person_id": person,
        "version_id": version,
        "what": what,
        "at": now(),
        "language": language,
        "channel": channel,
    }
    done = await tx.session.execute(insert(PolicyReceiptRow).values(values).on_conflict_do_nothing().returning(PolicyReceiptRow.id))
    return done.one_or_none() is not None


async def receipts(tx: Tx, person: UUID) -> list[Receipt]:
    """What a person accepted and was told of, newest first."""
    wanted = select(PolicyReceiptRow, PolicyVersionRow.kind, PolicyVersionRow.digest).join(
        PolicyVersionRow, PolicyVersionRow.id == PolicyReceiptRow.version_id
    )
    rows = await tx.session.execute(wanted.where(PolicyReceiptRow.person_id == person).order_by(PolicyReceiptRow.at.desc()))
    return [Receipt(r.version_id, kind, digest, r.what, r.at, r.language, r.channel) for r, kind, digest in rows]


async def done_telling(tx: Tx, version: UUID) -> None:
    """Everybody was mailed about a version; for `System("authentication")`."""
    await tx.session.execute(update(PolicyVersionRow).where(PolicyVersionRow.id == version).values(told_at=now()))


def _version(row: PolicyVersionRow, replaced_at: datetime | None = None) -> Version:
    draft = msgspec.convert(row.body, Draft)
    changes = msgspec.convert(row.changes, tuple[Change, ...])
    return Version(row.id, draft.kind, row.digest, draft, changes, row.significant, row.published_at, row.effective_at, replaced_at)
