"""The operator's console: whether everything runs, companies, and gateways to hand out; one file a page."""

from litestar.types import ControllerRouterHandler

from . import companies, diagnosis, evidence, holds, homes, log, minting, news, overview, recipients, staff, suspensions, texts, troubles


def routes() -> list[ControllerRouterHandler]:
    """The routes of this area."""
    return [
        *overview.ROUTES,
        *companies.ROUTES,
        *minting.ROUTES,
        *troubles.ROUTES,
        *diagnosis.ROUTES,
        *staff.ROUTES,
        *homes.ROUTES,
        *suspensions.ROUTES,
        *log.ROUTES,
        *evidence.ROUTES,
        *holds.ROUTES,
        *recipients.ROUTES,
        *texts.ROUTES,
        *news.ROUTES,
    ]
