"""Downloads: readings of one machine at once, and large files that a job makes."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream

from lineset.api.edge import PATH, Caller, Desk, id_of
from lineset.api.problems import problem
from lineset.api.things import moment_of
from lineset.kit.clock import now
from lineset.kit.ranges import piece_of
from lineset.kit.storage import storage
from lineset.telemetry import exports

_CSV, _PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"


class ExportOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to download: of one machine (`equipment`), one site (`site`), or, with neither, all machines that the asker may see.

    `detail`: raw (each single reading), hour or day (sums). `start` and `end`: ISO 8601 with a time zone; without `end` until now.
    """

    start: str
    end: str | None = None
    equipment: UUID | None = None
    site: UUID | None = None
    detail: Literal["raw", "hour", "day"] = "raw"
    format: Literal["csv", "parquet"] = "csv"


class Export(msgspec.Struct, frozen=True):
    """A download. `state`: waiting, running, ready, cancelled, failed, ended (no longer shared), expired.

    `parts_done` of `parts` are made. `expected_rows` and `expected_bytes` are estimates; `bytes` and `sha256` those of the finished file.
    """

    id: UUID
    state: str
    code: str
    site: UUID | None
    equipment: UUID | None
    start: datetime
    end: datetime
    detail: str
    format: str
    machines: int
    parts: int
    parts_done: int
    rows: int
    expected_rows: int
    expected_bytes: int
    bytes: int | None
    sha256: str | None
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None


@get("/equipment/{equipment_id:str}/readings", summary="Readings of a machine as a file, at once")
async def get_readings(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    equipment_id: FromPath[str],
    start: Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone; without it 24 hours before the end")] = None,
    end: Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone; without it now")] = None,
    detail: Annotated[str, QueryParameter(description="raw, hour or day")] = "raw",
    file_format: Annotated[str, QueryParameter(name="format", description="csv or parquet")] = "csv",
) -> Response[Any] | Stream:
    """All points of a machine over at most 7 days of readings, 92 of hourly, or ten years of daily sums. For more, POST /exports."""
    until = moment_of(end, "end") if end else now()
    since = moment_of(start, "start") if start else until - timedelta(days=1)
    wanted = exports.wanted_of(since, until, detail, file_format, equipment=id_of(equipment_id, "machine"))
    door, context = desk.platform.door, caller.context
    async with door.open(context) as tx:
        machine = await exports.machine_at_once(tx, wanted)
        whole = await exports.parquet_of(tx, machine, wanted) if wanted.format == "parquet" else b""
    headers = {"content-disposition": f'attachment; filename="{exports.name_of(wanted)}"', "cache-control": "private, no-store"}
    if wanted.format == "parquet":
        return Response(whole, media_type=_PARQUET, headers=headers)
    pieces = exports.csv_of(door, context, machine, wanted)
    first = await anext(pieces)  # what goes wrong is told before the answer begins
    return Stream(_after(first, pieces), media_type=_CSV, headers=headers)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


@post("/exports", summary="Ask for a download", status_code=202)
async def post_export(caller: NamedDependency[Caller], desk: NamedDependency[Desk], data: JSONBody[ExportOrder]) -> Response[Export]:
    """Begin a download of any size; a job makes it. Ask GET /exports/{id} how far it is. At most 3 at a time."""
    until = moment_of(data.end, "end") if data.end else now()
    wanted = exports.wanted_of(moment_of(data.start, "start"), until, data.detail, data.format, data.equipment, data.site)
    async with desk.platform.door.open(caller.context) as tx:
        made = await exports.get(tx, await exports.ask(tx, wanted))
    return Response(_shown(made), status_code=202, headers={"location": f"{PATH}/exports/{made.id}"})


@get("/exports", summary="Your downloads")
async def get_exports(caller: NamedDependency[Caller], desk: NamedDependency[Desk]) -> list[Export]:
    """Your downloads of the last 30 days for this purpose, newest first."""
    async with desk.platform.door.open(caller.context) as tx:
        return [_shown(e) for e in await exports.list_exports(tx)]


@get("/exports/{export_id:str}", summary="A download")
async def get_export(caller: NamedDependency[Caller], desk: NamedDependency[Desk], export_id: FromPath[str]) -> Export:
    """How far it is."""
    async with desk.platform.door.open(caller.context) as tx:
        return _shown(await exports.get(tx, id_of(export_id, "download")))


@get("/exports/{export_id:str}/file", summary="The file of a download")
async def get_export_file(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    export_id: FromPath[str],
    byte_range: Annotated[str | None, HeaderParameter(name="Range", description="bytes=from-to, to go on where it broke off")] = None,
    if_range: Annotated[str | None, HeaderParameter(name="If-Range", description="The ETag of the first part")] = None,
    if_none_match: Annotated[str | None, HeaderParameter(name="If-None-Match")] = None,
) -> Response[Any] | Stream:
    """The finished file, for 7 days: a ZIP of CSV files, or one Parquet file. It never changes, so it can be fetched piece by piece."""
    door, context = desk.platform.door, caller.context
    async with door.open(context) as tx:
        file = await exports.file_of(tx, id_of(export_id, "download"))
    piece = piece_of(file.bytes, file.etag, byte_range, if_range, if_none_match)
    if piece.status == 416:
        return problem(416, "bad_range", f"The file has {file.bytes} bytes.", piece.headers)
    if piece.status == 304:
        return Response(b"", status_code=304, headers=piece.headers)
    pieces = exports.stream(door, context, storage(desk.platform.settings, "exports"), file, piece.start, piece.end)
    return Stream(pieces, status_code=piece.status, media_type=file.media_type, headers={**file.headers, **piece.headers})


@delete("/exports/{export_id:str}", summary="Cancel or delete a download", status_code=204)
async def delete_export(caller: NamedDependency[Caller], desk: NamedDependency[Desk], export_id: FromPath[str]) -> None:
    """Stop making it, or delete its file."""
    async with desk.platform.door.open(caller.context) as tx:
        await exports.drop(tx, id_of(export_id, "download"))


def _shown(e: exports.Export) -> Export:
    return Export(
        id=e.id,
        state=e.state,
        code=e.code,
        site=e.site,
        equipment=e.equipment,
        start=e.start,
        end=e.end,
        detail=e.detail,
        format=e.format,
        machines=e.machines,
        parts=e.parts,
        parts_done=e.parts_done,
        rows=e.rows,
        expected_rows=e.rows_expected,
        expected_bytes=e.bytes_expected,
        bytes=e.bytes,
        sha256=e.sha256,
        asked_at=e.asked_at,
        ready_at=e.ready_at,
        expires_at=e.expires_at,
    )
