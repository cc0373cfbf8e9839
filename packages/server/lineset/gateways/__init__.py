"""Gateways: enrolment, identity, and what happens to them.

The face of this domain; nobody imports past it.
"""

from lineset.gateways.callout import Callout
from lineset.gateways.codes import ClaimCode, enrolment_link
from lineset.gateways.connections import Connections, ConnectionView, connections
from lineset.gateways.enrolment import Enrolled, claim, enrol, release, renew
from lineset.gateways.erasing import shut_out
from lineset.gateways.flooding import FLOOD, Floods
from lineset.gateways.happenings import record_event, record_flood, record_status, record_violation
from lineset.gateways.identity import Allowed, ByCertificate, ByToken, Identities, Refused, Shown, live_gateways
from lineset.gateways.jobs import add_jobs, end_tokens
from lineset.gateways.queries import (
    EventView,
    Found,
    GatewayView,
    Link,
    State,
    TokenView,
    events,
    found_machines,
    get_gateway,
    links,
    list_gateways,
    list_unclaimed,
)
from lineset.gateways.service import (
    Kind,
    NewToken,
    attach_machine,
    create_gateway,
    create_token,
    mint_gateways,
    new_code,
    rename,
    revoke,
    revoke_token,
    transfer,
)
from lineset.gateways.telling import Told
from lineset.gateways.troubles import Trouble, troubles

__all__ = [
    "FLOOD",
    "Allowed",
    "ByCertificate",
    "ByToken",
    "Callout",
    "ClaimCode",
    "ConnectionView",
    "Connections",
    "Enrolled",
    "EventView",
    "Floods",
    "Found",
    "GatewayView",
    "Identities",
    "Kind",
    "Link",
    "NewToken",
    "Refused",
    "Shown",
    "State",
    "TokenView",
    "Told",
    "Trouble",
    "add_jobs",
    "attach_machine",
    "claim",
    "connections",
    "create_gateway",
    "create_token",
    "end_tokens",
    "enrol",
    "enrolment_link",
    "events",
    "found_machines",
    "get_gateway",
    "links",
    "list_gateways",
    "list_unclaimed",
    "live_gateways",
    "mint_gateways",
    "new_code",
    "record_event",
    "record_flood",
    "record_status",
    "record_violation",
    "release",
    "rename",
    "renew",
    "revoke",
    "revoke_token",
    "shut_out",
    "transfer",
    "troubles",
]
