"""From where and when gateways connect: kept for their household, shortened and deleted as declared."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from lineset import gateways, schema
from lineset.gateways.callout import Callout
from lineset.gateways.connections import MAX_ADDRESSES_A_DAY
from lineset.gateways.model import ConnectionRow
from lineset.kit.bus import Bus, bus_key
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.platform import Platform
from lineset.privacy import Context, Door, network_of, shorten, sweep
from lineset.privacy.declare import Holds
from lineset.privacy.retention import shortened_columns
from sqlalchemy import select, update

from tests.agent.machines import HeatPump
from tests.functional.devices.cloud import Cloud, until
from tests.functional.devices.test_api import Client, frames, heated, send
from tests.functional.devices.test_real_agent import agent_of, running
from tests.functional.devices.world import technician
from tests.functional.events.told import ENROLMENT, HOUSEKEEPING, with_gateway

pytestmark = pytest.mark.anyio


async def seen(door: Door, who: Context, gateway: UUID) -> list[gateways.ConnectionView]:
    async with door.open(who) as tx:
        return await gateways.connections(tx, gateway)


async def note(door: Door, gateway: UUID, *addresses: str) -> None:
    connections = gateways.Connections(door, ENROLMENT)
    for address in addresses:
        connections.note(gateway, address, "token")
    await connections.close()


async def aged(door: Door, gateway: UUID, days: float) -> None:
    """Let that much time go by for what is known of the gateway."""
    async with door.open(ENROLMENT) as tx:
        by = timedelta(days=days)
        moved = {"first_at": ConnectionRow.first_at - by, "last_at": ConnectionRow.last_at - by}
        await tx.session.execute(update(ConnectionRow).where(ConnectionRow.gateway_id == gateway).values(moved))


async def housekeeping(door: Door) -> None:
    async with door.open(HOUSEKEEPING) as tx:
        await sweep(tx, schema.register())
        await shorten(tx, schema.register())


async def test_TEL_04_a_device_that_the_broker_lets_in_is_noted_with_its_address(cloud: Cloud, broker: Settings, tmp_path: Path) -> None:
    ours, gateway = await with_gateway(cloud.door)
    async with cloud.door.open(ours.acting) as tx:
        token = (await gateways.create_token(tx, gateway)).token
    system = await Bus.connect(broker, "test", account="system")

    async def live(wanted: list[UUID]) -> set[UUID]:
        return set(wanted)

    connections = gateways.Connections(cloud.door, ENROLMENT)
    callout = Callout(cloud.bus, system, bus_key(broker, "issuer"), gateways.Identities(cloud.door), live, connections)
    await cloud.bus.ensure_streams()
    await callout.start()
    try:
        agent = agent_of(broker, gateway, tmp_path / "agent", HeatPump(), token=token)
        async with running(agent):
            await until(lambda: agent.connected)
    finally:
        await callout.stop()
        await connections.close()
        await system.close()
    (shown,) = await seen(cloud.door, ours.acting, gateway)
    assert (shown.way, shown.address) == ("token", "127.0.0.1")
    assert now() - timedelta(minutes=2) < shown.first_at <= shown.last_at <= now()


async def test_TEL_04_requests_over_http_and_enrolment_are_noted(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    for value in (20.0, 20.5):
        await send(http, at, frames([value]))  # whether anybody stores them is another matter
    refused = await send(http, at, frames([21.0]), token="lsd_guessed")
    assert refused.status_code == 401

    async def noted() -> bool:
        return [(c.way, c.address, c.count) for c in await seen(platform.door, at.home.acting, at.gateway)] == [("http", "127.0.0.1", 2)]

    await until(noted)


async def test_SEC_04_addresses_are_shown_to_the_household_alone(door: Door) -> None:
    ours, gateway = await with_gateway(door)
    theirs, _ = await with_gateway(door)
    await note(door, gateway, "203.0.113.77")
    service, _ = await technician(door, ours.household, "view", "equipment")
    assert [c.address for c in await seen(door, ours.acting, gateway)] == ["203.0.113.77"]
    assert await seen(door, service, gateway) == []
    assert await seen(door, theirs.acting, gateway) == []


async def test_TEL_04_addresses_are_shortened_and_then_deleted_when_their_time_is_over(door: Door) -> None:
    ours, gateway = await with_gateway(door)
    await note(door, gateway, "203.0.113.77", "2001:db8:17:4::9", "::ffff:198.51.100.4", "not an address")
    await aged(door, gateway, 29)
    await housekeeping(door)
    assert {c.address for c in await seen(door, ours.acting, gateway)} == {
        "203.0.113.77",
        "2001:db8:17:4::9",
        "::ffff:198.51.100.4",
        "not an address",
    }
    await aged(door, gateway, 2)
    await note(door, gateway, "203.0.113.78")
    for _ in range(2):
        await housekeeping(door)
    assert {c.address for c in await seen(door, ours.acting, gateway)} == {
        "203.0.113.0/24",
        "2001:db8:17::/48",
        "198.51.100.0/24",
        "",
        "203.0.113.78",
    }
    await aged(door, gateway, 148)
    await housekeeping(door)
    assert len(await seen(door, ours.acting, gateway)) == 5
    await aged(door, gateway, 2.1)
    await housekeeping(door)
    assert [c.address for c in await seen(door, ours.acting, gateway)] == ["203.0.113.0/24"], "the last one is not yet 180 days old"


async def test_TEL_04_how_long_an_address_stays_whole_is_declared(door: Door) -> None:
    declared = {f"{column.table.name}.{column.name}": after for column, after in shortened_columns(schema.register())}
    assert {"gateway_connections.address", "sessions.address", "app_events.address"} <= set(declared)
    for name, after in declared.items():
        table, _, column = name.partition(".")
        holds = schema.metadata.tables[table].columns[column].info["holds"]
        assert isinstance(holds, Holds)
        assert holds.category == "user.device.ip_address"
        whole = schema.register().table(table).retention.days
        assert after.days is not None
        assert whole is None or after.days <= max(whole, 30)
    ours, gateway = await with_gateway(door)
    await note(door, gateway, "203.0.113.5")
    await aged(door, gateway, 31)
    holds = schema.metadata.tables["gateway_connections"].columns["address"].info
    kept = holds["holds"]
    holds["holds"] = Holds(kept.category, kept.sensitivity)
    try:
        await housekeeping(door)
    finally:
        holds["holds"] = kept
    assert (await seen(door, ours.acting, gateway))[0].address == "203.0.113.5", "nothing but the declaration decides"


async def test_many_addresses_of_one_gateway_are_bounded(door: Door) -> None:
    ours, gateway = await with_gateway(door)
    await note(door, gateway, *(f"10.0.{n >> 8}.{n & 255}" for n in range(MAX_ADDRESSES_A_DAY + 30)))
    await note(door, gateway, "10.0.0.1", "10.0.0.1")
    async with door.open(ours.acting) as tx:
        rows = (await tx.session.scalars(select(ConnectionRow).where(ConnectionRow.gateway_id == gateway))).all()
    assert len(rows) == MAX_ADDRESSES_A_DAY + 1
    assert {r.address: r.count for r in rows}[None] == 30
    assert {r.address: r.count for r in rows}["10.0.0.1"] == 3


async def test_what_can_not_be_written_now_is_written_later(door: Door) -> None:
    ours, gateway = await with_gateway(door)

    class Shut:
        def open(self, context: Context) -> object:
            raise OSError(f"the database is away for {context.purpose}")

    connections = gateways.Connections(Shut(), ENROLMENT)  # type: ignore[arg-type] # a door that does not open
    connections.note(gateway, "203.0.113.9", "certificate")
    connections.note(new_id(), "203.0.113.9", "certificate")  # a gateway that is no more
    await connections.write()
    connections._door = door
    await connections.close()
    assert [c.way for c in await seen(door, ours.acting, gateway)] == ["certificate"]


@pytest.mark.parametrize(
    ("address", "network"),
    [("198.51.100.255", "198.51.100.0/24"), ("fe80::1%eth0", "fe80::/48"), ("2001:db8:a:b::1", "2001:db8:a::/48"), ("", None), ("x", None)],
)
def test_the_network_of_an_address(address: str, network: str | None) -> None:
    assert network_of(address) == network
