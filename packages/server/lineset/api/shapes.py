"""What the API answers. Times are ISO 8601 in UTC, or seconds since 1970 where a name is `t`; values in the unit named with them."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from lineset_contract.wire import Refused, WireValue

from lineset import control, gateways, sites, telemetry
from lineset.accounts import Principal


class Place(msgspec.Struct, frozen=True):
    """Something with a name and what one is there."""

    id: UUID
    name: str
    role: str


class Me(msgspec.Struct, frozen=True):
    """Whose token it is, and the purpose for which it asks."""

    id: UUID
    name: str
    language: str
    units: str
    time_zone: str | None
    purpose: str
    households: list[Place]
    companies: list[Place]
    staff: list[str]


class Machine(msgspec.Struct, frozen=True):
    """A machine in a list."""

    id: UUID
    site: UUID
    type: str
    name: str
    make: str
    model: str
    gateway: UUID | None
    retired: bool


class Range(msgspec.Struct, frozen=True):
    """How far a setting may go, and whose limit each end is."""

    low: float
    high: float
    unit: str
    low_whose: str
    high_whose: str


class MachineDetail(msgspec.Struct, frozen=True):
    """A machine with all that is known of it. `capacity_w`: rated output in W. `allowed`: ranges of numeric settings."""

    id: UUID
    site: UUID
    household: UUID
    zone: UUID | None
    type: str
    name: str
    local_name: str
    make: str
    model: str
    serial_number: str
    capacity_w: float | None
    fuel: str
    refrigerant: str
    place: str
    installed_on: date | None
    installer: str
    gateway: UUID | None
    online: bool
    last_seen_at: datetime | None
    owned_since: datetime | None
    retired_at: datetime | None
    points: list[str]
    commands: list[str]
    allowed: dict[str, Range]


class Site(msgspec.Struct, frozen=True):
    """A site in a list, with its machines in use."""

    id: UUID
    household: UUID
    kind: str
    name: str
    time_zone: str
    address: sites.Address
    equipment: list[Machine]


class Zone(msgspec.Struct, frozen=True):
    """A part of a site."""

    id: UUID
    name: str


class Gateway(msgspec.Struct, frozen=True):
    """A gateway. `state`: waiting, online, offline or revoked."""

    id: UUID
    name: str
    kind: str
    state: str
    last_seen_at: datetime | None
    version: str | None


class SiteDetail(msgspec.Struct, frozen=True):
    """A site with zones, machines (retired ones last), gateways, and the limits that its people chose."""

    id: UUID
    household: UUID
    kind: str
    name: str
    time_zone: str
    address: sites.Address
    limits: dict[str, list[float]]
    zones: list[Zone]
    equipment: list[Machine]
    gateways: list[Gateway]


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest value of a point: for a code its number, and in `word` what it means. `known`: whether the catalogue has the point."""

    value: float
    t: float
    unit: str
    known: bool
    word: str | None = None


class Latest(msgspec.Struct, frozen=True):
    """The newest values of a machine; `t` is the newest time of all, null when nothing was measured yet."""

    equipment: UUID
    t: float | None
    values: dict[str, Reading]


class Series(msgspec.Struct, frozen=True):
    """Points of a machine on one axis of times `t`; null where there is no reading. Two values a bucket: lowest and highest.

    `step` is 0 where single readings were at hand, else the length in s of the hourly or daily sums that the coarsest part came from.
    """

    equipment: UUID
    start: datetime
    end: datetime
    units: dict[str, str]
    t: list[float]
    values: dict[str, list[float | None]]
    step: float


class Step(msgspec.Struct, frozen=True):
    """One step in the life of a command."""

    state: str
    at: datetime
    detail: str


class Command(msgspec.Struct, frozen=True):
    """A command. `state`: queued, sent, acknowledged, succeeded, failed, expired or refused; `detail` says why."""

    id: UUID
    equipment: UUID
    name: str
    args: dict[str, WireValue]
    state: str
    detail: str
    final: bool
    sender: UUID | None
    sender_company: UUID | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    steps: list[Step]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a machine: a command of its type with its arguments, and for how many seconds it may still be carried out."""

    name: str
    args: dict[str, WireValue] = {}
    expires_in_s: float = 600.0


class Stored(msgspec.Struct, frozen=True):
    """What became of frames. `through`: all numbered messages of the epoch up to it are stored or refused; null without numbers.

    `delivery`: `exactly once` for numbered messages and for requests with an Idempotency-Key, else `at least once`.
    """

    epoch: str | None
    through: int | None
    refused: list[Refused]
    delivery: str
    say: str


class Happening(msgspec.Struct, frozen=True):
    """Something that happened at a gateway or at one of its machines. `fingerprint` is the same for equal troubles, null for all else."""

    id: UUID
    kind: str
    at: datetime
    last_at: datetime
    count: int
    equipment: UUID | None
    version: str | None
    fingerprint: str | None
    detail: dict[str, object]


class Trouble(msgspec.Struct, frozen=True):
    """Equal troubles of a gateway; `detail` is the newest one's."""

    fingerprint: str
    kind: str
    title: str
    count: int
    first_at: datetime
    last_at: datetime
    versions: list[str]
    equipment: list[UUID]
    detail: dict[str, object]


class Enrolment(msgspec.Struct, frozen=True):
    """A claim code and a certificate signing request (PKCS #10, PEM) for a key that never leaves the device."""

    code: str
    csr: str


class Renewal(msgspec.Struct, frozen=True):
    """A new request and the present certificate in PEM; base64 of the ECDSA-SHA256 signature by the present key over the request's DER."""

    gateway: str
    csr: str
    certificate: str
    signature: str


class Mqtt(msgspec.Struct, frozen=True):
    """Where the message broker waits for certificates. `servers`: all that there are, as host:port; any of them will do, and when one
    fails, another."""

    host: str
    port: int
    servers: list[str] = []


class Identity(msgspec.Struct, frozen=True):
    """A device's identity: its certificate and the platform's authority in PEM; `ends_at` in seconds since 1970."""

    gateway: UUID
    certificate: str
    ca: str
    ends_at: float
    mqtt: Mqtt


def me(who: Principal, purpose: str) -> Me:
    """Who asks."""
    return Me(
        who.person_id,
        who.name,
        who.language,
        who.units,
        who.time_zone,
        purpose,
        [Place(h.id, h.name, h.role) for h in who.households],
        [Place(c.id, c.name, c.role) for c in who.companies],
        list(who.staff),
    )


def machine(m: sites.Equipment) -> Machine:
    """A machine in a list."""
    return Machine(m.id, m.site_id, m.type, m.name, m.make, m.model, m.gateway_id, m.retired_at is not None)


def site(s: sites.Site) -> Site:
    """A site in a list."""
    return Site(s.id, s.household_id, s.kind, s.name, s.time_zone, s.address, [machine(m) for m in s.equipment])


def site_detail(s: sites.Site, there: list[gateways.GatewayView]) -> SiteDetail:
    """A site with everything."""
    return SiteDetail(
        s.id,
        s.household_id,
        s.kind,
        s.name,
        s.time_zone,
        s.address,
        s.limits,
        [Zone(z.id, z.name) for z in s.zones],
        [machine(m) for m in s.equipment],
        [Gateway(g.id, g.name, g.kind, g.state, g.last_seen_at, g.version) for g in there],
    )


def latest(equipment: UUID, found: telemetry.Latest | None) -> Latest:
    """The newest values."""
    if found is None:
        return Latest(equipment, None, {})
    values = {name: Reading(r.value, r.t, r.unit, r.known, r.word) for name, r in found.values.items()}
    return Latest(equipment, found.t, values)


def command(view: control.CommandView) -> Command:
    """A command."""
    return Command(
        view.id,
        view.equipment,
        view.name,
        view.args,
        view.state,
        view.detail,
        view.final,
        view.sender,
        view.sender_company,
        view.created_at,
        view.expires_at,
        view.sent_at,
        view.settled_at,
        [Step(s.state, s.at, s.detail) for s in view.steps],
    )


def happening(e: gateways.EventView) -> Happening:
    """An event of a gateway."""
    return Happening(e.id, e.kind, e.at, e.last_at or e.at, e.count, e.equipment, e.version, e.fingerprint, e.detail)


def trouble(t: gateways.Trouble) -> Trouble:
    """Equal troubles of a gateway."""
    return Trouble(t.fingerprint, t.kind, t.title, t.count, t.first_at, t.last_at, list(t.versions), list(t.machines), t.detail)
