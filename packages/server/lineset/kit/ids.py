"""Identifiers: UUID version 7 (RFC 9562, section 5.7), made in Python so that any PostgreSQL from 15 serves."""

import secrets
import time
import uuid


def new_id(at: float | None = None) -> uuid.UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then random bits, so that keys made later sort later.

    `at` is seconds since 1970; the present when absent.
    """
    milliseconds = int((time.time() if at is None else at) * 1000)
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def parse_id(text: str) -> uuid.UUID | None:
    """The id that the text spells in its canonical form, or None: callers answer "not found", never an error page."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
