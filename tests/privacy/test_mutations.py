"""Each check is needed: with any one policy, purpose, forced table or eraser taken away, a test fails.

Mutants of the walls are made in the database itself, one at a time, and undone after it. Taking away any one declaration stops the start
(`test_register.py`).
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from lineset import erasing, schema
from lineset.kit.database import driver_url
from lineset.kit.roles import APP
from lineset.platform import Platform
from lineset.privacy.erasure import Shop, machine
from lineset.privacy.erasure.machine import StillThere
from sqlalchemy import Connection, NullPool, create_engine, text

from tests.privacy import test_account_erasure, test_walls
from tests.privacy.conftest import Walls
from tests.privacy.test_account_erasure import World, world

__all__ = ["world"]

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
Check = Callable[[Walls], None]
READS: tuple[Check, ...] = (
    test_walls.test_SEC_04_strangers_and_nobody_see_nothing,
    lambda walls: test_walls.test_SEC_04_a_household_sees_exactly_its_own_rows_in_every_table(walls, "a"),
    lambda walls: test_walls.test_SEC_04_a_contractor_sees_exactly_the_household_that_let_it_in(walls, "a"),
)
PURPOSES: tuple[Check, ...] = (
    test_walls.test_a_purpose_that_a_table_does_not_declare_shows_nothing,
    test_walls.test_SEC_04_without_a_context_or_purpose_there_are_no_rows,
    *READS,
)


@contextlib.contextmanager
def mutant(walls: Walls, table: str, policy: str, change: Callable[[str], str]) -> Iterator[bool]:
    """The table with one policy changed; whether there was anything to change."""
    engine = create_engine(driver_url(walls.address), poolclass=NullPool)
    verb = "WITH CHECK" if policy == "app_insert" else "USING"

    def put(connection: Connection, condition: str) -> None:
        connection.exec_driver_sql(f'ALTER POLICY {policy} ON "{table}" {verb} ({condition})'.replace("%", "%%"))

    with engine.begin() as owner:
        found = text("SELECT coalesce(qual, with_check) FROM pg_policies WHERE tablename = :table AND policyname = :policy")
        before = owner.scalar(found, {"table": table, "policy": policy})
        changed = change(before)
        put(owner, changed)
    try:
        yield changed != before
    finally:
        with engine.begin() as owner:
            put(owner, before)
        engine.dispose()


def killed(walls: Walls, checks: tuple[Check, ...]) -> bool:
    """Whether one of the checks fails."""
    for check in checks:
        try:
            check(walls)
        except (AssertionError, pytest.fail.Exception):
            return True
    return False


def may(walls: Walls, table: str, verb: str) -> bool:
    """Whether the application's role has the privilege at all; without it no policy matters."""
    with walls.app.connect() as connection:
        asked = text("SELECT has_table_privilege(:role, :table, :verb)")
        return bool(connection.scalar(asked, {"role": APP, "table": table, "verb": verb}))


def test_without_any_one_policy_of_reading_a_test_fails(walls: Walls) -> None:
    survivors = []
    for table in sorted(set(schema.metadata.tables) - test_walls.PUBLIC):
        if may(walls, table, "SELECT"):
            with mutant(walls, table, "app_read", lambda _: "true"):
                if not killed(walls, READS):
                    survivors.append(table)
    assert survivors == []


def test_without_any_one_check_of_the_purpose_a_test_fails(walls: Walls) -> None:
    survivors = []
    for table in sorted(set(schema.metadata.tables)):
        if may(walls, table, "SELECT"):
            with mutant(walls, table, "app_read", without_purpose) as changed:
                if not changed or not killed(walls, PURPOSES):
                    survivors.append(table)
    assert survivors == []


def without_purpose(condition: str) -> str:
    """The condition with its first check of the purpose taken as met."""
    return re.sub(r"\( SELECT access\.purpose\(VARIADIC ARRAY\[[^\]]*\]\) AS purpose\)", "true", condition, count=1)


def test_without_any_one_policy_of_adding_rows_a_test_fails(walls: Walls) -> None:
    survivors = []
    for table in sorted(schema.metadata.tables):
        if may(walls, table, "INSERT"):
            with mutant(walls, table, "app_insert", lambda _: "true"):
                if not killed(walls, (test_walls.test_SEC_04_nobody_inserts_rows_for_another_household,)):
                    survivors.append(table)
    assert survivors == []


def test_without_row_level_security_on_any_one_table_a_test_fails(walls: Walls) -> None:
    engine = create_engine(driver_url(walls.address), poolclass=NullPool)
    survivors = []
    for table in sorted(schema.metadata.tables):
        with engine.begin() as owner:
            owner.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        try:
            if not killed(walls, (test_walls.test_SEC_04_row_level_security_is_forced_on_every_table_and_partition,)):
                survivors.append(table)
        finally:
            with engine.begin() as owner:
                owner.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    engine.dispose()
    assert survivors == []


async def nothing(*_: object) -> int:
    """An eraser that does not erase."""
    return 0


async def found_out(world: World) -> bool:
    """Whether the erasure of a whole account says, or its test sees, that something was left."""
    try:
        await test_account_erasure.test_DEL_02_an_account_is_gone_from_every_table_and_nothing_of_another_changes(world)
    except (AssertionError, StillThere):
        return True
    return False


@pytest.mark.anyio
@pytest.mark.parametrize("number", [1, 3, 4])  # downloads and streams are empty here: tests/probing/test_account_erasure.py has them
async def test_without_any_one_eraser_of_a_domain_an_erasure_fails(world: World, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = erasing.shop

    def shop(platform: Platform) -> Shop:
        made = whole(platform)
        return replace(made, erasers=tuple(replace(e, erase=nothing) if n == number else e for n, e in enumerate(made.erasers)))

    monkeypatch.setattr(erasing, "shop", shop)
    assert await found_out(world), f"nobody missed eraser {number}"


@pytest.mark.anyio
@pytest.mark.parametrize("step", ["erase_rows", "_destroy_keys"])
async def test_without_a_step_of_the_erasure_itself_it_fails(world: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, step, nothing)
    assert await found_out(world), f"nobody missed {step}"
