"""What gateways say of themselves is kept for their people, whatever it is."""

import time
from datetime import timedelta
from uuid import UUID

import pytest
from lineset import control, gateways
from lineset.gateways.model import GatewayRow
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System
from lineset_contract.wire import Event, Status, encode
from sqlalchemy import update

from tests.functional.devices.world import Heard, Home, equipment, home, technician

pytestmark = pytest.mark.anyio
INGEST = Context(System("ingest"), Purpose.OPERATE)


async def with_gateway(door: Door) -> tuple[Home, UUID]:
    ours = await home(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic")).gateway
        await gateways.create_token(tx, gateway)
    return ours, gateway


async def told(door: Door, ours: Home, gateway: UUID) -> list[gateways.EventView]:
    async with door.open(ours.acting) as tx:
        return await gateways.events(tx, gateway_id=gateway)


async def test_a_boot_makes_a_gateway_online_with_its_version(door: Door, ingest: Door, heard: Heard) -> None:
    ours, gateway = await with_gateway(door)
    await control.take(ingest, gateway, "events", encode(Event("boot", time.time(), None, {"agent": "1.2.3", "held_frames": 7})))
    async with door.open(ours.acting) as tx:
        shown = await gateways.get_gateway(tx, gateway)
    assert (shown.state, shown.version) == ("online", "1.2.3")
    assert f"wake.hello.{gateway}" in heard.subjects()
    assert f"live.{ours.household}.{gateway}" in heard.subjects()
    await control.take(ingest, gateway, "status", encode(Status("offline", time.time())))
    async with door.open(ours.acting) as tx:
        await tx.session.execute(update(GatewayRow).where(GatewayRow.id == gateway).values(last_seen_at=now() - timedelta(minutes=3)))
        assert (await gateways.get_gateway(tx, gateway)).state == "offline"
    assert [e.kind for e in await told(door, ours, gateway)] == ["boot"]


async def test_hand_operation_belongs_to_its_machine(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    machine = await equipment(door, ours, gateway)
    event = Event("hand_operation", time.time(), "hp1", {"setting": "heating_setpoint", "from": 20.0, "to": 23.0})
    for _ in range(3):  # devices repeat what was not acknowledged to them
        await control.take(ingest, gateway, "events", encode(event))
    async with door.open(ours.acting) as tx:
        kept = await gateways.events(tx, equipment_id=machine)
    assert [(e.kind, e.detail["to"]) for e in kept] == [("hand_operation", 23.0)]


async def test_EQP_01_machines_that_a_gateway_finds_can_be_added(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    machine = await equipment(door, ours, gateway)
    items: list[object] = [
        {"name": "hp1", "type": "heat_pump_air_water", "make": "Test", "serial": "0001"},
        {"name": "tank", "type": "water_heater_electric"},
        {"name": "odd", "type": "time machine"},
        {"type": "chiller"},
        "rubbish",
    ]
    await control.take(ingest, gateway, "events", encode(Event("inventory", time.time(), None, {"equipment": items})))
    async with door.open(ours.acting) as tx:
        found = await gateways.found_machines(tx, gateway)
    assert [(f.name, f.serial_number, f.equipment) for f in found] == [("hp1", "0001", machine), ("tank", "", None)]
    await control.take(ingest, gateway, "events", encode(Event("inventory", time.time(), None, {"equipment": items[:1]})))
    async with door.open(ours.acting) as tx:
        assert [f.name for f in await gateways.found_machines(tx, gateway)] == ["hp1"]


@pytest.mark.parametrize("clock", [0.0, 4_070_908_800.0, 1e300, -1e300])
async def test_an_event_by_a_wrong_clock_is_kept_with_the_time_of_its_arrival(door: Door, ingest: Door, clock: float) -> None:
    ours, gateway = await with_gateway(door)
    await control.take(ingest, gateway, "events", encode(Event("crash", clock, None, {"say": "broke"})))
    (kept,) = await told(door, ours, gateway)
    assert abs(kept.at.timestamp() - time.time()) < 60
    assert float(str(kept.detail["device_time"])) == clock


async def test_what_can_not_be_read_is_shown_and_harms_nothing(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    deep: object = "x"
    for _ in range(50):
        deep = [deep]
    await control.take(ingest, gateway, "events", b'{"kind": "party", "t": 1}')
    await control.take(ingest, gateway, "results", b"\xff\xfe")
    await control.take(ingest, gateway, "events", encode(Event("error", time.time(), None, {"say": "a\0b\x1b[31m", "deep": deep})))
    await control.take(ingest, gateway, "events", encode(Event("error", time.time(), None, {"log": "y" * 60_000})))
    await control.take(ingest, gateway, "reported", b'{"version": 1, "t": 1.0}')
    await control.take(ingest, new_id(), "events", encode(Event("boot", time.time())))  # nobody's
    kept = await told(door, ours, gateway)
    assert [e.detail.get("code") or e.detail.get("say") or e.detail.get("truncated") for e in reversed(kept)] == [
        "bad_message",
        "bad_json",
        "a b [31m",
        True,
    ]


async def test_a_flood_of_events_is_bounded_and_says_so(door: Door, ingest: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.gateways.happenings.MAX_EVENTS_AN_HOUR", 5)
    ours, gateway = await with_gateway(door)
    for code in "abcdefghij":
        await control.take(ingest, gateway, "events", encode(Event("error", time.time(), None, {"code": code})))
    kept = await told(door, ours, gateway)
    assert len(kept) == 6
    assert (kept[0].detail["code"], kept[0].count) == ("too_many_events", 5)


async def test_EQP_02_an_attempt_at_anothers_topic_is_visible_once_in_a_while(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    for topic in ("lineset/v1/other/frames", "lineset/v1/other/frames", "$SYS/x"):
        async with ingest.open(INGEST) as tx:
            await gateways.record_violation(tx, gateway, topic, "It may not publish there.")
    kept = await told(door, ours, gateway)
    assert sorted(str(e.detail["topic"]) for e in kept) == ["$SYS/x", "lineset/v1/other/frames"]
    assert {e.kind for e in kept} == {"violation"}


async def test_SEC_04_events_are_their_households_alone(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    theirs, _ = await with_gateway(door)
    await control.take(ingest, gateway, "events", encode(Event("crash", time.time())))
    inventory = Event("inventory", time.time(), None, {"equipment": [{"name": "hp1", "type": "chiller"}]})
    await control.take(ingest, gateway, "events", encode(inventory))
    service, _ = await technician(door, ours.household, "view")
    for actor, count in ((ours.acting, 2), (service, 2), (theirs.acting, 0)):
        async with door.open(actor) as tx:
            assert len(await gateways.events(tx, gateway_id=gateway)) == count
            assert len(await gateways.found_machines(tx, gateway)) == min(count, 1)
