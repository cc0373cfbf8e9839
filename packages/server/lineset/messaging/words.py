"""Words of mails, kept by each caller in a YAML file of its own: by kind, then by language."""

from collections.abc import Mapping

import msgspec

_URL = {"url": "{url}"}  # stays a placeholder: filled in when the mail goes out


class MailWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Subject line and text of one mail in one language, with {placeholders}."""

    subject: str
    text: str


def fill_words(words: Mapping[str, MailWords], language: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject line and text with `values` in them, each brought into one line; English where the language is unknown."""
    chosen = words.get(language) or words["en"]
    one_line = {name: " ".join(value.split()) for name, value in values.items()}
    return chosen.subject.format_map(one_line), chosen.text.format_map({**one_line, **_URL})
