"""A mail as a message (RFC 5322): plain text, and for whoever allowed it a second form whose picture tells that it was opened."""

import base64
import hmac
import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from importlib import resources
from string import Template
from uuid import UUID

from lineset.messaging.service import Mail

_FORM = Template(resources.files("lineset.messaging").joinpath("mail.html").read_text())
_SIGNED = 12
_LEAVE = re.compile(r"https?://[^\s<>\"]+/news/leave\?token=[\w=-]+(?=\s*$)")
"""The link at the foot of news."""
_LINK = re.compile(r"https?://[^\s<>\"]+")


def compose(sender: str, mail: Mail, picture: str = "") -> EmailMessage:
    """The message. Its id is the mail's own, so that one handed over twice is shown once.

    `picture` is the address of the picture that tells of the opening; without one there is plain text alone, which can tell nothing.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2].strip('> ') or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    leave = _LEAVE.search(mail.body) if mail.kind == "news" else None
    if leave is not None:  # one click out of the mail program itself (RFC 8058)
        message["List-Unsubscribe"] = f"<{leave[0]}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.body)
    if picture:
        text = _LINK.sub(lambda found: _FORM_LINK.substitute(url=found[0]), escape(mail.body, quote=True))
        message.add_alternative(_FORM.substitute(text=text, picture=escape(picture, quote=True)), subtype="html")
    return message


_FORM_LINK = Template(resources.files("lineset.messaging").joinpath("link.html").read_text().strip())


def picture_token(key: bytes, mail: UUID) -> str:
    """What stands in the picture's address: the mail's id, and a signature so that nobody reports what they did not get."""
    return base64.urlsafe_b64encode(mail.bytes + _sign(key, mail)).decode().rstrip("=")


def read_picture(key: bytes, token: str) -> UUID | None:
    """The mail that a picture's address names; None for any that we did not make."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) < 80 else b""
    except ValueError:
        return None
    if len(raw) != 16 + _SIGNED:
        return None
    mail = UUID(bytes=raw[:16])
    return mail if hmac.compare_digest(raw[16:], _sign(key, mail)) else None


def _sign(key: bytes, mail: UUID) -> bytes:
    return hmac.digest(key, b"mail opened:" + mail.bytes, "sha256")[:_SIGNED]
