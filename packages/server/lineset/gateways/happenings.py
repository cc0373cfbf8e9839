"""What gateways say of themselves, and what is noticed about them. Runs in ingestion, as the platform's actor "ingest"."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
import structlog
from lineset_contract.profiles import PROFILES
from lineset_contract.refusals import refuse
from lineset_contract.wire import MAX_NAME, Event, InventoryItem, Status
from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from lineset import sites
from lineset.gateways.model import FoundEquipmentRow, GatewayEventRow, GatewayRow
from lineset.gateways.telling import Telling, Told, take_telling
from lineset.gateways.troubles import GROUPED, same_trouble
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Purpose, Tx, consented

MAX_DETAIL_BYTES = 8_192
MAX_EVENTS_AN_HOUR = 300
MAX_FOUND = 200
MAX_TIMES = 100_000
MAX_COUNT = 1_000_000_000
_CLOCK_AHEAD = timedelta(minutes=10)
_CLOCK_BEHIND = timedelta(days=90)
_DEEP = 6

_TOO_MANY = same_trouble("error", {"code": "too_many_events"}).fingerprint

_log = structlog.get_logger(__name__)


async def record_event(tx: Tx, gateway_id: UUID, event: Event) -> Told | None:
    """Keep what a gateway tells of itself or of one of its machines; where it says that it is, if its people let it say so.

    A boot makes it online with its version and has waiting commands sent; an inventory becomes the list of machines that it found. An
    event whose clock is off is kept with the time of its arrival and the device's own in its detail. An error or a crash that is like one
    of the same day is counted there. Gateways that are unknown or revoked are not heard, and beyond 300 different events an hour only
    their number is kept. A place never stays in the event: without consent it is refused as an error that the site's page shows, and
    likewise what sensors say of people.
    """
    gateway = await _known(tx, gateway_id)
    if gateway is None:
        return None
    moment = now()
    told = take_telling(event.detail)
    place = await _judge_telling(tx, gateway, told, moment)
    detail = fit(told.rest)
    if event.kind == "boot":
        version = detail.get("agent") or detail.get("version")
        gateway.version = str(version)[:40] if version else None
        _seen(tx, gateway, moment, online=True)
    elif gateway.last_seen_at is None or gateway.last_seen_at < moment:
        gateway.last_seen_at = moment
    if event.kind == "inventory":
        detail = {"machines": await _take_inventory(tx, gateway, told.rest, moment)}
    at, equipment = _time(event.t, moment, detail), await _machine(tx, gateway_id, event.e)
    if event.e is not None and equipment is None:
        detail["equipment"] = event.e[:MAX_NAME]
    await _keep(tx, gateway, event.kind, detail, at, equipment)
    return place


async def _judge_telling(tx: Tx, gateway: GatewayRow, told: Telling, moment: datetime) -> Told | None:
    """Refuse what an event tells of people, but for a place that its people let it tell."""
    place = None
    household = gateway.household_id
    if told.place and household is not None and await consented(tx, household, Purpose.LOCATION, f"gateway:{gateway.id}"):
        place = Told(household, gateway.id, *told.place)
    for purpose, name in told.names.items():
        if purpose != "location" or place is None:
            refusal = refuse(f"{purpose}_off", point=name)
            await _keep(tx, gateway, "error", {"code": refusal.code, "say": refusal.say}, moment, None)
    return place


async def record_status(tx: Tx, gateway_id: UUID, status: Status) -> None:
    """Note that a gateway came online or went away. One that came online gets its waiting commands."""
    gateway = await _known(tx, gateway_id)
    if gateway is not None:
        _seen(tx, gateway, now(), online=status.state == "online")
        await tx.session.flush()


async def record_violation(tx: Tx, gateway_id: UUID, topic: str, say: str, times: int = 1) -> None:
    """Keep, for the site's page, that a device tried what it may not: one line a day for each topic, with how often."""
    gateway = await _known(tx, gateway_id)
    if gateway is not None:
        await _keep(tx, gateway, "violation", fit({"topic": topic[:200], "say": say[:500], "times": times}), now(), None)


async def record_flood(tx: Tx, gateway_id: UUID, times: int) -> None:
    """Keep that this many events of a gateway came too fast to be read."""
    gateway = await _known(tx, gateway_id)
    if gateway is not None:
        await _keep(tx, gateway, "error", {"code": "too_many_events", "times": times}, now(), None)


async def _known(tx: Tx, gateway_id: UUID) -> GatewayRow | None:
    found = select(GatewayRow).where(GatewayRow.id == gateway_id, GatewayRow.revoked_at.is_(None)).with_for_update()
    return await tx.session.scalar(found)


def _seen(tx: Tx, gateway: GatewayRow, moment: datetime, *, online: bool) -> None:
    gateway.online, gateway.last_seen_at = online, moment
    if online:
        tx.announce(f"wake.hello.{gateway.id}")
    _push(tx, gateway, {"online": online, "t": moment.timestamp()})


async def _keep(tx: Tx, gateway: GatewayRow, kind: str, detail: dict[str, object], at: datetime, equipment: UUID | None) -> None:
    if kind in GROUPED:
        await _count(tx, gateway, kind, detail, at, equipment)
        return
    told = select(GatewayEventRow.id).where(
        GatewayEventRow.gateway_id == gateway.id, GatewayEventRow.at == at, GatewayEventRow.kind == kind, GatewayEventRow.detail == detail
    )
    if (await tx.session.scalars(told.limit(1))).first() is not None:
        return  # devices repeat what was not acknowledged to them
    if await _has_room(tx, gateway):
        await _insert(tx, gateway, kind, detail, at, equipment)
    else:
        await _count(tx, gateway, "error", {"code": "too_many_events", "limit": MAX_EVENTS_AN_HOUR}, now(), None)


async def _count(tx: Tx, gateway: GatewayRow, kind: str, detail: dict[str, object], at: datetime, equipment: UUID | None) -> None:
    """Count a trouble at its line of the day, or begin one. The gateway's row is locked, so nobody begins the same one."""
    times = detail.pop("times", 1)
    times = min(max(times, 1), MAX_TIMES) if isinstance(times, int) and not isinstance(times, bool) else 1
    trouble = same_trouble(kind, detail)
    version = trouble.version or gateway.version
    row = await tx.session.scalar(_line(gateway, trouble.fingerprint, at, equipment, version))
    if row is None and trouble.fingerprint != _TOO_MANY and not await _has_room(tx, gateway):
        _log.warning("gateway_event_dropped", gateway=str(gateway.id), kind=kind)
        kind, detail, at, equipment = "error", {"code": "too_many_events", "limit": MAX_EVENTS_AN_HOUR}, now(), None
        trouble = same_trouble(kind, detail)
        row = await tx.session.scalar(_line(gateway, trouble.fingerprint, at, equipment, version))
    if row is None:
        await _insert(tx, gateway, kind, detail, at, equipment, count=times, **trouble.columns | {"version": version})
    elif at not in (row.at, row.last_at) or kind == "violation":  # devices repeat what was not acknowledged to them
        if at > row.last_at:
            row.detail, row.last_at = detail, at
        row.at, row.count = min(row.at, at), min(row.count + times, MAX_COUNT)
        await tx.session.flush()


def _line(gateway: GatewayRow, fingerprint: str, at: datetime, equipment: UUID | None, version: str | None) -> Select[GatewayEventRow]:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        select(GatewayEventRow)
        .where(
            GatewayEventRow.gateway_id == gateway.id,
            GatewayEventRow.fingerprint == fingerprint,
            GatewayEventRow.at >= day,
            GatewayEventRow.at < day + timedelta(days=1),
            GatewayEventRow.household_id.is_not_distinct_from(gateway.household_id),
            GatewayEventRow.equipment_id.is_not_distinct_from(equipment),
            GatewayEventRow.version.is_not_distinct_from(version),
        )
        .limit(1)
    )


async def _has_room(tx: Tx, gateway: GatewayRow) -> bool:
    lately = select(func.count()).where(GatewayEventRow.gateway_id == gateway.id, GatewayEventRow.at > now() - timedelta(hours=1))
    return (await tx.session.scalar(lately) or 0) < MAX_EVENTS_AN_HOUR


async def _insert(
    tx: Tx, gateway: GatewayRow, kind: str, detail: dict[str, object], at: datetime, equipment: UUID | None, **more: object
) -> None:
    row = GatewayEventRow(
        id=new_id(),
        gateway_id=gateway.id,
        household_id=gateway.household_id,
        equipment_id=equipment,
        at=at,
        last_at=at,
        kind=kind,
        detail=detail,
        **{"version": gateway.version, **more},
    )
    tx.session.add(row)
    await tx.session.flush()
    _push(tx, gateway, {"event": {"id": str(row.id), "kind": kind, "t": at.timestamp(), "detail": detail}})


async def _take_inventory(tx: Tx, gateway: GatewayRow, detail: dict[str, object], moment: datetime) -> int:
    """Replace the list of what the gateway found; how many machines it has. Entries that can't be read are left out."""
    if gateway.household_id is None:
        return 0
    listed = detail.get("equipment")
    items: dict[str, InventoryItem] = {}
    for raw in listed[:MAX_FOUND] if isinstance(listed, list) else []:
        try:
            item = msgspec.convert(fit(raw), InventoryItem)
        except msgspec.ValidationError:
            continue
        if 1 <= len(item.name) <= MAX_NAME and item.type in PROFILES:
            items[item.name] = item
    gone = delete(FoundEquipmentRow).where(FoundEquipmentRow.gateway_id == gateway.id, FoundEquipmentRow.name.not_in(items))
    await tx.session.execute(gone)
    for item in items.values():
        told = {"type": item.type, "make": item.make[:80], "model": item.model[:80], "serial_number": item.serial[:80], "found_at": moment}
        row = insert(FoundEquipmentRow).values(gateway_id=gateway.id, name=item.name, household_id=gateway.household_id, **told)
        await tx.session.execute(
            row.on_conflict_do_update(index_elements=["gateway_id", "name"], set_={**told, "household_id": gateway.household_id})
        )
    return len(items)


async def _machine(tx: Tx, gateway_id: UUID, name: str | None) -> UUID | None:
    if name is None:
        return None
    machines = await sites.list_equipment(tx, gateway_id=gateway_id)
    return next((m.id for m in machines if name in (m.local_name, str(m.id))), None)


def _time(t: float, moment: datetime, detail: dict[str, object]) -> datetime:
    """When it happened by the device's clock, or, where that can't be, when we heard of it."""
    try:
        said = datetime.fromtimestamp(t, moment.tzinfo)
    except (ValueError, OverflowError, OSError):
        said = None
    if said is None or not moment - _CLOCK_BEHIND <= said <= moment + _CLOCK_AHEAD:
        detail["device_time"] = t if abs(t) < 1e12 else f"{t:g}"
        return moment
    return min(said, moment)


def fit(detail: object) -> dict[str, object]:
    """What a device said, fit for the database: text without control characters, not too deep, and all of it at most 8 kB as JSON."""
    whole = _clean(detail, _DEEP)
    if not isinstance(whole, dict):
        return {}
    size = len(msgspec.json.encode(whole))
    if size > MAX_DETAIL_BYTES:
        return {"truncated": True, "bytes": size, "keys": [str(k)[:40] for k in list(whole)[:20]]}
    return cast("dict[str, object]", whole)


def _clean(value: object, deep: int) -> object:
    if isinstance(value, str):
        return "".join(c if c.isprintable() else " " for c in value)
    if isinstance(value, dict):
        return {str(_clean(str(k), 0)): _clean(v, deep - 1) for k, v in value.items()} if deep else "…"
    if isinstance(value, list):
        return [_clean(v, deep - 1) for v in value] if deep else "…"
    return value


def _push(tx: Tx, gateway: GatewayRow, said: dict[str, object]) -> None:
    """Tell whoever watches the household, after the commit: `{"gateway": {"id", ...}}` on `live.{household}.{gateway}`."""
    if gateway.household_id is not None:
        payload = msgspec.json.encode({"gateway": {"id": str(gateway.id), **said}})
        tx.announce(f"live.{gateway.household_id}.{gateway.id}", payload)
