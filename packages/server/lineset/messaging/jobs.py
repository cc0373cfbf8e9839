"""Jobs of messaging."""

from datetime import datetime
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import update

from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.settings import Settings
from lineset.messaging.model import MailRow
from lineset.messaging.service import Mail, get_mail
from lineset.messaging.smtp import NotTaken, Server, read_address, send_mail
from lineset.privacy import Context, Door, Purpose, System

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
TRIES = 8
"""Waits of 4, 16, 64 … seconds between them: more than five hours in all."""

_log = structlog.get_logger(__name__)


def add_jobs(app: procrastinate.Blueprint, door: Door, settings: Settings) -> None:
    """Register `messaging.send`. Without an SMTP server the mails wait in the development mailbox.

    Raises:
        Invalid: the setting of the SMTP server can't be used.
    """
    server = read_address(settings.smtp_url) if settings.smtp_url else None
    retry = procrastinate.RetryStrategy(max_attempts=TRIES, exponential_wait=4, retry_exceptions=[NotTaken])

    @app.task(name="messaging.send", retry=retry)
    async def send(mail: str) -> None:
        await send_queued(door, UUID(mail), server, settings)


async def send_queued(door: Door, mail_id: UUID, server: Server | None, settings: Settings) -> None:
    """Send a queued mail, unless it is sent already or gone. No transaction stays open meanwhile.

    Raises:
        NotTaken: it did not get through this time; why is kept with the mail.
    """
    if server is None:
        return
    try:
        async with door.open(MAIL) as tx:
            mail: Mail = await get_mail(tx, mail_id, settings.url)
    except NotFound:
        return  # its recipient's data has been erased, or its time is over
    if mail.sent_at is not None:
        return
    try:
        await send_mail(server, settings.mail_from, mail)
    except NotTaken as error:
        await _note(door, mail, None, str(error))
        _log.warning("mail not taken", mail=str(mail_id), kind=mail.kind, why=str(error), lasting=error.lasting)
        if not error.lasting:
            raise
    else:
        await _note(door, mail, now(), None)


async def _note(door: Door, mail: Mail, sent_at: datetime | None, failure: str | None) -> None:
    async with door.open(MAIL) as tx:
        await tx.session.execute(
            update(MailRow).where(MailRow.id == mail.id).values(sent_at=sent_at, attempts=MailRow.attempts + 1, failure=failure)
        )
