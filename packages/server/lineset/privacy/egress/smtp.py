"""The way out for mails: one SMTP server, over TLS whose certificate is verified."""

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from lineset.kit.errors import Invalid
from lineset.privacy.egress.gate import Permit
from lineset.privacy.egress.processors import MAIL_RELAY, is_near

_TIMEOUT_S = 30


class NotTaken(Exception):
    """The server did not take the mail; the message says why. `lasting`: another try would not help."""

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server. `encrypt`: "always" from the first byte, "first" by STARTTLS before anything else, "offered" only on this machine."""

    host: str
    port: int
    encrypt: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""

    @property
    def near(self) -> bool:
        """Whether it runs on this machine, so that handing a mail to it passes it on to nobody."""
        return is_near(self.host)


def read_address(url: str) -> Server:
    """The server that an address names: `smtps://user:password@host:port` or `smtp://…` (STARTTLS).

    `?ca=FILE` verifies against that authority instead of the system's. Mail to another machine never goes unencrypted.

    Raises:
        Invalid: the address can't be used.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or port == -1:
        raise Invalid("bad_setting", "LINESET_SMTP_URL is not like smtps://user:password@mail.example.com:465 or smtp://… .")
    encrypt = "always" if parts.scheme == "smtps" else "offered" if is_near(parts.hostname) else "first"
    ca = parse_qs(parts.query).get("ca", [""])[0]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(parts.hostname, port or (465 if encrypt == "always" else 587), encrypt, user, password, ca)


async def hand_over(server: Server, message: EmailMessage, permit: Permit | None) -> None:
    """Hand one mail to the server. Without a permit only to one on this machine.

    Raises:
        NotTaken: it was refused, or the server can't be reached.
        ValueError: the permit is not for the mail server, or is missing.
    """
    if not server.near and (permit is None or permit.parcel.recipient != MAIL_RELAY):
        raise ValueError("mail leaves this machine only through Egress.send")
    context = ssl.create_default_context(cafile=server.ca or None)
    start_tls = {"always": False, "first": True, "offered": None}[server.encrypt]
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.encrypt == "always",
        start_tls=start_tls,
        tls_context=context,
        timeout=_TIMEOUT_S,
    )
    try:
        async with client:
            if server.user:
                await client.login(server.user, server.password)
            await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [refused.code for refused in error.recipients]
        raise NotTaken(f"the recipient was refused ({', '.join(map(str, codes))})", lasting=all(code >= 500 for code in codes)) from error
    except aiosmtplib.SMTPResponseException as error:
        # a refused sign-in or sender is the operator's to mend, so it is tried again
        lasting = isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500
        raise NotTaken(f"the mail server answered {error.code}", lasting=lasting) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NotTaken(f"the mail server can't be reached ({type(error).__name__})", lasting=False) from error
