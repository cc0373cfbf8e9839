"""Households, their people and roles, and what they let companies do."""

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from lineset import accounts
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Purpose, System

from tests.functional.people.world import PASSWORD, Somebody, World

pytestmark = pytest.mark.anyio
SETUP = Context(System("setup"), Purpose.ADMINISTER)


async def join(world: World, owner: Somebody, name: str, role: str) -> Somebody:
    """Somebody new, who accepts an invitation into the owner's household."""
    address = world.address(name.lower())
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.invite_member(tx, owner.household, address, role)
    token = await world.link(address, "household_invite")
    signed_in = await accounts.accept_as_new(world.door, token, name=name, password=PASSWORD, browser=world.browser())
    return await world.somebody(name, address, signed_in.token)


async def company(world: World, name: str) -> tuple[UUID, Somebody]:
    """A contractor with its manager."""
    address = world.address("boss")
    async with world.door.open(SETUP) as tx:
        company_id = await accounts.create_company(tx, name=name, phone="+1 303 555 0100", manager_email=address)
    token = await world.link(address, "company_invite")
    signed_in = await accounts.accept_as_new(world.door, token, name="Boss", password=PASSWORD, browser=world.browser())
    return company_id, await world.somebody("Boss", address, signed_in.token)


async def clients(world: World, staff: Somebody, company_id: UUID) -> dict[str, frozenset[str]]:
    async with world.door.open(staff.acts(Purpose.SERVICE)) as tx:
        return {c.name: c.scopes for c in await accounts.list_clients(tx, company_id)}


async def test_ACC_05_members_are_invited_by_a_link_that_works_once(world: World) -> None:
    owner, address = await world.sign_up("Olga"), world.address("mia")
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.invite_member(tx, owner.household, address, "member")
        (waiting,) = await accounts.list_invitations(tx, owner.household)
    assert (waiting.email, waiting.role) == (address, "member")
    token = await world.link(address, "household_invite")
    shown = await accounts.read_invitation(world.door, token, world.browser())
    assert (shown.kind, shown.into, shown.inviter, shown.role, shown.email, shown.known) == (
        "household",
        "Olga",
        "Olga",
        "member",
        address,
        False,
    )
    signed_in = await accounts.accept_as_new(world.door, token, name="Mia", password=PASSWORD, browser=world.browser())
    member = await world.somebody("Mia", address, signed_in.token)
    assert [(h.name, h.role) for h in member.principal.households] == [("Olga", "member")]
    with pytest.raises(Invalid, match="used already"):
        await accounts.read_invitation(world.door, token, world.browser())
    async with world.door.open(member.acts(Purpose.ACCOUNT)) as tx:
        assert [(m.name, m.email, m.role) for m in await accounts.list_members(tx, owner.household)] == [
            ("Olga", owner.email, "owner"),
            ("Mia", address, "member"),
        ]
        assert await accounts.list_invitations(tx, owner.household) == []
    (mail,) = await world.mails(owner.email, "member_joined")
    assert mail.subject == "Mia joined Olga"


async def test_ACC_05_an_invitation_can_be_accepted_with_an_account_or_taken_back(world: World) -> None:
    owner, friend = await world.sign_up("Olga"), await world.sign_up("Frida")
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.invite_member(tx, owner.household, friend.email, "guest")
    token = await world.link(friend.email, "household_invite")
    assert (await accounts.read_invitation(world.door, token, world.browser())).known
    with pytest.raises(Conflict, match="Sign in"):
        await accounts.accept_as_new(world.door, token, name="Not Frida", password=PASSWORD, browser=world.browser())
    await accounts.accept_invitation(world.door, token, friend.principal.person_id)
    again = await world.fresh().session(friend.token)
    assert again is not None
    assert sorted((h.name, h.role) for h in again.households) == [("Frida", "owner"), ("Olga", "guest")]
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.invite_member(tx, owner.household, friend.email, "owner")
        (waiting,) = await accounts.list_invitations(tx, owner.household)
        await accounts.withdraw_invitation(tx, waiting.id)
    with pytest.raises(Invalid):
        await accounts.accept_invitation(world.door, await world.link(friend.email, "household_invite"), friend.principal.person_id)


async def test_ACC_05_roles_decide_who_may_invite_and_see(world: World) -> None:
    owner = await world.sign_up("Olga")
    member, guest = await join(world, owner, "Mia", "member"), await join(world, owner, "Gus", "guest")
    stranger = await world.sign_up("Sven")
    for person, error in ((member, Denied), (guest, Denied), (stranger, NotFound)):
        async with world.door.open(person.acts(Purpose.ACCOUNT)) as tx:
            with pytest.raises(error):
                await accounts.invite_member(tx, owner.household, world.address(), "guest")
            with pytest.raises((Denied, NotFound)):
                await accounts.change_member_role(tx, owner.household, person.principal.person_id, "owner")
            with pytest.raises((Denied, NotFound)):
                await accounts.remove_member(tx, owner.household, owner.principal.person_id)
    async with world.door.open(guest.acts(Purpose.ACCOUNT)) as tx:
        seen = await accounts.list_members(tx, owner.household)
        assert [m.name for m in seen] == ["Gus"], "a guest sees who else lives there only if told"
        with pytest.raises(NotFound):
            await accounts.rename_household(tx, owner.household, "Gus's place")
    async with world.door.open(stranger.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(NotFound):
            await accounts.list_members(tx, owner.household)


async def test_ACC_05_the_last_owner_can_not_leave(world: World) -> None:
    owner = await world.sign_up("Olga")
    member = await join(world, owner, "Mia", "member")
    me, her = owner.principal.person_id, member.principal.person_id
    with pytest.raises(Conflict, match="at least one owner"):
        await accounts.leave_household(world.door, me, owner.household)
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Conflict):
            await accounts.change_member_role(tx, owner.household, me, "guest")
        await accounts.change_member_role(tx, owner.household, her, "owner")
    await accounts.leave_household(world.door, me, owner.household)
    assert (await world.fresh().session(owner.token)).households == ()  # type: ignore[union-attr]
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(NotFound):
            await accounts.list_members(tx, owner.household)
    second = await accounts.create_household(world.door, me, "Summer house", business=False)
    assert [(h.id, h.role) for h in (await world.fresh().session(owner.token)).households] == [(second, "owner")]  # type: ignore[union-attr]


async def test_ACC_05_companies_see_a_household_by_its_grant_only(world: World) -> None:
    owner, (company_id, boss) = await world.sign_up("Olga"), await company(world, "Cold & Warm Ltd")
    assert await clients(world, boss, company_id) == {}
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        (found,) = await accounts.find_companies(tx, "warm cold")
        assert found.id == company_id
        await accounts.grant_access(tx, owner.household, company_id, ["control"])
        assert sorted(g.scope for g in await accounts.list_grants(tx, owner.household)) == ["control", "view"]
    assert await clients(world, boss, company_id) == {"Olga": frozenset({"view", "control"})}
    async with world.door.open(boss.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises((NotFound, Denied)):
            await accounts.grant_access(tx, owner.household, company_id, ["people"])
    async with world.door.open(boss.acts(Purpose.SERVICE)) as tx:
        with pytest.raises(NotFound):
            await accounts.list_members(tx, owner.household)
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company_id, ["people"])
    async with world.door.open(boss.acts(Purpose.SERVICE)) as tx:
        assert [m.name for m in await accounts.list_members(tx, owner.household)] == ["Olga"]
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_access(tx, owner.household, company_id, ["control"])
    assert await clients(world, boss, company_id) == {"Olga": frozenset({"view", "people"})}
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_access(tx, owner.household, company_id)
        with pytest.raises(NotFound):
            await accounts.revoke_access(tx, owner.household, company_id)
        history = await accounts.list_grants(tx, owner.household, ended=True)
        assert len(history) == 3
        assert {g.granted_by for g in history} == {"Olga"}
    assert await clients(world, boss, company_id) == {}
    granted = await world.mails(owner.email, "access_granted")
    assert [("see readings" in m.body, "see who lives there" in m.body) for m in granted] == [(True, False), (False, True)]
    assert len(await world.mails(owner.email, "access_revoked")) == 2


async def test_ACC_05_a_grant_with_an_end_ends_by_itself(world: World) -> None:
    owner, (company_id, boss) = await world.sign_up("Olga"), await company(world, "Short Visit")
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Invalid):
            await accounts.grant_access(tx, owner.household, company_id, ["view"], now() - timedelta(seconds=1))
        await accounts.grant_access(tx, owner.household, company_id, ["view"], now() + timedelta(days=7))
    assert list(await clients(world, boss, company_id)) == ["Olga"]
    with world.owner() as connection:
        connection.exec_driver_sql("UPDATE access_grants SET ends_at = now() - interval '1 second'")
    assert await clients(world, boss, company_id) == {}
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company_id, ["view"])
    assert list(await clients(world, boss, company_id)) == ["Olga"]


async def test_ACC_05_only_owners_grant_and_only_to_contractors(world: World) -> None:
    owner, (company_id, _) = await world.sign_up("Olga"), await company(world, "Ask The Owner")
    member = await join(world, owner, "Mia", "member")
    async with world.door.open(member.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Denied):
            await accounts.grant_access(tx, owner.household, company_id, ["view"])
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        for scopes, where in ((["everything"], company_id), (["view"], new_id())):
            with pytest.raises(Invalid):
                await accounts.grant_access(tx, owner.household, where, scopes)
        assert await accounts.list_grants(tx, owner.household) == []


async def test_ACC_05_a_manager_invites_staff_and_ends_their_work(world: World) -> None:
    owner, (company_id, boss) = await world.sign_up("Olga"), await company(world, "Crew Ltd")
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company_id, ["view"])
    address = world.address("tech")
    async with world.door.open(boss.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Invalid, match="dispatcher"):
            await accounts.invite_to_company(tx, company_id, address, "owner")
        await accounts.invite_to_company(tx, company_id, address, "technician")
    token = await world.link(address, "company_invite")
    signed_in = await accounts.accept_as_new(world.door, token, name="Tess", password=PASSWORD, browser=world.browser())
    tech = await world.somebody("Tess", address, signed_in.token)
    assert [(c.name, c.role) for c in tech.principal.companies] == [("Crew Ltd", "technician")]
    assert list(await clients(world, tech, company_id)) == ["Olga"]
    async with world.door.open(tech.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Denied):
            await accounts.invite_to_company(tx, company_id, world.address(), "manager")
        with pytest.raises(Denied):
            await accounts.change_staff_role(tx, company_id, tech.principal.person_id, "manager")
    async with world.door.open(boss.acts(Purpose.ACCOUNT)) as tx:
        assert [(m.name, m.role) for m in await accounts.list_staff(tx, company_id)] == [("Boss", "manager"), ("Tess", "technician")]
        with pytest.raises(Conflict, match="at least one manager"):
            await accounts.remove_staff(tx, company_id, boss.principal.person_id)
        await accounts.remove_staff(tx, company_id, tech.principal.person_id)
    assert await clients(world, tech, company_id) == {}
    assert (await world.fresh().session(tech.token)).companies == ()  # type: ignore[union-attr]


async def test_the_operator_is_set_up_by_a_link_from_the_terminal_once(first_world: World) -> None:
    world = first_world
    async with world.door.open(SETUP) as tx:
        first = await accounts.operator_link(tx)
    async with world.door.open(SETUP) as tx:
        link = await accounts.operator_link(tx)
    assert first is not None
    assert link is not None
    email, browser = world.address("operator"), world.browser()
    entry = {"name": "Op", "email": email, "password": PASSWORD, "browser": browser}
    with pytest.raises(Invalid):
        await accounts.set_up_operator(world.door, first.partition("token=")[2], **entry)  # type: ignore[arg-type]
    token = link.partition("token=")[2]
    signed_in = await accounts.set_up_operator(world.door, token, **entry)  # type: ignore[arg-type]
    operator = await world.somebody("Op", email, signed_in.token)
    assert operator.principal.staff == ("operator",)
    with pytest.raises(Invalid):
        await accounts.set_up_operator(world.door, token, **entry)  # type: ignore[arg-type]
    async with world.door.open(SETUP) as tx:
        assert await accounts.operator_link(tx) is None
    boss_address = world.address("boss")
    async with world.door.open(operator.acts(Purpose.ADMINISTER)) as tx:
        company_id = await accounts.create_company(tx, name="Made By Op", manager_email=boss_address)
        assert company_id in {c.id for c in await accounts.list_companies(tx)}
    assert (await accounts.read_invitation(world.door, await world.link(boss_address, "company_invite"), browser)).into == "Made By Op"
    outsider = await world.sign_up("Olga")
    async with world.door.open(outsider.acts(Purpose.ADMINISTER)) as tx:
        with pytest.raises(Denied):
            await accounts.create_company(tx, name="Self-made")


async def test_invitations_end_after_seven_days(world: World) -> None:
    owner, address = await world.sign_up("Olga"), world.address()
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.invite_member(tx, owner.household, address)
    with time_machine.travel(timedelta(days=7, minutes=1), tick=False), pytest.raises(Invalid):
        await accounts.read_invitation(world.door, await world.link(address, "household_invite"), world.browser())
