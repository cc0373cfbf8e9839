"""Staff opens a home in the console, looks, and ends it; the privacy officer reads the log and checks the chain."""

import re
from collections.abc import Iterator

import pytest

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address

REASON = "The heat pump reports nothing since Monday"


def staff(operator: Visitor, installation: Installation, role: str) -> Visitor:
    """Somebody who works at the operator in that role, signed in."""
    email = new_address(role)
    operator.send(operator.get("/console/staff"), "/console/staff", email=email, role=role)
    somebody = Visitor(installation.url)
    somebody.send(somebody.get(somebody.mail(email, "/invitation")), "/invitation/new", name=f"Kim {role}", password=PASSWORD)
    return somebody


@pytest.fixture(scope="module")
def helper(operator: Visitor, installation: Installation) -> Iterator[Visitor]:
    with staff(operator, installation, "support") as somebody:
        yield somebody


@pytest.fixture(scope="module")
def officer(operator: Visitor, installation: Installation) -> Iterator[Visitor]:
    with staff(operator, installation, "privacy_officer") as somebody:
        yield somebody


@pytest.fixture
def home(visitor: Visitor) -> tuple[Visitor, str]:
    """Somebody with a household, and her address."""
    return visitor, visitor.sign_up("Ines Lund", household="Lund family")


def test_SEC_01_staff_opens_a_home_for_a_reason_and_its_people_know(helper: Visitor, home: tuple[Visitor, str]) -> None:
    _, email = home
    page = helper.get("/console/homes")
    refused = helper.send(page, "/console/homes", find=email, reason="why not", role="support", minutes="15")
    assert refused.status == 422
    assert 'aria-invalid="true"' in refused.html
    opened = helper.send(page, "/console/homes", find=email, reason=REASON, ticket="T-7", role="support", minutes="15")
    assert re.fullmatch(r"/console/homes/[0-9a-f-]{36}", opened.path)
    assert REASON in opened.text
    assert "told by mail" in opened.text
    ended = helper.send(
        helper.get("/console/homes"), re.findall(r'action="(/console/homes/[^"]+/end)"', helper.get("/console/homes").html)[0]
    )
    assert "You can no longer see this home" in ended.text
    assert helper.get(opened.path).status == 404


def test_SEC_01_the_log_is_for_officers_and_its_search_is_logged(
    officer: Visitor, helper: Visitor, operator: Visitor, home: tuple[Visitor, str]
) -> None:
    ines, email = home
    for somebody in (helper, operator, ines):
        assert somebody.get("/console/log").status == 404
    helper.send(helper.get("/console/homes"), "/console/homes", find=email, reason=REASON, role="support", minutes="15")
    page = officer.get("/console/log")
    assert page.status == 200
    assert officer.send(page, "/console/log", find=email, reason="").status == 422
    found = officer.send(page, "/console/log", find=email, reason="She asked who looked at her home")
    assert "Kim support" in found.text
    assert REASON in found.text
    assert "looked at who saw your home" in found.text, "the officer's own search"
    assert "nothing was changed" in officer.send(page, "/console/log/verify").text or "0 places" in found.text
    told = officer.client.get("/.well-known/lineset-audit.json").json()
    assert re.fullmatch(r"[0-9a-f]{64}", told["public_key"])
    assert told["public_key"] in found.text
