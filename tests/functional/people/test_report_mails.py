"""Reports by mail on a real database and through a real mail server: who wants one gets it once, of what they may see and no more."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lineset import accounts, reports
from lineset.privacy import Purpose, give, withdraw
from lineset.reports.fleet import FLOOR
from lineset.worker import voice_of
from sqlalchemy import text

from tests.functional.people.test_advice import found
from tests.functional.people.test_audit import entries
from tests.functional.people.test_households import company
from tests.functional.people.test_mail import Mailroom, smtp, work
from tests.functional.people.test_sites import a_home
from tests.functional.people.world import Somebody, World
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio
PRESSED: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Fleet report", "Monthly fleet report by mail", "Yes")}
MONTH = date(2026, 10, 1)


async def shared_homes(world: World, company_id: UUID, count: int) -> list[Somebody]:
    """Owners of homes that let this company look, each with a heat pump; the first one's has a fault."""
    owners = []
    for n in range(count):
        owner = await world.made(f"owner{n}")
        site, machine = await a_home(world, owner)
        async with world.door.open(owner.acts(Purpose.ACCOUNT)) as tx:
            await accounts.grant_access(tx, owner.household, company_id, ("view",))
        if n == 0:
            await found(world, owner, site, machine)
        owners.append(owner)
    return owners


async def say(world: World, who: Somebody, answer: Any) -> None:
    async with world.door.open(who.acts(Purpose.RIGHTS)) as tx:
        await answer(tx, who.principal.person_id, *reports.FLEET_WANTED, **PRESSED)


@pytest.mark.usefixtures("no_other_mails")
async def test_REP_01_a_manager_who_wants_it_gets_the_fleets_report_by_mail_in_their_language(
    world: World, engines: Engines, tmp_path: Path
) -> None:
    company_id, boss = await company(world, "Alder Heating")
    homes = await shared_homes(world, company_id, FLOOR - 1)
    with world.owner() as connection:
        connection.execute(text("UPDATE people SET language = 'es' WHERE id = :id"), {"id": boss.principal.person_id})
    assert await reports.mail_fleets(world.door, voice_of, MONTH) == 0, "nobody said yes"
    await say(world, boss, give)
    assert await reports.mail_fleets(world.door, voice_of, MONTH) == 0, "ten homes are too few to be told of"
    homes += await shared_homes(world, company_id, 1)
    stranger = await world.made("vera")
    await a_home(world, stranger)
    with world.owner() as connection:
        connection.exec_driver_sql("TRUNCATE jobs.procrastinate_jobs, mails CASCADE")
    assert [await reports.mail_fleets(world.door, voice_of, MONTH) for _ in range(2)] == [1, 0]
    mailroom = Mailroom()
    with smtp(tmp_path, mailroom) as url:
        await work(world, engines, url)
    (message,) = mailroom.taken
    assert (message["To"], message["Subject"]) == (boss.email, "Alder Heating: cómo funcionó su flota")
    body = message.get_body(("plain",))
    assert body is not None
    said = " ".join(body.get_content().split())
    assert "En tres meses se hallaron 2 averías" in said, "those of the homes that share, and of nobody else"
    assert "https://lineset.example/portal/report" in said
    assert "puede apagarlo" in said
    assert not list(message.iter_attachments())
    for owner in homes:
        looked = [(who, action) for who, _, action, _, _ in entries(world, owner.household)]
        assert looked[-1] == (boss.principal.person_id, "look_list"), "the look stands in each home's log"
    assert entries(world, stranger.household) == []
    await say(world, boss, withdraw)


async def test_REP_01_no_fleet_report_goes_to_who_took_the_yes_back_or_manages_nothing_any_more(world: World) -> None:
    company_id, boss = await company(world, "Birch Heating")
    owners = await shared_homes(world, company_id, FLOOR)
    await say(world, boss, give)
    await say(world, boss, withdraw)
    assert await reports.mail_fleets(world.door, voice_of, MONTH) == 0
    await say(world, boss, give)
    with world.owner() as connection:
        connection.execute(text("UPDATE memberships SET role = 'technician' WHERE person_id = :id"), {"id": boss.principal.person_id})
    assert await reports.mail_fleets(world.door, voice_of, MONTH) == 0, "technicians see homes, and no report of all"
    with world.owner() as connection:
        connection.execute(text("UPDATE memberships SET role = 'manager' WHERE person_id = :id"), {"id": boss.principal.person_id})
    async with world.door.open(owners[0].acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_access(tx, owners[0].household, company_id)
    assert await reports.mail_fleets(world.door, voice_of, MONTH) == 0, "with one home less they are too few"
