"""What people tell about themselves: profile, addresses and telephone numbers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from lineset.accounts.checks import (
    CONTACT_KINDS,
    check_birth_year,
    check_language,
    check_time_zone,
    check_units,
    clean_line,
)
from lineset.accounts.model import ContactRow, PersonRow
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Tx
from lineset.privacy.changes import forget_thing, note_person

MOST_CONTACTS = 50
_FIELDS = ("name", "language", "units", "time_zone", "birth_year", "gender")


@dataclass(frozen=True, slots=True)
class NewContact:
    """An address (lines of text) or telephone number; `kind` is one of CONTACT_KINDS, `label` the person's own word for it."""

    kind: str
    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A kept address or telephone number."""

    id: UUID
    kind: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a person told about themselves."""

    person_id: UUID
    name: str
    email: str
    language: str
    units: str
    time_zone: str | None
    birth_year: int | None
    gender: str
    contacts: tuple[Contact, ...]


async def get_profile(tx: Tx) -> Profile:
    """The acting person's profile.

    Raises:
        NotFound: there is no such person any more.
    """
    person_id = tx.context.person
    row = await tx.session.get(PersonRow, person_id)
    if row is None:
        raise NotFound("person")
    name, email, gender = await tx.vault.open_many((person_id, s) for s in (row.name_sealed, row.email_sealed, row.gender_sealed))
    contacts = (await tx.session.scalars(select(ContactRow).where(ContactRow.person_id == person_id).order_by(ContactRow.id))).all()
    values = await tx.vault.open_many((person_id, c.value_sealed) for c in contacts)
    return Profile(
        person_id,
        name or "",
        email or "",
        row.language,
        row.units,
        row.time_zone,
        row.birth_year,
        gender or "",
        tuple(Contact(c.id, c.kind, c.label, v or "") for c, v in zip(contacts, values, strict=True)),
    )


async def change_profile(
    tx: Tx,
    *,
    name: str | None = None,
    language: str | None = None,
    units: str | None = None,
    time_zone: str | None = None,
    birth_year: int | None = None,
    gender: str | None = None,
    clear: frozenset[str] = frozenset(),
) -> None:
    """Change what is given of the acting person's profile; `clear` names what to forget: birth_year, gender, time_zone.

    Raises:
        Invalid: a field can't be used; `field` names it.
    """
    person_id = tx.context.person
    before = await get_profile(tx)
    values: dict[str, Any] = {}
    if name is not None:
        values["name_sealed"] = await tx.vault.seal(person_id, clean_line(name, "name", what="your name"))
    if language is not None:
        values["language"] = check_language(language)
    if units is not None:
        values["units"] = check_units(units)
    if time_zone:
        values["time_zone"] = check_time_zone(time_zone)
    if birth_year is not None:
        values["birth_year"] = check_birth_year(birth_year)
    if gender:
        values["gender_sealed"] = await tx.vault.seal(person_id, clean_line(gender, "gender", what="the gender", most=40))
    columns = {"birth_year": "birth_year", "gender": "gender_sealed", "time_zone": "time_zone"}
    if unknown := clear - set(columns):
        raise Invalid("can_not_clear", f"These can't be left empty: {', '.join(sorted(unknown))}.")
    values |= {columns[field]: None for field in clear}
    if values:
        await tx.session.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))
        tx.session.expire_all()  # the row that was read before
        after = await get_profile(tx)
        await note_person(tx, person_id, {f"person.{name}": (_text(before, name), _text(after, name)) for name in _FIELDS})


async def add_contact(tx: Tx, contact: NewContact) -> UUID:
    """Keep one more address or number of the acting person; its id.

    Raises:
        Invalid: it can't be used, or there are 50 already.
    """
    count = await tx.session.scalar(select(func.count()).select_from(ContactRow).where(ContactRow.person_id == tx.context.person))
    if (count or 0) >= MOST_CONTACTS:
        raise Invalid("too_many_contacts", f"You have {MOST_CONTACTS} addresses and numbers already. Remove one first.")
    made = (await add_contacts(tx, tx.context.person, (contact,)))[0]
    await note_person(tx, tx.context.person, {f"contact.{contact.kind}": ("", await _contact_text(tx, made))}, made)
    return made


async def change_contact(tx: Tx, contact_id: UUID, contact: NewContact) -> None:
    """Replace one of the acting person's addresses or numbers.

    Raises:
        Invalid: it can't be used.
        NotFound: it is not the person's.
    """
    values = await _contact_values(tx, tx.context.person, contact)
    before = await _contact_text(tx, contact_id)
    changed = await tx.session.execute(
        update(ContactRow)
        .where(ContactRow.id == contact_id, ContactRow.person_id == tx.context.person)
        .values(**values)
        .returning(ContactRow.id)
    )
    if changed.one_or_none() is None:
        raise NotFound("address or number")
    await note_person(tx, tx.context.person, {f"contact.{contact.kind}": (before, await _contact_text(tx, contact_id))}, contact_id)


async def remove_contact(tx: Tx, contact_id: UUID) -> None:
    """Forget one of the acting person's addresses or numbers.

    Raises:
        NotFound: it is not the person's.
    """
    removed = await tx.session.execute(
        delete(ContactRow).where(ContactRow.id == contact_id, ContactRow.person_id == tx.context.person).returning(ContactRow.id)
    )
    if removed.one_or_none() is None:
        raise NotFound("address or number")
    await forget_thing(tx, contact_id)


async def add_contacts(tx: Tx, person_id: UUID, contacts: tuple[NewContact, ...]) -> list[UUID]:
    """Keep these of a person; their ids."""
    if len(contacts) > MOST_CONTACTS:
        raise Invalid("too_many_contacts", f"Give at most {MOST_CONTACTS} addresses and numbers.", "contacts")
    ids = []
    for contact in contacts:
        contact_id = new_id()
        values = await _contact_values(tx, person_id, contact)
        await tx.session.execute(insert(ContactRow).values(id=contact_id, person_id=person_id, **values))
        ids.append(contact_id)
    return ids


async def _contact_values(tx: Tx, person_id: UUID, contact: NewContact) -> dict[str, Any]:
    if contact.kind not in CONTACT_KINDS:
        raise Invalid("bad_contact_kind", f"Choose one of these kinds: {', '.join(CONTACT_KINDS)}.", "kind")
    if contact.kind == "phone":
        value = clean_line(contact.value, "value", what="a telephone number", most=40, least=3)
        if not set(value) <= set("+0123456789 ()-./x") or sum(c.isdigit() for c in value) < 3:
            raise Invalid("bad_phone", "Give a telephone number such as +1 303 555 0100.", "value")
    else:
        lines = [clean_line(line, "value", what="an address", most=120) for line in contact.value.splitlines() if line.strip()]
        if not 1 <= len(lines) <= 8:
            raise Invalid("bad_address", "Give an address of one to eight lines.", "value")
        value = "\n".join(lines)
    label = clean_line(contact.label, "label", what="a short label", most=40, least=0)
    return {"kind": contact.kind, "label": label, "value_sealed": await tx.vault.seal(person_id, value)}


def _text(profile: Profile, field: str) -> str:
    return str(getattr(profile, field) or "")


async def _contact_text(tx: Tx, contact_id: UUID) -> str:
    """An address or number with its label, as the history of corrections keeps it; "" where there is none of the person's."""
    mine = select(ContactRow.label, ContactRow.value_sealed).where(ContactRow.id == contact_id, ContactRow.person_id == tx.context.person)
    row = (await tx.session.execute(mine)).one_or_none()
    if row is None:
        return ""
    value = await tx.vault.open(tx.context.person, row.value_sealed) or ""
    return f"{row.label}: {value}" if row.label else value
