"""Row-level security over every table: who sees and changes what, whatever the application's code asks for."""

import re
from datetime import datetime
from typing import Any

import pytest
from lineset import schema
from lineset.kit.errors import Denied
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, INGEST, READER
from lineset.privacy import Context, Purpose, Subject, System
from lineset.privacy.door import check
from lineset.privacy.vocabulary import SYSTEM_ACTORS
from sqlalchemy import Connection, Delete, Table, Update, delete, func, literal, or_, select, text, union_all, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from tests.privacy.conftest import Walls, unforced
from tests.privacy.filling import Key, Side, by_key, fill

TABLES = sorted(schema.metadata.tables)
PURPOSES = [purpose.value for purpose in Purpose]

HIDDEN = {
    *("attempts", "frames", "poison_messages", "late_frames", "holds", "series_erasures"),
    *("news_issues", "news_subscribers", "retention_counts", "evidence", "attestations", "copies"),
    "audit_leaves",
    "data_tags",
    "tag_events",
}
"""No person reads these rows: measurements only through access.read_frames, mails only in one's own mailbox."""
PUBLIC = {
    *("organisations", "closings", "history_files", "policy_versions", "audit_checkpoints", "recipients", "agreements"),
    *("machine_day_layouts", "fault_priors", "fleet_models", "home_changes"),
}
"""Everybody may know which companies there are."""
OWN = {
    "account_export_parts",
    "account_exports",
    "api_tokens",
    "app_events",
    "suspensions",
    "contacts",
    "erasures",
    "export_parts",
    "exports",
    "mails",
    "one_time_tokens",
    "opt_outs",
    "person_changes",
    "policy_receipts",
    "reminders",
    "person_consent_receipts",
    "sessions",
    "session_places",
}
"""A person's own, nobody else's."""
OF_MEMBERS = {
    "consent_receipts",
    "household_changes",
    "transfers",
    "gateway_connections",
    "access_log",
    "staff_accesses",
    "disclosures",
    "recipient_notices",
    "places",
    "advice",  # until the household says yes to offers of its companies
}
"""What a household does not show to the companies that it lets in."""


def readable(connection: Connection) -> list[str]:
    """Tables on which the application's role has the privilege at all."""
    may = text("SELECT has_table_privilege(:role, :name, 'SELECT')")
    return [name for name in TABLES if connection.scalar(may, {"role": APP, "name": name})]


def seen(connection: Connection, tables: list[str]) -> dict[str, set[Key]]:
    """Keys of the rows that the actor sees in each table, by one statement."""
    models = [schema.metadata.tables[name] for name in tables]
    keys = union_all(*(select(literal(m.name), func.jsonb_build_array(*m.primary_key.columns)) for m in models))
    result: dict[str, set[Key]] = {table: set() for table in TABLES}
    for table, key in connection.execute(keys):
        result[table].add(tuple(str(value) for value in key))
    return result


def seen_for(walls: Walls, actor: str, purposes: list[str]) -> dict[str, set[Key]]:
    """What the actor sees in each table under any of the purposes."""
    result: dict[str, set[Key]] = {table: set() for table in TABLES}
    for purpose in purposes:
        with walls.acting(actor, purpose) as connection:
            for table, rows in seen(connection, readable(connection)).items():
                result[table] |= rows
    return result


def everything(walls: Walls, table: str) -> set[Key]:
    return shown(walls.a, table) | shown(walls.b, table)


def shown(side: Side, table: str) -> set[Key]:
    """Keys of the side's rows, spelt as `seen` spells them."""
    return {tuple(v.isoformat() if isinstance(v, datetime) else str(v) for v in key) for key in side.rows[table]}


def expected_of_owner(walls: Walls, side: Side, table: str) -> set[Key]:
    if table in HIDDEN:
        return set()
    return everything(walls, table) if table in PUBLIC else shown(side, table)


def expected_of_staff(walls: Walls, side: Side, table: str) -> set[Key]:
    if table in HIDDEN | OWN | OF_MEMBERS:
        return set()
    if table in PUBLIC:
        return everything(walls, table) if Purpose.SERVICE in schema.register().table(table).purposes else set()
    return shown(side, table)


def test_SEC_04_every_table_is_filled_for_both_households(walls: Walls) -> None:
    assert {t: (len(walls.a.rows[t]), len(walls.b.rows[t])) for t in TABLES if not (walls.a.rows.get(t) and walls.b.rows.get(t))} == {}


@pytest.mark.parametrize("side", ["a", "b"])
def test_SEC_04_a_household_sees_exactly_its_own_rows_in_every_table(walls: Walls, side: str) -> None:
    mine = getattr(walls, side)
    found = seen_for(walls, str(mine.owner), [p for p in PURPOSES if p != "service"])
    for table in TABLES:
        assert found[table] == expected_of_owner(walls, mine, table), table


@pytest.mark.parametrize("side", ["a", "b"])
def test_SEC_04_a_contractor_sees_exactly_the_household_that_let_it_in(walls: Walls, side: str) -> None:
    mine = getattr(walls, side)
    found = seen_for(walls, str(mine.staff), ["service"])
    for table in TABLES:
        assert found[table] == expected_of_staff(walls, mine, table), table


def test_SEC_04_a_contractor_needs_the_purpose_of_service(walls: Walls) -> None:
    found = seen_for(walls, str(walls.a.staff), [p for p in PURPOSES if p != "service"])
    for table in TABLES:
        about_oneself = {"people", "memberships", "access_grants"}  # oneself, one's work, and what one's company may do
        allowed = PUBLIC | about_oneself
        assert table in allowed or not found[table], table
    assert found["people"] == {(str(walls.a.staff),)}


def test_SEC_04_strangers_and_nobody_see_nothing(walls: Walls) -> None:
    for actor in (str(new_id()), "", "system:", "system:everything", "root", str(walls.a.owner).upper(), f"{walls.a.owner}' OR true --"):
        found = seen_for(walls, actor, PURPOSES)
        for table in TABLES:
            assert table in PUBLIC or not found[table], (actor, table)


def test_SEC_04_without_a_context_or_purpose_there_are_no_rows(walls: Walls) -> None:
    with walls.app.connect() as connection, connection.begin():
        assert not any(seen(connection, readable(connection)).values())
    for purpose in ("", "curiosity", "operate, service"):
        for actor in (str(walls.a.owner), "system:setup", "system:housekeeping"):
            for table, rows in seen_for(walls, actor, [purpose]).items():
                assert rows == set(), (actor, purpose, table)


def test_a_purpose_that_a_table_does_not_declare_shows_nothing(walls: Walls) -> None:
    register = schema.register()
    for purpose in Purpose:
        for table, rows in seen_for(walls, str(walls.a.owner), [purpose.value]).items():
            declared = register.table(table)
            handed_over = purpose is Purpose.RIGHTS and declared.subject is not Subject.NOBODY and declared.export is True
            assert handed_over or purpose in declared.purposes or rows == set(), (purpose, table)


def test_each_system_actor_sees_only_the_tables_that_name_it(walls: Walls) -> None:
    register = schema.register()
    for actor, purposes in SYSTEM_ACTORS.items():
        for purpose in purposes:
            for table, rows in seen_for(walls, f"system:{actor}", [purpose.value]).items():
                declared = register.table(table)
                named = actor in declared.guard.systems and purpose in declared.purposes and "SELECT" in declared.guard.app
                if named and purpose in declared.consents and declared.subject is not Subject.NOBODY:
                    assert rows == set(), f"{actor}: nobody here gave the yes for which {table} waits"
                elif named:
                    assert rows == everything(walls, table), (actor, purpose, table)
                else:
                    through_another = declared.guard.read.startswith(("gateway_id IN", "equipment_id IN"))
                    reaches_all = actor == "erasure"
                    assert rows == set() or table in PUBLIC or through_another or reaches_all, (actor, purpose, table)


def change_of(table: Table, keys: set[Key], verb: str) -> Update | Delete:
    """A statement that would change these rows, without changing what they hold, or delete them."""
    column = next(c for c in table.columns if c.name in ("role", "started_at") or not (c.primary_key or c.name == "person_id"))
    statement: Update | Delete = update(table).values({column.name: column}) if verb == "update" else delete(table)
    return statement.where(or_(*(by_key(table, key) for key in keys)))


def changed(connection: Connection, statement: Update | Delete) -> int:
    """How many rows it changes; an outright refusal counts as none."""
    try:
        with connection.begin_nested():
            return connection.execute(statement).rowcount
    except ProgrammingError as error:
        assert "permission denied" in str(error), error
        return 0


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_SEC_04_nobody_changes_another_households_rows(walls: Walls, verb: str) -> None:
    foreign = {name: change_of(table, walls.b.rows[name], verb) for name, table in schema.metadata.tables.items()}
    with walls.acting("", "operate") as connection:
        assert {changed(connection, statement) for statement in foreign.values()} == {0}
        may = "has_table_privilege(:role, :name, :verb)" + (" OR has_any_column_privilege(:role, :name, :verb)" if verb == "update" else "")
        named = [n for n in foreign if connection.scalar(text(f"SELECT {may}"), {"role": APP, "name": n, "verb": verb})]
    assert len(named) > 20
    for actor in (walls.a.owner, walls.a.staff, new_id(), ""):
        for purpose in PURPOSES:
            with walls.acting(str(actor), purpose) as connection:
                for name in named:  # of the others the role has no right at all, whoever acts
                    assert changed(connection, foreign[name]) == 0, (actor, purpose, name)


def test_SEC_04_nobody_inserts_rows_for_another_household(walls: Walls) -> None:
    """A copy of each of the other household's rows, under a key of its own, is refused."""
    tried = 0
    copies: dict[str, list[dict[str, Any]]] = {}
    with unforced(walls.address) as owner:
        for table in schema.metadata.tables.values():
            found = [owner.execute(select(table).where(by_key(table, key))).mappings().one() for key in walls.b.rows[table.name]]
            copies[table.name] = [dict(row) for row in found]
    for actor in (walls.a.owner, walls.a.staff):
        for purpose in PURPOSES:
            with walls.acting(str(actor), purpose) as connection:
                for table in schema.metadata.tables.values():
                    for copy in copies[table.name]:
                        fresh = {k: new_id() if k == "id" else v for k, v in copy.items() if table.columns[k].identity is None}
                        with pytest.raises(DBAPIError) as refused, connection.begin_nested():
                            connection.execute(table.insert().inline().values(**fresh))  # RETURNING would be refused for not being seen
                        assert "row-level security" in str(refused.value) or "permission denied" in str(refused.value), (
                            table.name,
                            refused.value,
                        )
                        tried += 1
    assert tried > 300


def test_SEC_04_a_row_can_not_be_moved_to_another_household(walls: Walls) -> None:
    tables = [table for table in schema.metadata.tables.values() if "household_id" in table.columns]
    assert len(tables) > 10
    for purpose in PURPOSES:
        with walls.acting(str(walls.a.owner), purpose) as connection:
            for table in tables:
                change = update(table).values(household_id=walls.b.household)
                try:
                    with connection.begin_nested():
                        assert connection.execute(change).rowcount == 0, (purpose, table.name)
                except ProgrammingError as error:
                    assert re.search("row-level security|permission denied", str(error)), (table.name, error)


@pytest.mark.parametrize(("scope", "allowed"), [("view", set()), ("people", {"households"}), ("control", {"commands", "command_steps"})])
def test_a_grant_of_one_scope_allows_only_its_own_changes(walls: Walls, scope: str, allowed: set[str]) -> None:
    with unforced(walls.address) as owner:
        owner.execute(text("UPDATE access_grants SET revoked_at = now() WHERE household_id = :h"), {"h": walls.a.household})
        owner.execute(
            text("UPDATE access_grants SET revoked_at = NULL WHERE household_id = :h AND scope IN ('view', :scope)"),
            {"h": walls.a.household, "scope": scope},
        )
    try:
        with walls.acting(str(walls.a.staff), "service") as connection:
            mine = {"people", "mails"}  # oneself
            for table in schema.metadata.tables.values():
                can = changed(connection, change_of(table, walls.a.rows[table.name], "update"))
                assert bool(can) == (table.name in allowed) or table.name in mine, (scope, table.name, can)
    finally:
        with unforced(walls.address) as owner:
            owner.execute(text("UPDATE access_grants SET revoked_at = NULL WHERE household_id = :h"), {"h": walls.a.household})


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE access_grants SET revoked_at = now() WHERE household_id = :household",
        "UPDATE access_grants SET ends_at = now() - interval '1 second' WHERE household_id = :household",
        "UPDATE memberships SET ended_at = now() WHERE person_id = :staff",
    ],
)
def test_SEC_04_access_ends_at_once_when_taken_back(walls: Walls, end: str) -> None:
    side = Side("c")
    with unforced(walls.address) as owner:
        fill(owner, side)
    assert seen_for(walls, str(side.staff), ["service"])["sites"] == shown(side, "sites")
    with unforced(walls.address) as owner:
        names = {"household": side.household} if ":household" in end else {"staff": side.staff}
        owner.execute(text(end), names)
    found = seen_for(walls, str(side.staff), ["service"])
    for table in TABLES:
        assert table in PUBLIC | {"people", "memberships", "access_grants"} or not found[table], table
    assert found["people"] == {(str(side.staff),)}
    with unforced(walls.address) as owner:
        owner.execute(text("DELETE FROM holds WHERE household_id = :id"), {"id": side.household})  # which would stop the deletion
        owner.execute(text("DELETE FROM households WHERE id = :id"), {"id": side.household})
        owner.execute(text("DELETE FROM organisations WHERE id = :id"), {"id": side.company})
        owner.execute(text("DELETE FROM people WHERE id IN (:a, :b)"), {"a": side.owner, "b": side.staff})
        for model in reversed(schema.metadata.sorted_tables):
            owner.execute(delete(model).where(or_(*(by_key(model, key) for key in side.rows[model.name]))))


def test_SEC_04_row_level_security_is_forced_on_every_table_and_partition(walls: Walls) -> None:
    with unforced(walls.address):
        pass  # whatever it did, it forced all again
    with walls.app.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition FROM pg_class c"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            )
        ).all()
        assert {name for name, *_, partition in rows if not partition} == set(TABLES)
        assert any(partition for *_, partition in rows), "a day of frames is among them"
        for name, enabled, forced, partition in rows:
            assert enabled, name
            assert forced, name
            privileges = connection.scalar(
                text("SELECT has_table_privilege(:role, :name, 'SELECT, INSERT, UPDATE, DELETE')"), {"role": APP, "name": name}
            )
            assert not (partition and privileges), f"{name} could be read past its parent's policies"


def test_SEC_04_the_applications_roles_can_not_get_around_it(walls: Walls) -> None:
    with walls.app.connect() as connection:
        for role in (APP, INGEST, READER):
            powers = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = :role"
            assert connection.scalar(text(powers), {"role": role}) is False, role
            owned = connection.scalar(text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = :role"), {"role": role})
            assert owned == 0, role
        assert connection.scalar(text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"), {"role": READER}) is False
        members = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname IN (:app, :ingest)"
        assert connection.scalar(text(members), {"app": APP, "ingest": INGEST}) == 0
        connection.rollback()
        for attempt in (
            "ALTER TABLE people DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE people NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY app_read ON people",
            "CREATE POLICY mine ON people USING (true)",
            f"SET ROLE {READER}",
            "SET SESSION AUTHORIZATION postgres",
            "CREATE OR REPLACE FUNCTION access.households(need text) RETURNS SETOF uuid LANGUAGE sql AS 'SELECT id FROM households'",
            "CREATE TABLE public.loot (x int)",
            "TRUNCATE people",
            f"ALTER ROLE {APP} BYPASSRLS",
        ):
            with pytest.raises(DBAPIError, match=r"must be|permission denied|not permitted|does not exist"):
                connection.exec_driver_sql(attempt)
            connection.rollback()
        connection.exec_driver_sql("SET row_security = off")
        with pytest.raises(DBAPIError, match="row-level security"):
            connection.exec_driver_sql("SELECT * FROM people")
        connection.rollback()


def test_frames_are_read_only_through_the_function_that_checks(walls: Walls) -> None:
    mine, other = walls.a.ids["tenures"], walls.b.ids["tenures"]
    read = text("SELECT series_id FROM access.read_frames(ARRAY[:series]::int[], '2026-01-01', '2027-01-01')")
    with walls.acting(str(walls.a.owner), "operate") as connection:
        assert set(connection.execute(read, {"series": mine}).scalars()) == {mine}
        with pytest.raises(DBAPIError, match="not shared"), connection.begin_nested():
            connection.execute(read, {"series": other})
    with walls.acting(str(walls.a.staff), "service") as connection:
        assert set(connection.execute(read, {"series": mine}).scalars()) == {mine}
    with (
        walls.acting(str(walls.a.staff), "operate") as connection,
        pytest.raises(DBAPIError, match="not shared"),
        connection.begin_nested(),
    ):
        connection.execute(read, {"series": mine})


def test_the_platforms_own_actors_are_counted() -> None:
    assert set(SYSTEM_ACTORS) == {
        "authentication", "backup", "delivery", "diagnosis", "enrolment", "erasure", "history", "housekeeping", "import", "ingest", "mail",
        "probe", "review", "setup", "training", "transfer",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("actor", "purpose"),
    [("everything", Purpose.OPERATE), ("mail", Purpose.OPERATE), ("housekeeping", Purpose.SECURITY), ("ingest", Purpose.ADMINISTER)],
)
def test_the_door_stays_shut_for_undeclared_actors_and_purposes(actor: str, purpose: Purpose) -> None:
    with pytest.raises(Denied):
        check(Context(System(actor), purpose))
