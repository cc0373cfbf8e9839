"""The sealer: gives each entry of the access log its place in the chain, and signs how far that goes.

Any number of processes may try; a lock lets one through. An entry waits until it has a place, however late it was committed, so none is
passed over; and it has one place, so none is chained twice. Pseudonymising a household's entries leaves their places as they are, and the
log itself tells which were changed so.
"""

import os
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, text, update

from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy.audit.chain import (
    ACTOR_FIELDS,
    FIRST,
    PLAIN_FIELDS,
    SUBJECT_FIELDS,
    Checkpoint,
    Peaks,
    body_of,
    instant,
    leaf_of,
    plain,
    salted,
    signing_key,
)
from lineset.privacy.audit.checking import FORGOTTEN
from lineset.privacy.audit.model import AccessLogRow, CheckpointRow, LeafRow
from lineset.privacy.door import Context, Door, System, Tx
from lineset.privacy.vocabulary import Purpose

AT_ONCE = 5_000
HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
_MOST_RANGES = 100
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('lineset.audit'))")


async def seal(tx: Tx, at_once: int = AT_ONCE) -> int:
    """Chain what waits, oldest first, at most `at_once` entries, and sign a checkpoint; how many it were. For `System("housekeeping")`."""
    await tx.session.execute(_ALONE)
    waiting = select(AccessLogRow).where(AccessLogRow.seq.is_(None)).order_by(AccessLogRow.at, AccessLogRow.id).limit(at_once)
    rows = (await tx.session.scalars(waiting.execution_options(populate_existing=True))).all()
    if not rows:
        return 0
    last = await tx.session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))
    peaks = Peaks(last.size, last.peaks) if last is not None else Peaks()
    before = await tx.session.scalar(select(LeafRow.hash).where(LeafRow.seq == peaks.size)) or FIRST
    leaves: list[dict[str, Any]] = []
    for row in rows:
        body = _close(row)
        before = leaf_of(peaks.size + 1, instant(row.at), before, body)
        peaks.append(before)
        row.seq = peaks.size
        leaves.append({"seq": row.seq, "at": row.at, "body": body, "hash": before})
    await tx.session.flush()
    await tx.session.execute(insert(LeafRow), leaves)
    made = now()
    signed = Checkpoint(peaks.size, peaks.root, instant(made)).signed(signing_key(tx.vault))
    tx.session.add(CheckpointRow(size=signed.size, made_at=made, root=signed.root, signature=signed.signature, peaks=peaks.packed))
    await tx.session.flush()
    return len(rows)


async def seal_all(door: Door) -> int:
    """Chain all that waits, a transaction for each few thousand entries; how many it were."""
    total = 0
    while True:
        async with door.open(HOUSEKEEPING) as tx:
            done = await seal(tx)
        total += done
        if done < AT_ONCE:
            return total


def _close(row: AccessLogRow) -> bytes:
    """Give an entry salts and digests of its personal fields; the digest of the whole."""
    row.subject_salt, row.actor_salt = os.urandom(32), os.urandom(32)
    row.subject_digest = salted(row.subject_salt, (plain(getattr(row, name)) for name in SUBJECT_FIELDS))
    row.actor_digest = salted(row.actor_salt, (plain(getattr(row, name)) for name in ACTOR_FIELDS))
    return body_of({name: plain(getattr(row, name)) for name in PLAIN_FIELDS}, row.subject_digest, row.actor_digest)


async def forget_household(tx: Tx, household: UUID) -> int:
    """Take from the log what tells that an entry was about this household, and write down which entries that were; how many.

    For `System("housekeeping")`. Their digests stay and their salts go, so the chain verifies and nobody can find out whose they were.
    """
    return await _forget(tx, AccessLogRow.household_id == household, {"household_id": None, "thing": None, "reason": ""}, "subject")


async def forget_actor(tx: Tx, person: UUID) -> int:
    """As `forget_household`, for somebody who looked and whose account is gone."""
    return await _forget(tx, AccessLogRow.actor_id == person, {"actor_id": None}, "actor")


async def still_named(tx: Tx, households: Sequence[UUID], people: Sequence[UUID]) -> bool:
    """Whether an entry still tells that it is about one of these households, or that one of these people looked."""
    about = or_(AccessLogRow.household_id.in_(households), AccessLogRow.actor_id.in_(people))
    return await tx.session.scalar(select(AccessLogRow.id).where(about).limit(1)) is not None


async def _forget(tx: Tx, whose: Any, values: dict[str, Any], side: str) -> int:
    while await seal(tx):
        pass
    emptied = update(AccessLogRow).where(whose).values(**values, **{f"{side}_salt": None}).returning(AccessLogRow.seq)
    places = sorted(seq for seq in await tx.session.scalars(emptied) if seq is not None)
    for note in _ranges(places):
        await _note(tx, f"{side}: {note}")
    while places and await seal(tx):
        pass
    return len(places)


def _ranges(places: Sequence[int]) -> list[str]:
    """Places as texts of ranges, such as "3-7,12", at most 100 ranges each."""
    spans: list[list[int]] = []
    for place in places:
        if spans and spans[-1][1] == place - 1:
            spans[-1][1] = place
        else:
            spans.append([place, place])
    words = [str(a) if a == b else f"{a}-{b}" for a, b in spans]
    return [",".join(words[n : n + _MOST_RANGES]) for n in range(0, len(words), _MOST_RANGES)]


_NOTE = text("SELECT access.note_forgotten(:id, :action, :places)").bindparams(bindparam("id"), bindparam("action"), bindparam("places"))


async def _note(tx: Tx, places: str) -> None:
    await tx.session.execute(_NOTE, {"id": new_id(), "action": FORGOTTEN, "places": places})
