"""Sites and machines as their people keep them, find them, and hand them over."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from lineset import accounts, sites
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.privacy import Purpose
from lineset.sites import Address, NewEquipment
from sqlalchemy import text

from tests.functional.people.test_households import company, join
from tests.functional.people.world import Somebody, World

pytestmark = pytest.mark.anyio
HEAT_PUMP = NewEquipment(
    name="Heat pump",
    type="heat_pump_air_air",
    make="Daikin",
    model="RXM35",
    serial_number="J012345",
    capacity_w=3500.0,
    refrigerant="r32",
    installer="Alder Heating",
    place="garden, north wall",
    installed_on=date(2021, 5, 4),
)


async def a_home(world: World, owner: Somebody, name: str = "Lake house") -> tuple[UUID, UUID]:
    """A site with a heat pump."""
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        address = Address(street="14 Sugar Pine Rd", city="Truckee", region="CA", postal_code="96161", country="us")
        site_id = await sites.create_site(tx, owner.household, name=name, time_zone="America/Los_Angeles", address=address)
        return site_id, await sites.add_equipment(tx, site_id, HEAT_PUMP)


async def series(world: World, equipment_id: UUID) -> list[tuple[int, UUID, bool]]:
    """Tenures of a machine in order: series, household, whether it still runs."""
    with world.owner() as connection:
        found = text("SELECT series_id, household_id, ends_at IS NULL FROM tenures WHERE equipment_id = :id ORDER BY starts_at")
        rows = connection.execute(found, {"id": equipment_id})
        return [(a, b, c) for a, b, c in rows]


async def test_EQP_01_a_machine_keeps_what_its_plate_says(world: World) -> None:
    owner = await world.sign_up("Olga")
    site_id, machine_id = await a_home(world, owner)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        machine = await sites.get_equipment(tx, machine_id)
        assert (machine.make, machine.model, machine.serial_number, machine.capacity_w) == ("Daikin", "RXM35", "J012345", 3500.0)
        assert (machine.fuel, machine.local_name, machine.place) == ("electricity", "heat_pump", "garden, north wall")
        assert (machine.installed_on, machine.installer, machine.refrigerant) == (date(2021, 5, 4), "Alder Heating", "R-32")
        assert machine.series_id is not None
        zone_id = await sites.add_zone(tx, site_id, "Upstairs")
        changed = NewEquipment(name="HP", type=machine.type, local_name="hp1", limits={"heating_setpoint": [16, 24]})
        await sites.change_equipment(tx, machine_id, changed, zone_id=zone_id)
        again = await sites.get_equipment(tx, machine_id)
        assert (again.name, again.local_name, again.zone_id, again.make) == ("HP", "hp1", zone_id, "")
        assert again.limits == {"heating_setpoint": [16.0, 24.0]}
        second = await sites.add_equipment(tx, site_id, HEAT_PUMP)
        third = await sites.add_equipment(tx, site_id, HEAT_PUMP)
        names = [(await sites.get_equipment(tx, i)).local_name for i in (second, third)]
        assert names == ["heat_pump", "heat_pump_2"]
        await sites.retire_equipment(tx, second)
        with pytest.raises(Conflict):
            await sites.retire_equipment(tx, second)
        site = await sites.get_site(tx, site_id)
        assert [m.id for m in site.equipment] == [third, machine_id, second], "retired ones come last"
        assert [m.id for m in await sites.list_equipment(tx, site_id=site_id)] == [third, machine_id]


async def test_EQP_01_what_can_not_be_is_refused_with_the_field(world: World) -> None:
    owner = await world.made("Olga")
    site_id, _ = await a_home(world, owner)
    wrong: tuple[dict[str, object], ...] = (
        {"type": "perpetual_motion"},
        {"fuel": "natural_gas"},
        {"capacity_w": 0.0},
        {"capacity_w": -3500.0},
        {"capacity_w": float("nan")},
        {"capacity_w": 1e9},
        {"name": "  "},
        {"make": "a\nb"},
        {"refrigerant": "propane"},
        {"installer": "a\nb"},
        {"local_name": "HP 1"},
        {"installed_on": date(1066, 10, 14)},
        {"limits": {"heating_setpoint": [24, 16]}},
        {"limits": {"heating_setpoint": [2, 24]}},
        {"limits": {"heating_setpoint": [16]}},
        {"limits": {"system_mode": [0, 1]}},
        {"limits": {"warp": [0, 1]}},
    )
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        for changes in wrong:
            values = {name: getattr(HEAT_PUMP, name) for name in HEAT_PUMP.__struct_fields__} | changes
            with pytest.raises(Invalid) as refused:
                await sites.add_equipment(tx, site_id, NewEquipment(**values))
            assert refused.value.field in changes, changes


async def test_PLT_05_one_household_has_homes_and_commercial_buildings(world: World) -> None:
    owner = await world.sign_up("Olga")
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        for name, kind in (("Home", "residential"), ("Workshop", "commercial"), ("Annex", "commercial")):
            site_id = await sites.create_site(tx, owner.household, name=name, time_zone="Europe/Madrid", kind=kind)
            for zone in ("Ground floor", "First floor"):
                await sites.add_zone(tx, site_id, zone)
        assert [(s.name, s.kind) for s in await sites.list_sites(tx)] == [
            ("Annex", "commercial"),
            ("Home", "residential"),
            ("Workshop", "commercial"),
        ]
        for bad in ({"time_zone": "Mars/Olympus"}, {"kind": "castle"}, {"name": ""}, {"address": Address(country="Spain")}):
            with pytest.raises(Invalid):
                await sites.change_site(tx, site_id, **bad)
        await sites.change_site(tx, site_id, name="Anexo", limits={"heating_setpoint": [16, 24]}, address=Address(street="Gran Vía 1"))
        site = await sites.get_site(tx, site_id)
        assert (site.name, site.limits, site.address.line) == ("Anexo", {"heating_setpoint": [16.0, 24.0]}, "Gran Vía 1")
        assert [z.name for z in site.zones] == ["First floor", "Ground floor"]
        await sites.rename_zone(tx, site.zones[0].id, "Attic")
        await sites.remove_zone(tx, site.zones[1].id)
        assert [z.name for z in (await sites.get_site(tx, site_id)).zones] == ["Attic"]


async def test_PLT_05_sites_are_found_by_any_word_of_theirs(world: World) -> None:
    owner = await world.sign_up("Olga")
    await a_home(world, owner)
    await a_home(world, owner, "Casa Ñandú")
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:

        async def found(words: str) -> list[str]:
            return [s.name for s in await sites.search_sites(tx, words)]

        assert await found("nandu") == ["Casa Ñandú"]
        assert await found("SUGAR truckee daikin") == ["Casa Ñandú", "Lake house"]
        assert await found("lake rxm35 J0123") == ["Lake house"]
        assert await found("lake boiler") == []


async def test_roles_decide_who_may_change_machines(world: World) -> None:
    owner, (company_id, boss) = await world.sign_up("Olga"), await company(world, "Fix It")
    guest = await join(world, owner, "Gus", "guest")
    site_id, machine_id = await a_home(world, owner)
    async with world.door.open(guest.acts(Purpose.OPERATE)) as tx:
        assert (await sites.get_site(tx, site_id)).name == "Lake house"
        for attempt in (
            sites.change_site(tx, site_id, name="Mine"),
            sites.change_equipment(tx, machine_id, HEAT_PUMP),
            sites.retire_equipment(tx, machine_id),
        ):
            with pytest.raises(Denied):
                await attempt
        with pytest.raises(NotFound):
            await sites.add_equipment(tx, site_id, HEAT_PUMP)
    async with world.door.open(boss.acts(Purpose.SERVICE)) as tx:
        assert await sites.list_sites(tx) == []
        with pytest.raises(NotFound):
            await sites.get_equipment(tx, machine_id)
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company_id, ["equipment"])
    async with world.door.open(boss.acts(Purpose.SERVICE)) as tx:
        assert [s.name for s in await sites.list_sites(tx)] == ["Lake house"]
        await sites.add_equipment(tx, site_id, HEAT_PUMP)
        await sites.retire_equipment(tx, machine_id)
    async with world.door.open(boss.acts(Purpose.OPERATE)) as tx:
        assert await sites.list_sites(tx) == [], "without the purpose of service a grant counts for nothing"


async def test_a_site_goes_to_another_household_with_its_machines_but_not_its_past(world: World) -> None:
    giver, taker = await world.sign_up("Olga"), await world.sign_up("Tim")
    site_id, machine_id = await a_home(world, giver)
    async with world.door.open(giver.acts(Purpose.OPERATE)) as tx:
        await sites.add_zone(tx, site_id, "Emma's room")
        await sites.change_site(tx, site_id, limits={"heating_setpoint": [18, 21]})
        await sites.offer_equipment(tx, machine_id, "third@example.com")
        await sites.offer_site(tx, site_id, taker.email)
        assert [o.to for o in await sites.list_offers(tx, giver.household)] == [taker.email, "third@example.com"]
    token, stale_token = await world.link(taker.email, "transfer_offer"), await world.link("third@example.com", "transfer_offer")
    assert (await sites.read_offer(world.door, token)).what == "Lake house"
    me = taker.principal.person_id
    with pytest.raises(Denied):
        await sites.accept_site(world.door, token, me, giver.household, "Mine")
    with pytest.raises(Invalid, match="already"):
        await sites.accept_site(world.door, token, giver.principal.person_id, giver.household, "Mine")
    assert await sites.accept_site(world.door, token, me, taker.household, "Tim's place") == site_id
    with pytest.raises(Invalid, match="accepted already"):
        await sites.accept_site(world.door, token, me, taker.household, "Again")
    async with world.door.open(giver.acts(Purpose.OPERATE)) as tx:
        assert await sites.list_sites(tx) == []
        with pytest.raises(NotFound):
            await sites.get_equipment(tx, machine_id)
    async with world.door.open(taker.acts(Purpose.OPERATE)) as tx:
        site = await sites.get_site(tx, site_id)
        assert (site.name, site.address.street, site.limits) == ("Tim's place", "14 Sugar Pine Rd", {})
        assert [z.name for z in site.zones] == ["Zone 1"]
        (machine,) = site.equipment
        assert machine.household_id == taker.household
    (first, a, open_a), (second, b, open_b) = await series(world, machine_id)
    assert (a, open_a, b, open_b) == (giver.household, False, taker.household, True)
    assert machine.series_id == second != first
    assert len(await world.mails(giver.email, "transfer_done")) == 1
    stranger = await world.sign_up("Third")
    await a_home(world, stranger)
    async with world.door.open(stranger.acts(Purpose.OPERATE)) as tx:
        (target,) = await sites.list_sites(tx)
    with pytest.raises(Invalid, match="no longer has it"):
        await sites.accept_equipment(world.door, stale_token, stranger.principal.person_id, target.id)


async def test_a_machine_goes_to_another_household_alone(world: World) -> None:
    giver, taker = await world.sign_up("Olga"), await world.sign_up("Tim")
    site_id, machine_id = await a_home(world, giver)
    target, _ = await a_home(world, taker, "Tim's")
    async with world.door.open(giver.acts(Purpose.OPERATE)) as tx:
        await sites.offer_equipment(tx, machine_id, taker.email)
    token = await world.link(taker.email, "transfer_offer")
    with pytest.raises(NotFound):
        await sites.accept_equipment(world.door, token, taker.principal.person_id, site_id)
    await sites.accept_equipment(world.door, token, taker.principal.person_id, target)
    async with world.door.open(taker.acts(Purpose.OPERATE)) as tx:
        machine = await sites.get_equipment(tx, machine_id)
        assert (machine.site_id, machine.household_id, machine.gateway_id, machine.place) == (target, taker.household, None, "")
        assert machine.local_name == "heat_pump_2"
        with pytest.raises(Conflict, match="another owner"):
            await sites.extend_tenure(tx, machine_id, datetime(2020, 1, 1, tzinfo=UTC))
    async with world.door.open(giver.acts(Purpose.OPERATE)) as tx:
        assert (await sites.get_site(tx, site_id)).equipment == ()


async def test_offers_end_are_taken_back_and_need_an_owner(world: World) -> None:
    owner = await world.sign_up("Olga")
    member = await join(world, owner, "Mia", "member")
    site_id, _ = await a_home(world, owner)
    address = world.address()
    async with world.door.open(member.acts(Purpose.OPERATE)) as tx:
        with pytest.raises(Denied):
            await sites.offer_site(tx, site_id, address)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        with pytest.raises(Invalid):
            await sites.offer_site(tx, site_id, "not an address")
        offer_id = await sites.offer_site(tx, site_id, address)
    token = await world.link(address, "transfer_offer")
    with time_machine.travel(timedelta(days=14, minutes=1), tick=False), pytest.raises(Invalid, match="its time is over"):
        await sites.read_offer(world.door, token)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        await sites.withdraw_offer(tx, offer_id)
        with pytest.raises(NotFound):
            await sites.withdraw_offer(tx, offer_id)
    with pytest.raises(Invalid):
        await sites.read_offer(world.door, token)


async def test_recorded_history_may_begin_before_the_machine_was_entered(world: World) -> None:
    owner = await world.sign_up("Olga")
    _, machine_id = await a_home(world, owner)
    long_ago = datetime(2024, 1, 1, tzinfo=UTC)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        await sites.extend_tenure(tx, machine_id, long_ago)
        assert (await sites.get_equipment(tx, machine_id)).owned_since == long_ago
        await sites.extend_tenure(tx, machine_id, datetime(2025, 1, 1, tzinfo=UTC))
        assert (await sites.get_equipment(tx, machine_id)).owned_since == long_ago
