"""What a person sees when something is not there, not allowed, or broke: what happened, what is safe, what to do."""

from http import HTTPStatus

from litestar import Response

from .edge import Ask, page, reader_of

NO_COOKIES = 428
"""What the page's words go by then; the response keeps its own status."""
_PHRASES = frozenset(status.phrase for status in HTTPStatus)


def error_page(request: Ask, status: int, say: str, *, ticket: str = "") -> Response[str]:
    """A page (or, for htmx, the same sentence as a fragment) for a refusal with this status.

    `say` is a domain's sentence. For the bare phrase of a status, and for what is not found, the page says by the status what happened.
    """
    who = request.state.get("principal")
    reader = reader_of(request, who)
    words = reader.gettext(say) if say and say not in _PHRASES and status != HTTPStatus.NOT_FOUND else ""
    part = bool(request.headers.get("hx-request"))
    # a form that came without any cookie of ours: not an old page but a browser that keeps none
    code = NO_COOKIES if status == HTTPStatus.FORBIDDEN and not words and not request.cookies else status
    template = "common/error_part.html" if part else "common/error.html"
    return page(request, template, reader, who, status=status, scripts=not part, code=code, say=words, ticket=ticket)
