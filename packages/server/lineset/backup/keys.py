"""The keys that open backups: whose key opens which chunk, and copies of the key store, which are kept apart from what they open.

A copy holds the wrapped keys of subjects and the marks of what was erased. It is sealed under the installation's master key and says
when it was made. `KEY_COPY_DAYS` after that no restore takes it, since people were told that nothing of them can be read by then.
"""

import asyncio
import hashlib
import hmac
import os
import struct
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lineset.backup.sealing import BadBackup, Header
from lineset.kit.bus import Bus
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings, secret
from lineset.kit.subject_keys import SubjectKeys
from lineset.kit.tombstones import Tombstones
from lineset.privacy import KeyStore, Vault
from lineset.privacy.copies import KEY_COPY_DAYS

_MAGIC = b"LINESETK"
_MOST = 1 << 31


class Copy(msgspec.Struct, frozen=True):
    """What the key store held at a moment: wrapped keys by subject, and the marks of erasures by their id."""

    made_at: datetime
    keys: dict[str, bytes]
    marks: dict[str, bytes]

    def lines(self) -> Iterator[tuple[str, str]]:
        """What to tell, as style and text."""
        yield (
            "bold",
            f"{len(self.keys):,} keys and {len(self.marks):,} marks of erasures; not to be kept for more than {KEY_COPY_DAYS} days",
        )


class _Nowhere:
    """A key store that is not asked: the keys are given."""

    async def get(self, subject: str) -> bytes | None:  # noqa: ARG002 - as the protocol says
        return None

    async def create(self, subject: str, wrapped: bytes) -> bool:  # noqa: ARG002 - as above
        return False

    async def destroy(self, subject: str) -> None:
        """There is nothing to destroy."""


def vault_of(settings: Settings, store: KeyStore | None = None) -> Vault:
    """The vault of this installation.

    Raises:
        Invalid: the folder of secrets has no master key. One made now would open nothing.
    """
    if not (settings.secrets_folder / "master").is_file():
        raise Invalid(
            "no_secrets",
            f"There is no master key in {settings.secrets_folder}. Put the installation's folder `secrets` there, which is kept apart from"
            " backups (docs/guides/backup.md).",
        )
    return Vault(store or _Nowhere(), secret(settings, "master"))


class Ring:
    """The keys of one backup file."""

    def __init__(self, vault: Vault, salt: str, keys: Mapping[str, bytes]) -> None:
        """`keys`: the wrapped keys of the subjects that still have one."""
        self._vault = vault
        self._salt = bytes.fromhex(salt)
        self._keys = keys
        self._label_key = vault.platform_key(b"backup labels", self._salt)
        self._made: dict[UUID, AESGCM] = {}
        self._labels: dict[bytes, UUID] | None = None
        self.own = AESGCM(vault.platform_key(b"backup", self._salt))

    @property
    def check(self) -> str:
        """By which the right master key is known."""
        return self._vault.platform_key(b"backup check", self._salt).hex()

    def of(self, subject: UUID) -> AESGCM | None:
        """The key under which this file's chunks of a subject are sealed; None where the subject's own key is gone.

        Raises:
            Unsealable: the key store belongs to another master key.
        """
        if subject not in self._made:
            wrapped = self._keys.get(str(subject))
            if wrapped is None:
                return None
            if len(self._made) > 20_000:
                self._made.clear()
            self._made[subject] = AESGCM(self._vault.derived(subject, wrapped, b"backup", self._salt))
        return self._made[subject]

    def label(self, subject: UUID) -> bytes:
        """What marks the subject's chunks in the file without naming it."""
        return hmac.digest(self._label_key, subject.bytes, "sha256")[:16]

    def whose(self, label: bytes) -> UUID | None:
        """The subject of a label; None where its key is gone."""
        if self._labels is None:
            self._labels = {self.label(UUID(s)): UUID(s) for s in self._keys}
        return self._labels.get(label)


def require_master(ring: Ring, header: Header) -> None:
    """Raises Invalid unless the backup was made with this installation's master key."""
    if not hmac.compare_digest(ring.check, header.check):
        raise Invalid(
            "wrong_master_key",
            "The backup was made with another master key. Put the folder `secrets` of the installation that made it into the data folder.",
        )


async def copy_of(bus: Bus, made_at: datetime) -> Copy:
    """What the key store holds now.

    Raises:
        BusFault: it does not answer.
    """
    return Copy(made_at, await SubjectKeys(bus).everything(), await Tombstones(bus).everything())


def write_copy(vault: Vault, copy: Copy, file: BinaryIO) -> str:
    """Write a copy of the key store; the SHA-256 of the file in hexadecimal."""
    salt = os.urandom(16)
    told = msgspec.json.encode({"format": 1, "made_at": copy.made_at, "salt": salt.hex()})
    head = _MAGIC + struct.pack(">I", len(told)) + told
    key = AESGCM(vault.platform_key(b"key copy", salt))
    whole = head + key.encrypt(bytes(12), msgspec.msgpack.encode(copy), head)
    file.write(whole)
    return hashlib.sha256(whole).hexdigest()


def read_copy(vault: Vault, path: Path) -> Copy:
    """The copy in that file.

    Raises:
        BadBackup: it is none, or was changed, or was made with another master key.
    """
    size = path.stat().st_size
    if size > _MOST:
        raise BadBackup("no_copy", f"{path} is no copy of a key store.")
    whole = path.read_bytes()
    length = int.from_bytes(whole[8:12], "big")
    if whole[:8] != _MAGIC or len(whole) < 12 + length:
        raise BadBackup("no_copy", f"{path} is no copy of a key store, or is cut short.")
    head = whole[: 12 + length]
    try:
        salt = bytes.fromhex(msgspec.json.decode(head[12:], type=dict[str, str | int])["salt"])  # type: ignore[arg-type]
        key = AESGCM(vault.platform_key(b"key copy", salt))
        return msgspec.msgpack.decode(key.decrypt(bytes(12), whole[12 + length :], head), type=Copy)
    except (InvalidTag, msgspec.DecodeError, KeyError, ValueError, TypeError) as error:
        raise BadBackup(
            "bad_copy", f"{path} can't be opened: it was changed or cut short, or belongs to another master key. Use another copy."
        ) from error


async def store_copy(bus: Bus, copy: Copy) -> None:
    """Put a copy into an empty key store, with the marks of what was erased.

    Raises:
        BusFault: it does not answer.
    """
    store = SubjectKeys(bus)
    room = asyncio.Semaphore(64)

    async def put(subject: str, wrapped: bytes) -> None:
        async with room:
            await store.create(subject, wrapped)

    await asyncio.gather(*(put(subject, wrapped) for subject, wrapped in copy.keys.items()))
    marks = Tombstones(bus)
    for erasure, content in copy.marks.items():
        await marks.put(erasure, content)


def require_young(copy: Copy) -> None:
    """Raises Invalid where the copy is past its time: it may hold keys of people who were told that they are gone."""
    if copy.made_at + timedelta(days=KEY_COPY_DAYS) < now():
        raise Invalid(
            "keys_too_old",
            f"The copy of the keys is of {copy.made_at:%Y-%m-%d}; copies end after {KEY_COPY_DAYS} days, because later erasures are not in"
            " them. Give a newer one, or restore beside the key store itself.",
        )
