"""A home with a machine that has readings, made through the pages, and what a worker and a pressed button do."""

import re
import time
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest
from lineset import telemetry
from lineset.kit.storage import storage
from lineset.platform import open_platform
from lineset.privacy import Context, Purpose, System, Tx
from lineset.telemetry.exports import ending, work
from sqlalchemy import text

from tests.functional.pages.installation import Installation
from tests.support.visitor import Page, Visitor

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
IMPORT = Context(System("import"), Purpose.OPERATE)
SITE = {"name": "Lake house", "time_zone": "America/Los_Angeles", "kind": "residential"}


@dataclass
class House:
    """A home with a machine that has readings of three days."""

    owner: Visitor
    base: str
    machine: str
    rows: int
    at: Installation

    def make_all(self) -> None:
        """What a worker does with all that was asked for."""

        async def run() -> None:
            async with open_platform(self.at.settings, "test", pool=2) as platform:
                place = storage(self.at.settings, "exports")
                async with platform.door.open(HOUSEKEEPING) as tx:
                    waiting = await _waiting(tx)
                for export in waiting:
                    await work.work(platform.door, place, export, turn_s=1e9)
                    await ending.clean_up(platform.door, place, export)

        self.at.run(run)


async def _waiting(tx: Tx) -> list[UUID]:
    return list((await tx.session.execute(text("SELECT id FROM exports WHERE state = 'waiting'"))).scalars())


def start(somebody: Visitor, looked: Page, data: str) -> Page:
    """Press the button that makes the file: the form's hidden fields as the page has them."""
    form = re.search(rf'<form method="post" action="{data}">.*?</form>', looked.html, re.S)
    assert form, looked.text
    values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    assert values.keys() == {"_csrf_token", "of", "from", "to", "detail", "format"}
    return Page(somebody.client.post(data, data=values))


@pytest.fixture
def house(installation: Installation, ines: Visitor) -> House:
    base = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE).path
    ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Heat pump", type="heat_pump_air_air")
    found = re.search(rf"{base}/machines/([0-9a-f-]{{36}})", ines.get(f"{base}/machines").html)
    assert found
    machine = UUID(found[1])
    now = float(int(time.time()))
    t = np.arange(now - 3 * 86_400, now - 60, 600)

    async def load(tx: Tx) -> None:
        await telemetry.load(tx, machine, t, {"room_temperature": 20 + np.sin(t / 9_000)}, now=now)

    installation.act(IMPORT, load)
    return House(ines, base, str(machine), len(t), installation)
