"""Links to finished copies: signed, for a quarter of an hour, and of use only to the person for whom they were made.

HMAC-SHA-256 over person, copy and end (RFC 2104), so that a link that leaks opens nothing for anybody else, nor later.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

from lineset.kit.clock import now
from lineset.kit.errors import Denied

LINK_MINUTES = 15


def sign(key: bytes, person: UUID, export: UUID) -> str:
    """The query of a link, as `until=…&sign=…`."""
    until = int((now() + timedelta(minutes=LINK_MINUTES)).timestamp())
    return f"until={until}&sign={_sign(key, person, export, until)}"


def check(key: bytes, person: UUID, export: UUID, until: str, sign_: str) -> datetime:
    """When the link ends.

    Raises:
        Denied: it was not made for this person and copy, or its time is over.
    """
    refused = Denied("bad_link", "This link has ended or is not yours. Get a new one from your list of copies.")
    if not until.isascii() or not until.isdigit() or len(until) > 12:
        raise refused
    end = int(until)
    if not hmac.compare_digest(_sign(key, person, export, end).encode(), sign_.encode(errors="replace")) or end < now().timestamp():
        raise refused
    return datetime.fromtimestamp(end, UTC)


def _sign(key: bytes, person: UUID, export: UUID, until: int) -> str:
    mark = hmac.digest(key, b"lineset copy\0" + person.bytes + export.bytes + str(until).encode(), "sha256")
    return urlsafe_b64encode(mark).rstrip(b"=").decode()
