"""Reports over HTTP: a home's month as page and PDF, a mail of it for who wants it, and a company's fleet."""

import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from lineset import messaging, reports, telemetry
from lineset.platform import open_platform
from lineset.privacy import Context, Person, Purpose, System, Tx, give
from lineset.reports.jobs import MAIL, WANTED
from lineset.worker import voice_of

from tests.functional.pages.installation import Installation
from tests.support.visitor import Page, Visitor

IMPORT = Context(System("import"), Purpose.OPERATE)
ZONE = "America/Phoenix"
"""Its days all have 24 hours."""
SITE = {"name": "Lake house", "time_zone": ZONE, "kind": "residential"}
DAYS = 9


@dataclass
class House:
    """A home whose heat pump draws 600 W while it heats, since noon `DAYS` days ago."""

    owner: Visitor
    base: str
    machine: str


@pytest.fixture
def house(installation: Installation, ines: Visitor) -> House:
    base = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE).path
    ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Heat pump", type="heat_pump_air_air")
    found = re.search(rf"{base}/machines/([0-9a-f-]{{36}})", ines.get(f"{base}/machines").html)
    assert found
    machine = UUID(found[1])
    now = float(int(time.time()))
    noon = datetime.combine(today() - timedelta(days=DAYS), dt_time(12), ZoneInfo(ZONE)).timestamp()
    t = np.arange(noon, now - 60, 600)
    columns = {
        "electric_power": np.full(len(t), 600.0),
        "room_temperature": 20.0 + np.sin(t / 9_000),
        "heating_setpoint": np.full(len(t), 21.0),
        "outdoor_temperature": 5.0 + 3.0 * np.sin(t / 14_000),
        "operating_mode": np.ones(len(t)),
    }

    async def load(tx: Tx) -> None:
        await telemetry.load(tx, machine, t, columns, now=now)

    installation.act(IMPORT, load)
    return House(ines, base, str(machine))


def today() -> date:
    """By the home's clock."""
    return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()


def months() -> Counter[str]:
    """The months of these readings, and how many whole days of each they cover."""
    return Counter(f"{today() - timedelta(days=n):%Y-%m}" for n in range(1, DAYS))


def test_REP_01_a_home_reads_its_month_and_takes_it_as_pdf(house: House, installation: Installation) -> None:
    assert f'href="{house.base}/reports"' in house.owner.get(f"{house.base}/machines").html
    for month, days in months().items():
        page = house.owner.get(f"{house.base}/reports?month={month}")
        assert page.status == 200
        for words in ("How you used it", "How it ran", "What it needs", "Heat pump", "Nothing was found in this month's readings"):
            assert words in page.text
        whole_days = re.search(r"machines used (\d+)\s?kWh", page.text)
        assert whole_days
        assert int(whole_days[1]) == pytest.approx(days * 14.4, abs=0.6), "14.4 kWh each whole day"
        assert page.html.count("<svg") >= 6  # three plots, each wide and narrow
        paper = house.owner.client.get(f"{house.base}/reports/{month}.pdf")
        assert paper.status_code == 200
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.headers["content-disposition"] == f'attachment; filename="lineset-{month}.pdf"'
        assert paper.content.startswith(b"%PDF-1.7")
        assert len(paper.content) > 15_000
    assert house.owner.get(f"{house.base}/reports/2026-13.pdf").status == 404
    with Visitor(installation.url) as stranger:
        stranger.sign_up("Ola Berg", household="Berg")
        assert stranger.get(f"{house.base}/reports").status == 404
        assert stranger.get(f"{house.base}/reports/{next(iter(months()))}.pdf").status == 404


def test_REP_02_a_fleet_of_few_homes_is_not_told_of(company: tuple[str, Visitor], house: House) -> None:
    name, manager = company
    assert 'href="/portal/report"' in manager.get("/portal/team").html
    page = manager.get("/portal/report")
    assert page.status == 200
    assert name in page.text
    assert "Fewer than 11 homes share their readings" in page.text
    assert "Median" not in page.text
    assert manager.client.get("/portal/report?paper=1").content.startswith(b"%PDF")
    assert house.owner.get("/portal/report").status == 404
    assert manager.get(f"/portal/equipment/{house.machine}/report").status == 404, "the home shares nothing with this company"


def test_REP_01_a_manager_switches_the_fleets_mail_on_and_off_on_its_page(company: tuple[str, Visitor], house: House) -> None:
    _, manager = company
    page = manager.get("/portal/report")
    assert "Monthly fleet report by mail" in page.text
    assert "While too few homes share their readings, no mail goes out." in page.text

    def given(page: Page) -> list[str]:
        return re.findall(r'value="(?:yes|no)" aria-pressed="(true|false)"', page.html)

    assert given(page) == ["false", "true"]
    page = manager.send(page, "/portal/report/mail", answer="yes")
    assert given(page) == ["true", "false"]
    assert "Monthly fleet report by mail" in manager.get("/account/data/choices").text
    assert given(manager.send(page, "/portal/report/mail", answer="no")) == ["false", "true"]
    assert manager.post("/portal/report/mail", answer="maybe", _csrf_token=manager.csrf).status_code == 422
    assert "Monthly fleet report by mail" not in house.owner.get("/account/data/choices").text, "who manages no company is not asked"
    assert house.owner.post("/portal/report/mail", answer="yes", _csrf_token=house.owner.csrf).status_code == 404


def test_REP_01_a_month_is_mailed_once_to_who_wants_it_and_to_nobody_else(house: House, installation: Installation) -> None:
    month = date.fromisoformat(f"{min(months())}-01")

    async def mail() -> int:
        async with open_platform(installation.settings, "test", pool=2) as platform:
            return await reports.mail_month(platform.door, voice_of, month)

    assert installation.run(mail) == 0, "nobody said yes"
    person = installation.person(house.owner.session)

    async def agree(tx: Tx) -> None:
        await give(tx, person, WANTED[0], WANTED[1], channel="page", language="en", steps=("Your data", "Monthly report by mail", "Yes"))

    installation.act(Context(Person(person), Purpose.RIGHTS), agree)
    assert [installation.run(mail), installation.run(mail)] == [1, 0]
    mails = installation.act(MAIL, lambda tx: messaging.list_mails(tx, installation.url))
    mine = [m for m in mails if m.about == person and m.kind.startswith("report_")]
    assert len(mine) == 1
    assert re.search(r"Lake house: Your home's machines used \d+\s?kWh\.", mine[0].body)
    link = re.search(rf"{installation.url}({house.base}/reports\?month=[\d-]+)", mine[0].body)
    assert link
    assert "How you used it" in house.owner.get(link[1]).text
    assert "Monthly report by mail" in house.owner.get(f"{house.base}/privacy/choices").text
