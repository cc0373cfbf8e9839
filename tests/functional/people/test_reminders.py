"""Reminders by mail on a real database: once for each time that something is due, at most one mail a week, and only to who wants them."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from lineset import diagnostics, reports, sites
from lineset.kit.clock import now
from lineset.privacy import Purpose, give, withdraw
from lineset.reports.reminding import LONG, WANTED
from lineset.worker import voice_of
from sqlalchemy import text

from tests.functional.people.test_mail import Mailroom, smtp, work
from tests.functional.people.test_sites import a_home, series
from tests.functional.people.world import Somebody, World
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio
PRESSED: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Reminders of what comes due", "Yes")}
_FORETOLD = text(
    "INSERT INTO prospects (series_id, equipment_id, household_id, forecast, dues, lives, year, made) VALUES (:series, :machine, :home,"
    " 'null', CAST(:dues AS jsonb), '[]', '{}', now()) ON CONFLICT (series_id) DO UPDATE SET dues = excluded.dues, made = excluded.made"
)


async def foretell(world: World, owner: Somebody, machine: UUID, a_day: float = 30_000.0, **days: float) -> None:
    """What comes due at a machine in so many days, and the advice that follows."""
    ((number, _, _),) = await series(world, machine)
    figures = {"now": 1.0, "limit": 2.0, "a_day": a_day}
    dues = [diagnostics.Due(machine, part, left, 3.0, "filter_run_time", figures) for part, left in days.items()]
    values = {"series": number, "machine": machine, "home": owner.household, "dues": json.dumps(msgspec.to_builtins(dues))}
    with world.owner() as connection:
        connection.execute(_FORETOLD, values)
    await diagnostics.renew_advice(world.door, [machine])


async def remind(world: World, week: int) -> int:
    return await reports.mail_due(world.door, voice_of, date(2026, 1, 3) + timedelta(weeks=week))


async def said(world: World, who: Somebody) -> list[str]:
    """What each reminder said, in one line."""
    return [" ".join(m.body.split()) for m in await world.mails(who.email) if m.kind.startswith("due_")]


async def agree(world: World, who: Somebody) -> None:
    async with world.door.open(who.acts(Purpose.RIGHTS)) as tx:
        await give(tx, who.principal.person_id, *WANTED, **PRESSED)


async def test_DIA_06_what_comes_due_is_told_once_by_mail_and_again_when_it_is_due_again(world: World) -> None:
    owner = await world.made("rita")
    _, machine = await a_home(world, owner)
    await foretell(world, owner, machine, filter=9.0, service=80.0)
    await remind(world, 1)
    assert await said(world, owner) == [], "nobody said yes"
    await agree(world, owner)
    await remind(world, 1)
    await remind(world, 1)
    (first,) = await said(world, owner)
    assert "Change the filter (Heat pump): in 9 days, give or take 3 days." in first
    assert "service" not in first, "what comes due in eighty days is not told yet"
    assert "you can switch it off" in first
    await foretell(world, owner, machine, filter=2.0, service=70.0)
    await remind(world, 2)
    assert len(await said(world, owner)) == 1, "it was told"
    await foretell(world, owner, machine, filter=0.0, service=12.0)
    await remind(world, 3)
    assert "Book the yearly service" in (await said(world, owner))[1]
    assert "filter" not in (await said(world, owner))[1]
    await remind(world, 4)
    with world.owner() as connection:
        long_ago = {"at": now() - LONG - timedelta(days=1), "who": owner.principal.person_id}
        connection.execute(text("UPDATE reminders SET told_at = :at WHERE person_id = :who AND part = 'filter'"), long_ago)
    await remind(world, 5)
    assert "Change the filter (Heat pump): now." in (await said(world, owner))[2], "it is overdue for long"
    await foretell(world, owner, machine, filter=60.0)
    await remind(world, 6)
    await foretell(world, owner, machine, filter=11.0)
    await remind(world, 7)
    assert "in 11 days" in (await said(world, owner))[3], "it was changed, and is due again"
    assert len(await said(world, owner)) == 4


async def test_DIA_06_nobody_is_reminded_of_what_they_dismissed_or_of_another_home(world: World) -> None:
    owner, other = await world.made("sven"), await world.made("tove")
    site, machine = await a_home(world, owner)
    await foretell(world, owner, machine, filter=3.0)
    await agree(world, other)
    await agree(world, owner)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        (advice,) = await diagnostics.list_advice(tx, site=site)
        await diagnostics.dismiss_advice(tx, advice.id)
    await remind(world, 11)
    assert [await said(world, who) for who in (owner, other)] == [[], []]
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        await diagnostics.restore_advice(tx, advice.id)
    async with world.door.open(owner.acts(Purpose.RIGHTS)) as tx:
        await withdraw(tx, owner.principal.person_id, *WANTED, **PRESSED)
    await remind(world, 12)
    assert [await said(world, who) for who in (owner, other)] == [[], []]


@pytest.mark.usefixtures("no_other_mails")
async def test_DIA_06_a_filter_that_heat_pump_and_air_handler_count_is_told_once_at_the_air_handler(
    world: World, engines: Engines, tmp_path: Path
) -> None:
    owner = await world.made("ulla")
    site, machine = await a_home(world, owner)
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        handler = await sites.add_equipment(tx, site, sites.NewEquipment(name="Air handler", type="air_handler", local_name="ah1"))
        ventilator = await sites.add_equipment(tx, site, sites.NewEquipment(name="Ventilator", type="air_handler", local_name="erv1"))
    await foretell(world, owner, handler, 29_000.0, filter=8.0)
    await foretell(world, owner, ventilator, 86_400.0, filter=10.0)
    await foretell(world, owner, machine, 30_000.0, filter=7.0)
    await agree(world, owner)
    with world.owner() as connection:
        connection.execute(text("UPDATE people SET language = 'es' WHERE id = :id"), {"id": owner.principal.person_id})
    await remind(world, 21)
    mailroom = Mailroom()
    with smtp(tmp_path, mailroom) as url:
        await work(world, engines, url)
    (message,) = [m for m in mailroom.taken if m["To"] == owner.email]
    assert message["Subject"] == "Lo que toca hacer en sus máquinas"
    body = message.get_body(("plain",))
    assert body is not None
    lines = " ".join(body.get_content().split())
    assert lines.count("Cambiar el filtro") == 2
    assert "(Air handler): en 8 días" in lines
    assert "(Ventilator): en 10 días" in lines, "a ventilator blows its own air, so it has a filter of its own"
    assert f"https://lineset.example/home/{site}/advice" in lines
    async with world.door.open(owner.acts(Purpose.OPERATE)) as tx:
        assert {a.equipment for a in await diagnostics.list_advice(tx, site=site)} == {handler, ventilator}
