"""Handlers of what was concluded about a household: from what, how sure, when and by which model; contest it, erase it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Inference, Purpose, contest_inference, erase_inference, list_inferences
from lineset.privacy.inferences import MOST_WORDS
from lineset.privacy.rights import may

from ..coming import go
from ..desk import At, at_desk, desk_page
from ..edge import Ask, edge, form_text
from ..forms import Form
from ..reader import Reader
from ..refusals import refused

CERTAIN = 0.99


class ConcludedLine(msgspec.Struct, frozen=True):
    """A conclusion. `sure`: how certain it is, in words; `contested`: when its people said that it is wrong, with their `objection`."""

    id: str
    statement: str
    source: str
    sure: str
    model: str
    made: str
    contested: str
    objection: str


@get("/concluded")
async def concluded_page(request: Ask) -> Response[Any]:
    """Every conclusion about the household."""
    return await _page(request, _in_household(await at_desk(request)))


@post("/concluded/{inference:str}/contest")
async def contest(request: Ask, inference: str) -> Response[Any]:
    """Say that it is wrong; it is not acted on from now on."""
    at, wanted = _in_household(await at_desk(request)), _id(inference)
    words = form_text(await request.form(), "words")
    try:
        async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
            await contest_inference(tx, wanted, words)
    except Invalid as error:
        return await _page(request, at, refused(at.reader, error, {"words": words}), str(wanted), int(error.status))
    return go(f"{at.base}/concluded?done=contested#c-{wanted}")


@post("/concluded/{inference:str}/erase")
async def erase(request: Ask, inference: str) -> Response[Any]:
    """Delete it at once."""
    at = _in_household(await at_desk(request))
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        await erase_inference(tx, _id(inference))
    return go(f"{at.base}/concluded?done=erased")


def concluded_lines(reader: Reader, found: Sequence[Inference], moment: datetime) -> tuple[ConcludedLine, ...]:
    """Conclusions, newest first."""
    return tuple(_line(reader, inference, moment) for inference in found)


def _line(reader: Reader, found: Inference, moment: datetime) -> ConcludedLine:
    return ConcludedLine(
        str(found.id),
        found.statement,
        found.source,
        reader.gettext("certain") if found.confidence >= CERTAIN else f"{reader.number(found.confidence * 100)} %",
        found.model,
        reader.when(found.made_at, moment),
        reader.when(found.contested_at, moment) if found.contested_at is not None else "",
        found.objection,
    )


async def _page(request: Ask, at: At, form: Form | None = None, wrong: str = "", status: int = 200) -> Response[Any]:
    assert at.household is not None  # noqa: S101 - _in_household has looked
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        found = await list_inferences(tx, at.household.id)
        changes = await may(tx, at.household.id, "people")
    lines = concluded_lines(at.reader, found, now())
    return desk_page(
        request, "concluded", at, status=status, concluded=lines, may=changes, form=form or Form(), wrong=wrong, most_words=MOST_WORDS
    )


def _in_household(at: At) -> At:
    """Conclusions are a household's.

    Raises:
        NotFound: the person's own pages, apart from a household.
    """
    if at.household is None:
        raise NotFound("page")
    return at


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound("inference")
    return found


HANDLERS = [concluded_page, contest, erase]
