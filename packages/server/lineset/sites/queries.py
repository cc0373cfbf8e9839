"""Sites and machines as people see them: names and addresses opened, found by any word of theirs."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select

from lineset.kit.errors import NotFound
from lineset.privacy import Tx
from lineset.sites.checks import Address
from lineset.sites.model import EquipmentRow, SiteRow, TenureRow, ZoneRow

_ADDRESS = msgspec.json.Decoder(Address)


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a site."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine. `series_id` keys the present owner's measurements; None once it is retired. `capacity_w` in W."""

    id: UUID
    site_id: UUID
    household_id: UUID
    zone_id: UUID | None
    gateway_id: UUID | None
    local_name: str
    name: str
    type: str
    make: str
    model: str
    serial_number: str
    capacity_w: float | None
    fuel: str
    refrigerant: str
    place: str
    installed_on: date | None
    installer: str
    limits: dict[str, list[float]]
    series_id: int | None
    owned_since: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Site:
    """A site with what stands there; lists leave `zones` and `equipment` as asked for."""

    id: UUID
    household_id: UUID
    kind: str
    name: str
    address: Address
    time_zone: str
    limits: dict[str, list[float]]
    created_at: datetime
    zones: tuple[Zone, ...] = ()
    equipment: tuple[Equipment, ...] = ()


async def list_sites(tx: Tx, *, household_id: UUID | None = None, with_equipment: bool = True) -> list[Site]:
    """Every site that the actor may see under its purpose, by name; of one household when given. Retired machines are left out."""
    conditions = () if household_id is None else (SiteRow.household_id == household_id,)
    machines = await _machines_by_site(tx, household_id) if with_equipment else {}
    sites = await _sites(tx, machines, {}, *conditions)
    return sorted(sites, key=lambda s: (s.name.casefold(), s.id))


async def get_site(tx: Tx, site_id: UUID) -> Site:
    """One site with its zones and machines, retired ones last.

    Raises:
        NotFound: there is no such site for the actor.
    """
    zones = (await tx.session.scalars(select(ZoneRow).where(ZoneRow.site_id == site_id).order_by(ZoneRow.name))).all()
    machines = await _machines(tx, EquipmentRow.site_id == site_id)
    machines.sort(key=lambda m: (m.retired_at is not None, m.name.casefold(), m.id))
    found = await _sites(tx, {site_id: machines}, {site_id: [Zone(z.id, z.name) for z in zones]}, SiteRow.id == site_id)
    if not found:
        raise NotFound("site")
    return found[0]


async def get_equipment(tx: Tx, equipment_id: UUID) -> Equipment:
    """One machine.

    Raises:
        NotFound: there is no such machine for the actor.
    """
    found = await _machines(tx, EquipmentRow.id == equipment_id)
    if not found:
        raise NotFound("machine")
    return found[0]


async def list_equipment(tx: Tx, *, gateway_id: UUID | None = None, site_id: UUID | None = None) -> list[Equipment]:
    """Every machine in use that the actor may see, by name; those of one gateway or site when given."""
    conditions: list[ColumnElement[bool]] = [EquipmentRow.retired_at.is_(None)]
    if gateway_id is not None:
        conditions.append(EquipmentRow.gateway_id == gateway_id)
    if site_id is not None:
        conditions.append(EquipmentRow.site_id == site_id)
    return sorted(await _machines(tx, *conditions), key=lambda m: (m.name.casefold(), m.id))


async def site_limits(tx: Tx, sites: Collection[UUID]) -> dict[UUID, dict[str, list[float]]]:
    """What the people of these sites allow by setting, such as {"heating_setpoint": [16, 24]} in degC, as far as the actor may see them."""
    rows = await tx.session.execute(select(SiteRow.id, SiteRow.limits).where(SiteRow.id.in_(sites)))
    return {row[0]: row[1] for row in rows}


async def search_sites(tx: Tx, words: str) -> list[Site]:
    """The sites that have each of the words in name, address, or a machine's name, make, model, serial number or local name.

    Case and accents make no difference. Names and addresses are sealed in the database, so the search runs here, over what the actor
    may see.
    """
    wanted = _fold(words).split()
    return [site for site in await list_sites(tx) if all(word in _searchable(site) for word in wanted)]


async def _machines_by_site(tx: Tx, household_id: UUID | None) -> dict[UUID, list[Equipment]]:
    conditions: list[ColumnElement[bool]] = [EquipmentRow.retired_at.is_(None)]
    if household_id is not None:
        conditions.append(EquipmentRow.household_id == household_id)
    result: dict[UUID, list[Equipment]] = {}
    for machine in sorted(await _machines(tx, *conditions), key=lambda m: (m.name.casefold(), m.id)):
        result.setdefault(machine.site_id, []).append(machine)
    return result


async def _machines(tx: Tx, *conditions: ColumnElement[bool]) -> list[Equipment]:
    e, t = EquipmentRow, TenureRow
    identity = (e.id, e.site_id, e.household_id, e.zone_id, e.gateway_id, e.local_name, e.name, e.type)
    plate = (e.make, e.model, e.serial_number, e.capacity_w, e.fuel, e.refrigerant, e.place, e.installed_on, e.installer, e.limits)
    statement: Any = select(*identity, *plate, t.series_id, t.starts_at, e.retired_at)
    open_tenure = (t.equipment_id == e.id) & t.ends_at.is_(None)
    rows = await tx.session.execute(statement.join(t, open_tenure, isouter=True).where(*conditions))
    return [Equipment(*values) for values in rows]


_SITE = (SiteRow.id, SiteRow.household_id, SiteRow.kind, SiteRow.name_sealed, SiteRow.address_sealed, SiteRow.time_zone)


async def _sites(
    tx: Tx, machines: dict[UUID, list[Equipment]], zones: dict[UUID, list[Zone]], *conditions: ColumnElement[bool]
) -> list[Site]:
    rows = (await tx.session.execute(select(*_SITE, SiteRow.limits, SiteRow.created_at).where(*conditions))).all()
    sealed = [(row[1], value) for row in rows for value in (row[3], row[4])]
    opened = await tx.vault.open_many(sealed)
    result = []
    for number, (id_, household_id, kind, _, _, time_zone, limits, created_at) in enumerate(rows):
        name, address = opened[2 * number], opened[2 * number + 1]
        place = _ADDRESS.decode(address) if address else Address()
        there = tuple(zones.get(id_, ())) if zones else (), tuple(machines.get(id_, ())) if machines else ()
        result.append(Site(id_, household_id, kind, name or "", place, time_zone, limits, created_at, *there))
    return result


def _searchable(site: Site) -> str:
    parts = [site.name, site.address.line]
    for machine in site.equipment:
        parts += [machine.name, machine.make, machine.model, machine.serial_number, machine.local_name, machine.place]
    return _fold("\n".join(parts))


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


async def households_of(tx: Tx, equipment: Collection[UUID]) -> dict[UUID, UUID]:
    """The household of each of these machines, as far as the actor may see them."""
    rows = await tx.session.execute(select(EquipmentRow.id, EquipmentRow.household_id).where(EquipmentRow.id.in_(equipment)))
    return dict(rows.all())
