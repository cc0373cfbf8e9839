"""Removing machines for good. What they measured is erased by telemetry, by the numbers of the series that these functions give."""

from uuid import UUID

from sqlalchemy import delete, select, text

from lineset.kit.errors import Denied
from lineset.privacy import Tx
from lineset.privacy.changes import forget_thing
from lineset.privacy.rights import may
from lineset.sites.model import EquipmentRow, SiteRow, TenureRow
from lineset.sites.service import load_equipment, load_site, retire_equipment


async def remove_equipment(tx: Tx, equipment_id: UUID) -> tuple[UUID, list[int]]:
    """Remove a machine with its household's time as its owner: the household, and the series that it measured in that time.

    An earlier owner's time with it, and what was measured in it, stays.

    Raises:
        NotFound: there is no such machine for the asker.
        Denied: the asker is not an owner of its household.
    """
    row = await load_equipment(tx, equipment_id)
    household = row.household_id
    if not await may(tx, household, "owner"):
        raise Denied("owners_only", "Only an owner of the household can erase a machine.")
    if row.retired_at is None:
        await retire_equipment(tx, equipment_id)
    mine = (TenureRow.equipment_id == equipment_id, TenureRow.household_id == household)
    series = list(await tx.session.scalars(select(TenureRow.series_id).where(*mine)))
    # the readings keep their names by it until they are gone, or held
    await tx.session.execute(text("SELECT access.hide_series(:series)"), {"series": series})
    await tx.session.execute(delete(EquipmentRow).where(EquipmentRow.id == equipment_id))
    await forget_thing(tx, equipment_id)
    return household, series


async def remove_site(tx: Tx, site_id: UUID) -> tuple[UUID, list[int]]:
    """Remove a site with its zones and machines, as `remove_equipment` does each machine. Its gateways are given up before."""
    site = await load_site(tx, site_id)
    household = site.household_id
    series: list[int] = []
    for equipment in await tx.session.scalars(select(EquipmentRow.id).where(EquipmentRow.site_id == site_id)):
        series += (await remove_equipment(tx, equipment))[1]
    if not await may(tx, household, "owner"):
        raise Denied("owners_only", "Only an owner of the household can erase a site.")
    await tx.session.execute(delete(SiteRow).where(SiteRow.id == site_id))
    await forget_thing(tx, site_id)
    return household, series


async def series_of(tx: Tx, household: UUID) -> list[int]:
    """All series of a household, those of former machines too."""
    return list(
        await tx.session.scalars(select(TenureRow.series_id).where(TenureRow.household_id == household).order_by(TenureRow.series_id))
    )


async def machines_of_household(tx: Tx, household: UUID) -> list[UUID]:
    """All machines of a household, retired ones too."""
    return list(await tx.session.scalars(select(EquipmentRow.id).where(EquipmentRow.household_id == household).order_by(EquipmentRow.id)))
