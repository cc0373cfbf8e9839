"""Policy and terms from a person's side: what there is to accept, what was accepted and told when, and where the data lives."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.privacy import Purpose, policy

from ..common.coming import go
from ..common.edge import Ask, edge, form_text, safe_next
from ..common.published import KINDS, READ, state_of
from .own import account_page, owner_of_account


@get("/account/texts")
async def texts_page(request: Ask) -> Response[Any]:
    """The newest terms with a button to accept them, and every receipt."""
    who, reader = await owner_of_account(request)
    here = edge(request)
    async with here.door.open(READ) as tx:
        states = [await state_of(tx, here.settings, kind) for kind in KINDS]
    async with here.door.open(who.acts(Purpose.ACCOUNT)) as tx:
        receipts = await policy.receipts(tx, who.person_id)
    accepted = {r.version_id for r in receipts if r.what == "accepted"}
    terms = states[1].coming or states[1].version
    return account_page(
        request,
        "texts",
        who,
        reader,
        "texts",
        states=states,
        terms=terms,
        open=terms is not None and terms.id not in accepted,
        receipts=receipts,
        region=here.settings.region,
        now=now(),
    )


@post("/account/texts/{version:uuid}/accepted")
async def accept(request: Ask, version: UUID) -> Response[Any]:
    """Accept the terms, by the version that was on the page."""
    who, _ = await owner_of_account(request)
    await _settle(request, who, version, "accepted")
    return go("/account/texts?done=accepted")


@post("/account/texts/{version:uuid}/noticed")
async def notice(request: Ask, version: UUID) -> Response[Any]:
    """Put the notice away."""
    who, _ = await owner_of_account(request)
    await _settle(request, who, version, "noticed")
    return go(safe_next(form_text(await request.form(), "back"), "/account/texts"))


async def _settle(request: Ask, who: Principal, version: UUID, what: policy.Act) -> None:
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        await policy.acknowledge(tx, who.person_id, version, what, language=who.language, channel="pages")


ROUTES = (texts_page, accept, notice)
