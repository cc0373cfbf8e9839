"""The pages of "Your data", mounted once for each desk."""

from litestar import Router

from ..desk import Desk
from . import data_centre, data_choices, data_concluded, data_devices, data_erasing, data_held, data_take


def data_routes(desk: Desk) -> Router:
    """The routes of these pages at that desk."""
    parts = (data_centre, data_held, data_concluded, data_choices, data_devices, data_take, data_erasing)
    handlers = [handler for part in parts for handler in part.HANDLERS]
    return Router(desk.prefix, route_handlers=handlers, opt={"desk": desk}, include_in_schema=False)
