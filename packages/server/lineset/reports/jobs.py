"""The monthly mails: what a home used, how a company's fleet ran, each with a link to its report, for whoever said yes to it."""

from collections.abc import Awaitable, Callable, Collection
from datetime import date, timedelta
from importlib import resources
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import procrastinate
import structlog

from lineset import accounts, sites
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.messaging import MailWords, fill_words, queue_mail, was_mailed
from lineset.privacy import Context, Door, Person, Purpose, System, Tx, acting, consented
from lineset.reports.document import Voice
from lineset.reports.fleet import fleet_report
from lineset.reports.gathering import fleet_of, home_month
from lineset.reports.household import household_report

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
WANTED = (Purpose.NEWS, "reports")
"""The yes without which no report of a home is mailed."""
FLEET_WANTED = (Purpose.NEWS, "fleet")
"""The yes without which no fleet report is mailed."""
FLEET_PAGE = "/portal/report"
_WORDS = msgspec.yaml.decode(resources.files("lineset.reports").joinpath("mails.yaml").read_bytes(), type=dict[str, dict[str, MailWords]])

_log = structlog.get_logger(__name__)
VoiceOf = Callable[[Tx, UUID, str], Awaitable[Voice | None]]
"""How a person reads at a site in that time zone; None for one who is gone."""


def add_jobs(app: procrastinate.Blueprint, door: Door, voice_of: VoiceOf) -> None:
    """Register `reports.monthly`, on the third of each month, when every site's month is over and its last day is closed."""

    @app.periodic(cron="17 9 3 * *")
    @app.task(name="reports.monthly", queueing_lock="reports.monthly")
    async def monthly(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        month = (now().date().replace(day=1) - timedelta(days=1)).replace(day=1)
        await mail_month(door, voice_of, month)
        await mail_fleets(door, voice_of, month)


async def mail_month(door: Door, voice_of: VoiceOf, month: date) -> int:
    """Mail that month to everybody who wants it; how many people. Run again, it goes on with those who have no such mail yet."""
    return await mail_each(door, WANTED, _kind(month), lambda person: _mail(door, voice_of, person, month))


async def mail_fleets(door: Door, voice_of: VoiceOf, month: date) -> int:
    """Mail the report of the fleet, once for that month, to every manager who wants it; how many. It can run again as `mail_month`."""
    kind = f"fleet_{month:%Y_%m}"
    return await mail_each(door, FLEET_WANTED, kind, lambda person: _mail_fleet(door, voice_of, person, kind))


async def mail_each(door: Door, wanted: tuple[Purpose, str], kind: str, mail: Callable[[UUID], Awaitable[bool]]) -> int:
    """Call `mail` for everybody who said this yes and has no mail of that kind; how many it was sent to."""
    async with door.open(MAIL) as tx:
        waiting: Collection[UUID] = [
            person
            for person in await accounts.active_people(tx)
            if await consented(tx, person, *wanted) and not await was_mailed(tx, person, kind)
        ]
    mailed = 0
    for person in waiting:
        try:
            mailed += await mail(person)
        except Exception:  # noqa: BLE001 - one home's trouble keeps nobody else's mail back
            _log.exception("not mailed", kind=kind, person=str(person))
    return mailed


def words(kind: str, language: str, values: dict[str, str]) -> tuple[str, str]:
    """Subject line and text of a mail of `mails.yaml`."""
    return fill_words(_WORDS[kind], language, values)


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
        subject, body = words("monthly", voice.language, values)
        await queue_mail(tx, person, reader.email, _kind(month), subject, body)
    return True


async def _mail_fleet(door: Door, voice_of: VoiceOf, person: UUID, kind: str) -> bool:
    """One mail about the homes that a manager's companies may see at this moment, and that are enough to be told of; whether they are.

    The looks at those homes stand in their access logs like those of the page.
    """
    with acting("look_list"):
        async with door.open(Context(Person(person), Purpose.SERVICE)) as tx:
            managed = [company.name for company in await accounts.managed_companies(tx)]
            reader = await accounts.find_reader(tx, person)
            if not managed or reader is None:
                return False
            zone = reader.time_zone or "UTC"
            voice = await voice_of(tx, person, zone)
            fleet = await fleet_of(tx, ", ".join(managed), now().astimezone(ZoneInfo(zone)).date())
            if voice is None or fleet.homes < fleet.floor:
                return False
            said = " ".join(fleet_report(voice, fleet, now()).lead)
            values = {"name": reader.name, "company": fleet.company, "said": said, "page": FLEET_PAGE}
            subject, body = words("fleet", voice.language, values)
            await queue_mail(tx, person, reader.email, kind, subject, body)
    return True
