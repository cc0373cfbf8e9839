"""Everything that holds data is declared, and nothing undeclared gets by."""

from collections.abc import Iterator

import pytest
from lineset import migrating, schema
from lineset.kit.database import driver_url
from lineset.privacy import Undeclared
from lineset.privacy.retention import timed_tables
from sqlalchemy import Connection, NullPool, create_engine

from tests.support.engines import Engines


@pytest.fixture
def owner(database: str) -> Iterator[Connection]:
    engine = create_engine(driver_url(database), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_removing_any_declaration_of_a_table_or_column_stops_the_start() -> None:
    schema.register()
    holders = [(table.name, table.info, "declared") for table in schema.metadata.tables.values()]
    holders += [(f"{t.name}.{c.name}", c.info, "holds") for t in schema.metadata.tables.values() for c in t.columns]
    assert len(holders) > 250
    for name, info, key in holders:
        taken = info.pop(key)
        try:
            with pytest.raises(Undeclared, match=rf"\b{name}\b"):
                schema.register()
        finally:
            info[key] = taken
    schema.register()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("ALTER TABLE people ADD COLUMN shoe_size int", "public.people.shoe_size"),
        ("CREATE TABLE diaries (entry text)", "public.diaries.entry"),
        ("CREATE SCHEMA hidden CREATE TABLE notes (note text)", "hidden.notes.note"),
        ("CREATE MATERIALIZED VIEW everybody AS SELECT id AS who FROM people", "public.everybody.who"),
    ],
)
def test_a_database_that_holds_the_undeclared_is_refused(
    engines: Engines, database: str, owner: Connection, change: str, name: str
) -> None:
    assert not migrating.migrate(database, engines.secret), "nothing to do"
    owner.exec_driver_sql(change)
    owner.commit()
    with pytest.raises(Undeclared, match=name):
        migrating.migrate(database, engines.secret)
    with pytest.raises(Undeclared, match=name):
        schema.register().check_database(owner)


def test_migrations_build_exactly_the_declared_tables(database: str) -> None:
    assert migrating.drift(database) == []


def test_every_retention_by_a_column_can_be_carried_out() -> None:
    found = {table.name: declared for table, declared in timed_tables(schema.register())}
    assert {"sessions", "attempts", "one_time_tokens", "mails", "transfers"} <= set(found)
    for name, declared in found.items():
        assert declared.guard.systems.get("housekeeping") == "rw", f"{name}: housekeeping may not delete what is past its time"
        assert "keep" in {purpose.value for purpose in declared.purposes}, name


def test_engines_payloads_hold_ids_codes_and_times_only(owner: Connection) -> None:
    declared = {engine.schema for engine in schema.register().engines}
    found = owner.exec_driver_sql("SELECT DISTINCT table_schema FROM information_schema.tables").scalars()
    assert set(found) - {"public", "pg_catalog", "information_schema", "access"} == declared
