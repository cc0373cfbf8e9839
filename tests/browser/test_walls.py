"""One household's pages asked for by another, and by a company without its leave: not there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.browser.conftest import World
from tests.support.visitor import Visitor

ROUTES = (
    "/home/{site}",
    "/home/{site}/machines",
    "/home/{site}/machines/{machine}",
    "/home/{site}/machines/{machine}/orders",
    "/home/{site}/machines/{machine}/edit",
    "/home/{site}/gateways",
    "/home/{site}/gateways/{gateway}",
    "/home/{site}/settings",
    "/portal/sites/{site}",
    "/portal/sites/{site}/gateways",
    "/portal/sites/{site}/gateways/{gateway}",
    "/portal/sites/{site}/settings",
    "/portal/sites/{site}/machines/new",
    "/portal/equipment/{machine}",
    "/portal/equipment/{machine}/orders",
    "/charts/{machine}?points=room_temperature&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "/charts/{machine}/csv?points=room_temperature",
    "/charts/{machine}/table",
    "/home/{site}/machines/{machine}/chart",
    "/portal/equipment/{machine}/chart",
    "/live?equipment={machine}",
    "/home/{site}/data",
    "/home/{site}/data/list",
    "/home/{site}/data/now?of=machine:{machine}",
    "/portal/data?of=site:{site}&look=1",
    "/portal/data?of=machine:{machine}",
    "/portal/data/now?of=machine:{machine}",
)
POSTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/home/{site}/setpoint", {"equipment": "{machine}", "setting": "heating_setpoint", "value": "70"}),
    ("/home/{site}/machines/{machine}/commands", {"command": "set_setpoint", "setting": "heating_setpoint", "value": "70"}),
    ("/portal/equipment/{machine}/commands", {"command": "set_setpoint", "setting": "heating_setpoint", "value": "70"}),
    ("/home/{site}/gateways/{gateway}/code", {}),
    ("/home/{site}/gateways/{gateway}/token", {}),
    ("/home/{site}/gateways/{gateway}/release", {}),
    ("/home/{site}/machines/{machine}/retire", {}),
    ("/home/{site}/settings", {"name": "mine", "time_zone": "UTC"}),
    ("/home/{site}/data", {"of": "machine:{machine}"}),
    ("/portal/data", {"of": "machine:{machine}"}),
)


@contextmanager
def browser(world: World, email: str) -> Iterator[httpx.Client]:
    """A signed-in browser without scripts."""
    with Visitor(world.url) as visitor:  # a place of its own on the network, so that others who sign in don't throttle it
        _sign_in(visitor.client, world, email)
        yield visitor.client


def _sign_in(client: httpx.Client, world: World, email: str) -> None:
    form = client.get("/sign-in").text
    token = re.search(r'name="_csrf_token" value="([^"]+)"', form)
    assert token
    answer = client.post("/sign-in", data={"email": email, "password": world.homes.password, "_csrf_token": token[1], "next": ""})
    assert answer.status_code == 200
    assert "/sign-in" not in str(answer.url)


def filled(text: str, world: World) -> str:
    homes = world.homes
    return text.format(site=homes.sites[0], machine=homes.machines["hp1"], gateway=homes.gateway)


@pytest.mark.parametrize("who", ["stranger", "other_manager"])
def test_SEC_04_pages_of_another_household_are_not_there(world: World, who: str) -> None:
    with browser(world, getattr(world.homes, who)) as client:
        for route in ROUTES:
            answer = client.get(filled(route, world))
            assert answer.status_code == 404, route
            assert "Sugar Pine" not in answer.text
        trends = client.get("/portal/trends", params={"equipment": filled("{machine}", world)})
        assert trends.status_code == 404 or trends.json() == {}


@pytest.mark.parametrize("who", ["stranger", "other_manager"])
def test_SEC_04_nothing_is_done_to_another_household(world: World, who: str) -> None:
    with browser(world, getattr(world.homes, who)) as client:
        token = client.cookies.get("ls_csrf") or ""
        for route, fields in POSTS:
            data = {name: filled(value, world) for name, value in fields.items()}
            answer = client.post(filled(route, world), data=data | {"_csrf_token": token})
            assert answer.status_code == 404, route


def test_every_page_asks_for_sign_in(world: World) -> None:
    with httpx.Client(base_url=world.url) as client:
        for route in (*ROUTES, "/portal", "/portal/team", "/home", "/account", "/console"):
            answer = client.get(filled(route, world))
            assert answer.status_code == 303, route
            assert answer.headers["location"].startswith("/sign-in")


def test_pages_carry_their_policy_and_a_form_without_its_token_is_refused(world: World) -> None:
    with browser(world, world.homes.owner) as client:
        answer = client.get(f"/home/{world.homes.sites[0]}")
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "style=" not in answer.text
        nonce = re.search(r"nonce-([\w-]+)", policy)
        assert nonce
        assert f'nonce="{nonce[1]}"' in answer.text
        refused = client.post(f"/home/{world.homes.sites[0]}/setpoint", data={"value": "70"})
        assert refused.status_code == 403
