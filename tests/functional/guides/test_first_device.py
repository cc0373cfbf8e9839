"""The guide for a first device, followed to the letter on a platform that `lineset up` started."""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.functional.guides.conftest import Household
from tests.support.guide import Shell, blocks, follow
from tests.support.running import Running

pytestmark = pytest.mark.timeout(400)
GUIDE = "first-device.md"


def until(found: Callable[[], Any], what: str) -> Any:
    """The first true value of `found()`."""
    end = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return value


def test_TEL_01_the_guide_for_a_first_device_works_as_written(running: Running, household: Household, tmp_path: Path) -> None:
    made: dict[str, str] = {}
    api = httpx.Client(base_url=f"{running.url}/api/v1", headers={"authorization": f"Bearer {household.token}"}, timeout=30)

    def latest(machine: str, point: str) -> float | None:
        value = api.get(f"/equipment/{machine}/latest").json()["values"].get(point, {}).get("value")
        return None if value is None else float(value)

    def by_hand(heading: str) -> Mapping[str, str]:
        shown = household.add_gateway(heading, "agent")
        code = re.search(r'class="big-code">([^<]+)<', shown.html)
        gateway = re.search(r"/gateways/([0-9a-f-]{36})", shown.html)
        assert code, shown.text
        assert gateway, shown.text
        made[heading] = gateway[1]
        if heading == "A gateway with a certificate":
            made["hp1"] = household.add_machine(gateway[1], "hp1")
        return {"code": code[1]}

    def agent_is_seen() -> None:
        gateway = made["The same with the agent"]
        there = f"{household.base}/gateways/{gateway}"
        until(lambda: "Found by the gateway" in household.visitor.get(there).text, "the gateway's page shows what it found")
        machine = household.add_machine(gateway, "hall")
        until(lambda: latest(machine, "room_temperature") == 20.4, "readings of the agent arrive")
        order = {"name": "set_setpoint", "args": {"setting": "heating_setpoint", "value": 21.5}}
        command = api.post(f"/equipment/{machine}/commands", json=order).json()
        until(lambda: api.get(f"/commands/{command['id']}").json()["state"] == "succeeded", "the set point is read back")
        assert latest(machine, "heating_setpoint") == 21.5

    with Shell(tmp_path, running.env) as shell, api:
        count = follow(GUIDE, shell, by_hand, {"lineset-agent status": agent_is_seen})
        until(lambda: latest(made["hp1"], "room_temperature") == 19.5, "the reading sent with the certificate arrives")
    assert count == len([b for b in blocks(GUIDE) if b.kind == "sh"]) > 12
    bench = household.visitor.get(f"{household.base}/gateways").html
    gateway = re.search(r'/gateways/([0-9a-f-]{36})">On the bench', bench)
    assert gateway
    refused = household.visitor.get(f"{household.base}/gateways/{gateway[1]}").text
    assert "206" in refused or "room temperature" in refused.lower()
