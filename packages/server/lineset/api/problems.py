"""Refusals of the API: `application/problem+json` (RFC 9457) with a stable `code` and a sentence in `say`."""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from lineset.kit.bus import BusFault
from lineset.kit.errors import Invalid, LinesetError, TooMany

MEDIA_TYPE = "application/problem+json"
_CODES = {400: "bad_request", 401: "not_signed_in", 404: "not_found", 405: "bad_method", 413: "too_large", 415: "bad_media_type"}

_log = structlog.get_logger(__name__)


class NotSignedIn(LinesetError):
    """No token came along, or none that holds."""

    status = HTTPStatus.UNAUTHORIZED


class Away(LinesetError):
    """A part of the platform does not answer at this moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


def problem(status: int, code: str, say: str, headers: dict[str, str] | None = None, **more: object) -> Response[dict[str, object]]:
    """A refusal as a response; `more` are further members."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": say,
        "code": code,
        "say": say,
        **more,
    }
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers or {})


def _known(_: Request[Any, Any, Any], error: LinesetError) -> Response[dict[str, object]]:
    headers: dict[str, str] = {}
    more: dict[str, object] = {}
    status = int(error.status)
    if isinstance(error, TooMany):
        headers["retry-after"] = str(error.wait_s)
        more["wait_s"] = error.wait_s
    if isinstance(error, NotSignedIn):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, Invalid) and error.field is not None:
        more["field"] = error.field
    if isinstance(error, (Away, BusFault)):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        headers["retry-after"] = "2"
    return problem(status, error.code, error.say, headers, **more)


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, object]]:
    status = error.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unknown(request, error)
    say = error.detail
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        say = f"{request.method} is not possible here. The API's description, openapi.json, says what is."
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        told = [e for e in error.extra if isinstance(e, dict)]
        say = "; ".join(f"{e.get('key') or e.get('source') or 'body'}: {e.get('message', '')}" for e in told) or say
    return problem(status, _CODES.get(status, "refused"), say[:500])


def _unknown(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, object]]:
    _log.error("api_failed", path=request.url.path, exc_info=error)
    return problem(500, "unexpected", "Something went wrong on our side. It has been written down; try again later.")


def refuse(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, object]]:
    """Any error as a problem: for the composition root, where a request below the API's path does not reach one of its handlers."""
    if isinstance(error, LinesetError):
        return _known(request, error)
    return _framework(request, error) if isinstance(error, HTTPException) else _unknown(request, error)


HANDLERS: ExceptionHandlersMap = {LinesetError: _known, HTTPException: _framework, Exception: _unknown}
