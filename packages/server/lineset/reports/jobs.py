"""The monthly mail: what a home used and a link to its report, for whoever said yes to it."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from importlib import resources
from uuid import UUID

import msgspec
import procrastinate
import structlog

from lineset import accounts, sites
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.messaging import MailWords, fill_words, queue_mail, was_mailed
from lineset.privacy import Context, Door, Person, Purpose, System, Tx, consented
from lineset.reports.document import Voice
from lineset.reports.gathering import home_month
from lineset.reports.household import household_report

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
WANTED = (Purpose.NEWS, "reports")
"""The yes without which no report is mailed."""
_WORDS = msgspec.yaml.decode(resources.files("lineset.reports").joinpath("mails.yaml").read_bytes(), type=dict[str, dict[str, MailWords]])

_log = structlog.get_logger(__name__)
VoiceOf = Callable[[Tx, UUID, str], Awaitable[Voice | None]]
"""How a person reads at a site in that time zone; None for one who is gone."""


def add_jobs(app: procrastinate.Blueprint, door: Door, voice_of: VoiceOf) -> None:
    """Register `reports.monthly`, on the third of each month, when every site's month is over and its last day is closed."""

    @app.periodic(cron="17 9 3 * *")
    @app.task(name="reports.monthly", queueing_lock="reports.monthly")
    async def monthly(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        await mail_month(door, voice_of, (now().date().replace(day=1) - timedelta(days=1)).replace(day=1))


async def mail_month(door: Door, voice_of: VoiceOf, month: date) -> int:
    """Mail that month to everybody who wants it; how many people. Run again, it goes on with those who have no such mail yet."""
    async with door.open(MAIL) as tx:
        waiting = [
            person
            for person in await accounts.active_people(tx)
            if await consented(tx, person, *WANTED) and not await was_mailed(tx, person, _kind(month))
        ]
    mailed = 0
    for person in waiting:
        try:
            mailed += await _mail(door, voice_of, person, month)
        except Exception:  # noqa: BLE001 - one home's trouble keeps nobody else's mail back
            _log.exception("report not mailed", person=str(person))
    return mailed


def _kind(month: date) -> str:
    return f"report_{month:%Y_%m}"


async def _mail(door: Door, voice_of: VoiceOf, person: UUID, month: date) -> bool:
    """One mail about all homes of a person, in what the person may see at this moment; whether there was anything to say."""
    async with door.open(Context(Person(person), Purpose.OPERATE)) as tx:
        said, page, voice = [], "", None
        for site in await sites.list_sites(tx):
            voice = await voice_of(tx, person, site.time_zone)
            if voice is None:
                return False
            try:
                home = await home_month(tx, site, month)
            except Invalid:
                continue
            if home.energy is not None:
                said.append(f"{site.name}: {' '.join(household_report(voice, home, now()).lead)}")
                page = page or f"/home/{site.id}/reports?month={month:%Y-%m}"
        reader = await accounts.find_reader(tx, person)
        if not said or voice is None or reader is None:
            return False
        values = {"name": reader.name, "month": voice.month_of(month), "said": " ".join(said), "page": page}
        subject, body = fill_words(_WORDS["monthly"], voice.language, values)
        await queue_mail(tx, person, reader.email, _kind(month), subject, body)
    return True
