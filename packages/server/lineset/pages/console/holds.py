"""Holds: what must not be deleted for law or security, placed and ended by the privacy officer or the operator."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, LinesetError, NotFound
from lineset.privacy import list_holds, place_hold, release_hold

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from .desk import console_page

KEEPS_HOLDS = frozenset({"operator", "privacy_officer"})


@get("/console/holds")
async def holds_page(request: Ask) -> Response[Any]:
    """Holds that last, and those that ended."""
    return await _show(request, Form(values={"kind": "legal"}))


@post("/console/holds")
async def place(request: Ask) -> Response[Any]:
    """Place one. The household is not told: the law may forbid it."""
    who, context = await console_context(request)
    _keeps(who)
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in ("find", "kind", "reason", "until")}
    try:
        until = _day(values["until"])
        home = await accounts.find_home(edge(request).door, values["find"])
        async with edge(request).door.open(context) as tx:
            await place_hold(tx, home, values["kind"], values["reason"], until)
    except LinesetError as error:
        return await _show(request, refused(reader_of(request, who), error, values), int(error.status))
    return go("/console/holds?done=placed")


@post("/console/holds/{hold:uuid}/release")
async def release(request: Ask, hold: UUID) -> Response[Any]:
    """End one now; what it kept goes with the next run."""
    who, context = await console_context(request)
    _keeps(who)
    async with edge(request).door.open(context) as tx:
        await release_hold(tx, hold)
    return go("/console/holds?done=released")


def _keeps(who: Principal) -> None:
    """Raises NotFound for staff whose role keeps no holds."""
    if not KEEPS_HOLDS & set(who.staff):
        raise NotFound("page")


def _day(text: str) -> datetime | None:
    """The end of a day given as 2027-01-31; None where none was given.

    Raises:
        Invalid: it is no date.
    """
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    except ValueError:
        raise Invalid("bad_until", "Give the day as year-month-day, such as 2027-01-31.", "until") from None


async def _show(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    reader = reader_of(request, who)
    may_keep = bool(KEEPS_HOLDS & set(who.staff))
    async with edge(request).door.open(context) as tx:
        found = await list_holds(tx) if may_keep else []
        staff = {p.person_id: p.name or p.email for p in await accounts.list_staff(tx, (await accounts.get_operator(tx)).id)}
    return console_page(
        request,
        "holds",
        who,
        reader,
        "holds",
        status=status,
        may_keep=may_keep,
        lasting=[h for h in found if h.ended_at is None],
        ended=[h for h in found if h.ended_at is not None],
        staff=staff,
        form=form,
        now=now(),
    )


ROUTES = (holds_page, place, release)
