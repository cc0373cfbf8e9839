"""Sealed identity: names, addresses, telephone numbers and e-mail addresses under a key of their subject.

Each subject (a person or a household) has a random 256-bit key, kept outside PostgreSQL and wrapped by the platform's master key.
Destroying that key makes every copy of what it sealed unreadable, backups included. AES-256-GCM with a random 96-bit nonce
(NIST SP 800-38D); the subject's id is bound in as associated data, so that a sealed value can't be moved to another subject.
"""

import asyncio
import hashlib
import hmac
import os
import time
import unicodedata
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lineset.kit.errors import LinesetError

_NONCE = 12
_KEEP_KEY_S = 60.0
_FETCHES = 64


class Unsealable(LinesetError):
    """A sealed value can't be opened: it was tampered with, or sealed under another master key."""


class KeyStore(Protocol):
    """Where wrapped subject keys live: outside PostgreSQL, one entry a subject."""

    async def get(self, subject: str) -> bytes | None:
        """The wrapped key, or None when there is none."""

    async def create(self, subject: str, wrapped: bytes) -> bool:
        """Store it unless the subject has one already; whether it was stored."""

    async def destroy(self, subject: str) -> None:
        """Remove it so that its bytes are gone."""


class Vault:
    """Seals and opens text for subjects. Keys are cached for a minute at most, so that a destroyed key ends everywhere by then."""

    def __init__(self, store: KeyStore, master: bytes) -> None:
        self._store = store
        self._wrap = AESGCM(hashlib.sha256(b"lineset wrap" + master).digest())
        self._lookup = hashlib.sha256(b"lineset lookup" + master).digest()
        self._root = hashlib.sha256(b"lineset derive" + master).digest()
        self._keys: dict[UUID, tuple[float, AESGCM | None]] = {}

    async def seal(self, subject: UUID, text: str) -> bytes:
        """Nonce and ciphertext of the text under the subject's key, which is made at first use."""
        key = await self._key(subject)
        if key is None:
            raw = AESGCM.generate_key(256)
            nonce = os.urandom(_NONCE)
            wrapped = nonce + self._wrap.encrypt(nonce, raw, subject.bytes)
            await self._store.create(str(subject), wrapped)
            self._keys.pop(subject, None)
            key = await self._key(subject)
            if key is None:
                raise Unsealable("no_key", "The key store did not keep the new key; try again.")
        nonce = os.urandom(_NONCE)
        return nonce + key.encrypt(nonce, text.encode(), subject.bytes)

    async def open(self, subject: UUID, sealed: bytes | None) -> str | None:
        """The text, or None where nothing was sealed or the subject's key has been destroyed.

        Raises:
            Unsealable: the value was not sealed for this subject by this platform.
        """
        return None if sealed is None else _decrypt(await self._key(subject), subject, sealed)

    async def open_many(self, values: Iterable[tuple[UUID, bytes | None]]) -> list[str | None]:
        """As `open`, for many values in their order. Keys that are not at hand are fetched side by side."""
        wanted = list(values)
        present = time.monotonic()
        keys: list[AESGCM | None] = []
        missing: dict[UUID, list[int]] = {}
        last, key = None, None
        for number, (subject, _) in enumerate(wanted):
            if subject is not last:  # several values of one subject often follow each other
                until, key = self._keys.get(subject, (0.0, None))
                last, key = subject, key if until > present else None
            if key is None:
                missing.setdefault(subject, []).append(number)
            keys.append(key)
        limit = asyncio.Semaphore(_FETCHES)

        async def fetch(subject: UUID, numbers: list[int]) -> None:
            async with limit:
                found = await self._key(subject)
            for number in numbers:
                keys[number] = found

        await asyncio.gather(*(fetch(subject, numbers) for subject, numbers in missing.items()))
        return [None if sealed is None else _decrypt(key, subject, sealed) for (subject, sealed), key in zip(wanted, keys, strict=True)]

    async def destroy(self, subject: UUID) -> None:
        """Destroy the subject's key: what it sealed can't be read again, by anybody, from any copy."""
        await self._store.destroy(str(subject))
        self._keys.pop(subject, None)

    def derived(self, subject: UUID, wrapped: bytes, use: bytes, salt: bytes) -> bytes:
        """A 256-bit key for another use, which ends with the subject's own key `wrapped` (HKDF-SHA-256, RFC 5869).

        Raises:
            Unsealable: the key was not wrapped for this subject by this platform.
        """
        return _hkdf(self._unwrapped(subject, wrapped), use, salt)

    def platform_key(self, use: bytes, salt: bytes) -> bytes:
        """A 256-bit key of this installation for data that is nobody's (HKDF-SHA-256 of the master key)."""
        return _hkdf(self._root, use, salt)

    async def has_key(self, subject: UUID) -> bool:
        """Whether the key store has a key of the subject at this moment; what is remembered does not count."""
        return await self._store.get(str(subject)) is not None

    def email_digest(self, address: str) -> bytes:
        """Keyed digest by which an e-mail address is found without being kept in the clear (HMAC-SHA-256)."""
        return hmac.digest(self._lookup, fold_email(address).encode(), "sha256")

    def text_digest(self, kind: str, text: str) -> bytes:
        """Keyed digest of another value that is only ever compared, such as a network address for throttling."""
        return hmac.digest(self._lookup, f"{kind}\0{text}".encode(), "sha256")

    async def _key(self, subject: UUID) -> AESGCM | None:
        known = self._keys.get(subject)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        wrapped = await self._store.get(str(subject))
        key = None
        if wrapped is not None:
            key = AESGCM(self._unwrapped(subject, wrapped))
        if len(self._keys) > 50_000:
            self._keys.clear()
        if key is not None:
            self._keys[subject] = (time.monotonic() + _KEEP_KEY_S, key)
        return key

    def _unwrapped(self, subject: UUID, wrapped: bytes) -> bytes:
        try:
            return self._wrap.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject.bytes)
        except (InvalidTag, ValueError) as error:  # the latter where not even a nonce is left
            raise Unsealable("wrong_master_key", "The master key does not fit the key store. Restore the right one.") from error


def _hkdf(key: bytes, use: bytes, salt: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, use).derive(key)


def _decrypt(key: AESGCM | None, subject: UUID, sealed: bytes) -> str | None:
    if key is None:
        return None
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], subject.bytes).decode()
    except (InvalidTag, ValueError) as error:  # the latter where not even a nonce is left
        raise Unsealable("unsealable", "A sealed value can't be opened. Was the master key replaced?") from error


def fold_email(address: str) -> str:
    """One spelling for addresses that reach the same mailbox in practice: NFKC, no space around, lower case."""
    return unicodedata.normalize("NFKC", address).strip().lower()
