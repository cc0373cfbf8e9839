"""People, households, companies: who is who, who is signed in, and who let whom do what."""

from lineset.accounts.agents import Browser, describe_agent
from lineset.accounts.checks import CONTACT_KINDS
from lineset.accounts.entry import SignedIn, ask_reset, reset_password, sign_in, sign_up, verify
from lineset.accounts.model import COMPANY_ROLES, HOUSEHOLD_ROLES, SCOPES, STAFF_ROLES
from lineset.accounts.people import (
    Contact,
    NewContact,
    Profile,
    add_contact,
    change_contact,
    change_profile,
    get_profile,
    remove_contact,
)
from lineset.accounts.principals import (
    Authenticator,
    Company,
    Household,
    Principal,
    SessionView,
    TokenView,
    list_sessions,
    list_tokens,
    make_token,
    revoke_token,
    sign_out,
    sign_out_everywhere,
)
from lineset.accounts.words import LANGUAGES, UNITS

__all__ = [
    "COMPANY_ROLES",
    "CONTACT_KINDS",
    "HOUSEHOLD_ROLES",
    "LANGUAGES",
    "SCOPES",
    "STAFF_ROLES",
    "UNITS",
    "Authenticator",
    "Browser",
    "Company",
    "Contact",
    "Household",
    "NewContact",
    "Principal",
    "Profile",
    "SessionView",
    "SignedIn",
    "TokenView",
    "add_contact",
    "ask_reset",
    "change_contact",
    "change_profile",
    "describe_agent",
    "get_profile",
    "list_sessions",
    "list_tokens",
    "make_token",
    "remove_contact",
    "reset_password",
    "revoke_token",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "sign_up",
    "verify",
]
