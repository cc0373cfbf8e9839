"""Policy and terms in the console: what this build says, what is published, and publishing it."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post

from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, LinesetError, NotFound
from lineset.privacy import Context, policy

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.published import KINDS, draft_of, speakers, state_of
from ..common.refusals import refused
from .desk import console_page

MAY = frozenset({"operator", "privacy_officer"})


@get("/console/texts")
async def texts_page(request: Ask) -> Response[Any]:
    """Both texts: whether what is published is what this build says, and what publishing would change."""
    who, context = await console_context(request)
    return await _show(request, who, context, Form())


@post("/console/texts")
async def publish(request: Ask) -> Response[Any]:
    """Publish the text of this build, at once or from a day on.

    Raises:
        Denied: neither the operator nor the privacy officer asks.
        NotFound: there is no such text.
    """
    who, context = await console_context(request)
    if not MAY & set(who.staff):
        raise Denied("not_yours", "Only the operator and the privacy officer publish texts.")
    form, here = await request.form(), edge(request)
    values = {"kind": form_text(form, "kind"), "effective": form_text(form, "effective"), "digest": form_text(form, "digest")}
    kind = next((k for k in KINDS if k == values["kind"]), None)
    if kind is None:
        raise NotFound("text")
    try:
        async with here.door.open(context) as tx:
            draft = await draft_of(tx, here.register, here.settings, kind)
            if draft.digest != values["digest"]:
                raise Invalid("draft_changed", "What you read has changed meanwhile. Read it again, then publish.")
            await policy.publish(tx, draft, speakers(), _day(values["effective"]))
    except LinesetError as error:
        return await _show(request, who, context, refused(reader_of(request, who), error, values), int(error.status))
    return go(f"/console/texts?done={kind}")


def _day(text: str) -> datetime | None:
    """The start of a day (UTC) that was typed as YYYY-MM-DD; None for no day.

    Raises:
        Invalid: it is no day.
    """
    if not text.strip():
        return None
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("bad_effective", "Give a day as 2027-01-31, or leave it empty.", "effective") from None
    return max(day, now()) if day.date() == now().date() else day


async def _show(request: Ask, who: Principal, context: Context, form: Form, status: int = 200) -> Response[Any]:
    here, reader = edge(request), reader_of(request, who)
    items = []
    async with here.door.open(context) as tx:
        for kind in KINDS:
            state = await state_of(tx, here.settings, kind)
            draft = await draft_of(tx, here.register, here.settings, kind)
            newest = state.coming or state.version
            before = newest.draft.texts if newest else {}
            old = before.get(reader.language)
            items.append(
                {
                    "state": state,
                    "draft": draft,
                    "newest": newest,
                    "same": newest is not None and newest.digest == draft.digest,
                    "changes": [
                        policy.worded(c, [reader]).said(reader.language)
                        for c in (policy.significant(newest.draft.facts, draft.facts) if newest and kind == "policy" else ())
                    ],
                    "differences": policy.differences(old, draft.texts[reader.language]) if old else (),
                }
            )
    return console_page(
        request, "texts", who, reader, "texts", status=status, items=items, form=form, may=bool(MAY & set(who.staff)), now=now()
    )


ROUTES = (texts_page, publish)
