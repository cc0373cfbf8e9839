"""The record of what was found before an erasure. It may not become a copy of personal data: canaries are sealed in it.

Whoever has the record alone learns how many places held something, and when. The key is derived from the installation's secret "probe".
"""

import base64
import hashlib
import hmac
import os
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings, secret
from lineset.probing.places import TIERS

_NONCE = 12
_BOUND = b"lineset verify-erasure 1"
_LARGEST = 1 << 20


class Entry(msgspec.Struct, frozen=True):
    """One canary: a keyed digest by which it is known again, its text sealed, and in how many places of each tier it was found."""

    digest: str
    sealed: str
    found: dict[str, int]


class Record(msgspec.Struct, frozen=True):
    """What a search before an erasure found; `expected`: tiers on which each canary had to be found."""

    version: int
    made_at: datetime
    expected: list[str]
    canaries: list[Entry]
    not_searched: list[str] = []


class Sealer:
    """Seals and opens the canaries of records of one installation."""

    def __init__(self, settings: Settings) -> None:
        key = secret(settings, "probe")
        self._key = AESGCM(hashlib.sha256(b"lineset probe seal" + key).digest())
        self._digest = hashlib.sha256(b"lineset probe digest" + key).digest()

    def digest(self, text: str) -> str:
        """HMAC-SHA-256 of a canary, in hexadecimal."""
        return hmac.digest(self._digest, text.encode(), "sha256").hex()

    def entry(self, text: str, found: dict[str, int]) -> Entry:
        """The entry of one canary."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._key.encrypt(nonce, text.encode(), _BOUND)
        return Entry(self.digest(text), base64.b64encode(sealed).decode(), found)

    def text(self, entry: Entry) -> str:
        """The canary of an entry.

        Raises:
            Invalid: it was sealed by another installation, or changed since.
        """
        try:
            sealed = base64.b64decode(entry.sealed, validate=True)
            return self._key.decrypt(sealed[:_NONCE], sealed[_NONCE:], _BOUND).decode()
        except (ValueError, InvalidTag) as error:
            raise Invalid("foreign_record", "The record was made by another installation or was changed. Make a new one.") from error


def write(path: Path, record: Record) -> None:
    """Write the record with mode 600; an earlier record in its place is replaced, any other file is not.

    Raises:
        Invalid: there is something else, or it can't be written.
    """
    check_target(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Invalid("record", f"{path} can't be written: {error.strerror}.") from error


def check_target(path: Path) -> None:
    """Refuse, before a long search, a place where no record can be written.

    Raises:
        Invalid: the folder is missing or closed, or another file is there.
    """
    if not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise Invalid("record", f"{path.absolute().parent} is no folder that can be written to. Choose another place for the record.")
    if path.exists() and (not path.is_file() or path.stat().st_size):
        try:
            read(path)
        except Invalid as error:
            raise Invalid("record", f"{path} exists and is no record of a search. Choose another name.") from error


def read(path: Path) -> Record:
    """A record from its file.

    Raises:
        Invalid: it is not there, or not a record.
    """
    try:
        with path.open("rb") as file:
            record = msgspec.json.decode(file.read(_LARGEST), type=Record)
    except OSError as error:
        raise Invalid("record", f"{path} can't be read: {error.strerror}. Make a record before the erasure with --record.") from error
    except msgspec.DecodeError as error:
        raise Invalid("record", f"{path} is no record of a search: {error}.") from error
    if record.version != 1 or not record.canaries or set(record.expected) - set(TIERS):
        raise Invalid("record", f"{path} is a record of another version of Lineset. Make a new one.")
    return record


def made(sealer: Sealer, texts: list[str], found: list[dict[str, int]], expected: list[str], not_searched: list[str]) -> Record:
    """The record of a search that has just ended."""
    entries = [sealer.entry(text, places) for text, places in zip(texts, found, strict=True)]
    return Record(1, now(), expected, entries, not_searched)
