"""The files that people get: CSV, Parquet, and a ZIP of CSV files with what is needed to read them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import polars as pl
from lineset_contract.points import POINTS

from lineset.telemetry.exports.plan import Detail
from lineset.telemetry.exports.rows import unit_of

_SLICE = 50_000
"""Rows that are text at one time."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a machine: `file` is its name in a ZIP."""

    id: UUID
    name: str
    type: str
    site: str
    time_zone: str
    file: str


def headings(columns: Iterable[str], detail: Detail) -> list[str]:
    """The first line of a CSV file: a point's unit beside its name."""
    names = [name for name in columns if name != "time"]
    if detail == "raw":
        names = [f"{name} [{unit_of(name)}]" if unit_of(name) else name for name in names]
    return ["time_utc", "time_local", *names]


def csv_text(frame: pl.DataFrame, zone: str, detail: Detail, *, head: bool) -> Iterator[bytes]:
    """Rows as CSV (RFC 4180 with line feeds): UTC first, then the site's clock with its offset; empty where nothing was read."""
    if head:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(headings(frame.columns, detail))
        yield line.getvalue().encode()
    local = pl.col("time").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").alias("time_local")
    utc = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ").alias("time_utc")
    for part in frame.iter_slices(_SLICE):
        yield part.select(utc, local, pl.exclude("time")).write_csv(include_header=False).encode()


def parquet_bytes(frame: pl.DataFrame, metadata: Mapping[str, str] | None = None) -> bytes:
    """A frame as a Parquet file, zstd."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", metadata=dict(metadata) if metadata else None)
    return buffer.getvalue()


def described(labels: Sequence[Label], points: Iterable[str], detail: Detail, since: datetime, until: datetime) -> dict[str, str]:
    """What a Parquet file says of itself, as JSON under the key `lineset`: units and meanings of its points, its machines, its span."""
    about = {
        "detail": detail,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "points": {name: _meaning(name) for name in points},
        "machines": {str(m.id): {"name": m.name, "type": m.type, "site": m.site, "time_zone": m.time_zone} for m in labels},
    }
    return {"lineset": json.dumps(about, ensure_ascii=False)}


def _meaning(point: str) -> dict[str, object]:
    known = POINTS.get(point)
    if known is None:
        return {"unit": "", "about": "not in the catalogue; named by the machine"}
    codes = {"codes": dict(known.codes)} if known.codes else {}
    return {"unit": unit_of(point), "kind": known.kind, "label": dict(known.label), "about": known.about, **codes}


def points_table(points: Iterable[str]) -> str:
    """`points.csv`: name, unit, kind, English and Spanish label, codes, meaning."""
    rows = [["point", "unit", "kind", "label", "label_es", "codes", "about"]]
    for name in points:
        known = POINTS.get(name)
        if known is None:
            rows.append([name, "", "", "", "", "", "not in the catalogue; named by the machine"])
        else:
            codes = " ".join(f"{word}={number}" for word, number in known.codes.items())
            rows.append([name, unit_of(name), known.kind, known.label["en"], known.label["es"], codes, known.about])
    return _table(rows)


def machines_table(labels: Iterable[Label]) -> str:
    """`machines.csv`: which file is which machine."""
    rows = [["file", "machine", "id", "type", "site", "time_zone"]]
    rows += [[m.file, m.name, str(m.id), m.type, m.site, m.time_zone] for m in labels]
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    """Rows as CSV that a spreadsheet opens as text: what people wrote never begins a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in r] for r in rows])
    return "\ufeff" + out.getvalue()


_README = """\
Measurements from {since} until before {until} (UTC), {what}.

One file for each machine; machines.csv says which is which, points.csv what each point is, with unit and meaning.
Files are CSV in UTF-8 with commas between columns and points as decimal marks.

time_utc    the moment in UTC
time_local  the same moment on the clock of the machine's site, with its offset from UTC
{columns}
A cell is empty where nothing was read. {kept}

Una fila por momento; un archivo por equipo. machines.csv indica qué archivo es de qué equipo, y points.csv, la unidad y el significado
de cada punto. Una celda vacía significa que no se leyó nada.
"""
_COLUMNS = {
    "raw": "then each point that the machine has ever sent, with its unit in brackets; states as words\n",
    "hour": "",
    "day": "",
}
_SUM_WORDS = """\
point       the measured quantity, in `unit`; for states one row for each `state`
low, high   lowest and highest reading
mean, last  mean of the readings, and the last one
count       how many readings there were; `starts` how often the state was entered
seconds     for how long there was a value; of a state, for how long it lasted
total       integral over time (W gives J), or how much a counter rose, in `total_unit`
"""


def readme(detail: Detail, since: datetime, until: datetime) -> str:
    """`README.txt`, in English and a few lines of Spanish."""
    what = {"raw": "each single reading", "hour": "hourly sums", "day": "daily sums by the site's calendar"}[detail]
    kept = (
        "Single readings are kept for a time that the household chooses; older ones are not here, but hourly and daily sums are."
        if detail == "raw"
        else "An hour or day is here if it begins within the span."
    )
    return _README.format(
        since=since.isoformat(timespec="seconds"),
        until=until.isoformat(timespec="seconds"),
        what=what,
        columns=_COLUMNS[detail] or _SUM_WORDS,
        kept=kept,
    )
