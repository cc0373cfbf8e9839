"""Handlers of a copy of everything: asking for it, how far it is, and the file behind a short-lived link."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Stream

from lineset.kit.clock import now
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import parse_id
from lineset.kit.ranges import piece_of
from lineset.kit.settings import secret
from lineset.kit.storage import storage
from lineset.privacy import Purpose
from lineset.privacy.exporting import KEY, STORAGE, AccountExport, ask_export, check, drop_export, file_of, list_exports_of, sign, stream

from ..coming import go
from ..desk import At, at_desk, desk_page
from ..edge import Ask, edge
from ..forms import Form
from ..reader import Reader
from ..refusals import marked, refused
from .exports import size_words

_STATES = {
    "waiting": marked("Waits for its turn"),
    "running": marked("Being made"),
    "ready": marked("Ready"),
    "cancelled": marked("Cancelled"),
    "expired": marked("Its file is gone"),
    "failed": marked("Could not be made. Ask again."),
}


class CopyLine(msgspec.Struct, frozen=True):
    """A copy in the list."""

    id: str
    asked: str
    state: str
    word: str
    share: float
    size: str
    until: str

    @property
    def busy(self) -> bool:
        """Whether it is being made."""
        return self.state in ("waiting", "running")


@get("/take")
async def take_page(request: Ask) -> Response[Any]:
    """All copies that were asked for."""
    at = await at_desk(request)
    return await _page(request, at, Form())


@get("/take/list")
async def list_part(request: Ask) -> Response[Any]:
    """The list alone, for a script that asks while one is being made."""
    at = await at_desk(request)
    return desk_page(request, "take_part", at, copies=await _copies(request, at))


@post("/take", status_code=200)
async def ask(request: Ask) -> Response[Any]:
    """Have one made."""
    at = await at_desk(request)
    try:
        async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
            await ask_export(tx, at.who.person_id)
    except LinesetError as error:
        return await _page(request, at, refused(at.reader, error), int(error.status))
    return go(f"{at.base}/take?done=asked")


@get("/take/{copy:str}")
async def open_(request: Ask, copy: str) -> Response[Any]:
    """On to the file by a link that is signed for this person and ends soon."""
    at = await at_desk(request)
    found = _id(copy)
    return go(f"{at.base}/take/{found}/file?{sign(_key(request), at.who.person_id, found)}")


@get("/take/{copy:str}/file")
async def file_(request: Ask, copy: str) -> Response[Any] | Stream:
    """The file, or the piece of it that the browser lacks."""
    at, found = await at_desk(request), _id(copy)
    query = request.query_params
    check(_key(request), at.who.person_id, found, query.get("until", ""), query.get("sign", ""))
    here, context = edge(request), at.who.acts(Purpose.RIGHTS)
    async with here.door.open(context) as tx:
        file = await file_of(tx, found)
    asked = request.headers
    piece = piece_of(file.bytes, file.etag, asked.get("range"), asked.get("if-range"), asked.get("if-none-match"))
    if piece.status in (304, 416):
        return Response(b"", status_code=piece.status, headers=piece.headers)
    pieces = stream(here.door, context, storage(here.settings, STORAGE), file, piece.start, piece.end)
    return Stream(pieces, status_code=piece.status, media_type="application/zip", headers={**file.headers, **piece.headers})


@post("/take/{copy:str}/delete")
async def remove(request: Ask, copy: str) -> Response[Any]:
    """Stop making it, or delete its file."""
    at = await at_desk(request)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        await drop_export(tx, _id(copy))
    return go(f"{at.base}/take?done=gone")


def copy_lines(reader: Reader, found: Sequence[AccountExport], moment: datetime) -> list[CopyLine]:
    """Copies, newest first."""
    return [_line(reader, copy, moment) for copy in found]


def _line(reader: Reader, copy: AccountExport, moment: datetime) -> CopyLine:
    over = copy.state == "ready" and copy.expires_at is not None and copy.expires_at <= moment
    state = "expired" if over else copy.state
    return CopyLine(
        str(copy.id),
        reader.when(copy.asked_at, moment),
        state,
        reader.gettext(_STATES.get(state, _STATES["failed"])),
        copy.parts_done / copy.parts if copy.parts else 0.0,
        size_words(reader, copy.bytes) if copy.bytes is not None else "",
        reader.when(copy.expires_at, moment) if copy.expires_at is not None else "",
    )


async def _copies(request: Ask, at: At) -> list[CopyLine]:
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        return copy_lines(at.reader, await list_exports_of(tx), now())


async def _page(request: Ask, at: At, form: Form, status: int = 200) -> Response[Any]:
    return desk_page(request, "take", at, status=status, copies=await _copies(request, at), form=form)


def _key(request: Ask) -> bytes:
    return secret(edge(request).settings, KEY)


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound("copy")
    return found


HANDLERS = [take_page, list_part, ask, open_, file_, remove]
