"""Evidence that retention runs, and the dated review of who has access."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from lineset import accounts, schema
from lineset.kit.clock import now
from lineset.privacy import Context, Purpose, System
from lineset.privacy.evidence import digest_of, list_evidence, retention_report
from lineset.privacy.jobs import report_last_month, sweep_now
from lineset.privacy.retention import HOUSEKEEPING
from lineset.reviewing import REVIEW
from sqlalchemy import func, select, text

from tests.functional.people.world import World
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio
REGISTER = schema.register()


@pytest.fixture(scope="module")
def people_database(engines: Engines, template: str) -> Iterator[str]:
    """A database of their own: these tests bring an operator with them."""
    with engines.database(template) as address:
        yield address


async def none() -> int:
    return 0


async def test_RET_01_a_run_is_counted_and_the_months_report_tells_what_is_overdue(world: World) -> None:
    anna = await world.sign_up("anna")
    long_ago = now() - timedelta(days=800)
    with world.owner() as owner:
        owner.execute(text("UPDATE sessions SET expires_at = :t WHERE person_id = :p"), {"t": long_ago, "p": anna.principal.person_id})

    async def rule(what: str) -> tuple[int, int | None]:
        async with world.door.open(HOUSEKEEPING) as tx:
            report = await retention_report(tx, REGISTER, now().date(), {"logs/**": none})
        found = {r.what: r for r in report.rules}
        assert found["logs/**"].overdue == 0
        assert found["people"].overdue is None, "it ends with an event, not by age"
        return found[what].count, found[what].overdue

    before, overdue = await rule("sessions")
    assert overdue is not None
    assert overdue >= 1, "nobody has swept yet, and the report says so"
    await sweep_now(world.door, REGISTER)
    after, left = await rule("sessions")
    assert left == 0
    assert after - before >= overdue, "what the run deleted is counted"
    await sweep_now(world.door, REGISTER)
    assert (await rule("sessions"))[0] == after, "a run with nothing to do counts nothing"


async def test_RET_01_last_months_report_is_made_once_and_shows_any_change(world: World) -> None:
    staff = await world.staff("privacy_officer")
    await report_last_month(world.door, REGISTER, {})
    assert not await report_last_month(world.door, REGISTER, {}), "one report a month"
    async with world.door.open(staff.acts(Purpose.ADMINISTER)) as tx:
        reports = [e for e in await list_evidence(tx) if e.kind == "retention"]
    assert len(reports) == 1
    assert reports[0].whole
    with world.owner() as owner:
        owner.execute(text("UPDATE evidence SET content = jsonb_set(content, '{held}', '7')"))
    async with world.door.open(staff.acts(Purpose.ADMINISTER)) as tx:
        changed = (await list_evidence(tx))[0]
    assert not changed.whole, "a report that somebody changed says so"
    assert digest_of(changed.content) != changed.digest
    anna = await world.sign_up("anna")
    async with world.door.open(anna.acts(Purpose.ADMINISTER)) as tx:
        assert await list_evidence(tx) == [], "only for the operator, the privacy officer and security"


async def test_SEC_03_the_review_counts_who_has_access(world: World) -> None:
    staff = await world.staff("security")
    async with world.door.open(REVIEW) as tx:
        found = await accounts.access_review(tx)
    mine = [s for s in found.staff if s.person == staff.principal.person_id]
    assert [s.role for s in mine] == ["security"]
    assert mine[0].seen_at is not None
    async with world.door.open(Context(System("review"), Purpose.SECURITY)) as tx:
        for table in ("contacts", "sites", "mails", "household_members"):
            rows = await tx.session.scalar(select(func.count()).select_from(schema.metadata.tables[table]))
            assert rows == 0, f"{table} is no business of a review"
