"""Tags: what our pages report from a browser in which nobody is signed in hangs on a random number of that browser, and on nothing else.

The number is made with the first report, never before; only its digest is kept. Its person resets it whenever they like, and nothing then
leads from the old one to the new. When somebody signs in and lets the notice there stand, the reports become their own and the tag ends.
"""

import secrets
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from lineset.apps.model import AppEventRow
from lineset.apps.model_tags import TagEventRow, TagRow
from lineset.apps.service import BUILD, MAX_COUNT, MAX_LINES_A_DAY, Report, trouble_line
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.ids import new_id
from lineset.kit.likeness import plain
from lineset.privacy import Context, Purpose, System, Tx

TAGS = Context(System("authentication"), Purpose.SECURITY)
"""As whom the pages handle tags: nobody is signed in."""
MOST_TAG = 64
_COLUMNS = ("day", "at", "last_at", "count", "kind", "fingerprint", "title", "message", "page", "version", "browser")


def new_tag() -> str:
    """A fresh random number of 128 bits, as its cookie holds it."""
    return secrets.token_urlsafe(16)


async def record_tagged(tx: Tx, tag: str, report: Report, *, browser: str) -> None:
    """Keep an error that a signed-out browser reports. Beyond 40 different ones a day nothing more is kept. No address is.

    Raises:
        Invalid: the report tells of something else than an error.
    """
    if report.kind == "opened":
        raise Invalid("bad_report", "Visits are counted for nobody who is not signed in.")
    moment, line = now(), trouble_line(report)
    made = insert(TagRow).values(id=new_id(), digest=_digest(tx, tag), made_at=moment, seen_at=moment)
    kept = made.on_conflict_do_update(index_elements=["digest"], set_={"seen_at": moment}).returning(TagRow.id)
    tag_id = (await tx.session.scalars(kept)).one()
    today = select(func.count()).where(TagEventRow.tag_id == tag_id, TagEventRow.day == moment.date())
    if (await tx.session.scalar(today) or 0) >= MAX_LINES_A_DAY:
        return
    row = insert(TagEventRow).values(
        id=new_id(),
        tag_id=tag_id,
        day=moment.date(),
        at=moment,
        last_at=moment,
        count=min(max(report.times, 1), MAX_COUNT),
        version=report.version if BUILD.fullmatch(report.version) else "?",
        browser=plain(browser)[:80],
        **{name: line[name] for name in ("kind", "fingerprint", "title", "message", "page")},
    )
    more = {"last_at": moment, "count": func.least(TagEventRow.count + row.excluded.count, MAX_COUNT)}
    await tx.session.execute(row.on_conflict_do_update(constraint="uq_tag_events_line", set_=more))


async def tagged(tx: Tx, tag: str) -> int:
    """How many lines hang on a tag; 0 where there is no such tag."""
    mine = select(func.count()).select_from(TagEventRow).join(TagRow).where(TagRow.digest == _digest(tx, tag))
    return await tx.session.scalar(mine) or 0


async def reset_tag(tx: Tx, tag: str) -> None:
    """End a tag: what hung on it is deleted."""
    await tx.session.execute(delete(TagRow).where(TagRow.digest == _digest(tx, tag)))


async def adopt_tag(tx: Tx, tag: str, person: UUID) -> int:
    """Make what hangs on a tag the reports of a person who signed in and let the notice stand; the tag ends. How many lines."""
    found = await tx.session.scalars(select(TagEventRow).join(TagRow).where(TagRow.digest == _digest(tx, tag)))
    rows = [{name: getattr(r, name) for name in _COLUMNS} for r in found]
    for row in rows:
        own = insert(AppEventRow).values(id=new_id(), person_id=person, frames=[], address=None, **row)
        more = func.least(AppEventRow.count + own.excluded.count, MAX_COUNT)
        await tx.session.execute(own.on_conflict_do_update(constraint="uq_app_events_line", set_={"count": more}))
    await reset_tag(tx, tag)
    return len(rows)


def _digest(tx: Tx, tag: str) -> bytes:
    return tx.vault.text_digest("tag", tag[:MOST_TAG])
