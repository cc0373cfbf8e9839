"""The chain over the access log, as pure functions: digests of entries, leaves, the Merkle tree's root, and signed checkpoints.

An entry's personal fields go into the chain only as two salted digests, one of what tells about the home and one of what tells about the
actor. Destroying a salt with its fields makes them unfindable, and the chain still verifies. Leaves and roots are those of RFC 9162, 2.1:
SHA-256 over 0x00 and the leaf, and over 0x01 and both children.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pymerkle.hasher import MerkleHasher

from lineset.privacy.vault import Vault

ORIGIN = "lineset access log"
FIRST = b"\0" * 32
"""What stands for the leaf before the first."""
SUBJECT_FIELDS = ("household_id", "thing", "reason")
ACTOR_FIELDS = ("actor_id",)
PLAIN_FIELDS = ("id", "at", "window_start", "organisation_id", "role", "purpose", "action")
_hasher = MerkleHasher("sha256")


def instant(moment: datetime) -> str:
    """A moment as it stands in the chain: UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(value: Any) -> str | None:
    """A field as it stands in the chain: text, or None."""
    return instant(value) if isinstance(value, datetime) else None if value is None else str(value)


def salted(salt: bytes, fields: Iterable[str | None]) -> bytes:
    """The digest of personal fields under their salt."""
    return hashlib.sha256(salt + _canonical(list(fields))).digest()


def body_of(entry: Mapping[str, str | None], subject: bytes, actor: bytes) -> bytes:
    """The digest of an entry from its plain fields and the digests of its personal ones."""
    return hashlib.sha256(_canonical([entry[name] for name in PLAIN_FIELDS] + [subject.hex(), actor.hex()])).digest()


def leaf_of(seq: int, at: str, before: bytes, body: bytes) -> bytes:
    """The leaf's hash: its place, time, the leaf before it and its entry's digest."""
    found: bytes = _hasher.hash_buff(_canonical([seq, at, before.hex(), body.hex()]))
    return found


def _canonical(fields: list[Any]) -> bytes:
    """JSON of a list of texts, numbers and nulls, without spaces: one spelling for one meaning."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode()


class Peaks:
    """The roots of the tree's perfect subtrees from left to right: enough to append leaves and to know the root at once."""

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        """As `packed` left them. Raises ValueError when they don't fit the size."""
        self.size = size
        self._peaks = [peaks[n : n + 32] for n in range(0, len(peaks), 32)]
        if len(self._peaks) != size.bit_count() or len(peaks) % 32:
            raise ValueError(f"{len(peaks)} bytes of peaks do not fit a tree of {size} leaves")

    def append(self, leaf: bytes) -> None:
        """Add one leaf's hash."""
        filled = self.size
        while filled & 1:
            leaf = _hasher.hash_pair(self._peaks.pop(), leaf)
            filled >>= 1
        self._peaks.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The tree's root."""
        found: bytes = _hasher.hash_fold(self._peaks[::-1]) if self._peaks else _hasher.hash_empty()
        return found

    @property
    def packed(self) -> bytes:
        """The peaks one after another, 32 bytes each."""
        return b"".join(self._peaks)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: so long was the chain at that time, and this was its tree's root."""

    size: int
    root: bytes
    made_at: str
    signature: bytes = b""

    @property
    def note(self) -> bytes:
        """What is signed: origin, size, root in Base64 and time, a line each."""
        return f"{ORIGIN}\n{self.size}\n{b64encode(self.root).decode()}\n{self.made_at}\n".encode()

    def signed(self, key: Ed25519PrivateKey) -> "Checkpoint":
        """The same with a signature (Ed25519, RFC 8032)."""
        return Checkpoint(self.size, self.root, self.made_at, key.sign(self.note))

    def holds(self, key: Ed25519PublicKey) -> bool:
        """Whether that key signed it."""
        try:
            key.verify(self.signature, self.note)
        except InvalidSignature:
            return False
        return True

    def told(self) -> dict[str, Any]:
        """As it is published."""
        return {
            "size": self.size,
            "root": b64encode(self.root).decode(),
            "made_at": self.made_at,
            "signature": b64encode(self.signature).decode(),
        }


def checkpoint_from(told: Any) -> Checkpoint:
    """A published checkpoint. Raises ValueError for anything else."""
    try:
        root, signature = b64decode(told["root"], validate=True), b64decode(told["signature"], validate=True)
        return Checkpoint(int(told["size"]), root, str(told["made_at"]), signature)
    except (KeyError, TypeError, BadBase64) as error:
        raise ValueError(f"this is no checkpoint: {error}") from error


def signing_key(vault: Vault) -> Ed25519PrivateKey:
    """The platform's key for checkpoints, derived from its master key in `secrets/`."""
    return Ed25519PrivateKey.from_private_bytes(vault.text_digest("audit", "signing key"))


def public_key(vault: Vault) -> bytes:
    """The 32 bytes by which anybody checks them."""
    return signing_key(vault).public_key().public_bytes_raw()
