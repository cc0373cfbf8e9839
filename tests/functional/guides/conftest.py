"""What the guides need: a running platform with a household, as the demo would leave it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.running import Running, lineset_up
from tests.support.visitor import PASSWORD, Page, Visitor


@dataclass(frozen=True)
class Household:
    """A household in its browser, on the pages of its one site."""

    visitor: Visitor
    email: str
    base: str
    token: str

    @property
    def site(self) -> str:
        return self.base.rpartition("/")[2]

    def add_gateway(self, name: str, kind: str) -> Page:
        """Add a device of one's own; the page that shows its secret."""
        return self.visitor.send(self.visitor.get(f"{self.base}/gateways"), f"{self.base}/gateways", name=name, kind=kind)

    def add_machine(self, gateway: str, local_name: str, query: str = "") -> str:
        """Add a thermostat that the gateway calls `local_name`; its id."""
        form = self.visitor.get(f"{self.base}/machines/new{query}")
        values = {"name": f"Machine {local_name}", "type": "thermostat", "gateway": gateway, "local_name": local_name}
        landed = self.visitor.send(form, f"{self.base}/machines/new", **values)
        assert landed.status == 200, landed.text
        found = re.search(r"/machines/([0-9a-f-]{36})", landed.path) or re.search(r"/machines/([0-9a-f-]{36})", landed.html)
        assert found, landed.text
        return found[1]


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with lineset_up(tmp_path_factory.mktemp("guides") / "data") as found:
        yield found


@pytest.fixture(scope="package")
def household(running: Running) -> Iterator[Household]:
    """Somebody who signed up, with a site and a token for programs; `demo.json` tells of them as the demo's does."""
    with Visitor(running.url) as visitor:
        email = visitor.sign_up("Ines Lund")
        landed = visitor.send(visitor.get("/home/sites/new"), "/home/sites/new", name="14 Sugar Pine Rd", time_zone="America/Los_Angeles")
        base = re.search(r"/home/[0-9a-f-]{36}", landed.path)
        assert base, landed.text
        made = visitor.send(visitor.get("/account/security"), "/account/tokens", token_name="guide")
        token = re.search(r"\bls_\w{32}\b", made.html)
        assert token, made.text
        found = Household(visitor, email, base[0], token[0])
        shown = found.add_gateway("On the bench", "simple")
        gateway, secret = re.findall(r'<code class="secret">([^<]+)</code>', shown.html)
        machine = found.add_machine(gateway, "byhand")
        told = {
            "web": running.url,
            "households": [{"email": email, "password": PASSWORD, "token": found.token, "site": found.site}],
            "device": {"gateway": gateway, "token": secret, "equipment": machine},
        }
        (running.data / "demo.json").write_text(json.dumps(told))
        yield found
