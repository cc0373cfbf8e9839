"""The words of the mails that accounts cause, from `mails.yaml`, in the reader's language."""

from collections.abc import Iterable
from importlib import resources

import msgspec

from lineset.messaging import MailWords, fill_words

LANGUAGES = ("en", "es")
UNITS = ("us", "metric")


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything by language, the mails by kind first."""

    roles: dict[str, dict[str, str]]
    scopes: dict[str, dict[str, str]]
    deeds: dict[str, dict[str, str]]
    open_end: dict[str, str]
    mails: dict[str, dict[str, MailWords]]


_WORDS = msgspec.yaml.decode(resources.files("lineset.accounts").joinpath("mails.yaml").read_bytes(), type=_Words)


def mail_kinds() -> tuple[str, ...]:
    """Every kind of mail that has words."""
    return tuple(_WORDS.mails)


def mail_words(kind: str, language: str, **values: str) -> tuple[str, str]:
    """Subject line and text of that kind of mail; English where the language is unknown."""
    return fill_words(_WORDS.mails[kind], language, values)


def role_word(role: str, language: str) -> str:
    """A role in that language."""
    return _WORDS.roles.get(language, _WORDS.roles["en"])[role]


def scope_words(scopes: Iterable[str], language: str) -> str:
    """What a company may do, as a list in that language."""
    words = _WORDS.scopes.get(language, _WORDS.scopes["en"])
    return "; ".join(word for scope, word in words.items() if scope in set(scopes))


def deed_words(deed: str, language: str) -> str:
    """What a company did about a member, in that language, as the middle of a sentence."""
    return _WORDS.deeds.get(language, _WORDS.deeds["en"])[deed]


def open_end(language: str) -> str:
    """What stands for the end of a grant that has none."""
    return _WORDS.open_end.get(language, _WORDS.open_end["en"])
