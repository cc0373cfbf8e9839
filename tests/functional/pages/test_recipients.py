"""The register of recipients in the console: kept by staff who may, read by everybody, and no sale can be agreed on."""

from pathlib import Path
from typing import Any

import pytest
from lineset.kit.ids import new_id

from tests.functional.pages.installation import Installation
from tests.support.visitor import Visitor
from tests.support.web import web_process


def add(operator: Visitor, **values: str) -> str:
    """Write down a recipient of its own; its key."""
    key = f"acme_{new_id().hex[-8:]}"
    usual = {"key": key, "kind": "partner", "name": f"Acme {key[-4:]}", "does": "Warranty claims", "region": "Oregon, USA"}
    page = operator.send(operator.get("/console/recipients"), "/console/recipients", **{**usual, **values})
    assert page.path == f"/console/recipients/{key}", page.text
    return key


TERMS: dict[str, Any] = {
    "title": "Warranty terms",
    "fields": ["equipment.measurement", "equipment.identity"],
    "purposes": ["share"],
    "confidentiality": "yes",
    "security": "yes",
}


def test_SHR_03_a_recipient_receives_nothing_until_its_agreement_is_written_down(operator: Visitor, visitor: Visitor) -> None:
    key = add(operator)
    path = f"/console/recipients/{key}"
    page = operator.get(path)
    assert "receives nothing" in page.text
    for name in ("fields", "purposes", "title"):
        refused = operator.send(page, f"{path}/agreements", **{**TERMS, name: [] if isinstance(TERMS[name], list) else ""})
        assert refused.status == 422, name
        assert "at least one" in refused.text or "Fill this in." in refused.text
    past = operator.send(page, f"{path}/agreements", **TERMS, ends_at="2020-01-01")
    assert "Choose a day that is still to come." in past.text
    agreed = operator.send(page, f"{path}/agreements", **TERMS)
    assert "Written down." in agreed.text
    assert "may receive" in agreed.text
    public = visitor.get("/recipients").text
    assert f"Acme {key[-4:]}" in public
    assert "Oregon, USA" in public
    ended = operator.send(operator.get(path), f"{path}/end")
    assert "ended" in ended.text
    assert f"Acme {key[-4:]}" not in visitor.get("/recipients").text


def test_SHR_08_an_agreement_with_a_fee_is_shown_and_refuses_the_flow(operator: Visitor, visitor: Visitor) -> None:
    key = add(operator)
    path = f"/console/recipients/{key}"
    operator.send(operator.get(path), f"{path}/agreements", **TERMS)
    unsaid = operator.send(operator.get(path), f"{path}/agreements", **TERMS, consideration="lead_fee")
    assert unsaid.status == 422
    page = operator.send(operator.get(path), f"{path}/agreements", **TERMS, consideration="lead_fee", in_return="40 dollars a lead")
    assert "It gives in return: A fee for leads. That is a sale, so nothing flows." in page.text
    assert "40 dollars a lead" in page.text
    assert "something, so nothing may go there" in visitor.get("/recipients").text
    assert "Personal data is not sold" in visitor.get("/privacy/choices").text


def test_the_register_is_changed_by_the_operator_and_the_privacy_officer_alone(operator: Visitor, ines: Visitor) -> None:
    key = add(operator)
    for path in ("/console/recipients", f"/console/recipients/{key}"):
        assert ines.get(path).status == 404
    assert ines.post(f"/console/recipients/{key}/end", _csrf_token=ines.csrf).status_code == 404
    assert operator.get("/console/recipients/nobody").status == 404
    taken = operator.send(operator.get("/console/recipients"), "/console/recipients", key=key, name="Other", does="x", region="x")
    assert taken.status == 409
    assert operator.send(operator.get(f"/console/recipients/{key}"), f"/console/recipients/{key}", region="").status == 422


@pytest.mark.parametrize("key", ["", "A", "a", "x" * 41, "ä_b", "../x"])
def test_a_key_that_can_not_be_used_is_told_at_its_field(operator: Visitor, key: str) -> None:
    page = operator.send(operator.get("/console/recipients"), "/console/recipients", key=key, name="N", does="x", region="x")
    assert page.status == 422
    assert "small letters" in page.text


def test_SHR_03_an_outside_mail_server_is_asked_about_until_its_entry_is_complete(
    operator: Visitor, installation: Installation, tmp_path: Path
) -> None:
    env = {"LINESET_SMTP_URL": "smtps://user:secret@mail.example.org:465"}
    with web_process(installation.engines, installation.database, tmp_path / "web.log", env) as url, Visitor(url) as staff:
        staff.client.cookies.set("ls_session", operator.session)
        assert "nobody has said who runs it" in staff.get("/console").text
        listed = staff.get("/console/recipients")
        assert "mail.example.org" in listed.text
        assert "to be filled in" in listed.text
        assert "secret" not in listed.html
        path = "/console/recipients/mail_relay"
        beyond = staff.send(staff.get(path), path, kind="partner", name="Post Ltd", does="Delivers mails", region="Germany")
        assert beyond.status == 422, "what works on our instructions can't be a partner"
        staff.send(staff.get(path), path, kind="processor", name="Post Ltd", does="Delivers mails", region="Germany")
        assert "equipment.measurement" not in staff.get(path).html, "a mail server is never offered readings"
        terms = {**TERMS, "fields": ["user.contact.email", "user.name", "user.content.private"], "purposes": ["communicate"]}
        agreed = staff.send(staff.get(path), f"{path}/agreements", **terms)
        assert "may receive" in agreed.text
        assert "nobody has said who runs it" not in staff.get("/console").text
