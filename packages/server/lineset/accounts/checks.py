"""What people type about themselves, checked and brought into one form."""

import re
import unicodedata

from lineset.accounts.words import LANGUAGES, UNITS
from lineset.kit.clock import is_time_zone, now
from lineset.kit.errors import Invalid
from lineset.privacy import fold_email

_EMAIL = re.compile(r"[^\s@<>\"(),;:\\\[\]]{1,64}@[^\s@<>\"(),;:\\\[\]]{1,190}")
_LINK = re.compile(r"://|www\.|https?:", re.IGNORECASE)
CONTACT_KINDS = ("mailing", "residence", "billing", "facility", "other", "phone")
"""Kinds of a person's contacts: five of addresses, and telephone numbers."""


def clean_line(text: str, field: str, *, what: str, most: int = 80, least: int = 1) -> str:
    """One line without surrounding space or control characters.

    Raises:
        Invalid: it is shorter or longer than allowed, has control characters, or holds a web address (names go into mails to others).
    """
    line = unicodedata.normalize("NFC", text).strip()
    if len(line) < least:
        raise Invalid("missing", f"Give {what}.", field)
    if len(line) > most:
        raise Invalid("too_long", f"Give {what} in at most {most} characters.", field)
    if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in line) or _LINK.search(line):
        raise Invalid("bad_text", f"Give {what} in one line, without control characters or web addresses.", field)
    return line


def clean_email(address: str, field: str = "email") -> str:
    """The address as mail goes to it: folded as `fold_email` does.

    Raises:
        Invalid: mail could not reach it.
    """
    folded = fold_email(address)
    if not _EMAIL.fullmatch(folded) or ".." in folded:
        raise Invalid("bad_email", "Give an e-mail address such as name@example.com.", field)
    return folded


def check_language(language: str) -> str:
    """Raises Invalid unless pages and mails speak it."""
    if language not in LANGUAGES:
        raise Invalid("bad_language", f"Choose one of these languages: {', '.join(LANGUAGES)}.", "language")
    return language


def check_units(units: str) -> str:
    """Raises Invalid unless it is a system of units that pages can show."""
    if units not in UNITS:
        raise Invalid("bad_units", f"Choose one of these systems of units: {', '.join(UNITS)}.", "units")
    return units


def check_time_zone(zone: str | None) -> str | None:
    """Raises Invalid unless the zone is in the tz database; None and "" leave it to each site's own."""
    if zone and not is_time_zone(zone):
        raise Invalid("bad_time_zone", "Choose a time zone such as America/Denver.", "time_zone")
    return zone or None


def check_birth_year(year: int | None) -> int | None:
    """Raises Invalid unless it is the birth year of a living person old enough for an account (16)."""
    if year is not None and not now().year - 120 <= year <= now().year - 16:
        raise Invalid("bad_birth_year", "Give a birth year of somebody at least 16 years old, or leave it empty.", "birth_year")
    return year
