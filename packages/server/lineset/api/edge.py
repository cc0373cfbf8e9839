"""Where the API meets the platform: who asks, for which purpose, how often, and how refusals are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import HeaderParameter
from litestar.types import ControllerRouterHandler

from lineset.accounts import Authenticator, Principal
from lineset.api.problems import HANDLERS, NotSignedIn
from lineset.gateways import Connections, Identities
from lineset.kit.buckets import Buckets
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import parse_id
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System

PATH = "/api/v1"
MAX_BODY = 32_768
_PURPOSES = {"operate": Purpose.OPERATE, "service": Purpose.SERVICE}

Ask = Request[Any, Any, Any]


# Caller and Desk are no dataclasses: the framework would take those apart to check what it hands to a handler.
class Caller:
    """Who asks by a personal token, and the context in which the door is opened for them."""

    def __init__(self, who: Principal, context: Context) -> None:
        self.who = who
        self.context = context


@dataclass(frozen=True, slots=True)
class Limits:
    """How often each may ask: people by token, devices by gateway, and everybody by address without a good token."""

    people: Buckets
    devices: Buckets
    strangers: Buckets


class Desk:
    """What the API keeps in one process: who is known, and how often each asked."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.authenticator = Authenticator(platform.door)
        self.identities = Identities(platform.door)
        self.connections = Connections(platform.door, Context(System("enrolment"), Purpose.SECURITY))
        self.limits = Limits(people=Buckets(20, 200), devices=Buckets(20, 200), strangers=Buckets(1, 60))


async def desk(request: Ask) -> Desk:
    """The process's desk, set up at the first request: from then on it hears when a gateway's right ends."""
    state: State = request.app.state
    found = state.get("api_desk")
    if isinstance(found, Desk):
        return found
    platform: Platform = state.platform
    made = Desk(platform)
    state["api_desk"] = made

    async def revoked(message: Any) -> None:
        gateway = parse_id(message.subject.rpartition(".")[2])
        if gateway is not None:
            made.identities.forget(gateway)

    async def missed() -> None:
        made.identities.forget_all()

    await platform.bus.subscribe("wake.revoke.*", revoked)
    platform.bus.on_reconnect(missed)
    return made


def address_of(request: Ask) -> str:
    """The network address that asks."""
    return request.client.host if request.client is not None else ""


def bearer(request: Ask) -> str:
    """The token that came along, empty without one."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def named(request: Ask) -> UUID | None:
    """What the address is about, for the access log: a machine, gateway or site; None for lists. Raises NotFound."""
    for name, what in (("equipment_id", "machine"), ("gateway_id", "gateway"), ("site_id", "site")):
        if name in request.path_params:
            return id_of(str(request.path_params[name]), what)
    return None


async def caller(
    request: Ask,
    purpose: Annotated[
        str | None,
        HeaderParameter(
            name="Lineset-Purpose",
            description="`operate` to act as a member of a household, `service` to act for a company by a household's grant."
            " Without it: `service` for people who work at a company and belong to no household, else `operate`.",
        ),
    ] = None,
) -> Caller:
    """Who asks.

    Raises:
        NotSignedIn: no personal token, or none that holds.
        Invalid: the purpose.
        TooMany: too many requests.
    """
    at = await desk(request)
    who = await known(request, at)
    if purpose is not None and purpose.lower() not in _PURPOSES:
        raise Invalid("bad_purpose", "Lineset-Purpose is operate or service.", "Lineset-Purpose")
    if purpose is not None:
        chosen = _PURPOSES[purpose.lower()]
    else:
        chosen = Purpose.SERVICE if who.companies and not who.households else Purpose.OPERATE
    return Caller(who, who.acts(chosen, named(request)))


async def known(request: Ask, at: Desk) -> Principal:
    """The person whose token came along, counted against their limit.

    Raises:
        NotSignedIn, TooMany
    """
    if at.limits.strangers.left(address_of(request)) < 1.0:
        at.limits.strangers.take(address_of(request))
    who = await at.authenticator.bearer(bearer(request))
    if who is None:
        at.limits.strangers.take(address_of(request))
        raise NotSignedIn("not_signed_in", "Send a personal token: Authorization: Bearer ls_…. Make one on your account's page.")
    at.limits.people.take(who.person_id)
    return who


def id_of(text: str, what: str) -> UUID:
    """The id in a path. What can't be one names nothing. Raises NotFound."""
    found = parse_id(text)
    if found is None:
        raise NotFound(what)
    return found


def router(handlers: Sequence[ControllerRouterHandler]) -> Router:
    """The API's router over its handlers."""
    return Router(
        PATH,
        route_handlers=list(handlers),
        dependencies={"caller": Provide(caller), "desk": Provide(desk)},
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY,
    )
