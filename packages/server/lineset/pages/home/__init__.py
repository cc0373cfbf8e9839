"""The home app: is it comfortable, is anything wrong, turn it up, who sees my data."""

from litestar.types import ControllerRouterHandler

from ..common.flows.erasing import erasing_routes
from ..common.flows.findings import finding_routes
from ..common.flows.gateways import gateway_routes
from ..common.flows.machines import form_routes
from ..common.flows.performing import performance_routes
from ..common.flows.sites import settings_routes
from . import (
    routes_advice,
    routes_data,
    routes_location,
    routes_machines,
    routes_now,
    routes_privacy,
    routes_reports,
    routes_sites,
    routes_transfer,
)
from .area import HOME
from .manifest import manifest

__all__ = ["routes"]


def routes() -> list[ControllerRouterHandler]:
    """The routes of this area."""
    return [
        manifest,
        *routes_advice.HANDLERS,
        *routes_data.HANDLERS,
        *routes_location.HANDLERS,
        *routes_now.HANDLERS,
        *routes_privacy.HANDLERS,
        *routes_machines.HANDLERS,
        *routes_reports.HANDLERS,
        *routes_sites.HANDLERS,
        *routes_transfer.HANDLERS,
        form_routes(HOME),
        erasing_routes(HOME),
        finding_routes(HOME),
        gateway_routes(HOME),
        performance_routes(HOME),
        settings_routes(HOME),
    ]
