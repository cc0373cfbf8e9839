"""The register of who may receive data, kept by the operator's staff and read by everybody."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update

from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.privacy.door import Tx
from lineset.privacy.egress.model import CONSIDERATIONS, KINDS, AgreementRow, RecipientRow
from lineset.privacy.egress.processors import PROCESSORS, outside
from lineset.privacy.vocabulary import CATEGORIES, Purpose

MOST_TEXT = 500
MOST_RECIPIENTS = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed. `in_force`: begun, not ended, and no consideration for personal data."""

    id: UUID
    title: str
    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    confidentiality: bool
    security: bool
    consideration: str
    in_return: str
    starts_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None

    @property
    def sale(self) -> bool:
        """Whether something is given in return for personal data, so that nothing may flow under it."""
        return self.consideration != "none"

    def in_force(self, at: datetime) -> bool:
        """Whether data may flow under it at that time."""
        return not self.sale and self.runs(at) and self.confidentiality and self.security

    def runs(self, at: datetime) -> bool:
        """Whether it has begun and not ended."""
        ends = [end for end in (self.ends_at, self.ended_at) if end is not None]
        return self.starts_at <= at and all(at < end for end in ends)


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A line of the register. `used`: the settings send data there now; `complete`: it may receive; `built_in`: known to the code."""

    key: str
    kind: str
    name: str
    does: str
    region: str
    contact: str
    consent: bool
    built_in: bool
    used: bool
    hosts: tuple[str, ...]
    id: UUID | None
    ended_at: datetime | None
    agreements: tuple[Agreement, ...]
    at: datetime

    @property
    def current(self) -> tuple[Agreement, ...]:
        """The agreements under which data may flow."""
        return () if self.ended_at else tuple(a for a in self.agreements if a.in_force(self.at))

    @property
    def complete(self) -> bool:
        """Whether anything may flow: somebody named, a region, and an agreement in force."""
        return bool(self.name and self.region and self.current)

    @property
    def fields(self) -> tuple[str, ...]:
        """Categories of data that it may receive now."""
        return tuple(dict.fromkeys(f for a in self.current for f in a.fields))

    @property
    def purposes(self) -> tuple[str, ...]:
        """What for."""
        return tuple(dict.fromkeys(p for a in self.current for p in a.purposes))


async def register_rows(tx: Tx, settings: Settings) -> list[RegisterRow]:
    """Every recipient: those of the settings first, whether filled in or not, then the operator's own; ended ones at the end."""
    recipients = {r.key: r for r in await tx.session.scalars(select(RecipientRow).order_by(RecipientRow.created_at))}
    agreements: dict[UUID, list[Agreement]] = {}
    for row in await tx.session.scalars(select(AgreementRow).order_by(AgreementRow.starts_at)):
        agreements.setdefault(row.recipient_id, []).append(_agreement(row))
    hosts = outside(settings)
    keys = [k for k in PROCESSORS if k in hosts or k in recipients] + [k for k in recipients if k not in PROCESSORS]
    rows = [_row(key, recipients.get(key), agreements, hosts.get(key, ())) for key in keys]
    return sorted(rows, key=lambda row: row.ended_at is not None)


async def gaps(tx: Tx, settings: Settings) -> list[RegisterRow]:
    """Processors that the settings use although the register says too little of them."""
    return [row for row in await register_rows(tx, settings) if row.used and not row.complete]


async def get_entry(tx: Tx, key: str, settings: Settings) -> RegisterRow:
    """One line of the register.

    Raises:
        NotFound: there is none, and no setting brings one in.
    """
    for row in await register_rows(tx, settings):
        if row.key == key:
            return row
    raise NotFound("recipient")


async def keep_recipient(
    tx: Tx, key: str, *, kind: str, name: str, does: str, region: str, contact: str = "", consent: bool = False, new: bool = False
) -> UUID:
    """Write down a recipient or change what stands of it; its id. For the operator and its privacy officer.

    A partner always waits for the household's yes; a processor of the settings never does, since it acts on our instructions. One of the
    settings that had ended begins anew.

    Raises:
        Invalid: a field can't be used; `field` names it.
        Conflict: `new`, but that key is taken; or the recipient has ended.
    """
    built_in = PROCESSORS.get(key)
    if not _KEY.fullmatch(key):
        raise Invalid("bad_key", "Use 2 to 40 small letters, digits and underscores, with a letter first.", "key")
    if kind not in KINDS or (built_in and kind == "partner"):
        raise Invalid("bad_kind", "Choose one of the list.", "kind")
    values = {
        "kind": kind,
        "name": _line(name, "name"),
        "does": _line(does or (built_in.does if built_in else ""), "does"),
        "region": _line(region, "region"),
        "contact": _line(contact, "contact", needed=False),
        "consent": kind == "partner" or (consent and built_in is None),
    }
    have = await tx.session.scalar(select(RecipientRow).where(RecipientRow.key == key))
    if have is not None:
        if new or (have.ended_at is not None and built_in is None):
            raise Conflict("taken", "That key is taken. A recipient that has ended keeps its key; choose another one.")
        await tx.session.execute(update(RecipientRow).where(RecipientRow.id == have.id).values(**values, ended_at=None))
        return have.id
    if (await tx.session.scalar(select(func.count()).select_from(RecipientRow)) or 0) >= MOST_RECIPIENTS:
        raise Conflict("too_many", f"The register holds {MOST_RECIPIENTS} recipients, which is all it takes.")
    made = new_id()
    await tx.session.execute(insert(RecipientRow).values(id=made, key=key, created_at=now(), **values))
    return made


async def end_recipient(tx: Tx, key: str) -> None:
    """End a recipient with all its agreements: from this moment on nothing flows. It stays in the register.

    Raises:
        NotFound: there is no such recipient that has not ended.
    """
    found = await tx.session.scalar(
        update(RecipientRow)
        .where(RecipientRow.key == key, RecipientRow.ended_at.is_(None))
        .values(ended_at=now())
        .returning(RecipientRow.id)
    )
    if found is None:
        raise NotFound("recipient")
    running = AgreementRow.recipient_id == found, AgreementRow.ended_at.is_(None)
    await tx.session.execute(update(AgreementRow).where(*running).values(ended_at=now()))


async def add_agreement(
    tx: Tx,
    key: str,
    *,
    title: str,
    fields: Sequence[str],
    purposes: Sequence[str],
    confidentiality: bool,
    security: bool,
    consideration: str = "none",
    in_return: str = "",
    ends_at: datetime | None = None,
) -> UUID:
    """Write down what was agreed with a recipient; the agreement's id. It holds from now on.

    An agreement with a consideration may be written down, so that the register tells of it; nothing ever flows under it.

    Raises:
        NotFound: no such recipient, or it has ended.
        Invalid: a field can't be used, or goes beyond what the platform ever gives such a processor; `field` names it.
    """
    recipient = await tx.session.scalar(select(RecipientRow).where(RecipientRow.key == key, RecipientRow.ended_at.is_(None)))
    if recipient is None:
        raise NotFound("recipient")
    built_in = PROCESSORS.get(key)
    most_fields = built_in.fields if built_in else tuple(CATEGORIES)
    most_purposes = [p.value for p in (built_in.purposes if built_in else Purpose)]
    if not fields or not set(fields) <= set(most_fields):
        raise Invalid("bad_fields", "Choose at least one kind of data of the list.", "fields")
    if not purposes or not set(purposes) <= set(most_purposes):
        raise Invalid("bad_purposes", "Choose at least one purpose of the list.", "purposes")
    if consideration not in CONSIDERATIONS:
        raise Invalid("bad_consideration", "Choose one of the list.", "consideration")
    if ends_at is not None and ends_at <= now():
        raise Invalid("bad_end", "Choose a day that is still to come.", "ends_at")
    made = new_id()
    await tx.session.execute(
        insert(AgreementRow).values(
            id=made,
            recipient_id=recipient.id,
            title=_line(title, "title"),
            fields=list(dict.fromkeys(fields)),
            purposes=list(dict.fromkeys(purposes)),
            confidentiality=confidentiality,
            security=security,
            consideration=consideration,
            in_return=_line(in_return, "in_return", needed=consideration != "none"),
            starts_at=now(),
            ends_at=ends_at,
        )
    )
    return made


async def end_agreement(tx: Tx, agreement: UUID) -> None:
    """End an agreement at this moment.

    Raises:
        NotFound: there is none that still runs.
    """
    running = AgreementRow.id == agreement, AgreementRow.ended_at.is_(None)
    ended = await tx.session.scalar(update(AgreementRow).where(*running).values(ended_at=now()).returning(AgreementRow.id))
    if ended is None:
        raise NotFound("agreement")


def _row(key: str, row: RecipientRow | None, agreements: dict[UUID, list[Agreement]], hosts: tuple[str, ...]) -> RegisterRow:
    built_in = PROCESSORS.get(key)
    return RegisterRow(
        key=key,
        kind=row.kind if row else "processor",
        name=row.name if row else "",
        does=row.does if row else built_in.does if built_in else "",
        region=row.region if row else "",
        contact=row.contact if row else "",
        consent=row.consent if row else False,
        built_in=built_in is not None,
        used=bool(hosts),
        hosts=hosts,
        id=row.id if row else None,
        ended_at=row.ended_at if row else None,
        agreements=tuple(agreements.get(row.id, ())) if row else (),
        at=now(),
    )


def _agreement(row: AgreementRow) -> Agreement:
    return Agreement(
        row.id,
        row.title,
        tuple(row.fields),
        tuple(row.purposes),
        row.confidentiality,
        row.security,
        row.consideration,
        row.in_return,
        row.starts_at,
        row.ends_at,
        row.ended_at,
    )


def _line(text: str, field: str, *, needed: bool = True) -> str:
    text = " ".join(text.split())
    if needed and not text:
        raise Invalid("missing", "Fill this in.", field)
    if len(text) > MOST_TEXT or not text.isprintable():
        raise Invalid("too_long", f"Use at most {MOST_TEXT} characters.", field)
    return text
