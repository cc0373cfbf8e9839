"""Who saw it and who received it, as pages show it: one line a person and thing, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lineset import gateways, sites
from lineset.privacy import Purpose, Seen
from lineset.privacy.egress import Disclosure

from .actions import seen_words
from .desk import At
from .edge import Ask, edge
from .reader import Reader
from .refusals import marked

RECENT_DAYS = 30
_ROLES = {
    "manager": marked("manager"),
    "dispatcher": marked("dispatcher"),
    "technician": marked("technician"),
    "operator": marked("operator"),
    "support": marked("support"),
    "privacy_officer": marked("privacy officer"),
    "security": marked("security"),
    "analyst": marked("analyst"),
}
_OUTCOMES = {"taken": "", "refused": marked("It was refused there."), "begun": marked("Nobody knows whether it arrived.")}


class LookLine(msgspec.Struct, frozen=True):
    """A look by somebody else. `times` is "" where it was one."""

    who: str
    what: str
    reason: str
    when: str
    times: str


class ReceivedLine(msgspec.Struct, frozen=True):
    """Something that was passed on."""

    who: str
    what: str
    when: str


async def thing_names(request: Ask, at: At) -> Mapping[UUID, str]:
    """Names of the household's sites, machines and gateways, by id."""
    names: dict[UUID, str] = {}
    if at.household is None:
        return names
    async with edge(request).door.open(at.who.acts(Purpose.OPERATE)) as tx:
        for site in await sites.list_sites(tx, household_id=at.household.id):
            names[site.id] = site.name
            names |= {machine.id: machine.name for machine in site.equipment}
        names |= {g.id: g.name for g in await gateways.list_gateways(tx)}
    return names


def look_lines(reader: Reader, seen: Sequence[Seen], names: Mapping[UUID, str], moment: datetime) -> tuple[LookLine, ...]:
    """Looks, newest first."""
    return tuple(_look(reader, s, names, moment) for s in seen)


def people_lately(seen: Sequence[Seen], moment: datetime) -> int:
    """How many people looked in the last 30 days."""
    return len({s.person or s.who for s in seen if (moment - s.last_at).days < RECENT_DAYS})


def received_lines(reader: Reader, found: Sequence[Disclosure], moment: datetime) -> tuple[ReceivedLine, ...]:
    """What was passed on, newest first."""
    return tuple(_received(reader, d, moment) for d in found)


def _look(reader: Reader, seen: Seen, names: Mapping[UUID, str], moment: datetime) -> LookLine:
    who = seen.who or reader.gettext("Somebody whose account is gone")
    role = reader.gettext(_ROLES[seen.role]) if seen.role in _ROLES else seen.role
    works = f"{seen.company}, {role}" if seen.company and role else seen.company or role
    what = seen_words(reader, seen, names)
    times = reader.ngettext("%(n)s time", "%(n)s times", seen.times) if seen.times > 1 else ""
    return LookLine(f"{who}, {works}" if works else who, what[:1].upper() + what[1:], seen.reason, reader.when(seen.last_at, moment), times)


def _received(reader: Reader, found: Disclosure, moment: datetime) -> ReceivedLine:
    what = ". ".join(part for part in (found.what, ", ".join(found.fields)) if part)
    outcome = _OUTCOMES.get(found.outcome, "")
    return ReceivedLine(found.recipient, f"{what}. {reader.gettext(outcome)}" if outcome else what, reader.when(found.at, moment))
