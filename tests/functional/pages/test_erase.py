"""A machine erased by its owner, by the pages alone."""

import psycopg

from tests.functional.pages.installation import Installation
from tests.functional.pages.test_transfer import SITE, machine_of
from tests.support.visitor import Visitor


def test_DEL_01_an_owner_reads_what_goes_and_stays_before_a_machine_is_erased(ines: Visitor, installation: Installation) -> None:
    base = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE).path
    ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Old boiler", type="boiler_gas")
    machine = machine_of(ines, base)
    edit = ines.get(f"{base}/machines/{machine}/edit")
    assert f'href="{base}/machines/{machine}/erase"' in edit.html
    page = ines.get(f"{base}/machines/{machine}/erase")
    assert page.path == f"{base}/privacy/delete/machine/{machine}"
    for words in ("Delete: Machine: Old boiler", "Goes, and does not come back", "Stays, and why", "The machines keep running"):
        assert words in page.text, page.text
    unsure = ines.send(page, page.path, sure="", when="now")
    assert unsure.status == 422
    assert "Say that you have read what goes." in unsure.text
    done = ines.send(page, page.path, sure="yes", when="now")
    assert done.path == f"{base}/privacy/requests"
    assert "Machine" in done.text
    with psycopg.connect(installation.database) as owner:
        waiting = owner.execute("SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'privacy.erase'").fetchone()
    assert waiting == (1,)


def test_DEL_01_nobody_but_an_owner_comes_to_the_page(ines: Visitor, installation: Installation) -> None:
    base = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE).path
    ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Old boiler", type="boiler_gas")
    machine = machine_of(ines, base)
    with Visitor(installation.url) as stranger:
        stranger.sign_up("Omar Diaz", household="Diaz family")
        assert stranger.get(f"{base}/machines/{machine}/erase").status == 404
    assert ines.get(f"{base}/machines/{machine}").status == 200
