"""The contractor's portal: which site needs me first and why, one page a site, one a machine."""

from litestar.types import ControllerRouterHandler

from ..common.flows.erasing import erasing_routes
from ..common.flows.findings import finding_routes
from ..common.flows.gateways import gateway_routes
from ..common.flows.machines import form_routes
from ..common.flows.performing import performance_routes
from ..common.flows.sites import settings_routes
from . import routes_data, routes_fleet, routes_leads, routes_people, routes_reports, routes_sites, routes_team
from .area import PORTAL

__all__ = ["routes"]


def routes() -> list[ControllerRouterHandler]:
    """The routes of this area."""
    return [
        *routes_data.HANDLERS,
        *routes_fleet.HANDLERS,
        *routes_leads.HANDLERS,
        *routes_sites.HANDLERS,
        *routes_team.HANDLERS,
        *routes_people.HANDLERS,
        *routes_reports.HANDLERS,
        form_routes(PORTAL),
        erasing_routes(PORTAL),
        finding_routes(PORTAL),
        gateway_routes(PORTAL),
        performance_routes(PORTAL),
        settings_routes(PORTAL),
    ]
