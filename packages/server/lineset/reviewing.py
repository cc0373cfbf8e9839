"""The dated review of practices: who has access, who processes, what retention does, keys, dependencies, and what the operator states."""

import asyncio
import re
import stat
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography import x509

from lineset import accounts, telemetry
from lineset.accounts import AccessReview
from lineset.kit.clock import now
from lineset.kit.settings import Settings
from lineset.platform import Platform, open_platform
from lineset.privacy import Context, Purpose, System
from lineset.privacy.egress import register_rows
from lineset.privacy.evidence import MEASURES, Attestation, Overdue, RetentionReport, attestations, keep_evidence, retention_report
from lineset.privacy.request_log import REQUESTS
from lineset.privacy.request_log import overdue as late_requests
from lineset.privacy.retention import HOUSEKEEPING

REVIEW = Context(System("review"), Purpose.SECURITY)
LOG_DAYS = 14
_UNSEEN = timedelta(days=90)
_SOON = timedelta(days=30)
_STALE = timedelta(days=365)
_PACKAGES = ("lineset", "lineset-contract")
T = TypeVar("T")


class KeyState(msgspec.Struct, frozen=True):
    """A key or certificate of this installation. `private`: nobody but its owner can read it."""

    name: str
    changed_at: datetime
    private: bool
    ends_at: datetime | None = None


class ProcessorState(msgspec.Struct, frozen=True):
    """A recipient of the register, with what it may get now. `used`: the settings send data there; `complete`: it may receive."""

    name: str
    kind: str
    region: str
    used: bool
    complete: bool
    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    ended_at: datetime | None


class Dependency(msgspec.Struct, frozen=True):
    """A library that the server uses directly, in the version that is installed."""

    name: str
    version: str


class Review(msgspec.Struct, frozen=True):
    """One review. `attention` names what somebody should look at; empty when nothing."""

    made_at: datetime
    version: str
    access: AccessReview
    processors: tuple[ProcessorState, ...]
    retention: RetentionReport
    keys: tuple[KeyState, ...]
    dependencies: tuple[Dependency, ...]
    measures: tuple[Attestation, ...]
    attention: tuple[str, ...]


def overdue(platform: Platform) -> dict[str, Overdue]:
    """What counts files past their time, by the pattern of their declaration."""

    def history(tier: "telemetry.Tier") -> Overdue:
        return lambda: telemetry.overdue_files(platform.door, tier)

    async def logs() -> int:
        return await asyncio.to_thread(_older_than, platform.settings.data / "logs", LOG_DAYS + 1)

    async def requests() -> int:
        return await asyncio.to_thread(late_requests, platform.settings.data)

    return {"history/raw/**": history("raw"), "history/hour/**": history("hour"), "history/day/**": history("day"), "logs/**": logs} | {
        REQUESTS.pattern: requests
    }


def _older_than(folder: Path, days: int) -> int:
    limit = time.time() - days * 86_400
    return sum(path.is_file() and path.stat().st_mtime < limit for path in folder.rglob("*"))


async def review(platform: Platform, *, keep: bool = True) -> Review:
    """Look at everything now; the review is kept as evidence unless told otherwise."""
    async with platform.door.open(REVIEW) as tx:
        access = await accounts.access_review(tx)
    async with platform.door.open(HOUSEKEEPING) as tx:
        retention = await retention_report(tx, platform.register, now().date(), overdue(platform))
        stated = tuple(await attestations(tx))
        rows = await register_rows(tx, platform.settings)
    processors = tuple(
        ProcessorState(r.name or r.key, r.kind, r.region, r.used, r.complete, r.fields, r.purposes, r.ended_at) for r in rows
    )
    keys = tuple(await asyncio.to_thread(_keys, platform.settings))
    parts = (*_about_access(access), *_about_processors(processors), *_about_retention(retention), *_about_keys(keys))
    parts += tuple(_about_measures(stated))
    made = Review(now(), metadata.version("lineset"), access, processors, retention, keys, tuple(_dependencies()), stated, parts)
    if keep:
        async with platform.door.open(HOUSEKEEPING) as tx:
            await keep_evidence(tx, "review", f"{made.made_at:%Y-%m-%d}", made)
    return made


def run(settings: Settings, *, keep: bool) -> Review:
    """`review` in a process of its own."""

    async def work() -> Review:
        async with open_platform(settings, "review") as platform:
            return await review(platform, keep=keep)

    return asyncio.run(work())


def _keys(settings: Settings) -> Iterable[KeyState]:
    for path in sorted(settings.secrets_folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            state = path.stat()
            private = not stat.S_IMODE(state.st_mode) & 0o077
            changed = datetime.fromtimestamp(state.st_mtime, UTC)
            yield KeyState(str(path.relative_to(settings.data)), changed, private, _end_of(path))
    for path in (settings.data / "ca.pem", *sorted((settings.data / "nats").glob("*.pem"))):
        if path.is_file() and (ends := _end_of(path)) is not None:
            yield KeyState(str(path.relative_to(settings.data)), datetime.fromtimestamp(path.stat().st_mtime, UTC), True, ends)


def _end_of(path: Path) -> datetime | None:
    """The end of the certificate in a file; None where it has none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (ValueError, OSError):
        return None


def _dependencies() -> Iterable[Dependency]:
    named = {
        re.split(r"[^A-Za-z0-9_.-]", line)[0] for package in _PACKAGES for line in metadata.requires(package) or () if "extra" not in line
    }
    for name in sorted(named - set(_PACKAGES), key=str.lower):
        yield Dependency(name, metadata.version(name))


def _about_access(access: AccessReview) -> Iterable[str]:
    for one in access.staff:
        if one.seen_at is None or one.seen_at < now() - _UNSEEN:
            yield f"Staff: {one.name} ({one.role}) was not seen for 90 days. Is the role still needed?"
    for company in access.companies:
        if company.households and not company.people:
            yield f"Companies: nobody works at {company.name} any more, but {company.households} households still let it in."
    if access.idle_tokens:
        yield f"Tokens: {access.idle_tokens} were not used for 180 days. Ask their people to revoke them."


def _about_processors(processors: Iterable[ProcessorState]) -> Iterable[str]:
    for one in processors:
        if one.used and not one.complete:
            yield f"Processors: the settings send data to {one.name}, but its entry is not complete. Fill it in in the console."


def _about_retention(report: RetentionReport) -> Iterable[str]:
    for rule in report.rules:
        if rule.overdue:
            yield f"Retention: {rule.overdue} of {rule.what} are there past their time. Does a worker run?"


def _about_keys(keys: Iterable[KeyState]) -> Iterable[str]:
    for key in keys:
        if not key.private:
            yield f"Keys: {key.name} can be read by others on this machine. chmod 600 it."
        if key.ends_at is not None and key.ends_at < now() + _SOON:
            yield f"Keys: {key.name} ends on {key.ends_at:%Y-%m-%d}."


def _about_measures(stated: Iterable[Attestation]) -> Iterable[str]:
    at = {one.measure: one.at for one in stated}
    for measure in MEASURES:
        if measure not in at:
            yield f"Measures: nothing is stated on {measure}. State it in the console, under Evidence."
        elif at[measure] < now() - _STALE:
            yield f"Measures: what is stated on {measure} is older than a year. State it again."


def told(made: Review) -> Iterable[tuple[str, str]]:
    """The review as lines of text, each with a style: head, line or attention."""
    yield "head", f"Review of {made.made_at:%Y-%m-%d %H:%M} UTC, Lineset {made.version}"
    yield from _section("Needs attention", made.attention or ("nothing",), str, "attention" if made.attention else "line")
    yield from _section("Staff", made.access.staff, lambda s: f"{s.name}, {s.role}, since {s.since:%Y-%m-%d}, last seen {_day(s.seen_at)}")
    yield from _section(
        "Companies",
        made.access.companies,
        lambda c: f"{c.name}: {c.people} people, {c.households} households, {c.grants} grants, {c.endless} of them without an end",
    )
    yield "line", f"  programs' tokens: {made.access.tokens}, unused for 180 days: {made.access.idle_tokens}"
    yield from _section(
        "Processors and other recipients",
        made.processors,
        lambda p: f"{p.name}, {p.kind}, {p.region or 'no region'}: {', '.join(p.fields) or 'nothing'}" + (" (ended)" if p.ended_at else ""),
    )
    yield from _section(
        f"Retention in {made.retention.period}",
        [r for r in made.retention.rules if r.count or r.overdue],
        lambda r: f"{r.what}: {r.count} {r.action}, {r.overdue or 0} past their time",
    )
    yield "line", f"  households under a hold: {made.retention.held}"
    yield from _section(
        "Keys and certificates",
        made.keys,
        lambda k: f"{k.name}, changed {k.changed_at:%Y-%m-%d}" + (f", ends {k.ends_at:%Y-%m-%d}" if k.ends_at else ""),
    )
    yield from _section("Dependencies (advisories are not looked up from here)", made.dependencies, lambda d: f"{d.name} {d.version}")
    yield from _section("Stated by the operator", made.measures, lambda m: f"{m.measure}, {m.at:%Y-%m-%d}: {m.statement}")


def _section(title: str, rows: Iterable[T], say: Callable[[T], str], style: str = "line") -> Iterable[tuple[str, str]]:
    yield "head", title
    for row in rows:
        yield style, f"  {say(row)}"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"
