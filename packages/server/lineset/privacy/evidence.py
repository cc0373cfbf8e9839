"""Evidence that retention runs: what each run deleted, day by day, and a dated report of each month.

A report names each declared rule, how much it deleted in the month, and how much is still there past its time, counted at that moment. What
is overdue is a defect, and the report says so. Reports are kept as made, under the digest of their content.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy.declare import Table
from lineset.privacy.door import Tx
from lineset.privacy.holds import held_households
from lineset.privacy.model import AttestationRow, EvidenceRow, RetentionCountRow
from lineset.privacy.register import Register
from lineset.privacy.retention import shortened_columns, timed_tables

SWEPT_WITHIN = timedelta(hours=2)
"""Housekeeping runs each hour; what is past its time for longer than this was missed."""
MOST_STATEMENT = 2_000
MEASURES = ("premises", "hardware", "disposal", "staff", "visitors")
"""Physical and organisational measures that an operator is asked to state."""

Action = Literal["deleted", "shortened"]
Overdue = Callable[[], Awaitable[int]]
"""Counts what of one kind of file is there past its time."""


class Rule(msgspec.Struct, frozen=True):
    """One declared time of keeping, and what a month made of it. `overdue` None: it ends with an event, not by age."""

    what: str
    about: str
    anchor: str
    days: int | None
    action: Action
    count: int
    overdue: int | None


class RetentionReport(msgspec.Struct, frozen=True):
    """What retention did in a month (`period`, as 2026-10). `held`: households whose data a hold kept at the time of the report."""

    period: str
    made_at: datetime
    rules: tuple[Rule, ...]
    held: int

    @property
    def overdue(self) -> int:
        """How many rows and files are there past their time."""
        return sum(rule.overdue or 0 for rule in self.rules)


class Evidence(msgspec.Struct, frozen=True):
    """A kept report. `whole` tells whether its content still has the digest under which it was kept."""

    id: UUID
    kind: str
    period: str
    made_at: datetime
    content: dict[str, Any]
    digest: str
    whole: bool


class Attestation(msgspec.Struct, frozen=True):
    """What the operator stated about one measure, and when."""

    measure: str
    statement: str
    at: datetime
    by: UUID | None


async def record(tx: Tx, action: Action, counts: Mapping[str, int]) -> None:
    """Add to today's counts what a run deleted or shortened, by table, column or kind of file; nothing for what is zero."""
    for what, count in sorted(counts.items()):
        if count:
            row = insert(RetentionCountRow).values(day=now().date(), what=what, action=action, count=count, at=now())
            total = {"count": RetentionCountRow.count + row.excluded.count, "at": row.excluded.at}
            await tx.session.execute(row.on_conflict_do_update(index_elements=["day", "what", "action"], set_=total))


async def retention_report(tx: Tx, register: Register, month: date, files: Mapping[str, Overdue]) -> RetentionReport:
    """What retention did in the month of that day, and what it left undone at this moment. For `System("housekeeping")`.

    `files` counts overdue files by the pattern of their declaration.
    """
    first = month.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    counted = await tx.session.execute(
        select(RetentionCountRow.what, RetentionCountRow.action, func.sum(RetentionCountRow.count))
        .where(RetentionCountRow.day >= first, RetentionCountRow.day < after)
        .group_by(RetentionCountRow.what, RetentionCountRow.action)
    )
    counts = {(what, action): int(count) for what, action, count in counted}
    rules = [*await _table_rules(tx, register, counts), *await _column_rules(tx, register, counts)]
    for file in register.files:
        if file.retention.days is not None:
            overdue = await files[file.pattern]() if file.pattern in files else None
            done = counts.get((file.pattern, "deleted"), 0)
            rules.append(Rule(file.pattern, file.about, file.retention.anchor, file.retention.days, "deleted", done, overdue))
    return RetentionReport(f"{first:%Y-%m}", now(), tuple(rules), len(await held_households(tx)))


async def _table_rules(tx: Tx, register: Register, counts: Mapping[tuple[str, str], int]) -> list[Rule]:
    timed = {table.name: (table, declared) for table, declared in timed_tables(register)}
    rules = []
    for name, declared in sorted(register.tables.items()):
        overdue = None
        if name in timed:
            table, _ = timed[name]
            over = table.columns[declared.retention.anchor] < now() - timedelta(days=declared.retention.days or 0) - SWEPT_WITHIN
            overdue = int(await tx.session.scalar(select(func.count()).select_from(table).where(over)) or 0)
        rules.append(_rule(str(name), declared, counts.get((name, "deleted"), 0), overdue))
    return rules


def _rule(name: str, declared: Table, count: int, overdue: int | None) -> Rule:
    return Rule(name, declared.about, declared.retention.anchor, declared.retention.days, "deleted", count, overdue)


async def _column_rules(tx: Tx, register: Register, counts: Mapping[tuple[str, str], int]) -> list[Rule]:
    rules = []
    for column, after in shortened_columns(register):
        table, days = column.table, after.days or 0
        over = table.columns[after.anchor] < now() - timedelta(days=days) - SWEPT_WITHIN
        whole = select(func.count()).select_from(table).where(over, column.is_not(None), column.not_like("%/%"))
        what = str(column)
        overdue = int(await tx.session.scalar(whole) or 0)
        rules.append(Rule(what, "network addresses", after.anchor, days, "shortened", counts.get((what, "shortened"), 0), overdue))
    return rules


async def keep_evidence(tx: Tx, kind: Literal["retention", "review"], period: str, report: msgspec.Struct) -> UUID:
    """Keep a report as it was made; its id. For `System("housekeeping")`."""
    content = msgspec.to_builtins(report)
    row = EvidenceRow(id=new_id(), kind=kind, period=period, made_at=now(), content=content, digest=digest_of(content))
    tx.session.add(row)
    await tx.session.flush()
    return row.id


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of a report's content as JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


async def list_evidence(tx: Tx, limit: int = 60) -> list[Evidence]:
    """Kept reports, newest first; for the operator, the privacy officer and security."""
    rows = await tx.session.scalars(select(EvidenceRow).order_by(EvidenceRow.made_at.desc()).limit(limit))
    return [_evidence(row) for row in rows]


async def get_evidence(tx: Tx, evidence_id: UUID) -> Evidence:
    """One kept report. Raises NotFound where the asker may see none of that id."""
    row = await tx.session.get(EvidenceRow, evidence_id)
    if row is None:
        raise NotFound("report")
    return _evidence(row)


def _evidence(row: EvidenceRow) -> Evidence:
    return Evidence(row.id, row.kind, row.period, row.made_at, row.content, row.digest, digest_of(row.content) == row.digest)


async def has_evidence(tx: Tx, kind: str, period: str) -> bool:
    """Whether a report of that kind and period is kept."""
    found = select(EvidenceRow.id).where(EvidenceRow.kind == kind, EvidenceRow.period == period).limit(1)
    return await tx.session.scalar(found) is not None


async def attest(tx: Tx, measure: str, statement: str) -> None:
    """State a physical or organisational measure, as the operator or security; earlier statements stay.

    Raises:
        Invalid: no such measure, or no statement of at most 2,000 characters.
    """
    statement = statement.strip()
    if measure not in MEASURES:
        raise Invalid("bad_measure", f"A measure is one of: {', '.join(MEASURES)}.", "measure")
    if not statement or len(statement) > MOST_STATEMENT:
        raise Invalid("bad_statement", f"Say in at most {MOST_STATEMENT} characters what is done.", "statement")
    tx.session.add(AttestationRow(id=new_id(), measure=measure, statement=statement, at=now(), by=tx.context.person))
    await tx.session.flush()


async def attestations(tx: Tx) -> list[Attestation]:
    """The newest statement on each measure, in the order of `MEASURES`; measures without one are left out."""
    rows = await tx.session.scalars(select(AttestationRow).order_by(AttestationRow.at))
    newest = {row.measure: Attestation(row.measure, row.statement, row.at, row.by) for row in rows}
    return [newest[m] for m in MEASURES if m in newest]
