"""Rights over one's data for programs: a copy of all of it, and erasing it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream

from lineset import accounts
from lineset.api.edge import PATH, Caller, Desk, id_of
from lineset.api.problems import problem
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ranges import piece_of
from lineset.kit.settings import secret
from lineset.kit.storage import storage
from lineset.privacy import (
    AccountExport,
    Context,
    Erasure,
    Purpose,
    Target,
    Tx,
    ask_erasure,
    ask_export,
    cancel_erasure,
    exporting,
    list_erasures,
    list_exports_of,
    plan,
)

_ZIP = "application/zip"
Kind = Literal["account", "household", "site", "machine", "device", "item"]


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request is about. `item`: one row of your own, by its id in a copy of your data."""

    kind: Kind
    id: UUID


class RightsOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`export`: a copy of all data about you and the households that you own, or, with `target`, of one of these households.

    `erase`: erase `target`. Needs your password, since a token alone may not destroy; `grace_days` may shorten the time to change it.
    """

    kind: Literal["export", "erase"]
    target: Thing | None = None
    password: str = ""
    grace_days: float | None = None


class DoneStep(msgspec.Struct, frozen=True):
    """A step of an erasure that is done."""

    code: str
    at: datetime
    count: int


class RightsRequest(msgspec.Struct, frozen=True):
    """A request and how far it is; `done` of `total` steps or files.

    Copies: `state` waiting, running, ready, cancelled, failed, ended (no longer yours), expired. `link` is there while the file is: it
    works for 15 minutes and with your token only; ask again for a new one. Erasures: waiting, erasing, held, done, cancelled;
    `grace_until` is the end of the time to change your mind, `certificate` signed once it is done.
    """

    id: UUID
    kind: Literal["export", "erase"]
    state: str
    asked_at: datetime
    done: int
    total: int
    target: Thing | None = None
    code: str = ""
    may_cancel: bool = False
    link: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    expires_at: datetime | None = None
    grace_until: datetime | None = None
    steps: list[DoneStep] = []
    certificate: dict[str, Any] | None = None


class Going(msgspec.Struct, frozen=True):
    """Data that goes; `count` null where it is not counted one by one."""

    what: str
    count: int | None


class Staying(msgspec.Struct, frozen=True):
    """Data that stays, why, and until when; null: as long as the reason lasts."""

    what: str
    why: str
    until: datetime | None
    count: int | None


class ErasurePlan(msgspec.Struct, frozen=True):
    """What an erasure would do. After `last_copy_days` no backup of it is readable."""

    target: Thing
    goes: list[Going]
    stays: list[Staying]
    grace_days: float
    last_copy_days: int


@get("/privacy/plan", summary="What an erasure would do")
async def get_erasure_plan(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    kind: Annotated[Kind, QueryParameter(description="account, household, site, machine, device or item")],
    id_: Annotated[str, QueryParameter(name="id", description="Of the thing")],
) -> ErasurePlan:
    """Exactly what goes and what stays, why and until when, counted now. Nothing is changed."""
    async with desk.platform.door.open(_rights(caller)) as tx:
        found = await plan(tx, Target(kind, id_of(id_, kind)))
    goes = [Going(g.what, g.count) for g in found.goes]
    stays = [Staying(s.what, s.why, s.until, s.count) for s in found.stays]
    return ErasurePlan(Thing(kind, found.target.id), goes, stays, found.grace_days, found.last_copy_days)


@post("/privacy/requests", summary="Ask for a copy of your data, or to erase", status_code=202)
async def post_rights_request(
    caller: NamedDependency[Caller], desk: NamedDependency[Desk], data: JSONBody[RightsOrder]
) -> Response[RightsRequest]:
    """A job does it; ask GET /privacy/requests/{id} how far it is. One copy at a time, three a day."""
    door, context = desk.platform.door, _rights(caller)
    target = data.target
    if data.kind == "erase":
        if target is None:
            raise Invalid("target_needed", "Name what to erase as target: kind and id.", "target")
        if not data.password:
            raise Invalid("password_needed", "Send your password: a token alone may not erase.", "password")
        await accounts.prove_password(door, caller.who.person_id, data.password)
    elif target is not None and target.kind not in ("account", "household"):
        raise Invalid("bad_target", "A copy is of your account or of a household that you own.", "target")
    async with door.open(context) as tx:
        if data.kind == "erase" and target is not None:
            made = await ask_erasure(tx, Target(target.kind, target.id), grace_days=data.grace_days)
        else:
            made = await ask_export(tx, target.id if target is not None else caller.who.person_id)
        shown = await _one(tx, made)
    return Response(shown, status_code=202, headers={"location": f"{PATH}/privacy/requests/{made}"})


@get("/privacy/requests", summary="Your requests")
async def get_rights_requests(caller: NamedDependency[Caller], desk: NamedDependency[Desk]) -> list[RightsRequest]:
    """Copies and erasures that you asked for in the last two years, newest first."""
    async with desk.platform.door.open(_rights(caller)) as tx:
        return await _all(tx)


@get("/privacy/requests/{request_id:str}", summary="A request")
async def get_rights_request(caller: NamedDependency[Caller], desk: NamedDependency[Desk], request_id: FromPath[str]) -> RightsRequest:
    """How far it is; for a finished copy with a fresh link."""
    async with desk.platform.door.open(_rights(caller)) as tx:
        found = await _one(tx, id_of(request_id, "request"))
    if found.kind == "export" and found.state == "ready":
        query = exporting.sign(secret(desk.platform.settings, exporting.KEY), caller.who.person_id, found.id)
        found = msgspec.structs.replace(found, link=f"{PATH}/privacy/requests/{found.id}/file?{query}")
    return found


@get("/privacy/requests/{request_id:str}/file", summary="The file of a copy")
async def get_rights_file(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    request_id: FromPath[str],
    until: Annotated[str, QueryParameter(description="As in the link")] = "",
    sign: Annotated[str, QueryParameter(description="As in the link")] = "",
    byte_range: Annotated[str | None, HeaderParameter(name="Range", description="bytes=from-to, to go on where it broke off")] = None,
    if_range: Annotated[str | None, HeaderParameter(name="If-Range", description="The ETag of the first part")] = None,
    if_none_match: Annotated[str | None, HeaderParameter(name="If-None-Match")] = None,
) -> Response[Any] | Stream:
    """The finished ZIP, by the link of its request. It never changes, so it can be fetched piece by piece."""
    export, context, settings = id_of(request_id, "request"), _rights(caller), desk.platform.settings
    async with desk.platform.door.open(context) as tx:
        await exporting.get_export(tx, export)  # somebody else's is told apart from none by nobody
        exporting.check(secret(settings, exporting.KEY), caller.who.person_id, export, until, sign)
        file = await exporting.file_of(tx, export)
    piece = piece_of(file.bytes, file.etag, byte_range, if_range, if_none_match)
    if piece.status == 416:
        return problem(416, "bad_range", f"The file has {file.bytes} bytes.", piece.headers)
    if piece.status == 304:
        return Response(b"", status_code=304, headers=piece.headers)
    pieces = exporting.stream(desk.platform.door, context, storage(settings, exporting.STORAGE), file, piece.start, piece.end)
    return Stream(pieces, status_code=piece.status, media_type=_ZIP, headers={**file.headers, **piece.headers})


@delete("/privacy/requests/{request_id:str}", summary="Cancel a request", status_code=204)
async def delete_rights_request(caller: NamedDependency[Caller], desk: NamedDependency[Desk], request_id: FromPath[str]) -> None:
    """Stop making a copy or delete its file; keep what an erasure that still waits would erase."""
    id_ = id_of(request_id, "request")
    async with desk.platform.door.open(_rights(caller)) as tx:
        if (await _one(tx, id_)).kind == "export":
            await exporting.drop_export(tx, id_)
        else:
            await cancel_erasure(tx, id_)


def _rights(caller: Caller) -> Context:
    return caller.who.acts(Purpose.RIGHTS)


async def _all(tx: Tx) -> list[RightsRequest]:
    found = [*map(_copy, await list_exports_of(tx)), *map(_erasure, await list_erasures(tx))]
    return sorted(found, key=lambda r: r.asked_at, reverse=True)


async def _one(tx: Tx, id_: UUID) -> RightsRequest:
    return _picked(await _all(tx), id_)


def _picked(found: Sequence[RightsRequest], id_: UUID) -> RightsRequest:
    for request in found:
        if request.id == id_:
            return request
    raise NotFound("request")


def _copy(e: AccountExport) -> RightsRequest:
    return RightsRequest(
        id=e.id,
        kind="export",
        state=e.state,
        asked_at=e.asked_at,
        done=e.parts_done,
        total=e.parts,
        code=e.code,
        may_cancel=e.busy,
        bytes=e.bytes,
        sha256=e.sha256,
        expires_at=e.expires_at,
    )


def _erasure(e: Erasure) -> RightsRequest:
    return RightsRequest(
        id=e.id,
        kind="erase",
        state=e.state,
        asked_at=e.asked_at,
        done=len(e.steps),
        total=len(e.steps) + len(e.to_do),
        target=Thing(e.target.kind, e.target.id),  # type: ignore[arg-type]
        may_cancel=e.may_cancel,
        grace_until=e.grace_until,
        steps=[DoneStep(s.code, s.at, s.count) for s in e.steps],
        certificate=e.certificate,
    )
