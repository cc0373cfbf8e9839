"""Our own scripts' errors reach the account of whoever is signed in; others' errors, and what was typed, do not."""

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.looking import WAYS, look_at, window
from tests.functional.pages.installation import Installation
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

FAIL = """([kind, says, own]) => {
  const script = [...document.scripts].map(s => s.src).find(s => s.includes("/static/"));
  const error = new TypeError(says);
  error.stack = own ? `TypeError: ${says}\\n    at draw (${script}:12:34)\\n    at other (https://elsewhere.example/x.js:1:1)`
                    : `TypeError: ${says}\\n    at extension (chrome-extension://abc/x.js:1:1)`;
  if (kind === "error") window.dispatchEvent(new ErrorEvent("error", {error, message: says, filename: own ? script : "chrome-extension://abc/x.js"}));
  else window.dispatchEvent(new PromiseRejectionEvent("unhandledrejection", {promise: Promise.resolve(), reason: error}));
}"""


def bodies(page: Page) -> list[dict[str, object]]:
    """What the page reports from now on."""
    sent: list[dict[str, object]] = []

    def on_request(request: Request) -> None:
        if request.url.endswith("/app/reports"):
            sent.append(request.post_data_json or {})

    page.on("request", on_request)
    return sent


def test_TEL_04_an_error_of_our_own_script_is_on_the_account(chromium: Browser, installation: Installation, ines: Visitor) -> None:
    with window(chromium, installation.url, session=ines.session) as page:
        sent = bodies(page)
        with page.expect_response("**/app/reports") as opened:
            page.goto(f"{installation.url}/account")
        assert opened.value.status == 204
        for n in range(40):
            page.evaluate(FAIL, ["error", f'cannot read "the secret" number {n}', True])
        page.evaluate(FAIL, ["rejection", "fetch of https://x.example/?q=typed failed", True])
        page.evaluate(FAIL, ["error", "not ours", False])
        with page.expect_response("**/app/reports") as told:
            page.wait_for_timeout(0)
        assert told.value.status == 204
        page.goto(f"{installation.url}/account/security")
        reports = page.locator("#reports").locator("xpath=ancestor::section")
        expect(reports).to_contain_text("TypeError in draw")
        expect(reports).to_contain_text("40 times")
    assert [s["kind"] for s in sent] == ["opened", "error", "rejection"], "once a visit, equal ones at once, none of others' programs"
    whole = repr(sent)
    for hidden in ("secret", "typed", "elsewhere", "not ours", "extension"):
        assert hidden not in whole, hidden
    assert sent[1]["times"] == 40


def test_TEL_04_a_page_without_a_signed_in_person_reports_nothing(chromium: Browser, installation: Installation) -> None:
    with window(chromium, installation.url) as page:
        sent = bodies(page)
        page.goto(f"{installation.url}/sign-in")
        page.evaluate(FAIL, ["error", "odd", True])
        page.goto(f"{installation.url}/contact")
        page.wait_for_load_state("networkidle")
    assert sent == []


@pytest.mark.parametrize("way", WAYS)
def test_the_pages_of_troubles_staff_and_hand_over_keep_their_frame(
    chromium: Browser,
    installation: Installation,
    operator: Visitor,
    ines: Visitor,
    way: str,
) -> None:
    base = ines.send(
        ines.get("/home/sites/new"), "/home/sites/new", name="Lake house", time_zone="America/Los_Angeles", kind="residential"
    ).path
    ines.send(ines.get(f"{base}/transfer"), f"{base}/transfer", what="site", email="omar@example.org")
    link = ines.mail("omar@example.org", "/transfer").replace(installation.url, "")
    for who, paths in ((operator, ("/console/troubles", "/console/staff")), (ines, (f"{base}/transfer", link, "/account/security"))):
        who.send(who.get("/account"), "/preferences/language", language=WAYS[way].language)
        with window(chromium, installation.url, session=who.session, way=WAYS[way]) as page:
            for path in paths:
                look_at(page, installation.url, path, WAYS[way])
        who.send(who.get("/account"), "/preferences/language", language="en")
