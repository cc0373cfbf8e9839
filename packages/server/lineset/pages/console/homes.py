"""Staff at a home: open it for a stated reason, look at its machines without changing anything, end it; all of it logged and told."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts, sites
from lineset.accounts import STAFF_LOOKS, Principal, StaffAccess
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError, NotFound
from lineset.privacy import Context, Purpose, Tx

from ..common.area import Place
from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.flows.machines import view_of
from ..common.forms import Form
from ..common.load import machines_of
from ..common.machine_page import lines
from ..common.people import Names
from ..common.refusals import refused
from ..common.roles import role_name
from .desk import console_page

FIELDS = ("find", "role", "reason", "ticket", "minutes")


@get("/console/homes")
async def homes_page(request: Ask) -> Response[Any]:
    """Open a home, and those that are open or were."""
    return await _list(request, Form(values={"minutes": str(accounts.MINUTES[0])}))


@post("/console/homes")
async def open_one(request: Ask) -> Response[Any]:
    """Open it; its owners get a mail in the same moment."""
    who, _ = await console_context(request)
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in FIELDS}
    minutes = int(values["minutes"]) if values["minutes"].isascii() and values["minutes"].isdigit() else 0
    door, context = edge(request).door, who.acts(Purpose.SUPPORT)
    try:
        _looks(who)
        home = await accounts.find_home(door, values["find"])
        role, reason, ticket = values["role"], values["reason"], values["ticket"]
        await accounts.open_home(door, context, home, role=role, reason=reason, ticket=ticket, minutes=min(minutes, 10_000))
    except LinesetError as error:
        return await _list(request, refused(reader_of(request, who), error, values), int(error.status))
    return go(f"/console/homes/{home}?done=opened")


@post("/console/homes/{access:uuid}/end")
async def end_one(request: Ask, access: UUID) -> Response[Any]:
    """End it before its time."""
    who, _ = await console_context(request)
    async with edge(request).door.open(who.acts(Purpose.SUPPORT)) as tx:
        await accounts.end_home(tx, access)
    return go("/console/homes?done=ended")


@get("/console/homes/{household:uuid}")
async def home_page(request: Ask, household: UUID) -> Response[Any]:
    """The sites and machines of an open home."""
    who, context = await _looking(request, household)
    reader, moment = reader_of(request, who, clock24=True), now()
    async with edge(request).door.open(context) as tx:
        access = await _open_access(tx, household)
        found = []
        for site in await sites.list_sites(tx):
            live = [m for m in site.equipment if m.retired_at is None]
            found.append((site, lines(reader, await machines_of(tx, live, moment), moment)))
    return console_page(request, "home", who, reader, "homes", sites=found, access=access, now=moment, household=household)


@get("/console/homes/{household:uuid}/machines/{machine:uuid}")
async def home_machine(request: Ask, household: UUID, machine: UUID) -> Response[Any]:
    """One of its machines, as its people see it, with nothing to set."""
    who, context = await _looking(request, machine)
    reader = reader_of(request, who, clock24=True)
    async with edge(request).door.open(context) as tx:
        access = await _open_access(tx, household)
        found = await sites.get_equipment(tx, machine)
        if found.household_id != household:
            raise NotFound("machine")
        site = await sites.get_site(tx, found.site_id)
        place = Place(who, context, reader_of(request, who, zone=site.time_zone, clock24=True), site, f"/console/homes/{household}", {})
        view = await view_of(tx, place, found, Names(who.person_id, {}, {}), request.query_params)
    here = f"/console/homes/{household}/machines/{machine}"
    return console_page(
        request, "home_machine", who, reader, "homes", e=view, here=here, site=site, access=access, now=now(), household=household
    )


def _looks(who: Principal) -> None:
    """Raises NotFound for staff whose role opens no homes."""
    if not set(STAFF_LOOKS) & set(who.staff):
        raise NotFound("page")


async def _looking(request: Ask, subject: UUID) -> tuple[Principal, Context]:
    """The context in which staff looks at a home, or at one thing in it."""
    who, _ = await console_context(request)
    _looks(who)
    return who, who.acts(Purpose.SUPPORT, subject)


async def _open_access(tx: Tx, household: UUID) -> StaffAccess:
    """The acting person's access to it that lasts. Raises NotFound."""
    for access in await accounts.list_staff_accesses(tx, household=household):
        if access.ended_at is None and access.person_id == tx.context.person:
            return access
    raise NotFound("open home")


async def _list(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, _ = await console_context(request)
    reader = reader_of(request, who)
    may_open = bool(set(STAFF_LOOKS) & set(who.staff))
    async with edge(request).door.open(who.acts(Purpose.SUPPORT)) as tx:
        mine = [a for a in await accounts.list_staff_accesses(tx) if a.person_id == who.person_id]
    return console_page(
        request,
        "homes",
        who,
        reader,
        "homes",
        status=status,
        form=form,
        may_open=may_open,
        roles=[(role, role_name(reader, role)) for role in STAFF_LOOKS if role in who.staff],
        minutes=[(str(m), reader.gettext("%(count)s minutes", count=m)) for m in accounts.MINUTES],
        open=[a for a in mine if a.ended_at is None],
        over=[a for a in mine if a.ended_at is not None][:20],
        now=now(),
    )


ROUTES = (homes_page, open_one, end_one, home_page, home_machine)
