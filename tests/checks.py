"""Rules of the house that no general linter knows. Run by `make check`; tested by tests/test_checks.py.

Each rule yields sentences that say where and what to do.
"""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator, Set
from pathlib import Path

import grimp

from tests.outside import outside, unused

ROOT = Path(__file__).parent.parent
DOMAINS = ("accounts", "apps", "messaging", "sites", "gateways", "telemetry", "control")
WHOLE = {"lineset.schema"}
"""The one module that sees all tables."""
_AREAS = {
    **{"PLT": 6, "ACC": 7, "EQP": 4, "TEL": 5, "CTL": 4, "AUT": 5, "DIA": 7, "REP": 2, "MSG": 3, "COM": 3, "OFF": 3, "TAG": 5, "USE": 4},
    **{"PRV": 7, "SHR": 8, "SEC": 4, "DEL": 3, "RET": 2, "CMP": 5, "POL": 3},
}
PROMISES = tuple(f"{area}_{number:02}" for area, count in _AREAS.items() for number in range(1, count + 1))
"""The id of every promise, kept or open."""
KEPT = ROOT / "packages/server/lineset/privacy/policy/kept.txt"
"""The kept promises as the package carries them, since the page is not installed with it."""


def past_faces(imports: list[tuple[str, str]], offered: Set[str] = frozenset()) -> Iterator[str]:
    """Nobody imports past the face of a domain: `lineset.sites`, never `lineset.sites.service`. `offered`: modules that a face names."""
    for importer, imported in imports:
        parts = imported.split(".")
        inside = len(parts) > 2 and parts[1] in DOMAINS and not f"{importer}.".startswith(f"lineset.{parts[1]}.")
        if inside and importer not in WHOLE and imported not in offered:
            yield f"{importer} imports {imported}: import it from lineset.{parts[1]}, and add it to that face if it belongs there"


def commits(path: str, text: str) -> Iterator[str]:
    """Services never commit: the transaction's edge does."""
    if not re.search(r"lineset/(kit|privacy|schema|migrating|telemetry/ingestor)", path):
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\.commit\(\)", line):
                yield f"{path}:{number} commits; only the edge of a transaction does"


_STATES_PURPOSES = re.compile(
    r"lineset/(privacy/door|telemetry/store|privacy/access\w*|probing/rows|backup/taking)\.\w+$"
)  # the last two as owner
_DERIVES_PLACES = re.compile(r"\b(geoip2?|maxminddb|ip2location|geolite|geocoder|geopy|nominatim|ip_to_\w+)\b", re.IGNORECASE)


def purposes(path: str, text: str) -> Iterator[str]:
    """One transaction has one purpose: the door states it, and nothing within changes it to reach what is held for another.

    Besides it only those that work without the door: ingestion, and the owner's own backup and search after an erasure.
    """
    if not _STATES_PURPOSES.search(path):
        for number, line in enumerate(text.splitlines(), 1):
            if "app.purpose" in line or "app.actor" in line:
                yield f"{path}:{number} states who acts or why; open the door with a context instead"


def derived_places(path: str, text: str) -> Iterator[str]:
    """No code makes a place of a network address or of a street: places are told by their people, behind a switch."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _DERIVES_PLACES.search(line):
            yield f"{path}:{number} derives a place ({found[0]}); a place is told through sites.set_place alone"


def html_in_code(path: str, text: str) -> Iterator[str]:
    """HTML stands in templates."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"[\"']\s*<(div|span|p|a|ul|li|table|tr|td|h[1-6]|form|input|button)[ >]", line):
            yield f"{path}:{number} holds HTML; put it into a template"


def addresses(path: str, text: str) -> Iterator[str]:
    """Lock files carry no address of a registry."""
    if re.search(r"https?://|registry\.", text):
        yield f"{path} holds an address; make it again with `make lock` or npm's omit-lockfile-registry-resolved"


def promises(page: str, names: set[str]) -> Iterator[str]:
    """Every promise is on the page once; one that is not open names code that exists and tests that exist, one of which carries its id."""
    rows = re.findall(r"^\|\s*([A-Z]{3}_\d{2})\s*\|([^|]*)\|([^|]*)\|([^|]*)\|$", page, re.M)
    listed = [row[0] for row in rows]
    for promise in PROMISES:
        if listed.count(promise) != 1:
            yield f"docs/promises.md: {promise} stands there {listed.count(promise)} times; give it one row of four cells"
    for promise in sorted(set(listed) - set(PROMISES)):
        yield f"docs/promises.md: {promise} is not a promise that tests/checks.py knows"
    for row in rows:
        promise, _, code, test = (cell.strip() for cell in row)
        if code == "open":
            continue
        paths = re.findall(r"`([^`]+)`", code)
        if not paths:
            yield f"docs/promises.md: {promise} is not open, but names no code in backticks"
        for path in paths:
            if not (ROOT / path).exists():
                yield f"docs/promises.md: {promise} names {path}, which does not exist"
        tests = set(re.findall(r"`(test_\w+)`", test))
        if not any(f"test_{promise}_" in name for name in tests):
            yield f"docs/promises.md: {promise} is not open, but names no test that carries its id"
        for name in sorted(tests - names):
            yield f"docs/promises.md: {promise} names {name}, which is not a test"


def kept_ids(page: str) -> list[str]:
    """The ids of the promises that the page says are kept."""
    rows = re.findall(r"^\|\s*([A-Z]{3}_\d{2})\s*\|[^|]*\|([^|]*)\|[^|]*\|$", page, re.M)
    return sorted(promise for promise, code in rows if code.strip() != "open")


def kept(page: str, listed: str) -> Iterator[str]:
    """What the installed platform takes for kept is what the page says: a policy never promises what is open."""
    if listed.split() != kept_ids(page):
        yield "privacy/policy/kept.txt and docs/promises.md differ; run `.venv/bin/python -m tests.checks --kept`"


def links(page: str, text: str) -> Iterator[str]:
    """What a page of the documentation links to or shows exists. `page` is its path in the repository."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", target) and not (ROOT / page).parent.joinpath(target).exists():
            yield f"{page} links to {target}, which does not exist"


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that match."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def server_code() -> dict[str, str]:
    """The text of the server's modules by their path below packages/server/lineset."""
    server = ROOT / "packages" / "server" / "lineset"
    return {str(path.relative_to(server)): path.read_text() for path in tracked("packages/server/lineset/*.py")}


def test_names() -> set[str]:
    """Names of all tests."""
    return {name for path in tracked("tests/**/*.py", "tests/*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}


def everything() -> Iterator[str]:
    """All rules over the whole repository."""
    graph = grimp.build_graph("lineset", cache_dir=None)
    imports = [(a, b) for a in sorted(graph.modules) for b in sorted(graph.find_modules_directly_imported_by(a))]
    yield from past_faces(imports, {f"lineset.{d}.{n}" for d in DOMAINS for n in importlib.import_module(f"lineset.{d}").__all__})
    for path in tracked("packages/server/**/*.py"):
        name, text = str(path.relative_to(ROOT)), path.read_text()
        yield from commits(name, text)
        yield from html_in_code(name, text)
        yield from purposes(name, text)
        yield from derived_places(name, text)
    code = server_code()
    for name, text in code.items():
        yield from outside(name, text)
    yield from unused(code)
    for lock in tracked("requirements.lock", "package-lock.json"):
        yield from addresses(lock.name, lock.read_text())
    for path in tracked("*.md", "docs/**/*.md"):
        yield from links(str(path.relative_to(ROOT)), path.read_text())
    page = (ROOT / "docs" / "promises.md").read_text()
    yield from promises(page, test_names())
    yield from kept(page, KEPT.read_text())


if __name__ == "__main__":
    if "--kept" in sys.argv:
        KEPT.write_text("".join(f"{promise}\n" for promise in kept_ids((ROOT / "docs" / "promises.md").read_text())))
    remarks = list(everything())
    for remark in remarks:
        print(remark, file=sys.stderr)
    sys.exit(1 if remarks else 0)
