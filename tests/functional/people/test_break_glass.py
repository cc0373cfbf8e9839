"""Staff at a home: only for a reason, for an hour at most, told to its owners in the same moment, and never changing anything."""

from datetime import timedelta

import pytest
import time_machine
from lineset import accounts, sites
from lineset.accounts.throttle import SECURITY
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.privacy import Context, Person, Purpose, acting, seen_by
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.functional.people.test_sites import a_home
from tests.functional.people.world import Somebody, World

pytestmark = pytest.mark.anyio
REASON = "The heat pump reports nothing since Monday"


async def opened(world: World, staff: Somebody, owner: Somebody, role: str, minutes: int = 15) -> accounts.StaffAccess:
    home = await accounts.find_home(world.door, owner.email)
    assert home == owner.household
    await accounts.open_home(world.door, staff.acts(Purpose.SUPPORT), home, role=role, reason=REASON, ticket="T-12", minutes=minutes)
    async with world.door.open(staff.acts(Purpose.SUPPORT)) as tx:
        return (await accounts.list_staff_accesses(tx, household=home))[0]


async def seen(world: World, staff: Somebody, owner: Somebody) -> int:
    """How many sites of the owner the staff member sees now."""
    with acting("look_site"):
        async with world.door.open(staff.principal.acts(Purpose.SUPPORT, owner.household)) as tx:
            return len(await sites.list_sites(tx))


async def test_SEC_01_staff_sees_nothing_until_it_opens_a_home(world: World) -> None:
    owner, other, helper = await world.made("Olga"), await world.made("Pia"), await world.staff("support")
    site_id, _ = await a_home(world, owner)
    await a_home(world, other)
    assert await seen(world, helper, owner) == 0
    access = await opened(world, helper, owner, "support")
    assert await seen(world, helper, owner) == 1
    assert await seen(world, helper, other) == 0
    async with world.door.open(helper.acts(Purpose.SUPPORT)) as tx:
        assert [s.id for s in await sites.list_sites(tx)] == [site_id]
    for purpose in (Purpose.OPERATE, Purpose.SERVICE, Purpose.ADMINISTER, Purpose.ACCOUNT):
        async with world.door.open(helper.acts(purpose)) as tx:
            assert site_id not in [s.id for s in await sites.list_sites(tx)], purpose
    mail = (await world.mails(owner.email, "staff_opened"))[0]
    assert REASON in mail.body
    assert helper.name in mail.body
    assert "support" in mail.body
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        told = [s for s in await seen_by(tx, owner.household) if s.who == helper.name]
        assert {(s.what, s.role, s.reason) for s in told} >= {
            ("open_home", "support", f"T-12 · {REASON}"),
            ("look_site", "support", f"T-12 · {REASON}"),
        }
        assert [a.id for a in await accounts.list_staff_accesses(tx, household=owner.household)] == [access.id]
    async with world.door.open(helper.acts(Purpose.SUPPORT)) as tx:
        await accounts.end_home(tx, access.id)
    assert await seen(world, helper, owner) == 0


async def test_SEC_01_an_open_home_can_be_seen_and_not_changed(world: World) -> None:
    owner, helper, officer = await world.made("Olga"), await world.staff("support"), await world.staff("privacy_officer")
    site_id, machine_id = await a_home(world, owner)
    for staff, role, people in ((helper, "support", 0), (officer, "privacy_officer", 1)):
        await opened(world, staff, owner, role)
        async with world.door.open(staff.principal.acts(Purpose.SUPPORT, site_id)) as tx:
            assert (await sites.get_equipment(tx, machine_id)).id == machine_id
            members = await tx.session.execute(text("SELECT count(*) FROM household_members WHERE person_id <> access.person()"))
            assert members.scalar_one() == people
            for statement in ("UPDATE sites SET kind = 'commercial'", "DELETE FROM equipment", "UPDATE households SET business = true"):
                done = await tx.session.execute(text(statement))
                assert done.rowcount == 0, statement  # type: ignore[attr-defined]
        with pytest.raises((Denied, NotFound)):
            async with world.door.open(staff.principal.acts(Purpose.SUPPORT, site_id)) as tx:
                await sites.add_zone(tx, site_id, "Attic")


async def test_SEC_01_an_access_ends_by_itself_and_with_the_role(world: World) -> None:
    owner, helper = await world.made("Olga"), await world.staff("security")
    await a_home(world, owner)
    await opened(world, helper, owner, "security", minutes=60)
    assert await seen(world, helper, owner) == 1
    with world.owner() as connection:
        connection.execute(
            text("UPDATE memberships SET role = 'analyst' WHERE person_id = :p AND role = 'security'"), {"p": helper.principal.person_id}
        )
    assert await seen(world, helper, owner) == 0
    with world.owner() as connection:
        connection.execute(text("UPDATE memberships SET role = 'security' WHERE person_id = :p"), {"p": helper.principal.person_id})
    assert await seen(world, helper, owner) == 1
    with world.owner() as connection:
        past = "starts_at = starts_at - interval '2 hours', ends_at = ends_at - interval '2 hours'"
        connection.execute(text(f"UPDATE staff_accesses SET {past} WHERE person_id = :p"), {"p": helper.principal.person_id})  # noqa: S608
    assert await seen(world, helper, owner) == 0
    with time_machine.travel(now() + timedelta(minutes=1)):
        async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
            assert (await accounts.list_staff_accesses(tx, household=owner.household))[0].ended_at is not None


@pytest.mark.parametrize("role", ["operator", "analyst"])
async def test_SEC_01_other_roles_open_no_homes(world: World, role: str) -> None:
    owner, staff = await world.made("Olga"), await world.staff(role)
    for asked in (role, "support"):
        with pytest.raises(Denied):
            await accounts.open_home(world.door, staff.acts(Purpose.SUPPORT), owner.household, role=asked, reason=REASON)
    stranger = Context(Person(owner.principal.person_id), Purpose.SUPPORT)
    with pytest.raises(Denied):
        await accounts.open_home(world.door, stranger, owner.household, role="support", reason=REASON)
    assert await world.mails(owner.email, "staff_opened") == []


async def test_SEC_01_a_home_opens_only_for_a_reason_and_an_hour_at_most(world: World) -> None:
    owner, helper = await world.made("Olga"), await world.staff("support")
    for values in (
        {"reason": ""},
        {"reason": "because"},
        {"reason": "x" * 301},
        {"reason": REASON, "minutes": 61},
        {"reason": REASON, "minutes": 0},
    ):
        with pytest.raises(Invalid):
            await accounts.open_home(world.door, helper.acts(Purpose.SUPPORT), owner.household, role="support", **values)
    for words in ("nobody@example.com", str(helper.principal.person_id)[:-1] + "0"):
        with pytest.raises(NotFound):
            await accounts.find_home(world.door, words)
    with pytest.raises(Invalid):
        await accounts.find_home(world.door, "who?")
    longest = "INSERT INTO staff_accesses VALUES (gen_random_uuid(), :p, :h, 'support', 'r', '', now(), now() + interval '61 minutes')"
    async with world.door.open(SECURITY) as tx:
        with pytest.raises(IntegrityError, match="ck_staff_accesses_span"):
            await tx.session.execute(text(longest), {"p": helper.principal.person_id, "h": owner.household})
        await tx.session.rollback()
