"""Processors that the settings bring in: outside mail servers, storage, databases and message buses.

What they may get is declared here; who they are, where, and on which terms is the operator's to fill in in the console.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from lineset.kit.settings import Settings
from lineset.privacy.vocabulary import CATEGORIES, Purpose

MAIL_RELAY = "mail_relay"
OBJECT_STORAGE = "object_storage"
DATABASE_HOST = "database_host"
BUS_HOST = "bus_host"

_ENGINES = (Purpose.ACCOUNT, Purpose.SECURITY, Purpose.OPERATE, Purpose.COMMUNICATE, Purpose.SERVICE, Purpose.RIGHTS, Purpose.KEEP)


@dataclass(frozen=True, slots=True)
class Processor:
    """A service that the platform may use by a setting. `fields` and `purposes`: the most that any agreement with it can allow."""

    key: str
    title: str
    does: str
    setting: str
    fields: tuple[str, ...]
    purposes: tuple[Purpose, ...]


PROCESSORS: dict[str, Processor] = {
    p.key: p
    for p in (
        Processor(
            MAIL_RELAY,
            "Mail server",
            "Takes mails from the platform and delivers them.",
            "LINESET_SMTP_URL",
            ("user.contact.email", "user.name", "user.content.private"),
            (Purpose.COMMUNICATE, Purpose.NEWS),
        ),
        Processor(
            OBJECT_STORAGE,
            "Object storage",
            "Keeps the measurements of past days and what people asked to download.",
            "LINESET_HISTORY_URL",
            ("equipment.measurement", "user.content.private", "user.unique_id"),
            (Purpose.OPERATE, Purpose.SERVICE, Purpose.RIGHTS, Purpose.KEEP),
        ),
        Processor(
            DATABASE_HOST,
            "Database host",
            "Keeps the database; names and addresses in it are sealed under keys that lie elsewhere.",
            "LINESET_DATABASE_URL",
            tuple(c for c in CATEGORIES if c != "system.operations"),
            _ENGINES,
        ),
        Processor(
            BUS_HOST,
            "Message bus host",
            "Carries messages between devices and the platform, and keeps the wrapped keys of sealed data.",
            "LINESET_NATS_URL",
            ("equipment.measurement", "equipment.event", "equipment.setting", "user.authorization.credentials"),
            (Purpose.OPERATE, Purpose.SECURITY),
        ),
    )
}


def outside(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The processors that these settings use on other machines, with the hosts of each; none for what stays on this machine."""
    found = {
        MAIL_RELAY: _beyond([urlsplit(settings.smtp_url).hostname or ""] if settings.smtp_url else []),
        OBJECT_STORAGE: _beyond(_storage_hosts(settings)),
        DATABASE_HOST: _beyond(_database_hosts(settings.database_url)),
        BUS_HOST: _beyond([urlsplit(url.strip()).hostname or "" for url in settings.nats_url.split(",") if url.strip()]),
    }
    return {key: hosts for key, hosts in found.items() if hosts}


def is_near(host: str) -> bool:
    """Whether that host is this machine itself: a name or address of loopback, or a socket's folder."""
    if host in {"", "localhost"} or host.startswith(("/", "%2F", "@")):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _beyond(hosts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(host for host in hosts if not is_near(host)))


def _storage_hosts(settings: Settings) -> list[str]:
    if not settings.history_url:
        return []
    if settings.s3.endpoint:
        return [urlsplit(settings.s3.endpoint).hostname or ""]
    return [f"s3.{settings.s3.region}.amazonaws.com" if settings.s3.region else "s3.amazonaws.com"]


def _database_hosts(url: str) -> list[str]:
    if not url:
        return []
    parts = urlsplit(url)
    # as libpq reads it: several hosts with commas, and the query overrides where they lead
    options = parse_qs(parts.query)
    named = options.get("hostaddr") or options.get("host") or [parts.netloc.rpartition("@")[2]]
    hosts = [host for entry in named for host in entry.split(",")]
    return [host if host.startswith(("/", "%2F", "@")) else urlsplit(f"//{host}").hostname or "" for host in hosts]
