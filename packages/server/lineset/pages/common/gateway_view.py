"""Gateways in words: their link, their identity, what they fed, and what was not taken from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from lineset import gateways, sites, telemetry

from .plate import type_name
from .reader import Reader
from .trouble_view import TROUBLES, ConnectionLine, TroubleLine, connection_lines, trouble_lines


class GatewayLine(msgspec.Struct, frozen=True):
    """One gateway in the list."""

    id: str
    name: str
    kind: str
    state: str
    state_word: str
    seen: float
    age: str
    version: str
    machines: tuple[str, ...]
    refused: int


class RefusedLine(msgspec.Struct, frozen=True):
    """Something that was not taken, or that was tried and had no effect."""

    when: str
    what: str
    why: str


class HappenedLine(msgspec.Struct, frozen=True):
    """Something that happened at the gateway."""

    when: str
    what: str
    detail: str


class FoundLine(msgspec.Struct, frozen=True):
    """A machine that the gateway says is there; `add` is the query that fills the form, empty once it has been added."""

    name: str
    type_name: str
    plate: str
    add: str


class GatewayPage(msgspec.Struct, frozen=True):
    """One gateway's page."""

    line: GatewayLine
    gateway: gateways.GatewayView
    claimed: str
    certificate: str
    code_until: str
    tokens: tuple[tuple[str, str], ...]
    fed: tuple[tuple[str, str, str], ...]
    free: tuple[tuple[str, str], ...]
    found: tuple[FoundLine, ...]
    refused: tuple[RefusedLine, ...]
    happened: tuple[HappenedLine, ...]
    troubles: tuple[TroubleLine, ...]
    connections: tuple[ConnectionLine, ...]


def gateway_lines(
    reader: Reader,
    found: Sequence[gateways.GatewayView],
    machines: Sequence[sites.Equipment],
    refused: Mapping[UUID, int],
    now: datetime,
) -> tuple[GatewayLine, ...]:
    """The gateways of a site; `refused` counts what was not taken in the last day."""
    return tuple(_line(reader, g, machines, refused.get(g.id, 0), now) for g in found)


def _line(reader: Reader, g: gateways.GatewayView, machines: Sequence[sites.Equipment], refused: int, now: datetime) -> GatewayLine:
    seen = g.last_seen_at
    return GatewayLine(
        id=str(g.id),
        name=g.name,
        kind=reader.gettext("Lineset agent") if g.kind == "agent" else reader.gettext("Simple device"),
        state=g.state,
        state_word=state_word(reader, g.state),
        seen=seen.timestamp() if seen is not None else 0.0,
        age=reader.age((now - seen).total_seconds()) if seen is not None else "",
        version=g.version or "",
        machines=tuple(m.name for m in machines if m.gateway_id == g.id and m.retired_at is None),
        refused=refused,
    )


def state_word(reader: Reader, state: str) -> str:
    """What a gateway's state is called."""
    words = {
        "waiting": reader.gettext("Waits for its device"),
        "online": reader.gettext("Linked"),
        "offline": reader.gettext("No link"),
        "revoked": reader.gettext("Access ended"),
    }
    return words.get(state, state)


def gateway_page(
    reader: Reader,
    g: gateways.GatewayView,
    machines: Sequence[sites.Equipment],
    found: Sequence[gateways.Found],
    refusals: Sequence[telemetry.RefusalView],
    events: Sequence[gateways.EventView],
    now: datetime,
    troubles: Sequence[gateways.Trouble] = (),
    connections: Sequence[gateways.ConnectionView] = (),
) -> GatewayPage:
    """Build one gateway's page."""
    live = [m for m in machines if m.retired_at is None]
    names = {m.id: m.name for m in machines}
    violations = [e for e in events if e.kind == "violation"]
    return GatewayPage(
        line=_line(reader, g, machines, len(refusals), now),
        gateway=g,
        claimed=reader.date(g.claimed_at) if g.claimed_at is not None else "",
        certificate=reader.date(g.certificate_ends_at) if g.certificate_ends_at is not None else "",
        code_until=reader.when(g.code_expires_at, now) if g.code_open and g.code_expires_at is not None else "",
        tokens=tuple((str(t.id), reader.date(t.created_at)) for t in g.tokens),
        fed=tuple((str(m.id), m.name, m.local_name) for m in live if m.gateway_id == g.id),
        free=tuple((str(m.id), m.name) for m in live if m.gateway_id is None),
        found=tuple(_found(reader, f, g.id) for f in found),
        refused=tuple(refused_line(reader, r, now) for r in refusals) + tuple(_violation(reader, e, now) for e in violations),
        happened=tuple(_happened(reader, e, names, now) for e in events if e.kind not in (*TROUBLES, "violation")),
        troubles=trouble_lines(reader, troubles, names, now),
        connections=connection_lines(reader, connections, now),
    )


def _found(reader: Reader, f: gateways.Found, gateway: UUID) -> FoundLine:
    plate = " ".join(part for part in (f.make, f.model) if part)
    fields = {"type": f.type, "name": f.name, "local_name": f.name, "make": f.make, "model": f.model, "serial_number": f.serial_number}
    query = {k: v for k, v in fields.items() if v} | {"gateway": str(gateway)}
    return FoundLine(f.name, type_name(reader, f.type), plate, "" if f.equipment is not None else urlencode(query))


def refused_line(reader: Reader, r: telemetry.RefusalView, now: datetime) -> RefusedLine:
    """A refusal as the device was told it."""
    what = reader.gettext("A reading of %(machine)s", machine=r.equipment) if r.equipment else reader.gettext("A message")
    if r.times > 1:
        what = reader.gettext("%(number)s messages or readings", number=reader.number(r.times))
    return RefusedLine(reader.when(r.at, now), what, r.say)


def _violation(reader: Reader, e: gateways.EventView, now: datetime) -> RefusedLine:
    topic = str(e.detail.get("topic") or e.detail.get("subject") or "")
    why = str(e.detail.get("say") or e.detail.get("reason") or "") or reader.gettext(
        "It is not this gateway's own. The broker dropped it; nothing was changed."
    )
    return RefusedLine(reader.when(e.at, now), reader.gettext("A try at %(topic)s", topic=topic) if topic else reader.gettext("A try"), why)


def _happened(reader: Reader, e: gateways.EventView, names: Mapping[UUID, str], now: datetime) -> HappenedLine:
    kinds = {
        "boot": reader.gettext("Started"),
        "error": reader.gettext("Error"),
        "crash": reader.gettext("Crash"),
        "hand_operation": reader.gettext("Set by hand at the machine"),
        "inventory": reader.gettext("Looked for machines"),
    }
    machine = names.get(e.equipment, "") if e.equipment is not None else ""
    facts = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in e.detail.items() if isinstance(value, (str, int, float)))
    return HappenedLine(reader.when(e.at, now), kinds.get(e.kind, e.kind), "; ".join(part for part in (machine, facts[:200]) if part))
