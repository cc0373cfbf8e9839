"""Coming and going: the browser that asks, and the response that signs it in or out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any

from litestar import Response
from litestar.response import Redirect

from lineset import accounts
from lineset.accounts import Browser, SignedIn
from lineset.kit.errors import NotFound
from lineset.privacy import Purpose

from .edge import CSRF, SESSION, Ask, drop_cookie, edge, principal, safe_next, set_cookie, start_page

EVEN_S = 0.5
"""How long an answer takes that must not tell by its time whether an address has an account."""


def browser_of(request: Ask) -> Browser:
    """Where the request comes from.

    An installation with a public address stands behind a proxy on its own machine. What that proxy itself has seen is the last entry of
    X-Forwarded-For; without it all visitors would share one network, and wait for each other's failed tries.
    """
    client, forwarded = request.client.host if request.client else "", request.headers.get("x-forwarded-for", "")
    address = address_of(client, forwarded, bool(edge(request).settings.public_url))
    return Browser(address, request.headers.get("user-agent", ""))


def address_of(client: str, forwarded: str, proxied: bool) -> str:
    """The address behind a connection: what the proxy saw, where one is expected and the connection is this machine's own."""
    seen = forwarded.rpartition(",")[2].strip()
    return seen if seen and proxied and _is_loopback(client) else client


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def go(path: str) -> Response[Any]:
    """On to another page, after something was done."""
    return Redirect(path, status_code=303)


async def enter(request: Ask, signed_in: SignedIn, target: str = "") -> Response[Any]:
    """Sign the browser in with a fresh session and go on. A session that it had before ends: none outlives a sign-in."""
    here = edge(request)
    await _end_session(request)
    who = await here.authenticator.session(signed_in.token)
    response = go(safe_next(target, start_page(who) if who else "/"))
    set_cookie(request, response, SESSION, signed_in.token)
    drop_cookie(response, CSRF)
    return response


async def leave(request: Ask, target: str = "/") -> Response[Any]:
    """Sign the browser out, and have it forget what it keeps for reading offline."""
    await _end_session(request)
    response = go(target)
    drop_cookie(response, SESSION)
    drop_cookie(response, CSRF)
    response.headers["clear-site-data"] = '"storage"'
    return response


async def _end_session(request: Ask) -> None:
    who = await principal(request)
    if who is None or who.session_id is None:
        return
    here = edge(request)
    with suppress(NotFound):  # ended elsewhere in the meantime, which is what was wanted
        async with here.door.open(who.acts(Purpose.SECURITY)) as tx:
            await accounts.sign_out(tx, who.session_id)
    here.authenticator.forget(who.person_id)


@asynccontextmanager
async def evenly() -> AsyncIterator[None]:
    """The block takes `EVEN_S` seconds, whatever it found (longer only under load)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + EVEN_S
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, until - loop.time()))
