"""The API's own description: OpenAPI 3.1, made from the handlers."""

from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, route
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from lineset.api.devices import post_enrolment, post_frames, post_renewal
from lineset.api.diagnosis import get_finding, get_findings, get_performance, post_finding_step
from lineset.api.edge import PATH, router
from lineset.api.exports import delete_export, get_export, get_export_file, get_exports, get_readings, post_export
from lineset.api.happenings import get_events, get_troubles, post_event
from lineset.api.orders import cancel_command, get_command, get_commands, post_command
from lineset.api.problems import problem
from lineset.api.rights import (
    delete_rights_request,
    get_erasure_plan,
    get_rights_file,
    get_rights_request,
    get_rights_requests,
    post_rights_request,
)
from lineset.api.sums import get_quality, get_sums
from lineset.api.things import get_equipment, get_latest, get_me, get_series, get_site, get_sites

HANDLERS: tuple[ControllerRouterHandler, ...] = (
    get_me,
    get_sites,
    get_site,
    get_equipment,
    get_latest,
    get_series,
    get_sums,
    get_quality,
    get_findings,
    get_finding,
    post_finding_step,
    get_performance,
    get_readings,
    post_export,
    get_exports,
    get_export,
    get_export_file,
    delete_export,
    get_erasure_plan,
    post_rights_request,
    get_rights_requests,
    get_rights_request,
    get_rights_file,
    delete_rights_request,
    get_events,
    get_troubles,
    post_event,
    post_command,
    get_commands,
    get_command,
    cancel_command,
    post_frames,
    post_enrolment,
    post_renewal,
)
_ABOUT = """\
Read what your equipment measures and ask things of it. Make a personal token on your account's page and send it with each request:
`Authorization: Bearer ls_…`. Devices send frames with their gateway's token. Refusals are `application/problem+json` with a stable `code`
and a sentence in `say`.
"""
_made: dict[str, bytes] = {}


@get("/openapi.json", include_in_schema=False)
async def get_openapi() -> Response[bytes]:
    """The description of all of the API, and of nothing else."""
    if PATH not in _made:
        _made[PATH] = msgspec.json.encode(_description())
    return Response(_made[PATH], media_type="application/vnd.oai.openapi+json")


@route("/{rest:path}", http_method=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False, sync_to_thread=False)
def nothing_here(request: Request[Any, Any, Any], rest: FromPath[str]) -> Response[dict[str, object]]:
    """What the API does not have."""
    return problem(404, "not_found", f"{request.method} {PATH}{rest} does not exist. {PATH}/openapi.json names what does.")


def _description() -> dict[str, Any]:
    config = OpenAPIConfig(
        title="Lineset",
        version=version("lineset"),
        summary="Heating, cooling and hot-water equipment, watched and controlled from afar",
        description=_ABOUT,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", description="A personal token, or for frames the gateway's"),
            }
        ),
        security=[{"token": []}],
        use_handler_docstrings=True,
        path=None,
    )
    app = Litestar([router(HANDLERS)], openapi_config=config)
    return app.openapi_schema.to_schema()
