"""One batch of messages into the database, in one transaction: frames, latest values, refusals, acknowledgements.

Runs as the ingestion role, which row-level security allows only to add and complete. `through` of a gateway's epoch advances under a
lock on its row, so several ingest processes can't overtake each other or acknowledge over a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import WINDOW, Refused
from psycopg import AsyncConnection, AsyncCursor

from lineset.kit.ids import new_id
from lineset.telemetry import copying
from lineset.telemetry.batch import Block, Newest, Source, newest

AHEAD = 16 * WINDOW
"""Messages this far beyond the acknowledged ones are not taken yet; the device sends them again."""

TEMPORARY = (
    "CREATE TEMP TABLE IF NOT EXISTS incoming (series_id integer, t timestamptz, reals real[], totals float8[]) ON COMMIT DELETE ROWS",
    "CREATE TEMP TABLE IF NOT EXISTS newest (series_id integer, t timestamptz, reals real[],"
    " real_times float8[], totals float8[], total_times float8[]) ON COMMIT DELETE ROWS",
)

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


@dataclass(frozen=True, slots=True)
class Refusing:
    """A refusal on its way into the table."""

    gateway: UUID
    household: UUID | None
    epoch: str | None
    seq: int | None
    index: int | None
    equipment: str | None
    refusal: Refusal


async def begin(connection: AsyncConnection) -> None:
    """State who acts and why, for this transaction."""
    await connection.execute("SELECT set_config('app.actor', 'system:ingest', true), set_config('app.purpose', 'operate', true)")


async def lock_progress(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Progress]:
    """Lock and read the progress of these epochs, in one order for all processes; new epochs begin at 0."""
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    gateways, epochs = [g for g, _ in ordered], [e for _, e in ordered]
    await connection.execute(
        "INSERT INTO acknowledgements (gateway_id, epoch, through, ahead, updated_at)"
        " SELECT g, e, 0, '{}', now() FROM unnest(%s::uuid[], %s::text[]) AS k(g, e)"
        " WHERE NOT EXISTS (SELECT FROM acknowledgements a WHERE a.gateway_id = g AND a.epoch = e) ON CONFLICT DO NOTHING",
        (gateways, epochs),
    )
    rows = await (
        await connection.execute(
            "SELECT a.gateway_id, a.epoch, a.through, a.ahead FROM acknowledgements a"
            " JOIN unnest(%s::uuid[], %s::text[]) AS k(g, e) ON a.gateway_id = k.g AND a.epoch = k.e"
            " ORDER BY a.gateway_id, a.epoch FOR UPDATE OF a",
            (gateways, epochs),
        )
    ).fetchall()
    return {(g, e): Progress(through, set(ahead)) for g, e, through, ahead in rows}


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


async def ensure_days(connection: AsyncConnection, blocks: Sequence[Block], known: set[date]) -> None:
    """Make the partitions of the days that these blocks touch; `known` remembers them."""
    for block in blocks:
        for day in np.unique(np.floor(block.t / 86_400)):
            wanted = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=float(day))).date()
            if wanted not in known:
                await connection.execute("SELECT access.ensure_day(%s)", (wanted,))
                known.add(wanted)


async def insert(connection: AsyncConnection, blocks: Sequence[Block]) -> list[tuple[Source, Refusal]]:
    """Store the rows and the newest values. What a row already has stays; only missing points are added.

    Returns a refusal for each point that already had another value at its time.
    """
    if not blocks:
        return []
    cursor = connection.cursor()
    for statement in TEMPORARY:
        await cursor.execute(statement)
    async with cursor.copy("COPY incoming FROM STDIN (FORMAT BINARY)") as copy:
        await copy.write(copying.HEADER)
        for block in blocks:
            await copy.write(copying.rows(block.series, block.t, [block.reals], [block.totals]))
        await copy.write(copying.TRAILER)
    await cursor.execute("INSERT INTO frames SELECT series_id, t, reals, totals FROM incoming ON CONFLICT DO NOTHING")
    rows = sum(len(b.t) for b in blocks)
    conflicts = await _complete(cursor, blocks) if cursor.rowcount < rows else []
    await _keep_newest(cursor, blocks)
    return conflicts


async def _complete(cursor: AsyncCursor, blocks: Sequence[Block]) -> list[tuple[Source, Refusal]]:
    """Merge rows whose key was there already, point by point; the first value stays."""
    span = [min(float(b.t.min()) for b in blocks), max(float(b.t.max()) for b in blocks)]
    await cursor.execute(
        "SELECT f.series_id, (extract(epoch FROM f.t) * 1000000)::bigint, f.reals, f.totals FROM frames f JOIN"
        " (SELECT DISTINCT i.series_id, i.t FROM incoming i JOIN frames g USING (series_id, t)"
        "  WHERE g.t BETWEEN to_timestamp(%s) - interval '1 s' AND to_timestamp(%s) + interval '1 s'"
        "  AND (g.reals, g.totals) IS DISTINCT FROM (i.reals, i.totals)) d USING (series_id, t)"
        " WHERE f.t BETWEEN to_timestamp(%s) - interval '1 s' AND to_timestamp(%s) + interval '1 s'",
        (*span, *span),
    )
    stored = {(series, at): (list(reals), list(totals or [])) for series, at, reals, totals in await cursor.fetchall()}
    conflicts: list[tuple[Source, Refusal]] = []
    changed: set[tuple[int, int]] = set()
    for block in blocks:
        micros = copying.microseconds(block.t)
        names = {(kind == "counter", slot): name for name, (kind, slot) in block.layout.slots.items()}
        for i in range(len(micros)):
            key = (int(block.series[i]), int(micros[i]))
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
            "UPDATE frames SET reals = %s, totals = %s WHERE series_id = %s AND t = to_timestamp(0) + %s * interval '1 microsecond'",
            (*stored[series, at], series, at),
        )
    return conflicts


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
        async with cursor.copy("COPY newest FROM STDIN (FORMAT BINARY)") as copy:
            await copy.write(copying.HEADER)
            for tip in tips:
                # real[] first, then its times; the order of columns is that of the temporary table
                await copy.write(copying.rows(tip.series, tip.t, [tip.reals], [tip.real_times, tip.totals, tip.total_times]))
            await copy.write(copying.TRAILER)
        await cursor.execute(_UPSERT)


_UPSERT = """
INSERT INTO latest AS l (series_id, equipment_id, household_id, t, reals, real_times, totals, total_times)
SELECT n.series_id, s.equipment_id, s.household_id, n.t, n.reals, n.real_times, n.totals, n.total_times
FROM newest n JOIN tenures s USING (series_id) ORDER BY n.series_id
ON CONFLICT (series_id) DO UPDATE SET
  t = greatest(l.t, excluded.t),
  reals = CASE WHEN excluded.t >= l.t AND 0 <> ALL (excluded.real_times) AND cardinality(excluded.reals) >= cardinality(l.reals)
          THEN excluded.reals ELSE access.newest(excluded.reals, excluded.real_times, l.reals, l.real_times)::real[] END,
  real_times = access.newest_at(excluded.real_times, l.real_times),
  totals = CASE WHEN excluded.t >= l.t AND 0 <> ALL (excluded.total_times) AND cardinality(excluded.totals) >= cardinality(l.totals)
           THEN excluded.totals ELSE access.newest(excluded.totals, excluded.total_times, l.totals, l.total_times) END,
  total_times = access.newest_at(excluded.total_times, l.total_times)
"""


async def save_refusals(connection: AsyncConnection, refusals: Sequence[Refusing]) -> None:
    """Keep what was not taken, for the site's page and for a device that missed the answer."""
    for r in refusals:
        await connection.execute(
            "INSERT INTO refusals (id, gateway_id, household_id, epoch, seq, index, equipment, code, say, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now())",
            (new_id(), r.gateway, r.household, r.epoch, r.seq, r.index, r.equipment, r.refusal.code, r.refusal.say),
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
