"""What goes wrong, on the pages of those who may see it; the operator's staff, and what each of them sees."""

import re
import time
from uuid import UUID

import pytest
from lineset import control, gateways
from lineset.kit.roles import INGEST
from lineset.platform import open_platform
from lineset.privacy import Context, Purpose, System
from lineset_contract.wire import Event, encode

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address

SITE = {"name": "Lake house", "time_zone": "America/Los_Angeles", "kind": "residential"}
CRASH: dict[str, object] = {
    "code": "crash",
    "type": "TimeoutError",
    "say": "no answer from pump 3",
    "frames": ["lineset_agent/runtime.py:101 _run"],
    "agent": "0.3.0",
    "log": ["INFO buffer opened"],
}
PAGES = ("/console/troubles", "/console/staff")


def with_troubles(installation: Installation, owner: Visitor) -> tuple[str, str]:
    """A site of that owner with a gateway that failed; paths of the site and of the gateway."""
    base = owner.send(owner.get("/home/sites/new"), "/home/sites/new", **SITE).path
    owner.send(owner.get(f"{base}/gateways"), f"{base}/gateways", name="Boiler room", kind="simple")
    found = re.search(rf"{base}/gateways/([0-9a-f-]{{36}})", owner.get(f"{base}/gateways").html)
    assert found
    gateway = UUID(found[1])

    async def happen() -> None:
        async with open_platform(installation.settings, "test", role=INGEST, pool=1) as platform:
            for n in range(3):
                error = {"code": "read_failed", "say": f"the driver did not answer within {n + 2} s"}
                await control.take(platform.door, gateway, "events", encode(Event("error", time.time() - 50 + n, None, dict(error))))
            await control.take(platform.door, gateway, "events", encode(Event("crash", time.time() - 9, None, dict(CRASH))))
            connections = gateways.Connections(platform.door, Context(System("ingest"), Purpose.OPERATE))
            connections.note(gateway, "203.0.113.77", "token")
            await connections.close()

    installation.run(happen)
    return base, found[0]


@pytest.mark.parametrize("part", ["gateways", "gateway"])
def test_TEL_04_a_household_sees_what_goes_wrong_as_lines(installation: Installation, ines: Visitor, part: str) -> None:
    base, gateway = with_troubles(installation, ines)
    page = ines.get(f"{base}/gateways" if part == "gateways" else gateway)
    assert page.status == 200
    assert re.search(r"Read failed\s+3 times", page.text)
    assert "the driver did not answer within 4 s" in page.text
    assert re.search(r"The agent stopped: TimeoutError in _run\s+once", page.text)
    assert "lineset_agent/runtime.py:101 _run" in page.text
    assert "INFO buffer opened" in page.text
    assert "Version 0.3.0" in page.text
    assert ("203.0.113.77" in page.text) == (part == "gateway")
    ines.send(ines.get("/account"), "/preferences/language", language="es")
    assert "El agente se detuvo" in ines.get(gateway).text


def test_TEL_04_a_contractor_sees_troubles_but_no_address(installation: Installation, ines: Visitor, company: tuple[str, Visitor]) -> None:
    base, gateway = with_troubles(installation, ines)
    name, manager = company
    portal = base.replace("/home/", "/portal/sites/")
    assert manager.get(portal).status == 404
    access = ines.get("/account/access").path
    found = ines.get(f"{access}?find={name}")
    grant = re.search(rf'action="({access}/[0-9a-f-]{{36}})"', found.html)
    assert grant
    ines.send(found, grant[1], view="yes")
    for path in (portal, gateway.replace("/home/", "/portal/sites/")):
        page = manager.get(path)
        assert page.status == 200
        assert re.search(r"Read failed\s+3 times", page.text), path
        assert "203.0.113" not in page.html
        assert "From where it connected" not in page.text


def test_TEL_04_staff_see_numbers_of_troubles_and_whose_they_are_not(
    installation: Installation, operator: Visitor, ines: Visitor, visitor: Visitor
) -> None:
    base, gateway = with_troubles(installation, ines)
    page = operator.get("/console/troubles")
    assert "TimeoutError in _run" in page.text
    assert "Read failed" in page.text
    for secret in ("Lake house", "Lund", "pump 3", "did not answer", "203.0.113.77", gateway.rpartition("/")[2], base.rpartition("/")[2]):
        assert secret not in page.html, secret
    assert operator.get("/console/troubles?days=90").status == 200
    assert operator.get("/console/troubles?days=nonsense").status == 200
    email = new_address("ana")
    operator.send(operator.get("/console/staff"), "/console/staff", email=email, role="analyst")
    visitor.send(visitor.get(visitor.mail(email, "/invitation")), "/invitation/new", name="Ana Field", password=PASSWORD)
    refused = visitor.get("/console/troubles")
    assert "not for your role" in refused.text
    assert "TimeoutError" not in refused.html


def test_ACC_05_an_operator_invites_staff_changes_roles_and_ends_their_work(operator: Visitor, visitor: Visitor, ines: Visitor) -> None:
    for path in PAGES:
        assert ines.get(path).status == 404
    assert (
        ines.client.post("/console/staff", data={"email": "eve@example.org", "role": "operator", "_csrf_token": ines.csrf}).status_code
        == 404
    )
    page = operator.get("/console/staff")
    assert "(you)" in page.text.replace("( you )", "(you)")
    for values, field in (({"email": "nonsense", "role": "support"}, "email"), ({"email": new_address("x"), "role": "manager"}, "role")):
        refused = operator.send(page, "/console/staff", **values)
        assert refused.status == 422
        assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true"', refused.html), field
    gone, email = new_address("gus"), new_address("sue")
    operator.send(page, "/console/staff", email=gone, role="support")
    sent = operator.send(operator.get("/console/staff"), "/console/staff", email=email, role="support")
    assert "on its way" in sent.text
    rows = re.findall(r"<b>([^<]+@[^<]+)</b>.*?action=\"(/console/staff/invitations/[0-9a-f-]{36}/withdraw)\"", sent.html, re.S)
    taken = operator.send(sent, dict(rows)[gone])
    assert gone not in taken.text
    visitor.send(visitor.get(visitor.mail(email, "/invitation")), "/invitation/new", name="Sue Ward", password=PASSWORD)
    assert visitor.get("/console").status == 200
    assert 'action="/console/staff"' not in visitor.get("/console/staff").html
    assert visitor.client.post("/console/staff", data={"email": gone, "role": "operator", "_csrf_token": visitor.csrf}).status_code == 403
    listed = operator.get("/console/staff")
    assert "Sue Ward" in listed.text
    person = re.search(r'Sue Ward.*?action="(/console/staff/[0-9a-f-]{36})"', listed.html, re.S)
    assert person
    changed = operator.send(listed, person[1], role="security", do="role")
    assert "Security: counts troubles" in changed.text
    removed = operator.send(changed, person[1], do="remove")
    assert "Sue Ward" not in removed.text
    assert visitor.get("/console").status == 404


def test_ACC_05_the_operator_keeps_an_operator(operator: Visitor, visitor: Visitor) -> None:
    email = new_address("olga")
    operator.send(operator.get("/console/staff"), "/console/staff", email=email, role="operator")
    visitor.send(visitor.get(visitor.mail(email, "/invitation")), "/invitation/new", name="Olga Ring", password=PASSWORD)
    sam = re.search(r'action="(/console/staff/[0-9a-f-]{36})"', visitor.get("/console/staff").html)
    assert sam
    me = re.search(r'Olga Ring.*?action="(/console/staff/[0-9a-f-]{36})"', operator.get("/console/staff").html, re.S)
    assert me
    demoted = operator.send(operator.get("/console/staff"), me[1], role="support", do="role")
    assert "Saved" in demoted.text
    own = me[1]
    visitor.client.post(own, data={"role": "operator", "do": "role", "_csrf_token": visitor.csrf})
    assert "Support" in operator.get("/console/staff").text
    last = re.search(r"/console/staff/([0-9a-f-]{36})", sam[1])
    assert last
    kept = operator.client.post(sam[1], data={"do": "remove", "_csrf_token": operator.csrf})
    assert kept.status_code == 409
    assert "at least one" in kept.text


def test_what_the_pages_reported_is_on_the_account_and_can_be_deleted(ines: Visitor) -> None:
    told = {
        "kind": "error",
        "version": "app-1",
        "type": "TypeError",
        "message": "odd",
        "frames": ["draw@plot-a1b2c3d4.js:1:2"],
        "page": "/home",
    }
    for body in (told, {"kind": "opened", "version": "app-1"}):
        answer = ines.client.post("/app/reports", json=body, headers={"x-csrf-token": ines.csrf})
        assert answer.status_code == 204
    page = ines.get("/account/security")
    assert "TypeError in draw" in page.text
    assert "Opened on one day" in page.text
    gone = ines.send(page, "/account/reports/forget")
    assert "TypeError in draw" not in gone.text
    assert "No error in your browsers" in gone.text
