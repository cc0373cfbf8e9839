"""Places: nothing without the yes for exactly that thing, nothing left after the no, in whatever process, by whatever way."""

from typing import Any
from uuid import UUID

import pytest
from lineset import sites
from lineset.kit.database import make_engine
from lineset.kit.errors import Denied, Invalid
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, role_url
from lineset.privacy import Context, Door, Purpose, System, give, receipts, withdraw
from lineset.privacy.consent.jobs import sweep_unconsented
from lineset.sites.model import EquipmentRow
from lineset.sites.model_places import PlaceRow
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.functional.people.world import Somebody, World
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio
ON: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Site", "Location", "Yes")}
OFF: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Site", "Location", "No")}
VIENNA = (48.20849, 16.37208)


async def a_site(world: World, somebody: Somebody) -> UUID:
    async with world.door.open(somebody.acts(Purpose.OPERATE)) as tx:
        return await sites.create_site(tx, somebody.household, name="Home", time_zone="Europe/Vienna")


async def switch(world: World, somebody: Somebody, detail: str, *, on: bool) -> None:
    async with world.door.open(somebody.acts(Purpose.RIGHTS)) as tx:
        if on:
            await give(tx, somebody.household, Purpose.LOCATION, detail, **ON)
        else:
            await withdraw(tx, somebody.household, Purpose.LOCATION, detail, **OFF)


def location(somebody: Somebody, subject: UUID | None = None) -> Context:
    return Context(somebody.acts(Purpose.LOCATION).actor, Purpose.LOCATION, subject)


async def keep(world: World, anna: Somebody, site: UUID) -> None:
    async with world.door.open(location(anna, anna.household)) as tx:
        await sites.set_place(tx, anna.household, "site", site, *VIENNA, "hand")


def stored(world: World, site: UUID) -> int:
    with world.owner() as owner:
        return owner.scalar(text("SELECT count(*) FROM places WHERE site_id = :s"), {"s": site}) or 0


async def test_EQP_04_off_by_default_a_switch_a_site_and_erased_when_off(world: World) -> None:
    anna = await world.made("anna")
    here, there = await a_site(world, anna), await a_site(world, anna)
    with pytest.raises(Denied, match="switched off") as shut:
        await keep(world, anna, here)
    assert shut.value.code == "consent_needed"
    await switch(world, anna, f"site:{here}", on=True)
    await keep(world, anna, here)
    async with world.door.open(location(anna, anna.household)) as tx:
        found = await sites.place_of(tx, anna.household, "site", here)
        assert found is not None
        assert (found.latitude, found.longitude, found.source) == (48.208, 16.372, "hand"), "rounded to about 100 m"
        with pytest.raises(Denied, match="switched off"):
            await sites.set_place(tx, anna.household, "site", there, *VIENNA, "hand")
        with pytest.raises(Invalid, match="Latitude"):
            await sites.set_place(tx, anna.household, "site", here, 91, 0, "hand")
    assert stored(world, here) == 1
    await switch(world, anna, f"site:{here}", on=False)
    assert stored(world, here) == 0, "erased in the same transaction"
    with pytest.raises(Denied):
        await keep(world, anna, here)


async def test_PRV_02_the_database_refuses_too_whatever_the_code_says(world: World) -> None:
    anna, ben = await world.made("anna"), await world.made("ben")
    site = await a_site(world, anna)
    row = "INSERT INTO places (id, household_id, site_id, where_sealed, source, at) VALUES (:id, :h, :s, 'x', 'hand', now())"
    values = {"id": new_id(), "h": anna.household, "s": site}
    await switch(world, anna, "site:another", on=True)
    async with world.door.open(location(anna)) as tx:
        with pytest.raises(DBAPIError, match="row-level security"):
            async with tx.session.begin_nested():
                await tx.session.execute(text(row), values)
    await switch(world, anna, f"site:{site}", on=True)
    async with world.door.open(location(anna)) as tx:
        await tx.session.execute(text(row), values)
        assert await tx.session.scalar(text("SELECT count(*) FROM places")) == 1
    async with world.door.open(anna.acts(Purpose.OPERATE)) as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM places")) == 0, "for no other purpose"
    async with world.door.open(location(ben)) as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM places")) == 0
    with world.owner() as owner:  # as if the words had changed since
        owner.execute(text("UPDATE consent_receipts SET terms = 'older' WHERE household_id = :h"), {"h": anna.household})
    async with world.door.open(location(anna)) as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM places")) == 0, "processing waits for the new yes"
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM places")) == 1, "but its owner sees what is there"
    async with world.door.open(Context(System("housekeeping"), Purpose.KEEP)) as tx:
        assert await sweep_unconsented(tx) == {}, "and a yes to older terms keeps it"


async def test_PRV_02_a_no_holds_at_once_in_every_process(world: World, engines: Engines) -> None:
    """Two doors with connections of their own stand for two processes: neither remembers what the other has decided."""
    anna = await world.made("anna")
    site = await a_site(world, anna)
    engine = make_engine(role_url(world.database, engines.secret, APP).render_as_string(hide_password=False))
    other = World(Door(engine, world.vault), world.vault, world.database)
    await switch(world, anna, f"site:{site}", on=True)
    await keep(other, anna, site)
    await switch(other, anna, f"site:{site}", on=False)
    with pytest.raises(Denied):
        await keep(world, anna, site)
    await switch(other, anna, f"site:{site}", on=True)
    await keep(world, anna, site)
    await engine.dispose()


async def test_PRV_05_what_is_held_for_other_purposes_is_not_combined(world: World) -> None:
    anna = await world.made("anna")
    site = await a_site(world, anna)
    await switch(world, anna, f"site:{site}", on=True)
    async with world.door.open(location(anna, anna.household)) as tx:
        assert (await tx.session.scalars(select(PlaceRow))).all() == []
        for tried in (
            select(PlaceRow.id, EquipmentRow.id).join(EquipmentRow, EquipmentRow.household_id == PlaceRow.household_id),
            select(PlaceRow.id).where(PlaceRow.household_id.in_(select(EquipmentRow.household_id))),
            select(EquipmentRow),
        ):
            with pytest.raises(Denied) as refused:
                await tx.session.execute(tried)
            assert refused.value.code == "not_combined"
        raw = "SELECT count(*) FROM sites JOIN equipment USING (household_id)"
        assert await tx.session.scalar(text(raw)) == 0, "and by plain SQL there is nothing to combine with"
    me = anna.principal.person_id
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        await give(tx, me, Purpose.ANALYTICS, **ON)
    async with world.door.open(Context(anna.acts(Purpose.ANALYTICS).actor, Purpose.ANALYTICS, me)) as tx:
        for table in ("sites", "equipment", "latest", "commands", "places", "gateway_events"):
            assert await tx.session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table  # noqa: S608 - names of tables


async def test_EQP_04_a_site_that_goes_to_another_household_takes_no_place_along(world: World) -> None:
    anna, ben = await world.made("anna"), await world.made("ben")
    site = await a_site(world, anna)
    await switch(world, anna, f"site:{site}", on=True)
    await keep(world, anna, site)
    with world.owner() as owner:
        owner.execute(text("UPDATE sites SET household_id = :h WHERE id = :s"), {"h": ben.household, "s": site})
    async with world.door.open(location(ben)) as tx:
        assert await sites.place_of(tx, ben.household, "site", site) is None
    async with world.door.open(Context(System("housekeeping"), Purpose.KEEP)) as tx:
        assert await sweep_unconsented(tx) == {"places": 1}
    assert stored(world, site) == 0


async def test_EQP_04_a_browsers_place_is_its_persons_and_ends_with_the_session(world: World) -> None:
    anna, ben = await world.made("anna"), await world.made("ben")
    me, session = anna.principal.person_id, anna.principal.session_id
    assert session is not None
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        await give(tx, me, Purpose.LOCATION, f"session:{session}", **ON)
    async with world.door.open(location(anna, me)) as tx:
        await sites.set_place(tx, me, "session", session, *VIENNA, "browser")
        assert await sites.place_of(tx, me, "session", session) is not None
    with pytest.raises(Denied):
        async with world.door.open(location(ben, me)):
            pass
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        await withdraw(tx, me, Purpose.LOCATION, f"session:{session}", channel="signal", language="en", steps=("permission denied",))
        assert [(r.given, r.channel) for r in await receipts(tx, me)] == [(True, "page"), (False, "signal")]
    with world.owner() as owner:
        assert owner.scalar(text("SELECT count(*) FROM session_places WHERE person_id = :p"), {"p": me}) == 0
