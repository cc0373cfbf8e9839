"""The manifest: which files are history, at one commit with the rows that they replace; and the lock of whoever changes it."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lineset.kit.clock import now
from lineset.privacy import Context, Door, Purpose, System, Tx
from lineset.telemetry.model import ROLLUP_DAYS

HISTORY = Context(System("history"), Purpose.KEEP)
Tier = Literal["raw", "hour", "day", "held"]
TIERS: tuple[Tier, ...] = ("raw", "hour", "day", "held")
_LOCK = "hashtext('lineset.history')"


class Moved(Exception):
    """A file is gone that the manifest named when it was read: history was rewritten meanwhile. Read the manifest again."""


class Lost(Exception):
    """The lock of history is not held any more: somebody else may be changing it, so nothing was changed here."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of history: which period of which series it holds, as `HistoryFileRow` says."""

    tier: Tier
    period: date
    keep_days: int
    modulus: int
    remainder: int
    path: str
    rows: int
    bytes: int

    def holds(self, series: int) -> bool:
        """Whether rows of this series may be in the file."""
        return series % self.modulus == self.remainder

    @property
    def over(self) -> date:
        """The first day on which its time is over; held files end with their hold instead."""
        if self.tier == "raw":
            return self.period + timedelta(days=self.keep_days + 1)
        after = (self.period + timedelta(days=32)).replace(day=1) if self.tier == "hour" else date(self.period.year + 1, 1, 1)
        return after + timedelta(days=ROLLUP_DAYS + 1)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds the lock, by the process number of its database session."""

    pid: int


@asynccontextmanager
async def exclusive(engine: AsyncEngine) -> AsyncIterator[Holder | None]:
    """Hold the one lock under which days are closed, late frames merged, series erased and files deleted; None: another has it.

    It is held by a session of its own, without a transaction, so a process that dies gives it back.
    """
    async with engine.connect() as connection:
        session = await connection.execution_options(isolation_level="AUTOCOMMIT")
        if not await session.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK})")):
            yield None
            return
        try:
            yield Holder(int(await session.scalar(text("SELECT pg_backend_pid()")) or 0))
        finally:
            await _unlock(session)


async def _unlock(session: AsyncConnection) -> None:
    await session.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))


async def parts(tx: Tx, tier: Tier | Sequence[Tier], since: date, until: date, series: Collection[int] | None = None) -> list[Part]:
    """The files of a tier (or of several, at one moment) with periods from `since` through `until`, oldest first.

    With `series` only those in which one of them may be.
    """
    statement = (
        "SELECT tier, period, keep_days, modulus, remainder, path, rows, bytes FROM history_files"
        " WHERE tier = ANY(:tiers) AND period BETWEEN :since AND :until"
    )
    values: dict[str, object] = {"tiers": [tier] if isinstance(tier, str) else list(tier), "since": since, "until": until}
    if series is not None:
        statement += " AND EXISTS (SELECT FROM unnest(CAST(:series AS int[])) AS s WHERE s % modulus = remainder)"
        values["series"] = list(series)
    rows = await tx.session.execute(text(statement + " ORDER BY period, keep_days, remainder"), values)
    return [Part(*row) for row in rows]


async def all_parts(tx: Tx, tier: Tier) -> list[Part]:
    """Every file of a tier."""
    return await parts(tx, tier, date.min, date.max)


async def overdue(door: Door, tier: Tier) -> int:
    """How many files of a tier are there whose time ended two days ago or earlier: the nightly run should have deleted them."""
    limit = datetime.now(UTC).date() - timedelta(days=2)
    async with door.open(HISTORY) as tx:
        return sum(part.over < limit for part in await all_parts(tx, tier))


async def replace(tx: Tx, holder: Holder, old: Sequence[Part], new: Sequence[Part]) -> None:
    """In the manifest, put `new` in the place of `old`.

    Raises:
        Lost: the holder has lost the lock, or somebody has replaced one of `old` already.
    """
    held = await tx.session.scalar(
        text(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :pid AND objid::bigint ="
            " hashtext('lineset.history')::bigint & 4294967295)"
        ),
        {"pid": holder.pid},
    )
    if not held:
        raise Lost("the lock of history was lost")
    if old:
        gone = await tx.session.execute(text("DELETE FROM history_files WHERE path = ANY(:paths)"), {"paths": [p.path for p in old]})
        if gone.rowcount != len(old):  # type: ignore[attr-defined]
            raise Lost("somebody else has changed history")
    if new:
        await tx.session.execute(
            text(
                "INSERT INTO history_files (path, tier, period, keep_days, modulus, remainder, rows, bytes, written_at)"
                " VALUES (:path, :tier, :period, :keep_days, :modulus, :remainder, :rows, :bytes, :at)"
            ),
            [
                {
                    "path": p.path,
                    "tier": p.tier,
                    "period": p.period,
                    "keep_days": p.keep_days,
                    "modulus": p.modulus,
                    "remainder": p.remainder,
                    "rows": p.rows,
                    "bytes": p.bytes,
                    "at": now(),
                }
                for p in new
            ],
        )


class Change:
    """Files that are to replace others, gathered until one commit makes them count.

    What the change would leave is what it reads: each step sees the files of the steps before it.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._old: dict[str, Part] = {}
        self._new: dict[str, Part] = {}

    async def parts(self, tier: Tier, since: date, until: date, series: Collection[int] | None = None) -> list[Part]:
        """As the function of that name, after this change."""
        async with self._door.open(HISTORY) as tx:
            known = await parts(tx, tier, since, until, series)
        fresh = [
            p
            for p in self._new.values()
            if p.tier == tier and since <= p.period <= until and (series is None or any(p.holds(s) for s in series))
        ]
        return sorted((p for p in [*known, *fresh] if p.path not in self._old), key=lambda p: (p.period, p.keep_days, p.remainder))

    def swap(self, old: Iterable[Part], new: Iterable[Part]) -> None:
        """Put `new` in the place of `old`."""
        for part in old:
            if self._new.pop(part.path, None) is None:
                self._old[part.path] = part
        self._new.update((p.path, p) for p in new)

    @property
    def tiers(self) -> set[Tier]:
        """The tiers that the change touches."""
        return {p.tier for p in (*self._old.values(), *self._new.values())}

    async def commit(self, tx: Tx, holder: Holder) -> None:
        """Make it count, with the transaction. Raises Lost as `replace` does."""
        await replace(tx, holder, list(self._old.values()), list(self._new.values()))
