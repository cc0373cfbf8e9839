"""What somebody wants to download: judged, measured, and cut into parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import text

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.privacy import Tx
from lineset.telemetry.history.manifest import parts
from lineset.telemetry.model import RAW_DAYS, ROLLUP_DAYS
from lineset.telemetry.slots import points_of

Detail = Literal["raw", "hour", "day"]
Format = Literal["csv", "parquet"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
FORMATS: tuple[Format, ...] = get_args(Format)
MOST_PARTS = 30_000
MOST_BYTES = 50_000_000_000
"""A file larger than this is refused before it is begun."""
STREAM_DAYS = {"raw": 7.1, "hour": 92.0, "day": 3_660.0}
"""Days of one machine that are sent at once, without a job: a week with its hour of daylight saving, a quarter, ten years."""
_SAMPLED = 16
_TOO_MUCH = "That is too much for one download. Choose a shorter time, fewer machines, or hourly or daily sums."
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# Bytes a value takes in the file: as compressed text, and in columns (measured on readings of the simulator).
_BYTES_A_VALUE = {"csv": 2.2, "parquet": 1.6}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Readings from `start` until before `end` of one machine, of one site, or, with neither, of all machines that the asker may see."""

    start: datetime
    end: datetime
    detail: Detail = "raw"
    format: Format = "csv"
    equipment: UUID | None = None
    site: UUID | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine whose readings are wanted: the series that the asker may see, all points that it has ever sent, its site's time zone.

    `site` is None for one that is somebody else's by now.
    """

    id: UUID
    name: str
    type: str
    site: UUID | None
    time_zone: str
    series: list[int]
    points: list[str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One part to be made: a machine over a span."""

    machine: Machine
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Size:
    """About how much a download will be, and in how many parts it is made."""

    machines: int
    parts: int
    rows: int
    bytes: int


def wanted_of(
    start: datetime, end: datetime, detail: str = "raw", format_: str = "csv", equipment: UUID | None = None, site: UUID | None = None
) -> Wanted:
    """What is wanted, once it makes sense: nothing that is no longer kept, and nothing of the future.

    Raises:
        Invalid: an unknown detail or format, both a machine and a site, or an empty span.
    """
    if detail not in DETAILS:
        raise Invalid("bad_detail", "Choose raw, hour or day.", "detail")
    if format_ not in FORMATS:
        raise Invalid("bad_format", "Choose csv or parquet.", "format")
    if equipment is not None and site is not None:
        raise Invalid("bad_target", "Name a machine or a site, not both.", "site")
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise Invalid("bad_span", "Give a start before the end, with time zones.", "start")
    kept = RAW_DAYS if detail == "raw" else ROLLUP_DAYS
    first, last = max(start, now() - timedelta(days=kept)), min(end, now())
    if first >= last:
        raise Invalid("nothing_kept", "Nothing of that time is kept in that detail.", "start")
    return Wanted(first, last, detail, format_, equipment, site)


async def machines_of(tx: Tx, wanted: Wanted) -> list[Machine]:
    """The machines that are meant, by site and name, as far as the asker may see them; those that were retired too.

    Raises:
        NotFound: none of that name for the asker.
    """
    rows = (
        await tx.session.execute(
            text(
                "SELECT e.id, e.name, e.type, e.site_id, s.time_zone, array_agg(n.series_id ORDER BY n.starts_at)"
                " FROM equipment e JOIN sites s ON s.id = e.site_id JOIN tenures n ON n.equipment_id = e.id"
                " WHERE (CAST(:equipment AS uuid) IS NULL OR e.id = :equipment) AND (CAST(:site AS uuid) IS NULL OR e.site_id = :site)"
                " AND (n.ends_at IS NULL OR n.ends_at > :start)"
                " GROUP BY e.id, e.name, e.type, e.site_id, s.time_zone ORDER BY e.site_id, e.name, e.id"
            ),
            {"equipment": wanted.equipment, "site": wanted.site, "start": wanted.start},
        )
    ).all()
    if not rows:
        raise NotFound("site" if wanted.site is not None else "machine")
    points = await points_of(tx, [row[0] for row in rows])
    return [
        Machine(id_, name, type_, site, zone, list(series), [p.name for p in points.get(id_, [])])
        for id_, name, type_, site, zone, series in rows
    ]


def stretches(wanted: Wanted, machines: Sequence[Machine]) -> list[Stretch]:
    """The parts of a download: machine by machine, each in order of time.

    Raises:
        Invalid: there are too many.
    """
    spans = list(_spans(wanted))
    if len(spans) * len(machines) > MOST_PARTS:
        raise Invalid("too_much", _TOO_MUCH, "start")
    return [Stretch(machine, since, until) for machine in machines for since, until in spans]


def _spans(wanted: Wanted) -> Iterator[tuple[datetime, datetime]]:
    """Calendar months (UTC) of single readings, years of hourly sums, all of daily ones."""
    at = wanted.start
    while at < wanted.end:
        until = min(_next(at, wanted.detail), wanted.end)
        yield at, until
        at = until


def _next(at: datetime, detail: Detail) -> datetime:
    utc = at.astimezone(UTC)
    if detail == "raw":
        return datetime(utc.year + utc.month // 12, utc.month % 12 + 1, 1, tzinfo=UTC)
    return datetime(utc.year + 1, 1, 1, tzinfo=UTC) if detail == "hour" else datetime.max.replace(tzinfo=UTC)


async def size_of(tx: Tx, wanted: Wanted, machines: Sequence[Machine]) -> Size:
    """About how large it will be, judged by a sample of the machines: by the daily sums' counts, and by the rows of days still open.

    Raises:
        Invalid: too large for one download.
    """
    count = len(stretches(wanted, machines))
    step = max(1, len(machines) // _SAMPLED)
    sample = machines[::step]
    days = (wanted.end - wanted.start).total_seconds() / 86_400
    values = sum(len(m.points) for m in machines)
    if wanted.detail == "raw":
        found = await _readings(tx, [s for m in sample for s in m.series], wanted)
        rows = round(found * len(machines) / len(sample))
        cells = rows * values / max(1, len(machines))
    else:
        rows = round(values * (days * 24 if wanted.detail == "hour" else max(1.0, days)))
        cells = rows * 8.0
    size = Size(len(machines), count, rows, round(cells * _BYTES_A_VALUE[wanted.format] + rows * 8))
    if size.bytes > MOST_BYTES:
        raise Invalid("too_much", _TOO_MUCH, "start")
    return size


async def _readings(tx: Tx, series: list[int], wanted: Wanted) -> int:
    """About how many frames these series have: counts of the daily sums of closed days, rows of the days since."""
    closed = await closed_until(tx)
    hot = int(
        await tx.session.scalar(
            text("SELECT count(*) FROM access.read_frames(:ids, :start, :end)"),
            {"ids": series, "start": max(wanted.start, closed), "end": wanted.end},
        )
        or 0
        if wanted.end > closed
        else 0
    )
    files = await parts(tx, "day", wanted.start.date().replace(month=1, day=1), wanted.end.date(), series)
    if not files or tx.storage is None or wanted.start >= closed:
        return hot
    from lineset.telemetry.exports.rows import counted  # noqa: PLC0415 - most pages never load the library

    return hot + await counted(tx.storage, files, series, wanted.start, min(wanted.end, closed))


async def closed_until(tx: Tx) -> datetime:
    """The time before which days are closed with all their sums; long ago where none is.

    While a day is being closed its boundary has moved already, but it still has its partition, and perhaps no sums.
    """
    found = await tx.session.scalar(
        text(
            "SELECT greatest(least(access.closed_until(), (SELECT min(d)::timestamp AT TIME ZONE 'UTC' FROM access.days() AS d)),"
            " :earliest)"
        ),
        {"earliest": EARLIEST},
    )
    assert isinstance(found, datetime)  # noqa: S101 - the function always has an answer
    return found


def at_once(wanted: Wanted) -> bool:
    """Whether it is small enough to be sent without a job: one machine, over a short time."""
    days = (wanted.end - wanted.start).total_seconds() / 86_400
    return wanted.equipment is not None and days <= STREAM_DAYS[wanted.detail]
