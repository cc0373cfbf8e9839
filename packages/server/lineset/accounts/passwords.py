"""Passwords: what is refused, and how they are kept.

Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet, 2023). Hashing runs in threads of its own, at most four
at once, so that neither the event loop nor the memory suffers from a flood of sign-ins.
"""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import resources
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lineset.kit.errors import Invalid

LEAST, MOST = 10, 256
"""Characters."""

T = TypeVar("T")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="argon2")
_NOBODY = _HASHER.hash("nobody has this password")

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "01234567890",
)
_COMMON = frozenset(resources.files("lineset.accounts").joinpath("common_passwords.txt").read_text().split())
_LOOKALIKES = str.maketrans("@4310$5!7", "aaeiossit")
_DECORATION = "0123456789!?.,;:-_+*#$%&/()=@ "


def check_password(password: str, email: str = "") -> None:
    """Refuse passwords that guessing finds first.

    Raises:
        Invalid: shorter than 10 or longer than 256 characters, among the commonest, or made of the e-mail address.
    """
    if len(password) < LEAST:
        raise Invalid("short_password", f"A password needs at least {LEAST} characters. A few words in a row do well.", "password")
    if len(password) > MOST:
        raise Invalid("long_password", f"A password may have at most {MOST} characters.", "password")
    folded = unicodedata.normalize("NFKC", password).casefold()
    local = unicodedata.normalize("NFKC", email).casefold().partition("@")[0].strip()
    if len(local) >= 3 and local in folded:
        raise Invalid("own_password", "The password contains your e-mail address. Choose one that others can't guess.", "password")
    if _common(folded):
        raise Invalid("common_password", "This password is among the first that are guessed. Choose another.", "password")


def _common(folded: str) -> bool:
    """Whether it is a well-known word with decoration, a walk along the keyboard, or the same few characters again and again."""
    if len(set(folded)) <= 3:
        return True
    if any(folded in row * 3 or folded in row[::-1] * 3 for row in _ROWS):
        return True
    plain, spelt = folded.strip(_DECORATION), folded.rstrip(_DECORATION).translate(_LOOKALIKES).strip(_DECORATION)
    cores = {plain, spelt, folded.translate(_LOOKALIKES).strip(_DECORATION)}
    for core in cores:
        half = core[: len(core) // 2]
        if core in _COMMON or len(core) < 4 or (core == half * 2 and half in _COMMON):
            return True
        if len(core) >= 6 and any(core in row * 2 or core in row[::-1] * 2 for row in _ROWS):
            return True
    return False


async def hash_password(password: str) -> str:
    """The Argon2id hash with its salt and parameters, of the password in NFKC."""
    return await _in_thread(partial(_HASHER.hash, unicodedata.normalize("NFKC", password)))


async def verify_password(kept: str | None, password: str) -> bool:
    """Whether the password has that hash. Takes as long where there is none, so that time tells nobody who has an account."""
    text = unicodedata.normalize("NFKC", password)[: MOST + 1]
    return await _in_thread(partial(_verify, kept, text))


def outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def _verify(kept: str | None, text: str) -> bool:
    try:
        _HASHER.verify(kept or _NOBODY, text)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


async def _in_thread(work: "partial[T]") -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)
