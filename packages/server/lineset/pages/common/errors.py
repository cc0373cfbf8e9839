"""What a person sees when something is not there, not allowed, or broke: what happened, what is safe, what to do."""

from litestar import Response

from .edge import Ask, page, reader_of


def error_page(request: Ask, status: int, say: str, *, ticket: str = "") -> Response[str]:
    """A page (or, for htmx, the same sentence as a fragment) for a refusal with this status."""
    who = request.state.get("principal")
    part = bool(request.headers.get("hx-request"))
    template = "common/error_part.html" if part else "common/error.html"
    return page(request, template, reader_of(request, who), who, status=status, code=status, say=say, ticket=ticket)
