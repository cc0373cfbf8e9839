"""What the console's pages share: the page with the navigation around it."""

from typing import Any

from litestar import Response

from lineset.accounts import Principal

from ..common.edge import Ask, page
from ..common.reader import Reader

READS_LOG = frozenset({"privacy_officer", "security"})
"""Roles that read the access log."""
SUSPENDS = frozenset({"operator", "security"})
"""Roles that may suspend an account."""


def console_page(
    request: Ask, template: str, who: Principal, reader: Reader, tab: str, *, status: int = 200, **context: Any
) -> Response[Any]:
    """A page of the console. `operator` says whether this staff member may change things; others look."""
    done = request.query_params.get("done", "")
    context |= {"tab": tab, "done": done, "operator": "operator" in who.staff, "reads_log": bool(READS_LOG & set(who.staff))}
    context["suspends"] = bool(SUSPENDS & set(who.staff))
    return page(request, f"console/{template}.html", reader, who, status=status, **context)
