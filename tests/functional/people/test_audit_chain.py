"""The chain over the access log: each entry has one place, however late it comes, and any change of a row is found."""

import asyncio
import base64
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.kit.clock import now
from lineset.privacy import Context, KeyStore, Purpose, System, Vault, acting
from lineset.privacy.audit.chain import Checkpoint, Peaks, checkpoint_from, instant, signing_key
from lineset.privacy.audit.checking import ENTRY_FIELDS, check_lines
from lineset.privacy.audit.copying import export_lines, last_checkpoint, prove_entry, prove_growth, verify_here
from lineset.privacy.audit.sealing import forget_actor, forget_household, seal
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion
from sqlalchemy import text

from tests.functional.people.test_audit import let_in
from tests.functional.people.test_sites import a_home
from tests.functional.people.world import Somebody, World

pytestmark = pytest.mark.anyio
KEY = signing_key(Vault(cast("KeyStore", None), b"m" * 32))
OTHER = signing_key(Vault(cast("KeyStore", None), b"x" * 32))
PUBLIC = KEY.public_key().public_bytes_raw()
KEEPER = Context(System("housekeeping"), Purpose.KEEP)
ACTIONS = ("look_site", "look_machine", "command", "download", "look_list", "change_site")


@pytest.fixture
async def home(world: World) -> tuple[Somebody, Somebody, UUID, UUID]:
    """An owner and a technician who may see the home; its site and machine."""
    owner = await world.made("Olga")
    site_id, machine_id = await a_home(world, owner)
    return owner, await let_in(world, owner), site_id, machine_id


async def access(world: World, who: Somebody, subject: UUID | None, action: str, wait_s: float = 0.0) -> None:
    with acting(action):
        async with world.door.open(who.principal.acts(Purpose.SERVICE, subject)):
            await asyncio.sleep(wait_s)


async def seal_all(world: World) -> int:
    count = 0
    while True:
        async with world.door.open(KEEPER) as tx:
            done = await seal(tx, at_once=7)
        if not done:
            return count
        count += done


async def exported(world: World) -> list[str]:
    async with world.door.open(KEEPER) as tx:
        return [line async for line in export_lines(tx)]


async def a_log(world: World, home: tuple[Somebody, Somebody, UUID, UUID]) -> list[str]:
    """A sealed log with some entries of this home, under several checkpoints; as a file."""
    _, tech, site, machine = home
    for action in ACTIONS:
        for subject in (site, machine, None):
            await access(world, tech, subject, action)
        await seal_all(world)
    return await exported(world)


async def test_SEC_01_entries_of_many_writers_are_chained_once_each(world: World, home: tuple[Somebody, Somebody, UUID, UUID]) -> None:
    """While entries are written, some of them committed late, several sealers work; then each entry has exactly one place."""
    _, tech, site, machine = home
    chance = random.Random(7)
    writers = [access(world, tech, s, a, chance.random() * 0.2) for a in ACTIONS for s in (site, machine, None)]
    late = world.door.open(KEEPER)
    async with late as tx:  # begun before all of them, committed after all of them
        await tx.session.execute(text("SELECT access.note_forgotten(gen_random_uuid(), 'look', '')"))
        await asyncio.gather(*writers, *(seal_all(world) for _ in range(3)))
        await seal_all(world)
    await asyncio.gather(*(seal_all(world) for _ in range(3)))
    with world.owner() as connection:
        count, sealed, places = connection.execute(text("SELECT count(*), count(seq), count(DISTINCT seq) FROM access_log")).one()
        leaves, last = connection.execute(text("SELECT count(*), max(seq) FROM audit_leaves")).one()
    assert count == sealed == places == leaves == last
    async with world.door.open(KEEPER) as tx:
        verdict = await verify_here(tx)
    assert verdict.good, verdict.faults
    assert verdict.entries == verdict.leaves == count


async def test_SEC_01_any_change_of_the_log_is_found(world: World, home: tuple[Somebody, Somebody, UUID, UUID]) -> None:
    lines = await a_log(world, home)
    assert check_lines(lines, PUBLIC).good
    size, chance = len(lines) - 1, random.Random(11)
    assert size >= 18

    def tampered(change: Callable[[list[dict[str, Any]]], object]) -> list[str]:
        told = [json.loads(line) for line in lines]
        change(told)
        return check_lines([json.dumps(line) for line in told], PUBLIC).faults

    for field in ENTRY_FIELDS:
        for place in chance.sample(range(1, size + 1), 3):

            def change(told: list[dict[str, Any]], field: str = field, place: int = place) -> None:
                value = told[place]["entry"][field]
                told[place]["entry"][field] = "00" * 32 if field.endswith(("salt", "digest")) else f"{value}1"

            assert tampered(change), (field, place)
    for field in ("seq", "at", "body", "hash"):
        place = chance.randint(1, size)

        def change_leaf(told: list[dict[str, Any]], field: str = field, place: int = place) -> None:
            told[place][field] = {"seq": 99, "at": instant(now()), "body": "11" * 32, "hash": "11" * 32}[field]

        assert tampered(change_leaf), field
    place = chance.randint(2, size - 1)
    assert any("missing" in f for f in tampered(lambda told: told[place].update(entry=None)))
    assert tampered(lambda told: told.pop(place))
    assert tampered(lambda told: told.insert(place, told[place]))
    assert tampered(lambda told: told.insert(place, told.pop(place + 1)))
    assert any("end of the log" in f for f in tampered(lambda told: told.pop()))
    assert any(
        "no erasure" in f
        for f in tampered(lambda told: told[place]["entry"].update(household_id=None, thing=None, reason="", subject_salt=None))
    )


async def test_SEC_01_a_log_made_anew_does_not_fit_an_old_checkpoint(world: World, home: tuple[Somebody, Somebody, UUID, UUID]) -> None:
    """Whoever has the key and rewrites everything is still found by a checkpoint that somebody kept, as is a log cut short."""
    lines = await a_log(world, home)
    told = json.loads(lines[0])
    kept = checkpoint_from(told["checkpoints"][-1])
    assert check_lines(lines, PUBLIC, kept).good
    other = Checkpoint(kept.size, b"\1" * 32, kept.made_at).signed(KEY)
    assert any("changed after it" in f for f in check_lines(lines, PUBLIC, other).faults)
    longer = Checkpoint(kept.size + 1, kept.root, kept.made_at).signed(KEY)
    assert any("end of the log" in f for f in check_lines(lines, PUBLIC, longer).faults)
    forged = Checkpoint(kept.size, kept.root, kept.made_at).signed(OTHER)
    assert any("not signed" in f for f in check_lines(lines, PUBLIC, forged).faults)
    assert check_lines(lines, OTHER.public_key().public_bytes_raw()).faults
    for text_ in ("", "{}", "no json", "[]", '{"format": "lineset access log 1"}', "[" * 100_000):
        with pytest.raises(ValueError, match=r"access log|head of the file"):
            check_lines([text_], PUBLIC)


async def test_SEC_01_proofs_hold_by_themselves(world: World, home: tuple[Somebody, Somebody, UUID, UUID]) -> None:
    owner, *_ = home
    async with world.door.open(KEEPER) as tx:
        first = await last_checkpoint(tx)
    await a_log(world, home)
    with world.owner() as connection:
        ids = connection.scalars(text("SELECT id FROM access_log WHERE household_id = :h"), {"h": owner.household}).all()
    async with world.door.open(KEEPER) as tx:
        for entry in ids[:3]:
            proof = await prove_entry(tx, entry)
            verify_inclusion(proof.leaf, proof.checkpoint.root, proof.proof)
            assert proof.checkpoint.holds(KEY.public_key())
        if first is not None:
            growth = await prove_growth(tx, first.size)
            verify_consistency(first.root, growth.checkpoint.root, growth.proof)


async def test_DEL_01_a_household_goes_from_the_log_and_the_chain_still_holds(
    world: World, home: tuple[Somebody, Somebody, UUID, UUID]
) -> None:
    owner, tech, *_ = home
    await a_log(world, home)
    async with world.door.open(KEEPER) as tx:
        before = await last_checkpoint(tx)
        assert await forget_household(tx, owner.household) == 18
    lines = await exported(world)
    assert str(owner.household) not in "\n".join(lines)
    verdict = check_lines(lines, PUBLIC, before)
    assert verdict.good, verdict.faults
    assert verdict.pseudonymised >= 18
    async with world.door.open(KEEPER) as tx:
        assert await forget_actor(tx, tech.principal.person_id) == 18
        assert await forget_actor(tx, tech.principal.person_id) == 0
    lines = await exported(world)
    assert str(tech.principal.person_id) not in "\n".join(lines)
    assert check_lines(lines, PUBLIC, before).good


async def test_RET_01_entries_past_their_time_leave_their_place(world: World, home: tuple[Somebody, Somebody, UUID, UUID]) -> None:
    lines = await a_log(world, home)
    told = [json.loads(line) for line in lines]
    told[0]["made_at"] = instant(now() + timedelta(days=731))
    told[1]["entry"] = None
    assert check_lines([json.dumps(line) for line in told], PUBLIC).good


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=8), max_size=40))
def test_the_running_root_is_that_of_the_library(leaves: list[bytes]) -> None:
    tree, peaks = InmemoryTree(algorithm="sha256"), Peaks()
    for leaf in leaves:
        peaks.append(tree.get_leaf(tree.append_entry(leaf)))
        peaks = Peaks(peaks.size, peaks.packed)
        assert peaks.root == tree.get_root()
    assert base64.b64encode(peaks.root) == base64.b64encode(tree.get_root())
