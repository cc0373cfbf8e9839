"""How machines ran, as people may see it: figures made of the stored days of what is shared with them."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import text

from lineset.diagnostics import keeping
from lineset.diagnostics.days import Days
from lineset.diagnostics.keeping import EPOCH
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.performance import Span, performance
from lineset.diagnostics.views import Performance
from lineset.privacy import Tx

_ASKED = text(
    "SELECT n.series_id, e.id, e.site_id, e.type, e.make, e.model, coalesce(e.capacity_w, 0), e.fuel, e.refrigerant,"
    " e.installed_on, s.time_zone"
    " FROM equipment e JOIN sites s ON s.id = e.site_id JOIN tenures n ON n.equipment_id = e.id"
    " WHERE e.id = ANY(:equipment) ORDER BY n.starts_at"
)


async def performance_of(
    tx: Tx, equipment: Collection[UUID], start: date, end: date, span: Span = "month"
) -> dict[UUID, list[Performance]]:
    """How these machines ran from `start` until before `end` (days of the site's calendar), by machine, each in order of time. Those that
    are not shared with the asker, or of which nothing is known then, have no entry."""
    rows = (await tx.session.execute(_ASKED, {"equipment": list(equipment)})).all()
    machines = [
        Machine(str(id_), kind, str(site), "", "", make, model, float(capacity), fuel, refrigerant, installed, zone)
        for _, id_, site, kind, make, model, capacity, fuel, refrigerant, installed, zone in rows
    ]
    if not machines:
        return {}
    days = await keeping.load(tx, machines, [row[0] for row in rows], (start - EPOCH).days, (end - EPOCH).days - 1)
    found: dict[UUID, list[Performance]] = {}
    for one in performance(days, span):
        found.setdefault(one.equipment, []).append(one)
    return found


async def own_days(tx: Tx, equipment: UUID, household: UUID, first: int, last: int) -> Days:
    """The stored days (since 1970, from `first` through `last`) of a machine while it was this household's, as far as the asker may."""
    asked = text(
        "SELECT series_id FROM tenures WHERE equipment_id = :equipment AND household_id = :household ORDER BY starts_at DESC LIMIT 1"
    )
    series = (await tx.session.scalars(asked, {"equipment": equipment, "household": household})).all()
    return await keeping.load(tx, [Machine(str(equipment), "")] * len(series), series, first, last)
