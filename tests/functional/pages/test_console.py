"""The operator's console: who gets in, what it counts, companies, gateways to hand out, and what was set aside."""

import re
from uuid import UUID

import psycopg
from lineset.kit.ids import new_id
from lineset.kit.roles import INGEST, role_url

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address

PAGES = ("/console", "/console/companies", "/console/gateways")


def test_SEC_04_the_console_is_not_there_for_anybody_else(operator: Visitor, ines: Visitor, company: tuple[str, Visitor]) -> None:
    somewhere = re.search(r'href="(/console/companies/[^"]+)"', operator.get("/console/companies").html)
    assert somewhere
    for somebody in (ines, company[1]):
        for path in (*PAGES, somewhere[1]):
            assert somebody.get(path).status == 404, path
        for path in ("/console/companies", "/console/gateways", somewhere[1], f"{somewhere[1]}/invitations"):
            values = {"name": "Eve Ltd", "manager_email": "eve@example.org", "count": "3", "_csrf_token": somebody.csrf}
            assert somebody.client.post(path, data=values).status_code == 404, path


def test_the_console_tells_whether_each_part_works(operator: Visitor) -> None:
    page = operator.get("/console")
    assert page.status == 200
    for part in ("Web pages", "Database", "Message bus", "Ingestion", "Worker"):
        assert part in page.text
    assert "2 parts are away" in page.text, "this installation runs the web role alone"
    assert page.text.count("no answer") == 2
    assert "Devices keep their readings and send them when it is back." in page.text


def test_the_console_counts_and_shows_nobody(operator: Visitor, ines: Visitor) -> None:
    def households() -> int:
        found = re.search(r"Households (\d+)", operator.get("/console").text)
        assert found
        return int(found[1])

    before = households()
    ines.send(ines.get("/account/household/new"), "/account/household", household="Lund cabins", kind="business")
    assert households() == before + 1
    for path in PAGES:
        html = operator.get(path).html
        assert "Lund" not in html
        assert "ines." not in html


def test_ACC_05_a_company_is_let_in_with_its_first_manager(operator: Visitor, visitor: Visitor) -> None:
    email = new_address("priya")
    page = operator.get("/console/companies")
    for values, field in (
        ({"name": "", "manager_email": email}, "name"),
        ({"name": "Alder Mechanical", "manager_email": ""}, "manager_email"),
        ({"name": "Alder Mechanical", "email": "nonsense", "manager_email": email}, "email"),
    ):
        refused = operator.send(page, "/console/companies", **values)
        assert refused.status == 422
        assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true"', refused.html), field
    name = f"Alder {new_id().hex[-6:]}"
    made = operator.send(page, "/console/companies", name=name, phone="+1 530 555 0142", manager_email=email)
    assert "The invitation to its first manager is on its way" in made.text
    assert email in made.text
    invitation = visitor.get(visitor.mail(email, "/invitation"))
    assert f"Join {name}" in invitation.text
    landed = visitor.send(invitation, "/invitation/new", name="Priya Shah", password=PASSWORD)
    assert landed.path == "/portal"
    one = operator.get(made.path)
    assert email not in one.text, "who works there is the company's own matter"
    changed = operator.send(one, made.path, name=f"{name} & Sons")
    assert f"{name} & Sons" in changed.text.replace("&amp;", "&")
    again = operator.send(changed, f"{made.path}/invitations", invite_email=new_address("dan"), role="technician")
    assert "Technician" in again.text
    action = re.findall(r'action="([^"]+/withdraw)"', again.html)[0]
    assert "no longer works" in operator.send(again, action).text


def test_EQP_02_gateways_are_made_with_codes_that_are_shown_once(operator: Visitor) -> None:
    page = operator.get("/console/gateways")
    for count in ("0", "101", "many", ""):
        refused = operator.send(page, "/console/gateways", count=count)
        assert refused.status == 422
        assert refused.form("/console/gateways").values["count"] == count
    made = operator.send(page, "/console/gateways", count="3")
    codes = re.findall(r"<b>((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})</b>", made.html)
    assert len(set(codes)) == 3
    assert made.html.count('class="qr"') == 3
    listed = operator.get("/console/gateways")
    assert not [code for code in codes if code in listed.html]
    action = re.findall(r'action="(/console/gateways/[0-9a-f-]{36}/code)"', listed.html)[0]
    fresh = operator.send(listed, action)
    assert len(re.findall(r"<b>(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}</b>", fresh.html)) == 1
    assert operator.get(action).path == "/console/gateways"
    assert operator.post(f"/console/gateways/{UUID(int=7)}/code", _csrf_token=operator.csrf).status_code == 404


def test_messages_set_aside_are_shown_with_their_reason(installation: Installation, operator: Visitor) -> None:
    assert "Every message that came could be handled" in operator.get("/console").text
    address = role_url(installation.database, installation.engines.secret, INGEST).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
        connection.execute("SELECT set_config('app.actor', 'system:ingest', true), set_config('app.purpose', 'operate', true)")
        connection.execute(
            "INSERT INTO poison_messages (id, at, subject, payload, reason) VALUES (%s, now(), %s, %s, %s)",
            [new_id(), "lineset.v1.someone.frames", b"x" * 1234, "a reason of its own"],
        )
    page = operator.get("/console")
    for words in ("lineset.v1.someone.frames", "1,234 B", "a reason of its own"):
        assert words in page.text


def test_ACC_05_other_staff_look_and_change_nothing(operator: Visitor, visitor: Visitor) -> None:
    email = new_address("ana")
    operator.send(operator.get("/console/staff"), "/console/staff", email=email, role="analyst")
    visitor.send(visitor.get(visitor.mail(email, "/invitation")), "/invitation/new", name="Ana Field", password=PASSWORD)
    page = visitor.get("/console")
    assert page.status == 200
    assert "Messages set aside" not in page.text
    for path in ("/console/companies", "/console/gateways"):
        assert f'action="{path}"' not in visitor.get(path).html
        values = {"name": "Eve Ltd", "manager_email": "eve@example.org", "count": "3", "_csrf_token": visitor.csrf}
        answer = visitor.client.post(path, data=values)
        assert answer.status_code == 403, path
        assert "Only the" in answer.text


def test_SEC_03_a_measure_is_stated_and_reports_are_kept_for_download(operator: Visitor, ines: Visitor) -> None:
    assert ines.get("/console/evidence").status == 404
    page = operator.get("/console/evidence")
    assert page.status == 200
    assert "No report yet" in page.text
    assert page.text.count("Not stated yet.") >= 4
    assert operator.send(page, "/console/evidence", measure="premises", statement=" ").status == 422
    assert operator.send(page, "/console/evidence", measure="moon", statement="Locked.").status == 422
    stated = operator.send(page, "/console/evidence", measure="premises", statement="One locked room, two keys.")
    assert "One locked room, two keys." in stated.text


def test_RET_02_a_hold_has_a_reason_and_an_end_and_can_be_ended(operator: Visitor, ines: Visitor) -> None:
    assert ines.get("/console/holds").status == 404
    page = operator.get("/console/holds")
    until = re.search(r'<input[^>]*name="until"[^>]*>', page.html)
    assert until is not None
    assert "required" not in until[0], "a hold may have no end yet"
    address = re.search(r"ines[\w.+-]*@[\w.-]+", ines.get("/account").text)
    assert address
    told = {"find": address[0], "kind": "legal", "reason": "Subpoena 26-118", "until": "2099-01-31"}
    for wrong, field in (({"find": "nobody@example.org"}, "find"), ({"reason": ""}, "reason"), ({"until": "2001-01-01"}, "until")):
        refused = operator.send(page, "/console/holds", **(told | wrong))
        assert refused.status in {404, 422}, wrong
        assert refused.status == 404 or re.search(rf'id="f-{field}"[^>]*aria-invalid="true"', refused.html), field
    placed = operator.send(page, "/console/holds", **told)
    assert "One home is held" in placed.text
    assert "Subpoena 26-118" in placed.text
    assert "Ends on" in placed.text
    assert "Subpoena" not in ines.get("/home").html + ines.get("/account").html, "the household is not told"
    release = re.search(r'action="(/console/holds/[^"]+/release)"', placed.html)
    assert release
    ended = operator.send(placed, release[1])
    assert "Nothing is held" in ended.text
    assert "Subpoena 26-118" in ended.text, "it stays with its time"
