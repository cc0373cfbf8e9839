"""Downloading and choosing how long readings are kept, by the pages alone."""

import io
import re
import zipfile
from uuid import UUID

from lineset.telemetry import exports

from tests.functional.exports.house import House, start
from tests.functional.pages.conftest import household_of
from tests.functional.pages.test_household import join
from tests.support.visitor import Visitor


def test_TEL_03_a_machines_readings_are_downloaded_from_its_page(house: House) -> None:
    ines, data = house.owner, f"{house.base}/data"
    link = f"{data}?of=machine:{house.machine}"
    assert link in ines.get(f"{house.base}/machines/{house.machine}").html
    page = ines.get(link)
    assert page.form(data).values["of"] == f"machine:{house.machine}"
    looked = ines.get(f"{link}&look=1")
    assert "rows," in looked.text
    assert "from 1 machine" in looked.text
    now = re.search(rf'href="({data}/now[^"]*)"', looked.html)
    assert now
    got = ines.client.get(now[1].replace("&amp;", "&"))
    assert got.headers["content-type"].startswith("text/csv")
    assert len(got.text.splitlines()) == house.rows + 1
    bad = ines.get(f"{link}&look=1&from=2026-13-45")
    assert bad.status == 422
    assert "Give the day as year-month-day" in bad.text
    assert ines.get(f"{data}?of=machine:{UUID(int=1)}&look=1").status == 404
    assert ines.get(f"{data}/now?of=all:").status == 422


def test_TEL_03_a_whole_home_is_made_watched_and_taken(house: House) -> None:
    ines, data = house.owner, f"{house.base}/data"
    looked = ines.get(f"{data}?look=1")
    assert "Make the file" in looked.text
    begun = start(ines, looked, data)
    assert "waits for its turn" in begun.text
    assert f'hx-get="{data}/list"' in begun.html, "the list asks for itself while something is made"
    house.make_all()
    part = ines.get(f"{data}/list")
    assert "ready, " in part.text
    assert "hx-get" not in part.html
    file = re.search(rf'href="({data}/[0-9a-f-]{{36}}/file)"', part.html)
    assert file
    got = ines.client.get(file[1], headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in got.headers
    assert len(got.content) == int(got.headers["content-length"])
    piece = ines.client.get(file[1], headers={"accept-encoding": "gzip", "range": "bytes=100-"})
    assert (piece.status_code, piece.content) == (206, got.content[100:])
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        assert len(archive.read("0001_heat_pump_air_air.csv").splitlines()) == house.rows + 1
    left = ines.send(ines.get(data), file[1].replace("/file", "/delete"))
    assert "None yet" in left.text
    assert ines.get(file[1]).status == 404


def test_a_download_is_cancelled_and_a_fourth_one_waits(house: House) -> None:
    ines, data = house.owner, f"{house.base}/data"
    for _ in range(exports.MOST_RUNNING):
        start(ines, ines.get(f"{data}?look=1"), data)
    fourth = start(ines, ines.get(f"{data}?look=1"), data)
    assert fourth.status == 429
    assert "3 downloads are being made already" in fourth.text
    cancel = re.search(rf'action="({data}/[0-9a-f-]{{36}}/cancel)"', fourth.html)
    assert cancel
    assert "cancelled" in ines.send(fourth, cancel[1]).text
    assert start(ines, ines.get(f"{data}?look=1"), data).status == 200


def test_SEC_04_a_contractor_downloads_what_is_shared_and_no_more(house: House, company: tuple[str, Visitor]) -> None:
    name, manager = company
    ines = house.owner
    site = house.base.rpartition("/")[2]
    assert manager.get(f"/portal/data?of=site:{site}&look=1").status == 404
    access = ines.get("/account/access").path
    found = ines.get(f"{access}?find={name}")
    grant = re.search(rf'action="({access}/[0-9a-f-]{{36}})"', found.html)
    assert grant
    given = ines.send(found, grant[1], view="yes")
    assert f"/portal/data?of=machine:{house.machine}" in manager.get(f"/portal/equipment/{house.machine}").html
    assert f"/portal/data?of=site:{site}" in manager.get(f"/portal/sites/{site}").html
    assert 'href="/portal/data"' in manager.get("/portal").html
    start(manager, manager.get("/portal/data?of=all:&look=1"), "/portal/data")
    house.make_all()
    listed = manager.get("/portal/data")
    file = re.search(r'href="(/portal/data/[0-9a-f-]{36}/file)"', listed.html)
    assert file
    assert manager.get(file[1]).status == 200
    assert ines.get(file[1].replace("/portal/data", f"{house.base}/data")).status == 404
    ines.send(given, f"{grant[1]}/take-back")
    assert manager.get(file[1]).status == 404


def test_RET_01_an_owner_shortens_the_time_of_keeping_after_a_warning(house: House, visitor: Visitor) -> None:
    ines = house.owner
    household = household_of(ines)
    page = f"{household}/keeping"
    assert page in ines.get(household).html
    shown = ines.get(page)
    assert "kept for 800 days" in shown.text
    assert shown.form(page).values["days"] == "800"
    asked = ines.send(shown, page, days="92")
    assert "can't be undone" in asked.text
    assert "within 31 days" in asked.text
    assert "kept for 800 days" in ines.get(page).text, "nothing is done before the second yes"
    done = ines.send(asked, page, sure="yes")
    assert "kept for 92 days" in done.text
    more = ines.send(ines.get(page), page, days="400")
    assert "kept for 400 days" in more.text, "more time needs no warning"
    bad = ines.send(ines.get(page), page, days="17")
    assert bad.status == 422
    join(ines, visitor, "Omar Diaz")
    theirs = visitor.get(page)
    assert "not yours to do" in theirs.text
    assert visitor.post(page, days="31", sure="yes", _csrf_token=visitor.csrf).status_code == 403
    assert "kept for 400 days" in ines.get(page).text


def test_downloads_and_keeping_speak_spanish(house: House) -> None:
    ines = house.owner
    ines.send(ines.get("/account"), "/account/profile", language="es")
    page = ines.get(f"{house.base}/data?look=1")
    for words in ("Descargar datos", "Ver cuánto ocupa", "Preparar el archivo", "de 1 equipo"):
        assert words in page.text
    assert "Cuánto se guardan las mediciones" in ines.get(f"{household_of(ines)}/keeping").text
