"""Handlers of deleting: what can go, what exactly goes and stays before the person says yes, and how far each request is."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import MediaType, Response, get, post

from lineset import accounts, gateways, sites
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, LinesetError, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Purpose, Target, ask_erasure, cancel_erasure, list_erasures, plan

from ..coming import go
from ..desk import At, at_desk, desk_page
from ..edge import Ask, edge, form_text
from ..erasures import plan_view, request_lines, target_title
from ..forms import Form
from ..looks import thing_names
from ..refusals import refused

KINDS = ("account", "household", "site", "machine", "device")
WITH_PASSWORD = ("account", "household")
"""What is deleted only after the password was given once more."""


class Choice(msgspec.Struct, frozen=True):
    """Something that can be deleted, with the address of the page that says what goes and stays."""

    name: str
    kind: str
    href: str


@get("/delete")
async def delete_page(request: Ask) -> Response[Any]:
    """Everything that can be deleted, from one entry to all."""
    at = await at_desk(request)
    return desk_page(request, "delete", at, choices=await _choices(request, at))


@get("/delete/{kind:str}/{target:str}")
async def plan_page(request: Ask, kind: str, target: str) -> Response[Any]:
    """Exactly what goes, what stays, why, and until when."""
    at = await at_desk(request)
    return await _plan(request, at, _target(kind, target), Form())


@post("/delete/{kind:str}/{target:str}", status_code=200)
async def ask(request: Ask, kind: str, target: str) -> Response[Any]:
    """Ask for it, once the person has signed in again where that is needed."""
    at, wanted = await at_desk(request), _target(kind, target)
    form = await request.form()
    try:
        if form_text(form, "sure") != "yes":
            raise Invalid("not_sure", at.reader.gettext("Say that you have read what goes."), "sure")
        if kind in WITH_PASSWORD:
            await accounts.prove_password(edge(request).door, at.who.person_id, form_text(form, "current"))
        async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
            made = await ask_erasure(tx, wanted, grace_days=0 if form_text(form, "when") == "now" else None)
    except NotFound:
        raise
    except LinesetError as error:
        shown = refused(at.reader, error)
        shown = Form(errors={"current": shown.problem}) if isinstance(error, Denied) and error.code == "wrong_password" else shown
        return await _plan(request, at, wanted, shown, int(error.status))
    return go(f"{at.base}/requests?done=asked#r-{made}")


@get("/requests")
async def requests_page(request: Ask) -> Response[Any]:
    """Every request with its steps."""
    at = await at_desk(request)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        found = await list_erasures(tx)
    lines = request_lines(at.reader, found, await thing_names(request, at), now())
    return desk_page(request, "requests", at, requests=lines)


@post("/requests/{erasure:str}/keep")
async def keep(request: Ask, erasure: str) -> Response[Any]:
    """Change one's mind."""
    at = await at_desk(request)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        await cancel_erasure(tx, _id(erasure))
    return go(f"{at.base}/requests?done=kept")


@get("/requests/{erasure:str}/certificate.json")
async def certificate(request: Ask, erasure: str) -> Response[bytes]:
    """The signed certificate of a finished request."""
    at, wanted = await at_desk(request), _id(erasure)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        found = next((e for e in await list_erasures(tx) if e.id == wanted), None)
    if found is None or found.certificate is None:
        raise NotFound("certificate")
    body = msgspec.json.format(msgspec.json.encode(found.certificate), indent=2)
    headers = {"content-disposition": f'attachment; filename="lineset_certificate_{wanted}.json"', "cache-control": "private, no-store"}
    return Response(body, media_type=MediaType.JSON, headers=headers)


async def _plan(request: Ask, at: At, target: Target, form: Form, status: int = 200) -> Response[Any]:
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        planned = await plan(tx, target)
    names = {c.href: c.name for c in await _choices(request, at)}
    return desk_page(
        request,
        "plan",
        at,
        status=status,
        title=target_title(at.reader, target.kind, "" if target.kind == "account" else names.get(_href(at, target), "")),
        plan=plan_view(at.reader, planned),
        target=target,
        password=target.kind in WITH_PASSWORD,
        form=form,
    )


async def _choices(request: Ask, at: At) -> list[Choice]:
    """The household's sites, machines and gateways that an owner may delete, then the household, then the account."""
    _ = at.reader.gettext
    found: list[tuple[str, str, Target]] = []
    if at.household is not None and at.owner:
        async with edge(request).door.open(at.who.acts(Purpose.OPERATE)) as tx:
            for site in await sites.list_sites(tx, household_id=at.household.id):
                found.append((site.name, _("Site"), Target("site", site.id)))
                found += [(m.name, _("Machine, %(site)s", site=site.name), Target("machine", m.id)) for m in site.equipment]
                devices = await gateways.list_gateways(tx, site.id)
                found += [(g.name, _("Gateway, %(site)s", site=site.name), Target("device", g.id)) for g in devices]
        found.append((at.household.name, _("The household with all its sites"), Target("household", at.household.id)))
    found.append((at.who.name, _("Your account, with every household that only you own"), Target("account", at.who.person_id)))
    return [Choice(name, kind, _href(at, target)) for name, kind, target in found]


def _href(at: At, target: Target) -> str:
    return f"{at.base}/delete/{target.kind}/{target.id}"


def _target(kind: str, text: str) -> Target:
    if kind not in KINDS:
        raise NotFound("page")
    return Target(kind, _id(text))


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound("request")
    return found


HANDLERS = [delete_page, plan_page, ask, requests_page, keep, certificate]
