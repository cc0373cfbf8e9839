"""The public REST API under /api/v1, for programs of the people whose equipment it is, and for devices without MQTT.

`routes` is what the composition root mounts; `refuse` answers for what the framework turns away below `PATH` before a handler sees it;
`close` ends what the routes began.
"""

from litestar import Router
from litestar.datastructures import State

from lineset.api.describe import HANDLERS, get_openapi, nothing_here
from lineset.api.edge import PATH, Desk, router
from lineset.api.problems import refuse

__all__ = ["PATH", "close", "refuse", "routes"]


def routes() -> list[Router]:
    """The routers of the API. The application's state must hold the `platform` that they work on."""
    return [router([*HANDLERS, get_openapi, nothing_here])]


async def close(state: State) -> None:
    """Write what the API still holds, when the application ends."""
    desk = state.get("api_desk")
    if isinstance(desk, Desk):
        await desk.connections.close()
