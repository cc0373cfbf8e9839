"""Location and tags as people meet them: switches, places, the notice at signing in."""

import re

import httpx
import pytest

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor

GATEWAYLESS = {"name": "Cabin", "time_zone": "America/Denver", "kind": "residential"}
CRASH = {"kind": "error", "version": "app-abc", "type": "TypeError", "message": "x is undefined", "frames": ["f@app-abc.js:1:2"]}


def a_site(somebody: Visitor) -> str:
    """The address of a new home's pages."""
    page = somebody.get("/home/sites/new")
    made = somebody.send(page, "/home/sites/new", **GATEWAYLESS)
    found = re.match(r"/home/[0-9a-f-]{36}", made.path)
    assert found, made.path
    return found[0]


def pressed(html: str, thing: str) -> str:
    """Which answer stands for a thing."""
    part = html.partition(f'value="{thing}"')[2].partition("</form>")[0]
    return re.search(r'value="(yes|no)" aria-pressed="true"', part)[1]  # type: ignore[index]


def test_EQP_04_location_is_off_by_default_and_a_no_takes_as_many_steps_as_a_yes(ines: Visitor) -> None:
    base = a_site(ines)
    assert f'href="{base}/location"' in ines.get(f"{base}/settings").html
    page, thing = ines.get(f"{base}/location"), f"site:{base.rpartition('/')[2]}"
    assert pressed(page.html, thing) == "no"
    assert "Degrees north" not in page.html
    refused = ines.post(f"{base}/location/place", thing=thing, latitude="39.7", longitude="-105", _csrf_token=ines.csrf)
    assert refused.status_code == 403, "the form is not even there, and who sends it all the same is refused"
    assert "is switched off here" in refused.text
    page = ines.send(ines.get(f"{base}/location"), f"{base}/location", thing=thing, answer="yes")
    assert pressed(page.html, thing) == "yes"
    bad = ines.send(page, f"{base}/location/place", thing=thing, latitude="139", longitude="-105")
    assert bad.status == 422
    page = ines.send(page, f"{base}/location/place", thing=thing, latitude="39.73921", longitude="-104.99032")
    assert "39.739° north" in page.text
    page = ines.send(page, f"{base}/location", thing=thing, answer="no")
    assert pressed(page.html, thing) == "no"
    assert "39.739" not in page.text
    page = ines.send(page, f"{base}/location", thing=thing, answer="yes")
    assert "39.739" not in page.text, "what was stored is gone, not hidden"


def test_EQP_04_when_the_browser_takes_its_permission_back_the_page_says_no(ines: Visitor) -> None:
    base = a_site(ines)
    page = ines.get(f"{base}/location")
    session = re.search(r'value="(session:[0-9a-f-]{36})"', page.html)[1]  # type: ignore[index]
    page = ines.send(page, f"{base}/location", thing=session, answer="yes")
    assert f'data-place-session="{base}/location"' in page.html
    page = ines.send(page, f"{base}/location/place", thing=session, latitude="39.7", longitude="-105", source="browser")
    assert "39.700° north" in page.text
    page = ines.send(page, f"{base}/location", thing=session, answer="no", by="permission")
    assert pressed(page.html, session) == "no"
    assert "39.700" not in page.text


def test_EQP_04_nobody_switches_for_others(ines: Visitor, installation: Installation) -> None:
    base = a_site(ines)
    thing = f"site:{base.rpartition('/')[2]}"
    with Visitor(installation.url) as other:
        other.sign_up("Olaf Berg", household="Berg")
        theirs = a_site(other)
        page = other.get(f"{theirs}/location")
        assert other.get(f"{base}/location").status == 404
        assert other.post(f"{base}/location", thing=thing, answer="yes", _csrf_token=other.csrf).status_code == 404
        for wrong in (thing, "gateway:" + thing.partition(":")[2], "session:" + thing.partition(":")[2], "moon:1", ""):
            assert other.send(page, f"{theirs}/location", thing=wrong, answer="yes").status == 422, wrong


def tell(somebody: Visitor, **headers: str) -> httpx.Response:
    """What our script sends when it fails."""
    return somebody.client.post("/app/tagged", json=CRASH, headers={"x-csrf-token": somebody.csrf, **headers})


def agree(somebody: Visitor) -> None:
    """Say yes to what is not needed."""
    assert somebody.post("/privacy/choices", optional="yes", back="/", _csrf_token=somebody.csrf).status_code in (302, 303)


def test_TAG_01_a_signed_out_browser_has_no_tag_until_it_needs_one_and_said_yes(visitor: Visitor) -> None:
    tags = visitor.client.cookies
    assert tell(visitor).status_code == 204
    assert "ls_tag" not in tags, "nothing without a yes to what is not needed"
    agree(visitor)
    assert 'data-reports="/app/tagged"' in visitor.get("/sign-in").html
    assert "ls_tag" not in tags, "nor while nothing fails"
    answer = tell(visitor)
    first = tags["ls_tag"]
    assert "httponly" in answer.headers["set-cookie"].lower()
    tell(visitor)
    assert tags["ls_tag"] == first
    assert "reported while nobody was signed in" in visitor.get("/sign-in").text
    page = visitor.send(visitor.get("/cookies"), "/privacy/choices/tag/reset")
    assert "Deleted, with everything that hung on it" in page.text
    assert "ls_tag" not in tags
    assert "reported while nobody" not in visitor.get("/sign-in").text
    tell(visitor)
    assert tags["ls_tag"] != first, "nothing leads from the old one to the new"
    assert "set-cookie" not in tell(visitor, **{"sec-gpc": "1"}).headers


@pytest.mark.parametrize("adopt", ["yes", ""])
def test_TAG_01_reports_join_an_account_only_by_the_box_that_says_so(installation: Installation, visitor: Visitor, adopt: str) -> None:
    with Visitor(installation.url) as somebody:
        email = somebody.sign_up("Tia Roe", household="Roe")
    agree(visitor)
    tell(visitor)
    page = visitor.get("/sign-in")
    box = re.search(r'<input type="checkbox" name="adopt"[^>]*>', page.html)
    assert box is not None
    assert "checked" not in box[0]
    visitor.send(page, "/sign-in", email=email, password=PASSWORD, adopt=adopt)
    assert visitor.session
    assert ("ls_tag" in visitor.client.cookies) is (adopt == "")
    assert ("x is undefined" in visitor.get("/account/security").text) is (adopt == "yes")
