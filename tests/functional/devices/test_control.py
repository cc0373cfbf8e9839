"""Commands: judged by limits, delivered until answered, succeeded only by the machine's own word."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from lineset import control, gateways, sites
from lineset.control.model import CommandRow, TwinRow
from lineset.gateways.model import GatewayRow
from lineset.kit.bus import Bus
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound, TooMany
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System
from lineset.sites.model import SiteRow
from lineset_contract.wire import WireValue
from nats.aio.msg import Msg
from sqlalchemy import update

from tests.functional.devices.cloud import Cloud, Gateway, until
from tests.functional.devices.world import Home, equipment, home, member, technician

pytestmark = pytest.mark.anyio
DELIVERY = Context(System("delivery"), Purpose.OPERATE)
WARMER: dict[str, WireValue] = {"setting": "heating_setpoint", "value": 21.5}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.control.delivery.PAUSES_S", (0.1, 0.2, 5))
    monkeypatch.setattr("lineset.control.twins._PAUSES_S", (0.1, 0.2, 5))


async def heated(door: Door, bus: Bus | None = None, kind: str = "heat_pump_air_water") -> tuple[Home, Gateway, UUID]:
    """A home with a gateway, played by the test, and a machine at it."""
    ours = await home(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic")).gateway
        await gateways.create_token(tx, gateway)
    played = Gateway(gateway, bus)  # type: ignore[arg-type] # without a bus nobody speaks
    if bus is not None:
        await played.listen()
    return ours, played, await equipment(door, ours, gateway, kind)


async def ask(door: Door, ours: Home, machine: UUID, **args: float | str) -> control.CommandView:
    async with door.open(ours.acting) as tx:
        return await control.request(tx, machine, "set_setpoint", {**WARMER, **args})


async def state_of(door: Door, ours: Home, command: UUID) -> str:
    async with door.open(ours.acting) as tx:
        return (await control.get(tx, command)).state


async def test_CTL_01_a_command_goes_its_way_and_succeeds_only_by_the_machines_word(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    pushed: list[bytes] = []

    async def push(message: Msg) -> None:
        pushed.append(message.data)

    await cloud.bus.subscribe(f"live.{ours.household}.{machine}", push)
    async with cloud.running():
        await gateway.online()
        await until(lambda: _up(cloud.door, ours, gateway.id))
        began = time.monotonic()
        asked = await ask(cloud.door, ours, machine)
        assert (asked.state, asked.sender, asked.sender_company) == ("queued", ours.owner, None)
        await until(lambda: bool(gateway.commands))
        assert time.monotonic() - began < 1.0
        sent = gateway.commands[0]
        assert (sent.id, sent.e, sent.name, sent.args) == (str(asked.id), "hp1", "set_setpoint", WARMER)
        assert sent.expires == asked.expires_at.timestamp()
        await until(lambda: len(gateway.commands) >= 3)  # repeated until acknowledged
        assert await state_of(cloud.door, ours, asked.id) == "sent"
        await gateway.answer(asked.id, "acknowledged")
        await until(lambda: _is(cloud.door, ours, asked.id, "acknowledged"))
        for _ in range(2):
            await gateway.answer(asked.id, "succeeded", "heating_setpoint reads 21.5 degC")
        await gateway.answer(asked.id, "acknowledged")
        await gateway.answer(asked.id, "failed", "too late")
        await until(lambda: _is(cloud.door, ours, asked.id, "succeeded"))
        count = len(gateway.commands)
        await gateway.boot()
        await until(lambda: _heard_of(cloud.door, ours, gateway.id, "boot"))
    async with cloud.door.open(ours.acting) as tx:
        done = await control.get(tx, asked.id)
    assert [s.state for s in done.steps] == ["queued", "sent", "acknowledged", "succeeded"]
    assert [s.at for s in done.steps] == sorted(s.at for s in done.steps)
    assert done.detail == "heating_setpoint reads 21.5 degC"
    assert done.final
    assert len(gateway.commands) == count  # what is done is not sent again
    assert [b'"%b"' % s.state.encode() in p for s, p in zip(done.steps, pushed, strict=True)] == [True] * 4


async def _up(door: Door, ours: Home, gateway: UUID) -> bool:
    async with door.open(ours.acting) as tx:
        return (await gateways.get_gateway(tx, gateway)).state == "online"


async def _is(door: Door, ours: Home, command: UUID, state: str) -> bool:
    return await state_of(door, ours, command) == state


async def _heard_of(door: Door, ours: Home, gateway: UUID, kind: str) -> bool:
    async with door.open(ours.acting) as tx:
        return kind in {e.kind for e in await gateways.events(tx, gateway_id=gateway)}


async def test_CTL_01_a_command_waits_for_the_link_and_goes_out_at_the_first_word(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    async with cloud.running():
        asked = await ask(cloud.door, ours, machine)
        await until(lambda: _looked_at(cloud.door, asked.id))
        assert not gateway.commands
        assert await state_of(cloud.door, ours, asked.id) == "queued"
        await gateway.boot()
        await until(lambda: [c.id for c in gateway.commands][:1] == [str(asked.id)])
        await gateway.answer(asked.id, "acknowledged")
        await until(lambda: _is(cloud.door, ours, asked.id, "acknowledged"))
        count = len(gateway.commands)
        await gateway.boot()  # it restarted before it said what came of the command
        await until(lambda: len(gateway.commands) > count)
        await gateway.answer(asked.id, "failed", "heating_setpoint reads 20 degC 120 s after the command.")
        await until(lambda: _is(cloud.door, ours, asked.id, "failed"))


async def _looked_at(door: Door, command: UUID) -> bool:
    async with door.open(DELIVERY) as tx:
        row = await tx.session.get(CommandRow, command)
        return row is not None and row.next_at is not None and row.next_at > now()


async def test_CTL_01_a_command_that_nobody_could_take_expires_and_says_why(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    never = await ask(cloud.door, ours, machine)
    await _age(cloud.door, never.id, 700)
    async with cloud.running():
        await until(lambda: _is(cloud.door, ours, never.id, "expired"))
        async with cloud.door.open(ours.acting) as tx:
            assert (await control.get(tx, never.id)).detail == "The gateway has not had a link yet."
        await gateway.boot()
        await until(lambda: _up(cloud.door, ours, gateway.id))
        await gateway.offline()
        await until(lambda: _silent(cloud.door, ours, gateway.id))
        lost = await ask(cloud.door, ours, machine)
        await _age(cloud.door, lost.id, 700)
        await until(lambda: _is(cloud.door, ours, lost.id, "expired"))
        async with cloud.door.open(ours.acting) as tx:
            assert (await control.get(tx, lost.id)).detail.startswith("No link since 20")
        await gateway.boot()
        sent = await ask(cloud.door, ours, machine)
        await until(lambda: str(sent.id) in {c.id for c in gateway.commands})
        await _age(cloud.door, sent.id, 700)
        await until(lambda: _is(cloud.door, ours, sent.id, "expired"))
        await gateway.answer(sent.id, "succeeded", "came too late")
        probe = await ask(cloud.door, ours, machine)
        await gateway.answer(probe.id, "succeeded")
        await until(lambda: _is(cloud.door, ours, probe.id, "succeeded"))
        assert await state_of(cloud.door, ours, sent.id) == "expired"  # a final state never changes


async def _age(door: Door, command: UUID, seconds: float) -> None:
    """Let a command have been given that long ago."""
    async with door.open(DELIVERY) as tx:
        then = timedelta(seconds=seconds)
        await tx.session.execute(
            update(CommandRow)
            .where(CommandRow.id == command)
            .values(created_at=CommandRow.created_at - then, expires_at=CommandRow.expires_at - then, next_at=now())
        )
        tx.announce("wake.commands.x")


async def _silent(door: Door, ours: Home, gateway: UUID) -> bool:
    async with door.open(ours.acting) as tx:
        row = await tx.session.get(GatewayRow, gateway)
        if row is None or row.online:
            return False
        row.last_seen_at = now() - timedelta(minutes=5)
    return True


async def test_CTL_01_several_workers_deliver_each_command_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.control.delivery.PAUSES_S", (60,))
    ours, gateway, _ = await heated(cloud.door, cloud.bus)
    machines = [await equipment(cloud.door, ours, gateway.id, local_name=f"m{n}") for n in range(6)]
    wanted: dict[str, float] = {"heating_setpoint": 21.0, "hot_water_setpoint": 55.0, "supply_water_setpoint": 29.0}
    asked = [await ask(cloud.door, ours, m, setting=s, value=value) for s, value in wanted.items() for m in machines]
    async with cloud.running(workers=4):
        await gateway.online()
        await until(lambda: len(gateway.commands) >= len(asked))
        for command in asked:
            await gateway.answer(command.id, "succeeded")
        await until(lambda: _is(cloud.door, ours, asked[-1].id, "succeeded"))
    assert Counter(c.id for c in gateway.commands) == Counter(str(a.id) for a in asked)


async def test_CTL_01_an_answer_by_another_gateway_changes_nothing_and_is_visible(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    theirs, thief, _ = await heated(cloud.door, cloud.bus)
    async with cloud.running():
        await gateway.online()
        asked = await ask(cloud.door, ours, machine)
        await until(lambda: bool(gateway.commands))
        await thief.answer(asked.id, "succeeded")
        await thief.answer(new_id(), "succeeded")
        await thief.answer("rubbish", "succeeded")
        await until(lambda: _heard_of(cloud.door, theirs, thief.id, "violation"))
        assert await state_of(cloud.door, ours, asked.id) == "sent"


async def test_CTL_03_limits_of_type_machine_and_site_hold_and_a_refusal_says_whose(door: Door) -> None:
    ours = await home(door, limits={"heating_setpoint": [16.0, 22.0]})
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic")).gateway
    machine = await equipment(door, ours, gateway, limits={"hot_water_setpoint": [50.0, 56.0]})
    for args, code, say in (
        ({"value": 4.0}, "below_limit", "of this home"),
        ({"value": 22.5}, "above_limit", "of this home"),
        ({"setting": "hot_water_setpoint", "value": 58.0}, "above_limit", "of this machine"),
        ({"setting": "hot_water_setpoint", "value": 45.0}, "below_limit", "hygiene"),
        ({"setting": "cooling_setpoint", "value": 12.0}, "below_limit", "type of machine"),
        ({"value": float("nan")}, "not_finite", "finite"),
        ({"value": "warm"}, "setting_wrong_type", "must be a number"),
        ({"setting": "colour", "value": 1.0}, "unknown_choice", "cannot be"),
    ):
        refused = await ask(door, ours, machine, **args)
        assert (refused.state, refused.refusal and refused.refusal.code) == ("refused", code)
        assert say in refused.detail
        assert refused.refusal is not None
        assert refused.refusal.sentence("es") != refused.detail
    async with door.open(ours.acting) as tx:
        assert {c.state for c in await control.history(tx, machine)} == {"refused"}
        assert (await control.request(tx, machine, "explode", {})).state == "refused"
        left = await control.allowed(tx, machine)
    assert (left["heating_setpoint"].low, left["heating_setpoint"].high, left["heating_setpoint"].low_whose) == (16.0, 22.0, "site")
    assert (left["hot_water_setpoint"].low_whose, left["hot_water_setpoint"].high_whose) == ("hygiene", "equipment")


async def test_CTL_03_the_compressor_rests_between_changes(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    async with cloud.running():
        await gateway.online()
        async with cloud.door.open(ours.acting) as tx:
            first = await control.request(tx, machine, "set_mode", {"mode": "off"})
        await until(lambda: bool(gateway.commands))
        await gateway.answer(first.id, "succeeded")
        await until(lambda: _is(cloud.door, ours, first.id, "succeeded"))
        async with cloud.door.open(ours.acting) as tx:
            second = await control.request(tx, machine, "set_mode", {"mode": "heating"})
        assert (second.state, second.refusal and second.refusal.code) == ("refused", "lockout")


async def test_CTL_03_limits_are_handed_to_the_gateway_until_it_keeps_to_them(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    async with cloud.running():
        await gateway.boot()
        await until(lambda: len(gateway.desired) >= 3)  # repeated until reported
        first = gateway.desired[-1]
        assert first.equipment["hp1"].site_limits == {}
        await gateway.report(first.version, {"hp1": {"heating_setpoint": 20.0}})
        async with cloud.door.open(ours.acting) as tx:
            await sites.change_site(tx, ours.site, limits={"heating_setpoint": [16.0, 22.0]})
        await until(lambda: gateway.desired[-1].version > first.version)
        second = gateway.desired[-1]
        limits = second.equipment["hp1"].site_limits["heating_setpoint"]
        assert (limits.low, limits.high) == (16.0, 22.0)
        await gateway.report(second.version, {"hp1": {"heating_setpoint": 20.0}})
        await until(lambda: _keeps_to(cloud.door, gateway.id, second.version))
        count = len(gateway.desired)
        await gateway.boot()  # what it reported is not said again
        await until(lambda: _heard_of(cloud.door, ours, gateway.id, "boot"))
        asked = await ask(cloud.door, ours, machine)
        await until(lambda: str(asked.id) in {c.id for c in gateway.commands})
    assert len(gateway.desired) == count


async def _keeps_to(door: Door, gateway: UUID, version: int) -> bool:
    async with door.open(DELIVERY) as tx:
        row = await tx.session.get(TwinRow, gateway)
        return row is not None and row.reported_version == version


async def test_CTL_01_a_later_command_is_never_undone_by_an_earlier_one(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    earlier = await ask(cloud.door, ours, machine, value=19.0)
    other = await ask(cloud.door, ours, machine, setting="hot_water_setpoint", value=55.0)
    async with cloud.running():
        await gateway.online()
        await until(lambda: {c.id for c in gateway.commands} == {str(earlier.id), str(other.id)})
        later = await ask(cloud.door, ours, machine, value=23.0)
        await until(lambda: str(later.id) in {c.id for c in gateway.commands})
        first = next(n for n, c in enumerate(gateway.commands) if c.id == str(later.id))
        await until(lambda: Counter(c.id for c in gateway.commands)[str(later.id)] >= 3)
    assert str(earlier.id) not in {c.id for c in gateway.commands[first:]}
    # One that was never sent is replaced at once.
    third = await ask(cloud.door, ours, machine, value=20.0)
    await ask(cloud.door, ours, machine, value=20.5)
    async with cloud.door.open(ours.acting) as tx:
        replaced = await control.get(tx, third.id)
    assert (replaced.state, replaced.detail) == ("failed", "Replaced by a later command before it was sent.")


async def test_CTL_01_a_machine_that_left_its_gateway_is_not_commanded_through_it(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    asked = await ask(cloud.door, ours, machine)
    async with cloud.door.open(ours.acting) as tx:
        await sites.attach_equipment(tx, machine, None)
    async with cloud.running():
        await gateway.online()
        await until(lambda: _is(cloud.door, ours, asked.id, "failed"))
    assert not gateway.commands
    with pytest.raises(Conflict, match="No gateway feeds"):
        await ask(cloud.door, ours, machine)


async def test_SEC_04_what_the_last_owner_asked_for_never_reaches_the_next_ones_home(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    theirs = await home(cloud.door)
    async with cloud.running():
        await gateway.boot()
        await until(lambda: bool(gateway.desired))
        await gateway.report(gateway.desired[-1].version, {"hp1": {"heating_setpoint": 19.0}})
        await until(lambda: _keeps_to(cloud.door, gateway.id, gateway.desired[-1].version))
        await gateway.offline()
        await until(lambda: _silent(cloud.door, ours, gateway.id))
        asked = await ask(cloud.door, ours, machine)
        async with cloud.door.open(Context(System("transfer"), Purpose.OPERATE)) as tx:
            await tx.session.execute(update(SiteRow).where(SiteRow.id == ours.site).values(household_id=theirs.household))
            tx.announce(f"wake.gateway.{gateway.id}")
        await gateway.report(gateway.desired[-1].version, {"hp1": {"heating_setpoint": 23.0}})
        await gateway.boot()
        await until(lambda: _is(cloud.door, ours, asked.id, "failed"))
        await until(lambda: _knows_nothing(cloud.door, gateway.id, theirs.household))
    assert not gateway.commands
    async with cloud.door.open(theirs.acting) as tx:
        assert await control.history(tx, machine) == []
        with pytest.raises(NotFound):
            await control.get(tx, asked.id)


async def _knows_nothing(door: Door, gateway: UUID, household: UUID) -> bool:
    async with door.open(DELIVERY) as tx:
        row = await tx.session.get(TwinRow, gateway)
        return row is not None and (row.household_id, row.settings) == (household, {})


async def test_CTL_01_a_command_can_be_taken_back_before_it_is_sent(cloud: Cloud) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    asked = await ask(cloud.door, ours, machine)
    async with cloud.door.open(ours.acting) as tx:
        back = await control.cancel(tx, asked.id)
    assert (back.state, back.detail) == ("failed", "Taken back before it was sent.")
    async with cloud.running():
        await gateway.online()
        second = await ask(cloud.door, ours, machine)
        await until(lambda: bool(gateway.commands))
        with pytest.raises(Conflict, match="on its way"):
            async with cloud.door.open(ours.acting) as tx:
                await control.cancel(tx, second.id)
    assert str(asked.id) not in {c.id for c in gateway.commands}


async def test_SEC_04_only_those_who_may_control_command_and_strangers_find_nothing(door: Door) -> None:
    ours, _, machine = await heated(door)
    stranger = await home(door)
    guest, resident = await member(door, ours.household, "guest"), await member(door, ours.household, "member")
    looking, _ = await technician(door, ours.household, "view")
    serving, company = await technician(door, ours.household, "view", "control")
    asked = await ask(door, ours, machine)
    for actor, error in ((guest, Denied), (looking, Denied), (stranger.acting, NotFound)):
        with pytest.raises(error):
            async with door.open(actor) as tx:
                await control.request(tx, machine, "set_setpoint", WARMER)
        with pytest.raises(error):
            async with door.open(actor) as tx:
                await control.cancel(tx, asked.id)
    async with door.open(stranger.acting) as tx:
        assert await control.history(tx, machine) == []
        for look in (control.get(tx, asked.id), control.allowed(tx, machine)):
            with pytest.raises(NotFound):
                await look
    async with door.open(resident) as tx:
        assert (await control.request(tx, machine, "set_setpoint", WARMER)).state == "queued"
    async with door.open(serving) as tx:
        assert (await control.request(tx, machine, "set_setpoint", WARMER)).sender_company == company
    async with door.open(guest) as tx:
        assert len(await control.history(tx, machine)) == 3


async def test_bad_input_says_what_to_do(door: Door) -> None:
    ours, _, machine = await heated(door)
    for name, args, life in (
        ("Set Setpoint", {}, 600),
        ("set_setpoint", {"a b": 1.0}, 600),
        ("set_setpoint", {"setting": "x" * 201}, 600),
        ("set_setpoint", {"setting": "a\0b"}, 600),
        ("set_setpoint", {f"a{n}": 1.0 for n in range(9)}, 600),
        ("set_setpoint", WARMER, 1),
        ("set_setpoint", WARMER, float("nan")),
    ):
        with pytest.raises(Invalid):
            async with door.open(ours.acting) as tx:
                await control.request(tx, machine, name, args, expires_in_s=life)
    async with door.open(ours.acting) as tx:
        await sites.retire_equipment(tx, machine)
    with pytest.raises(Conflict, match="retired"):
        await ask(door, ours, machine)


async def test_commands_of_one_machine_are_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.control.service.MAX_OPEN", 2)
    ours, _, machine = await heated(door)
    await ask(door, ours, machine)
    await ask(door, ours, machine, setting="cooling_setpoint", value=26.0)
    with pytest.raises(TooMany):
        await ask(door, ours, machine)


async def test_delivery_goes_on_after_the_bus_was_away(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, gateway, machine = await heated(cloud.door, cloud.bus)
    publish = cloud.bus.publish
    lost: list[str] = []

    async def lose(subject: str, payload: bytes = b"", **more: Any) -> None:
        if subject.endswith(".commands") and not subject.startswith("wake") and len(lost) < 2:
            lost.append(subject)
            raise OSError("the bus is away")
        await publish(subject, payload, **more)

    monkeypatch.setattr(cloud.bus, "publish", lose)
    async with cloud.running():
        await gateway.online()
        asked = await ask(cloud.door, ours, machine)
        await until(lambda: bool(gateway.commands))
        assert len(lost) == 2
        await gateway.answer(asked.id, "succeeded")
        await until(lambda: _is(cloud.door, ours, asked.id, "succeeded"))
