"""The plan of a cluster: which machines there are, what runs on each, and where the database and the storage are."""

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from lineset.kit.errors import Invalid

NODES = 3
"""Machines with a NATS server. Streams are kept on three, so that one may be lost at any moment."""


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One machine: a NATS server and its token server, and as many processes of the roles as are asked for."""

    name: str
    host: str  # the name or address by which devices and the other machines reach it
    web: int = 1
    ingest: int = 1
    worker: int = 1
    listen: str = "0.0.0.0"  # noqa: S104 - devices and the other machines come in there, all of them by TLS
    home: str = "/var/lib/lineset"  # where the written folder will lie on that machine
    programs: str = "/opt/lineset/.venv/bin"  # where `lineset` and `nats-server` are
    web_port: int = 8000
    mqtt_port: int = 8883
    mqtt_token_port: int = 8884
    client_port: int = 4222
    leaf_port: int = 7422
    cluster_port: int = 6222


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The PostgreSQL that all share, version 15 or newer."""

    host: str
    port: int = 5432
    listen: str = "*"
    home: str = "/etc/lineset/postgresql"  # where the written folder will lie on that machine


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The S3-compatible storage of history. Key and secret stand in the environment of whoever writes, never in the plan."""

    url: str  # s3://bucket/folder
    endpoint: str = ""  # empty: Amazon's own
    region: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole cluster."""

    machine: tuple[Machine, ...]
    database: Database
    history: History
    public_url: str = ""  # the address that people open
    env: dict[str, str] = {}  # more LINESET_ variables, the same on each machine

    @property
    def nats_url(self) -> str:
        """All servers of the bus, as our own processes name them."""
        return ",".join(f"tls://{m.host}:{m.client_port}" for m in self.machine)

    @property
    def mqtt_servers(self) -> str:
        """All servers for devices with a certificate."""
        return ",".join(f"{m.host}:{m.mqtt_port}" for m in self.machine)


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    Raises:
        Invalid: it can't be read or would not make a cluster; the message says what to change.
    """
    try:
        plan = msgspec.convert(tomllib.loads(path.read_text()), Plan)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid("bad_plan", f"{path} is not usable: {error}") from error
    check(plan)
    return plan


def check(plan: Plan) -> None:
    """Refuse a plan that would not work, or would travel unencrypted.

    Raises:
        Invalid: the message names the first thing to change.
    """
    for say in _troubles(plan):
        raise Invalid("bad_plan", say)


def _troubles(plan: Plan) -> Iterator[str]:
    names = [m.name for m in plan.machine]
    if len(plan.machine) != NODES:
        yield f"The plan has {len(plan.machine)} machines; streams are kept on {NODES}, so write [[machine]] {NODES} times."
    if len(set(names)) < len(names) or not all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name) for name in names):
        yield "Give each machine a name of its own, of small letters, digits and hyphens."
    for role in ("web", "ingest", "worker"):
        counts = [getattr(m, role) for m in plan.machine]
        if min(counts) < 0 or max(counts) > 64:
            yield f"A machine runs 0 to 64 {role} processes."
        if sum(count > 0 for count in counts) < 2:
            yield f"Only one machine runs {role}: when it fails, nobody does that work. Put {role} on a second one."
    for machine in plan.machine:
        yield from _unusable(machine.name, machine.host, machine.listen, machine.home, machine.programs)
        ports = [getattr(machine, field) for field in Machine.__struct_fields__ if field.endswith("_port")]
        if len(set(ports)) < len(ports) or not all(0 < port < 65536 for port in ports):
            yield f"Machine {machine.name} needs six different ports from 1 to 65535."
    yield from _unusable("database", plan.database.host, plan.database.listen, plan.database.home)
    if not plan.history.url.startswith("s3://"):
        yield f"history.url is {plan.history.url!r}: several machines share their history in S3-compatible storage, so give s3://bucket/folder."
    endpoint = urlsplit(plan.history.endpoint)
    if plan.history.endpoint and endpoint.scheme != "https" and not is_loopback(endpoint.hostname or ""):
        yield f"history.endpoint is {plan.history.endpoint!r}, which is not encrypted; give an https:// address."
    public = urlsplit(plan.public_url)
    if public.scheme != "https" and not all(is_loopback(m.host) for m in plan.machine):
        yield f"public_url is {plan.public_url!r}; give the https:// address that people open."
    for name in plan.env:
        if not re.fullmatch(r"LINESET_[A-Z0-9_]+", name):
            yield f"env holds {name!r}; only LINESET_ variables can be set there."


def is_loopback(host: str) -> bool:
    """Whether that name or address stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unusable(who: str, *texts: str) -> Iterator[str]:
    """Names and paths go into configuration files as they are; nothing in them may end a word there."""
    for text in texts:
        if not re.fullmatch(r"[\w.:/*@+-]+", text):
            yield f"{text!r} of {who} has a character that a host or folder can't have."
