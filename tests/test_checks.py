"""Each rule of the house catches what it is there for, and lets through what is right."""

import re
from collections.abc import Iterator

import pytest

from tests import checks

GOOD_ROW = "| {} | What it says | `Makefile` | `test_{}_is_kept` |"


def page(**rows: str) -> str:
    """A page with every promise open but those given."""
    lines = [rows.get(promise, f"| {promise} | What it says | open | |") for promise in checks.PROMISES]
    return "\n".join(["| id | promise | code | test |", "|---|---|---|---|", *lines, ""])


def found(remarks: Iterator[str]) -> str:
    """The remarks as one text; empty when there are none."""
    return "\n".join(remarks)


def test_every_promise_is_open_or_kept() -> None:
    assert found(checks.promises((checks.ROOT / "docs" / "promises.md").read_text(), checks.test_names())) == ""


def test_promises_have_headings_and_an_id_each() -> None:
    text = (checks.ROOT / "docs" / "promises.md").read_text()
    assert tuple(re.findall(r"^\| ([A-Z]{3}_\d{2}) ", text, re.M)) == checks.PROMISES
    assert len(re.findall(r"^## ", text, re.M)) == 18


def test_a_promise_with_code_and_test_is_kept() -> None:
    kept = page(TEL_02=GOOD_ROW.format("TEL_02", "TEL_02"))
    assert found(checks.promises(kept, {"test_TEL_02_is_kept"})) == ""


@pytest.mark.parametrize(
    ("row", "remark"),
    [
        ("| TEL_02 | Says | `no/such/file.py` | `test_TEL_02_is_kept` |", "names no/such/file.py, which does not exist"),
        ("| TEL_02 | Says | somewhere | `test_TEL_02_is_kept` |", "names no code in backticks"),
        ("| TEL_02 | Says | `Makefile` | |", "names no test that carries its id"),
        ("| TEL_02 | Says | `Makefile` | `test_something_else` |", "names no test that carries its id"),
        ("| TEL_02 | Says | `Makefile` | `test_TEL_02_long_gone` |", "names test_TEL_02_long_gone, which is not a test"),
        ("| TEL_02 | Says | open |", "TEL_02 stands there 0 times"),
        ("", "TEL_02 stands there 0 times"),
        ("| TEL_02 | a | open | |\n| TEL_02 | b | open | |", "TEL_02 stands there 2 times"),
        ("| TEL_02 | a | open | |\n| TEL_99 | b | open | |", "TEL_99 is not a promise"),
    ],
)
def test_a_promise_that_is_neither_open_nor_kept_is_named(row: str, remark: str) -> None:
    assert remark in found(checks.promises(page(TEL_02=row), {"test_TEL_02_is_kept", "test_something_else"}))


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("lineset.pages.home.now", "lineset.sites", True),
        ("lineset.pages.home.now", "lineset.sites.service", False),
        ("lineset.control.service", "lineset.telemetry.model", False),
        ("lineset.sites.service", "lineset.sites.model", True),
        ("lineset.sites", "lineset.sites.service", True),
        ("lineset.sitesearch", "lineset.sites.service", False),
        ("lineset.schema", "lineset.sites.model", True),
        ("lineset.sites.model", "lineset.kit.database", True),
    ],
)
def test_nobody_imports_past_a_face(importer: str, imported: str, allowed: bool) -> None:
    remarks = found(checks.past_faces([(importer, imported)]))
    assert (remarks == "") is allowed
    if not allowed:
        assert f"import it from lineset.{imported.split('.')[1]}" in remarks


def test_a_module_that_the_face_offers_may_be_imported() -> None:
    imports = [("lineset.web", "lineset.telemetry.live"), ("lineset.web", "lineset.telemetry.store")]
    assert "lineset.telemetry.store" in (remarks := found(checks.past_faces(imports, {"lineset.telemetry.live"})))
    assert "lineset.telemetry.live" not in remarks


def test_services_do_not_commit() -> None:
    committing = "async def add(tx):\n    await tx.session.commit()\n"
    assert found(checks.commits("packages/server/lineset/sites/service.py", committing)) == (
        "packages/server/lineset/sites/service.py:2 commits; only the edge of a transaction does"
    )
    assert found(checks.commits("packages/server/lineset/schema.py", committing)) == ""
    assert found(checks.commits("packages/server/lineset/sites/service.py", "await tx.session.flush()\n")) == ""


@pytest.mark.parametrize("line", ['return "<div>"', "text = f'<td class={x}>'", 'mail = "<p>Hello</p>"', 'x = "<h1>"'])
def test_html_stands_in_templates(line: str) -> None:
    assert "put it into a template" in found(checks.html_in_code("pages/home/now.py", line))


@pytest.mark.parametrize("line", ["if a < b:", 'sql = "SELECT 1 WHERE a < 2"', 'say = "<name> is missing"', "wait: list[Path] = []"])
def test_code_without_html_passes(line: str) -> None:
    assert found(checks.html_in_code("pages/home/now.py", line)) == ""


def test_lock_files_carry_no_address() -> None:
    for bad in ("--index-url https://packages.example/simple", '"resolved": "http://mirror.example/x.tgz"', "registry.example"):
        assert "holds an address" in found(checks.addresses("requirements.lock", bad))
    assert found(checks.addresses("requirements.lock", "msgspec==0.19.0 \\\n    --hash=sha256:00\n")) == ""


def test_links_of_the_documentation_lead_somewhere() -> None:
    assert found(checks.links("docs/promises.md", "[m](../Makefile) [a](promises.md#control) [w](https://example.org/x) [h](#here)")) == ""
    remarks = found(checks.links("docs/promises.md", "![a](screenshots/none.png) [m](Makefile)"))
    assert "docs/promises.md links to screenshots/none.png, which does not exist" in remarks
    assert "docs/promises.md links to Makefile, which does not exist" in remarks


def test_what_is_ignored_by_git_is_not_checked() -> None:
    names = {path.relative_to(checks.ROOT).parts[0] for path in checks.tracked("*.py", "**/*.py")}
    assert "tests" in names
    assert not names & {".venv", "node_modules", ".make"}


def test_the_names_of_tests_are_found() -> None:
    assert {"test_every_promise_is_open_or_kept", "test_the_names_of_tests_are_found"} <= checks.test_names()


@pytest.mark.parametrize(
    ("path", "line", "remarked"),
    [
        ("packages/server/lineset/privacy/door.py", "set_config('app.purpose', :purpose, true)", False),
        ("packages/server/lineset/telemetry/store.py", "set_config('app.actor', 'system:ingest', true)", False),
        ("packages/server/lineset/control/views.py", "SELECT set_config('app.purpose', 'analytics', true)", True),
        ("packages/server/lineset/sites/service.py", "set_config('app.actor', :who, true)", True),
        ("packages/server/lineset/sites/service.py", "tx.context.purpose", False),
    ],
)
def test_PRV_05_only_the_door_states_a_purpose(path: str, line: str, remarked: bool) -> None:
    assert bool(found(checks.purposes(path, line))) is remarked


@pytest.mark.parametrize(
    ("line", "remarked"),
    [
        ("import geoip2.database", True),
        ("from geopy.geocoders import Nominatim", True),
        ("reader = maxminddb.open(path)", True),
        ("place = 1", False),
    ],
)
def test_EQP_04_no_code_makes_a_place_of_an_address(line: str, remarked: bool) -> None:
    assert bool(found(checks.derived_places("packages/server/lineset/x.py", line))) is remarked
    for path in checks.tracked("packages/**/*.py"):
        assert found(checks.derived_places(str(path), path.read_text())) == ""
    for manifest in (*checks.tracked("**/pyproject.toml", "pyproject.toml"), checks.ROOT / "requirements.lock"):
        assert found(checks.derived_places(str(manifest), manifest.read_text())) == "", "nor is a library for it installed"
