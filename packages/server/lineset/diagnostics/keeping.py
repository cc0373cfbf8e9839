"""Days of features in the database: one row a machine and day, its figures as 32-bit numbers in the order of a shared list of names."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from lineset.diagnostics.days import Days
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.model import DayLayoutRow
from lineset.diagnostics.samples import Floats, Ints
from lineset.privacy import Tx
from lineset.privacy.exporting import Made, Piece

_FORM = np.dtype("<f4")
EPOCH = date(1970, 1, 1)
Hours = Mapping[tuple[int, int], Floats]
"""By machine's place and day, as `load_hours` gives them."""


class Whose(msgspec.Struct, frozen=True):
    """Which owner's time with which machine: what each row of diagnosis belongs to."""

    series: int
    equipment: UUID
    household: UUID
    site: UUID


def layout_of(names: Sequence[str]) -> int:
    """The number of a layout: 63 bits of a digest of its names."""
    return int.from_bytes(hashlib.blake2b("\n".join(names).encode(), digest_size=8).digest(), "big") >> 1


async def store(tx: Tx, whose: Sequence[Whose], days: Days, through: datetime, hours: Hours | None = None) -> None:
    """Keep these days, in the place of what there is of them; `whose` by the index of `days.machine`. Of `hours`, those that are known take
    the place of what there is, one by one. For `System("diagnosis")`, which holds the locks of the machines."""
    rows: list[dict[str, Any]] = []
    together = await _overlaid(tx, whose, days, hours or {})
    kinds = np.array([machine.type for machine in days.machines])[days.machine] if len(days.machine) else np.zeros(0, str)
    for kind in sorted(set(kinds.tolist())):
        mine = np.flatnonzero(kinds == kind)
        names = sorted(name for name, values in days.sums.items() if not np.isnan(values[mine]).all())
        layout = layout_of(names)
        await tx.session.execute(insert(DayLayoutRow).values(layout=layout, names=names).on_conflict_do_nothing(index_elements=["layout"]))
        matrix = np.column_stack([days.sums[name][mine] for name in names]) if names else np.zeros((len(mine), 0))
        for machine, day, sums in zip(days.machine[mine].tolist(), days.day[mine].tolist(), matrix.astype(_FORM), strict=True):
            owner = whose[machine]
            keys = {"series_id": owner.series, "day": EPOCH + timedelta(days=day)}
            belongs = {"equipment_id": owner.equipment, "household_id": owner.household, "hours": together.get((machine, day))}
            rows.append({**keys, **belongs, "layout": layout, "sums": sums.tobytes()})
    if rows:
        await tx.session.execute(_KEPT, {name: [row[name] for row in rows] for name in rows[0]} | {"through": through})


_KEPT = text(
    "INSERT INTO machine_days (series_id, day, equipment_id, household_id, hours, layout, sums, through)"
    " SELECT *, :through FROM unnest(CAST(:series_id AS int[]), CAST(:day AS date[]), CAST(:equipment_id AS uuid[]),"
    " CAST(:household_id AS uuid[]), CAST(:hours AS bytea[]), CAST(:layout AS bigint[]), CAST(:sums AS bytea[]))"
    " ON CONFLICT (series_id, day) DO UPDATE SET layout = excluded.layout, sums = excluded.sums, hours = excluded.hours,"
    " through = excluded.through, household_id = excluded.household_id"
)
"""One statement for all, since the guards of a table are asked once a statement."""


async def _overlaid(tx: Tx, whose: Sequence[Whose], days: Days, hours: Hours) -> dict[tuple[int, int], bytes | None]:
    """The hours of each machine and day as they are to be kept."""
    kept = await load_hours(tx, [each.series for each in whose], sorted(set(days.day.tolist())))
    together: dict[tuple[int, int], bytes | None] = {}
    for key in zip(days.machine.tolist(), days.day.tolist(), strict=True):
        before, fresh = kept.get(key), hours.get(key)
        if before is not None and fresh is not None:
            fresh = np.where(np.isnan(fresh).all(axis=1, keepdims=True), before, fresh)
        found = before if fresh is None else fresh
        together[key] = None if found is None else found.astype(_FORM).tobytes()
    return together


async def load_hours(tx: Tx, series: Sequence[int], days: Sequence[int]) -> dict[tuple[int, int], Floats]:
    """The hours of these days (since 1970) of machines whose series are these: by the series' place and the day, (24, 3) of run time (s),
    energy (kWh) and outdoor temperature (degC), NaN where unknown."""
    place = {number: n for n, number in enumerate(series)}
    asked = text(
        "SELECT series_id, day - date '1970-01-01', hours FROM machine_days"
        " WHERE series_id = ANY(:series) AND day = ANY(:days) AND hours IS NOT NULL"
    )
    rows = await tx.session.execute(asked, {"series": list(series), "days": [EPOCH + timedelta(days=day) for day in days]})
    return {(place[number], day): np.frombuffer(found, _FORM).reshape(24, 3).astype(np.float64) for number, day, found in rows}


async def load(tx: Tx, machines: Sequence[Machine], series: Sequence[int], since: int, until: int) -> Days:
    """The days (since 1970, from `since` through `until`) of machines whose series are these, as far as the actor may see them."""
    place = np.array(series, np.int64)
    order = np.argsort(place)
    span = {"since": EPOCH + timedelta(days=since), "until": EPOCH + timedelta(days=until)}
    found = (await tx.session.execute(_BY_LAYOUT, {"series": list(series), **span})).all()
    names = await _names(tx, {row[0] for row in found})
    parts = []
    for layout, packed in (row for row in found if row[0] in names):
        form = np.dtype([("series", ">i4"), ("day", ">i4"), ("sums", _FORM, (len(names[layout]),))])
        rows = np.frombuffer(packed, form)
        machine = order[np.searchsorted(place[order], rows["series"])]
        parts.append((names[layout], machine, rows["day"].astype(np.int64), rows["sums"]))
    return _together(machines, parts)


_BY_LAYOUT = text(
    "SELECT layout, string_agg(int4send(series_id) || int4send(day - date '1970-01-01') || sums, ''::bytea)"
    " FROM machine_days WHERE series_id = ANY(:series) AND day BETWEEN :since AND :until"
    " GROUP BY layout, (day - date '1970-01-01') / 32"
)
"""All days of one layout as a row for each month or so: two weeks of thousands of machines are too many to be taken one by one, and years
of them are more than a value may hold (1 GB)."""


async def _names(tx: Tx, layouts: set[int]) -> dict[int, list[str]]:
    if not layouts:
        return {}
    rows = await tx.session.execute(select(DayLayoutRow.layout, DayLayoutRow.names).where(DayLayoutRow.layout.in_(layouts)))
    return {row[0]: row[1] for row in rows}


def unpacked(machines: Sequence[Machine], rows: Sequence[tuple[int, int, int, bytes]], names: Mapping[int, Sequence[str]]) -> Days:
    """Rows (layout, index of the machine, day since 1970, sums) as days, sorted by machine and day."""
    parts = []
    for layout in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == layout]
        machine, day = (np.array([row[n] for row in mine], np.int64) for n in (1, 2))
        packed = np.frombuffer(b"".join(row[3] for row in mine), _FORM)
        parts.append((names[layout], machine, day, packed.reshape(len(mine), len(names[layout]))))
    return _together(machines, parts)


def _together(machines: Sequence[Machine], parts: Sequence[tuple[Sequence[str], Ints, Ints, NDArray[np.float32]]]) -> Days:
    """Days of several layouts, each with its names, machines, days and sums (days, names), sorted by machine and day."""
    empty: Ints = np.zeros(0, np.int64)
    machine, day = (np.concatenate([empty, *(part[n] for part in parts)]) for n in (1, 2))
    order = np.lexsort((day, machine))
    sums: dict[str, Floats] = {}
    at = 0
    for names, mine, _, matrix in parts:
        for name, column in zip(names, np.ascontiguousarray(matrix.T), strict=True):
            sums.setdefault(name, np.full(len(machine), np.nan))[at : at + len(mine)] = column
        at += len(mine)
    return Days(machines, machine[order], day[order], {name: values[order] for name, values in sums.items()})


def joined(machines: Sequence[Machine], parts: Sequence[Days]) -> Days:
    """Days of the same machines from several lots, none of which is in two of them."""
    names = dict.fromkeys(name for part in parts for name in part.sums)
    empty: Ints = np.zeros(0, np.int64)
    machine, day = (np.concatenate([empty, *(getattr(part, field) for part in parts)]) for field in ("machine", "day"))
    sums = {n: np.concatenate([np.zeros(0), *(p.sums.get(n, np.full(len(p.day), np.nan)) for p in parts)]) for n in names}
    order = np.lexsort((day, machine))
    return Days(machines, machine[order], day[order], {name: values[order] for name, values in sums.items()})


class DayFiles:
    """The exporter of tables that declare `days`: for each machine a file with a line a day, its sums by name."""

    async def plan(self, tx: Tx, household: UUID) -> list[Piece]:
        """One file for each machine of which there are days."""
        asked = text("SELECT DISTINCT equipment_id FROM machine_days WHERE household_id = :household ORDER BY 1")
        found = await tx.session.scalars(asked, {"household": household})
        return [
            Piece(f"days/{number:04d}.jsonl", {"equipment": str(id_), "household": str(household)}) for number, id_ in enumerate(found, 1)
        ]

    async def make(self, tx: Tx, args: Mapping[str, Any]) -> Made | None:
        """The file; None where nothing is left."""
        asked = text(
            "SELECT day, layout, sums, hours FROM machine_days"
            " WHERE equipment_id = :equipment AND household_id = :household ORDER BY day, series_id"
        )
        rows = (await tx.session.execute(asked, {"equipment": args["equipment"], "household": args["household"]})).all()
        names = await _names(tx, {row[1] for row in rows})
        lines = []
        for day, layout, packed, hourly in rows:
            sums = np.frombuffer(packed, _FORM) if layout in names else np.zeros(0, _FORM)
            figures = {n: float(v) for n, v in zip(names.get(layout, ()), sums.tolist(), strict=False) if v == v}  # noqa: PLR0124 - not NaN
            line = {"equipment": args["equipment"], "day": day, "sums": figures, "hours": _plain(hourly)}
            lines.append(msgspec.json.encode(line) + b"\n")
        return Made(b"".join(lines), len(lines)) if lines else None


def _plain(hours: bytes | None) -> list[dict[str, float]]:
    """The hours of a day that are known: which, run time (s), energy (kWh) and outdoor temperature (degC)."""
    if hours is None or len(hours) != 24 * 3 * _FORM.itemsize:
        return []
    told = []
    for hour, values in enumerate(np.frombuffer(hours, _FORM).reshape(24, 3).tolist()):
        known = {name: value for name, value in zip(("run_s", "energy_kwh", "outdoor_degC"), values, strict=True) if value == value}  # noqa: PLR0124 - not NaN
        if known:
            told.append({"hour": float(hour), **known})
    return told


def day_of(moment: datetime) -> int:
    """The day of a moment by its own clock, as days since 1970."""
    return (moment.date() - EPOCH).days


def utc(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
