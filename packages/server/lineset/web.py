"""The web role: pages, the public REST API, live streams, health."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Litestar, Request, Response, get
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler

from lineset import accounts, api, pages
from lineset.kit.errors import LinesetError, TooMany
from lineset.kit.logs import configure
from lineset.kit.settings import Settings, from_environment, secret
from lineset.pages.common.actions import noting_actions
from lineset.pages.common.edge import CSRF, Edge, NotSignedIn, to_sign_in
from lineset.pages.common.requests import Logged
from lineset.platform import Platform, open_platform, ready
from lineset.serving import serve

log = structlog.get_logger(__name__)

MAX_BODY = 1_000_000
DRAIN = "wake.drain.web"
"""Told before the processes are ended, so that open streams close by themselves."""


@get(["/health/live"], include_in_schema=False, sync_to_thread=False)
def alive() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@get("/health/ready", include_in_schema=False)
async def healthy(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Whether every role works: 200 only then, and what is wrong otherwise."""
    platform: Platform = request.app.state.platform
    parts = await ready(platform)
    works = parts["database"] == parts["bus"] == "ok" and parts["ingest"].startswith("{") and parts["worker"].startswith("{")
    return Response({"status": "ok" if works else "failing", "parts": parts}, status_code=200 if works else 503)


def not_signed_in(request: Request[Any, Any, Any], _: Exception) -> Response[Any]:
    """Send the browser to sign in."""
    return to_sign_in(request)


def known_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A refusal in words, as a page."""
    assert isinstance(error, LinesetError)  # noqa: S101 - registered for it alone
    headers = {"retry-after": str(error.wait_s)} if isinstance(error, TooMany) else {}
    response = pages.error_page(request, int(error.status), error.say)
    response.headers.update(headers)
    return response


def http_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The framework's own refusals, as a page, or for a program as a problem."""
    if request.url.path.startswith(f"{api.PATH}/"):
        return api.refuse(request, error)
    status = error.status_code if isinstance(error, HTTPException) else 500
    return pages.error_page(request, status, HTTPStatus(status).phrase if status != 500 else "")


def unknown_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What nobody foresaw: logged under a ticket number that the page shows."""
    ticket = f"E-{secrets.token_hex(2).upper()}"
    log.error("page_failed", ticket=ticket, path=request.url.path, exc_info=error)
    return pages.error_page(request, 500, "", ticket=ticket)


def create_app(settings: Settings) -> Litestar:
    """The application of one web process."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_platform(settings, "web", pool=8) as platform:
            hub = pages.Hub(platform.bus)
            app.state.platform = platform
            app.state.edge = Edge(
                settings=settings,
                door=platform.door,
                bus=platform.bus,
                register=platform.register,
                authenticator=accounts.Authenticator(platform.door),
                templates=pages.templates(),
                hub=hub,
                notices=pages.Notices(platform.door),
                heeded=pages.Heeded(platform.door),
            )
            await hub.start()

            async def drain(_: Any) -> None:
                await hub.stop()

            await platform.bus.subscribe(DRAIN, drain)
            log.info("web_ready", url=settings.url)
            yield
            await hub.stop()
            await api.close(app.state)

    handlers: list[ControllerRouterHandler] = [alive, healthy, *pages.routes(settings), *api.routes()]
    return Litestar(
        handlers,
        lifespan=[lifespan],
        csrf_config=CSRFConfig(
            secret=secret(settings, "csrf").hex(),
            cookie_name=CSRF,
            header_name="x-csrf-token",
            cookie_secure=settings.url.startswith("https://"),
            cookie_samesite="lax",
            exclude=["^/api/", "^/news/leave$"],  # one click out of a mail program (RFC 8058) brings no cookie
        ),
        middleware=[noting_actions],
        compression_config=CompressionConfig(backend="gzip", minimum_size=800, gzip_compress_level=5, exclude=["^/live", "/file$"]),
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,  # ours stands already
        exception_handlers={
            NotSignedIn: not_signed_in,
            LinesetError: known_error,
            HTTPException: http_error,
            Exception: unknown_error,
        },
    )


def app() -> Logged:
    """What granian loads in each of its processes."""
    configure("web")
    settings = from_environment()
    return Logged(create_app(settings), settings)


__all__ = ["app", "create_app", "serve"]
