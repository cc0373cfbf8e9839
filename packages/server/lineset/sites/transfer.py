"""Handing a site or a machine over to another household: its owner offers it, an owner of the other household accepts.

From that moment on a new tenure counts, so neither side sees what was measured in the other's time. What is personal to the giver
(the site's name, its zones' names, the limits its people chose) does not go along.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from uuid import UUID

import msgspec
from sqlalchemy import delete, insert, select, update

from lineset.accounts import clean_email, find_reader, write_to_owners
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.messaging import MailWords, fill_words, queue_mail
from lineset.privacy import Context, Door, Person, Purpose, System, Tx
from lineset.privacy.rights import may
from lineset.sites.checks import clean
from lineset.sites.model import EquipmentRow, SiteRow, TenureRow, TransferRow, ZoneRow
from lineset.sites.service import free_name, load_equipment, load_site

LIFE = timedelta(days=14)
TRANSFER = Context(System("transfer"), Purpose.OPERATE)
_WORDS = msgspec.yaml.decode(resources.files("lineset.sites").joinpath("mails.yaml").read_bytes(), type=dict[str, dict[str, MailWords]])


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that waits: exactly one of `site_id` and `equipment_id` is set. `what` names it in words."""

    id: UUID
    site_id: UUID | None
    equipment_id: UUID | None
    what: str
    to: str
    offered_at: datetime
    expires_at: datetime


async def offer_site(tx: Tx, site_id: UUID, email: str) -> UUID:
    """Offer a site with its zones, machines and gateways to whoever reads that address; the offer's id. An earlier offer of it ends.

    Raises:
        Invalid: no e-mail address.
        NotFound: there is no such site for the asker.
        Denied: the asker is not an owner.
    """
    site = await load_site(tx, site_id)
    what = await tx.vault.open(site.household_id, site.name_sealed) or ""
    return await _offer(tx, site.household_id, what, email, site_id=site_id)


async def offer_equipment(tx: Tx, equipment_id: UUID, email: str) -> UUID:
    """Offer one machine, without its gateway, to whoever reads that address; the offer's id. Raises as `offer_site` does."""
    machine = await load_equipment(tx, equipment_id)
    return await _offer(tx, machine.household_id, _describe(machine), email, equipment_id=equipment_id)


async def list_offers(tx: Tx, household_id: UUID) -> list[Offer]:
    """The household's offers that wait for an answer, newest first."""
    live = (TransferRow.household_id == household_id, TransferRow.accepted_at.is_(None), TransferRow.expires_at > now())
    rows = (await tx.session.scalars(select(TransferRow).where(*live).order_by(TransferRow.id.desc()))).all()
    return [await _read(tx, row) for row in rows]


async def withdraw_offer(tx: Tx, offer_id: UUID) -> None:
    """Take an offer back, as an owner. Raises NotFound where there is none that the asker may take back."""
    gone = delete(TransferRow).where(TransferRow.id == offer_id, TransferRow.accepted_at.is_(None)).returning(TransferRow.id)
    if (await tx.session.execute(gone)).one_or_none() is None:
        raise NotFound("offer")


async def read_offer(door: Door, token: str) -> Offer:
    """What the link offers. Raises Invalid where it is dead."""
    async with door.open(TRANSFER) as tx:
        return await _read(tx, await _find(tx, token))


async def accept_site(door: Door, token: str, person_id: UUID, household_id: UUID, name: str) -> UUID:
    """Take an offered site into a household of which that person is an owner, under a name of its own; the site's id.

    Raises:
        Invalid: the link is dead, offers a machine, comes from this very household, or the name can't be used.
        Denied: the person does not own that household.
    """
    name = clean(name, "name", "a name for the site", least=1)
    await _owner_accepts(door, person_id, household_id)
    async with door.open(TRANSFER) as tx:
        offer = await _find(tx, token)
        site = await tx.session.get(SiteRow, offer.site_id) if offer.site_id else None
        if site is None:
            raise Invalid("offers_a_machine", "This link offers a single machine.", "token")
        what = await _settle(tx, offer, household_id)
        address = await tx.vault.open(site.household_id, site.address_sealed)
        machines = (await tx.session.scalars(select(EquipmentRow.id).where(EquipmentRow.site_id == site.id))).all()
        # zones, machines and gateways refer to site and household together, so they follow by the database's own keys
        await tx.session.execute(
            update(SiteRow)
            .where(SiteRow.id == site.id)
            .values(
                household_id=household_id,
                name_sealed=await tx.vault.seal(household_id, name),
                address_sealed=await tx.vault.seal(household_id, address) if address else None,
                limits={},
            )
        )
        zones = (await tx.session.scalars(select(ZoneRow.id).where(ZoneRow.site_id == site.id).order_by(ZoneRow.id))).all()
        for number, zone_id in enumerate(zones, 1):
            await tx.session.execute(update(ZoneRow).where(ZoneRow.id == zone_id).values(name=f"Zone {number}"))
        await _change_hands(tx, list(machines), household_id)
        # whoever gave it away knows the tokens of its simple devices
        await defer(tx.session, "gateways.end_tokens", site=str(site.id), before=now().timestamp())
        await _tell_giver(tx, offer, what)
        return site.id


async def accept_equipment(door: Door, token: str, person_id: UUID, site_id: UUID) -> UUID:
    """Take an offered machine to a site of a household of which that person is an owner; the machine's id.

    Raises:
        Invalid: the link is dead, offers a site, or comes from this very household.
        NotFound: there is no such site for that person.
        Denied: the person does not own the site's household.
    """
    async with door.open(Context(Person(person_id), Purpose.OPERATE)) as tx:
        household_id = (await load_site(tx, site_id)).household_id
    await _owner_accepts(door, person_id, household_id)
    async with door.open(TRANSFER) as tx:
        offer = await _find(tx, token)
        machine = await tx.session.get(EquipmentRow, offer.equipment_id) if offer.equipment_id else None
        if machine is None:
            raise Invalid("offers_a_site", "This link offers a whole site.", "token")
        what = await _settle(tx, offer, household_id)
        local_name = await free_name(tx, site_id, machine.local_name)
        place = {"site_id": site_id, "household_id": household_id, "zone_id": None, "gateway_id": None, "place": ""}
        await tx.session.execute(update(EquipmentRow).where(EquipmentRow.id == machine.id).values(local_name=local_name, **place))
        await _change_hands(tx, [machine.id], household_id)
        await _tell_giver(tx, offer, what)
        return machine.id


async def _offer(
    tx: Tx, household_id: UUID, what: str, email: str, *, site_id: UUID | None = None, equipment_id: UUID | None = None
) -> UUID:
    email = clean_email(email)
    if not await may(tx, household_id, "owner"):
        raise Denied("owners_only", "Only an owner of the household can hand this over.")
    same = TransferRow.site_id == site_id if site_id else TransferRow.equipment_id == equipment_id
    await tx.session.execute(delete(TransferRow).where(same, TransferRow.accepted_at.is_(None)))
    giver = await find_reader(tx, tx.context.person)
    token, offer_id, moment = secrets.token_urlsafe(32), new_id(), now()
    await tx.session.execute(
        insert(TransferRow).values(
            id=offer_id,
            household_id=household_id,
            digest=tx.vault.text_digest("transfer", token),
            site_id=site_id,
            equipment_id=equipment_id,
            to_sealed=await tx.vault.seal(household_id, email),
            offered_by=tx.context.person,
            offered_at=moment,
            expires_at=moment + LIFE,
        )
    )
    words = {"giver": giver.name if giver else "", "what": what, "token": token}
    subject, body = fill_words(_WORDS["transfer_offer"], giver.language if giver else "en", words)
    await queue_mail(tx, household_id, email, "transfer_offer", subject, body)
    return offer_id


async def _find(tx: Tx, token: str) -> TransferRow:
    live = (
        TransferRow.digest == tx.vault.text_digest("transfer", token),
        TransferRow.accepted_at.is_(None),
        TransferRow.expires_at > now(),
    )
    row = await tx.session.scalar(select(TransferRow).where(*live).with_for_update())
    if row is None:
        raise Invalid("dead_link", "This offer was taken back or accepted already, or its time is over. Ask for a new one.", "token")
    return row


async def _read(tx: Tx, row: TransferRow) -> Offer:
    to = await tx.vault.open(row.household_id, row.to_sealed)
    return Offer(row.id, row.site_id, row.equipment_id, await _what(tx, row), to or "", row.offered_at, row.expires_at)


async def _what(tx: Tx, row: TransferRow) -> str:
    """What is offered, in the giver's words; "" if it is not the giver's any more."""
    if row.site_id is not None:
        site = await tx.session.get(SiteRow, row.site_id)
        own = site is not None and site.household_id == row.household_id
        return (await tx.vault.open(row.household_id, site.name_sealed) if site and own else None) or ""
    machine = await tx.session.get(EquipmentRow, row.equipment_id)
    return _describe(machine) if machine and machine.household_id == row.household_id else ""


def _describe(machine: EquipmentRow) -> str:
    plate = " ".join(part for part in (machine.make, machine.model) if part)
    return f"{machine.name} ({plate})" if plate else machine.name


async def _owner_accepts(door: Door, person_id: UUID, household_id: UUID) -> None:
    async with door.open(Context(Person(person_id), Purpose.OPERATE)) as tx:
        if not await may(tx, household_id, "owner"):
            raise Denied("owners_only", "Only an owner of the household can accept this.")


async def _settle(tx: Tx, offer: TransferRow, household_id: UUID) -> str:
    """Mark the offer as accepted; what it was, in the giver's words."""
    if offer.household_id == household_id:
        raise Invalid("same_household", "This belongs to your household already.", "token")
    what = await _what(tx, offer)
    if not what:
        raise Invalid("dead_link", "The household that offered this no longer has it.", "token")
    await tx.session.execute(update(TransferRow).where(TransferRow.id == offer.id).values(accepted_at=now()))
    return what


async def _change_hands(tx: Tx, machines: list[UUID], household_id: UUID) -> None:
    """End the present tenure of these machines and begin the new household's, at one moment."""
    moment = now()
    ended = update(TenureRow).where(TenureRow.equipment_id.in_(machines), TenureRow.ends_at.is_(None)).values(ends_at=moment)
    for equipment_id in (await tx.session.scalars(ended.returning(TenureRow.equipment_id))).all():
        await tx.session.execute(insert(TenureRow).values(equipment_id=equipment_id, household_id=household_id, starts_at=moment))


async def _tell_giver(tx: Tx, offer: TransferRow, what: str) -> None:
    await write_to_owners(
        tx,
        offer.household_id,
        "transfer_done",
        lambda reader: fill_words(_WORDS["transfer_done"], reader.language, {"name": reader.name, "what": what}),
    )
