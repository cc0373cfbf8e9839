"""Pages of one area; see the files beside this one."""

from litestar.types import ControllerRouterHandler

from lineset.kit.settings import Settings


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """The routes of this area; the development mailbox only where mails have no other way out."""
    return []
