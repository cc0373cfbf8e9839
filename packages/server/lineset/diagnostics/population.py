"""The machines that are diagnosed: which there are, whose, up to when each was looked at; and who works on which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from lineset.diagnostics.keeping import Whose
from lineset.diagnostics.machine import Machine
from lineset.kit.clock import now
from lineset.privacy import Context, Purpose, System, Tx

DIAGNOSE = Context(System("diagnosis"), Purpose.OPERATE)
LOTS = 256
"""Machines are worked on in so many lots; all of a site are in one."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_LOT = f"(hashtext(e.site_id::text) & {LOTS - 1})"
_ASKED = (
    "SELECT n.series_id, e.id, n.household_id, e.site_id, e.type, coalesce(e.zone_id::text, ''), e.make, e.model,"
    " coalesce(e.capacity_w, 0), e.fuel, e.refrigerant, e.installed_on, s.time_zone,"
    " EXISTS (SELECT FROM tenures o WHERE o.equipment_id = e.id AND o.starts_at < n.starts_at), n.starts_at, k.raw_days, m.through, m.state"
    " FROM equipment e JOIN sites s ON s.id = e.site_id JOIN tenures n ON n.equipment_id = e.id AND n.ends_at IS NULL"
    " LEFT JOIN machine_memories m ON m.series_id = n.series_id LEFT JOIN keeping k ON k.household_id = n.household_id"
    " WHERE e.retired_at IS NULL AND e.erased_at IS NULL AND s.erased_at IS NULL AND n.erased_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Member:
    """A machine that is diagnosed: what is known of it, whose it is, from when on its readings may be read, up to when they have been
    diagnosed (None: never), and what it has learnt."""

    machine: Machine
    whose: Whose
    from_: datetime
    through: datetime | None
    state: bytes


async def of_lots(tx: Tx, lots: Sequence[int]) -> list[Member]:
    """The machines of these lots."""
    return await _members(tx, f" AND {_LOT} = ANY(:wanted)", list(lots))


async def of_site(tx: Tx, site: UUID) -> list[Member]:
    """The machines of a site."""
    return await _members(tx, " AND e.site_id = :wanted", site)


async def _members(tx: Tx, condition: str, wanted: object) -> list[Member]:
    found = []
    for row in await tx.session.execute(text(_ASKED + condition + " ORDER BY n.series_id"), {"wanted": wanted}):
        (
            series,
            id_,
            household,
            site,
            kind,
            zone,
            make,
            model,
            capacity,
            fuel,
            refrigerant,
            installed,
            tz,
            owned_before,
            owned,
            raw_days,
            through,
            state,
        ) = row
        machine = Machine(
            id=str(id_),
            type=kind,
            site=str(site),
            zone=zone,
            make=make,
            model=model,
            capacity_w=float(capacity),
            fuel=fuel,
            refrigerant=refrigerant,
            installed=installed,
            time_zone=tz,
        )
        # The first owner also has what was measured before the machine was entered.
        kept = _LONG_AGO if raw_days is None else now() - timedelta(days=raw_days)
        from_ = max(owned if owned_before else _LONG_AGO, kept)
        found.append(Member(machine, Whose(series, id_, household, site), from_, through, bytes(state or b"")))
    return found


async def lock(tx: Tx, lots: Sequence[int]) -> None:
    """Be the only one that works on the machines of these lots, until the transaction ends."""
    asked = text(
        "SELECT pg_advisory_xact_lock(hashtext('lineset.diagnosis'), lot) FROM (SELECT unnest(:lots) AS lot ORDER BY 1) AS ordered"
    )
    await tx.session.execute(asked, {"lots": list(lots)})


async def lot_of(tx: Tx, site: UUID) -> int:
    """The lot of a site."""
    return int(await tx.session.scalar(text(f"SELECT hashtext(CAST(:site AS text)) & {LOTS - 1}"), {"site": str(site)}) or 0)


async def count(tx: Tx) -> int:
    """How many machines are in use."""
    return int(await tx.session.scalar(text("SELECT count(*) FROM equipment WHERE retired_at IS NULL AND erased_at IS NULL")) or 0)
