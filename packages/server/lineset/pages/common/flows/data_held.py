"""Handlers of what is held about somebody: the kinds, what holds them, and their rows, with what can be changed or deleted there."""

from typing import Any

from litestar import Response, get, post

from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.tombstones import Tombstones
from lineset.privacy import inventory

from ..coming import go
from ..desk import At, at_desk, desk_page, names_at
from ..edge import Ask, edge
from ..held import holder_lines, row_lines
from ..held_items import change_at, deletable, delete_item

MOST_PAGES = 200


@get("/held/{kind:str}")
async def kind_page(request: Ask, kind: str) -> Response[Any]:
    """One kind of data: what holds it, why, since when, until when, from where."""
    at = await at_desk(request)
    register = edge(request).register
    found = _kind(request, at, kind)
    counts = await inventory.amounts(edge(request).door, at.who.acts, register, at.scope, (found,))
    lines = holder_lines(at.reader, found, counts, now())
    lines = tuple(sorted(lines, key=lambda line: not line.shown))
    return desk_page(request, "kind", at, kind=found, title=at.reader.gettext(found.family.title), holders=lines)


@get("/held/{kind:str}/{name:str}")
async def rows_page(request: Ask, kind: str, name: str) -> Response[Any]:
    """The rows of one thing that holds data of that kind, newest first, as the person may read them."""
    at = await at_desk(request)
    found = _kind(request, at, kind)
    holder = next((h for h in found.holders if h.name == name), None)
    if holder is None:
        raise NotFound("kind of data")
    number = _page_number(request.query_params.get("page", ""))
    rows = await inventory.rows(
        edge(request).door,
        at.who.acts,
        edge(request).register,
        at.scope,
        name,
        offset=number * inventory.MOST_ROWS,
        limit=inventory.MOST_ROWS + 1,
    )
    lines = row_lines(at.reader, rows[: inventory.MOST_ROWS], await names_at(request, at), now())
    about = at.reader.gettext(holder.about)
    return desk_page(
        request,
        "rows",
        at,
        kind=found,
        kind_title=at.reader.gettext(found.family.title),
        holder=holder,
        about=about[:1].upper() + about[1:],
        lines=[(line, change_at(at, name, line.key), line.key) for line in lines],
        goes=at.reader.gettext(deletable(name).goes) if _may_delete(name) else "",
        number=number,
        more=len(rows) > inventory.MOST_ROWS,
    )


@post("/held/{kind:str}/{name:str}/{key:str}/delete")
async def delete_row(request: Ask, kind: str, name: str, key: str) -> Response[Any]:
    """Delete one item."""
    at = await at_desk(request)
    _kind(request, at, kind)
    await delete_item(edge(request).door, Tombstones(edge(request).bus), at, name, key)
    if name == "sessions":
        edge(request).authenticator.forget(at.who.person_id)
    return go(f"{at.base}/held/{kind}/{name}?done=deleted")


def _kind(request: Ask, at: At, key: str) -> inventory.Kind:
    for kind in inventory.kinds_of(edge(request).register, at.scope):
        if kind.family.key == key:
            return kind
    raise NotFound("kind of data")


def _may_delete(name: str) -> bool:
    try:
        deletable(name)
    except NotFound:
        return False
    return True


def _page_number(text: str) -> int:
    return min(int(text), MOST_PAGES) if text.isascii() and text.isdigit() and len(text) < 5 else 0


HANDLERS = [kind_page, rows_page, delete_row]
