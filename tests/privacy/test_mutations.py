"""Each check of the walls is needed: with any one policy, purpose or forced table taken away, the tests of the walls fail.

The mutants are made in the database itself, one at a time, and undone after it.
"""

import contextlib
import re
from collections.abc import Callable, Iterator

import pytest
from lineset import schema
from lineset.kit.database import driver_url
from lineset.kit.roles import APP
from sqlalchemy import Connection, NullPool, create_engine, text

from tests.privacy import test_walls
from tests.privacy.conftest import Walls

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
