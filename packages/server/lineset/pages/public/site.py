"""The first page, and what search engines may read."""

from typing import Any

from litestar import MediaType, Response, get
from litestar.response import Redirect

from ..common.edge import Ask, page, principal, reader_of
from .landing import example

ROBOTS = """User-agent: *
Allow: /$
Allow: /contact$
Allow: /policy
Allow: /terms
Allow: /cookies$
Allow: /recipients$
Allow: /models$
Allow: /news$
Allow: /privacy/choices$
Allow: /static/
Disallow: /
"""


@get("/")
async def first_page(request: Ask) -> Response[Any]:
    """What Lineset is."""
    who = await principal(request)
    reader = reader_of(request, who)
    return page(request, "public/landing.html", reader, who, example=example(reader))


@get("/robots.txt", media_type=MediaType.TEXT, sync_to_thread=False)
def robots() -> str:
    """Only the pages that say what this is and how data is handled are for search engines."""
    return ROBOTS


@get("/favicon.ico", sync_to_thread=False)
def favicon() -> Redirect:
    """For browsers that ask at the old place."""
    return Redirect("/static/icon.svg", status_code=301)


ROUTES = (first_page, robots, favicon)
