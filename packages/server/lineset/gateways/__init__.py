"""Gateways: enrolment, identity, and what happens to them.

The face of this domain; nobody imports past it.
"""

from lineset.gateways.codes import ClaimCode, enrolment_link
from lineset.gateways.identity import Allowed, ByCertificate, ByToken, Identities, Refused, Shown, live_gateways
from lineset.gateways.service import (
    Kind,
    NewToken,
    create_gateway,
    create_token,
    mint_gateways,
    new_code,
    rename,
    revoke,
    revoke_token,
    transfer,
)

__all__ = [
    "Allowed",
    "ByCertificate",
    "ByToken",
    "ClaimCode",
    "Identities",
    "Kind",
    "NewToken",
    "Refused",
    "Shown",
    "create_gateway",
    "create_token",
    "enrolment_link",
    "live_gateways",
    "mint_gateways",
    "new_code",
    "rename",
    "revoke",
    "revoke_token",
    "transfer",
]
