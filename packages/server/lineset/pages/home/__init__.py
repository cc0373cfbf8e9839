"""Pages of one area; see the files beside this one."""

from litestar.types import ControllerRouterHandler


def routes() -> list[ControllerRouterHandler]:
    """The routes of this area."""
    return []
