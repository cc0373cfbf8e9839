"""Claim codes and tokens: made here, shown once, kept only as keyed digests."""

import secrets
import string
from uuid import UUID

import msgspec

from lineset.kit.errors import Invalid
from lineset.privacy import Vault

# Crockford's Base32 (https://www.crockford.com/base32.html): no I, L, O or U; the look-alikes are read as what was meant.
_CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans({"I": "1", "L": "1", "O": "0"})
_CODE_LENGTH = 16  # 80 bits
_TOKEN_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TOKEN_LENGTH = 43  # 256 bits
TOKEN_PREFIX = "lsd_"  # noqa: S105 - the beginning that all tokens of devices share


class ClaimCode(msgspec.Struct, frozen=True):
    """A claim code as it is shown once, such as "7K2M-…"; `expires_at` in seconds since 1970, None for a code printed on a box."""

    gateway: UUID
    code: str
    expires_at: float | None


def make_code() -> str:
    """A new claim code: four groups of four characters, 80 random bits."""
    text = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(text[i : i + 4] for i in range(0, _CODE_LENGTH, 4))


def make_token() -> str:
    """A new token for a device: `lsd_` and 43 characters, 256 random bits."""
    return TOKEN_PREFIX + "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(_TOKEN_LENGTH))


def fold_code(typed: str) -> str:
    """The code that was meant: case, spaces and hyphens do not count, and look-alikes are read as what they look like.

    Raises:
        Invalid: it can't be a claim code.
    """
    folded = "".join(c for c in typed.upper() if not c.isspace() and c not in "-_\N{EN DASH}\N{EM DASH}").translate(_MEANT)
    if len(folded) != _CODE_LENGTH or any(c not in _CODE_ALPHABET for c in folded):
        raise Invalid(
            "bad_code", "That is not a claim code. It has four groups of four letters or digits, such as 7K2M-9QXC-4TVB-1HND.", "code"
        )
    return folded


def code_digest(vault: Vault, typed: str) -> bytes:
    """The keyed digest under which a claim code is kept.

    Raises:
        Invalid: it can't be a claim code.
    """
    return vault.text_digest("claim code", fold_code(typed))


def token_digest(vault: Vault, token: str) -> bytes:
    """The keyed digest under which a device's token is kept."""
    return vault.text_digest("gateway token", token)


def enrolment_link(url: str, code: str) -> str:
    """What the QR code of a claim code says. The code stands behind the #, so that it stays out of every server's log."""
    return f"{url.rstrip('/')}/enrol#{code}"
