"""Downloading measurements: choose, see how large it is, start, watch, take. Home app and portal mount it each in its own frame."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response
from litestar.response import Stream

from lineset import sites
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid, LinesetError, NotFound, TooMany
from lineset.kit.ids import parse_id
from lineset.kit.ranges import piece_of
from lineset.kit.storage import storage
from lineset.privacy import Context, Tx
from lineset.telemetry import exports

from ..coming import go
from ..edge import Ask, edge, page
from ..forms import Form
from ..reader import Reader
from ..refusals import marked, refused

FIELDS = ("of", "from", "to", "detail", "format")
_DEFAULT_DAYS = 6  # before today, which makes a week
_DETAILS = {"raw": marked("Single readings"), "hour": marked("Hourly sums"), "day": marked("Daily sums")}
_FORMATS = {"csv": marked("CSV, for spreadsheets"), "parquet": marked("Parquet, for analysis")}
_STATES = {
    "waiting": marked("waits for its turn"),
    "running": marked("being made"),
    "ready": marked("ready"),
    "cancelled": marked("cancelled"),
    "failed": marked("failed. Ask for it again, or for less at once"),
    "ended": marked("ended: something in it is no longer shared with you"),
    "expired": marked("its time is over"),
}
_TOO_LONG_AGO = 40  # years
REFUSALS = (
    marked("Nothing of that time is kept in that detail."),
    marked("Give a start before the end, with time zones."),
    marked("That is too much for one download. Choose a shorter time, fewer machines, or hourly or daily sums."),
    marked("3 downloads are being made already. Wait for one, or cancel one."),
    marked("You may ask for 30 downloads a day. Try again tomorrow."),
    marked("This download is still being made."),
    marked("This download has no file any more. Ask for it again."),
)
"""What telemetry says when it refuses a download, for the catalogue."""


class Frame(msgspec.Struct, frozen=True):
    """Where the flow is mounted: whose it is, its address, what fills the area's frame, and what can be chosen by value."""

    who: Principal
    context: Context
    reader: Reader
    base: str
    layout: dict[str, Any]
    choices: Sequence[tuple[str, str]]


class Line(msgspec.Struct, frozen=True):
    """A download in the list."""

    id: str
    what: str
    span: str
    how: str
    state: str
    state_word: str
    progress: str
    share: float
    size: str
    until: str

    @property
    def busy(self) -> bool:
        """Whether it is being made."""
        return self.state in ("waiting", "running")


class Offer(msgspec.Struct, frozen=True):
    """How large a download would be, and whether it is sent at once, from `now`."""

    say: str
    now: str


def values_of(query: Mapping[str, Any], frame: Frame) -> dict[str, str]:
    """What was chosen, filled up: the first choice, the last seven days, single readings, CSV."""
    today = frame.reader.local(now()).date()
    defaults = {
        "of": frame.choices[0][0],
        "from": (today - timedelta(days=_DEFAULT_DAYS)).isoformat(),
        "to": today.isoformat(),
        "detail": "raw",
        "format": "csv",
    }
    return {name: str(query.get(name) or defaults[name])[:80] for name in FIELDS}


async def wanted_of(tx: Tx, frame: Frame, values: Mapping[str, str]) -> exports.Wanted:
    """What the form asks for: whole days on the site's own clock, or on the reader's where it is all sites.

    Raises:
        Invalid: a day that can't be read, or nothing kept of that time.
        NotFound: no such machine or site for this person.
    """
    kind, _, text = values["of"].partition(":")
    id_ = parse_id(text) if text else None
    if (kind, id_ is None) not in {("machine", False), ("site", False), ("all", True)}:
        raise NotFound("machine")
    zone = frame.reader.zone
    if id_ is not None:
        site = (await sites.get_equipment(tx, id_)).site_id if kind == "machine" else id_
        zone = Reader(zone=(await sites.get_site(tx, site)).time_zone).zone
    first, last = _day(frame.reader, values["from"], "from"), _day(frame.reader, values["to"], "to") + timedelta(days=1)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, last))
    machine, site_ = (id_ if kind == "machine" else None), (id_ if kind == "site" else None)
    return exports.wanted_of(start, end, values["detail"], values["format"], machine, site_)


def _day(reader: Reader, text: str, field: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("bad_date", reader.gettext("Give the day as year-month-day, such as 2019-10-12."), field) from error
    if not 0 <= now().year + 1 - found.year <= _TOO_LONG_AGO:
        raise Invalid("bad_date", reader.gettext("Give the day as year-month-day, such as 2019-10-12."), field)
    return found


async def show(
    request: Ask, frame: Frame, *, status: int = 200, error: LinesetError | None = None, typed: Mapping[str, str] | None = None
) -> Response[Any]:
    """The page: the form, with how large it would be once that was asked, and the person's downloads."""
    query = request.query_params
    values = dict(typed) if typed is not None else values_of(query, frame)
    offer: Offer | None = None
    async with edge(request).door.open(frame.context) as tx:
        if error is None and query.get("look"):
            try:
                wanted = await wanted_of(tx, frame, values)
                offer = _offer(frame, values, wanted, await exports.size(tx, wanted))
            except LinesetError as refusal:
                error, status = refusal, int(refusal.status)
        lines = await _lines(tx, frame)
    form = refused(frame.reader, _at_field(error), values) if error is not None else Form(values=values)
    return page(
        request,
        "common/exports.html",
        frame.reader,
        frame.who,
        status=status,
        form=form,
        offer=offer,
        lines=lines,
        choices=frame.choices,
        details=[(k, frame.reader.gettext(w)) for k, w in _DETAILS.items()],
        formats=[(k, frame.reader.gettext(w)) for k, w in _FORMATS.items()],
        here=frame.base,
        most=exports.MOST_RUNNING,
        **frame.layout,
    )


def _at_field(error: LinesetError) -> LinesetError:
    """The refusal at the field of this form that it is about; one that asks for patience in its own words."""
    if isinstance(error, TooMany):
        return Conflict(error.code, error.say)
    names = {"start": "from", "end": "to"}
    if isinstance(error, Invalid) and error.field in names:
        return Invalid(error.code, error.say, names[error.field])
    return error


async def list_part(request: Ask, frame: Frame) -> Response[Any]:
    """The list alone, for a page that watches."""
    async with edge(request).door.open(frame.context) as tx:
        lines = await _lines(tx, frame)
    return page(request, "common/exports_part.html", frame.reader, frame.who, lines=lines, here=frame.base)


async def start(request: Ask, frame: Frame, form: Mapping[str, Any]) -> Response[Any]:
    """Begin a download."""
    values = values_of(form, frame)
    try:
        async with edge(request).door.open(frame.context) as tx:
            await exports.ask(tx, await wanted_of(tx, frame, values))
    except LinesetError as error:
        return await show(request, frame, status=int(error.status), error=error, typed=values)
    return go(f"{frame.base}#list")


async def take_now(request: Ask, frame: Frame) -> Response[Any] | Stream:
    """A small one, sent at once."""
    values = values_of(request.query_params, frame)
    door = edge(request).door
    try:
        async with door.open(frame.context) as tx:
            wanted = await wanted_of(tx, frame, values)
            machine = await exports.machine_at_once(tx, wanted)
            whole = await exports.parquet_of(tx, machine, wanted) if wanted.format == "parquet" else b""
    except Invalid as error:
        return await show(request, frame, status=int(error.status), error=error, typed=values)
    headers = {"content-disposition": f'attachment; filename="{exports.name_of(wanted)}"', "cache-control": "private, no-store"}
    if wanted.format == "parquet":
        return Response(whole, media_type="application/vnd.apache.parquet", headers=headers)
    pieces = exports.csv_of(door, frame.context, machine, wanted)
    return Stream(_after(await anext(pieces), pieces), media_type="text/csv; charset=utf-8", headers=headers)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def take(request: Ask, frame: Frame, export: str) -> Response[Any] | Stream:
    """The finished file, or the piece of it that the browser lacks."""
    here = edge(request)
    async with here.door.open(frame.context) as tx:
        file = await exports.file_of(tx, _id(export))
    asked = request.headers
    piece = piece_of(file.bytes, file.etag, asked.get("range"), asked.get("if-range"), asked.get("if-none-match"))
    if piece.status in (304, 416):
        return Response(b"", status_code=piece.status, headers=piece.headers)
    pieces = exports.stream(here.door, frame.context, storage(here.settings, "exports"), file, piece.start, piece.end)
    return Stream(pieces, status_code=piece.status, media_type=file.media_type, headers={**file.headers, **piece.headers})


async def cancel(request: Ask, frame: Frame, export: str) -> Response[Any]:
    """Stop making it."""
    async with edge(request).door.open(frame.context) as tx:
        await exports.cancel(tx, _id(export))
    return go(f"{frame.base}#list")


async def remove(request: Ask, frame: Frame, export: str) -> Response[Any]:
    """Delete it with its file."""
    async with edge(request).door.open(frame.context) as tx:
        await exports.drop(tx, _id(export))
    return go(f"{frame.base}#list")


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound("download")
    return found


def _offer(frame: Frame, values: Mapping[str, str], wanted: exports.Wanted, size: exports.Size) -> Offer:
    reader = frame.reader
    say = reader.gettext(
        "About %(rows)s rows, %(size)s, from %(machines)s.",
        rows=reader.number(_round(size.rows)),
        size=size_words(reader, size.bytes),
        machines=reader.ngettext("%(n)s machine", "%(n)s machines", size.machines),
    )
    return Offer(say, f"{frame.base}/now?{urlencode(values)}" if exports.at_once(wanted) else "")


def _round(number: int) -> int:
    """To two digits: it is an estimate."""
    return int(float(f"{number:.2g}"))


def size_words(reader: Reader, count: int) -> str:
    """A number of bytes in words."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{reader.number(count / factor, 1 if count < 10 * factor else 0)}\u00a0{unit}"
    return reader.gettext("less than 1 kB")


async def _lines(tx: Tx, frame: Frame) -> list[Line]:
    found = await exports.list_exports(tx)
    named = {site.id: site.name for site in await sites.list_sites(tx, with_equipment=False)} if any(e.site for e in found) else {}
    lines = []
    for export in found:
        what = frame.reader.gettext("All sites")
        if export.equipment is not None:
            what = frame.reader.gettext("A machine that is no longer shared with you")
            with contextlib.suppress(NotFound):
                what = (await sites.get_equipment(tx, export.equipment)).name
        elif export.site is not None:
            what = named.get(export.site) or frame.reader.gettext("A site that is no longer shared with you")
        lines.append(_line(frame.reader, export, what))
    return lines


def _line(reader: Reader, export: exports.Export, what: str) -> Line:
    last = export.end - timedelta(microseconds=1)
    share = export.parts_done / export.parts if export.parts else 0.0
    made, whole = reader.number(export.parts_done), reader.number(export.parts)
    return Line(
        id=str(export.id),
        what=what,
        span=reader.gettext("%(first)s to %(last)s", first=reader.date(export.start), last=reader.date(last)),
        how=f"{reader.gettext(_DETAILS[export.detail])}, {export.format.upper() if export.format == 'csv' else 'Parquet'}",
        state=export.state,
        state_word=reader.gettext(_STATES[export.state]),
        progress=reader.gettext("%(made)s of %(parts)s parts", made=made, parts=whole) if export.busy else "",
        share=share,
        size=size_words(reader, export.bytes) if export.bytes is not None else "",
        until=reader.when(export.expires_at, now()) if export.expires_at is not None else "",
    )
