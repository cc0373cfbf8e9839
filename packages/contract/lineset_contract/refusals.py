"""Why something is refused: codes with a sentence in each language, the same for devices, people and pages."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

import msgspec

from lineset_contract.points import POINTS
from lineset_contract.profiles import profile
from lineset_contract.units import symbol

Value = str | int | float

LANGUAGES = ("en", "es")


class Refusal(msgspec.Struct, frozen=True):
    """One refusal. `say` is the English sentence; `values` fill the sentence of another language."""

    code: str
    say: str
    values: Mapping[str, Value]

    def sentence(self, language: str) -> str:
        """The sentence for a person, in a language of `LANGUAGES` (English for any other): points by their label,
        units by their symbol. `values` stay as they were, for a page that converts units."""
        texts = SENTENCES[self.code]
        language = language if language in texts else "en"
        return _fill(texts[language], {name: _spoken(name, value, language) for name, value in self.values.items()})


def _load(name: str) -> Mapping[str, Mapping[str, str]]:
    text = files("lineset_contract").joinpath(name).read_bytes()
    lines = msgspec.yaml.decode(text, type=dict[str, dict[str, str]])
    return MappingProxyType({code: MappingProxyType(texts) for code, texts in lines.items()})


SENTENCES: Mapping[str, Mapping[str, str]] = _load("refusals.yaml")
"""Sentence templates by code and language."""
WORDS: Mapping[str, Mapping[str, str]] = _load("words.yaml")
"""Words for whose limit it is, by name and language."""


def refuse(code: str, **values: Value) -> Refusal:
    """A refusal of a known code, its sentence filled.

    Raises KeyError for a code or a placeholder that refusals.yaml does not have: that is a mistake of the caller.
    """
    plain = {name: _named(name, value, "en") for name, value in values.items()}
    return Refusal(code=code, say=_fill(SENTENCES[code]["en"], plain), values=MappingProxyType(dict(values)))


def _named(name: str, value: Value, language: str) -> Value:
    if name == "whose" or name.endswith("_whose"):
        return WORDS[str(value)][language]
    if name == "machine":
        return profile(str(value)).label[language]
    return value


def _spoken(name: str, value: Value, language: str) -> Value:
    if name == "unit":
        return symbol(str(value))
    if name in {"setting", "point", "other"} and value in POINTS:
        return POINTS[str(value)].label[language]
    return _named(name, value, language)


def _fill(template: str, values: Mapping[str, Value]) -> str:
    return template.format_map({name: _text(value) for name, value in values.items()})


def _text(value: Value) -> str:
    # What a device sent is quoted back to it: short, one line, no control characters.
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= 300 else text[:299] + "…"
