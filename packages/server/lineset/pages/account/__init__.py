"""A person's own account: profile, security, household, and who has access; one file a page."""

from litestar.types import ControllerRouterHandler

from . import access, contacts, data, email, household, keeping, profile, security, texts


def routes() -> list[ControllerRouterHandler]:
    """The routes of this area."""
    return [
        *profile.ROUTES,
        *email.ROUTES,
        *contacts.ROUTES,
        *security.ROUTES,
        *household.ROUTES,
        *keeping.ROUTES,
        *access.ROUTES,
        *data.ROUTES,
        *texts.ROUTES,
    ]
