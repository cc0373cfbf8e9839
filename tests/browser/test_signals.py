"""What the pages leave in a real browser and whom they ask, over every page there is; and the browser's own signals."""

import re

import pytest
from lineset import schema
from lineset.web import create_app
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import World, sign_in
from tests.browser.looking import WAYS, look_at, window
from tests.functional.pages.installation import Installation
from tests.support.visitor import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::litestar.exceptions.base_exceptions.LitestarDeprecationWarning"),
]

NO_PAGES = re.compile(r"/(api|static|health|o)/|\.(json|txt|ico|webmanifest)$|/(file|csv|live|list|now|table|trends)$|^/charts/")
"""Answers to programs and scripts, downloads, and parts that htmx puts into pages that are visited themselves."""
KEPT = """async () => ({
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).map(d => d.name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""


def paths(world: World) -> list[str]:
    """Every address that a browser can open by itself, with this world's ids where it knows them."""
    homes = world.homes
    known = {
        "site": homes.sites[0],
        "machine": next(iter(homes.machines.values())),
        "gateway": homes.gateway,
        "household": homes.household,
        "household_id": homes.household,
        "company_id": homes.company,
        "kind": "policy",
        "key": "mail_relay",
    }
    routes = (r.path_format for r in create_app(world.settings).routes if "GET" in getattr(r, "methods", ()))
    wanted = [path for path in routes if not NO_PAGES.search(path)]
    # an id that nothing here has would lead to one and the same page: not there
    reached = [path for path in wanted if set(re.findall(r"\{(\w+)", path)) <= set(known)]
    return sorted({re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: str(known[m[1]]), path) for path in reached})


class Watch:
    """What a browser asks for and keeps that nobody has declared, page by page."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.wrong: list[str] = []
        context.on("request", lambda request: self._asked(request.url))

    def _asked(self, address: str) -> None:
        if not address.startswith((self.url, "data:", "blob:")):
            self.wrong.append(f"asks {address}")

    def look(self, page: Page, path: str) -> None:
        """Compare what the browser keeps now with the declarations."""
        declared = {store: {c.name for c in schema.COOKIES if c.store == store} for store in ("cookie", "local", "session")}
        kept = page.evaluate(KEPT)
        found = {"cookie": [c["name"] for c in self.context.cookies()], "local": kept["local"], "session": kept["session"]}
        for store, names in found.items():
            self.wrong += [f"{path} keeps {name} ({store})" for name in names if name not in declared[store]]
        self.wrong += [f"{path} keeps the {what} {kept[what]}" for what in ("databases", "caches", "workers") if kept[what]]
        for cookie in self.context.cookies():
            if cookie["domain"].lstrip(".") != "localhost":
                self.wrong.append(f"{path} has a cookie of {cookie['domain']}")


@pytest.fixture
def watch(context: BrowserContext, world: World) -> Watch:
    return Watch(context, world.url)


def walk(watch: Watch, page: Page, addresses: list[str]) -> None:
    for path in addresses:
        answer = page.goto(f"{watch.url}{path}", wait_until="load")
        assert answer is not None, path
        assert "text/html" in answer.headers.get("content-type", ""), path
        watch.look(page, path)


@pytest.mark.parametrize("area", ["public", "home", "account", "portal"])
def test_TAG_02_pages_keep_only_what_is_declared_and_ask_nobody_else(watch: Watch, world: World, area: str) -> None:
    """Over every page: signed out, as a household's owner, as a contractor's manager."""
    page, every = watch.context.new_page(), paths(world)
    assert len(every) > 70
    inside = ("/home", "/account", "/portal", "/console")
    mine = [path for path in every if (path.startswith(f"/{area}") if area != "public" else not path.startswith(inside))]
    assert len(mine) > 5
    if area != "public":
        sign_in(page, world, world.homes.manager if area == "portal" else world.homes.owner)
    walk(watch, page, mine)
    if area == "public":
        page.get_by_role("button", name="Español").click()
        page.get_by_role("button", name="English").click()
        with page.expect_response("**/preferences/theme"):
            page.locator("[data-theme-switch] button").click()
        watch.look(page, "the foot")
    assert watch.wrong == []


def test_TAG_02_the_console_keeps_only_what_is_declared(
    context: BrowserContext, world: World, installation: Installation, operator: Visitor
) -> None:
    context.add_cookies([{"name": "ls_session", "value": operator.session, "url": installation.url}])
    watch, page = Watch(context, installation.url), context.new_page()
    walk(watch, page, [path for path in paths(world) if path.startswith("/console")])
    assert watch.wrong == []


def test_an_undeclared_cookie_store_or_request_is_found(watch: Watch, world: World) -> None:
    """The watch itself: each thing that it is there for."""
    page = watch.context.new_page()
    page.goto(f"{world.url}/cookies")
    watch.look(page, "/cookies")
    assert watch.wrong == []
    for script, told in (
        ("document.cookie = 'tracker=1'", "keeps tracker (cookie)"),
        ("localStorage.setItem('seen', '1')", "keeps seen (local)"),
        ("sessionStorage.setItem('seen', '1')", "keeps seen (session)"),
        ("new Promise(done => { const r = indexedDB.open('diary'); r.onsuccess = done; })", "keeps the databases ['diary']"),
        ("caches.open('pages')", "keeps the caches ['pages']"),
    ):
        page.evaluate(f"async () => {{ await ({script}); }}")
        watch.wrong.clear()
        watch.look(page, "/cookies")
        assert f"/cookies {told}" in watch.wrong
    watch.wrong.clear()
    page.goto("about:blank")
    watch.context.route("**/*", lambda route: route.fulfill(body=""))
    page.evaluate("fetch('https://elsewhere.example/', {mode: 'no-cors'}).catch(() => 0)")
    assert watch.wrong == ["asks https://elsewhere.example/"]


@pytest.mark.parametrize("way", WAYS)
def test_TAG_03_the_choices_keep_their_frame_and_pass_axe(chromium: Browser, installation: Installation, way: str) -> None:
    with window(chromium, installation.url, way=WAYS[way]) as page:
        look_at(page, installation.url, "/privacy/choices", WAYS[way])


def test_TAG_03_a_signal_that_only_scripts_see_is_passed_on(context: BrowserContext, installation: Installation) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")
    page = context.new_page()
    with page.expect_response("**/preferences/signal") as told:
        page.goto(f"{installation.url}/privacy/choices")
    assert told.value.status == 204
    page.reload()
    expect(page.locator("[data-signals]")).to_contain_text("Your browser sends Global Privacy Control: honoured.")
    expect(page.locator("body")).to_have_attribute("data-signal", "gpc")


def test_TAG_03_a_browser_that_blocks_cookies_reads_on_and_is_told_at_the_form(context: BrowserContext, installation: Installation) -> None:
    page = context.new_page()
    page.goto(f"{installation.url}/sign-in")
    page.get_by_label("E-mail").fill("ana@example.org")
    page.get_by_label("Password").fill("three hundred lemon trees")
    context.clear_cookies()  # as a browser that took none in the first place
    page.locator("main form button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This browser keeps no cookies")
    page.goto(f"{installation.url}/privacy/choices")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your privacy choices")


@pytest.mark.parametrize("page_", ["recipients", "recipients/mail_relay"])
def test_SHR_03_the_register_in_the_console_passes_axe(
    chromium: Browser, installation: Installation, operator: Visitor, page_: str
) -> None:
    way = WAYS["desktop"]
    values = {"key": "mail_relay", "kind": "processor", "name": "Post Ltd", "does": "Delivers mails", "region": "Germany"}
    operator.send(operator.get("/console/recipients"), "/console/recipients", **values)
    with window(chromium, installation.url, session=operator.session, way=way) as page:
        look_at(page, installation.url, f"/console/{page_}", way)
