"""Erasing a whole account: every table of a filled database, with nothing of another household changed, whatever dies meanwhile."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from lineset import erasing, schema
from lineset.kit.bus import Bus
from lineset.kit.clock import now
from lineset.kit.database import make_engine
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, role_url
from lineset.kit.storage import storage
from lineset.kit.subject_keys import SubjectKeys
from lineset.platform import Platform
from lineset.privacy import Context, Door, Person, Purpose, Target, Tx, Vault, ask_erasure, cancel_erasure, list_erasures, plan
from lineset.privacy.erasure import ERASURE, GRACE_DAYS, Erasure, Shop, carry_out, carry_out_due, holds, remember_item, replay, unreached
from lineset.telemetry.history import jobs
from sqlalchemy import text

from tests.privacy.conftest import unforced
from tests.privacy.filling import Side, fill
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio
PROOF = {"erasures", "recipient_notices", "series_erasures", "access_log"}
"""What keeps ids for as long as an erasure can be proven; the access log is emptied by its own chain's rules."""


class Dies(Exception):
    """A process died."""


@dataclass
class World:
    """A platform on a database of this test's own, with filled households."""

    address: str
    platform: Platform

    @property
    def shop(self) -> Shop:
        return erasing.shop(self.platform)

    def add(self, name: str) -> Side:
        side = Side(name)
        with unforced(self.address) as owner:
            fill(owner, side)
            for statement in ("DELETE FROM audit_checkpoints", "DELETE FROM audit_leaves", "UPDATE access_log SET seq = NULL"):
                owner.execute(text(statement))  # the filler makes no chain that holds
        return side

    def everything(self) -> dict[str, set[str]]:
        """Every row of every table as text."""
        with unforced(self.address) as owner:
            return {
                table: set(owner.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t")))  # noqa: S608 - our own tables
                for table in schema.metadata.tables
            }

    def run(self, statement: str, **values: object) -> None:
        with unforced(self.address) as owner:
            owner.execute(text(statement), values)

    async def told(self, erasure: UUID) -> Erasure:
        """How far an erasure is."""
        async with self.platform.door.open(ERASURE) as tx:
            return next(e for e in await list_erasures(tx) if e.id == erasure)

    @contextlib.asynccontextmanager
    async def acting(self, side: Side) -> AsyncIterator[Tx]:
        async with self.platform.door.open(Context(Person(side.owner), Purpose.RIGHTS)) as tx:
            yield tx


def ids(side: Side) -> list[str]:
    """The ids of a household's things."""
    return [str(side.ids[name]) for name in ("people", "households", "sites", "equipment", "gateways")]


@contextlib.asynccontextmanager
async def opened(engines: Engines, address: str, folder: Path) -> AsyncIterator[World]:
    engine = make_engine(role_url(address, engines.secret, APP).render_as_string(hide_password=False))
    bus = await Bus.connect(engines.settings, "test")
    await bus.ensure_streams()
    vault = Vault(SubjectKeys(bus), b"k" * 32)
    here = msgspec.structs.replace(engines.settings, data=folder)
    door = Door(engine, vault, bus.publish, storage(here, "history"))
    try:
        yield World(address, Platform(here, engine, bus, vault, door, schema.register()))
    finally:
        await bus.close()
        await engine.dispose()


@pytest.fixture
async def world(engines: Engines, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(jobs, "ROUTES_LIVE_S", 0.0)
    async with opened(engines, database, tmp_path) as made:
        yield made


async def test_DEL_02_an_account_is_gone_from_every_table_and_nothing_of_another_changes(world: World) -> None:
    a, b = world.add("a"), world.add("b")
    for subject in (a.owner, a.household, b.owner):
        await world.platform.vault.seal(subject, "Somebody")
    logs = world.platform.settings.data / "logs"
    logs.mkdir()
    (logs / "web.log").write_text(f'{{"person": "{a.owner}", "other": "{b.owner}"}}\n')
    before = world.everything()
    async with world.acting(a) as tx:
        erasure = await ask_erasure(tx, Target("account", a.owner), grace_days=0)
    assert await carry_out(world.shop, erasure) == "done"
    after = world.everything()
    named = ids(a)
    for table, rows in after.items():
        assert table in PROOF or not [r for r in rows if any(i in r for i in named)], table
        foreign = {r for r in before[table] if not any(i in r for i in named) and str(a.staff) not in r}
        theirs = {r for r in foreign if any(i in r for i in ids(b))}
        assert table in PROOF or theirs <= rows, table
    assert not await world.platform.vault.has_key(a.owner)
    assert not await world.platform.vault.has_key(a.household)
    assert await world.platform.vault.has_key(b.owner)
    assert (logs / "web.log").read_text() == f'{{"person": "{"." * 36}", "other": "{b.owner}"}}\n'
    told = await world.told(erasure)
    assert told.state == "done"
    assert told.to_do == ()
    assert told.certificate is not None
    assert holds(told.certificate)
    statement = told.certificate["statement"]
    assert statement["went"] == {"people": 1, "households": 1, "sites": 1, "machines": 1, "gateways": 1, "series": 1}
    assert statement["search"]["found"] == 0
    told.certificate["statement"]["search"]["found"] = 1
    assert not holds(told.certificate)


def test_DEL_02_every_table_with_data_of_somebody_has_an_eraser() -> None:
    """A table that nothing reaches, and that no domain and no law claims, fails here with its name."""
    claims = {"frames", "late_frames", "slots", "tenures", "access_log"}
    assert unreached(claims) == []
    assert unreached(claims - {"frames"}) == ["frames"]


async def test_DEL_01_the_plan_says_what_goes_what_stays_and_why_before_anything_happens(world: World) -> None:
    a, b = world.add("a"), world.add("b")
    async with world.acting(a) as tx:
        made = await plan(tx, Target("account", a.owner))
        goes = {line.what: line.count for line in made.goes}
        assert goes["people who sign in"] == 1
        assert goes["homes and buildings"] == 1
        assert goes["addresses and telephone numbers that people gave"] == 1
        assert any("measured" in what for what in goes)
        assert made.households == 1
        assert made.grace_days == GRACE_DAYS["account"]
        kept = {line.what: line for line in made.stays}
        proof = kept["what you asked us to erase, and how far that is"]
        assert "proof" in proof.why
        assert proof.until is not None
        assert proof.until > now() + timedelta(days=700)
        assert "backups" in kept
        machine = await plan(tx, Target("machine", a.ids["equipment"]))
        assert {"machines", "each step of a command"} <= {line.what for line in machine.goes}
        assert "homes and buildings" not in {line.what for line in machine.goes}
        for foreign in (Target("household", b.household), Target("machine", b.ids["equipment"]), Target("item", b.ids["contacts"])):
            with pytest.raises((NotFound, Denied)):
                await plan(tx, foreign)
        with pytest.raises(Denied):
            await ask_erasure(tx, Target("account", b.owner))
    world.run("UPDATE household_members SET role = 'member' WHERE person_id = :a", a=a.owner)
    async with world.acting(a) as tx:
        with pytest.raises((NotFound, Denied)):
            await plan(tx, Target("household", a.household))


async def test_DEL_02_within_the_grace_time_nothing_happens_and_one_may_change_ones_mind(world: World) -> None:
    a = world.add("a")
    async with world.acting(a) as tx:
        with pytest.raises(Invalid):
            await ask_erasure(tx, Target("account", a.owner), grace_days=400)
        first = await ask_erasure(tx, Target("account", a.owner))
        assert await ask_erasure(tx, Target("account", a.owner)) == first
    before = world.everything()
    assert await carry_out(world.shop, first) == "waiting"
    assert await carry_out_due(world.shop) == {}
    assert world.everything() == before
    async with world.acting(a) as tx:
        await cancel_erasure(tx, first)
    assert await carry_out(world.shop, first) == "cancelled"
    async with world.acting(a) as tx:
        machine = await ask_erasure(tx, Target("machine", a.ids["equipment"]))
    world.run("UPDATE erasures SET grace_until = now() - interval '1 second' WHERE id = :id", id=machine)
    assert await carry_out_due(world.shop) == {machine: "done"}
    left = world.everything()
    assert [name for name in ("equipment", "frames", "commands") if left[name]] == []
    assert all(left[name] for name in ("sites", "people"))
    async with world.acting(a) as tx:
        with pytest.raises(Conflict):
            await cancel_erasure(tx, machine)
        with pytest.raises(NotFound):
            await cancel_erasure(tx, new_id())


async def test_RET_02_a_hold_stops_an_erasure_with_nothing_lost_and_it_goes_on_when_the_hold_ends(world: World) -> None:
    a = world.add("a")
    before = world.everything()
    world.run("UPDATE holds SET ended_at = now()")
    hold = "INSERT INTO holds (id, household_id, kind, reason, placed_at) VALUES (:id, :h, 'legal', 'a dispute', now())"
    world.run(hold, id=new_id(), h=a.household)
    async with world.acting(a) as tx:
        erasure = await ask_erasure(tx, Target("account", a.owner), grace_days=0)
    assert await carry_out(world.shop, erasure) == "held"
    during = world.everything()
    lost = {table for table in before if len(during[table]) < len(before[table])}
    assert lost <= {"one_time_tokens"}  # links by which somebody could still get in
    async with world.acting(a) as tx:
        assert (await tx.session.execute(text("SELECT count(*) FROM sites"))).scalar() == 0  # hidden all the same
    assert (await world.told(erasure)).state == "held"
    world.run("UPDATE holds SET ended_at = now()")
    assert await carry_out_due(world.shop) == {erasure: "done"}
    assert not world.everything()["people"] - {r for r in before["people"] if str(a.staff) in r}


async def test_DEL_02_one_of_two_owners_goes_and_the_household_stays(world: World) -> None:
    a, other = world.add("a"), new_id()
    world.run(
        "INSERT INTO people SELECT (jsonb_populate_record(p, jsonb_build_object('id', CAST(:id AS text), 'email_digest',"
        " encode(decode(replace(CAST(:id AS text), '-', ''), 'hex'), 'escape')))).* FROM people p WHERE id = :a",
        id=str(other),
        a=a.owner,
    )
    world.run(
        "INSERT INTO household_members (person_id, household_id, role, started_at) VALUES (:p, :h, 'owner', now())", p=other, h=a.household
    )
    async with world.acting(a) as tx:
        made = await plan(tx, Target("account", a.owner))
        assert made.households == 0
        assert any("somebody else owns" in line.what for line in made.stays)
        erasure = await ask_erasure(tx, Target("account", a.owner), grace_days=0)
    assert await carry_out(world.shop, erasure) == "done"
    left = world.everything()
    assert all(left[name] for name in ("sites", "equipment", "frames", "commands"))
    for table, rows in left.items():
        assert table in PROOF or not [r for r in rows if str(a.owner) in r], table


async def test_DEL_03_a_restored_database_loses_again_what_was_erased(
    engines: Engines, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ROUTES_LIVE_S", 0.0)
    a, b = Side("a"), Side("b")
    with unforced(database) as owner:
        for side in (a, b):
            fill(owner, side)
        for statement in ("DELETE FROM audit_checkpoints", "DELETE FROM audit_leaves", "UPDATE access_log SET seq = NULL"):
            owner.execute(text(statement))
    with engines.database(database.rpartition("/")[2].partition("?")[0]) as copy:
        async with opened(engines, database, tmp_path / "live") as live:
            async with live.acting(a) as tx:
                erasure = await ask_erasure(tx, Target("account", a.owner), grace_days=0)
            assert await carry_out(live.shop, erasure) == "done"
        async with opened(engines, copy, tmp_path / "restored") as restored:
            memory = await restored.shop.memory.everything()
            mine = Remembering({str(erasure): memory[str(erasure)]})
            assert any(str(a.owner) in row for row in restored.everything()["people"])
            assert await replay(replace(restored.shop, memory=mine)) == 1
            assert await replay(replace(restored.shop, memory=mine)) == 1  # again, without harm
            for table, rows in restored.everything().items():
                assert table in PROOF or not [r for r in rows if any(i in r for i in ids(a))], table
            assert any(str(b.owner) in row for row in restored.everything()["people"])
            assert (await restored.told(erasure)).state == "done"


async def test_DEL_03_a_single_row_that_was_deleted_does_not_come_back_with_a_restored_database(world: World) -> None:
    a, b = world.add("a"), world.add("b")
    contact, other = a.ids["contacts"], b.ids["contacts"]
    world.run("UPDATE person_changes SET thing = :thing WHERE person_id = :a", thing=contact, a=a.owner)
    memory = Remembering({})
    with pytest.raises(ValueError, match="by themselves"):
        await remember_item(memory, "people", a.owner)
    await remember_item(memory, "contacts", contact)
    before = world.everything()
    assert await replay(replace(world.shop, memory=memory)) == 1
    after = world.everything()
    gone = {table: rows - after[table] for table, rows in before.items() if rows - after[table]}
    assert gone.keys() == {"contacts", "person_changes"}, gone
    assert all(len(rows) == 1 and str(contact) in row for rows in gone.values() for row in rows)
    assert any(str(other) in row for row in after["contacts"])


@dataclass
class Remembering:
    """Only these erasures: other tests leave theirs on the same bus."""

    kept: dict[str, bytes]

    async def put(self, erasure: str, content: bytes) -> None:
        self.kept[erasure] = content

    async def everything(self) -> dict[str, bytes]:
        return dict(self.kept)


class FailingDoor(Door):
    """A door at which the process dies: before the transaction of that number, or, with `late`, right after its commit."""

    def __init__(self, door: Door, dies_at: int, *, late: bool) -> None:
        super().__init__(door._engine, door._vault, door._publish, door._storage)
        self.left, self.late = dies_at, late

    @contextlib.asynccontextmanager
    async def open(self, context: Context, *args: Any, **kwargs: Any) -> AsyncIterator[Tx]:
        self.left -= 1
        if self.left == 0 and not self.late:
            raise Dies
        async with super().open(context, *args, **kwargs) as tx:
            yield tx
        if self.left == 0 and self.late:
            raise Dies


async def dying(world: World, name: str, points: Sequence[tuple[int, bool]]) -> None:
    """An erasure during which processes die at these places comes to its end all the same, and does no less."""
    side = world.add(name)
    async with world.acting(side) as tx:
        erasure = await ask_erasure(tx, Target("account", side.owner), grace_days=0)
    for dies_at, late in points:
        shop = erasing.shop(replace(world.platform, door=FailingDoor(world.platform.door, dies_at, late=late)))
        with contextlib.suppress(Dies):
            await carry_out(shop, erasure)
    assert await carry_out(world.shop, erasure) == "done"
    for table, rows in world.everything().items():
        assert table in PROOF or not [r for r in rows if any(i in r for i in ids(side))], (table, points)
    certificate = (await world.told(erasure)).certificate
    assert certificate is not None
    assert holds(certificate)


async def test_DEL_02_an_erasure_comes_to_its_end_though_processes_die_one_after_the_other(world: World) -> None:
    await dying(world, "c", [(2, True), (9, False), (14, True), (40, False), (25, True)])


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("start", range(4))
async def test_DEL_02_wherever_a_process_dies_an_erasure_comes_to_its_end(world: World, start: int) -> None:
    """Before and after every fourth transaction of all that there are, one in four of these in each part."""
    for number, name in zip(range(1 + 4 * start, 93, 16), "abcdefgh", strict=False):
        await dying(world, name, [(number, False), (number, True)])
