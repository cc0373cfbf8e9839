"""Advice on a real database: made of findings, dismissed by its people, and seen by a company only with the household's yes."""

from typing import Any
from uuid import UUID

import pytest
from lineset import accounts, diagnostics
from lineset.kit.errors import NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Purpose, give, withdraw
from sqlalchemy import text

from tests.functional.people.test_households import company
from tests.functional.people.test_sites import a_home, series
from tests.functional.people.world import Somebody, World

pytestmark = pytest.mark.anyio
PRESSED: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Offers", "On")}
_FOUND = text(
    "INSERT INTO findings (id, series_id, equipment_id, site_id, household_id, fault, candidates, effects, confidence, severity, loss,"
    " cost_a_day, evidence, plot, state, opened, seen) VALUES (:id, :series, :machine, :site, :home, :fault, :candidates, '{}', 0.9, 0.6,"
    " 0.2, 2.0, '{}', '{}', 'open', now(), now())"
)


async def found(world: World, owner: Somebody, site: UUID, machine: UUID, fault: str = "low_charge") -> UUID:
    """A finding at the machine."""
    ((number, _, _),) = await series(world, machine)
    id_ = new_id()
    values = {"id": id_, "series": number, "machine": machine, "site": site, "home": owner.household, "fault": fault}
    with world.owner() as connection:
        connection.execute(_FOUND, values | {"candidates": f'{{"{fault}": 0.9}}'})
    return id_


async def seen(world: World, who: Somebody, purpose: Purpose, *, dismissed: bool = False) -> list[str]:
    async with world.door.open(who.acts(purpose)) as tx:
        return [a.code for a in diagnostics.rank(await diagnostics.list_advice(tx, dismissed=dismissed))]


async def test_DIA_05_what_was_dismissed_stays_away_until_the_matter_is_another(world: World) -> None:
    owner, other = await world.made("olga"), await world.made("ben")
    site, machine = await a_home(world, owner)
    finding = await found(world, owner, site, machine)
    await diagnostics.renew_advice(world.door)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        (repair,) = await diagnostics.list_advice(tx, site=site)
    assert (repair.kind, repair.code, repair.finding, repair.saving_a_year) == ("repair", "low_charge", finding, 730.0)
    assert await seen(world, other, Purpose.OPERATE) == [], "another household has nothing to do with it"
    with pytest.raises(NotFound):
        async with world.door.open(other.acts(Purpose.OPERATE)) as tx:
            await diagnostics.dismiss_advice(tx, repair.id)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        await diagnostics.dismiss_advice(tx, repair.id)
    await diagnostics.renew_advice(world.door)
    assert await seen(world, owner, Purpose.OPERATE) == [], "given again, it stays away"
    assert await seen(world, owner, Purpose.OPERATE, dismissed=True) == ["low_charge"]
    await found(world, owner, site, machine, "defrost_missed")
    await diagnostics.renew_advice(world.door)
    assert await seen(world, owner, Purpose.OPERATE) == ["defrost_missed"]
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        await diagnostics.restore_advice(tx, repair.id)
    with world.owner() as connection:
        connection.execute(text("UPDATE findings SET state = 'closed', closed = now() WHERE equipment_id = :id"), {"id": machine})
    await diagnostics.renew_advice(world.door)
    assert await seen(world, owner, Purpose.OPERATE) == [], "what is over is advised no more"


async def test_DIA_05_a_company_sees_advice_only_while_the_household_says_yes(world: World) -> None:
    owner = await world.made("olga")
    company_id, technician = await company(world, "Alder")
    site, machine = await a_home(world, owner)
    await found(world, owner, site, machine)
    await diagnostics.renew_advice(world.door)
    async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household, company_id, ["view", "equipment"])
    assert await seen(world, technician, Purpose.SERVICE) == [], "a grant is for service, not for offers"
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        await give(tx, owner.household, Purpose.OFFERS, "leads", **PRESSED)
    assert await seen(world, technician, Purpose.SERVICE) == ["low_charge"]
    async with world.door.open(technician.acts(Purpose.SERVICE)) as tx:
        (lead,) = await diagnostics.list_advice(tx)
    with pytest.raises(NotFound):
        async with world.door.open(technician.acts(Purpose.SERVICE)) as tx:
            await diagnostics.dismiss_advice(tx, lead.id)
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        await withdraw(tx, owner.household, Purpose.OFFERS, "leads", **PRESSED)
    assert await seen(world, technician, Purpose.SERVICE) == [], "a no ends it at once"
