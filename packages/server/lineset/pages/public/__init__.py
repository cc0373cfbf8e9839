"""Pages that need no sign-in, and the way in; one file a flow."""

from litestar.types import ControllerRouterHandler

from lineset.kit.settings import Settings

from . import (
    audit_key,
    choices,
    invitations,
    mailbox,
    models,
    news,
    opened,
    passwords,
    preferences,
    setting_up,
    signing_in,
    signing_up,
    site,
    texts,
    transfers,
    writing,
)


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """The routes of this area; the development mailbox only where mails have no other way out."""
    return [
        *site.ROUTES,
        *audit_key.ROUTES,
        *texts.ROUTES,
        *models.ROUTES,
        *writing.ROUTES,
        *news.ROUTES,
        *signing_in.ROUTES,
        *signing_up.ROUTES,
        *passwords.ROUTES,
        *invitations.ROUTES,
        *transfers.ROUTES,
        *setting_up.ROUTES,
        *preferences.ROUTES,
        *opened.ROUTES,
        *choices.ROUTES,
        *(mailbox.ROUTES if mailbox.open_here(settings) else ()),
    ]
