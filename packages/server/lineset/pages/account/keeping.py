"""How long a household's measurements are kept: what holds, and an owner's choice of less."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import telemetry
from lineset.accounts import Principal
from lineset.kit.errors import LinesetError
from lineset.privacy import Purpose

from ..common.coming import go
from ..common.edge import Ask, edge, form_text
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from .own import EMPTY, account_page, household_of, owner_of_account


@get("/account/household/{household_id:uuid}/keeping")
async def keeping_page(request: Ask, household_id: UUID) -> Response[Any]:
    """What holds, and what an owner can choose."""
    who, reader = await owner_of_account(request)
    return await _show(request, who, reader, household_id)


@post("/account/household/{household_id:uuid}/keeping", status_code=200)
async def choose(request: Ask, household_id: UUID) -> Response[Any]:
    """Choose; a shorter time is asked about once more first, since it can't be undone."""
    who, reader = await owner_of_account(request)
    household_of(who, household_id)
    form = await request.form()
    text, sure = form_text(form, "days"), form_text(form, "sure") == "yes"
    days = int(text) if text.isdecimal() and len(text) < 5 else 0
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            before = await telemetry.keeping(tx, household_id)
            ask = days in telemetry.KEEPING_DAYS and days < before and not sure
            if not ask:
                await telemetry.choose_keeping(tx, household_id, days)
    except LinesetError as error:
        return await _show(request, who, reader, household_id, error)
    if ask:
        return await _show(request, who, reader, household_id, ask=days)
    return go(f"/account/household/{household_id}/keeping?done=kept")


async def _show(
    request: Ask, who: Principal, reader: Reader, household_id: UUID, error: LinesetError | None = None, ask: int = 0
) -> Response[Any]:
    household = household_of(who, household_id)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        days = await telemetry.keeping(tx, household_id)
    form: Form = refused(reader, error) if error is not None else EMPTY
    status = int(error.status) if error is not None else 200
    return account_page(
        request,
        "keeping",
        who,
        reader,
        "household",
        status=status,
        household=household,
        days=days,
        ask=ask,
        most=telemetry.KEEPING_DAYS[0],
        choices=_choices(reader),
        form=form,
    )


def _choices(reader: Reader) -> list[tuple[int, str]]:
    """Each choice in words."""
    return [(days, reader.ngettext("%(n)s day", "%(n)s days", days)) for days in telemetry.KEEPING_DAYS]


ROUTES = (keeping_page, choose)
