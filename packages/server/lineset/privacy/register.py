"""The register of everything that holds data, and the checks that nothing undeclared exists."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, MetaData, text

from lineset.kit.errors import LinesetError
from lineset.privacy.declare import Cookie, Engine, File, Holds, Stream, Table
from lineset.privacy.vocabulary import Purpose, Subject


class Undeclared(LinesetError):
    """Something holds data that no declaration names; the process does not start."""


@dataclass(frozen=True)
class Register:
    """All declarations of one build of the platform."""

    metadata: MetaData
    engines: tuple[Engine, ...] = ()
    streams: tuple[Stream, ...] = ()
    files: tuple[File, ...] = ()
    cookies: tuple[Cookie, ...] = ()
    _tables: dict[str, Table] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        missing = []
        for table in self.metadata.tables.values():
            declared = table.info.get("declared")
            if not isinstance(declared, Table):
                missing.append(table.name)
                continue
            self._tables[table.name] = declared
            missing += [f"{table.name}.{c.name}" for c in table.columns if not isinstance(c.info.get("holds"), Holds)]
            if declared.subject is not Subject.NOBODY and declared.path not in table.columns:
                missing.append(f"{table.name}: the path {declared.path!r} to its subject")
            missing += [f"{table.name}.{name}" for name, _ in declared.also if name not in table.columns]
            missing += [f"{table.name}.{name}" for name in declared.sealed_by if name not in table.columns]
            missing += self._lost_way(table.name, declared)
            missing += _unasked(table.name, declared)
            if declared.retention.anchor in table.columns and not _ends(declared):
                missing.append(f"{table.name}: housekeeping may not delete what has reached its time")
            for c in table.columns:
                holds = c.info.get("holds")
                if isinstance(holds, Holds) and holds.shorten and (holds.shorten.anchor not in table.columns or not _ends(declared)):
                    missing.append(f"{table.name}.{c.name}: housekeeping can't shorten it")
        if missing:
            raise Undeclared("undeclared", "These hold data without a declaration: " + ", ".join(sorted(missing)))

    def _lost_way(self, name: str, declared: Table) -> list[str]:
        """What is wrong with the way from the table to a household, if anything."""
        if declared.subject is not Subject.HOUSEHOLD:
            return []
        if not declared.via:
            direct = declared.path == "household_id" or (name, declared.path) == ("households", "id")
            return [] if direct else [f"{name}: where {declared.path!r} leads to (`via`)"]
        through, _, key = declared.via.partition(".")
        found = self.metadata.tables.get(through)
        next_ = found.info.get("declared") if found is not None and key in found.columns else None
        leads_on = isinstance(next_, Table) and next_.subject is Subject.HOUSEHOLD and not next_.via
        return [] if leads_on else [f"{name}: the way by {declared.via!r} to its household"]

    def table(self, name: str) -> Table:
        """The declaration of a table.

        Raises:
            Undeclared: no such table is declared.
        """
        if name not in self._tables:
            raise Undeclared("undeclared", f"Table {name} is not declared.")
        return self._tables[name]

    @property
    def tables(self) -> dict[str, Table]:
        """Every declared table by name."""
        return dict(self._tables)

    def column(self, table: str, name: str) -> Holds:
        """What a column holds."""
        holds = self.metadata.tables[table].columns[name].info["holds"]
        assert isinstance(holds, Holds)  # noqa: S101 - __post_init__ has checked every column
        return holds

    def cookie(self, name: str) -> Cookie:
        """The declaration of a cookie.

        Raises:
            Undeclared: no such cookie is declared, so it must not be set.
        """
        for cookie in self.cookies:
            if cookie.name == name and cookie.store == "cookie":
                return cookie
        raise Undeclared("undeclared", f"The cookie {name!r} is not declared in privacy; declare it before setting it.")

    def check_database(self, connection: Connection) -> None:
        """Compare every column that exists with the declarations.

        Raises:
            Undeclared: the database has a table or column that nobody declared; the message names each.
        """
        rows = connection.execute(
            text(
                "SELECT a.attrelid::regclass::text, n.nspname, c.relname, a.attname FROM pg_attribute a"
                " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped"
                " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_temp%'"
                " AND n.nspname NOT LIKE 'pg_toast%'"
            )
        )
        engines = {e.schema for e in self.engines}
        unknown = []
        for _, schema, name, column in rows:
            if schema in engines:
                continue
            known = self.metadata.tables.get(name) if schema == "public" else None
            if known is None or column not in known.columns:
                unknown.append(f"{schema}.{name}.{column}")
        if unknown:
            raise Undeclared("undeclared", "The database holds columns that no declaration names: " + ", ".join(sorted(unknown)[:20]))

    def undeclared_files(self, data: Path) -> list[str]:
        """Files below the data folder that no declaration names, relative to it."""
        patterns = [f.pattern for f in self.files]
        found = []
        for path in data.rglob("*"):
            relative = path.relative_to(data)
            if path.is_file() and not any(_matches(relative, p) for p in patterns):
                found.append(str(relative))
        return sorted(found)


def _unasked(name: str, declared: Table) -> list[str]:
    """What keeps the database from asking for the consent that a table's purposes need, and people from seeing and deleting its rows."""
    if not declared.consents:
        return []
    of = {"household_id": Subject.HOUSEHOLD, "person_id": Subject.PERSON}
    direct = of.get(declared.path) is declared.subject or declared.subject not in (Subject.HOUSEHOLD, Subject.PERSON)
    lost = [] if direct else [f"{name}: whose consent it waits for ({declared.path!r} is no household_id or person_id)"]
    return lost if Purpose.RIGHTS in declared.purposes else [*lost, f"{name}: the purpose of rights beside one that waits for a yes"]


def _ends(declared: Table) -> bool:
    return Purpose.KEEP in declared.purposes and declared.guard.systems.get("housekeeping") == "rw"


def _matches(path: Path, pattern: str) -> bool:
    """`folder/**` covers all below the folder; otherwise as pathlib's match."""
    if pattern.endswith("/**"):
        return path.parts[: len(Path(pattern[:-3]).parts)] == Path(pattern[:-3]).parts
    return path.match(pattern)
