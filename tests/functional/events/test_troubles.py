"""Equal troubles are one line with how often, when, where and in which versions; a flood stays one line too."""

import asyncio
import time
from datetime import timedelta

import pytest
from lineset import gateways
from lineset.control import inbox
from lineset.gateways.model import GatewayEventRow
from lineset.kit.clock import now
from lineset.kit.likeness import fingerprint, without_particulars
from lineset.privacy import Door
from lineset.privacy.rights import fleet_troubles
from lineset_contract.wire import Event, encode
from sqlalchemy import func, select

from tests.functional.devices.cloud import Cloud, until
from tests.functional.devices.world import equipment, member, operator, technician
from tests.functional.events.told import INGEST, crashed, tell, troubles, with_gateway

pytestmark = pytest.mark.anyio


async def test_TEL_04_equal_errors_are_one_line(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    machine = await equipment(door, ours, gateway)
    await tell(ingest, gateway, "boot", {"agent": "1.0.0"})
    begun = time.time()
    for n in range(5):
        await tell(ingest, gateway, "error", {"code": "read_failed", "say": f'no answer from "pump {n}" within {n}.5 s'}, e="hp1")
    await tell(ingest, gateway, "error", {"code": "read_failed", "say": "the line is cut"}, e="hp1")
    await tell(ingest, gateway, "boot", {"agent": "1.1.0"})
    await tell(ingest, gateway, "error", {"code": "read_failed", "say": 'no answer from "pump 9" within 30 s', "times": 7}, e="hp1")
    first, other = await troubles(door, ours.acting, gateway)
    assert (first.kind, first.title, first.count, first.versions) == ("error", "read_failed", 12, ("1.0.0", "1.1.0"))
    assert (first.gateways, first.machines) == ((gateway,), (machine,))
    assert first.detail["say"] == 'no answer from "pump 9" within 30 s'
    assert begun - 1 <= first.first_at.timestamp() < first.last_at.timestamp() <= time.time()
    assert (other.count, other.title) == (1, "read_failed")
    async with door.open(ours.acting) as tx:
        kept = await gateways.events(tx, gateway_id=gateway, kinds=["error"])
    assert sorted((e.version, e.count) for e in kept) == [("1.0.0", 1), ("1.0.0", 5), ("1.1.0", 7)]


async def test_TEL_04_a_crash_report_is_kept_with_its_places_and_version(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    (_, second), (_, third) = await with_gateway(door), await with_gateway(door)
    for where, version in ((gateway, "1.0.0"), (second, "1.0.0"), (third, "1.2.0")):
        await tell(ingest, where, "crash", crashed(version, f"no answer from pump {version}"))
    (crash,) = await troubles(door, ours.acting)
    assert (crash.kind, crash.title, crash.versions) == ("crash", "TimeoutError in _run", ("1.0.0",))
    assert crash.detail["log"] == ["INFO up"]
    assert crash.gateways == (gateway,), "other households' are not counted in"


async def test_a_message_that_comes_again_is_counted_once(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    at = time.time() - 60
    for _ in range(3):
        await tell(ingest, gateway, "error", {"code": "disk", "say": "full"}, t=at)
    await tell(ingest, gateway, "error", {"code": "disk", "say": "full"}, t=at + 5)
    await tell(ingest, gateway, "error", {"code": "disk", "say": "full"}, t=at + 5)
    (one,) = await troubles(door, ours.acting, gateway)
    assert one.count == 2


async def test_troubles_of_two_days_are_one_line_of_two_rows(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    for days in (0, 1, 1, 40):
        await tell(ingest, gateway, "error", {"code": "disk"}, t=time.time() - days * 86_400 - days)
    (one,) = await troubles(door, ours.acting, gateway)
    assert one.count == 3, "forty days ago is not shown"
    async with door.open(ours.acting) as tx:
        rows = await tx.session.scalar(select(func.count()).where(GatewayEventRow.gateway_id == gateway))
        assert rows == 3
        assert len(await gateways.troubles(tx, since=now() - timedelta(hours=1))) == 1


@pytest.mark.parametrize("times", [0, -5, True, "many", 1e9, 10**12])
async def test_how_often_is_never_more_than_can_be(door: Door, ingest: Door, times: object) -> None:
    ours, gateway = await with_gateway(door)
    await tell(ingest, gateway, "error", {"code": "disk", "times": times})
    (one,) = await troubles(door, ours.acting, gateway)
    assert one.count == (100_000 if times == 10**12 else 1)


async def test_TEL_04_a_flood_of_different_errors_is_one_line_with_their_number(
    door: Door, ingest: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineset.gateways.happenings.MAX_EVENTS_AN_HOUR", 3)
    ours, gateway = await with_gateway(door)
    for code in "abcdefgh":
        await tell(ingest, gateway, "error", {"code": f"odd_{code}", "say": code})
    await tell(ingest, gateway, "boot", {"agent": "2"})
    found = {t.title: t.count for t in await troubles(door, ours.acting, gateway)}
    assert found == {"odd_a": 1, "odd_b": 1, "odd_c": 1, "too_many_events": 6}


async def test_TEL_04_events_that_come_too_fast_are_only_counted(cloud: Cloud, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "EVENTS_AT_ONCE", 20)
    monkeypatch.setattr(inbox, "EVENTS_PER_SECOND", 0.001)
    monkeypatch.setattr(inbox, "_FLOOD_S", 0.2)
    ours, gateway = await with_gateway(cloud.door)
    calm = (await with_gateway(cloud.door))[1]
    async with cloud.running():
        for _ in range(500):
            await cloud.bus.publish(f"lineset.v1.{gateway}.events", encode(Event("error", time.time(), None, {"code": "loop"})))
        await cloud.bus.publish(f"lineset.v1.{calm}.events", encode(Event("error", time.time(), None, {"code": "loop"})))

        async def counted() -> bool:
            found = {t.title: t.count for t in await troubles(cloud.door, ours.acting, gateway)}
            return found.get("loop", 0) + found.get("too_many_events", 0) == 500

        await until(counted)
    found = {t.title: t.count for t in await troubles(cloud.door, ours.acting, gateway)}
    assert found == {"loop": 20, "too_many_events": 480}
    async with cloud.door.open(ours.acting) as tx:
        assert len(await gateways.events(tx, gateway_id=gateway)) == 2
    async with cloud.door.open(INGEST) as tx:
        others = await tx.session.scalar(select(GatewayEventRow.count).where(GatewayEventRow.gateway_id == calm))
    assert others == 1, "one gateway's flood takes no other's room"


async def test_two_processes_count_at_one_line(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    at = time.time() - 100
    await asyncio.gather(*(tell(ingest, gateway, "error", {"code": "race"}, t=at + n) for n in range(12)))
    (one,) = await troubles(door, ours.acting, gateway)
    assert one.count == 12
    async with door.open(ours.acting) as tx:
        assert len(await gateways.events(tx, gateway_id=gateway)) == 1


async def test_SEC_04_troubles_are_their_households_and_its_contractors(door: Door, ingest: Door) -> None:
    ours, gateway = await with_gateway(door)
    theirs, _ = await with_gateway(door)
    await tell(ingest, gateway, "crash", crashed("1.0.0"))
    service, _ = await technician(door, ours.household, "view")
    stranger, _ = await technician(door, theirs.household, "view")
    guest = await member(door, ours.household, "guest")
    for who, count in ((ours.acting, 1), (guest, 1), (service, 1), (theirs.acting, 0), (stranger, 0)):
        assert len(await troubles(door, who, gateway)) == count


async def test_TEL_04_staff_count_troubles_of_the_fleet_and_see_nobody(door: Door, ingest: Door) -> None:
    staff = await operator(door)
    homes = [await with_gateway(door) for _ in range(3)]
    mark = f"odd_{homes[0][1].hex[:8]}"
    for n, (_, gateway) in enumerate(homes):
        for _ in range(n + 1):
            await tell(ingest, gateway, "error", {"code": mark, "say": "asked Anna's pump at 10.0.0.7"})
    since = now() - timedelta(days=1)
    async with door.open(staff) as tx:
        (found,) = [t for t in await fleet_troubles(tx, since) if t.title == mark]
        assert (found.source, found.kind, found.times, found.affected, found.homes) == ("gateway", "error", 6, 3, 3)
        assert "Anna" not in repr(found)
        assert not {str(i) for home, gateway in homes for i in (home.household, home.site, gateway)} & set(repr(found).split("'"))
        assert await gateways.troubles(tx) == [], "the rows themselves stay closed to staff"
        assert await gateways.events(tx) == []
    service, _ = await technician(door, homes[0][0].household, "view")
    for who in (homes[0][0].acting, service):
        async with door.open(who) as tx:
            assert await fleet_troubles(tx, since) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no answer within 5.0 s", "no answer within 12 s"),
        ('cannot read "Anna"', 'cannot read "Bea"'),
        ("id 0190f2aa-0000-7000-8000-000000000001 gone", "id 0190f2aa-0000-7000-8000-0000000000ff gone"),
        ("mail to a@example.org failed", "mail to b.c@example.com failed"),
        ("object at 0x7f33aa10", "object at 0x7f00bb99"),
        ("asked http://10.0.0.1/x?y=1 twice", "asked http://10.0.0.9/z twice"),
    ],
)
def test_numbers_and_names_make_no_difference(one: str, other: str) -> None:
    assert without_particulars(one) == without_particulars(other)
    assert fingerprint("error", without_particulars(one)) == fingerprint("error", without_particulars(other))
    assert without_particulars(one) != without_particulars("something else")


def test_an_apostrophe_is_no_quotation() -> None:
    assert without_particulars("can't open the valve, it doesn't move") == "can’t open the valve, it doesn’t move"
