"""A small application that renders each page with sample view models through the real templates.

Run ``python -m tests.browser.preview [port]`` and open http://127.0.0.1:8123/ for a list of the samples.
"""

import sys
from typing import Any

from lineset.pages.common.assets import Assets
from lineset.pages.common.chart_answer import Answer
from lineset.pages.common.draw import Spark
from lineset.pages.common.reader import Reader
from lineset.pages.common.render import THEMES, Frame, Templates, Who, new_nonce
from lineset.pages.common.security import PAGE_HEADERS, content_security_policy
from lineset.pages.common.static import static_routes
from litestar import Litestar, MediaType, Request, Response, get, post

from tests.browser.samples import ALL
from tests.browser.samples.charts import answer
from tests.browser.samples.portal import trends

WHO = {
    "home": Who(name="Ines Lund", role="", home="/home"),
    "shared": Who(name="Ines Lund", role="", home="/home"),
    "yours": Who(name="Ines Lund", role="", home="/home", areas=("home",)),
    "account": Who(name="Ines Lund", role="", home="/home"),
    "portal": Who(name="Priya Shah", role="Alder Mechanical", home="/portal"),
    "console": Who(name="Sam Okafor", role="Operator", home="/console"),
}


@get("/", sync_to_thread=False)
def index() -> Response[str]:
    """Links to every sample."""
    links = "".join(f'<li><a href="/{area}/{name}">{area}/{name}</a></li>' for area, samples in ALL.items() for name in samples)
    return Response(f"<!doctype html><title>Samples</title><ul>{links}</ul>", media_type=MediaType.HTML)


@get("/{area:str}/{name:str}", sync_to_thread=False)
def page(request: Request[Any, Any, Any], area: str, name: str) -> Response[str]:
    """One sample; ``?lang=es&units=metric&theme=dark&clock=12`` change how it is read."""
    query = request.query_params
    template, build = ALL[area][name]
    theme = query.get("theme", "")
    reader = Reader(
        query.get("lang", "en"),
        "metric" if query.get("units") == "metric" else "us",
        "America/Los_Angeles",
        clock24=query.get("clock", "24" if area in ("portal", "console") else "12") == "24",
    )
    nonce = new_nonce()
    frame = Frame(
        path=request.url.path,
        theme=theme if theme in THEMES else "",
        nonce=nonce,
        csrf="preview",
        who=WHO.get(area),
        live=False,
    )
    html = request.app.state.templates.render(template, reader, frame, build(reader))
    headers = PAGE_HEADERS | {"content-security-policy": content_security_policy(nonce)}
    return Response(html, media_type=MediaType.HTML, headers=headers)


@get("/charts/{equipment:str}", sync_to_thread=False)
def charts(request: Request[Any, Any, Any], equipment: str) -> Answer:
    """The sample day as the chart endpoint answers it."""
    return answer(Reader("en", "us", "America/Los_Angeles"), request.query_params)


@post("/app/reports", status_code=204, sync_to_thread=False)
def reports() -> None:
    """What the pages tell of themselves goes nowhere here."""


@get("/portal/trends", sync_to_thread=False)
def portal_trends(equipment: str) -> dict[str, Spark]:
    """Sparks of sample rows."""
    made = trends()
    return {name: made[name] for name in equipment.split(",") if name in made}


def create_app() -> Litestar:
    """The preview application."""
    app = Litestar([index, page, charts, reports, portal_trends, *static_routes()], openapi_config=None, debug=True)
    app.state.templates = Templates(Assets.read(), reload=True)
    return app


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces

    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8123
    Granian("tests.browser.preview:create_app", factory=True, interface=Interfaces.ASGI, address="127.0.0.1", port=port).serve()
