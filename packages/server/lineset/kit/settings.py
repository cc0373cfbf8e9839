"""Settings: read once at the edge from the environment and the command line, then passed in as an argument."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from lineset.kit.errors import Invalid

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Contact(msgspec.Struct, frozen=True):
    """Who runs this installation, as the public pages must say. Empty until the operator fills it in."""

    name: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    privacy: str = ""  # where to write about data; a person or an address

    @property
    def complete(self) -> bool:
        """Whether a contact page may be published."""
        return bool(self.name and self.address and self.email)


_DEMO_CONTACT = Contact(
    name="Lineset demo",
    address="1 Example Street\nReno, NV 89501, USA",
    email="operator@example.org",
    phone="+1 775 555 0100",
    privacy="privacy@example.org",
)
"""Who runs a demo: invented, at names and numbers that are reserved for examples."""


class S3(msgspec.Struct, frozen=True):
    """How to reach S3-compatible storage. Empty fields are left to the usual AWS_* variables and instance roles."""

    endpoint: str = ""
    region: str = ""
    key_id: str = ""
    secret: str = ""


class Settings(msgspec.Struct, frozen=True):
    """All that one process needs to know about its surroundings."""

    data: Path
    web_port: int = 8000
    web_host: str = "127.0.0.1"
    web_workers: int = 1
    mqtt_port: int = 8883
    mqtt_token_port: int = 8884
    database_url: str = ""  # owner's address of an outside PostgreSQL; empty: the embedded one
    nats_url: str = ""  # outside NATS; empty: the embedded one
    history_url: str = ""  # s3://bucket/prefix for history in S3-compatible storage; empty: a folder below `data`
    s3: S3 = S3()
    public_url: str = ""
    smtp_url: str = ""  # smtp://user:password@host:port or smtps://; empty: mails wait in the development mailbox
    mail_from: str = "lineset@localhost"
    hosts: tuple[str, ...] = ()  # names by which devices reach this machine, for the server certificates
    mqtt_servers: tuple[str, ...] = ()  # host:port of every server that takes devices with a certificate; empty: this machine's
    contact: Contact = Contact()
    region: str = ""  # where the data of this installation lives, as people read it
    request_log: str = "file"  # where requests are logged: "file" below the data folder, or "stdout" with networks alone
    demo: bool = False

    @property
    def url(self) -> str:
        """The address that people open, without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.web_port}").rstrip("/")

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the web pages, which is what the development mailbox requires."""
        return self.web_host in _LOOPBACK and not self.public_url

    @property
    def secrets_folder(self) -> Path:
        """Folder of keys, mode 700."""
        return self.data / "secrets"


def _port(env: Mapping[str, str], name: str, otherwise: int) -> int:
    text = env.get(name, "")
    if not text:
        return otherwise
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Invalid("bad_setting", f"{name} is {text!r}; give a port number from 1 to 65535.")
    return int(text)


def _require_web_tls(host: str, public_url: str) -> None:
    """Pages leave this machine only encrypted: by a proxy that speaks TLS, since our own web server does not."""
    public = urlsplit(public_url)
    if public_url and public.scheme != "https" and (public.hostname or "") not in _LOOPBACK:
        raise Invalid("plain_web", f"LINESET_PUBLIC_URL is {public_url!r}, which is not encrypted; give an https:// address.")
    if host not in _LOOPBACK and public.scheme != "https":
        raise Invalid(
            "plain_web",
            f"LINESET_HOST={host} would show pages unencrypted beyond this machine. Put a proxy that speaks TLS in front and name its "
            "address in LINESET_PUBLIC_URL=https://…, or leave LINESET_HOST out.",
        )


def _history(address: str) -> str:
    if address and not address.startswith("s3://"):
        raise Invalid("bad_setting", f"LINESET_HISTORY_URL is {address!r}; give s3://bucket/folder, or leave it out for the data folder.")
    return address.rstrip("/")


def _s3_endpoint(address: str) -> str:
    parts = urlsplit(address)
    if address and parts.scheme != "https" and (parts.hostname or "") not in _LOOPBACK:
        raise Invalid("plain_s3", f"LINESET_S3_ENDPOINT is {address!r}, which is not encrypted; give an https:// address.")
    return address


def _servers(text: str) -> tuple[str, ...]:
    servers = tuple(part.strip() for part in text.split(",") if part.strip())
    for server in servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise Invalid("bad_setting", f"LINESET_MQTT_SERVERS has {server!r}; give host:port, several with commas.")
    return servers


def _request_log(text: str) -> str:
    if text not in ("file", "stdout"):
        raise Invalid("bad_setting", f"LINESET_REQUEST_LOG is {text!r}; give file or stdout.")
    return text


def _count(env: Mapping[str, str], name: str, most: int) -> int:
    text = env.get(name) or "1"
    if not text.isdigit() or not 0 < int(text) <= most:
        raise Invalid("bad_setting", f"{name} is {text!r}; give a number from 1 to {most}.")
    return int(text)


def _contact(env: Mapping[str, str], demo: bool) -> Contact:
    given = {name: env.get(f"LINESET_CONTACT_{name.upper()}", "").strip() for name in Contact.__struct_fields__}
    return _DEMO_CONTACT if demo and not any(given.values()) else Contact(**given)


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """Settings by the LINESET_* variables.

    Raises:
        Invalid: a variable has a value that can't be used; the message names it.
    """
    env = os.environ if env is None else env
    data = Path(env.get("LINESET_DATA") or ".lineset").expanduser().absolute()
    host, public_url = env.get("LINESET_HOST") or "127.0.0.1", env.get("LINESET_PUBLIC_URL", "")
    _require_web_tls(host, public_url)
    demo = env.get("LINESET_DEMO", "") == "1"
    return Settings(
        data=data,
        web_port=_port(env, "LINESET_PORT", 8000),
        web_host=host,
        web_workers=_count(env, "LINESET_WEB_WORKERS", 64),
        mqtt_port=_port(env, "LINESET_MQTT_PORT", 8883),
        mqtt_token_port=_port(env, "LINESET_MQTT_TOKEN_PORT", 8884),
        database_url=env.get("LINESET_DATABASE_URL", ""),
        nats_url=env.get("LINESET_NATS_URL", ""),
        history_url=_history(env.get("LINESET_HISTORY_URL", "")),
        s3=S3(
            endpoint=_s3_endpoint(env.get("LINESET_S3_ENDPOINT", "")),
            region=env.get("LINESET_S3_REGION", ""),
            key_id=env.get("LINESET_S3_KEY_ID", ""),
            secret=env.get("LINESET_S3_SECRET", ""),
        ),
        public_url=public_url,
        smtp_url=env.get("LINESET_SMTP_URL", ""),
        mail_from=env.get("LINESET_MAIL_FROM") or "lineset@localhost",
        hosts=tuple(h.strip() for h in env.get("LINESET_HOSTS", "").split(",") if h.strip()),
        mqtt_servers=_servers(env.get("LINESET_MQTT_SERVERS", "")),
        contact=_contact(env, demo),
        region=env.get("LINESET_REGION", "").strip() or ("This machine" if demo else ""),
        request_log=_request_log(env.get("LINESET_REQUEST_LOG") or "file"),
        demo=demo,
    )


SECRETS = ("bus", "copies", "csrf", "database", "mail_opens", "master", "probe", "request_log")
"""All that `secret` makes. The machines of a cluster share them."""


def secret(settings: Settings, name: str) -> bytes:
    """The 32 random bytes of that name, one of `SECRETS`, made at first use: a file of mode 600 in a folder of mode 700.

    Processes may ask at the same time; whichever links its file first wins and all read the same bytes.
    """
    if name not in SECRETS:
        raise LookupError(f"{name} is not among the secrets that machines share; name it in SECRETS.")
    folder = settings.secrets_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
