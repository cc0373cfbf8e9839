"""Copies of one's data and erasures over the API, as a program asks for them."""

import io
import zipfile
from typing import Any
from uuid import UUID

import msgspec
import pytest
from lineset.accounts.model import PersonRow
from lineset.accounts.passwords import hash_password
from lineset.kit.storage import storage
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System, exporting
from lineset.privacy.exporting import ending
from lineset.worker import workshop

from tests.functional.devices.test_api import Client, Heated, heated, program
from tests.functional.devices.world import technician

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse battery"


async def finish(platform: Platform, export: str) -> None:
    """What a worker does."""
    place = storage(platform.settings, exporting.STORAGE)
    await workshop(platform, place).work(UUID(export), turn_s=1e9)
    await ending.clean_up(platform.door, place, UUID(export))


async def ask(at: Heated, **body: object) -> Any:
    return await at.program.post("/privacy/requests", body)


async def test_PRV_01_a_program_takes_a_copy_of_its_persons_data(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    answer = await ask(at, kind="export")
    assert answer.status_code == 202, answer.text
    request = answer.json()
    assert (request["kind"], request["state"], request["may_cancel"]) == ("export", "waiting", True)
    assert answer.headers["location"] == f"/api/v1/privacy/requests/{request['id']}"
    assert (await ask(at, kind="export")).status_code == 429, "one at a time"
    assert (await at.program.get(f"/privacy/requests/{request['id']}/file")).status_code == 403, "a link is needed"
    await finish(platform, request["id"])
    ready = (await at.program.get(f"/privacy/requests/{request['id']}")).json()
    assert (ready["state"], ready["done"]) == ("ready", ready["total"])
    file = await http.get(ready["link"], headers=at.program.headers)
    assert (file.status_code, file.headers["content-type"], len(file.content)) == (200, "application/zip", ready["bytes"])
    assert "no-store" in file.headers["cache-control"]
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        manifest = msgspec.json.decode(archive.read("manifest.json"))
        (site,) = msgspec.json.decode(archive.read("data/household-1/sites.json"))["rows"]
    assert manifest["subjects"] == [str(at.home.owner), str(at.home.household)]
    assert (site["id"], site["name"]) == (str(at.home.site), "House")
    part = await http.get(ready["link"], headers=at.program.headers | {"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"PK\x03\x04")
    assert [r["id"] for r in (await at.program.get("/privacy/requests")).json()] == [request["id"]]
    gone = await http.delete(f"/api/v1/privacy/requests/{request['id']}", headers=at.program.headers)
    assert gone.status_code == 204
    assert (await http.get(ready["link"], headers=at.program.headers)).status_code == 409


async def test_PRV_01_a_link_opens_nothing_for_anybody_else_nor_for_another_copy(http: Client, platform: Platform) -> None:
    at, other = await heated(http, platform.door), await heated(http, platform.door)
    request = (await ask(at, kind="export")).json()["id"]
    await finish(platform, request)
    link = (await at.program.get(f"/privacy/requests/{request}")).json()["link"]
    assert (await http.get(link, headers=other.program.headers)).status_code == 404
    assert (await http.get(link)).status_code == 401
    for spoilt in (
        link.replace("until=", "until=9"),
        link[:-1],
        link + "A",
        link.replace("sign=", "sign=ñ"),
        link.replace("until=", "until=-"),
    ):
        assert (await http.get(spoilt, headers=at.program.headers)).status_code == 403, spoilt
    assert (await other.program.get(f"/privacy/requests/{request}")).status_code == 404
    theirs = (await ask(other, kind="export")).json()["id"]
    assert (await http.get(link.replace(request, theirs), headers=other.program.headers)).status_code == 403, "signed for another copy"
    for body in (
        {"kind": "export", "target": {"kind": "household", "id": str(at.home.household)}},
        {"kind": "export", "target": {"kind": "account", "id": str(at.home.owner)}},
    ):
        assert (await other.program.post("/privacy/requests", body)).status_code == 403


async def test_DEL_01_a_program_sees_what_would_go_and_needs_the_password_to_erase(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    async with platform.door.open(Context(System("setup"), Purpose.ACCOUNT)) as tx:
        person = await tx.session.get(PersonRow, at.home.owner)
        assert person is not None
        person.password_hash = await hash_password(PASSWORD)
    machine = {"kind": "machine", "id": str(at.machine)}
    plan = (await at.program.get("/privacy/plan", **machine)).json()
    assert "machines" in {going["what"] for going in plan["goes"]}
    assert plan["grace_days"] > 0
    assert (await ask(at, kind="erase")).json()["code"] == "target_needed"
    assert (await ask(at, kind="erase", target=machine)).json()["code"] == "password_needed"
    assert (await ask(at, kind="erase", target=machine, password="guessed")).json()["code"] == "wrong_password"
    assert (await at.program.get("/privacy/requests")).json() == []
    asked = await ask(at, kind="erase", target=machine, password=PASSWORD)
    assert asked.status_code == 202, asked.text
    request = asked.json()
    assert (request["kind"], request["state"], request["target"], request["may_cancel"]) == ("erase", "waiting", machine, True)
    gone = await http.delete(f"/api/v1/privacy/requests/{request['id']}", headers=at.program.headers)
    assert gone.status_code == 204
    assert (await at.program.get(f"/privacy/requests/{request['id']}")).json()["state"] == "cancelled"


async def test_a_contractors_program_has_no_say_over_the_households_data(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    service, _ = await technician(platform.door, at.home.household, "view", "equipment")
    theirs = await program(http, platform.door, service)
    for target in ({"kind": "household", "id": str(at.home.household)}, {"kind": "site", "id": str(at.home.site)}):
        assert (await theirs.get("/privacy/plan", **target)).status_code in (403, 404)
    answer = await theirs.post("/privacy/requests", {"kind": "export", "target": {"kind": "household", "id": str(at.home.household)}})
    assert answer.status_code == 403
    own = (await theirs.post("/privacy/requests", {"kind": "export"})).json()
    await finish(platform, own["id"])
    link = (await theirs.get(f"/privacy/requests/{own['id']}")).json()["link"]
    with zipfile.ZipFile(io.BytesIO((await http.get(link, headers=theirs.headers)).content)) as archive:
        assert not [name for name in archive.namelist() if "household" in name.split("/")[1:2]]
        assert str(at.home.site).encode() not in b"".join(archive.read(name) for name in archive.namelist())
