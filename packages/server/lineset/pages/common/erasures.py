"""Requests to delete, and what they would do, as pages show them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lineset.privacy import Erasure, Plan
from lineset.privacy.vocabulary import CATEGORIES

from .reader import Reader
from .refusals import marked

_KINDS = {
    "account": marked("Your account"),
    "household": marked("The household"),
    "site": marked("Site"),
    "machine": marked("Machine"),
    "device": marked("Gateway"),
    "item": marked("One entry"),
}
_STEPS = {
    "hide": marked("Hidden from all pages"),
    "remember": marked("Kept in mind, so that no backup brings it back"),
    "tell": marked("Recipients told to delete it"),
    "downloads": marked("Downloads that have it deleted"),
    "measurements": marked("Measurements deleted"),
    "streams": marked("Messages on their way deleted"),
    "rows": marked("Entries in the database deleted"),
    "files": marked("Files deleted"),
    "keys": marked("Keys destroyed: what they sealed can't be read again, in any copy"),
    "rewrite": marked("What had the bytes written anew"),
    "probe": marked("Searched everywhere: no trace found"),
    "certify": marked("Certificate made"),
}
_MOST_CATEGORIES = 4


class StepLine(msgspec.Struct, frozen=True):
    """A step; `when` is "" while it is still to come."""

    word: str
    when: str
    count: str


class RequestLine(msgspec.Struct, frozen=True):
    """A request and how far it is."""

    id: str
    title: str
    say: str
    state: str
    asked: str
    open: bool
    may_keep: bool
    share: float
    steps: tuple[StepLine, ...]
    certificate: bool


class PlanLine(msgspec.Struct, frozen=True):
    """Something that goes or stays: what, how much, why, until when."""

    what: str
    count: str
    detail: str
    until: str


class PlanView(msgspec.Struct, frozen=True):
    """What an erasure would do."""

    goes: tuple[PlanLine, ...]
    stays: tuple[PlanLine, ...]
    grace_days: int
    last_copy_days: int
    households: int


def target_title(reader: Reader, kind: str, name: str = "") -> str:
    """What is to go, in words."""
    word = reader.gettext(_KINDS.get(kind, _KINDS["item"]))
    return f"{word}: {name}" if name else word


def request_lines(reader: Reader, found: Sequence[Erasure], names: Mapping[UUID, str], moment: datetime) -> tuple[RequestLine, ...]:
    """Requests, newest first."""
    return tuple(_request(reader, erasure, names, moment) for erasure in found)


def plan_view(reader: Reader, plan: Plan) -> PlanView:
    """A plan for the person to read before they say yes."""
    goes = tuple(
        PlanLine(_capital(reader.gettext(g.what)), _entries(reader, g.count), _categories(reader, g.categories), "") for g in plan.goes
    )
    stays = tuple(
        PlanLine(
            _capital(reader.gettext(s.what)), _entries(reader, s.count), reader.gettext(s.why), reader.date(s.until) if s.until else ""
        )
        for s in plan.stays
    )
    return PlanView(goes, stays, plan.grace_days, plan.last_copy_days, plan.households)


def _request(reader: Reader, erasure: Erasure, names: Mapping[UUID, str], moment: datetime) -> RequestLine:
    done = tuple(
        StepLine(_step(reader, s.code), reader.when(s.at, moment), reader.number(s.count) if s.count else "") for s in erasure.steps
    )
    ahead = tuple(StepLine(_step(reader, code), "", "") for code in erasure.to_do)
    whole = len(done) + len(ahead)
    return RequestLine(
        str(erasure.id),
        target_title(reader, erasure.target.kind, names.get(erasure.target.id, "")),
        _say(reader, erasure, moment),
        erasure.state,
        reader.when(erasure.asked_at, moment),
        erasure.state in ("waiting", "erasing", "held"),
        erasure.may_cancel,
        len(done) / whole if whole else 1.0,
        (*done, *ahead) if erasure.state != "cancelled" else (),
        erasure.certificate is not None,
    )


def _say(reader: Reader, erasure: Erasure, moment: datetime) -> str:
    _ = reader.gettext
    if erasure.state == "waiting":
        return _("You can change your mind until %(when)s. Then it is deleted.", when=reader.when(erasure.grace_until, moment))
    if erasure.state == "held":
        return _("It has to wait: something must be kept for now. It goes on by itself afterwards.")
    if erasure.state == "erasing":
        return _("It is being deleted. This takes minutes.")
    if erasure.state == "cancelled":
        return _("You kept it.")
    when = reader.when(erasure.finished_at, moment) if erasure.finished_at is not None else ""
    return _("Deleted %(when)s.", when=when)


def _step(reader: Reader, code: str) -> str:
    return reader.gettext(_STEPS[code]) if code in _STEPS else code


def _entries(reader: Reader, count: int | None) -> str:
    return "" if count is None else reader.ngettext("%(n)s entry", "%(n)s entries", count)


def _categories(reader: Reader, categories: Sequence[str]) -> str:
    known = [reader.gettext(CATEGORIES[c]) for c in categories if c in CATEGORIES and c != "user.unique_id"]
    return ", ".join(known[:_MOST_CATEGORIES])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
