"""Links that work once and no longer do."""

from typing import Any

from litestar import Response

from lineset.kit.errors import Invalid, LinesetError

from ..common.edge import Ask, page, principal, reader_of
from ..common.refusals import said


def is_dead(error: LinesetError) -> bool:
    """Whether the link itself is at fault, and not what was typed."""
    return isinstance(error, Invalid) and error.field == "token"


async def dead_link(request: Ask, error: LinesetError, again: str = "") -> Response[Any]:
    """The link has ended; `again` is where to ask for another."""
    who = await principal(request)
    reader = reader_of(request, who)
    return page(request, "public/dead_link.html", reader, who, status=410, say=said(reader, error), again=again)
