"""The words of the mails that accounts cause, from `mails.yaml`, in the reader's language."""

from importlib import resources

import msgspec

LANGUAGES = ("en", "es")
UNITS = ("us", "metric")


class MailWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Subject line and text of one mail, with {placeholders}."""

    subject: str
    text: str


_WORDS = msgspec.yaml.decode(
    resources.files("lineset.accounts").joinpath("mails.yaml").read_bytes(), type=dict[str, dict[str, MailWords]], strict=True
)
_URL = {"url": "{url}"}  # stays a placeholder: messaging fills it in when the mail goes out


def mail_kinds() -> tuple[str, ...]:
    """Every kind of mail that has words."""
    return tuple(_WORDS)


def mail_words(kind: str, language: str, **values: str) -> tuple[str, str]:
    """Subject line and text of that kind of mail; English where the language is unknown."""
    words = _WORDS[kind].get(language) or _WORDS[kind]["en"]
    one_line = {name: " ".join(value.split()) for name, value in values.items()}
    return words.subject.format_map(one_line), words.text.format_map({**one_line, **_URL})
