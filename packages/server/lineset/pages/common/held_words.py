"""Words for what declarations name: columns, what a time to keep counts from, and values that stand for something."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lineset.accounts import describe_agent
from lineset.privacy import Retention
from lineset.privacy.inventory import Holder, Kind
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES, Purpose

from .reader import Reader
from .refusals import marked

COLUMNS = {
    "accepted_at": marked("Accepted"),
    "address": marked("Address"),
    "agent": marked("Browser"),
    "args": marked("Asked for"),
    "asked_at": marked("Asked"),
    "at": marked("When"),
    "birth_year": marked("Birth year"),
    "browser": marked("Browser"),
    "business": marked("Business"),
    "capacity_w": marked("Rated capacity, W"),
    "chosen_at": marked("Chosen"),
    "claimed_at": marked("Claimed"),
    "code": marked("Reason"),
    "count": marked("How often"),
    "created_at": marked("Made"),
    "desired": marked("Handed down"),
    "detail": marked("Details"),
    "email": marked("E-mail"),
    "ended_at": marked("Ended"),
    "ends_at": marked("Ends"),
    "enrolled_at": marked("Enrolled"),
    "equipment": marked("Machine"),
    "equipment_id": marked("Machine"),
    "fingerprint": marked("Fingerprint"),
    "first_at": marked("First seen"),
    "first_seen_at": marked("First seen"),
    "format": marked("File"),
    "found_at": marked("Found"),
    "fuel": marked("Fuel"),
    "gateway_id": marked("Gateway"),
    "gender": marked("Gender"),
    "granted_at": marked("Given"),
    "id": marked("Number"),
    "installed_on": marked("Installed"),
    "installer": marked("Installed by"),
    "refrigerant": marked("Refrigerant"),
    "kind": marked("Kind"),
    "label": marked("Your word for it"),
    "language": marked("Language"),
    "last_at": marked("Last seen"),
    "last_seen_at": marked("Last seen"),
    "last_used_at": marked("Last used"),
    "limits": marked("Limits"),
    "local_name": marked("Name at the gateway"),
    "make": marked("Make"),
    "message": marked("What it said"),
    "model": marked("Model"),
    "name": marked("Name"),
    "offered_at": marked("Offered"),
    "online": marked("Online"),
    "organisation_id": marked("Company"),
    "page": marked("Page"),
    "place": marked("Where it stands"),
    "placed_at": marked("Since"),
    "point": marked("Point"),
    "points": marked("Points"),
    "raw_days": marked("Days kept"),
    "reason": marked("Reason"),
    "refusal": marked("Why refused"),
    "reported_at": marked("Reported"),
    "retired_at": marked("Retired"),
    "revoked_at": marked("Taken back"),
    "role": marked("Role"),
    "say": marked("What it said"),
    "scope": marked("May"),
    "sender_company_id": marked("Company"),
    "sender_id": marked("By"),
    "serial_number": marked("Serial number"),
    "settings": marked("Settings"),
    "settled_at": marked("Settled"),
    "since": marked("From"),
    "site_id": marked("Site"),
    "started_at": marked("Since"),
    "starts_at": marked("From"),
    "state": marked("State"),
    "status": marked("State"),
    "t": marked("When"),
    "time_zone": marked("Time zone"),
    "title": marked("What"),
    "to": marked("To"),
    "type": marked("Type"),
    "units": marked("Units"),
    "until": marked("Until"),
    "value": marked("Value"),
    "verified_at": marked("E-mail confirmed"),
    "version": marked("Version"),
    "way": marked("By"),
    "zone_id": marked("Part of the site"),
}
ANCHORS = {
    "account closed": marked("as long as your account"),
    "household deleted": marked("as long as your household is here"),
    "erasure": marked("until you are erased"),
    "browser closed": marked("until you close the browser"),
    "replaced": marked("until the next one replaces it"),
    "stored": marked("until it is stored"),
    "delivered": marked("until it is delivered"),
    "download deleted": marked("until the download is deleted"),
}
_CODED = ("kind", "role", "scope", "state", "status", "units", "type", "way", "format")
_MOST_TEXT = 300
_YEAR = 365.25


def column_word(reader: Reader, column: str) -> str:
    """What a column is called for people; its own name, spelt out, where nobody gave it another."""
    name = column.removesuffix("_sealed")
    if name in COLUMNS:
        return reader.gettext(COLUMNS[name])
    return name.removesuffix("_at").removesuffix("_id").replace("_", " ").capitalize()


def value_words(reader: Reader, column: str, value: Any, names: Mapping[UUID, str], moment: datetime) -> str:
    """A value as people read it; "" for a number that names nothing they know."""
    if isinstance(value, datetime):
        return reader.when(value, moment)
    if isinstance(value, date):
        return reader.day(value)
    if isinstance(value, bool):
        return reader.gettext("Yes") if value else reader.gettext("No")
    if isinstance(value, int | float):
        return str(value) if column.endswith("year") else reader.number(value, 0 if float(value).is_integer() else 2)
    if isinstance(value, UUID):
        return names.get(value, "")
    if isinstance(value, dict | list | tuple):
        return _flat(value)[:_MOST_TEXT]
    if column == "agent":
        return describe_agent(str(value))
    text = str(value)
    return reader.gettext(text) if column in _CODED else text[:_MOST_TEXT]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_flat(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_flat(inner) for inner in value)
    return str(value)


def until_words(reader: Reader, retention: Retention) -> str:
    """When something goes by itself."""
    if retention.days:
        return reader.gettext("each gone after %(time)s", time=time_words(reader, retention.days))
    return reader.gettext(ANCHORS[retention.anchor]) if retention.anchor in ANCHORS else reader.gettext("gone as soon as it is not needed")


def kind_until(reader: Reader, kind: Kind) -> str:
    """When a kind goes by itself: what is kept longest, and where some has no time of its own, what ends it."""
    days = max((h.retention.days or 0 for h in kind.holders if not h.open_ended), default=0)
    lasting = next((h for h in kind.holders if h.open_ended), None)
    if lasting is None:
        return until_words(reader, max(kind.holders, key=lambda h: h.retention.days or 0).retention)
    end = until_words(reader, lasting.retention)
    return reader.gettext("%(time)s, some %(lasting)s", time=time_words(reader, days), lasting=end) if days else end


def time_words(reader: Reader, days: int) -> str:
    """A time to keep in days, or in years where it is whole ones."""
    years = round(days / _YEAR)
    if years and abs(days - years * _YEAR) <= 1:
        return reader.ngettext("%(n)s year", "%(n)s years", years)
    return reader.ngettext("%(n)s day", "%(n)s days", days)


def categories_words(reader: Reader, categories: tuple[str, ...]) -> str:
    """What a kind is made of, as a list with a capital."""
    text = ", ".join(reader.gettext(CATEGORIES[c]) for c in categories)
    return text[:1].upper() + text[1:]


def purpose_words(reader: Reader, purposes: tuple[Purpose, ...], most: int = 3) -> str:
    """Why, by the titles of the purposes."""
    titles = (reader.gettext(PURPOSES[p].title) for p in purposes[:most])
    return ", ".join(title[:1].lower() + title[1:] for title in titles)


def source_words(reader: Reader, holder: Holder) -> str:
    """Where it comes from."""
    return ", ".join(reader.gettext(source) for source in holder.sources)
