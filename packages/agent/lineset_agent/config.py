"""What an agent needs to know, and the files it finds it in."""

import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from lineset_contract.wire import Range

BUFFER_BYTES = 1 << 30
"""Room for 30 days of three machines with 20 points each, read every 10 s, is 0.3 GB."""

HANDSHAKE_S = 10.0


class ConfigError(Exception):
    """A setting or a file is missing or wrong; the message says which and what to do."""


class Identity(msgspec.Struct, frozen=True):
    """Who the gateway is at its cloud. Written by enrolment as `gateway.json`.

    `servers`: all of the cloud's servers as host:port; any of them will do. Empty: there is only `host` and `port`.
    `ca`: certificate file that the cloud's certificate must chain to; None trusts the system's authorities.
    Either `certificate` (a PEM file with key and chain; `key` if the key has a file of its own) or `token_file`.
    """

    gateway: str
    host: str
    port: int
    server: str = ""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token_file: Path | None = None
    servers: tuple[str, ...] = ()

    def token(self) -> str | None:
        """The token, read anew, so that it can be exchanged. Raises ConfigError."""
        if self.token_file is None:
            return None
        try:
            return self.token_file.read_text().strip()
        except OSError as error:
            raise ConfigError(f"The token in {self.token_file} cannot be read ({error.strerror}).") from None

    def tls(self) -> ssl.SSLContext:
        """A context that verifies the cloud's certificate and host name, always. Raises ConfigError."""
        try:
            context = _Context(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.ca is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(cafile=str(self.ca))
            if self.certificate is not None:
                context.load_cert_chain(str(self.certificate), None if self.key is None else str(self.key))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"Certificate files cannot be used ({error}). Enrol the gateway again.") from None
        return context


class _Context(ssl.SSLContext):
    """A client's context (it verifies certificate and host name by default) that shakes hands at once and closes the
    socket when that fails; the MQTT library would leave an open socket to the garbage collector."""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Wrap and shake hands within HANDSHAKE_S."""
        options["do_handshake_on_connect"] = False
        wrapped = super().wrap_socket(*arguments, **options)
        try:
            wrapped.settimeout(HANDSHAKE_S)
            wrapped.do_handshake()
        except (OSError, ValueError):
            wrapped.close()
            raise
        return wrapped


class AgentConfig(msgspec.Struct, frozen=True):
    """Settings of one agent. Times in s."""

    identity: Identity
    data: Path
    poll_interval: float = 10.0
    read_timeout: float = 60.0
    buffer_bytes: int = BUFFER_BYTES
    window: int = 64
    resend_after: float = 5.0
    resend_at_most: float = 60.0
    reconnect_after: float = 1.0
    reconnect_at_most: float = 60.0
    keepalive: int = 30
    network_timeout: float = 10.0
    read_back_every: float = 2.0
    limits: Mapping[str, Mapping[str, Range]] = {}
    """The installer's own limits by equipment and setting. They hold besides the cloud's and never widen them."""
    hand_grace: float = 120.0
    """A set point that changes this long after a command for it is still counted as the command's doing."""
    servers: tuple[str, ...] = ()
    """Servers by the installer's choice, host:port, instead of those that enrolment named."""

    def brokers(self) -> list[tuple[str, int]]:
        """Where the cloud's servers are, at least one. Raises ConfigError."""
        named = self.servers or self.identity.servers
        return [broker(server) for server in named] or [(self.identity.host, self.identity.port)]


def broker(server: str) -> tuple[str, int]:
    """Host and port of a server written as host:port. Raises ConfigError."""
    host, _, port = server.rpartition(":")
    if not host.strip("[]") or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{server!r} is no server; write host:port, for example lineset.example.org:8883.")
    return host.removeprefix("[").removesuffix("]"), int(port)


class DriverSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The program that reads and writes the machines, and how long it may take."""

    command: list[str]
    timeout: float = 30.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `agent.toml` in the data folder may hold."""

    driver: DriverSettings | None = None
    poll_interval: float = 10.0
    buffer_megabytes: int = BUFFER_BYTES >> 20
    limits: dict[str, dict[str, Range]] = {}
    servers: tuple[str, ...] = ()


IDENTITY_FILE = "gateway.json"
SETTINGS_FILE = "agent.toml"
STORE_FILE = "agent.db"


def save_identity(identity: Identity) -> bytes:
    """The content of `gateway.json`."""
    return msgspec.json.encode(identity, enc_hook=str)


def load_identity(data: Path) -> Identity:
    """The identity that enrolment left in the data folder. Raises ConfigError."""
    path = data / IDENTITY_FILE
    try:
        identity = msgspec.json.decode(path.read_bytes(), type=Identity, dec_hook=lambda kind, value: kind(value))
    except FileNotFoundError:
        raise ConfigError(f"This gateway is not enrolled ({path} is missing). Run: lineset-agent enrol") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path} cannot be used ({error}). Enrol the gateway again.") from None
    # Paths are kept relative, so that the folder can move.
    return msgspec.structs.replace(
        identity, ca=_within(data, identity.ca), certificate=_within(data, identity.certificate),
        key=_within(data, identity.key), token_file=_within(data, identity.token_file),
    )  # fmt: skip


def load_settings(data: Path) -> Settings:
    """`agent.toml`, or the defaults when there is none. Raises ConfigError."""
    path = data / SETTINGS_FILE
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text())
        settings = msgspec.convert(raw, Settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path} is not usable: {error}") from None
    if settings.poll_interval < 1:
        raise ConfigError(f"poll_interval in {path} must be 1 s or more.")
    for server in settings.servers:
        broker(server)
    if settings.buffer_megabytes < 1:
        raise ConfigError(f"buffer_megabytes in {path} must be 1 or more.")
    return settings


def _within(data: Path, path: Path | None) -> Path | None:
    return None if path is None else data / path
