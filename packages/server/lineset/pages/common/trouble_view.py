"""Troubles in words: equal ones as one line, with how often, since when, where, and what a developer needs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lineset import apps, gateways
from lineset.privacy.rights import FleetTrouble

from .reader import Reader

TROUBLES = ("error", "crash")
"""Kinds that stand among the troubles of a gateway; tries at what it may not do stand among what was refused."""
_MOST_PLACES = 20


class TroubleLine(msgspec.Struct, frozen=True):
    """Equal troubles. `where` names machines and gateways; `places` and `log` are of the newest crash report."""

    kind: str
    what: str
    say: str
    times: str
    last: str
    first: str
    where: str
    versions: str
    places: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class ConnectionLine(msgspec.Struct, frozen=True):
    """From where a gateway came on a day."""

    last: str
    address: str
    way: str
    times: str


def trouble_lines(
    reader: Reader, troubles: Sequence[gateways.Trouble], names: Mapping[UUID, str], now: datetime
) -> tuple[TroubleLine, ...]:
    """Troubles of gateways; `names` are those of gateways and machines that are worth naming here."""
    return tuple(_line(reader, t, names, now) for t in troubles)


def _first(reader: Reader, first: datetime, last: datetime, now: datetime) -> str:
    """Since when, where that is not the same minute as the last time."""
    began, ended = reader.when(first, now), reader.when(last, now)
    return began if began != ended else ""


def _line(reader: Reader, t: gateways.Trouble, names: Mapping[UUID, str], now: datetime) -> TroubleLine:
    say = t.detail.get("say") or t.detail.get("message") or ""
    where = [names[i] for i in (*t.machines, *t.gateways) if i in names]
    return TroubleLine(
        t.kind,
        _what(reader, t.kind, t.title),
        say[:300] if isinstance(say, str) else "",
        _times(reader, t.count),
        reader.when(t.last_at, now),
        _first(reader, t.first_at, t.last_at, now),
        ", ".join(where),
        ", ".join(t.versions),
        _texts(t.detail.get("frames")) if t.kind == "crash" else (),
        _texts(t.detail.get("log")) if t.kind == "crash" else (),
    )


def _what(reader: Reader, kind: str, title: str) -> str:
    if title == "too_many_events":
        return reader.gettext("More events than are read one by one")
    if kind == "crash":
        return reader.gettext("The agent stopped: %(title)s", title=title) if title != "crash" else reader.gettext("The agent stopped")
    return title.replace("_", " ").capitalize() if title != kind else reader.gettext("Error")


def _times(reader: Reader, count: int) -> str:
    return reader.ngettext("once", "%(n)s times", count)


def _texts(found: object) -> tuple[str, ...]:
    return tuple(t for t in found if isinstance(t, str))[-_MOST_PLACES:] if isinstance(found, list) else ()


def connection_lines(reader: Reader, found: Sequence[gateways.ConnectionView], now: datetime) -> tuple[ConnectionLine, ...]:
    """From where a gateway connected."""
    ways = {
        "certificate": reader.gettext("by its certificate"),
        "token": reader.gettext("by a token"),
        "http": reader.gettext("by requests over HTTP"),
        "enrolment": reader.gettext("to enrol"),
    }
    nowhere = reader.gettext("address not kept")
    return tuple(
        ConnectionLine(reader.when(c.last_at, now), c.address or nowhere, ways.get(c.way, c.way), _times(reader, c.count)) for c in found
    )


def app_trouble_lines(reader: Reader, found: Sequence[apps.Trouble], now: datetime) -> tuple[TroubleLine, ...]:
    """Errors of the pages, as the person sees them whose browser told them."""
    return tuple(
        TroubleLine(
            "app",
            reader.gettext("More errors than are read one by one") if t.title == "too_many" else t.title,
            t.message,
            _times(reader, t.count),
            reader.when(t.last_at, now),
            _first(reader, t.first_at, t.last_at, now),
            ", ".join(part for part in (t.page, *t.browsers) if part),
            ", ".join(t.versions),
        )
        for t in found
    )


def fleet_lines(reader: Reader, found: Sequence[FleetTrouble], now: datetime) -> tuple[TroubleLine, ...]:
    """Troubles of the fleet, as numbers: those that most have come first."""
    lines = []
    for t in sorted(found, key=lambda t: (-t.affected, -t.times)):
        if t.source == "gateway":
            where = reader.ngettext("%(n)s gateway", "%(n)s gateways", t.affected)
            where += ", " + reader.ngettext("%(n)s household", "%(n)s households", t.homes)
        else:
            where = reader.ngettext("%(n)s person", "%(n)s people", t.affected)
        what = reader.gettext("More errors than are read one by one") if t.title == "too_many" else _what(reader, t.kind, t.title)
        what = t.title if t.source == "app" and t.title != "too_many" else what
        if t.kind == "violation":
            what = reader.gettext("Tries at what is not theirs")
        lines.append(
            TroubleLine(
                t.source,
                what,
                "",
                _times(reader, t.times),
                reader.when(t.last_at, now),
                _first(reader, t.first_at, t.last_at, now),
                where,
                ", ".join(t.versions[-6:]),
            )
        )
    return tuple(lines)
