"""Gateways as their people handle them: add, rename, give a new code or token, revoke, move."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, text, update

from lineset import sites
from lineset.gateways.codes import ClaimCode, code_digest, make_code, make_token, token_digest
from lineset.gateways.model import CertificateRow, FoundEquipmentRow, GatewayRow, GatewayTokenRow
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Tx
from lineset.privacy.rights import may

Kind = Literal["agent", "simple"]

CODE_LIFE = timedelta(hours=24)
MAX_NAME = 80
MAX_MINT = 1000
MAX_TOKENS = 10


class NewToken(msgspec.Struct, frozen=True):
    """A device's token, shown once."""

    id: UUID
    gateway: UUID
    token: str


async def create_gateway(tx: Tx, site_id: UUID, name: str, kind: Kind = "agent") -> ClaimCode:
    """Add a gateway to a site. It belongs to the site's household at once; the code, good for 24 h and one use, enrols the device.

    Raises:
        NotFound: no such site is shared with the asker.
        Denied: the asker may not change equipment there.
        Invalid: the name or the kind.
    """
    name = checked_name(name)
    if kind not in ("agent", "simple"):
        raise Invalid("bad_kind", "A gateway is of kind agent or simple.", "kind")
    household = await household_to_equip(tx, site_id)
    gateway = GatewayRow(
        id=new_id(), household_id=household, site_id=site_id, kind=kind, name=name, created_at=now(), claimed_at=now(), online=False
    )
    code = give_code(tx, gateway, CODE_LIFE)
    tx.session.add(gateway)
    await tx.session.flush()
    return code


async def mint_gateways(tx: Tx, count: int) -> list[ClaimCode]:
    """Make gateways that nobody owns yet, each with a code to print on its box. For the operator's staff.

    Raises:
        Invalid: the count.
        Denied: the asker is not of the operator's staff.
    """
    if not 1 <= count <= MAX_MINT:
        raise Invalid("bad_count", f"Give a number from 1 to {MAX_MINT}.", "count")
    await _require_operator(tx)
    codes = []
    for _ in range(count):
        gateway = GatewayRow(id=new_id(), kind="agent", name="", created_at=now(), online=False)
        codes.append(give_code(tx, gateway, None))
        tx.session.add(gateway)
    await tx.session.flush()
    return codes


async def new_code(tx: Tx, gateway_id: UUID) -> ClaimCode:
    """A new code for a gateway, instead of its last one: to enrol a device anew, or, while nobody owns it, also to claim it.

    The identity that the device has now ends only when another one is enrolled with the code.

    Raises:
        NotFound, Denied
    """
    gateway = await mine(tx, gateway_id)
    return give_code(tx, gateway, CODE_LIFE if gateway.household_id is not None else None)


async def rename(tx: Tx, gateway_id: UUID, name: str) -> None:
    """Call a gateway by another name.

    Raises:
        NotFound, Denied, Invalid
    """
    gateway = await mine(tx, gateway_id)
    gateway.name = checked_name(name)


async def create_token(tx: Tx, gateway_id: UUID) -> NewToken:
    """A token by which a device signs in instead of by a certificate. It can't be shown again.

    Raises:
        NotFound, Denied
        Conflict: it has as many tokens as a gateway may have.
    """
    gateway = await mine(tx, gateway_id)
    held = await tx.session.execute(
        select(GatewayTokenRow.id).where(GatewayTokenRow.gateway_id == gateway.id, GatewayTokenRow.revoked_at.is_(None))
    )
    if len(held.all()) >= MAX_TOKENS:
        raise Conflict("too_many_tokens", f"This gateway has {MAX_TOKENS} tokens. Revoke one that is not used.")
    token = make_token()
    row = GatewayTokenRow(id=new_id(), gateway_id=gateway.id, digest=token_digest(tx.vault, token), created_at=now())
    tx.session.add(row)
    gateway.enrolled_at = gateway.enrolled_at or now()
    gateway.revoked_at = None
    await tx.session.flush()
    changed(tx, gateway.id)
    return NewToken(row.id, gateway.id, token)


async def revoke_token(tx: Tx, token_id: UUID) -> None:
    """End a token; what is connected by it is cut off at once.

    Raises:
        NotFound, Denied
    """
    row = await tx.session.get(GatewayTokenRow, token_id)
    if row is None:
        raise NotFound("token")
    await mine(tx, row.gateway_id, "token")
    if row.revoked_at is None:
        row.revoked_at = now()
        await tx.session.flush()
        revoked(tx, row.gateway_id)


async def revoke(tx: Tx, gateway_id: UUID) -> None:
    """End every identity of a gateway; what is connected by one is cut off at once. It stays the household's and can be enrolled anew.

    Raises:
        NotFound, Denied
    """
    gateway = await mine(tx, gateway_id)
    await end_identities(tx, gateway, now())


async def transfer(tx: Tx, gateway_id: UUID, site_id: UUID) -> None:
    """Move a gateway to another site at which the asker may change equipment. Its machines at the old site are no longer fed by it.

    Raises:
        NotFound, Denied
    """
    gateway = await mine(tx, gateway_id)
    household = await household_to_equip(tx, site_id)
    if gateway.household_id is None:
        raise Conflict("not_claimed", "Nobody owns this gateway yet. Claim it with the code on its box.")
    await detach_machines(tx, gateway.id, except_site=site_id)
    if gateway.household_id != household:
        await tx.session.execute(delete(FoundEquipmentRow).where(FoundEquipmentRow.gateway_id == gateway.id))
    gateway.household_id, gateway.site_id = household, site_id
    await tx.session.flush()
    changed(tx, gateway.id)


async def attach_machine(tx: Tx, gateway_id: UUID, equipment_id: UUID, local_name: str = "") -> None:
    """Let a gateway feed a machine of its site, under the name that the machine has there (its present one when empty).

    Raises:
        NotFound, Denied
        Conflict: the gateway is not at the machine's site, or feeds another machine of that name.
    """
    gateway = await mine(tx, gateway_id)
    machine = await sites.get_equipment(tx, equipment_id)
    if gateway.site_id != machine.site_id:
        raise Conflict("another_site", "Gateway and machine are at different sites. Move the gateway first.")
    await sites.attach_equipment(tx, equipment_id, gateway_id, local_name)


async def end_identities(tx: Tx, gateway: GatewayRow, at: datetime) -> None:
    """Revoke the gateway with all its certificates and tokens, and have its connections cut after the commit."""
    for row in (CertificateRow, GatewayTokenRow):
        await tx.session.execute(update(row).where(row.gateway_id == gateway.id, row.revoked_at.is_(None)).values(revoked_at=at))
    gateway.revoked_at, gateway.enrolment_open, gateway.online = at, False, False
    await tx.session.flush()
    revoked(tx, gateway.id)


async def detach_machines(tx: Tx, gateway_id: UUID, except_site: UUID | None = None) -> None:
    """Machines that this gateway feeds stay with their household and wait for another gateway."""
    for machine in await sites.list_equipment(tx, gateway_id=gateway_id):
        if machine.site_id != except_site:
            await sites.attach_equipment(tx, machine.id, None)


async def household_to_equip(tx: Tx, site_id: UUID) -> UUID:
    """The household of a site at which the asker may change equipment. Raises NotFound or Denied."""
    household = (await sites.get_site(tx, site_id)).household_id
    if not await may(tx, household, "equipment"):
        raise Denied("may_not_equip", "You may look at this site, but not change its equipment.")
    return household


async def mine(tx: Tx, gateway_id: UUID, what: str = "gateway") -> GatewayRow:
    """The gateway, locked, if the asker may change it. Raises NotFound or Denied."""
    row = await tx.session.get(GatewayRow, gateway_id)
    if row is None:
        raise NotFound(what)
    if row.household_id is None:
        await _require_operator(tx)
    elif not await may(tx, row.household_id, "equipment"):
        raise Denied("may_not_equip", "You may look at this gateway, but not change it.")
    await tx.session.refresh(row, with_for_update=True)
    return row


async def _require_operator(tx: Tx) -> None:
    if not await tx.session.scalar(text("SELECT access.staff('operator') OR access.system('setup', 'enrolment')")):
        raise Denied("operator_needed", "Only the operator's staff can do this.")


def give_code(tx: Tx, gateway: GatewayRow, life: timedelta | None) -> ClaimCode:
    """A new code instead of the gateway's last one; it may enrol a device again."""
    code = make_code()
    gateway.claim_digest = code_digest(tx.vault, code)
    gateway.claim_expires_at = None if life is None else now() + life
    gateway.enrolment_open = True
    return ClaimCode(gateway.id, code, None if gateway.claim_expires_at is None else gateway.claim_expires_at.timestamp())


def checked_name(name: str) -> str:
    """The name in one line. Raises Invalid."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise Invalid("bad_name", f"Give the gateway a name of 1 to {MAX_NAME} characters.", "name")
    return name


def revoked(tx: Tx, gateway_id: UUID) -> None:
    """Have what is connected as this gateway cut off, and asked again who it is, after the commit."""
    tx.announce(f"wake.revoke.{gateway_id}")
    changed(tx, gateway_id)


def changed(tx: Tx, gateway_id: UUID) -> None:
    """Tell whoever remembers this gateway's owner or machines to read them again, after the commit."""
    tx.announce(f"wake.gateway.{gateway_id}")
