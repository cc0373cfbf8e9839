"""Suspended accounts and paused memberships: nothing gets in, nothing is lost, nothing at home is told."""

import time
from uuid import UUID

import pytest
from lineset import accounts, schema
from lineset.accounts.principals import CACHE_S
from lineset.kit.errors import Conflict, Denied, NotFound
from lineset.privacy import Purpose
from sqlalchemy import text

from tests.functional.people.test_households import join
from tests.functional.people.world import PASSWORD, Somebody, World

pytestmark = pytest.mark.anyio


def things(world: World) -> dict[str, set[str]]:
    """Every row, but for those in which a suspension may show: the account's state, the suspension itself, mails, and counters."""
    told = {"people", "suspensions", "mails", "attempts", "sessions", "api_tokens", "access_log"}
    with world.owner() as owner:
        names = [name for name in schema.metadata.tables if name not in told]
        return {name: set(owner.scalars(text(f"SELECT to_jsonb(t)::text FROM {name} t"))) for name in names}  # noqa: S608 - our own tables


async def token_of(world: World, person: Somebody) -> str:
    async with world.door.open(person.acts(Purpose.ACCOUNT)) as tx:
        return await accounts.make_token(tx, "a program")


async def test_ACC_07_a_suspended_account_lets_nobody_in_within_two_seconds_and_loses_nothing(world: World) -> None:
    person, staff = await world.made("Paula"), await world.staff("security")
    token = await token_of(world, person)
    remembering = world.fresh()
    assert await remembering.session(person.token) is not None
    assert await remembering.bearer(token) is not None
    before = things(world)
    suspension = await accounts.suspend_account(world.door, staff.principal.person_id, person.email, "Somebody else signs in with it.")
    began = time.monotonic()
    while await remembering.session(person.token) is not None or await remembering.bearer(token) is not None:
        assert time.monotonic() < began + CACHE_S + 0.5
    with pytest.raises(Denied) as refused:
        await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())
    assert refused.value.code == "suspended"
    assert things(world) == before  # no device, machine, limit, command or grant is touched: what runs at home goes on
    (mail,) = await world.mails(person.email, "suspended")
    assert "Somebody else signs in with it." in mail.body
    async with world.door.open(staff.acts(Purpose.ADMINISTER)) as tx:
        assert suspension in [s.id for s in await accounts.list_suspensions(tx) if s.ended_at is None]
    await accounts.lift_suspension(world.door, staff.principal.person_id, suspension)
    assert (await world.fresh().session(person.token)) is not None  # the same browser, the same program
    assert (await world.fresh().bearer(token)) is not None
    assert things(world) == before
    with pytest.raises(NotFound):
        await accounts.lift_suspension(world.door, staff.principal.person_id, suspension)


async def test_ACC_07_only_the_operators_staff_suspends_and_never_itself(world: World) -> None:
    person, other = await world.made("Petra"), await world.made("Otto")
    for role in ("support", "privacy_officer", "analyst"):
        staff = await world.staff(role)
        with pytest.raises(Denied):
            await accounts.suspend_account(world.door, staff.principal.person_id, person.email, "a reason")
    with pytest.raises(Denied):
        await accounts.suspend_account(world.door, other.principal.person_id, person.email, "a reason")
    operator = await world.staff("operator")
    with pytest.raises(Denied):
        await accounts.suspend_account(world.door, operator.principal.person_id, operator.email, "a reason")
    with pytest.raises(NotFound):
        await accounts.suspend_account(world.door, operator.principal.person_id, world.address("nobody"), "a reason")
    assert await world.fresh().session(person.token) is not None


async def test_ACC_07_an_owner_pauses_a_members_place_and_gives_it_back(world: World) -> None:
    owner = await world.made("Ora")
    member = await join(world, owner, "Mika", "member")
    home, who = owner.household, member.principal.person_id

    async def homes() -> list[UUID]:
        principal = await world.fresh().session(member.token)
        assert principal is not None
        return [h.id for h in principal.households]

    assert home in await homes()
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.suspend_member(tx, home, who)
        assert [m.paused for m in await accounts.list_members(tx, home) if m.person_id == who] == [True]
    assert home not in await homes()
    async with world.door.open(member.acts(Purpose.OPERATE)) as tx:  # the database says so too
        assert await tx.session.scalar(text("SELECT count(*) FROM households WHERE id = :id"), {"id": home}) == 0
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.resume_member(tx, home, who)
    assert home in await homes()
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Conflict):
            await accounts.suspend_member(tx, home, owner.principal.person_id)
    async with world.door.open(member.acts(Purpose.ACCOUNT)) as tx:
        with pytest.raises(Denied):
            await accounts.suspend_member(tx, home, owner.principal.person_id)
