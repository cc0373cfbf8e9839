"""One search through everything that an installation keeps."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from lineset.kit.addresses import owner_url
from lineset.kit.settings import Settings
from lineset.probing import objects, pages, rows, streams, wal
from lineset.probing.canary import Canary, Search
from lineset.probing.content import Unsearchable, scan_file
from lineset.probing.places import TIERS, Found, walk

Progress = Callable[[float, int], None]
"""Called with the part that is done, 0 to 1, and the bytes searched so far."""
_ROUNDS = 4  # how often to look for files that came meanwhile
_PATIENCE_S, _AGAIN_S = 5.0, 0.5  # with files that are being written
_NAMED = 200  # places that are named, for each canary and tier; the rest is counted


@dataclass
class Findings:
    """What was found where. `unread`: what could not be searched though it is there, so that nothing is proven; `limits`: what this
    installation can't search at all."""

    canaries: Sequence[Canary]
    counts: list[dict[str, int]] = field(default_factory=list)
    places: list[dict[str, list[str]]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = [{} for _ in self.canaries]
        self.places = [{} for _ in self.canaries]

    def add(self, tier: str, place: str, canaries: dict[int, str] | set[int]) -> None:
        """These canaries are at that place; a dict says where in it."""
        for n in canaries:
            self.counts[n][tier] = self.counts[n].get(tier, 0) + 1
            named = self.places[n].setdefault(tier, [])
            if len(named) < _NAMED:
                named.append(f"{place} ({canaries[n]})" if isinstance(canaries, dict) else place)


def probe(settings: Settings, canaries: Sequence[Canary], progress: Progress = lambda _done, _bytes: None) -> Findings:
    """Search every tier, in the order in which data moves on; the platform may run meanwhile and must answer.

    Raises:
        Unreachable: database, message bus or storage do not answer.
    """
    run = _Run(settings, canaries, progress)
    asyncio.run(run.search_broker())
    with rows.owner(owner_url(settings)) as connection:
        run.search_database(connection)
    run.search_files()
    run.search_objects()
    return run.findings


class _Run:
    def __init__(self, settings: Settings, canaries: Sequence[Canary], progress: Progress) -> None:
        self.findings = Findings(canaries)
        self._settings = settings
        self._search = Search(canaries)
        self._progress = progress
        self._bytes = 0
        self._expected = sum(found.size for found in walk(settings)) or 1
        self._failed: dict[Found, str] = {}
        self._relations: dict[str, tuple[str, bool]] = {}

    def _read(self, count: int) -> None:
        self._bytes += count
        self._progress(min(0.99, self._bytes / self._expected), self._bytes)

    def _steps(self, steps: Iterator[int | dict[int, str]]) -> dict[int, str]:
        """What a search finds, with its progress told."""
        found: dict[int, str] = {}
        for step in steps:
            if isinstance(step, int):
                self._read(step)
            else:
                found |= step
        return found

    async def search_broker(self) -> None:
        """Messages of the streams."""
        async for stream, number, found in streams.scan_streams(self._settings, self._search):
            self.findings.add("broker", f"stream {stream}, message {number}", found)
        if self._settings.nats_url:
            self.findings.limits.append("the files of an outside NATS server")

    def search_database(self, connection: psycopg.Connection) -> None:
        """Rows of the tables; and the data files brought up to date and given their names."""
        for schema, name in rows.tables(connection):
            self.findings.add("hot", f"table {schema}.{name}", set(self._steps(rows.scan_table(connection, schema, name, self._search))))
        if self._settings.database_url:
            self.findings.limits.append("the data files and the write-ahead log of an outside PostgreSQL server")
        if why := rows.checkpoint(connection):
            self.findings.limits.append(why)
        self._relations = rows.files(connection)

    def search_files(self) -> None:
        """Everything below the data folder, and whatever comes there during the search."""
        done: set[tuple[str, tuple[int, int]]] = set()
        for _ in range(_ROUNDS):
            fresh = [f for f in walk(self._settings) if (f.name, f.identity) not in done]
            if not fresh:
                break
            self._expected = max(self._expected, self._bytes + sum(f.size for f in fresh))
            done |= {(f.name, f.identity) for f in fresh}
            log = [f for f in fresh if (f.within_cluster or "").startswith("pg_wal/") and wal.is_segment(f.path.name)]
            self._log(log)
            for found in sorted(set(fresh) - set(log), key=lambda f: TIERS.index(f.tier)):
                self.findings.add(found.tier, f"the name of {found.name}", self._search.in_bytes(found.name.encode()))
                self._file(found)
        self._once_more()

    def _once_more(self) -> None:
        """Files that could not be decoded may only have been half written."""
        end = time.monotonic() + _PATIENCE_S
        while self._failed:
            failed, self._failed = self._failed, {}
            for found in failed:
                self._file(found)
            if time.monotonic() > end:
                break
            if self._failed:
                time.sleep(_AGAIN_S)
        self.findings.unread += [f"{found.name}: {why}" for found, why in self._failed.items()]

    def _log(self, segments: list[Found]) -> None:
        names = {f.path.name: f.name for f in segments}
        try:
            for n, segment in self._steps(
                wal.scan_log([f.path for f in sorted(segments, key=lambda f: f.path.name)], self._search)
            ).items():
                self.findings.add("hot", names[segment], {n: "write-ahead log"})
        except (wal.Unreadable, OSError) as error:
            self.findings.unread.append(f"the write-ahead log: {error}")

    def _file(self, found: Found) -> None:
        relation, toast = self._relations.get(found.relation, ("", False))
        try:
            if found.is_relation:
                with found.path.open("rb") as file:
                    places = self._steps(pages.scan_relation(file, self._search, toast=toast))
            else:
                places = self._steps(scan_file(found.path, self._search, short=found.within_cluster is not None))
        except FileNotFoundError:  # removed meanwhile
            return
        except (Unsearchable, OSError) as error:
            if found.path.exists():
                self._failed[found] = str(error)
            return
        if relation:
            places = {n: f"{relation}, {place}" for n, place in places.items()}
        self.findings.add(found.tier, found.name, places)

    def search_objects(self) -> None:
        """Every object of the shared storage, and whatever comes there during the search."""
        shared = objects.whole_storage(self._settings)
        if shared is None:
            return
        done: set[objects.Object] = set()
        for _ in range(_ROUNDS):
            fresh = [o for o in objects.listing(shared) if o not in done]
            if not fresh:
                return
            self._expected += sum(o.size for o in fresh)
            done |= set(fresh)
            for wanted in sorted(fresh, key=lambda o: TIERS.index(o.tier)):
                self.findings.add(wanted.tier, f"the name of {wanted.path}", self._search.in_bytes(wanted.path.encode()))
                self._object(shared.url, wanted, lambda o: objects.fetched(shared, o))

    def _object(self, url: str, wanted: objects.Object, fetch: Callable[[objects.Object], Path | None]) -> None:
        copy: Path | None = None
        try:
            copy = fetch(wanted)
            if copy is not None:
                self.findings.add(wanted.tier, f"{url}/{wanted.path}", self._steps(scan_file(copy, self._search)))
        except (Unsearchable, OSError) as error:
            self.findings.unread.append(f"{wanted.path}: {error}")
        finally:
            if copy is not None:
                copy.unlink(missing_ok=True)
