"""The pages of downloads and of keeping in a real browser: every size and theme, and a list that follows what the worker does."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import WAYS, look_at, window
from tests.functional.exports.house import House, house, start  # noqa: F401 - a fixture
from tests.functional.pages.conftest import household_of
from tests.functional.pages.installation import Installation

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("way", WAYS)
def test_TEL_03_pages_of_downloads_and_keeping_pass_axe(
    chromium: Browser,
    installation: Installation,
    house: House,  # noqa: F811 - the fixture
    way: str,
) -> None:
    ines, data = house.owner, f"{house.base}/data"
    start(ines, ines.get(f"{data}?look=1"), data)
    house.make_all()
    start(ines, ines.get(f"{data}?look=1&detail=day&format=parquet"), data)
    ines.send(ines.get("/account"), "/preferences/language", language=WAYS[way].language)
    with window(chromium, installation.url, session=ines.session, way=WAYS[way]) as page:
        for path in (data, f"{data}?look=1", f"{data}?look=1&of=machine:{house.machine}", f"{household_of(ines)}/keeping"):
            # the list asks for itself again and again, so the network is never idle while something is made
            if path == data:
                ines.send(ines.get(data), _cancel(ines.get(data).html))
            look_at(page, installation.url, path, WAYS[way])
        page.locator("input[name=days][value='31']").check()
        page.locator("main form button").first.click()
        expect(page.locator("h2#sure-h")).to_be_visible()


def _cancel(html: str) -> str:
    found = re.search(r'action="([^"]*/cancel)"', html)
    assert found
    return found[1]


def test_TEL_03_the_list_follows_the_worker_without_a_reload(
    chromium: Browser,
    installation: Installation,
    house: House,  # noqa: F811 - the fixture
) -> None:
    with window(chromium, installation.url, session=house.owner.session) as page:
        page.goto(f"{installation.url}{house.base}/data")
        page.get_by_role("button", name="Show how large it is").click()
        page.get_by_role("button", name="Make the file").click()
        expect(page.locator("#list")).to_contain_text("waits for its turn")
        house.make_all()
        expect(page.locator("#list")).to_contain_text("ready, ")
        with page.expect_download() as got:
            page.locator("#list a.btn").first.click()
        assert got.value.suggested_filename.startswith("lineset_")
