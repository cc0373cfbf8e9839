"""Gateways as they are shown."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from lineset import sites
from lineset.gateways.model import CertificateRow, FoundEquipmentRow, GatewayEventRow, GatewayRow, GatewayTokenRow
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import Tx

State = Literal["waiting", "online", "offline", "revoked"]

FRESH = timedelta(minutes=2)
"""Whoever sent something within this time has a link, whatever it said last: devices without MQTT never say that they are online."""
STALE = timedelta(minutes=15)
"""Whoever has been silent for this long has none, though nobody said that it went away."""


class TokenView(msgspec.Struct, frozen=True):
    """A token that still holds; its text was shown once."""

    id: UUID
    created_at: datetime


class GatewayView(msgspec.Struct, frozen=True):
    """A gateway. `state` is waiting until a device has enrolled; `code_open` says that its claim code can still be used."""

    id: UUID
    household: UUID | None
    site: UUID | None
    kind: str
    name: str
    state: State
    last_seen_at: datetime | None
    version: str | None
    created_at: datetime
    claimed_at: datetime | None
    enrolled_at: datetime | None
    revoked_at: datetime | None
    code_open: bool
    code_expires_at: datetime | None
    certificate_ends_at: datetime | None
    tokens: tuple[TokenView, ...]


class EventView(msgspec.Struct, frozen=True):
    """Something that happened: boot, error, crash, hand_operation, inventory or violation.

    Equal errors, crashes and violations of a day are one, from `at` to `last_at`, `count` times; `fingerprint` is the same for equal ones.
    """

    id: UUID
    gateway: UUID
    equipment: UUID | None
    at: datetime
    kind: str
    detail: dict[str, object]
    last_at: datetime | None = None
    count: int = 1
    version: str | None = None
    fingerprint: str | None = None
    title: str = ""


class Found(msgspec.Struct, frozen=True):
    """A machine that a gateway says it has. `equipment` is set where it has been added to the site."""

    gateway: UUID
    name: str
    type: str
    make: str
    model: str
    serial_number: str
    found_at: datetime
    equipment: UUID | None


class Link(msgspec.Struct, frozen=True):
    """Whether something sent to a gateway now would arrive, when it was heard last, and whose it is."""

    up: bool
    last_seen_at: datetime | None
    household: UUID


async def get_gateway(tx: Tx, gateway_id: UUID) -> GatewayView:
    """One gateway.

    Raises:
        NotFound: no such gateway is shared with the asker.
    """
    row = await tx.session.get(GatewayRow, gateway_id)
    if row is None:
        raise NotFound("gateway")
    return (await _views(tx, [row]))[0]


async def list_gateways(tx: Tx, site_id: UUID | None = None) -> list[GatewayView]:
    """The gateways that the asker may see, by name; those of one site when given."""
    wanted = select(GatewayRow).where(GatewayRow.household_id.is_not(None)).order_by(GatewayRow.name, GatewayRow.id)
    if site_id is not None:
        wanted = wanted.where(GatewayRow.site_id == site_id)
    return await _views(tx, list(await tx.session.scalars(wanted)))


async def list_unclaimed(tx: Tx, limit: int = 200) -> list[GatewayView]:
    """The newest gateways that nobody owns, for the operator's staff; none for anybody else."""
    wanted = select(GatewayRow).where(GatewayRow.household_id.is_(None)).order_by(GatewayRow.id.desc()).limit(limit)
    return await _views(tx, list(await tx.session.scalars(wanted)))


async def events(
    tx: Tx,
    *,
    gateway_id: UUID | None = None,
    equipment_id: UUID | None = None,
    kinds: Collection[str] = (),
    limit: int = 50,
    before: datetime | None = None,
) -> list[EventView]:
    """What happened, newest first, as far as the asker may see it; `before` continues a list. No `kinds`: all of them."""
    wanted = select(GatewayEventRow).order_by(GatewayEventRow.at.desc(), GatewayEventRow.id.desc()).limit(min(max(limit, 1), 500))
    if gateway_id is not None:
        wanted = wanted.where(GatewayEventRow.gateway_id == gateway_id)
    if equipment_id is not None:
        wanted = wanted.where(GatewayEventRow.equipment_id == equipment_id)
    if kinds:
        wanted = wanted.where(GatewayEventRow.kind.in_(kinds))
    if before is not None:
        wanted = wanted.where(GatewayEventRow.at < before)
    return [event_view(r) for r in await tx.session.scalars(wanted)]


def event_view(r: GatewayEventRow) -> EventView:
    """A row as it is shown."""
    return EventView(r.id, r.gateway_id, r.equipment_id, r.at, r.kind, r.detail, r.last_at, r.count, r.version, r.fingerprint, r.title)


async def found_machines(tx: Tx, gateway_id: UUID) -> list[Found]:
    """What the gateway says is there, by name, with the site's machine where it has been added."""
    rows = await tx.session.scalars(
        select(FoundEquipmentRow).where(FoundEquipmentRow.gateway_id == gateway_id).order_by(FoundEquipmentRow.name)
    )
    added = {m.local_name: m.id for m in await sites.list_equipment(tx, gateway_id=gateway_id)}
    return [Found(r.gateway_id, r.name, r.type, r.make, r.model, r.serial_number, r.found_at, added.get(r.name)) for r in rows]


async def links(tx: Tx, gateways: list[UUID]) -> dict[UUID, Link]:
    """The links of those gateways that exist, are not revoked and have an owner."""
    rows = await tx.session.scalars(
        select(GatewayRow).where(GatewayRow.id.in_(gateways), GatewayRow.revoked_at.is_(None), GatewayRow.household_id.is_not(None))
    )
    moment = now()
    return {r.id: Link(_up(r.online, r.last_seen_at, moment), r.last_seen_at, r.household_id) for r in rows if r.household_id is not None}


def _up(online: bool, seen: datetime | None, moment: datetime) -> bool:
    return seen is not None and moment - seen < (STALE if online else FRESH)


async def _views(tx: Tx, rows: list[GatewayRow]) -> list[GatewayView]:
    ids, moment = [r.id for r in rows], now()
    certificates = (
        select(CertificateRow.gateway_id, func.max(CertificateRow.ends_at))
        .where(CertificateRow.gateway_id.in_(ids), CertificateRow.revoked_at.is_(None))
        .group_by(CertificateRow.gateway_id)
    )
    ends = {row[0]: row[1] for row in await tx.session.execute(certificates)}
    tokens: dict[UUID, list[TokenView]] = {}
    for token in await tx.session.scalars(
        select(GatewayTokenRow)
        .where(GatewayTokenRow.gateway_id.in_(ids), GatewayTokenRow.revoked_at.is_(None))
        .order_by(GatewayTokenRow.id)
    ):
        tokens.setdefault(token.gateway_id, []).append(TokenView(token.id, token.created_at))
    return [_view(row, ends.get(row.id), tuple(tokens.get(row.id, ())), moment) for row in rows]


def _view(row: GatewayRow, certificate_ends_at: datetime | None, tokens: tuple[TokenView, ...], moment: datetime) -> GatewayView:
    state: State = "online" if _up(row.online, row.last_seen_at, moment) else "offline"
    if row.revoked_at is not None:
        state = "revoked"
    elif row.enrolled_at is None:
        state = "waiting"
    in_time = row.claim_expires_at is None or row.claim_expires_at > moment
    return GatewayView(
        id=row.id,
        household=row.household_id,
        site=row.site_id,
        kind=row.kind,
        name=row.name,
        state=state,
        last_seen_at=row.last_seen_at,
        version=row.version,
        created_at=row.created_at,
        claimed_at=row.claimed_at,
        enrolled_at=row.enrolled_at,
        revoked_at=row.revoked_at,
        code_open=in_time and row.claim_digest is not None and (row.enrolment_open or row.household_id is None),
        code_expires_at=row.claim_expires_at,
        certificate_ends_at=certificate_ends_at,
        tokens=tokens,
    )
