"""Sites, zones and machines: made, changed, retired. Row-level security decides who may; these functions decide what is sound."""

import itertools
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from lineset_contract.values import good_name
from sqlalchemy import delete, func, insert, select, update

from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Tx
from lineset.privacy.changes import note_household
from lineset.privacy.rights import may
from lineset.sites.checks import (
    Address,
    NewEquipment,
    check_equipment,
    check_kind,
    check_limits,
    check_zone,
    clean,
    clean_address,
    find_profile,
)
from lineset.sites.model import EquipmentRow, SiteRow, TenureRow, ZoneRow

MOST_SITES, MOST_MACHINES = 10_000, 2_000
"""Sites of one household or business, and machines of one site."""


async def create_site(
    tx: Tx,
    household_id: UUID,
    *,
    name: str,
    time_zone: str,
    kind: str = "residential",
    address: Address | None = None,
    limits: Mapping[str, list[float]] | None = None,
) -> UUID:
    """A new site of that household; its id. `limits` are what its people allow by setting, such as {"heating_setpoint": [16, 24]} in degC.

    Raises:
        Invalid: a field can't be used.
        NotFound: there is no such household, or the asker may not change its equipment.
    """
    values = {
        "kind": check_kind(kind),
        "time_zone": check_zone(time_zone),
        "name_sealed": await _seal_name(tx, household_id, name),
        "address_sealed": await _seal_address(tx, household_id, address),
        "limits": check_limits(limits or {}),
    }
    await _may_change(tx, household_id)
    site_id = new_id()
    await tx.session.execute(insert(SiteRow).values(id=site_id, household_id=household_id, created_at=now(), **values))
    return site_id


async def change_site(
    tx: Tx,
    site_id: UUID,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    kind: str | None = None,
    address: Address | None = None,
    limits: Mapping[str, list[float]] | None = None,
) -> None:
    """Change what is given of a site; an empty `Address()` forgets the address.

    Raises:
        Invalid: a field can't be used.
        NotFound: there is no such site for the asker.
        Denied: the asker may see it but not change it.
    """
    site = await load_site(tx, site_id)
    before = await _site_texts(tx, site)
    values: dict[str, object] = {}
    if name is not None:
        values["name_sealed"] = await _seal_name(tx, site.household_id, name)
    if time_zone is not None:
        values["time_zone"] = check_zone(time_zone)
    if kind is not None:
        values["kind"] = check_kind(kind)
    if address is not None:
        values["address_sealed"] = await _seal_address(tx, site.household_id, address)
    if limits is not None:
        values["limits"] = check_limits(limits)
    if values:
        done = await tx.session.execute(update(SiteRow).where(SiteRow.id == site_id).values(**values).returning(SiteRow.id))
        _changed(done.one_or_none())
        after = await _site_texts(tx, await load_site(tx, site_id))
        await note_household(tx, site.household_id, {f: (before[f], after[f]) for f in after}, site_id)
    if limits is not None:
        at_site = select(EquipmentRow.gateway_id).where(EquipmentRow.site_id == site_id).distinct()
        _tell_gateways(tx, *await tx.session.scalars(at_site))


async def add_zone(tx: Tx, site_id: UUID, name: str) -> UUID:
    """A part of a site with a temperature of its own; its id.

    Raises:
        Invalid: no name.
        NotFound: there is no such site for the asker, or the asker may not change it.
    """
    site = await load_site(tx, site_id)
    name = clean(name, "name", "a name for the zone", least=1)
    await _may_change(tx, site.household_id)
    zone_id = new_id()
    await tx.session.execute(insert(ZoneRow).values(id=zone_id, site_id=site_id, household_id=site.household_id, name=name))
    return zone_id


async def rename_zone(tx: Tx, zone_id: UUID, name: str) -> None:
    """Raises NotFound or Denied as `change_site` does."""
    await _zone_row(tx, zone_id)
    name = clean(name, "name", "a name for the zone", least=1)
    done = await tx.session.execute(update(ZoneRow).where(ZoneRow.id == zone_id).values(name=name).returning(ZoneRow.id))
    _changed(done.one_or_none())


async def remove_zone(tx: Tx, zone_id: UUID) -> None:
    """Forget a zone; its machines stay at the site. Raises NotFound or Denied as `change_site` does."""
    await _zone_row(tx, zone_id)
    done = await tx.session.execute(delete(ZoneRow).where(ZoneRow.id == zone_id).returning(ZoneRow.id))
    _changed(done.one_or_none())


async def add_equipment(
    tx: Tx,
    site_id: UUID,
    new: NewEquipment,
    *,
    zone_id: UUID | None = None,
    gateway_id: UUID | None = None,
    owned_since: datetime | None = None,
) -> UUID:
    """A new machine at a site, with the household's tenure from `owned_since` (now); its id.

    `new.local_name` is the machine's name on its gateway; one is made from the machine's name when it is empty.

    Raises:
        Invalid: a field can't be used.
        NotFound: there is no such site or zone for the asker, or the asker may not change it.
        Conflict: the gateway has another machine of that local name.
    """
    site = await load_site(tx, site_id)
    values = check_equipment(new)
    values["limits"] = check_limits(new.limits, [find_profile(new.type)])
    await _may_change(tx, site.household_id)
    if zone_id is not None and (await _zone_row(tx, zone_id)).site_id != site_id:
        raise NotFound("zone")
    count = await tx.session.scalar(select(func.count()).select_from(EquipmentRow).where(EquipmentRow.site_id == site_id))
    if (count or 0) >= MOST_MACHINES:
        raise Invalid("too_many_machines", f"A site may have at most {MOST_MACHINES} machines.")
    equipment_id, moment = new_id(), now()
    local_name = await _local_name(tx, site_id, gateway_id, new.local_name or str(values["name"]), given=bool(new.local_name))
    await tx.session.execute(
        insert(EquipmentRow).values(
            id=equipment_id,
            site_id=site_id,
            household_id=site.household_id,
            zone_id=zone_id,
            gateway_id=gateway_id,
            local_name=local_name,
            created_at=moment,
            **values,
        )
    )
    await tx.session.execute(
        insert(TenureRow).values(equipment_id=equipment_id, household_id=site.household_id, starts_at=min(owned_since or moment, moment))
    )
    _tell_gateways(tx, gateway_id)
    return equipment_id


async def change_equipment(tx: Tx, equipment_id: UUID, new: NewEquipment, *, zone_id: UUID | None = None) -> None:
    """Replace what is known of a machine. Its type may not change once it has measured as another: that is another machine.

    Raises:
        Invalid: a field can't be used.
        NotFound, Denied: as `change_site`.
        Conflict: `local_name` belongs to another machine on its gateway.
    """
    row = await load_equipment(tx, equipment_id)
    before, household = _equipment_texts(row), row.household_id
    values = check_equipment(new)
    if values["type"] != row.type:
        raise Invalid("type_is_fixed", "A machine keeps its type. Retire this one and add another.", "type")
    values["limits"] = check_limits(new.limits, [find_profile(new.type)])
    if zone_id is not None and (await _zone_row(tx, zone_id)).site_id != row.site_id:
        raise NotFound("zone")
    values["zone_id"] = zone_id
    if new.local_name and new.local_name != row.local_name:
        values["local_name"] = await _local_name(tx, row.site_id, row.gateway_id, new.local_name, given=True)
    done = await tx.session.execute(update(EquipmentRow).where(EquipmentRow.id == equipment_id).values(**values).returning(EquipmentRow.id))
    _changed(done.one_or_none())
    after = _equipment_texts(await load_equipment(tx, equipment_id))
    await note_household(tx, household, {f: (before[f], after[f]) for f in after}, equipment_id)
    _tell_gateways(tx, row.gateway_id)


async def retire_equipment(tx: Tx, equipment_id: UUID) -> None:
    """Take a machine out of use: its tenure ends now, its history stays with its owner.

    Raises:
        NotFound, Denied: as `change_site`.
        Conflict: it is retired already.
    """
    row = await load_equipment(tx, equipment_id)
    if row.retired_at is not None:
        raise Conflict("already_retired", "This machine is retired already.")
    moment, fed_by = now(), row.gateway_id
    done = await tx.session.execute(
        update(EquipmentRow).where(EquipmentRow.id == equipment_id).values(retired_at=moment, gateway_id=None).returning(EquipmentRow.id)
    )
    _changed(done.one_or_none())
    _tell_gateways(tx, fed_by)
    await tx.session.execute(
        update(TenureRow).where(TenureRow.equipment_id == equipment_id, TenureRow.ends_at.is_(None)).values(ends_at=moment)
    )


async def attach_equipment(tx: Tx, equipment_id: UUID, gateway_id: UUID | None, local_name: str = "") -> None:
    """Say through which gateway a machine speaks, under which name there; None takes it off its gateway.

    The caller has checked that the gateway is at the machine's site.

    Raises:
        Invalid: the name is no local name.
        NotFound, Denied: as `change_site`.
        Conflict: the gateway has another machine of that name.
    """
    row = await load_equipment(tx, equipment_id)
    name = await _local_name(tx, row.site_id, gateway_id, local_name, given=True) if local_name else row.local_name
    fed_by = row.gateway_id
    done = await tx.session.execute(
        update(EquipmentRow)
        .where(EquipmentRow.id == equipment_id)
        .values(gateway_id=gateway_id, local_name=name)
        .returning(EquipmentRow.id)
    )
    _changed(done.one_or_none())
    _tell_gateways(tx, fed_by, gateway_id)


async def extend_tenure(tx: Tx, equipment_id: UUID, back_to: datetime) -> None:
    """Let the first known owner's tenure begin at `back_to`, for recorded history from before the machine was entered here.

    Raises:
        NotFound: there is no such machine for the asker.
        Conflict: another household owned it before, so that time is not the asker's.
    """
    row = await load_equipment(tx, equipment_id)
    tenures = select(TenureRow).where(TenureRow.equipment_id == equipment_id).order_by(TenureRow.starts_at)
    first = (await tx.session.scalars(tenures)).first()
    # The first tenure begins when the machine is entered, or before by this very function; a later one followed another owner's.
    if first is None or first.starts_at > row.created_at:
        raise Conflict("owned_before", "This machine had another owner before, so earlier readings are not this household's.")
    if back_to < first.starts_at:
        await tx.session.execute(update(TenureRow).where(TenureRow.series_id == first.series_id).values(starts_at=back_to))


async def _site_texts(tx: Tx, row: SiteRow) -> dict[str, str]:
    """What people told of a site, as the history of corrections keeps it."""
    name, address = await tx.vault.open_many((row.household_id, sealed) for sealed in (row.name_sealed, row.address_sealed))
    line = msgspec.json.decode(address, type=Address).line if address else ""
    return {"site.name": name or "", "site.address": line, "site.kind": row.kind, "site.time_zone": row.time_zone}


def _equipment_texts(row: EquipmentRow) -> dict[str, str]:
    """What people told of a machine, as the history of corrections keeps it."""
    told = ("name", "make", "model", "serial_number", "capacity_w", "fuel", "refrigerant", "place", "installed_on", "installer")
    return {f"machine.{field}": str(getattr(row, field) or "") for field in told}


async def _seal_name(tx: Tx, household_id: UUID, name: str) -> bytes:
    return await tx.vault.seal(household_id, clean(name, "name", "a name for the site", least=1))


async def _seal_address(tx: Tx, household_id: UUID, address: Address | None) -> bytes | None:
    cleaned = clean_address(address or Address())
    return await tx.vault.seal(household_id, msgspec.json.encode(cleaned).decode()) if cleaned.line else None


async def _may_change(tx: Tx, household_id: UUID) -> None:
    """Raises NotFound unless the actor may change the household's equipment: said before the database would say it less kindly."""
    if not await may(tx, household_id, "equipment"):
        raise NotFound("household")


async def load_site(tx: Tx, site_id: UUID) -> SiteRow:
    """The row as it is now. Raises NotFound."""
    row = await tx.session.get(SiteRow, site_id, populate_existing=True)
    if row is None:
        raise NotFound("site")
    return row


async def _zone_row(tx: Tx, zone_id: UUID) -> ZoneRow:
    row = await tx.session.get(ZoneRow, zone_id, populate_existing=True)
    if row is None:
        raise NotFound("zone")
    return row


async def load_equipment(tx: Tx, equipment_id: UUID) -> EquipmentRow:
    """The row as it is now. Raises NotFound."""
    row = await tx.session.get(EquipmentRow, equipment_id, populate_existing=True)
    if row is None:
        raise NotFound("machine")
    return row


def _changed(row: object) -> None:
    """Raises Denied when an update found no row that the actor may write, though it may read it."""
    if row is None:
        raise Denied("not_yours_to_change", "You may see this but not change it. Ask an owner of the household.")


def _tell_gateways(tx: Tx, *gateways: UUID | None) -> None:
    """Whoever remembers the machines of these gateways, or their limits, reads them again after the commit."""
    for gateway in {g for g in gateways if g is not None}:
        tx.announce(f"wake.gateway.{gateway}")


async def _local_name(tx: Tx, site_id: UUID, gateway_id: UUID | None, wanted: str, *, given: bool) -> str:
    """A name by which the machine's frames are told apart: `wanted` as it is when `given`, else a free one made from it."""
    if not given:
        return await free_name(tx, site_id, wanted, gateway_id)
    if not good_name(wanted):
        say = "A local name has a-z, 0-9 and _, a letter first, at most 64 of them, such as hp1."
        raise Invalid("bad_local_name", say, "local_name")
    same = (EquipmentRow.gateway_id == gateway_id, EquipmentRow.local_name == wanted)
    if gateway_id is not None and (await tx.session.scalar(select(EquipmentRow.id).where(*same))) is not None:
        raise Conflict("local_name_taken", f"The gateway has another machine called {wanted}.")
    return wanted


async def free_name(tx: Tx, site_id: UUID, wanted: str, gateway_id: UUID | None = None) -> str:
    """A local name made from `wanted` that no other machine has, on that gateway or else at that site."""
    where = EquipmentRow.site_id == site_id if gateway_id is None else EquipmentRow.gateway_id == gateway_id
    names = set((await tx.session.scalars(select(EquipmentRow.local_name).where(where))).all())
    ascii_name = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", ascii_name).strip("_")[:56]
    base = base if base and base[0].isalpha() else f"m_{base}".rstrip("_")
    return next(name for name in itertools.chain([base], (f"{base}_{n}" for n in itertools.count(2))) if name not in names)
