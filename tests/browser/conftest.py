"""A real browser (Debian's chromium), the preview of all samples, and the real web process with seeded homes."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
from lineset.embedded.ports import free_port
from lineset.kit.settings import Settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.homes import Seeded, seed
from tests.checks import ROOT
from tests.functional.pages.conftest import ines, installation, operator  # noqa: F401 - fixtures of the people's pages
from tests.support.engines import Engines
from tests.support.web import web_process

T = TypeVar("T")
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages of the running platform are looked at by axe on a desk or in the narrowest window, by turns; in all ways in `make soak`."""
    for item in items:
        given = getattr(item, "callspec", None)
        if "browser/" not in item.nodeid or given is None or given.params.get("way") is None:
            continue
        path = str(given.params.get("path", ""))
        turn = ("desktop", "narrow")[sum(path.encode()) % 2]
        if given.params["way"] == "phone" or (path and given.params["way"] != turn):
            item.add_marker(pytest.mark.soak)


@dataclass(frozen=True)
class World:
    """The real platform's pages and who lives there."""

    url: str
    homes: Seeded
    engines: Engines
    settings: Settings


def elsewhere(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a thread of its own: playwright's loop holds this one."""

    async def whole() -> T:
        result = await make()
        for _ in range(20):  # transports that were closed let go of their sockets in the loop's next turns
            await asyncio.sleep(0.005)
        return result

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(whole())).result()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for each file: while it is open, playwright's loop holds this thread, and others may need one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def preview() -> Iterator[str]:
    """The address of the sample pages."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.preview", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while True:
        try:
            httpx.get(url, timeout=2)
            break
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="package")
def world(engines: Engines, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The web process on a database with two homes of one household and a contractor."""
    with engines.database(template) as address:
        settings = msgspec.structs.replace(engines.settings, database_url=address)
        homes = elsewhere(lambda: seed(settings))
        with web_process(engines, address, tmp_path_factory.mktemp("web") / "web.log") as url:
            yield World(url, homes, engines, settings)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile."""
    made = chromium.new_context(viewport={"width": 1200, "height": 900}, timezone_id="America/Los_Angeles", locale="en-US")
    yield made
    made.close()


def sign_in(page: Page, world: World, email: str) -> None:
    """Sign in through the page, as anybody would."""
    page.goto(f"{world.url}/sign-in")
    page.fill("#f-email", email)
    page.fill("#f-password", world.homes.password)
    page.click("main form button")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def complaints(page: Page) -> list[str]:
    """Errors that the page prints to its console from now on, violations of its policy among them."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found
