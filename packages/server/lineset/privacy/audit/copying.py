"""The log out of the database: as a file that anybody can check, as checkpoints for everybody, and as proofs about single entries."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pymerkle import ConsistencyProof, InclusionProof
from pymerkle.core import BaseMerkleTree
from sqlalchemy import select

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.privacy.audit.chain import Checkpoint, instant, plain, public_key
from lineset.privacy.audit.checking import ENTRY_FIELDS, Verdict, check_lines, head_line, leaf_line
from lineset.privacy.audit.model import AccessLogRow, CheckpointRow, LeafRow
from lineset.privacy.door import Tx

_AT_ONCE = 5_000


async def checkpoints(tx: Tx, since: int = 0) -> list[Checkpoint]:
    """The signed checkpoints over more than `since` entries, oldest first."""
    rows = await tx.session.scalars(select(CheckpointRow).where(CheckpointRow.size > since).order_by(CheckpointRow.size))
    return [_checkpoint(row) for row in rows]


async def last_checkpoint(tx: Tx) -> Checkpoint | None:
    """The newest checkpoint. Everybody may know it."""
    row = await tx.session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))
    return _checkpoint(row) if row is not None else None


def _checkpoint(row: CheckpointRow) -> Checkpoint:
    return Checkpoint(row.size, row.root, instant(row.made_at), row.signature)


async def export_lines(tx: Tx) -> AsyncIterator[str]:
    """The whole log as the lines of a file. For `System("housekeeping")`."""
    found = await checkpoints(tx)
    size = found[-1].size if found else 0
    yield head_line(found, public_key(tx.vault), now())
    for first in range(1, size + 1, _AT_ONCE):
        wanted = select(LeafRow, AccessLogRow).outerjoin(AccessLogRow, AccessLogRow.seq == LeafRow.seq)
        span = LeafRow.seq.between(first, min(first + _AT_ONCE - 1, size))
        for leaf, row in (await tx.session.execute(wanted.where(span).order_by(LeafRow.seq))).all():
            yield leaf_line(leaf.seq, leaf.at, leaf.body, leaf.hash, _entry(row))
        tx.session.expunge_all()


def _entry(row: AccessLogRow | None) -> dict[str, str | None] | None:
    if row is None:  # past its time
        return None
    values: dict[str, Any] = {name: getattr(row, name) for name in ENTRY_FIELDS}
    return {name: value.hex() if isinstance(value, bytes) else plain(value) for name, value in values.items()}


async def verify_here(tx: Tx, old: Checkpoint | None = None) -> Verdict:
    """Check the log as it lies in the database. For `System("housekeeping")`."""
    return check_lines([line async for line in export_lines(tx)], public_key(tx.vault), old)


class _Leaves(BaseMerkleTree):  # type: ignore[misc]  # the library has no types
    """The tree over leaves that are hashed already."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._leaves = list(leaves)
        super().__init__("sha256")

    def _encode_entry(self, data: bytes) -> bytes:
        return data

    def _store_leaf(self, data: bytes, digest: bytes) -> int:  # noqa: ARG002 - the library's face
        self._leaves.append(digest)
        return len(self._leaves)

    def _get_leaf(self, index: int) -> bytes:
        return self._leaves[index - 1]

    def _get_leaves(self, offset: int, width: int) -> list[bytes]:
        return self._leaves[offset : offset + width]

    def _get_size(self) -> int:
        return len(self._leaves)


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry stands in the log which a checkpoint signs, or that one checkpoint's log is the beginning of another's."""

    checkpoint: Checkpoint
    proof: InclusionProof | ConsistencyProof
    leaf: bytes = b""
    before: Checkpoint | None = None

    def told(self) -> dict[str, Any]:
        """As a file."""
        old = {} if self.before is None else {"before": self.before.told()}
        leaf = {"leaf": self.leaf.hex()} if self.leaf else {}
        return {"checkpoint": self.checkpoint.told(), **old, **leaf, "proof": self.proof.serialize()}


async def prove_entry(tx: Tx, entry: UUID) -> Proof:
    """That this entry is in the log under its newest checkpoint (RFC 9162, 2.1.3).

    Raises:
        NotFound: there is no such entry, or it waits for the sealer.
    """
    seq = await tx.session.scalar(select(AccessLogRow.seq).where(AccessLogRow.id == entry))
    checkpoint = await last_checkpoint(tx)
    if seq is None or checkpoint is None or seq > checkpoint.size:
        raise NotFound("entry in the sealed log")
    tree = await _tree(tx, checkpoint.size)
    return Proof(checkpoint, tree.prove_inclusion(seq, checkpoint.size), tree.get_leaf(seq))


async def prove_growth(tx: Tx, size: int) -> Proof:
    """That the log under the checkpoint over `size` entries is the beginning of today's (RFC 9162, 2.1.4).

    Raises:
        Invalid: no checkpoint was signed over so many.
    """
    found = await checkpoints(tx)
    before = next((c for c in found if c.size == size), None)
    if before is None:
        raise Invalid("no_checkpoint", f"No checkpoint was signed over {size} entries.", "size")
    tree = await _tree(tx, found[-1].size)
    return Proof(found[-1], tree.prove_consistency(size, found[-1].size), before=before)


async def _tree(tx: Tx, size: int) -> _Leaves:
    return _Leaves(await tx.session.scalars(select(LeafRow.hash).where(LeafRow.seq <= size).order_by(LeafRow.seq)))
