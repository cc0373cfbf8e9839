"""Recorded history from a CSV file into a machine at a site: what `lineset import` does."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from uuid import UUID

from lineset import accounts, sites, telemetry
from lineset.kit.errors import Invalid
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System, Tx
from lineset.telemetry import recorded

CONTEXT = Context(System("import"), Purpose.OPERATE)
Progress = Callable[[float, int], None]


@dataclass(slots=True)
class Report:
    """What an import did, or would do: rows stored, rows that can't be used, and how each column was understood."""

    site: UUID | None
    equipment: UUID | None
    rows: int
    bad: list[recorded.BadRow]
    columns: dict[str, str]
    left_out: list[str]
    first: datetime | None = None
    last: datetime | None = None
    made: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """What to import and where. A site or machine that is not there yet is made; `skip_bad` loads the good rows of a file with bad ones."""

    file: Path
    site: str
    equipment: str
    mapping: recorded.FileMapping
    dry_run: bool = False
    skip_bad: bool = False


async def import_csv(platform: Platform, request: Request, progress: Progress = lambda _done, _rows: None) -> Report:
    """Read the whole file once to judge it, then once more to store it, so that a bad row stops the import before anything is stored.

    Raises:
        Invalid: the file or the mapping can't be used, several sites have that name, or there are bad rows and `skip_bad` is not set.
    """
    zone = request.mapping.time_zone or await _zone_of(platform, request.site)
    report = _judge(request, zone, lambda done, rows: progress(done / 2, rows))
    if report.bad and not request.skip_bad and not request.dry_run:
        first = "; ".join(f"line {b.line}: {b.why}" for b in report.bad[:5])
        raise Invalid(
            "bad_rows",
            f"{_rows(len(report.bad))} can't be used, so nothing was loaded ({first}). Mend the file, or load the rest with --skip-bad.",
        )
    if request.dry_run:
        return report
    if not report.rows:
        raise Invalid("no_rows", "The file has no row that can be used, so nothing was loaded.")
    async with platform.door.open(CONTEXT) as tx:
        report.site, report.equipment = await _place(tx, request, zone, report)
    assert report.equipment is not None  # noqa: S101 - just set
    stored = 0
    with _opened(request.file) as file:
        how = recorded.plan(recorded.heads(file), request.mapping, recorded.sample(file))
        for chunk in recorded.rows(file, how, zone, request.file.stat().st_size):
            async with platform.door.open(CONTEXT) as tx:
                stored += await telemetry.load(tx, report.equipment, chunk.t, chunk.columns, now=time.time())
            progress(0.5 + chunk.done / 2, stored)
    report.rows = stored
    return report


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _judge(request: Request, zone: str, progress: Progress) -> Report:
    try:
        file = _opened(request.file)
    except OSError as error:
        raise Invalid("no_file", f"{request.file} can't be read: {error.strerror}.") from error
    with file:
        how = recorded.plan(recorded.heads(file), request.mapping, recorded.sample(file))
        report = Report(None, None, 0, [], dict(recorded.unit_note(how.columns)), how.left_out)
        earliest, latest = float("inf"), float("-inf")
        for chunk in recorded.rows(file, how, zone, request.file.stat().st_size):
            report.rows += len(chunk.t)
            report.bad += chunk.bad
            if len(chunk.t):
                earliest, latest = min(earliest, chunk.t.min()), max(latest, chunk.t.max())
            progress(chunk.done, report.rows)
    if report.rows:
        report.first, report.last = datetime.fromtimestamp(earliest, UTC), datetime.fromtimestamp(latest, UTC)
    return report


async def _zone_of(platform: Platform, name: str) -> str:
    async with platform.door.open(CONTEXT) as tx:
        site = await _find_site(tx, name)
        return "UTC" if site is None else site.time_zone


async def _find_site(tx: Tx, name: str) -> sites.Site | None:
    found = [s for s in await sites.list_sites(tx) if name in {s.name, str(s.id)}]
    if len(found) > 1:
        raise Invalid("several_sites", f"{len(found)} sites are named {name!r}. Give the id of one: {', '.join(str(s.id) for s in found)}.")
    return found[0] if found else None


async def _place(tx: Tx, request: Request, zone: str, report: Report) -> tuple[UUID, UUID]:
    """The site and machine that the rows go to, made where they are missing."""
    mapping = request.mapping
    site = await _find_site(tx, request.site)
    if site is None:
        household = await accounts.make_household(tx, request.site)
        site_id = await sites.create_site(tx, household, name=request.site, time_zone=zone)
        report.made.append(f"site {request.site}")
    else:
        site_id = site.id
    machines = [m for m in await sites.list_equipment(tx, site_id=site_id) if m.retired_at is None]
    named = [m for m in machines if request.equipment in {m.name, m.local_name, str(m.id)} or (mapping.name and m.name == mapping.name)]
    alike = named or [m for m in machines if m.type == request.equipment and not mapping.name]
    if len(alike) > 1:
        raise Invalid(
            "several_machines", f"Several machines fit {request.equipment!r}. Give the id of one: {', '.join(str(m.id) for m in alike)}."
        )
    if alike:
        if report.first is not None:
            await sites.extend_tenure(tx, alike[0].id, report.first)
        return site_id, alike[0].id
    new = sites.NewEquipment(
        name=mapping.name or request.equipment.replace("_", " ").capitalize(),
        type=request.equipment,
        make=mapping.make,
        model=mapping.model,
        serial_number=mapping.serial_number,
        capacity_w=mapping.capacity_w,
        place=mapping.place,
    )
    report.made.append(f"machine {new.name}")
    return site_id, await sites.add_equipment(tx, site_id, new, owned_since=report.first)
