"""Gateways that nobody owns yet: made in numbers, each with a claim code to print on its box."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from markupsafe import Markup

from lineset import gateways
from lineset.gateways import ClaimCode
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, LinesetError

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.flows.gateways import qr_code
from ..common.forms import Form
from ..common.refusals import refused
from .desk import console_page

MOST_AT_ONCE = 100
"""Codes on one page; more are made in further rounds."""


class Label(msgspec.Struct, frozen=True):
    """What is printed on a box: the code in words and as a picture of the address that claims it."""

    code: str
    qr: Markup


@get("/console/gateways")
async def gateways_page(request: Ask) -> Response[Any]:
    """Gateways that wait for an owner, and a form that makes more."""
    return await _list(request, Form(values={"count": "1"}))


@post("/console/gateways")
async def mint(request: Ask) -> Response[Any]:
    """Make gateways. This answer is the only one that holds their codes."""
    who, context = await console_context(request)
    typed = form_text(await request.form(), "count").strip()
    try:
        count = int(typed) if typed.isascii() and typed.isdigit() else 0
        if not 1 <= count <= MOST_AT_ONCE:
            raise Invalid("bad_count", f"Give a number from 1 to {MOST_AT_ONCE}.", "count")
        async with edge(request).door.open(context) as tx:
            codes = await gateways.mint_gateways(tx, count)
    except Denied:
        raise
    except LinesetError as error:
        return await _list(request, refused(reader_of(request, who), error, {"count": typed}), int(error.status))
    return await _labels(request, codes)


@post("/console/gateways/{gateway_id:uuid}/code")
async def new_code(request: Ask, gateway_id: UUID) -> Response[Any]:
    """A new code for one, instead of the last."""
    _, context = await console_context(request)
    async with edge(request).door.open(context) as tx:
        code = await gateways.new_code(tx, gateway_id)
    return await _labels(request, [code])


@get("/console/gateways/{gateway_id:uuid}/code", sync_to_thread=False)
def back_to_list(gateway_id: UUID) -> Response[Any]:  # noqa: ARG001 - a code is never shown twice, so its address leads back
    """Loading the page of a code again shows the list."""
    return go("/console/gateways")


async def _labels(request: Ask, codes: list[ClaimCode]) -> Response[Any]:
    who, _ = await console_context(request)
    url = edge(request).settings.url
    labels = [Label(code.code, qr_code(gateways.enrolment_link(url, code.code))) for code in codes]
    return console_page(request, "labels", who, reader_of(request, who), "gateways", labels=labels, url=url)


async def _list(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    async with edge(request).door.open(context) as tx:
        waiting = await gateways.list_unclaimed(tx)
    return console_page(
        request,
        "gateways",
        who,
        reader_of(request, who),
        "gateways",
        status=status,
        waiting=waiting,
        form=form,
        most=MOST_AT_ONCE,
        now=now(),
    )


ROUTES = (gateways_page, mint, new_code, back_to_list)
