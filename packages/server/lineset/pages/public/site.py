"""The first page, who runs this installation, and what search engines may read."""

from typing import Any

from litestar import MediaType, Response, get
from litestar.response import Redirect

from ..common.edge import Ask, edge, page, principal, reader_of
from .landing import example

ROBOTS = """User-agent: *
Allow: /$
Allow: /contact$
Allow: /static/
Disallow: /
"""


@get("/")
async def first_page(request: Ask) -> Response[Any]:
    """What Lineset is."""
    who = await principal(request)
    reader = reader_of(request, who)
    return page(request, "public/landing.html", reader, who, example=example(reader))


@get("/contact")
async def contact(request: Ask) -> Response[Any]:
    """Who runs this installation. While the operator has not said so, the page says that instead and counts as not there."""
    who = await principal(request)
    details = edge(request).settings.contact
    status = 200 if details.complete else 404
    response = page(request, "public/contact.html", reader_of(request, who), who, status=status, contact=details)
    if not details.complete:
        response.headers["x-robots-tag"] = "noindex"
    return response


@get("/robots.txt", media_type=MediaType.TEXT, sync_to_thread=False)
def robots() -> str:
    """Only the first page and the contact are for search engines."""
    return ROBOTS


@get("/favicon.ico", sync_to_thread=False)
def favicon() -> Redirect:
    """For browsers that ask at the old place."""
    return Redirect("/static/icon.svg", status_code=301)


ROUTES = (first_page, contact, robots, favicon)
