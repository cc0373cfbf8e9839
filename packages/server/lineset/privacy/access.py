"""Row-level security, made from the declarations.

The policies and privileges of every table are derived state: each migration applies them again, in one transaction, so that they can't
differ from what the tables declare.
"""

import hashlib
from importlib import resources

from sqlalchemy import ARRAY, JSON, Connection, LargeBinary, String, text

from lineset.privacy.consent.choices import CHOICES
from lineset.privacy.declare import Table
from lineset.privacy.erasure.scope import reach
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Subject

APP = "lineset_app"
INGEST = "lineset_ingest"
READER = "lineset_reader"
STAFF = "staff_accesses"
"""The one table that staff changes at an open home: to end that."""
LOG = "access_log"
"""The one table into which a function writes for whoever acts: `access.enter`."""
_READER_TABLES = {
    *("household_members", "access_grants", "memberships", "organisations", "tenures", "frames", "late_frames", "closings"),
    *("consent_receipts", "person_consent_receipts"),
    *("households", "sites", "equipment", "gateways"),  # counted by access.totals(), nothing more
    *("gateway_events", "app_events"),  # counted by access.troubles()
    *("access_log", "staff_accesses"),  # who may look, and what has been logged
}
_READER_COLUMNS = {
    "people": "id, name_sealed",  # whoever looked at a home is known to its people by name
    "findings": "id, fault, state, opened, closed",  # counted by access.faults_found(), as the next
    "finding_steps": "finding_id, at, verdict",
    "machine_memories": "series_id, through",  # counted by access.diagnosed()
}
_DEFINERS = (
    "access.households(text)",
    "access.organisations(text[])",
    "access.staff(text[])",
    "access.people()",
    "access.granted_organisations()",
    "access.read_frames(integer[], timestamptz, timestamptz)",
    "access.hide_series(integer[])",
    "access.agreed(text)",
    "access.consented(uuid, text, text)",
    "access.operator()",
    "access.logged()",
    "access.households_of(uuid[])",
    "access.find_home(uuid)",
    "access.enter(text, uuid[], text)",
    "access.note_forgotten(uuid, text, text)",
    "access.seen_by(uuid, integer)",
    "access.totals()",
    "access.troubles(timestamptz)",
    "access.diagnosed()",
    "access.faults_found(timestamptz)",
)


def statements(register: Register) -> list[str]:
    """Every statement that puts the declared access in place, in order."""
    result = []
    for name, table in sorted(register.tables.items()):
        hides = "erased_at" in register.metadata.tables[name].columns
        result += _table_statements(name, table, hides=hides)
        result += _erasable(register, name)
        result += _rights(register, name, table, hides=hides)
    for engine in (e for e in register.engines if e.app):
        result += [
            f"GRANT USAGE ON SCHEMA {engine.schema} TO {APP}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {engine.schema} TO {APP}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {engine.schema} TO {APP}",
            f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {engine.schema} TO {APP}",
        ]
    result += ["GRANT CREATE ON SCHEMA access TO lineset_reader"]
    for function in _DEFINERS:
        result.append(f"ALTER FUNCTION {function} OWNER TO {READER}")
    result += [
        "REVOKE CREATE ON SCHEMA access FROM lineset_reader",
        "REVOKE EXECUTE ON FUNCTION access.ensure_day(date) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION access.ensure_day(date) TO {APP}, {INGEST}",
        "REVOKE EXECUTE ON FUNCTION access.drop_day(date), access.rewrite(text), access.flush_log() FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION access.drop_day(date), access.rewrite(text), access.flush_log() TO {APP}",
    ]
    return result


def _table_statements(name: str, table: Table, *, hides: bool) -> list[str]:
    """`hides`: rows that are being erased are seen by the platform's own actors alone."""
    guard = table.guard
    shown = " AND erased_at IS NULL" if hides else ""
    purposes = ", ".join(f"'{p.value}'" for p in table.purposes)
    readers = ", ".join(f"'{s}'" for s in sorted(guard.systems))
    writers = ", ".join(f"'{s}'" for s, access in sorted(guard.systems.items()) if access == "rw")
    # What does not depend on the row stands in a sub-select, so that it is computed once for each statement.
    reason = f"(SELECT access.purpose({purposes}))" + _consent(table)
    by_reader = f" OR (SELECT access.system({readers}))" if readers else ""
    by_writer = f" OR (SELECT access.system({writers}))" if writers else ""
    may_read = f"{reason} AND (({guard.read}){shown}{by_reader})"
    change = reason + ("" if name == STAFF else " AND (SELECT NOT access.purpose('support'))")  # staff looks and changes nothing
    may_write = f"{change} AND (({guard.write}){shown}{by_writer})"
    may_insert = f"{change} AND ({guard.insert or guard.write}{by_writer})"
    by_ingest = "(SELECT access.system('ingest'))" + _consent(table)
    result = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"REVOKE ALL ON {name} FROM {APP}, {INGEST}, {READER}",
        f"CREATE POLICY app_read ON {name} FOR SELECT TO {APP} USING ({may_read})",
        f"CREATE POLICY app_insert ON {name} FOR INSERT TO {APP} WITH CHECK ({may_insert})",
        f"CREATE POLICY app_update ON {name} FOR UPDATE TO {APP} USING ({may_write}) WITH CHECK ({may_write})",
        f"CREATE POLICY app_delete ON {name} FOR DELETE TO {APP} USING ({may_write})",
    ]
    # the owner is held off like anybody else, but for the search that proves an erasure, and for making a backup
    result.append(f"CREATE POLICY probe ON {name} FOR SELECT TO CURRENT_USER USING ((SELECT access.system('probe', 'backup')))")
    if guard.app:
        result.append(f"GRANT {guard.app} ON {name} TO {APP}")
    by_eraser = "(SELECT access.system('erasure') AND access.purpose('keep'))"
    result.append(f"CREATE POLICY erasure ON {name} TO {APP} USING ({by_eraser}) WITH CHECK ({by_eraser})")
    if table.erasure == "delete" and table.subject is not Subject.NOBODY:
        result.append(f"GRANT SELECT, DELETE ON {name} TO {APP}")  # whose rows, say the policies
    if guard.ingest:
        result.append(f"CREATE POLICY ingest ON {name} TO {INGEST} USING ({by_ingest}) WITH CHECK ({by_ingest})")
        result.append(f"GRANT {guard.ingest} ON {name} TO {INGEST}")
    if name in _READER_TABLES:
        result.append(f"CREATE POLICY reader ON {name} FOR SELECT TO {READER} USING (true)")
        result.append(f"GRANT SELECT ON {name} TO {READER}")
    if name in _READER_COLUMNS:
        result.append(f"CREATE POLICY reader ON {name} FOR SELECT TO {READER} USING (true)")
        result.append(f"GRANT SELECT ({_READER_COLUMNS[name]}) ON {name} TO {READER}")
    if name == "tenures":
        result.append(f"CREATE POLICY hide ON {name} FOR UPDATE TO {READER} USING (true) WITH CHECK (true)")
        result.append(f"GRANT UPDATE (erased_at) ON {name} TO {READER}")  # access.hide_series
    if name == LOG:
        result.append(f"CREATE POLICY enter ON {name} FOR INSERT TO {READER} WITH CHECK (true)")
        result.append(f"GRANT INSERT ON {name} TO {READER}")
    return result


def _erasable(register: Register, name: str) -> list[str]:
    """What the eraser needs: to empty the columns that only mention somebody, and no samples of what is somebody's in the planner's
    statistics, where nobody would erase them."""
    table, somebodys = register.metadata.tables[name], register.table(name).subject is not Subject.NOBODY
    mentions = [c for c in reach(table).forgets if not any(key.ondelete == "SET NULL" for key in table.columns[c].foreign_keys)]
    result = [f"GRANT UPDATE ({', '.join(mentions)}) ON {name} TO {APP}"] if mentions else []
    for column in table.columns:
        personal = register.column(name, column.name).category != "system.operations"
        if (somebodys or personal) and isinstance(column.type, String | JSON | LargeBinary | ARRAY):
            result.append(f'ALTER TABLE {name} ALTER COLUMN "{column.name}" SET STATISTICS 0')
    return result


def _rights(register: Register, name: str, table: Table, *, hides: bool) -> list[str]:
    """Whose data it is may read it whole to see it and to have it handed over (GDPR art. 15 and 20, CCPA 1798.110): a person their own, an
    owner that of the household."""
    if table.export is not True or table.exporter:
        return []
    ways = [] if table.subject in (Subject.NOBODY, Subject.TAG) else [(table.path, table.subject)]
    conditions = []
    for column, subject in (*ways, *table.also):
        if subject is not Subject.HOUSEHOLD:
            conditions.append(f"{column} = (SELECT access.person())")
            continue
        mine = "= ANY (ARRAY(SELECT access.households('owner')))"
        if table.via and column == table.path:
            through, _, key = table.via.partition(".")
            mine = f"IN (SELECT {key} FROM {through} WHERE {register.table(through).path} {mine})"  # noqa: S608 - declared names
        conditions.append(f"{column} {mine}")
    if not conditions:
        return []
    told = f"(SELECT access.purpose('rights')) AND ({' OR '.join(conditions)})" + (" AND erased_at IS NULL" if hides else "")
    return [f"CREATE POLICY rights_read ON {name} FOR SELECT TO {APP} USING ({told})"]


def _consent(table: Table) -> str:
    """What is asked besides of a table that declares a purpose which waits for a yes: under it, only rows whose subject gave it."""
    if not table.consents or not table.path:  # what is nobody's waits for nobody
        return ""
    waiting = ", ".join(f"'{p.value}'" for p in table.consents)
    detail = table.detail or "''"
    agreed = "(SELECT subject, detail FROM access.consenting())"
    return f" AND ((SELECT NOT access.purpose({waiting})) OR ({table.path}, {detail}) IN {agreed})"


def _terms() -> str:
    """The function that knows the digest of each choice's terms, as this build words them."""
    rows = ", ".join(f"('{c.key}', '{c.terms}')" for c in CHOICES.values())
    head = "CREATE OR REPLACE FUNCTION access.terms() RETURNS TABLE (choice text, terms text) LANGUAGE sql IMMUTABLE ROWS 10 AS"
    return f"{head} $$ VALUES {rows} $$;\n"


def functions() -> str:
    """The text of `access.sql` and `access_fleet.sql`."""
    here = resources.files("lineset.privacy")
    first, *others = (here.joinpath(f"{name}.sql").read_text() for name in ("access", "access_log", "access_consent", "access_fleet"))
    return first + _terms() + "".join(others)


def fingerprint(register: Register) -> str:
    """A digest of all that `apply` would put in place."""
    whole = functions() + "\n".join(statements(register))
    return hashlib.sha256(whole.encode()).hexdigest()


def apply(connection: Connection, register: Register) -> bool:
    """Put the declared functions, privileges and policies in place, within the caller's transaction, as the owner.

    Returns whether anything had to be done: a fingerprint kept as the comment of schema `access` tells.
    """
    wanted = fingerprint(register)
    have = connection.scalar(text("SELECT obj_description(to_regnamespace('access'), 'pg_namespace')"))
    if have == wanted:
        return False
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('lineset.access'))"))
    policies = connection.execute(text("SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public'"))
    for policy, table in policies.all():
        connection.exec_driver_sql(f'DROP POLICY "{policy}" ON "{table}"')
    connection.exec_driver_sql("DROP SCHEMA IF EXISTS access CASCADE")
    connection.exec_driver_sql(functions().replace("%", "%%"))
    for statement in statements(register):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"COMMENT ON SCHEMA access IS '{wanted}'")
    return True
