"""One batch of messages into the database, in one transaction: frames, latest values, refusals, acknowledgements.

Runs as the ingestion role, which row-level security allows only to add and complete. `through` of a gateway's epoch advances under a
lock on its row, so several ingest processes can't overtake each other or acknowledge over a gap.
"""

import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import WINDOW, Refused
from psycopg import AsyncConnection, AsyncCursor
from psycopg.sql import SQL

from lineset.kit.ids import new_id
from lineset.telemetry import copying
from lineset.telemetry.batch import Block, Newest, Source, newest

AHEAD = 16 * WINDOW
"""Messages this far beyond the acknowledged ones are not taken yet; the device sends them again."""

_SESSION = (
    "CREATE TEMP TABLE IF NOT EXISTS incoming (series_id integer, t timestamptz, reals real[], totals float8[]) ON COMMIT DELETE ROWS",
    "CREATE TEMP TABLE IF NOT EXISTS newest (series_id integer, t timestamptz, reals real[],"
    " real_times float8[], totals float8[], total_times float8[]) ON COMMIT DELETE ROWS",
)
_BY_KEY = ("SET enable_hashjoin = off", "SET enable_mergejoin = off")
"""Everything here joins a few keys with large tables, and temporary tables have no statistics from which the planner could know."""

Key = tuple[UUID, str]


@dataclass(slots=True)
class Progress:
    """How far the messages of one gateway's epoch are stored."""

    through: int
    ahead: set[int] = field(default_factory=set)

    def has(self, seq: int) -> bool:
        """Whether this message was stored or refused before."""
        return seq <= self.through or seq in self.ahead

    def within(self, seq: int) -> bool:
        """Whether this message may be taken now."""
        return seq <= self.through + AHEAD

    def add(self, seqs: set[int]) -> None:
        """Count these as stored, and advance the end of the contiguous prefix."""
        self.ahead |= {s for s in seqs if s > self.through}
        while self.through + 1 in self.ahead:
            self.through += 1
            self.ahead.discard(self.through)


@dataclass(slots=True)
class Refusing:
    """A refusal on its way into the table."""

    gateway: UUID
    household: UUID | None
    epoch: str | None
    seq: int | None
    index: int | None
    equipment: str | None
    refusal: Refusal
    times: int = 1
    id: UUID = field(default_factory=new_id)


async def prepare(connection: AsyncConnection, *, own: bool = True) -> None:
    """Make the session's temporary tables, once for each connection. `own`: the connection does nothing but store frames."""
    for statement in _SESSION + (_BY_KEY if own else ()):
        await connection.execute(statement)


@contextlib.asynccontextmanager
async def transaction(connection: AsyncConnection) -> AsyncIterator[float]:
    """A transaction that states who acts and why. Gives the time before which days are closed, in seconds since 1970 (or minus infinity);
    until the transaction ends no further day is closed."""
    async with connection.transaction():
        yield await _begin(connection)


async def _begin(connection: AsyncConnection) -> float:
    cursor = await connection.execute(
        "SELECT set_config('app.actor', 'system:ingest', true), set_config('app.purpose', 'operate', true),"
        " extract(epoch FROM access.closed_before())::float8"
    )
    row = await cursor.fetchone()
    return float("-inf") if row is None else float(row[2])


async def closed_before(connection: AsyncConnection) -> float:
    """The time before which days are closed, for a transaction that somebody else began."""
    row = await (await connection.execute("SELECT extract(epoch FROM access.closed_before())::float8")).fetchone()
    return float("-inf") if row is None else float(row[0])


async def consents(connection: AsyncConnection, households: Collection[UUID]) -> set[tuple[UUID, str, str]]:
    """What these households have agreed to of what tells of people: household, purpose, and what it is about.

    It holds until the transaction ends: whoever takes a yes back waits for that.
    """
    rows = await connection.execute(
        "SELECT subject, purpose, detail FROM access.consents_for(%s, ARRAY['presence', 'location'])", (sorted(households),)
    )
    return set(await rows.fetchall())


async def lock_progress(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Progress]:
    """Lock and read the progress of these epochs, in one order for all processes; new epochs begin at 0."""
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    rows = await _locked(connection, ordered)
    if len(rows) < len(ordered):
        have = {(g, e) for g, e, _, _ in rows}
        new = [key for key in ordered if key not in have]
        await connection.execute(
            "INSERT INTO acknowledgements (gateway_id, epoch, through, ahead, updated_at)"
            " SELECT g, e, 0, '{}', now() FROM unnest(%s::uuid[], %s::text[]) AS k(g, e) ON CONFLICT DO NOTHING",
            ([g for g, _ in new], [e for _, e in new]),
        )
        rows += await _locked(connection, new)
    return {(g, e): Progress(through, set(ahead)) for g, e, through, ahead in rows}


async def _locked(connection: AsyncConnection, ordered: Sequence[Key]) -> list[tuple[UUID, str, int, list[int]]]:
    cursor = await connection.execute(
        "SELECT a.gateway_id, a.epoch, a.through, a.ahead FROM unnest(%s::uuid[], %s::text[]) AS k(g, e)"
        " JOIN acknowledgements a ON a.gateway_id = k.g AND a.epoch = k.e ORDER BY a.gateway_id, a.epoch FOR UPDATE OF a",
        ([g for g, _ in ordered], [e for _, e in ordered]),
    )
    return await cursor.fetchall()


async def save_progress(connection: AsyncConnection, progress: dict[Key, Progress]) -> None:
    """Write the progress of these locked epochs."""
    keys = list(progress)
    await connection.execute(
        "UPDATE acknowledgements a SET through = k.t, ahead = k.a::bigint[], updated_at = now()"
        " FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[]) AS k(g, e, t, a) WHERE a.gateway_id = k.g AND a.epoch = k.e",
        (
            [g for g, _ in keys],
            [e for _, e in keys],
            [progress[k].through for k in keys],
            ["{" + ",".join(map(str, sorted(progress[k].ahead))) + "}" for k in keys],
        ),
    )


async def insert(connection: AsyncConnection, blocks: Sequence[Block], days: set[date], closed: float) -> list[tuple[Source, Refusal]]:
    """Store the rows and the newest values. What a row already has stays; only missing points are added. Rows of days that are closed
    (`t` before `closed`, in seconds since 1970) go to the late frames. `days` remembers which days have a partition.

    Returns a refusal for each point that already had another value at its time.
    """
    if not blocks:
        return []
    await _ensure_days(connection, blocks, days, closed)
    cursor = connection.cursor()
    async with cursor.copy("COPY incoming FROM STDIN (FORMAT BINARY)") as copy:
        await copy.write(b"".join([copying.HEADER, *(copying.rows(b.series, b.t, [b.reals], [b.totals]) for b in blocks), copying.TRAILER]))
    conflicts: list[tuple[Source, Refusal]] = []
    late = sum(int((b.t < closed).sum()) for b in blocks)
    for table, sign, rows in (("frames", ">=", sum(len(b.t) for b in blocks) - late), ("late_frames", "<", late)):
        if rows:
            await cursor.execute(_ADD.format(SQL(table), SQL(sign)), (closed,))
            if cursor.rowcount < rows:
                conflicts += await _complete(cursor, table, [part for b in blocks if (part := _part(b, closed, table)) is not None])
    await _keep_newest(cursor, blocks)
    return conflicts


async def _ensure_days(connection: AsyncConnection, blocks: Sequence[Block], known: set[date], closed: float) -> None:
    for block in blocks:
        for day in np.unique(np.floor(block.t[block.t >= closed] / 86_400)):
            wanted = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=float(day))).date()
            if wanted not in known:
                await connection.execute("SELECT access.ensure_day(%s)", (wanted,))
                known.add(wanted)


def _part(block: Block, closed: float, table: str) -> Block | None:
    """The rows of a block that belong into this table."""
    rows = np.flatnonzero(block.t >= closed if table == "frames" else block.t < closed)
    if len(rows) == len(block.t):
        return block
    if not len(rows):
        return None
    sources = [block.sources[i] for i in rows]
    return Block(block.layout, block.series[rows], block.t[rows], block.reals[rows], block.totals[rows], sources)


async def _complete(cursor: AsyncCursor, table: str, blocks: Sequence[Block]) -> list[tuple[Source, Refusal]]:
    """Merge rows whose key was there already, point by point; the first value stays."""
    span = [min(float(b.t.min()) for b in blocks), max(float(b.t.max()) for b in blocks)]
    await cursor.execute(_DIFFERENT.format(table=SQL(table)), (*span, *span))
    stored = {(series, at): (list(reals), list(totals or [])) for series, at, reals, totals in await cursor.fetchall()}
    conflicts: list[tuple[Source, Refusal]] = []
    changed: set[tuple[int, int]] = set()
    for block in blocks if stored else ():
        micros = copying.microseconds(block.t)
        names = {(kind == "counter", slot): name for name, (kind, slot) in block.layout.slots.items()}
        for i, key in enumerate(zip(block.series.tolist(), micros.tolist(), strict=True)):
            if key not in stored:
                continue
            reals, totals = stored[key]
            new, fights = _merge(reals, block.reals[i].astype(np.float32).tolist())
            more, counter_fights = _merge(totals, block.totals[i].tolist())
            if new or more:
                changed.add(key)
            for slot, counter in [(s, False) for s in fights] + [(s, True) for s in counter_fights]:
                conflicts.append((block.sources[i], refuse("conflict", point=names[counter, slot])))
    for series, at in sorted(changed):
        await cursor.execute(
            _REPLACE.format(SQL(table)),
            (*stored[series, at], series, at),
        )
    return conflicts


_ADD = SQL("INSERT INTO {} SELECT series_id, t, reals, totals FROM incoming WHERE t {} to_timestamp(%s) ON CONFLICT DO NOTHING")
_DIFFERENT = SQL(
    "SELECT f.series_id, (extract(epoch FROM f.t) * 1000000)::bigint, f.reals, f.totals FROM {table} f JOIN"
    " (SELECT DISTINCT i.series_id, i.t FROM incoming i JOIN {table} g USING (series_id, t)"
    "  WHERE g.t BETWEEN to_timestamp(%s) - interval '1 s' AND to_timestamp(%s) + interval '1 s'"
    "  AND (g.reals, g.totals) IS DISTINCT FROM (i.reals, i.totals)) d USING (series_id, t)"
    " WHERE f.t BETWEEN to_timestamp(%s) - interval '1 s' AND to_timestamp(%s) + interval '1 s'"
)
_REPLACE = SQL("UPDATE {} SET reals = %s, totals = %s WHERE series_id = %s AND t = to_timestamp(0) + %s * interval '1 microsecond'")


def _merge(have: list[float], come: list[float]) -> tuple[bool, list[int]]:
    """Add what `have` lacks, in place. Returns whether anything was added, and the slots with two different values."""
    added, fights = False, []
    have += [float("nan")] * (len(come) - len(have))
    for slot, value in enumerate(come):
        if np.isnan(value):
            continue
        if np.isnan(have[slot]):
            have[slot], added = value, True
        elif have[slot] != value:
            fights.append(slot)
    return added, fights


async def _keep_newest(cursor: AsyncCursor, blocks: Sequence[Block]) -> None:
    rounds: list[tuple[set[int], list[Newest]]] = []
    for block in blocks:
        tip = newest(block)
        series = set(tip.series.tolist())
        # A machine whose points changed within the batch has rows in two layouts; one statement may not touch its row twice.
        free = next((r for r in rounds if not r[0] & series), None)
        if free is None:
            rounds.append(free := (set(), []))
        free[0].update(series)
        free[1].append(tip)
    for number, (_, tips) in enumerate(rounds):
        if number:
            await cursor.execute("TRUNCATE newest")
        # real[] first, then its times; the order of columns is that of the temporary table
        rows = [copying.rows(tip.series, tip.t, [tip.reals], [tip.real_times, tip.totals, tip.total_times]) for tip in tips]
        async with cursor.copy("COPY newest FROM STDIN (FORMAT BINARY)") as copy:
            await copy.write(b"".join([copying.HEADER, *rows, copying.TRAILER]))
        await cursor.execute(_UPSERT)


_UPSERT = """
INSERT INTO latest AS l (series_id, equipment_id, household_id, t, reals, real_times, totals, total_times)
SELECT n.series_id, s.equipment_id, s.household_id, n.t, n.reals, n.real_times, n.totals, n.total_times
FROM newest n JOIN tenures s USING (series_id) WHERE s.erased_at IS NULL ORDER BY n.series_id
ON CONFLICT (series_id) DO UPDATE SET
  t = greatest(l.t, excluded.t),
  reals = CASE WHEN {all_reals} THEN excluded.reals
          ELSE access.newest(excluded.reals, excluded.real_times, l.reals, l.real_times)::real[] END,
  real_times = CASE WHEN {all_reals} THEN excluded.real_times ELSE access.newest_at(excluded.real_times, l.real_times) END,
  totals = CASE WHEN {all_totals} THEN excluded.totals
           ELSE access.newest(excluded.totals, excluded.total_times, l.totals, l.total_times) END,
  total_times = CASE WHEN {all_totals} THEN excluded.total_times ELSE access.newest_at(excluded.total_times, l.total_times) END
""".format(
    # the usual case, without a step a value: everything that comes is newer than anything that is there
    all_reals="date_part('epoch', l.t) <= ALL (excluded.real_times) AND cardinality(excluded.reals) >= cardinality(l.reals)",
    all_totals="date_part('epoch', l.t) <= ALL (excluded.total_times) AND cardinality(excluded.totals) >= cardinality(l.totals)",
)


async def save_refusals(connection: AsyncConnection, refusals: Sequence[Refusing]) -> None:
    """Keep what was not taken, for the site's page and for a device that missed the answer. What has the same id is counted in one row."""
    if not refusals:
        return
    await connection.execute(
        "INSERT INTO refusals AS r (id, gateway_id, household_id, epoch, seq, index, equipment, code, say, times, at)"
        " SELECT k.*, now() FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::int[], %s::text[], %s::text[],"
        " %s::text[], %s::int[]) AS k ON CONFLICT (id) DO UPDATE SET times = r.times + excluded.times, at = excluded.at,"
        " say = excluded.say",
        (
            [r.id for r in refusals],
            [r.gateway for r in refusals],
            [r.household for r in refusals],
            [r.epoch for r in refusals],
            [r.seq for r in refusals],
            [r.index for r in refusals],
            [r.equipment for r in refusals],
            [r.refusal.code for r in refusals],
            [r.refusal.say for r in refusals],
            [r.times for r in refusals],
        ),
    )


async def stored_refusals(connection: AsyncConnection, keys: Sequence[tuple[UUID, str, int]]) -> dict[Key, list[Refused]]:
    """What was refused before of messages that a device sent again."""
    if not keys:
        return {}
    rows = await (
        await connection.execute(
            "SELECT r.gateway_id, r.epoch, r.seq, r.index, r.code, r.say FROM refusals r"
            " JOIN unnest(%s::uuid[], %s::text[], %s::bigint[]) AS k(g, e, s) ON r.gateway_id = k.g AND r.epoch = k.e AND r.seq = k.s",
            ([k[0] for k in keys], [k[1] for k in keys], [k[2] for k in keys]),
        )
    ).fetchall()
    found: dict[Key, list[Refused]] = {}
    for gateway, epoch, seq, index, code, say in rows:
        found.setdefault((gateway, epoch), []).append(Refused(seq, index, code, say))
    return found


async def set_aside(connection: AsyncConnection, subject: str, payload: bytes, reason: str) -> None:
    """Keep a message that could not be handled, for a human to look at."""
    await connection.execute(
        "INSERT INTO poison_messages (id, at, subject, payload, reason) VALUES (%s, now(), %s, %s, %s)",
        (new_id(), subject, payload, reason[:500]),
    )
