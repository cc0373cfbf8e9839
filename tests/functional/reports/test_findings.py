"""A fault over HTTP, the whole way: readings, diagnosis, the owner's page, a technician's steps, leads with a yes, and programs."""

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from lineset import diagnostics, telemetry
from lineset.diagnostics import jobs
from lineset.diagnostics.population import LOTS
from lineset.platform import open_platform
from lineset.privacy import Context, Purpose, System, Tx

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address

IMPORT = Context(System("import"), Purpose.OPERATE)
SITE = {"name": "Mill cottage", "time_zone": "America/Denver", "kind": "residential"}
DAYS = 9


class House:
    """A home whose heat pump starts every eight minutes and stops after four."""

    def __init__(self, installation: Installation, owner: Visitor) -> None:
        self.installation, self.owner = installation, owner
        self.base = owner.send(owner.get("/home/sites/new"), "/home/sites/new", **SITE).path
        self.site = self.base.rpartition("/")[2]
        form = f"{self.base}/machines/new"
        owner.send(owner.get(form), form, name="Heat pump", type="heat_pump_air_air")
        found = re.search(rf"{self.base}/machines/([0-9a-f-]{{36}})", owner.get(f"{self.base}/machines").html)
        assert found
        self.machine = found[1]
        self.page = f"{self.base}/machines/{self.machine}"

    def measure(self) -> None:
        now = float(int(time.time()))
        t = np.arange(now - DAYS * 86_400, now - 60, 60.0)
        on = np.mod(t, 480.0) < 240.0
        columns = {
            "operating_mode": np.where(on, 1.0, 0.0),
            "electric_power": np.where(on, 2_400.0, 40.0),
            "room_temperature": 20.9 + 0.3 * np.sin(t / 76.4),
            "heating_setpoint": np.full(len(t), 21.0),
            "outdoor_temperature": 2.0 + 5.0 * np.sin(2 * np.pi * t / 86_400),
        }

        async def load(tx: Tx) -> None:
            await telemetry.load(tx, UUID(self.machine), t, columns, now=now)

        self.installation.act(IMPORT, load)

    def diagnose(self) -> None:
        """What the hourly and nightly jobs do."""

        async def work() -> None:
            async with open_platform(self.installation.settings, "test", pool=2) as platform:
                await jobs.follow_lots(platform.door, range(LOTS), datetime.now(UTC))
                await jobs.foretell_lots(platform.door, range(LOTS), datetime.now(UTC))
                await diagnostics.renew_advice(platform.door)

        self.installation.run(work)


@pytest.fixture
def house(installation: Installation, ines: Visitor) -> House:
    home = House(installation, ines)
    home.measure()
    home.diagnose()
    return home


def commanded(house: House, *arguments: str) -> list[dict[str, Any]]:
    """What a command of the terminal prints, one object a line."""
    settings = house.installation.settings
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("LINESET_")} | {
        "LINESET_DATA": str(settings.data),
        "LINESET_DATABASE_URL": house.installation.database,
        "LINESET_NATS_URL": settings.nats_url,
    }
    done = subprocess.run([sys.executable, "-m", "lineset", *arguments], env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def program(house: House) -> httpx.Client:
    """A program with a token of the owner."""
    page = house.owner.send(house.owner.get("/account/security"), "/account/tokens", token_name="Script")
    token = re.search(r"ls_[A-Za-z0-9_-]{20,}", page.text)
    assert token, page.text
    return httpx.Client(base_url=f"{house.installation.url}/api/v1", headers={"authorization": f"Bearer {token[0]}"})


def test_DIA_01_the_machines_page_says_how_it_ran_each_figure_with_what_it_was_made_of(house: House) -> None:
    text = house.owner.get(house.page).text
    assert "The last 30 days" in text
    assert re.search(r"Starts\s*[\d,]+", text)
    for words in ("Running", "Electricity", "Time within 1 K of what was asked for", "Mean run"):
        assert words in text, words
    for absent in ("Superheat", "COP"):
        assert absent in text, "absent figures are named"
    page = house.owner.get(f"{house.page}/performance?by=day")
    assert page.status == 200
    days = re.findall(r'<tr><th scope="row">([^<]+)</th>', page.html)
    assert DAYS <= len(days) <= DAYS + 2, days
    for by, spans in (("month", 3), ("season", 2), ("year", 2), ("fortnight", 3)):
        shown = house.owner.get(f"{house.page}/performance?by={by}")
        assert shown.status == 200
        assert 1 <= len(re.findall(r'<tr><th scope="row">', shown.html)) <= spans, by
    assert "not measured" in text
    assert "The next 24 hours" in text
    assert "taking yesterday's load" in text or "Past days were off by" in text


def test_DIA_02_a_fault_is_on_the_owners_page_with_evidence_cost_and_what_to_do(house: House) -> None:
    text = house.owner.get(house.page).text
    assert "short" in text.lower()
    finding = re.search(r'id="finding-([0-9a-f-]{36})"', house.owner.get(house.page).html)
    assert finding
    assert re.search(r"a day", text)
    front = house.owner.get(house.base)
    assert f"{house.base}/machines/{house.machine}" in front.html
    after = house.owner.send(house.owner.get(house.page), f"{house.page}/findings/{finding[1]}", do="acknowledge", note="Seen it")
    assert after.status == 200
    assert "Seen it" in after.text
    with Visitor(house.installation.url) as stranger:
        stranger.sign_up("Ola Berg", household="Berg")
        refused = stranger.post(f"{house.page}/findings/{finding[1]}", do="acknowledge", _csrf_token=stranger.csrf)
        assert refused.status_code == 404


def test_DIA_05_advice_is_ranked_dismissed_and_shown_again(house: House) -> None:
    page = house.owner.get(f"{house.base}/advice")
    assert page.status == 200
    first = re.search(r'name="advice" value="([0-9a-f-]{36})"', page.html)
    assert first
    gone = house.owner.send(page, f"{house.base}/advice", advice=first[1])
    assert f'id="advice-{first[1]}"' not in gone.html
    assert "1 dismissed" in gone.text
    back = house.owner.send(gone, f"{house.base}/advice", advice=first[1], back="1")
    assert f'id="advice-{first[1]}"' in back.html


def test_DIA_02_the_terminal_diagnoses_anew_backtests_a_detector_and_writes_a_report(house: House, tmp_path: Path) -> None:
    (stored,) = [line for line in commanded(house, "findings", "--site", house.site, "--json") if line["fault"] == "short_cycling"]
    assert stored["equipment"] == house.machine
    again = commanded(house, "diagnose", "--site", house.site, "--json")
    assert [line["fault"] for line in again].count("short_cycling") == 1, "history diagnosed anew comes to the same, and stores it once"
    (compared,) = [line for line in commanded(house, "backtest", "short_cycling") if line["equipment"] == house.machine]
    assert compared["change"] == "same"
    paper = tmp_path / "month.pdf"
    month = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m")
    commanded(house, "report", "--site", house.site, "--month", month, "--pdf", str(paper))
    assert paper.read_bytes().startswith(b"%PDF-1.7")


def test_DIA_02_programs_list_findings_and_take_steps(house: House) -> None:
    with program(house) as api:
        (finding,) = [f for f in api.get("/findings", params={"site": house.site}).json() if f["fault"] == "short_cycling"]
        assert 0 < finding["confidence"] <= 1
        assert finding["evidence"]["run_s"] == pytest.approx(240, abs=70)
        done = api.post(f"/findings/{finding['id']}/steps", json={"do": "false_alarm", "note": "It is a test rig"})
        assert done.status_code == 201, done.text
        assert api.get("/findings", params={"site": house.site}).json() == [
            f for f in api.get("/findings", params={"site": house.site, "show": "all"}).json() if f["state"] != "false_alarm"
        ]
        steps: list[dict[str, Any]] = api.get(f"/findings/{finding['id']}").json()["steps"]
        assert [step["state"] for step in steps] == ["open", "false_alarm"]
        bad = api.post(f"/findings/{finding['id']}/steps", json={"do": "confirm", "fault": "gremlins"})
        assert bad.status_code in {400, 409, 422}, bad.text
        ran = api.get(f"/equipment/{house.machine}/performance", params={"span": "day"}).json()
        assert {"starts", "electric"} <= set(ran[0]["figures"])
        house.diagnose()
        assert not [f for f in api.get("/findings", params={"site": house.site}).json() if f["fault"] == "short_cycling"], "it stays away"


def test_DIA_02_the_operator_sees_how_diagnosis_is_and_nobodys_findings(house: House, operator: Visitor, visitor: Visitor) -> None:
    finding = re.search(r'id="finding-([0-9a-f-]{36})"', house.owner.get(house.page).html)
    assert finding
    house.owner.send(
        house.owner.get(house.page), f"{house.page}/findings/{finding[1]}", do="confirm", verdict="none", note="rig in the attic"
    )
    page = operator.get("/console/diagnosis")
    assert page.status == 200
    assert re.search(r"Looked at in the last 3 hours\s*[1-9]", page.text), page.text
    row = re.search(r"Short cycling\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", page.text)
    assert row, page.text
    assert int(row[1]) >= 1
    assert int(row[6]) >= 1, "a technician said that nothing was wrong"
    for secret in (house.site, house.machine, finding[1], "Mill cottage", "Lund", "rig in the attic"):
        assert secret not in page.html, secret
    assert house.owner.get("/console/diagnosis").status == 404
    email = new_address("ana")
    operator.send(operator.get("/console/staff"), "/console/staff", email=email, role="analyst")
    visitor.send(visitor.get(visitor.mail(email, "/invitation")), "/invitation/new", name="Ana Field", password=PASSWORD)
    refused = visitor.get("/console/diagnosis")
    assert "not for your role" in refused.text
    assert "Short cycling" not in refused.text
