"""Asking for measurements to be erased: hidden at once, then erased by a job from every tier."""

from uuid import UUID

from lineset import sites
from lineset.kit.jobs import defer
from lineset.privacy import Tx


async def erase_machine(tx: Tx, equipment: UUID) -> int:
    """Erase a machine and all that it measured while its household owned it; how many series go.

    The machine is gone from every page when the transaction commits. Its bytes leave every tier by the job "telemetry.erase"; an
    earlier owner's measurements stay.

    Raises:
        NotFound: there is no such machine for the asker.
        Denied: the asker is not an owner of its household.
    """
    household, series = await sites.remove_equipment(tx, equipment)
    await ask(tx, household, series)
    return len(series)


async def erase_site(tx: Tx, site: UUID) -> int:
    """Erase a site with its machines and all that they measured, as `erase_machine` does for one."""
    household, series = await sites.remove_site(tx, site)
    await ask(tx, household, series)
    return len(series)


async def erase_household(tx: Tx, household: UUID) -> int:
    """Erase all that a household's machines, present and former, ever measured; how many series go.

    Raises:
        Denied: the asker is not an owner of that household.
    """
    machines = await sites.machines_of_household(tx, household)
    series = await sites.series_of(tx, household)
    for equipment in machines:
        await sites.remove_equipment(tx, equipment)
    await ask(tx, household, series)
    return len(series)


async def ask(tx: Tx, household: UUID, series: list[int]) -> None:
    """Put the erasure of these series into the queue, as part of this transaction."""
    if series:
        await defer(tx.session, "telemetry.erase", series=",".join(map(str, series)), household=str(household))
