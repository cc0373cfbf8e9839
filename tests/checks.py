"""Rules of the house that no general linter knows. Run by `make check`; tested by tests/test_checks.py.

Each rule yields sentences that say where and what to do.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
DOMAINS = ("accounts", "messaging", "sites", "gateways", "telemetry", "control")
WHOLE = {"lineset.schema"}
"""The one module that sees all tables."""


def past_faces(imports: list[tuple[str, str]]) -> Iterator[str]:
    """Nobody imports past the face of a domain: `lineset.sites`, never `lineset.sites.service`."""
    for importer, imported in imports:
        parts = imported.split(".")
        inside = len(parts) > 2 and parts[1] in DOMAINS and not importer.startswith(f"lineset.{parts[1]}")
        if inside and importer not in WHOLE:
            yield f"{importer} imports {imported}: import it from lineset.{parts[1]}, and add it to that face if it belongs there"


def commits(path: str, text: str) -> Iterator[str]:
    """Services never commit: the transaction's edge does."""
    if not re.search(r"lineset/(kit|privacy|schema|telemetry/ingestor)", path):
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\.commit\(\)", line):
                yield f"{path}:{number} commits; only the edge of a transaction does"


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
    """Every promise that is not open names code that exists and a test whose name carries its id."""
    for row in re.findall(r"^\|\s*([A-Z]+_\d+)\s*\|(.*)\|(.*)\|(.*)\|$", page, re.M):
        promise, _, code, test = (cell.strip() for cell in row)
        if code == "open":
            continue
        for path in re.findall(r"`([^`]+)`", code):
            if not (ROOT / path).exists():
                yield f"docs/promises.md: {promise} names {path}, which does not exist"
        if promise not in names:
            yield f"docs/promises.md: {promise} is not open, but no test carries its id"
        if not test:
            yield f"docs/promises.md: {promise} names no test"


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that match."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_names() -> set[str]:
    """Ids of promises that stand in names of tests."""
    found: set[str] = set()
    for path in tracked("tests/**/*.py", "tests/*.py"):
        for name in re.findall(r"def (test_\w+)", path.read_text()):
            found |= set(re.findall(r"[A-Z]{3}_\d{2}", name))
    return found


def everything() -> Iterator[str]:
    """All rules over the whole repository."""
    graph = grimp.build_graph("lineset", cache_dir=None)
    yield from past_faces([(a, b) for a in sorted(graph.modules) for b in sorted(graph.find_modules_directly_imported_by(a))])
    for path in tracked("packages/server/**/*.py"):
        name, text = str(path.relative_to(ROOT)), path.read_text()
        yield from commits(name, text)
        yield from html_in_code(name, text)
    for lock in tracked("requirements.lock", "package-lock.json"):
        yield from addresses(lock.name, lock.read_text())
    page = ROOT / "docs" / "promises.md"
    yield from promises(page.read_text(), test_names())


if __name__ == "__main__":
    remarks = list(everything())
    for remark in remarks:
        print(remark, file=sys.stderr)
    sys.exit(1 if remarks else 0)
