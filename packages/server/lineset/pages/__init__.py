"""Pages for people: server-rendered HTML, one file and one template folder per flow.

The face of the pages: what the web process needs to serve them.
"""

from litestar.types import ControllerRouterHandler

from lineset.kit.settings import Settings

from . import account, console, home, portal, public
from .common.assets import Assets
from .common.data import data_routes
from .common.edge import Edge
from .common.errors import error_page
from .common.live import Hub
from .common.notices import Notices
from .common.render import Templates
from .common.reports import report_routes
from .common.signals import Heeded
from .common.static import static_routes

__all__ = ["Edge", "Heeded", "Hub", "Notices", "error_page", "routes", "templates"]


def templates() -> Templates:
    """The templates of all areas, with the names of the built scripts and styles.

    Raises:
        AssetsMissing: the front end has not been built.
    """
    return Templates(Assets.read())


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every route of every area."""
    return [
        data_routes(),
        report_routes(),
        *static_routes(),
        *public.routes(settings),
        *account.routes(),
        *home.routes(),
        *portal.routes(),
        *console.routes(),
    ]
