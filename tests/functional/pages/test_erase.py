"""A machine erased by its owner, by the pages alone."""

import psycopg

from tests.functional.pages.installation import Installation
from tests.functional.pages.test_transfer import SITE, machine_of
from tests.support.visitor import Visitor


def test_DEL_02_an_owner_reads_what_goes_and_erases_by_the_machines_name(ines: Visitor, installation: Installation) -> None:
    base = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE).path
    ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Old boiler", type="boiler_gas")
    machine = machine_of(ines, base)
    edit = ines.get(f"{base}/machines/{machine}/edit")
    assert f'href="{base}/machines/{machine}/erase"' in edit.html
    page = ines.get(f"{base}/machines/{machine}/erase")
    for words in ("What goes, and does not come back", "What stays", "goes on working", "earlier owner"):
        assert words in page.text
    wrong = ines.send(page, f"{base}/machines/{machine}/erase", name="boiler")
    assert wrong.status == 422
    assert "Type the machine" in wrong.text
    done = ines.send(page, f"{base}/machines/{machine}/erase", name="old boiler")
    assert done.path == base
    assert ines.get(f"{base}/machines/{machine}").status == 404
    assert "Old boiler" not in ines.get(f"{base}/machines").html
    with psycopg.connect(installation.database) as owner:
        waiting = owner.execute("SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'telemetry.erase'").fetchone()
    assert waiting == (1,)


def test_DEL_02_nobody_but_an_owner_comes_to_the_page(ines: Visitor, installation: Installation) -> None:
    base = ines.send(ines.get("/home/sites/new"), "/home/sites/new", **SITE).path
    ines.send(ines.get(f"{base}/machines/new"), f"{base}/machines/new", name="Old boiler", type="boiler_gas")
    machine = machine_of(ines, base)
    with Visitor(installation.url) as stranger:
        stranger.sign_up("Omar Diaz", household="Diaz family")
        assert stranger.get(f"{base}/machines/{machine}/erase").status == 404
    assert ines.get(f"{base}/machines/{machine}").status == 200
