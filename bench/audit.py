"""What the access log costs a contractor: opening the door and listing its homes, and one machine's page, with 2,000 households.

`python -m bench.audit` prints; `--json` for one line of JSON. Other work on the machine slows all figures alike.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import numpy as np
from lineset import migrating
from lineset.kit.database import driver_url, make_engine
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, role_url
from lineset.privacy import Context, Door, Person, Purpose, Vault, acting
from lineset.privacy.audit.sealing import seal_all
from sqlalchemy import create_engine, text

from tests.support.engines import start_engines

HOUSEHOLDS = 2_000
ROUNDS = 60


def fill(address: str) -> tuple[UUID, UUID, list[UUID]]:
    """A technician of a company to which so many households gave access, each with a site; the person, their own household, the sites."""
    person, company, sites = new_id(), new_id(), [new_id() for _ in range(HOUSEHOLDS)]
    homes = [new_id() for _ in range(HOUSEHOLDS)]
    engine = create_engine(driver_url(address))
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('app.actor', 'system:setup', true), set_config('app.purpose', 'account', true)"))
        tables = ("people", "organisations", "memberships", "households", "household_members", "sites", "access_grants")
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
        values = {"p": person, "c": company, "homes": homes, "sites": sites, "d": person.bytes}
        for statement in (
            "INSERT INTO people (id, email_digest, email_sealed, name_sealed, status, created_at)"
            " VALUES (:p, :d, 'x', 'x', 'active', now())",
            "INSERT INTO organisations (id, kind, name, created_at) VALUES (:c, 'contractor', 'Alder', now())",
            "INSERT INTO memberships (person_id, organisation_id, role, started_at) VALUES (:p, :c, 'technician', now())",
            "INSERT INTO households (id, name_sealed, created_at) SELECT h, 'x', now() FROM unnest(CAST(:homes AS uuid[])) AS h",
            "INSERT INTO sites (id, household_id, kind, name_sealed, time_zone, created_at)"
            " SELECT s, h, 'residential', 'x', 'UTC', now() FROM unnest(CAST(:sites AS uuid[]), CAST(:homes AS uuid[])) AS t(s, h)",
            "INSERT INTO access_grants (id, household_id, organisation_id, scope, granted_at)"
            " SELECT gen_random_uuid(), h, :c, s, now() FROM unnest(CAST(:homes AS uuid[])) AS h, unnest(ARRAY['view', 'control']) AS s",
        ):
            connection.execute(text(statement), values)
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    return person, homes[0], sites


async def measure(address: str, secret: bytes) -> dict[str, float]:
    """Milliseconds, p50 and p95."""
    person, _, sites = fill(address)
    engine = make_engine(role_url(address, secret, APP).render_as_string(hide_password=False))
    door = Door(engine, Vault(None, b"m" * 32))  # type: ignore[arg-type]  # nothing is sealed here
    found: dict[str, float] = {}

    async def timed(name: str, context: Context, rows: int, rounds: int = ROUNDS) -> None:
        spent = []
        for _ in range(rounds):
            began = time.perf_counter()
            async with door.open(context) as tx:
                count = (await tx.session.execute(text("SELECT count(*) FROM sites"))).scalar_one()
            spent.append(1000 * (time.perf_counter() - began))
            if count != rows:
                raise SystemExit(f"{name}: {count} sites instead of {rows}")
        found[f"{name}_p50_ms"], found[f"{name}_p95_ms"] = (float(np.percentile(spent, p)) for p in (50, 95))

    whole = Context(Person(person), Purpose.SERVICE)
    with acting("look_list"):
        await timed("first_of_the_hour", whole, HOUSEHOLDS, 1)
        await timed("list", whole, HOUSEHOLDS)
    with acting("look_site"):
        for number in range(0, 40):
            await timed("one_site_first", Context(Person(person), Purpose.SERVICE, sites[number]), 1, 1)
        await timed("one_site", Context(Person(person), Purpose.SERVICE, sites[0]), 1)
    await timed("own_home", Context(Person(new_id()), Purpose.OPERATE), 0)
    began = time.perf_counter()
    count = await seal_all(door)
    found["entries_sealed_per_s"] = count / (time.perf_counter() - began)
    await engine.dispose()
    return found


def main() -> None:
    """Measures once on engines of its own."""
    with tempfile.TemporaryDirectory(prefix="audit", dir="/tmp") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - engines run as another user
        engines = start_engines(Path(folder) / "data")
        try:
            migrating.migrate(engines.database_url, engines.secret)
            found = {name: round(value, 2) for name, value in asyncio.run(measure(engines.database_url, engines.secret)).items()}
        finally:
            engines.stop()
    print(json.dumps(found) if "--json" in sys.argv else "\n".join(f"{name:30s} {value:>12,.2f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
