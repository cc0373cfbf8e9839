"""The words in which data is declared: categories, purposes, sensitivity, retention, and the platform's own actors.

Categories are keys of the Fides taxonomy (fideslang, "data categories") and of Lineset's extension of it:
`equipment.*` for what machines measure and are set to, `occupancy.*` for what tells when people are at home.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Purpose(StrEnum):
    """Why data is processed. Nothing personal is read or written without one."""

    ACCOUNT = "account"
    SECURITY = "security"
    OPERATE = "operate"
    COMMUNICATE = "communicate"
    SERVICE = "service"
    SUPPORT = "support"
    ADMINISTER = "administer"
    RIGHTS = "rights"
    KEEP = "keep"
    NEWS = "news"
    LOCATION = "location"
    PRESENCE = "presence"
    OFFERS = "offers"
    ANALYTICS = "analytics"
    FLEET_MODELS = "fleet_models"
    SHARE = "share"


Basis = Literal["contract", "legal", "security", "consent"]
"""Why the law allows a purpose: the service asked for, a duty of law, the safety of all, or a yes that can be taken back."""


@dataclass(frozen=True, slots=True)
class PurposeText:
    """A purpose in words for people, and on what it rests."""

    title: str
    say: str
    basis: Basis = "contract"

    @property
    def consent(self) -> bool:
        """Whether it waits for a yes."""
        return self.basis == "consent"


PURPOSES: dict[Purpose, PurposeText] = {
    Purpose.ACCOUNT: PurposeText("Your account", "Make your account, keep it, and let you see and correct it."),
    Purpose.SECURITY: PurposeText("Security", "Let you in, keep others out, and find abuse.", "security"),
    Purpose.OPERATE: PurposeText("Run your equipment", "Show you what your equipment does and carry out what you ask of it."),
    Purpose.COMMUNICATE: PurposeText("Messages", "Send the mails that you asked for or that your account needs."),
    Purpose.SERVICE: PurposeText("Your contractor's service", "Let the companies to which you gave access look after your equipment."),
    Purpose.SUPPORT: PurposeText(
        "Help from our staff", "Let a named member of staff look at your home, for a stated reason and a limited time."
    ),
    Purpose.ADMINISTER: PurposeText("Run the platform", "Set the platform up and keep its companies and devices in order."),
    Purpose.RIGHTS: PurposeText("Your rights", "Show, hand over, correct and delete what is yours, and prove that it was done.", "legal"),
    Purpose.KEEP: PurposeText("Keep and delete on time", "Delete what has reached its time and keep what was accepted.", "legal"),
    Purpose.NEWS: PurposeText("News by mail", "Send news to people who subscribed and confirmed it.", "consent"),
    Purpose.LOCATION: PurposeText("Location", "Use where a site or device is, for weather and sunrise.", "consent"),
    Purpose.PRESENCE: PurposeText("Presence", "Use whether somebody is at home, to save when nobody is.", "consent"),
    Purpose.OFFERS: PurposeText("Personal offers", "Choose offers by what your equipment needs.", "consent"),
    Purpose.ANALYTICS: PurposeText("Use of our pages", "Count which pages and functions are used, to make them better.", "consent"),
    Purpose.FLEET_MODELS: PurposeText("Learning from the fleet", "Let models of makes and models learn from your readings.", "consent"),
    Purpose.SHARE: PurposeText("Sharing with others", "Pass named data on to a named recipient.", "consent"),
}

CATEGORIES: dict[str, str] = {
    "system.operations": "the platform's own working data",
    "user.unique_id": "random identifiers of a person or household",
    "user.name": "names",
    "user.contact.email": "e-mail addresses",
    "user.contact.phone_number": "phone numbers",
    "user.contact.address": "street and postal addresses",
    "user.demographic.age_range": "birth year",
    "user.demographic.gender": "gender",
    "user.demographic.language": "language",
    "user.settings": "choices and preferences",
    "user.authorization.credentials": "secrets for signing in, kept only as digests",
    "user.account.username": "the name of an account",
    "user.device.ip_address": "network addresses",
    "user.device.device_id": "identifiers and versions of browsers, apps and devices",
    "user.behavior": "what a person did and when",
    "user.content.private": "content of messages",
    "user.workplace": "the company that somebody works for, and as what",
    "user.location.imprecise": "time zone and region",
    "user.location.precise": "latitude and longitude",
    "equipment.identity": "type, make, model and serial number of machines",
    "equipment.placement": "where a machine stands, in words",
    "equipment.setting": "settings, limits and commands",
    "equipment.measurement": "what machines measure",
    "equipment.event": "errors, starts and refusals of machines and gateways",
    "occupancy.presence": "when somebody is at home",
    "derived.inference": "what we conclude from other data",
}


class Sensitivity(StrEnum):
    """How much harm a leak does; `SENSITIVE` is what CCPA-like laws name so."""

    NONE = "none"
    ORDINARY = "ordinary"
    PRIVATE = "private"
    SENSITIVE = "sensitive"


class Subject(StrEnum):
    """Whose data it is."""

    PERSON = "person"
    HOUSEHOLD = "household"
    WORKER = "worker"
    TAG = "tag"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long: `days` after `anchor` (a column of the table, or an event such as "account closed"); None: as long as the anchor lasts."""

    anchor: str
    days: int | None = None


WHILE_ACCOUNT = Retention("account closed", 0)
WHILE_HOUSEHOLD = Retention("household deleted", 0)

SYSTEM_ACTORS: dict[str, frozenset[Purpose]] = {
    "authentication": frozenset({Purpose.SECURITY, Purpose.ACCOUNT}),
    "enrolment": frozenset({Purpose.SECURITY}),
    "ingest": frozenset({Purpose.OPERATE, Purpose.LOCATION}),
    "import": frozenset({Purpose.OPERATE}),
    "delivery": frozenset({Purpose.OPERATE}),
    "mail": frozenset({Purpose.COMMUNICATE}),
    # Moves a site or machine between two households that both agreed: neither may write what is the other's.
    "transfer": frozenset({Purpose.OPERATE}),
    "housekeeping": frozenset({Purpose.KEEP}),
    # Moves measurements of closed days into history, sums them up, and deletes them when their time is over or their people say so.
    "history": frozenset({Purpose.KEEP}),
    # Finds faults in what machines measure, and counts what technicians made of them where households let the fleet's models learn.
    "diagnosis": frozenset({Purpose.OPERATE, Purpose.FLEET_MODELS}),
    # Learns models of makes and models from the machines of households that say yes to it, and from no others.
    "training": frozenset({Purpose.FLEET_MODELS}),
    # Counts who has access, for the dated review.
    "review": frozenset({Purpose.SECURITY}),
    # Erases what people want gone, from every table: its policy stands beside those that the tables declare.
    "erasure": frozenset({Purpose.KEEP}),
    # Searches everything for what was erased. Only the owner of the database sees rows in this role.
    "probe": frozenset({Purpose.KEEP}),
    # Copies everything into backups, as the owner of the database, and notes and ends those copies.
    "backup": frozenset({Purpose.KEEP}),
    "setup": frozenset({Purpose.ADMINISTER, Purpose.ACCOUNT, Purpose.OPERATE}),
}
"""The platform's own actors, each with the purposes it may name. A test counts them; there is no general one."""
