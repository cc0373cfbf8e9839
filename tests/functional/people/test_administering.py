"""A contractor that administers a household's account: each deed by a grant of its own, logged, told, and taken back at once."""

import pytest
from lineset import accounts
from lineset.kit.errors import Denied, NotFound, TooMany
from lineset.privacy import Purpose, seen_by

from tests.functional.people.test_audit import let_in
from tests.functional.people.test_households import join
from tests.functional.people.world import PASSWORD, World

pytestmark = pytest.mark.anyio


async def test_ACC_04_each_deed_needs_its_own_grant(world: World) -> None:
    owner = await world.sign_up("Olga")
    member = await join(world, owner, "Max", "member")
    tech = await let_in(world, owner, ("view", "people"))
    me, person = tech.acts(Purpose.SERVICE), member.principal.person_id
    for deed in accounts.DEEDS:
        with pytest.raises(Denied):
            await accounts.administer(world.door, me, owner.household, person, deed)
    company = tech.principal.companies[0].id
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company, ["members"])
    with pytest.raises(Denied):
        await accounts.administer(world.door, me, owner.household, person, "reset")
    for deed, paused in (("pause", True), ("resume", False)):
        await accounts.administer(world.door, me, owner.household, person, deed)
        async with world.door.open(tech.principal.acts(Purpose.SERVICE, owner.household)) as tx:
            assert next(m.paused for m in await accounts.list_members(tx, owner.household) if m.person_id == person) is paused
    with pytest.raises(Denied):  # an owner's place is the owners' own matter
        await accounts.administer(world.door, me, owner.household, owner.principal.person_id, "end")
    await accounts.administer(world.door, me, owner.household, person, "end")
    with pytest.raises(NotFound):
        await accounts.administer(world.door, me, owner.household, person, "end")
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_access(tx, owner.household, company, ["people"])  # which takes what needs it along
        assert {g.scope for g in await accounts.list_grants(tx, owner.household)} == {"view"}


async def test_ACC_04_each_use_is_logged_and_the_owners_are_told(world: World) -> None:
    owner = await world.sign_up("Olga")
    member = await join(world, owner, "Max", "member")
    tech = await let_in(world, owner, ("reset", "members"))
    person = member.principal.person_id
    for deed in ("reset", "pause"):
        await accounts.administer(world.door, tech.acts(Purpose.SERVICE), owner.household, person, deed)
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        assert {s.what for s in await seen_by(tx, owner.household) if s.person == tech.principal.person_id} >= {
            "start_reset",
            "suspend_member",
        }
    told = await world.mails(owner.email, "administered")
    assert ["started a new password for" in told[0].body, "paused the access of" in told[1].body] == [True, True]
    assert all("Max" in mail.body and "Alder Mechanical" in mail.body for mail in told)


async def test_ACC_04_the_contractor_never_learns_a_password(world: World) -> None:
    """It starts a new one; the link goes to the member alone, who completes it."""
    owner = await world.sign_up("Olga")
    member = await join(world, owner, "Max", "member")
    tech = await let_in(world, owner, ("reset",))
    person = member.principal.person_id
    await accounts.administer(world.door, tech.acts(Purpose.SERVICE), owner.household, person, "reset")
    link = await world.link(member.email, "reset")
    for other in (owner.email, tech.email):
        assert not [m for m in await world.mails(other) if link in m.body]
    await accounts.reset_password(world.door, link, f"{PASSWORD} again", world.browser())
    assert (await accounts.sign_in(world.door, member.email, f"{PASSWORD} again", world.browser())).person_id == person
    for _ in range(2):
        await accounts.administer(world.door, tech.acts(Purpose.SERVICE), owner.household, person, "reset")
    with pytest.raises(TooMany):
        await accounts.administer(world.door, tech.acts(Purpose.SERVICE), owner.household, person, "reset")


async def test_ACC_04_a_company_of_another_household_does_nothing(world: World) -> None:
    owner, other = await world.sign_up("Olga"), await world.sign_up("Pia")
    tech = await let_in(world, other, ("reset", "members"))
    for deed in accounts.DEEDS:
        with pytest.raises(NotFound):
            await accounts.administer(world.door, tech.acts(Purpose.SERVICE), owner.household, owner.principal.person_id, deed)
        with pytest.raises(NotFound):
            await accounts.administer(world.door, tech.acts(Purpose.SERVICE), other.household, owner.principal.person_id, deed)
    assert await world.mails(owner.email, "administered") == []
