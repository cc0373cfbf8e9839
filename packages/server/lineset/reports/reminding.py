"""Reminders by mail of what comes due: at most one mail a week, and each thing once for each time that it is due."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
import procrastinate
from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects.postgresql import insert

from lineset import accounts, diagnostics, sites
from lineset.diagnostics import views
from lineset.kit.clock import now
from lineset.messaging import queue_mail
from lineset.privacy import Context, Door, Person, Purpose, Tx
from lineset.reports.document import Voice
from lineset.reports.household import due_when
from lineset.reports.jobs import VoiceOf, mail_each, words
from lineset.reports.model import ReminderRow

WANTED = (Purpose.NEWS, "due")
"""The yes without which nobody is reminded."""
AHEAD_DAYS = 14.0
LONG = timedelta(days=60)
"""What is still due so long after it was told is told once more."""
Key = tuple[UUID, str]
"""A machine, and the part of it."""


class Reminder(msgspec.Struct, frozen=True):
    """Something to be told: at which site and machine, and what is foretold of it."""

    site: sites.Site
    machine: str
    due: views.Due


def add_reminder_jobs(app: procrastinate.Blueprint, door: Door, voice_of: VoiceOf) -> None:
    """Register `reports.remind`, on Saturday mornings, when people change filters."""

    @app.periodic(cron="23 9 * * 6")
    @app.task(name="reports.remind", queueing_lock="reports.remind")
    async def remind(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        await mail_due(door, voice_of, now().date())


async def mail_due(door: Door, voice_of: VoiceOf, day: date) -> int:
    """Remind everybody who wants it of what comes due; how many people. `day`: of its week. It can run again within the week."""
    week = day.isocalendar()
    kind = f"due_{week.year}_{week.week:02d}"
    return await mail_each(door, WANTED, kind, lambda person: _mail(door, voice_of, person, kind))


async def _mail(door: Door, voice_of: VoiceOf, person: UUID, kind: str) -> bool:
    """One mail about all homes of a person, in what the person may see at this moment; whether anything is to be told."""
    async with door.open(Context(Person(person), Purpose.OPERATE)) as tx:
        reader = await accounts.find_reader(tx, person)
        told = await _to_tell(tx, person)
        if not told or reader is None:
            return False
        said = []
        for each in told:
            voice = await voice_of(tx, person, each.site.time_zone)
            if voice is None:
                return False
            said.append(_line(voice, each, several=len({t.site.id for t in told}) > 1))
        page = f"/home/{told[0].site.id}/advice"
        subject, body = words("due", reader.language, {"name": reader.name, "said": " ".join(said), "page": page})
        await queue_mail(tx, person, reader.email, kind, subject, body)
        await _keep(tx, person, told)
    return True


async def _to_tell(tx: Tx, person: UUID) -> list[Reminder]:
    """What this person has to be told today, the soonest first; forgets what was told and is not due any more.

    What stands as advice is told: not what somebody dismissed, nor what an open finding says already.
    """
    known = {
        (row.equipment_id, row.part): row for row in await tx.session.scalars(select(ReminderRow).where(ReminderRow.person_id == person))
    }
    found: list[Reminder] = []
    for site in await sites.list_sites(tx):
        names = {m.id: m.name for m in site.equipment if m.retired_at is None}
        advised = {(a.equipment, a.code) for a in await diagnostics.list_advice(tx, site=site.id) if a.kind in ("maintenance", "service")}
        for prospect in (await diagnostics.prospects_of(tx, names)).values():
            for due in prospect.dues:
                key, row = (due.equipment, due.part), known.get((due.equipment, due.part))
                if row is not None and due.days - due.doubt_days > AHEAD_DAYS:
                    await tx.session.execute(delete(ReminderRow).where(_is(person, key)))
                elif key in advised and due.days <= AHEAD_DAYS and (row is None or (due.days <= 0 and row.told_at < now() - LONG)):
                    found.append(Reminder(site, names[due.equipment], due))
    return sorted(found, key=lambda each: each.due.days)


def _is(person: UUID, key: Key) -> ColumnElement[bool]:
    return and_(ReminderRow.person_id == person, ReminderRow.equipment_id == key[0], ReminderRow.part == key[1])


async def _keep(tx: Tx, person: UUID, told: Sequence[Reminder]) -> None:
    moment = now()
    rows = [
        {"person_id": person, "equipment_id": t.due.equipment, "part": t.due.part, "household_id": t.site.household_id, "told_at": moment}
        for t in told
    ]
    put = insert(ReminderRow)
    again = put.on_conflict_do_update(index_elements=["person_id", "equipment_id", "part"], set_={"told_at": put.excluded.told_at})
    await tx.session.execute(again, rows)


def _line(voice: Voice, reminder: Reminder, *, several: bool) -> str:
    """One thing in a sentence: what to do, at which machine, and when."""
    _ = voice.gettext
    tasks = {
        "filter": _("Change the filter"),
        "anode": _("Replace the anode"),
        "coil": _("Wash the coil"),
        "service": _("Book the yearly service"),
    }
    what = tasks.get(reminder.due.part, reminder.due.part.replace("_", " ").capitalize())
    where = f"{reminder.machine}, {reminder.site.name}" if several else reminder.machine
    return f"{what} ({where}): {due_when(voice, reminder.due)}."
