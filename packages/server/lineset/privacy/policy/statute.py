"""The law's words for our categories, in one place.

Letters are those of Cal. Civ. Code § 1798.140(v)(1) ("personal information"); `sensitive` names the paragraph of § 1798.140(ae) ("sensitive
personal information") that a category falls under. A category without a line here can't be published, and fails the build.
"""

from dataclasses import dataclass
from typing import Final


def say(text: str) -> str:
    """Marks a sentence for the catalogues."""
    return text


LETTERS: Final[dict[str, str]] = {
    "A": say("Identifiers, such as a name, postal address, online identifier, network address or e-mail address"),
    "B": say("Records of a customer, such as a name, address or telephone number (§ 1798.80(e))"),
    "C": say("Characteristics of classes that the law protects, such as age, gender or language"),
    "D": say("Commercial information: records of personal property, products or services"),
    "E": say("Biometric information"),
    "F": say("Internet or other electronic network activity, such as use of a site or app"),
    "G": say("Geolocation data"),
    "H": say("Audio, electronic, visual, thermal or similar information"),
    "I": say("Professional or employment-related information"),
    "J": say("Education information"),
    "K": say("Inferences drawn from other information"),
    "L": say("Sensitive personal information"),
}
"""Paragraphs (A) to (L) of § 1798.140(v)(1), in short."""


@dataclass(frozen=True, slots=True)
class Statutory:
    """Where the law puts a category: letters of (v)(1), and the paragraph of (ae) if it is sensitive. No letters: not about anybody."""

    letters: tuple[str, ...]
    sensitive: str = ""


NOWHERE: Final = Statutory(())


def _at(letters: str, sensitive: str = "") -> Statutory:
    return Statutory(tuple(letters) + (("L",) if sensitive and "L" not in letters else ()), sensitive)


STATUTORY: Final[dict[str, Statutory]] = {
    "system.operations": _at(""),
    "user.unique_id": _at("A"),
    "user.name": _at("AB"),
    "user.contact.email": _at("A"),
    "user.contact.phone_number": _at("AB"),
    "user.contact.address": _at("AB"),
    "user.demographic.age_range": _at("C"),
    "user.demographic.gender": _at("C"),
    "user.demographic.language": _at("C"),
    "user.settings": _at("F"),
    "user.authorization.credentials": _at("B", "(ae)(1)(B)"),
    "user.account.username": _at("A"),
    "user.device.ip_address": _at("AF"),
    "user.device.device_id": _at("AF"),
    "user.behavior": _at("F"),
    "user.content.private": _at("F", "(ae)(1)(E)"),
    "user.workplace": _at("I"),
    "user.location.imprecise": _at("G"),
    "user.location.precise": _at("G", "(ae)(1)(C)"),
    "equipment.identity": _at("D"),
    "equipment.placement": _at("D"),
    "equipment.setting": _at("H"),
    "equipment.measurement": _at("H"),
    "equipment.event": _at("H"),
    "occupancy.presence": _at("HK"),
    "derived.inference": _at("K"),
}
"""By category of the vocabulary. It may know categories that are not in use."""
