"""What happened at gateways: each event, and equal troubles as one."""

from datetime import timedelta
from typing import Annotated, Any

from lineset_contract.wire import MAX_MESSAGE_BYTES, Event, WireError, decode
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from lineset import control, gateways
from lineset.api import shapes
from lineset.api.devices import device
from lineset.api.edge import PATH, Caller, Desk, id_of
from lineset.api.things import moment_of
from lineset.kit.clock import now
from lineset.kit.errors import Invalid

KINDS = ("boot", "error", "crash", "hand_operation", "inventory", "violation")
MAX_DAYS = 400


@get("/gateways/{gateway_id:str}/events", summary="What happened at a gateway")
async def get_events(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    gateway_id: FromPath[str],
    kind: Annotated[str | None, QueryParameter(description="Kinds with commas between; without it all of them")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500, description="How many at most")] = 100,
    before: Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone: only what began before it")] = None,
) -> Response[list[shapes.Happening]]:
    """Newest first, kept for 400 days. Equal errors, crashes and violations of a day are one, with `count`, from `at` to `last_at`.

    Where there may be more, the header `Link` names the next page.
    """
    kinds = [k.strip() for k in kind.split(",") if k.strip()] if kind else []
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise Invalid("bad_kind", f"{unknown[0][:40]} is no kind of event. There are: {', '.join(KINDS)}.", "kind")
    until = moment_of(before, "before") if before else None
    async with desk.platform.door.open(caller.context) as tx:
        found = await gateways.get_gateway(tx, id_of(gateway_id, "gateway"))
        events = await gateways.events(tx, gateway_id=found.id, kinds=kinds, limit=limit, before=until)
    chosen = f"kind={','.join(kinds)}&" if kinds else ""
    more = len(events) == limit
    at = events[-1].at.isoformat().replace("+00:00", "Z") if more else ""
    headers = {"link": f'<{PATH}/gateways/{found.id}/events?{chosen}limit={limit}&before={at}>; rel="next"'} if more else {}
    return Response([shapes.happening(e) for e in events], headers=headers)


@post("/gateways/{gateway_id:str}/events", summary="Tell an event", status_code=204, request_max_body_size=2 * MAX_MESSAGE_BYTES)
async def post_event(request: Request[Any, Any, Any], desk: NamedDependency[Desk], gateway_id: FromPath[str]) -> None:
    """The wire's event: `{"kind", "t", "e", "detail"}`, signed in by the gateway's token, for devices without MQTT.

    Answers once it is kept. The same event sent again counts once.
    """
    gateway = await device(request, desk, gateway_id)
    desk.limits.devices.take(gateway)
    body = await request.body()
    try:
        decode(Event, body)
    except WireError as error:
        raise Invalid(error.code, error.say) from error
    await control.take(desk.platform.door, gateway, "events", body)


@get("/gateways/{gateway_id:str}/troubles", summary="What goes wrong at a gateway")
async def get_troubles(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    gateway_id: FromPath[str],
    days: Annotated[int, QueryParameter(ge=1, le=MAX_DAYS, description="How far back, in days")] = 30,
) -> list[shapes.Trouble]:
    """Errors, crashes and violations, equal ones as one: how often, when first and last, with which versions. At most 200, newest first."""
    async with desk.platform.door.open(caller.context) as tx:
        found = await gateways.get_gateway(tx, id_of(gateway_id, "gateway"))
        troubles = await gateways.troubles(tx, gateways=[found.id], since=now() - timedelta(days=days), limit=200)
    return [shapes.trouble(t) for t in troubles]
