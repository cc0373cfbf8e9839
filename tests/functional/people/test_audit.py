"""The access log on a real database: what is not logged can't be read, every entry is chained once, and any change of it is found."""

import asyncio
import sys
from uuid import UUID

import pytest
from lineset import accounts, sites
from lineset.kit.ids import new_id
from lineset.privacy import Context, Person, Purpose, System, acting, seen_by
from sqlalchemy import func, select, text
from sqlalchemy import table as table_of

from tests.functional.people.test_households import company
from tests.functional.people.test_sites import a_home
from tests.functional.people.world import Somebody, World

pytestmark = pytest.mark.anyio
READS_AND_WAITS = """
import asyncio, sys
from uuid import UUID
from lineset.kit.database import make_engine
from lineset.privacy import Context, Door, Person, Purpose, acting
from sqlalchemy import text
async def main(address, person, site):
    context = Context(Person(UUID(person)), Purpose.SERVICE, UUID(site))
    with acting("look_site"):
        async with Door(make_engine(address), None).open(context) as tx:
            print((await tx.session.execute(text("SELECT id FROM sites"))).scalar_one(), flush=True)
            await asyncio.sleep(60)
asyncio.run(main(*sys.argv[1:]))
"""


async def let_in(world: World, owner: Somebody, scopes: tuple[str, ...] = ("view",)) -> Somebody:
    """A technician of a company to which the owner gave these scopes."""
    company_id, manager = await company(world, "Alder Mechanical")
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company_id, scopes)
    return manager


def entries(world: World, household: UUID) -> list[tuple[UUID, str, str, UUID, str]]:
    """What the log holds about a household: who, as what, doing what, at which thing, for which purpose."""
    with world.owner() as connection:
        told = text("SELECT actor_id, role, action, thing, purpose FROM access_log WHERE household_id = :id ORDER BY at")
        return [tuple(row) for row in connection.execute(told, {"id": household})]


async def test_SEC_01_a_contractor_is_logged_before_anything_is_read(world: World) -> None:
    owner = await world.made("Olga")
    site_id, machine_id = await a_home(world, owner)
    tech = await let_in(world, owner)
    me = tech.principal.person_id
    with acting("look_list"):
        async with world.door.open(tech.acts(Purpose.SERVICE)) as tx:
            assert [s.id for s in await sites.list_sites(tx)] == [site_id]
    with acting("look_machine"):
        for _ in range(3):  # of one stretch of time, so one entry
            async with world.door.open(tech.principal.acts(Purpose.SERVICE, machine_id)) as tx:
                assert (await sites.get_equipment(tx, machine_id)).id == machine_id
    found = entries(world, owner.household)
    assert found == [
        (me, "manager", "look_list", owner.household, "service"),
        (me, "manager", "look_machine", machine_id, "service"),
    ]
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        seen = await seen_by(tx, owner.household)
    assert [(s.who, s.role, s.what, s.thing, s.times) for s in seen] == [
        (tech.name, "manager", "look_machine", machine_id, 1),
        (tech.name, "manager", "look_list", None, 1),
    ]
    assert all(s.company and s.first_at == s.last_at for s in seen)


async def test_SEC_01_what_is_named_is_the_limit_of_what_is_seen(world: World) -> None:
    first, second = await world.made("Olga"), await world.made("Pia")
    mine, _ = await a_home(world, first)
    other, other_machine = await a_home(world, second)
    tech = await let_in(world, first)
    async with world.door.open(second.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, second.household, tech.principal.companies[0].id, ["view"])
    async with world.door.open(tech.principal.acts(Purpose.SERVICE, mine)) as tx:
        assert [s.id for s in await sites.list_sites(tx)] == [mine]
    assert entries(world, second.household) == []
    async with world.door.open(tech.principal.acts(Purpose.SERVICE, frozenset())) as tx:
        assert await sites.list_sites(tx) == []
    async with world.door.open(tech.principal.acts(Purpose.SERVICE, new_id())) as tx:
        assert await sites.list_sites(tx) == []
    async with world.door.open(tech.principal.acts(Purpose.SERVICE, frozenset({mine, other_machine}))) as tx:
        assert {s.id for s in await sites.list_sites(tx)} == {mine, other}
    assert [e[3] for e in entries(world, second.household)] == [other_machine]


async def test_SEC_01_without_an_entry_the_database_shows_nothing(world: World) -> None:
    """Whoever states actor and purpose past the door, and even what the log would say, sees nothing until the log says it."""
    owner = await world.made("Olga")
    await a_home(world, owner)
    tech = await let_in(world, owner)
    state = "SELECT set_config(:name, :value, true)"
    told = {"app.actor": str(tech.principal.person_id), "app.purpose": "service", "app.action": "look", "app.subject": str(owner.household)}
    async with world.door.open(Context(System("mail"), Purpose.COMMUNICATE)) as tx:
        for name, value in told.items():
            await tx.session.execute(text(state), {"name": name, "value": value})
        for table in ("sites", "equipment", "households", "gateways", "latest", "household_members"):
            assert (await tx.session.execute(select(func.count()).select_from(table_of(table)))).scalar_one() == 0, table
        await tx.session.execute(text("SELECT access.enter('look', '{}', '')"))
        assert (await tx.session.execute(text("SELECT count(*) FROM sites"))).scalar_one() == 1


async def test_SEC_01_nobody_writes_or_takes_away_entries_by_hand(world: World) -> None:
    owner = await world.made("Olga")
    await a_home(world, owner)
    tech = await let_in(world, owner)
    async with world.door.open(tech.acts(Purpose.SERVICE)) as tx:
        await sites.list_sites(tx)
    for who, purpose in ((tech, Purpose.SERVICE), (owner, Purpose.RIGHTS), (owner, Purpose.OPERATE)):
        for statement in ("DELETE FROM access_log", "UPDATE access_log SET reason = 'x'"):
            async with world.door.open(who.acts(purpose)) as tx:
                done = await tx.session.execute(text(statement))
                assert done.rowcount == 0, (purpose, statement)  # type: ignore[attr-defined]
        with pytest.raises(Exception, match="permission denied"):
            async with world.door.open(who.acts(purpose)) as tx:
                await tx.session.execute(text("UPDATE access_log SET role = 'x'"))
        with pytest.raises(Exception, match="permission denied"):
            async with world.door.open(who.acts(purpose)) as tx:
                await tx.session.execute(text("INSERT INTO access_log SELECT * FROM access_log"))
    assert len(entries(world, owner.household)) == 1


async def test_SEC_01_a_reading_stays_logged_when_its_process_dies(world: World) -> None:
    """A process reads, answers, and is killed before its transaction ends; another that fails after reading stays logged too."""
    owner = await world.made("Olga")
    site_id, _ = await a_home(world, owner)
    tech = await let_in(world, owner)
    address = world.door._engine.url.render_as_string(hide_password=False)
    told = (address, str(tech.principal.person_id), str(site_id))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", READS_AND_WAITS, *told, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert (await process.stdout.readline()).decode().strip() == str(site_id)
    process.kill()
    await process.wait()
    assert [e[2:4] for e in entries(world, owner.household)] == [("look_site", site_id)]

    async def read_and_fail() -> None:
        async with world.door.open(tech.acts(Purpose.SERVICE)) as tx:
            assert await sites.list_sites(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError), acting("look_list"):
        await read_and_fail()
    assert [e[2] for e in entries(world, owner.household)] == ["look_site", "look_list"]


async def test_PRV_01_only_its_own_people_are_told_who_saw_a_home(world: World) -> None:
    owner, stranger = await world.made("Olga"), await world.made("Pia")
    await a_home(world, owner)
    tech = await let_in(world, owner)
    async with world.door.open(tech.acts(Purpose.SERVICE)) as tx:
        await sites.list_sites(tx)
        assert await seen_by(tx, owner.household) == []
    async with world.door.open(stranger.acts(Purpose.RIGHTS)) as tx:
        assert await seen_by(tx, owner.household) == []
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        assert len(await seen_by(tx, owner.household)) == 1
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_access(tx, owner.household, tech.principal.companies[0].id)
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:  # also once the company may look no more
        assert [s.who for s in await seen_by(tx, owner.household)] == [tech.name]


async def test_SEC_01_staff_that_administers_one_household_is_logged(world: World) -> None:
    owner, officer = await world.made("Olga"), await world.staff("privacy_officer")
    with acting("look_log"):
        context = officer.principal.acts(Purpose.ADMINISTER, owner.household, "complaint 12")
        async with world.door.open(context) as tx:
            await tx.session.execute(select(1))
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        assert [(s.who, s.role, s.reason, s.what) for s in await seen_by(tx, owner.household)] == [
            (officer.name, "privacy_officer", "complaint 12", "look_log")
        ]
    async with world.door.open(Context(Person(owner.principal.person_id), Purpose.ADMINISTER, owner.household)) as tx:
        await tx.session.execute(select(1))  # no staff: nothing to see, and no entry that anybody could make up
    assert len(entries(world, owner.household)) == 1
