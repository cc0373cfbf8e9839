"""Jobs of messaging."""

import asyncio
from datetime import datetime
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import update

from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.jobs import defer
from lineset.kit.settings import Settings, secret
from lineset.messaging.compose import compose, picture_token
from lineset.messaging.model import MailRow
from lineset.messaging.service import Mail, get_mail
from lineset.privacy import Context, Door, Purpose, System, Tx
from lineset.privacy.egress import MAIL_RELAY, AsksConsent, Egress, NotAllowed, NotTaken, Parcel, Permit, Server, hand_over, read_address

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
MAIL_OPENS = (Purpose.NEWS, "opened")
"""The yes without which no mail has a picture, and with which only news has one."""
NEWS_KIND = "news"
PICTURE_KEY = "mail_opens"
TRIES = 8
"""Waits of 4, 16, 64 … seconds between them: more than five hours in all."""
HELD = "held: "
"""Begins the failure of a mail that the register did not let out. It goes when the register does."""
_FIELDS = ("user.contact.email", "user.name", "user.content.private")

_log = structlog.get_logger(__name__)


def add_jobs(app: procrastinate.Blueprint, door: Door, settings: Settings, consented: AsksConsent | None = None) -> None:
    """Register `messaging.send` and `messaging.resume`. Without an SMTP server the mails wait in the development mailbox.

    `consented` says who allows that the opening of news is told; without it nobody does.

    Raises:
        Invalid: the setting of the SMTP server can't be used.
    """
    sender = Sender(door, settings, consented)
    retry = procrastinate.RetryStrategy(max_attempts=TRIES, exponential_wait=4, retry_exceptions=[NotTaken])

    @app.task(name="messaging.send", retry=retry)
    async def send(mail: str) -> None:
        await sender.send(UUID(mail))

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="messaging.resume", queueing_lock="messaging.resume")
    async def resume(timestamp: int) -> None:  # noqa: ARG001 - a periodic job gets the time at which it was due
        await resume_held(door)


async def resume_held(door: Door) -> int:
    """Try the mails again that the register held back; how many."""
    async with door.open(MAIL) as tx:
        held = MailRow.sent_at.is_(None), MailRow.failure.startswith(HELD)
        waiting = (await tx.session.scalars(update(MailRow).where(*held).values(failure=None).returning(MailRow.id))).all()
        for mail in waiting:
            await defer(tx.session, "messaging.send", mail=str(mail))
    return len(waiting)


class Sender:
    """Sends queued mails through the server of the settings, if there is one."""

    def __init__(self, door: Door, settings: Settings, consented: AsksConsent | None = None) -> None:
        """Raises Invalid when the setting of the server can't be used."""
        self._door = door
        self._settings = settings
        self._consented = consented
        self._server: Server | None = read_address(settings.smtp_url) if settings.smtp_url else None
        self._egress = Egress(door, consented)

    async def send(self, mail_id: UUID) -> None:
        """Send a queued mail, unless it is sent already or gone. No transaction stays open meanwhile.

        A mail to a server on another machine is a disclosure to the mail relay. Where the register does not allow that, the mail waits
        with the reason, and nothing leaves.

        Raises:
            NotTaken: it did not get through this time; why is kept with the mail.
        """
        if self._server is None:
            return
        try:
            async with self._door.open(MAIL) as tx:
                mail: Mail = await get_mail(tx, mail_id, self._settings.url)
                picture = await self._picture(mail) if await self._may_tell(tx, mail) else ""
        except NotFound:
            return  # its recipient's data has been erased, or its time is over
        if mail.sent_at is not None:
            return
        try:
            await self._hand_over(self._server, mail, picture)
        except NotAllowed as error:
            await self._note(mail, None, f"{HELD}{error.code}")
            _log.warning("mail held back: the register of recipients does not allow it", mail=str(mail_id), why=error.code)
        except NotTaken as error:
            await self._note(mail, None, str(error))
            _log.warning("mail not taken", mail=str(mail_id), kind=mail.kind, why=str(error), lasting=error.lasting)
            if not error.lasting:
                raise
        else:
            await self._note(mail, now(), None)

    async def _hand_over(self, server: Server, mail: Mail, picture: str) -> None:
        message = compose(self._settings.mail_from, mail, picture)

        async def carry(permit: Permit | None) -> None:
            await hand_over(server, message, permit)

        if server.near:
            await carry(None)
            return
        parcel = Parcel(mail.id, MAIL_RELAY, Purpose.COMMUNICATE, _FIELDS, mail.about, f"mail:{mail.kind}")
        await self._egress.send(MAIL, parcel, carry)

    async def _may_tell(self, tx: Tx, mail: Mail) -> bool:
        news = mail.kind.partition("_")[0] == NEWS_KIND
        return news and self._consented is not None and await self._consented(tx, mail.about, *MAIL_OPENS)

    async def _picture(self, mail: Mail) -> str:
        key = await asyncio.to_thread(secret, self._settings, PICTURE_KEY)
        return f"{self._settings.url}/o/{picture_token(key, mail.id)}.gif"

    async def _note(self, mail: Mail, sent_at: datetime | None, failure: str | None) -> None:
        async with self._door.open(MAIL) as tx:
            await tx.session.execute(
                update(MailRow).where(MailRow.id == mail.id).values(sent_at=sent_at, attempts=MailRow.attempts + 1, failure=failure)
            )
