"""Handlers of a site's gateways: claim, add, enrol anew, tokens, what they feed, what was refused."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import segno
from litestar import Response, Router, get, post
from markupsafe import Markup

from lineset import gateways, telemetry
from lineset.gateways import ClaimCode, NewToken
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError
from lineset.kit.ids import parse_id
from lineset.privacy import Tx
from lineset.privacy.rights import may

from ..area import Area, Place, area_of, gateway_id, machine_id
from ..coming import go
from ..edge import Ask, edge, form_text, page
from ..forms import Form
from ..gateway_view import gateway_lines, gateway_page
from ..refusals import refused
from ..trouble_view import TROUBLES, trouble_lines

DAY = timedelta(days=1)
MOST_LINES = 40
MOST_CONNECTIONS = 10
_SHOWN = ("boot", "hand_operation", "inventory", "violation")


async def overview(request: Ask, tx: Tx, place: Place, form: Form, status: int = 200) -> Response[Any]:
    """The gateways of the site, with the forms that claim and add one."""
    moment = now()
    found = await gateways.list_gateways(tx, place.site.id)
    ids = [g.id for g in found]
    counts = await telemetry.refusal_counts(tx, ids, moment - DAY)
    troubles = await gateways.troubles(tx, gateways=ids, kinds=TROUBLES, limit=MOST_LINES)
    names = {m.id: m.name for m in place.site.equipment} | ({g.id: g.name for g in found} if len(found) > 1 else {})
    return page(
        request,
        "common/gateways.html",
        place.reader,
        place.who,
        status=status,
        gateways=gateway_lines(place.reader, found, place.site.equipment, counts, moment),
        troubles=trouble_lines(place.reader, troubles, names, moment),
        form=form,
        may_change=await may(tx, place.site.household_id, "equipment"),
        **place.layout | {"tab": "link"},
    )


async def one(request: Ask, tx: Tx, place: Place, gateway: str, form: Form, status: int = 200) -> Response[Any]:
    """One gateway's page."""
    id_ = gateway_id(gateway)
    view = await gateways.get_gateway(tx, id_)
    return page(
        request,
        "common/gateway.html",
        place.reader,
        place.who,
        status=status,
        gateway=gateway_page(
            place.reader,
            view,
            place.site.equipment,
            await gateways.found_machines(tx, id_),
            await telemetry.refusals(tx, [id_], MOST_LINES),
            await gateways.events(tx, gateway_id=id_, limit=MOST_LINES, kinds=_SHOWN),
            now(),
            await gateways.troubles(tx, gateways=[id_], kinds=TROUBLES, limit=MOST_LINES),
            await gateways.connections(tx, id_, MOST_CONNECTIONS),
        ),
        form=form,
        may_change=await may(tx, place.site.household_id, "equipment"),
        may_release=await may(tx, place.site.household_id, "owner"),
        **place.layout | {"tab": "link"},
    )


def code_page(request: Ask, place: Place, code: ClaimCode, name: str, *, released: bool = False) -> Response[Any]:
    """A claim code, shown this once: as text, as a QR code, and as the command that uses it."""
    link = gateways.enrolment_link(edge(request).settings.url, code.code)
    until = datetime.fromtimestamp(code.expires_at, UTC) if code.expires_at is not None else None
    return page(
        request,
        "common/gateway_code.html",
        place.reader,
        place.who,
        code=code,
        name=name,
        link=link,
        qr=qr_code(link, place.reader.gettext("QR code of the claim code")),
        until=place.reader.when(until, now()) if until is not None else "",
        url=edge(request).settings.url,
        released=released,
        **place.layout | {"tab": "link"},
    )


def qr_code(text: str, label: str = "QR") -> Markup:
    """`text` as an SVG drawing of a QR code; `label` names it to those who do not see it."""
    code = segno.make(text, error="m", micro=False)
    matrix = [list(row) for row in code.matrix_iter(border=0)]
    runs = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark)
    size = len(matrix)
    frame = f"-4 -4 {size + 8} {size + 8}"
    return Markup('<svg class="qr" viewBox="{}" role="img" aria-label="{}"><path d="{}"/></svg>').format(frame, label, runs)


def token_page(request: Ask, place: Place, token: NewToken, name: str) -> Response[Any]:
    """A device's token, shown this once, with the command that tries it."""
    settings = edge(request).settings
    return page(
        request,
        "common/gateway_token.html",
        place.reader,
        place.who,
        token=token,
        name=name,
        port=settings.mqtt_token_port,
        host=settings.hosts[0] if settings.hosts else "localhost",
        **place.layout | {"tab": "link"},
    )


async def _act(request: Ask, site: str, gateway: str, do: Callable[[Tx, Place], Awaitable[Response[Any]]]) -> Response[Any]:
    """Do something to a gateway; what is refused shows on the page that asked."""
    area = area_of(request)
    who, context = await area.enter(request)
    door = edge(request).door
    try:
        async with door.open(context) as tx:
            place = await area.place(request, tx, who, context, site)
            return await do(tx, place)
    except LinesetError as error:
        if int(error.status) == 404:
            raise
        async with door.open(context) as tx:
            place = await area.place(request, tx, who, context, site)
            form = refused(place.reader, error)
            return await (
                one(request, tx, place, gateway, form, int(error.status))
                if gateway
                else overview(request, tx, place, form, int(error.status))
            )


@get("/")
async def list_(request: Ask, site: str) -> Response[Any]:
    """The gateways of the site."""

    async def do(tx: Tx, place: Place) -> Response[Any]:
        return await overview(request, tx, place, Form())

    return await _act(request, site, "", do)


@get("/{gateway:str}")
async def look(request: Ask, site: str, gateway: str) -> Response[Any]:
    """One gateway."""

    async def do(tx: Tx, place: Place) -> Response[Any]:
        return await one(request, tx, place, gateway, Form())

    return await _act(request, site, "", do)


@post("/claim", status_code=200)
async def claim(request: Ask, site: str) -> Response[Any]:
    """Make a gateway with a code on its box this household's."""
    area = area_of(request)
    who, context = await area.enter(request)
    form = await request.form()
    door = edge(request).door
    async with door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
    try:
        made = await gateways.claim(door, context, form_text(form, "code"), place.site.id, form_text(form, "name") or place.site.name)
    except LinesetError as error:
        async with door.open(context) as tx:
            again = refused(place.reader, error, {"code": form_text(form, "code"), "name": form_text(form, "name")})
            return await overview(request, tx, place, again, int(error.status))
    return go(f"{place.base}/gateways/{made}")


@post("/", status_code=200)
async def add(request: Ask, site: str) -> Response[Any]:
    """Add a gateway for a device of one's own: an agent gets a code, a simple device a token."""
    form = await request.form()
    name, kind = form_text(form, "name"), form_text(form, "kind")

    async def do(tx: Tx, place: Place) -> Response[Any]:
        code = await gateways.create_gateway(tx, place.site.id, name, "simple" if kind == "simple" else "agent")
        if kind == "simple":
            return token_page(request, place, await gateways.create_token(tx, code.gateway), name)
        return code_page(request, place, code, name)

    return await _act(request, site, "", do)


@post("/{gateway:str}/code", status_code=200)
async def code(request: Ask, site: str, gateway: str) -> Response[Any]:
    """A new code, to enrol the device anew."""

    async def do(tx: Tx, place: Place) -> Response[Any]:
        view = await gateways.get_gateway(tx, gateway_id(gateway))
        return code_page(request, place, await gateways.new_code(tx, view.id), view.name)

    return await _act(request, site, gateway, do)


@post("/{gateway:str}/token", status_code=200)
async def token(request: Ask, site: str, gateway: str) -> Response[Any]:
    """A token for a simple device."""

    async def do(tx: Tx, place: Place) -> Response[Any]:
        view = await gateways.get_gateway(tx, gateway_id(gateway))
        return token_page(request, place, await gateways.create_token(tx, view.id), view.name)

    return await _act(request, site, gateway, do)


@post("/{gateway:str}/change", status_code=200)
async def change(request: Ask, site: str, gateway: str) -> Response[Any]:
    """Rename it, take an identity back, or let it feed a machine; the form's button says which."""
    form = await request.form()

    async def do(tx: Tx, place: Place) -> Response[Any]:
        id_ = gateway_id(gateway)
        match form_text(form, "do"):
            case "rename":
                await gateways.rename(tx, id_, form_text(form, "name"))
            case "revoke":
                await gateways.revoke(tx, id_)
            case "revoke_token":
                await gateways.revoke_token(tx, parse_id(form_text(form, "token")) or id_)
            case "attach":
                await gateways.attach_machine(tx, id_, machine_id(form_text(form, "machine")), form_text(form, "local_name").strip())
        return go(f"{place.base}/gateways/{gateway}")

    return await _act(request, site, gateway, do)


@post("/{gateway:str}/release", status_code=200)
async def release(request: Ask, site: str, gateway: str) -> Response[Any]:
    """Give the gateway up; its new code goes to the next owner."""
    area = area_of(request)
    who, context = await area.enter(request)
    door = edge(request).door
    async with door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        name = (await gateways.get_gateway(tx, gateway_id(gateway))).name
    try:
        code = await gateways.release(door, context, gateway_id(gateway))
    except LinesetError as error:
        async with door.open(context) as tx:
            return await one(request, tx, place, gateway, refused(place.reader, error), int(error.status))
    return code_page(request, place, code, name, released=True)


def gateway_routes(area: Area) -> Router:
    """The routes of a site's gateways in this area."""
    handlers = [list_, look, claim, add, code, token, change, release]
    return Router(f"{area.prefix}/gateways", route_handlers=handlers, opt={"area": area}, include_in_schema=False)
