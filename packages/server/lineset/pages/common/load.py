"""From the domains to the plain facts that views are built from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from lineset_contract.points import POINTS

from lineset import control, gateways, sites, telemetry
from lineset.privacy import Tx

from .facts import OFFLINE_S, Day, Machine, Order, Reading, Site
from .reader import Reader

DAY = timedelta(days=1)
CHART_BUCKETS = 400


def site_of(site: sites.Site) -> Site:
    """A site as pages name it."""
    place = ", ".join(part for part in (site.address.street if site.address.street != site.name else "", site.address.city) if part)
    return Site(str(site.id), site.name, place, site.time_zone)


async def machines_of(tx: Tx, machines: Sequence[sites.Equipment], now: datetime) -> list[Machine]:
    """These machines with their newest readings and whether they have a link."""
    latest = await telemetry.latest(tx, [m.id for m in machines])
    links = await gateways.links(tx, [m.gateway_id for m in machines if m.gateway_id is not None])
    return [machine_of(m, latest.get(m.id), links, now) for m in machines]


def machine_of(machine: sites.Equipment, latest: telemetry.Latest | None, links: Mapping[UUID, gateways.Link], now: datetime) -> Machine:
    """One machine as facts. Without a gateway's own word, a machine heard of lately counts as linked."""
    link = links.get(machine.gateway_id) if machine.gateway_id is not None else None
    seen = latest.t if latest is not None else None
    heard = seen is not None and now.timestamp() - seen <= OFFLINE_S
    return Machine(
        id=str(machine.id),
        type=machine.type,
        name=machine.name,
        latest={} if latest is None else {name: _reading(name, r) for name, r in latest.values.items()},
        online=heard if link is None else link.up and heard,
        seen=seen,
        make=machine.make,
        model=machine.model,
        serial=machine.serial_number,
        capacity_w=machine.capacity_w,
        fuel=machine.fuel,
        location=machine.place,
        installed=machine.installed_on.isoformat() if machine.installed_on is not None else "",
    )


def _reading(name: str, reading: telemetry.Reading) -> Reading:
    known = POINTS.get(name)
    if known is not None and known.kind == "code":
        return Reading(reading.word or f"{reading.value:.0f}", reading.t)
    return Reading(reading.value, reading.t)


async def day_of(tx: Tx, equipment: UUID, points: Iterable[str], now: datetime, span: timedelta = DAY) -> Day:
    """Series of the last `span` up to now, for a chart."""
    start = now - span
    found = await telemetry.series(tx, equipment, list(points), start, now, CHART_BUCKETS, modes=True)
    return Day(start=start.timestamp(), end=now.timestamp(), t=found.t, series=found.values, modes=found.modes)


def order_of(view: control.CommandView, who: str, reader: Reader) -> Order:
    """A command as facts; our own refusals in the reader's language."""
    args = {name: value for name, value in view.args.items() if isinstance(value, (int, float, str)) and not isinstance(value, bool)}
    return Order(
        id=str(view.id),
        equipment=str(view.equipment),
        name=view.name,
        args=args,
        state=view.state,
        who=who,
        created=view.created_at,
        changed=view.changed_at,
        expires=view.expires_at,
        detail=view.refusal.sentence(reader.language) if view.refusal is not None else view.detail,
        done=view.final,
    )
