"""Recorded files diagnosed as they lie there, without storing anything: a fleet in a Parquet file, or one machine in a CSV file. And what
a recorded fleet teaches of its makes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
from lineset_contract.points import POINTS
from lineset_contract.profiles import PROFILES

from lineset.diagnostics.cases import Detector
from lineset.diagnostics.course import walk
from lineset.diagnostics.days import fold
from lineset.diagnostics.detectors import DETECTORS
from lineset.diagnostics.engine import Found
from lineset.diagnostics.features import features
from lineset.diagnostics.kinds import Norms
from lineset.diagnostics.machine import Machine, column
from lineset.diagnostics.predict.norms import Norm, norms_for, taught, told
from lineset.diagnostics.predict.told import Kind
from lineset.diagnostics.samples import Floats, Samples
from lineset.diagnostics.views import told as said
from lineset.kit.errors import Invalid
from lineset.telemetry import recorded

ROWS_AT_ONCE = 2_000_000
"""Readings that are in memory at one time; machines of one site always stay together."""
Progress = Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class Said:
    """A finding of a recorded file, with the machine that has it."""

    machine: Machine
    found: Found


def line(site: str, equipment: str, found: Found) -> dict[str, object]:
    """A finding of a recorded file as programs read it."""
    closed = None if found.closed is None else datetime.fromtimestamp(found.closed, UTC)
    what = found.what
    return said(site, equipment, what.fault, datetime.fromtimestamp(found.opened, UTC), closed, what.confidence, what.candidates)


def read_machines(path: Path) -> list[Machine]:
    """The machines of a recording: a JSON list of objects with the fields of `Machine`, of which `id` and `type` are required.

    Raises:
        Invalid: the file can't be read, a machine is of an unknown type, or two have the same id.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=list[Machine])
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid("bad_machines", f"The list of machines {path.name} can't be used: {error}") from error
    if unknown := sorted({m.type for m in found} - PROFILES.keys()):
        raise Invalid("unknown_type", f"{', '.join(unknown)}: no such type of machine. Known are {', '.join(sorted(PROFILES))}.")
    if len({m.id for m in found}) < len(found):
        raise Invalid("machine_twice", f"Two machines of {path.name} have the same id.")
    return found


def diagnose_parquet(
    path: Path,
    machines: Sequence[Machine],
    detectors: Sequence[Detector] = DETECTORS,
    progress: Progress = lambda _done, _rows: None,
    known: Mapping[Kind, Norm] | None = None,
) -> Iterator[Said]:
    """Diagnose a recording of many machines: columns `machine` (an id), `t` (a time, or s since 1970 UTC) and points by name. `known`:
    norms that another recording taught.

    Machines that the list does not have are left out; points that the catalogue does not know are too.

    Raises:
        Invalid: the file can't be read, or lacks a column `machine` or `t`.
    """
    last, parts = _read(path, machines, progress)
    for samples in parts:
        yield from _walked(samples, detectors, last, norms_for(samples.machines, known or {}))


def learn_parquet(
    path: Path, machines: Sequence[Machine], progress: Progress = lambda _done, _rows: None
) -> dict[Kind, dict[str, tuple[float, float]]]:
    """What a recording of many sites, as `diagnose_parquet` takes it, teaches of makes and models: their norms, where eleven sites or more
    tell them.

    Raises:
        Invalid: as `diagnose_parquet`.
    """
    told_of: dict[Kind, list[dict[str, float]]] = {}
    for samples in _read(path, machines, progress)[1]:
        hours = features(samples)
        sites = column(samples.machines, "site")[samples.hour_machine]
        for site in sorted(set(sites.tolist())):
            mine = np.flatnonzero(sites == site)
            days = fold(samples.machines, samples.hour_machine[mine], samples.hour_day[mine], {name: v[mine] for name, v in hours.items()})
            for kind, differences in told(days).items():
                told_of.setdefault(kind, []).append(differences)
    found = {kind: taught(sites) for kind, sites in sorted(told_of.items())}
    return {kind: norm for kind, norm in found.items() if norm}


def write_norms(found: Mapping[Kind, Norm]) -> bytes:
    """Norms as a file: JSON, a list of objects."""
    rows = [{"type": t, "make": make, "model": model, "norms": norm} for (t, make, model), norm in found.items()]
    return msgspec.json.format(msgspec.json.encode(rows)) + b"\n"


def read_norms(path: Path) -> dict[Kind, Norm]:
    """The other way round. Raises Invalid for what is no such file."""
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[_Learnt])
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid("bad_norms", f"{path.name} is not what `lineset learn` writes: {error}") from error
    return {(row.type, row.make, row.model): row.norms for row in rows}


class _Learnt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    make: str
    model: str
    norms: dict[str, tuple[float, float]]


def _read(path: Path, machines: Sequence[Machine], progress: Progress) -> tuple[float, Iterator[Samples]]:
    """The last moment of a recording, and its readings in shares."""
    import polars as pl  # noqa: PLC0415 - a process that diagnoses no files never loads the library

    try:
        lazy = pl.scan_parquet(path)
        schema = lazy.collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Invalid("bad_file", f"{path.name} can't be read as Parquet: {str(error).splitlines()[0]}") from error
    if missing := {"machine", "t"} - set(schema.names()):
        raise Invalid("no_columns", f"{path.name} has no column {' and no column '.join(sorted(missing))}.")
    points = [n for n in schema.names() if n in POINTS and schema[n].is_numeric()]
    seconds = pl.col("t").dt.epoch("us") / 1e6 if schema["t"].is_temporal() else pl.col("t")
    lazy = lazy.select(
        pl.col("machine").cast(pl.String), seconds.cast(pl.Float64).alias("t"), *(pl.col(p).cast(pl.Float64) for p in points)
    )
    counted = lazy.group_by("machine").agg(pl.len(), pl.col("t").max().alias("last")).collect()
    rows = dict(zip(counted["machine"].to_list(), counted["len"].to_list(), strict=True))

    def parts() -> Iterator[Samples]:
        done, total = 0, max(sum(rows.get(m.id, 0) for m in machines), 1)
        for share in _shares(machines, rows):
            place = pl.DataFrame({"machine": [m.id for m in share], "row_machine": np.arange(len(share), dtype=np.int64)})
            frame = lazy.join(place.lazy(), on="machine").sort("row_machine", "t").collect()
            columns = {p: frame[p].fill_null(math.nan).to_numpy() for p in points if frame[p].null_count() < len(frame)}
            yield Samples(share, frame["row_machine"].to_numpy(), frame["t"].to_numpy(), columns)
            done += len(frame)
            progress(done / total, done)

    return max((t for t in counted["last"].to_list() if t is not None), default=0.0), parts()


def _shares(machines: Sequence[Machine], rows: dict[str, int]) -> Iterator[list[Machine]]:
    """Machines in shares of about `ROWS_AT_ONCE` readings, those of a site together."""
    sites: dict[str, list[Machine]] = {}
    for machine in machines:
        if rows.get(machine.id):
            sites.setdefault(machine.site or f"machine {machine.id}", []).append(machine)
    share: list[Machine] = []
    size = 0
    for together in sites.values():
        share += together
        size += sum(rows[m.id] for m in together)
        if size >= ROWS_AT_ONCE:
            yield share
            share, size = [], 0
    if share:
        yield share


def _walked(samples: Samples, detectors: Sequence[Detector], last: float, norms: Norms | None = None) -> Iterator[Said]:
    known = {machine.id: machine for machine in samples.machines}
    for found in walk(samples, detectors, last, norms):
        yield Said(known[found.machine], found)


def diagnose_csv(path: Path, machine: Machine, mapping: recorded.FileMapping, detectors: Sequence[Detector] = DETECTORS) -> list[Said]:
    """Diagnose one machine's recording, read as `lineset import` reads it; rows that can't be used are left out.

    Raises:
        Invalid: the file or the mapping can't be used, or no row can.
    """
    return list(_walked(read_csv(path, machine, mapping), detectors, 0.0))


def read_csv(path: Path, machine: Machine, mapping: recorded.FileMapping) -> Samples:
    """One machine's recording as samples, of points that the catalogue knows. Raises Invalid as `diagnose_csv` does."""
    try:
        file = path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise Invalid("no_file", f"{path} can't be read: {error.strerror}.") from error
    with file:
        how = recorded.plan(recorded.heads(file), mapping, recorded.sample(file))
        chunks = list(recorded.rows(file, how, machine.time_zone, path.stat().st_size))
    t = np.concatenate([chunk.t for chunk in chunks])
    if not len(t):
        raise Invalid("no_rows", "The file has no row that can be used.")
    order = np.argsort(t, kind="stable")
    points: dict[str, Floats] = {}
    for each in how.columns:
        values = np.concatenate([chunk.columns[each.point] for chunk in chunks])
        if each.point in POINTS and not np.isnan(values).all():
            points[each.point] = values[order]
    return Samples([machine], np.zeros(len(t), np.int64), t[order], points)
