"""For devices: frames over HTTPS, enrolment and renewal."""

import contextlib
from typing import Annotated, Any
from uuid import UUID

import msgspec
from lineset_contract.refusals import refuse
from lineset_contract.wire import MAX_MESSAGE_BYTES, Refused
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody

from lineset import gateways
from lineset.api import shapes
from lineset.api.edge import Ask, Desk, address_of, bearer, id_of, known
from lineset.api.problems import Away, NotSignedIn, problem
from lineset.kit.bus import BusFault
from lineset.kit.ca import Authority
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.privacy import Purpose

_STORED_WITHIN_S = 10.0
_UNNUMBERED = "http"
_WHOLE_FRAME = {"unknown_equipment", "bad_time_past", "bad_time_future", "too_many_points", "empty_frame", "bad_message", "not_claimed"}


class _Peek(msgspec.Struct):
    """As much of a frame message as tells how it is to be handed on."""

    frames: list[msgspec.Raw]
    epoch: str | None = None
    seq: int | None = None


class _Values(msgspec.Struct):
    v: dict[str, msgspec.Raw]


class _Answer(msgspec.Struct):
    """Ingestion's acknowledgement, or that it has no room."""

    epoch: str = ""
    through: int = -1
    refused: list[Refused] = []
    busy: bool = False


@post("/gateways/{gateway_id:str}/frames", summary="Send frames", status_code=200, request_max_body_size=2 * MAX_MESSAGE_BYTES)
async def post_frames(
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
    gateway_id: FromPath[str],
    idempotency_key: Annotated[
        str | None, HeaderParameter(name="Idempotency-Key", description="Says that a repetition of this request carries the same frames")
    ] = None,
) -> Response[Any]:
    """The wire's frame message: `{"epoch", "seq", "frames": [{"t", "e", "v": {…}}]}`, signed in by the gateway's token.

    Answers after the commit, with what was refused and why. Numbered messages (`epoch` and `seq`, from 1 without a gap) are stored exactly
    once, however often they are sent. `epoch` and `seq` may be left out: then it is at least once, as the answer says.
    """
    gateway = await device(request, desk, gateway_id)
    desk.limits.devices.take(gateway)
    body = await request.body()
    peek = _peek(body)
    numbered = peek.epoch is not None and peek.seq is not None
    if not numbered:
        if peek.epoch is not None or peek.seq is not None:
            raise Invalid("missing_sequence", refuse("missing_sequence").say)
        body = msgspec.json.encode({"epoch": _UNNUMBERED, "seq": 1, "frames": peek.frames})
    answer = await _hand_over(desk, gateway, body, numbered=numbered)
    if numbered and answer.through < 0 and not answer.refused:
        raise NotSignedIn("revoked", refuse("revoked").say)
    stored = _stored(answer, numbered=numbered, keyed=idempotency_key is not None)
    if not _kept_nothing(peek, answer.refused):
        return Response(stored)
    reason = answer.refused[0]
    told = msgspec.to_builtins(stored)
    del told["say"]
    if reason.code == "rate":
        return problem(429, reason.code, reason.say, {"retry-after": "1"}, **told)
    return problem(422, reason.code, reason.say, **told)


@post("/enrolment", summary="Enrol a device", status_code=201)
async def post_enrolment(request: Request[Any, Any, Any], desk: NamedDependency[Desk], data: JSONBody[shapes.Enrolment]) -> shapes.Identity:
    """Turn a claim code into a certificate, once. Asking again with the same key is answered again, for devices that lost the answer."""
    at = desk.platform
    enrolled = await gateways.enrol(at.door, Authority.open(at.settings), data.code, data.csr, address_of(request))
    desk.connections.note(enrolled.gateway, address_of(request), "enrolment")
    return _identity(request, desk, enrolled)


@post("/enrolment/renew", summary="Renew a certificate", status_code=201)
async def post_renewal(request: Request[Any, Any, Any], desk: NamedDependency[Desk], data: JSONBody[shapes.Renewal]) -> shapes.Identity:
    """A new certificate for a device whose present one still holds, asked for with the present key."""
    desk.limits.strangers.take(address_of(request))
    at = desk.platform
    renewed = await gateways.renew(at.door, Authority.open(at.settings), data.gateway, data.csr, data.certificate, data.signature)
    return _identity(request, desk, renewed)


async def device(request: Ask, desk: Desk, gateway_id: str) -> UUID:
    """The gateway whose token came along.

    Raises:
        NotSignedIn: no token, or none that holds.
        Denied: the gateway is not claimed, or a person's token came along.
        NotFound: a person's token came along, and the person may not know of the gateway.
    """
    token = bearer(request)
    if not token.startswith("lsd_"):
        await _explain_to_person(request, desk, gateway_id)
    if desk.limits.strangers.left(address_of(request)) < 1.0:
        desk.limits.strangers.take(address_of(request))
    answer = await desk.identities.identify(gateways.ByToken(gateway_id, token))
    if isinstance(answer, gateways.Allowed):
        desk.connections.note(answer.gateway, address_of(request), "http")
        return answer.gateway
    desk.limits.strangers.take(address_of(request))
    if answer.code == "not_claimed":
        raise Denied(answer.code, answer.say)
    raise NotSignedIn(answer.code, answer.say)


async def _explain_to_person(request: Ask, desk: Desk, gateway_id: str) -> None:
    if not bearer(request):
        raise NotSignedIn("not_signed_in", "Send the gateway's token: Authorization: Bearer lsd_…. Make one on the gateway's page.")
    who = await known(request, desk)
    for purpose in (Purpose.OPERATE, Purpose.SERVICE):
        async with desk.platform.door.open(who.acts(purpose, id_of(gateway_id, "gateway"))) as tx:
            with contextlib.suppress(NotFound):
                await gateways.get_gateway(tx, id_of(gateway_id, "gateway"))
                raise Denied("gateway_token_needed", "Send the gateway's own token, not a person's. Make one on the gateway's page.")
    raise NotFound("gateway")


def _peek(body: bytes) -> _Peek:
    try:
        return msgspec.json.decode(body, type=_Peek)
    except msgspec.ValidationError as error:
        refusal = refuse("bad_message", detail=str(error)[:200])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        refusal = refuse("bad_json", detail=str(error)[:200])
    raise Invalid(refusal.code, refusal.say)


async def _hand_over(desk: Desk, gateway: UUID, body: bytes, *, numbered: bool) -> _Answer:
    """Give the message to ingestion and wait until it is stored. Raises Away when nobody says so in time."""
    headers = None if numbered else {"Unnumbered": "1"}
    try:
        raw = await desk.platform.bus.request(f"ingest.frames.{gateway}", body, timeout_s=_STORED_WITHIN_S, headers=headers)
    except BusFault as error:
        raise Away("not_stored", "Nothing says that the frames were stored. Send them again.") from error
    answer = msgspec.json.decode(raw, type=_Answer)
    if answer.busy:
        raise Away("busy", "Too much arrives at this moment. Send the frames again.")
    return answer


def _stored(answer: _Answer, *, numbered: bool, keyed: bool) -> shapes.Stored:
    if numbered:
        return shapes.Stored(answer.epoch, answer.through, answer.refused, "exactly once", "")
    if keyed:
        return shapes.Stored(None, None, answer.refused, "exactly once", "")
    say = "Without epoch and seq, or an Idempotency-Key, a request that is repeated counts as another one."
    return shapes.Stored(None, None, answer.refused, "at least once", say)


def _kept_nothing(peek: _Peek, refused: list[Refused]) -> bool:
    """Whether no value of any frame was stored."""
    if any(r.index is None for r in refused):
        return True
    if not refused or not peek.frames:
        return False
    for index, raw in enumerate(peek.frames):
        mine = [r for r in refused if r.index == index]
        if not mine or (len(mine) < _count(raw) and not any(r.code in _WHOLE_FRAME for r in mine)):
            return False
    return True


def _count(raw: msgspec.Raw) -> int:
    """How many values a frame has, 0 where it can't be read."""
    try:
        return len(msgspec.json.decode(raw, type=_Values).v)
    except msgspec.MsgspecError:
        return 0


def _identity(request: Ask, desk: Desk, enrolled: gateways.Enrolled) -> shapes.Identity:
    settings = desk.platform.settings
    host = settings.hosts[0] if settings.hosts else request.url.hostname or "localhost"
    mqtt = shapes.Mqtt(host, settings.mqtt_port, list(settings.mqtt_servers))
    return shapes.Identity(enrolled.gateway, enrolled.certificate, enrolled.ca, enrolled.ends_at, mqtt)
