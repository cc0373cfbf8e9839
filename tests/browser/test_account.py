"""The account's pages in a real browser: every size and theme, and that a yes is no larger than a no."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import WAYS, look_at, window
from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address

pytestmark = pytest.mark.browser

PAGES = (
    "/account",
    "/account?done=profile",
    "/account/contacts/new",
    "/account/email?token=x",
    "/account/security",
    "/account/household",
    "/account/household/new",
    "/account/access",
)


@pytest.fixture(scope="module")
def ines(installation: Installation, operator: Visitor) -> Iterator[Visitor]:
    """An owner with a member, an open invitation, addresses, a token, two sessions, and a company that has access until a day."""
    with Visitor(installation.url) as owner, Visitor(installation.url) as member, Visitor(installation.url) as phone:
        email = owner.sign_up("Ines Ortega-Lundqvist", household="Ortega-Lundqvist")
        phone.sign_in(email)
        base = owner.get("/account/household").path
        tomas = new_address("tomas")
        for address, role in ((tomas, "member"), (new_address("grandmother"), "guest")):
            owner.send(owner.get(base), f"{base}/invitations", email=address, role=role)
        member.send(member.get(member.mail(tomas, "/invitation")), "/invitation/new", name="Tomás Lundqvist", password=PASSWORD)
        for kind, value in (("residence", "8 Donner Pass Rd\nTruckee, CA 96161"), ("phone", "+1 530 555 0199")):
            owner.send(owner.get(f"/account/contacts/new?kind={kind}"), "/account/contacts/new", value=value, label="winter")
        owner.send(owner.get("/account/security"), "/account/tokens", token_name="Grafana at home")
        for name in ("Sierra Heating and Air", "Sierra Water"):
            page = operator.get("/console/companies")
            operator.send(page, "/console/companies", name=name, phone="+1 530 555 0142", manager_email=new_address("m"))
        access = owner.get("/account/access").path
        for name, until in (("Sierra Heating", "2035-06-30"), ("Sierra Water", "")):
            found = owner.get(f"{access}?find={name}")
            grant = re.findall(rf'action="({access}/[0-9a-f-]{{36}})"', found.html)[-1]
            owner.send(found, grant, view="yes", until=until)
        owner.send(owner.get(access), f"{grant}/take-back")
        yield owner


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PAGES)
def test_ACC_01_account_pages_keep_their_frame_and_pass_axe(
    chromium: Browser, installation: Installation, ines: Visitor, path: str, way: str
) -> None:
    ines.send(ines.get("/account"), "/preferences/language", language=WAYS[way].language)
    with window(chromium, installation.url, session=ines.session, way=WAYS[way]) as page:
        look_at(page, installation.url, path, WAYS[way])
        assert page.locator("html").get_attribute("lang") == WAYS[way].language


def _sizes(page: Page, selector: str) -> set[tuple[int, int]]:
    boxes = [box.bounding_box() for box in page.locator(selector).all()]
    return {(round(box["width"]), round(box["height"])) for box in boxes if box}


@pytest.mark.parametrize("way", ["desktop", "phone"])
def test_ACC_05_yes_and_no_have_the_same_size_and_place(chromium: Browser, installation: Installation, ines: Visitor, way: str) -> None:
    with window(chromium, installation.url, session=ines.session, way=WAYS[way]) as page:
        page.goto(f"{installation.url}/account/access")
        page.goto(f"{page.url}?find=Sierra Water")
        sizes = _sizes(page, ".yes-no label")
        assert max(w for w, _ in sizes) - min(w for w, _ in sizes) <= 1
        assert max(h for _, h in sizes) - min(h for _, h in sizes) <= 1
        assert page.locator(".found input[value=yes]:checked").count() == 0, "no yes is chosen beforehand"
        filled = set()
        for answer in ("yes", "no"):
            page.locator(f".found input[name=view][value={answer}]").check()
            label = page.locator(f".found label:has(input[name=view][value={answer}])")
            filled.add(label.evaluate("e => getComputedStyle(e).backgroundColor"))
        assert len(filled) == 1, "the chosen one is filled, whichever it is"


@pytest.mark.parametrize("path", PAGES)
def test_targets_on_a_phone_are_large_enough(chromium: Browser, installation: Installation, ines: Visitor, path: str) -> None:
    with window(chromium, installation.url, session=ines.session, way=WAYS["phone"]) as page:
        page.goto(f"{installation.url}{path}")
        wanted = ", ".join(f"main {kind}:visible" for kind in ("button", "a.btn", "input.input", "select", "summary.btn", ".either label"))
        for control in page.locator(wanted).all():
            box = control.bounding_box()
            assert box is None or box["height"] >= 43.5, control.evaluate("e => e.outerHTML")[:200]


def test_ACC_05_removing_somebody_says_first_what_it_does(chromium: Browser, installation: Installation, ines: Visitor) -> None:
    ines.send(ines.get("/account"), "/preferences/language", language="en")
    with window(chromium, installation.url, session=ines.session, scripts=False) as page:
        page.goto(f"{installation.url}/account/household")
        row = page.locator(".items li", has_text="Tomás Lundqvist")
        sure = row.get_by_role("button", name="Remove Tomás Lundqvist")
        expect(sure).to_be_hidden()
        row.locator("summary").click()
        expect(row).to_contain_text("will no longer see the homes and machines")
        expect(sure).to_be_visible()


def test_ACC_02_a_fresh_token_can_be_copied_whole(chromium: Browser, installation: Installation, ines: Visitor) -> None:
    ines.send(ines.get("/account"), "/preferences/language", language="en")
    with window(chromium, installation.url, session=ines.session) as page:
        page.goto(f"{installation.url}/account/security")
        page.get_by_label("What is it for?").fill("Node-RED")
        page.get_by_role("button", name="Make a token").click()
        secret = page.locator(".secret")
        expect(secret).to_have_text(re.compile(r"^ls_\w{32}$"))
        assert secret.evaluate("e => getComputedStyle(e).userSelect") == "all"
        page.goto(f"{installation.url}/account/security")
        expect(page.locator(".secret")).to_have_count(0)
