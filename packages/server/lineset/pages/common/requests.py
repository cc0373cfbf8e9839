"""Each request becomes a line of the request log, told from outside the application, so that nothing is missed that was refused early."""

import time
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import structlog
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from lineset.accounts import describe_agent
from lineset.kit.settings import Settings, secret
from lineset.privacy import network_of
from lineset.privacy.request_log import Line, RequestLog

from .coming import address_of
from .edge import SESSION

KEY = "request_log"
_QUIET = ("/health/live", "/health/ready")
_MOST = 80

_log = structlog.get_logger("requests")


class Logged:
    """An application whose requests are logged: to the data folder's file of the day, or, with `LINESET_REQUEST_LOG=stdout`, with the
    network alone to standard output, where somebody else's collection takes it up."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._file = RequestLog(settings.data, secret(settings, KEY))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        begun, at = time.perf_counter(), datetime.now(UTC)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"] not in _QUIET:
                self._write(scope, at, int(message["status"]), time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, told)

    def _write(self, scope: Scope, at: datetime, status: int, took_s: float) -> None:
        headers = Headers.from_scope(scope)
        client = scope.get("client")
        line = Line(
            t=at,
            method=str(scope.get("method", "")),
            route=str(scope.get("path_template") or "-") if status != 404 else "-",
            status=status,
            ms=round(took_s * 1000, 1),
            address=address_of(client[0] if client else "", headers.get("x-forwarded-for", ""), bool(self._settings.public_url)),
            browser=describe_agent(headers.get("user-agent", ""))[:_MOST],
            language=_printable(headers.get("accept-language", "").partition(",")[0].partition(";")[0])[:20],
            mark=self._file.mark(at.date(), _cookie(headers.get("cookie", ""))),
            from_site=_origin(headers.get("referer", ""), headers.get("host", "")),
        )
        if self._settings.request_log == "stdout":
            _log.info(
                "request",
                **{name: getattr(line, name) for name in line.__struct_fields__ if name not in ("t", "address")},
                network=network_of(line.address) or "",
            )
        else:
            self._file.write(line)


def _cookie(header: str) -> str:
    """The cookie that tells browsers apart: a visitor's tag, or the session of who is signed in."""
    try:
        jar = SimpleCookie(header)
    except CookieError:
        return ""
    return next((jar[name].value for name in (SESSION, "ls_tag") if name in jar), "")


def _origin(referrer: str, host: str) -> str:
    """Scheme and host of where the browser came from; nothing for our own pages."""
    try:
        parts = urlsplit(referrer)
        named = parts.hostname is not None and parts.netloc.rpartition("@")[2] != host
    except ValueError:
        return ""
    return _printable(f"{parts.scheme}://{parts.hostname}")[:_MOST] if named else ""


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()
