"""A site or one of its machines handed over to another household, by the pages alone."""

import re
from collections.abc import Iterator

import pytest

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, within

SITE = {"name": "Lake house", "time_zone": "America/Los_Angeles", "kind": "residential"}


@pytest.fixture
def giver(installation: Installation) -> Iterator[tuple[Visitor, str]]:
    """An owner with a site that has a gateway and a machine; the site's path."""
    with Visitor(installation.url) as ines:
        ines.sign_up("Ines Lund", household="Lund family")
        made = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE)
        base = made.path
        ines.send(ines.get(f"{base}/gateways"), f"{base}/gateways", name="Boiler room", kind="simple")
        ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Old boiler", type="boiler_gas")
        yield ines, base


@pytest.fixture
def taker(installation: Installation) -> Iterator[tuple[Visitor, str]]:
    """Somebody else with a household; their address."""
    with Visitor(installation.url) as omar:
        yield omar, omar.sign_up("Omar Diaz", household="Diaz family")


def offered(giver: tuple[Visitor, str], taker: tuple[Visitor, str], what: str = "site") -> str:
    """Offer it; the address in the mail."""
    ines, base = giver
    sent = ines.send(ines.get(f"{base}/transfer"), f"{base}/transfer", what=what, email=taker[1])
    assert "on its way" in sent.text
    assert taker[1] in sent.text
    return taker[0].mail(taker[1], "/transfer")


def machine_of(ines: Visitor, base: str) -> str:
    """The id of the site's machine."""
    found = re.search(rf"{base}/machines/([0-9a-f-]{{36}})", ines.get(f"{base}/machines").html)
    assert found
    return found[1]


def test_a_site_changes_hands_by_the_link_of_a_mail(giver: tuple[Visitor, str], taker: tuple[Visitor, str]) -> None:
    ines, base = giver
    assert f'href="{base}/transfer"' in ines.get(f"{base}/settings").html
    link = offered(giver, taker)
    omar = taker[0]
    page = omar.get(link)
    assert "Lake house is handed over to you" in page.text
    assert "Diaz family" in page.text
    nameless = omar.send(page, "/transfer", name="")
    assert nameless.status == 422
    assert 'aria-invalid="true"' in nameless.html
    mine = omar.send(page, "/transfer", name="Cabin by the lake")
    assert mine.path == base
    assert "Cabin by the lake" in mine.html
    assert "Old boiler" in omar.get(f"{base}/machines").html
    for path in (base, f"{base}/gateways", f"{base}/transfer"):
        assert ines.get(path).status == 404, path
    assert within(5, lambda: "was handed over" in ines.get("/mailbox").html)
    again = omar.get(link)
    assert again.status == 410
    assert "accepted already" in again.text


def test_one_machine_changes_hands_alone(giver: tuple[Visitor, str], taker: tuple[Visitor, str]) -> None:
    ines, base = giver
    omar, machine = taker[0], machine_of(ines, base)
    link = offered(giver, taker, machine)
    homeless = omar.get(link)
    assert "Your household has no site yet" in homeless.text
    theirs = omar.send(omar.get("/home/sites/new"), "/home/sites/new", **SITE | {"name": "Town flat"})
    page = omar.get(link)
    assert "Old boiler is handed over to you" in page.text
    stranger = omar.send(page, "/transfer", site=base.rpartition("/")[2])
    assert stranger.status == 404, "not to a site of somebody else"
    moved = omar.send(page, "/transfer", site=theirs.path.rpartition("/")[2])
    assert moved.path == f"{theirs.path}/machines/{machine}"
    assert ines.get(f"{base}/machines/{machine}").status == 404
    assert ines.get(base).status == 200


def test_an_offer_taken_back_lets_nobody_in(giver: tuple[Visitor, str], taker: tuple[Visitor, str]) -> None:
    ines, base = giver
    link = offered(giver, taker)
    listed = ines.get(f"{base}/transfer")
    action = re.findall(rf'action="({base}/transfer/[0-9a-f-]{{36}}/withdraw)"', listed.html)
    assert len(action) == 1
    assert taker[0].post(action[0], _csrf_token=taker[0].csrf).status_code == 404
    gone = ines.send(listed, action[0])
    assert "no longer works" in gone.text
    assert taker[1] not in gone.text
    assert taker[0].get(link).status == 410


def test_only_owners_hand_over_and_only_what_is_theirs(giver: tuple[Visitor, str], taker: tuple[Visitor, str]) -> None:
    ines, base = giver
    omar = taker[0]
    for values in ({"what": "site", "email": ""}, {"what": "site", "email": "nonsense"}):
        refused = ines.send(ines.get(f"{base}/transfer"), f"{base}/transfer", **values)
        assert refused.status == 422
        assert re.search(r'id="f-email"[^>]*aria-invalid="true"', refused.html)
    assert ines.send(ines.get(f"{base}/transfer"), f"{base}/transfer", what="nonsense", email=taker[1]).status == 404
    assert omar.get(f"{base}/transfer").status == 404
    assert omar.post(f"{base}/transfer", what="site", email=taker[1], _csrf_token=omar.csrf).status_code == 404
    household = ines.get("/account/household").path
    ines.send(ines.get(household), f"{household}/invitations", email=taker[1], role="member")
    omar.send(omar.get(omar.mail(taker[1], "/invitation")), "/invitation/accept")
    assert omar.get(base).status == 200
    assert f'href="{base}/transfer"' not in omar.get(f"{base}/settings").html
    assert omar.get(f"{base}/transfer").status == 403
    assert omar.post(f"{base}/transfer", what="site", email=taker[1], _csrf_token=omar.csrf).status_code == 403


def test_without_a_sign_in_the_offer_leads_there_and_back(giver: tuple[Visitor, str], taker: tuple[Visitor, str], visitor: Visitor) -> None:
    link = offered(giver, taker)
    page = visitor.get(link)
    assert page.status == 200
    assert visitor.post("/transfer", token="x", _csrf_token=visitor.csrf).headers["location"].startswith("/sign-in")
    found = re.search(r'href="(/sign-in\?next=[^"]+)"', page.html)
    assert found
    form = visitor.get(found[1].replace("&amp;", "&"))
    landed = visitor.send(form, "/sign-in", email=taker[1], password=PASSWORD)
    assert landed.path == "/transfer"
    assert landed.form("/transfer").values["name"] == "Lake house"


def test_a_dead_link_of_a_hand_over_is_explained(visitor: Visitor, ines: Visitor) -> None:
    for somebody in (visitor, ines):
        for token in ("", "nonsense", "x" * 500):
            page = somebody.get(f"/transfer?token={token}")
            assert page.status == 410
            assert "Ask for a new one" in page.text
    answer = ines.client.post("/transfer", data={"token": "nonsense", "_csrf_token": ines.csrf})
    assert answer.status_code == 410


def test_handing_over_speaks_spanish(giver: tuple[Visitor, str], taker: tuple[Visitor, str], installation: Installation) -> None:
    link = offered(giver, taker)
    with Visitor(installation.url, language="es-US") as somebody:
        assert "Le traspasan Lake house" in somebody.get(link).text
        assert "Pida una nueva" in somebody.get("/transfer?token=x").text
    ines, base = giver
    ines.send(ines.get("/account"), "/preferences/language", language="es")
    assert "Traspasar Lake house" in ines.get(f"{base}/transfer").text
