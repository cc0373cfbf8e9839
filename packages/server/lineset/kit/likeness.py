"""Which troubles are the same trouble: text without its numbers and names, and a fingerprint of what is left."""

import hashlib
import re
from collections.abc import Iterable

MAX_TEXT = 300
_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"  # ids
    r"|[\w.+-]+@[\w-]+\.[\w.]+"  # e-mail addresses
    r"|https?://\S+"
    r"|\"[^\"]{0,200}\"|'[^']{0,200}'|`[^`]{0,200}`|“[^”]{0,200}”"  # what was typed or named
    r"|\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{6,}\b"  # digests, addresses in memory
    r"|[-+]?\d[\d.,:]*"
)
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_CLASS = re.compile(r"[A-Za-z_][\w.]{0,59}")


def plain(text: object) -> str:
    """The text in one line of printable characters, at most 300; other things than text are none."""
    whole = text[: 4 * MAX_TEXT] if isinstance(text, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())[:MAX_TEXT]


def without_particulars(text: object) -> str:
    """The text with `#` for numbers, ids, addresses and whatever stands in quotes: equal for equal troubles, and without names of people.

    An apostrophe within a word begins no quotation.
    """
    return " ".join(_VARIABLE.sub("#", re.sub(r"(?<=\w)'(?=\w)", "’", plain(text))).split())


def code_word(value: object) -> str:
    """A code such as `bad_json`; empty for anything else, such as a sentence."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def class_name(value: object) -> str:
    """The name of a class of errors, such as `ValueError`; empty for anything else."""
    return value if isinstance(value, str) and _CLASS.fullmatch(value) else ""


def fingerprint(*parts: str | Iterable[str]) -> str:
    """Sixteen hexadecimal characters (64 bits of SHA-256) that are the same for the same parts."""
    flat = [part if isinstance(part, str) else "\x1f".join(part) for part in parts]
    return hashlib.sha256("\x1e".join(flat).encode()).hexdigest()[:16]
