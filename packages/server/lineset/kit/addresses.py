"""Where this installation's database and message bus are, and how each role signs in to the database.

An outside server is named by the settings. The embedded engines write where they are into the data folder when they start.
"""

import hmac
import os
import ssl
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings, secret

OWNER = "lineset_owner"
DATABASE = "lineset"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ENCRYPTED = {"require", "verify-ca", "verify-full"}


class Addresses(msgspec.Struct, frozen=True):
    """What the embedded engines say about themselves; holds no secret."""

    socket: str = ""  # folder of PostgreSQL's socket
    nats: str = ""  # tls://127.0.0.1:port


def database_secret(settings: Settings) -> bytes:
    """The secret that the passwords of all database roles are derived from."""
    return secret(settings, "database")


def role_password(key: bytes, role: str) -> str:
    """The password of a role: HMAC-SHA-256 of its name under the installation's secret, in hexadecimal."""
    return hmac.digest(key, f"db:{role}".encode(), "sha256").hex()


def socket_url(socket: Path | str, key: bytes, role: str, database: str = DATABASE) -> str:
    """The address by which a role reaches a database through a socket's folder."""
    return f"postgresql://{role}:{role_password(key, role)}@/{database}?host={quote(str(socket), safe='/')}"


def owner_url(settings: Settings) -> str:
    """The owner's address of the database: the settings' own, or the embedded server's.

    Raises:
        Invalid: an outside server is to be reached without TLS, or the embedded one has never been started.
    """
    if settings.database_url:
        _require_database_tls(settings.database_url)
        return settings.database_url
    socket = _embedded(settings).socket
    if not socket:
        raise _not_started(settings)
    return socket_url(socket, database_secret(settings), OWNER)


def nats_url(settings: Settings) -> str:
    """The address of the message bus: the settings' own, or the embedded server's.

    Raises:
        Invalid: an outside server is to be reached without TLS, or the embedded one has never been started.
    """
    if settings.nats_url:
        for url in settings.nats_url.split(","):
            parts = urlsplit(url.strip())
            if parts.scheme != "tls" and (parts.hostname or "") not in _LOOPBACK:
                raise Invalid("bad_setting", f"LINESET_NATS_URL is not encrypted. Write tls://{parts.netloc} instead of {url.strip()}.")
        return settings.nats_url
    address = _embedded(settings).nats
    if not address:
        raise _not_started(settings)
    return address


def bus_tls(settings: Settings) -> ssl.SSLContext:
    """How to verify the message bus: by the platform's own authority, and, outside, also by those the system trusts."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH) if settings.nats_url else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if (settings.data / "ca.pem").exists():
        context.load_verify_locations(settings.data / "ca.pem")
    return context


def write_addresses(data: Path, *, socket: str | None = None, nats: str | None = None) -> None:
    """Say where an embedded engine is; what is not named stays as it was."""
    path = _path(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _read(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    told = Addresses(known.socket if socket is None else socket, known.nats if nats is None else nats)
    draft.write_bytes(msgspec.json.encode(told))
    draft.replace(path)


def _path(data: Path) -> Path:
    return data / "run" / "engines.json"


def _read(path: Path) -> Addresses:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Addresses)
    except (OSError, msgspec.DecodeError):
        return Addresses()


def _embedded(settings: Settings) -> Addresses:
    return _read(_path(settings.data))


def _not_started(settings: Settings) -> Invalid:
    return Invalid(
        "not_started",
        f"No engines run for {settings.data}. Start `lineset up`, or name your own in LINESET_DATABASE_URL and LINESET_NATS_URL.",
    )


def _require_database_tls(url: str) -> None:
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    # libpq takes several hosts, with commas or one `host` each, and hostaddr overrides where they lead
    named = options.get("hostaddr") or options.get("host") or [parts.netloc.rpartition("@")[2]]
    hosts = [host for entry in named for host in entry.split(",")]
    beyond = [host for host in hosts if not _stays_here(host)]
    if beyond and options.get("sslmode", [""])[-1] not in _ENCRYPTED:
        raise Invalid(
            "bad_setting",
            f"LINESET_DATABASE_URL names {beyond[0]} without encryption. Add ?sslmode=verify-full to it (or verify-ca, require).",
        )


def _stays_here(host: str) -> bool:
    """Whether that host, with or without a port, is a socket's folder or this machine's loopback."""
    if not host or host.startswith(("/", "%2F", "@")):
        return True
    return host in _LOOPBACK or (urlsplit(f"//{host}").hostname or "") in _LOOPBACK
