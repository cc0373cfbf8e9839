"""One fresh installation for the tests of a worker, its operator, and a hosted installation behind a proxy."""

import re
from collections.abc import Iterator

import pytest

from tests.functional.pages.installation import Installation
from tests.support.engines import Engines
from tests.support.visitor import PASSWORD, Visitor, new_address
from tests.support.web import web_process

HOSTED = {
    "LINESET_PUBLIC_URL": "https://heat.example.org",
    "LINESET_SMTP_URL": "smtp://127.0.0.1:1",
    "LINESET_CONTACT_NAME": "Heat Cooperative",
    "LINESET_CONTACT_ADDRESS": "1 Main Street\nTruckee, CA 96161",
    "LINESET_CONTACT_EMAIL": "hello@heat.example.org",
}


@pytest.fixture(scope="package")
def installation(engines: Engines, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The web process on an empty database. It has no operator until a test or the fixture `operator` sets one up."""
    log = tmp_path_factory.mktemp("web") / "web.log"
    with engines.database(template) as address, web_process(engines, address, log) as url:
        yield Installation(url, address, engines)


@pytest.fixture(scope="package")
def hosted(engines: Engines, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a web process that has a public name, a mail server and contact details."""
    log = tmp_path_factory.mktemp("hosted") / "web.log"
    with engines.database(template) as address, web_process(engines, address, log, HOSTED) as url:
        yield url


@pytest.fixture
def visitor(installation: Installation) -> Iterator[Visitor]:
    """Somebody with a browser and nothing else."""
    with Visitor(installation.url) as somebody:
        yield somebody


@pytest.fixture
def ines(installation: Installation) -> Iterator[Visitor]:
    """Somebody who has just signed up, and owns a household."""
    with Visitor(installation.url) as somebody:
        somebody.sign_up("Ines Lund", household="Lund family")
        yield somebody


@pytest.fixture(scope="package")
def operator(installation: Installation) -> Iterator[Visitor]:
    """The operator, set up by the link of the terminal."""
    with Visitor(installation.url) as somebody:
        link = installation.operator_link()
        assert link is not None
        page = somebody.get(link)
        somebody.send(page, "/operator", name="Sam Okafor", email=new_address("sam"), password=PASSWORD)
        yield somebody


@pytest.fixture
def company(operator: Visitor, installation: Installation) -> Iterator[tuple[str, Visitor]]:
    """A company of its own by name, with its manager signed in."""
    name, email = f"Alder {new_address('m')}".replace("@example.org", ""), new_address("priya")
    operator.send(operator.get("/console/companies"), "/console/companies", name=name, manager_email=email)
    with Visitor(installation.url) as manager:
        page = manager.get(manager.mail(email, "/invitation"))
        manager.send(page, "/invitation/new", name="Priya Shah", password=PASSWORD)
        yield name, manager


def household_of(visitor: Visitor) -> str:
    """The path of the visitor's household page."""
    path = visitor.get("/account/household").path
    assert re.fullmatch(r"/account/household/[0-9a-f-]{36}", path), path
    return path
