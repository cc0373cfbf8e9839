"""What pages and apps tell of themselves, kept for the person who uses them: errors of our own scripts, and when they were opened.

Nothing that a person typed is kept: of a message only what is left without numbers, addresses and quotations, of a stack only places in our
own scripts, of an address of a page only its shape.
"""

import re
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from lineset.apps.model import AppEventRow
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.ids import new_id
from lineset.kit.likeness import class_name, fingerprint, plain, without_particulars
from lineset.privacy import Tx

MAX_LINES_A_DAY = 40
"""Different troubles of one person that are kept a day; all further ones are one line with their number."""
MAX_FRAMES = 12
MAX_COUNT = 1_000_000
_TOP = 3
_FRAME = re.compile(r"[\w$.<>\[\] -]{0,60}@?[\w.-]{1,80}\.js:\d{1,7}:\d{1,7}")
_PLACE = re.compile(r"[a-z][a-z-]{0,30}")
_EMPTY: dict[str, object] = {"title": "", "message": "", "frames": [], "page": "", "address": None}
_TOO_MANY = _EMPTY | {"kind": "too_many", "fingerprint": "too_many", "title": "too_many"}
BUILD = re.compile(r"[\w.-]{1,40}")


class Report(msgspec.Struct, frozen=True):
    """What a page reports. `frames`: innermost first, `function@script.js:line:column`; `times`: how often since its last report."""

    kind: Literal["opened", "error", "rejection"]
    version: str
    type: str = ""
    message: str = ""
    frames: list[str] = []
    page: str = ""
    times: int = 1


class Trouble(msgspec.Struct, frozen=True):
    """Equal errors of one person's pages."""

    fingerprint: str
    title: str
    message: str
    page: str
    count: int
    first_at: datetime
    last_at: datetime
    versions: tuple[str, ...]
    browsers: tuple[str, ...]


class Opening(msgspec.Struct, frozen=True):
    """That the pages were opened on a day in a browser, and from which address (after a time: from which network)."""

    browser: str
    version: str
    address: str
    first_at: datetime
    last_at: datetime
    count: int


async def record(tx: Tx, report: Report, *, browser: str, address: str) -> None:
    """Keep a report of the acting person. `browser` is its name in words; `address` is kept for openings alone.

    An error that came before today is counted at its line; beyond 40 different ones a day only their number is kept.
    """
    line = _opening(address) if report.kind == "opened" else trouble_line(report)
    if report.kind != "opened" and not await _has_room(tx, now(), str(line["fingerprint"])):
        line = _TOO_MANY
    await _add(tx, line, report.times, report.version, browser)


async def record_flood(tx: Tx, times: int, *, version: str, browser: str) -> None:
    """Keep that this many reports of the acting person came too fast to be read."""
    await _add(tx, _TOO_MANY, times, version, browser)


async def _add(tx: Tx, line: dict[str, object], times: int, version: str, browser: str) -> None:
    moment = now()
    row = insert(AppEventRow).values(
        id=new_id(),
        person_id=tx.context.person,
        day=moment.date(),
        at=moment,
        last_at=moment,
        count=min(max(times, 1), MAX_COUNT),
        version=version if BUILD.fullmatch(version) else "?",
        browser=plain(browser)[:80],
        **line,
    )
    more = func.least(AppEventRow.count + row.excluded.count, MAX_COUNT)
    kept = {"last_at": row.excluded.last_at, "count": more, "address": func.coalesce(row.excluded.address, AppEventRow.address)}
    await tx.session.execute(row.on_conflict_do_update(constraint="uq_app_events_line", set_=kept))


async def troubles(tx: Tx, since: timedelta = timedelta(days=90)) -> list[Trouble]:
    """The acting person's own errors, equal ones as one, newest first."""
    wanted = select(AppEventRow).where(
        AppEventRow.person_id == tx.context.person, AppEventRow.kind != "opened", AppEventRow.last_at > now() - since
    )
    groups: dict[str, list[AppEventRow]] = {}
    for row in await tx.session.scalars(wanted.order_by(AppEventRow.last_at.desc())):
        groups.setdefault(row.fingerprint, []).append(row)
    return [_group(rows) for rows in groups.values()]


async def openings(tx: Tx, limit: int = 20) -> list[Opening]:
    """When the acting person opened the pages, newest first."""
    wanted = select(AppEventRow).where(AppEventRow.person_id == tx.context.person, AppEventRow.kind == "opened")
    rows = await tx.session.scalars(wanted.order_by(AppEventRow.last_at.desc()).limit(limit))
    return [Opening(r.browser, r.version, r.address or "", r.at, r.last_at, r.count) for r in rows]


async def forget(tx: Tx, browser: str | None = None) -> int:
    """Delete all that the acting person's pages reported, or those in one browser, by its name in words; how many lines."""
    mine = select(AppEventRow).where(AppEventRow.person_id == tx.context.person)
    rows = (await tx.session.scalars(mine if browser is None else mine.where(AppEventRow.browser == browser))).all()
    for row in rows:
        await tx.session.delete(row)
    return len(rows)


async def forget_one(tx: Tx, event: UUID) -> None:
    """Delete one line of what the acting person's pages reported. Raises NotFound where it is not theirs."""
    mine = delete(AppEventRow).where(AppEventRow.id == event, AppEventRow.person_id == tx.context.person)
    if (await tx.session.execute(mine.returning(AppEventRow.id))).one_or_none() is None:
        raise NotFound("report")


def _group(rows: list[AppEventRow]) -> Trouble:
    newest = rows[0]
    return Trouble(
        newest.fingerprint,
        newest.title,
        newest.message,
        newest.page,
        sum(r.count for r in rows),
        min(r.at for r in rows),
        newest.last_at,
        tuple(dict.fromkeys(r.version for r in rows)),
        tuple(dict.fromkeys(r.browser for r in rows)),
    )


def _opening(address: str) -> dict[str, object]:
    return _EMPTY | {"kind": "opened", "fingerprint": "opened", "address": address[:64] or None}


def trouble_line(report: Report) -> dict[str, object]:
    """A reported error as the columns of its line, without anything that somebody typed."""
    frames = [frame for frame in (plain(f) for f in report.frames[:MAX_FRAMES]) if _FRAME.fullmatch(frame)]
    kind = class_name(report.type) or "Error"
    message = without_particulars(report.message)
    places = [re.sub(r"-[\w-]{8}(?=\.js)", "", re.sub(r":\d+:\d+$", "", f)) for f in frames[:_TOP]]  # without the build's own digest
    top = next((p.partition("@")[0].strip() for p in places if p.partition("@")[0].strip()), "")
    return {
        "kind": report.kind,
        "fingerprint": fingerprint(report.kind, kind, message, places),
        "title": f"{kind} in {top}" if top else kind,
        "message": message,
        "frames": frames,
        "page": page_shape(report.page),
        "address": None,
    }


def page_shape(path: str) -> str:
    """A path of ours without what it names: /home/#/machines. Parts that are no plain words become `#`."""
    parts = [p for p in path.partition("?")[0].partition("#")[0].split("/") if p][:8]
    return "/" + "/".join(p if _PLACE.fullmatch(p) else "#" for p in parts)


async def _has_room(tx: Tx, moment: datetime, mark: str) -> bool:
    """Whether this trouble has a line today, or may have one."""
    mine = select(func.count(func.distinct(AppEventRow.fingerprint)), func.bool_or(AppEventRow.fingerprint == mark)).where(
        AppEventRow.person_id == tx.context.person, AppEventRow.day == moment.date(), AppEventRow.kind.in_(("error", "rejection"))
    )
    lines, known = (await tx.session.execute(mine)).one()
    return bool(known) or lines < MAX_LINES_A_DAY
