"""The development mailbox: where mails can be read when no mail server is set. Only on the machine itself."""

from ipaddress import ip_address
from typing import Any
from uuid import UUID

from litestar import Response, get

from lineset import messaging
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.settings import Settings
from lineset.privacy import Context, Purpose, System

from ..common.edge import Ask, edge, page, principal, reader_of

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
_OWN_NAMES = {"localhost", "127.0.0.1", "::1", "[::1]"}


def open_here(settings: Settings) -> bool:
    """Whether mails have no other way out and nobody but this machine reaches the pages."""
    return settings.loopback and not settings.smtp_url


def _own_machine_only(request: Ask) -> None:
    """Raises NotFound for another machine, and for another site's name that was made to point here."""
    client = request.client.host if request.client else ""
    try:
        near = ip_address(client).is_loopback
    except ValueError:
        near = False
    if not near or (request.base_url.hostname or "") not in _OWN_NAMES:
        raise NotFound("page")


@get("/mailbox")
async def mails(request: Ask) -> Response[Any]:
    """The newest mails."""
    _own_machine_only(request)
    here, who = edge(request), await principal(request)
    async with here.door.open(MAIL) as tx:
        found = await messaging.list_mails(tx, here.settings.url)
    return page(request, "public/mailbox.html", reader_of(request, who), who, mails=found, now=now())


@get("/mailbox/{mail_id:uuid}")
async def mail(request: Ask, mail_id: UUID) -> Response[Any]:
    """One mail, its links ready to follow."""
    _own_machine_only(request)
    here, who = edge(request), await principal(request)
    async with here.door.open(MAIL) as tx:
        found = await messaging.get_mail(tx, mail_id, here.settings.url)
    return page(request, "public/mail.html", reader_of(request, who), who, mail=found, now=now())


ROUTES = (mails, mail)
