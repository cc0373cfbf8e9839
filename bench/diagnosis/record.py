"""Lets the simulator live a fleet; writes what its sensors said, and apart from that what was true.

A folder of a fleet holds parts of some homes each: `readings.parquet` (a row for a machine and moment; columns `machine`, `t` in s since
1970 UTC, and points in the catalogue's units, null where there is no reading) and `machines.json` (a list; fields as diagnosis takes
them).
`truth.json` beside the parts is for the scorer alone.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import lineset_simulator
import msgspec
import numpy as np
import polars as pl
from lineset_contract.profiles import PROFILES
from lineset_simulator import EquipmentSpec, HomeSpec, history
from lineset_simulator.spec import as_built

from bench.diagnosis.fleet import DAY_S, ENDS, Plan, draw

HOMES_A_PART = 12
STEP_S = 300


@dataclass(frozen=True, slots=True)
class Part:
    """Some homes of one season, recorded by one process; `judged`: what is true of them is told, too."""

    folder: Path
    plans: tuple[Plan, ...]
    step_s: int
    judged: bool = True


def fleet(folder: Path, homes: int, days: int, seed: int, step_s: int = STEP_S) -> Path:
    """The folder of this fleet inside `folder`, recorded on all cores unless it is there already by the same simulator."""
    place = folder / f"fleet-{homes}x{days}-{step_s}s-{seed}-{_making()}"
    finished = place / "truth.json"
    if finished.exists():
        return place
    told = _recorded(place, draw(homes, days, seed), step_s, judged=True)
    found: dict[str, Any] = {"homes": homes, "days": days, "seed": seed, "step_s": step_s}
    found["machines"] = [machine for machines, _ in told for machine in machines]
    found["faults"] = [fault for _, faults in told for fault in faults]
    unfinished = finished.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    unfinished.replace(finished)
    return place


def school(folder: Path, homes: int, days: int, seed: int, step_s: int = STEP_S) -> tuple[Path, Path]:
    """Readings and machines of a fleet of its own that the platform may learn from: homes of the same makes, as many of them ill, and
    nobody says which. It is recorded unless it is there."""
    place = folder / f"school-{homes}x{days}-{step_s}s-{seed}-{_making()}"
    readings, machines = place / "readings.parquet", place / "machines.json"
    if not readings.exists():
        _recorded(place, draw(homes, days, seed), step_s, judged=False)
        parts = sorted(place.glob("*/readings.parquet"))
        known = [each for part in parts for each in msgspec.json.decode(part.with_name("machines.json").read_bytes())]
        machines.write_bytes(msgspec.json.encode(known))
        unfinished = readings.with_suffix(".new")
        pl.concat([pl.scan_parquet(part) for part in parts], how="diagonal").sink_parquet(unfinished)
        unfinished.replace(readings)
    return readings, machines


Told = list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]


def _recorded(place: Path, plans: Sequence[Plan], step_s: int, *, judged: bool) -> Told:
    parts = []
    for season in ENDS:
        mine = [plan for plan in plans if plan.season == season]
        starts = range(0, len(mine), HOMES_A_PART)
        parts += [Part(place / f"{season}-{s // HOMES_A_PART:03d}", tuple(mine[s : s + HOMES_A_PART]), step_s, judged) for s in starts]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [each for part in pool.map(record, parts) for each in part]


def truth(place: Path) -> dict[str, Any]:
    """What is true of the fleet recorded at `place`."""
    found: dict[str, Any] = msgspec.json.decode((place / "truth.json").read_bytes())
    return found


def _making() -> str:
    """A digest of the code that makes fleets."""
    ours = [Path(__file__).with_name(name) for name in ("homes.py", "fleet.py", "record.py")]
    digest = blake2b(digest_size=4)
    for path in [*ours, *sorted(Path(lineset_simulator.__file__).parent.rglob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def record(part: Part) -> Told:
    """Record a part; gives for each home what is true of its machines and of its faults."""
    part.folder.mkdir(parents=True, exist_ok=True)
    tables, machines = [], []
    told: Told = []
    for plan in part.plans:
        columns, used = _lived(plan.spec, plan, part.step_s)
        if not part.judged:
            tables += columns
            machines += known(plan.spec)
            continue
        if plan.kind is not None and plan.kind.name == "setpoint_not_reached" and not _missed(columns, _onset(plan)):
            told.append(([], []))  # a machine that is too weak, and was not asked for more: neither faulty by this name nor sound
            continue
        tables += columns
        machines += known(plan.spec)
        faults = [_truth(plan, used, part.step_s)] if plan.kind is not None else []
        told.append((_exposed(plan, missed=_missed(columns, plan.start)), faults))
    pl.concat(tables, how="diagonal").write_parquet(part.folder / "readings.parquet")
    (part.folder / "machines.json").write_bytes(msgspec.json.encode(machines))
    return told


def known(spec: HomeSpec) -> list[dict[str, Any]]:
    """What a platform would know of a home's machines, by the fields of its own description of one."""

    def named(local: str) -> str:
        return f"{spec.key}-{local}" if local else ""

    def description(e: EquipmentSpec) -> dict[str, Any]:
        return {
            "id": named(e.local), "site": spec.key, "zone": f"{spec.key}-{e.zone}", "serves": named(e.serves), "type": e.type,
            "make": e.make, "model": e.model, "capacity_w": e.capacity, "fuel": e.fuel, "refrigerant": e.refrigerant,
            "installed": e.installed, "time_zone": spec.tz,
        }  # fmt: skip

    return [description(e) for e in as_built(spec).equipment]


Totals = dict[float, dict[str, tuple[float, float, float]]]


def _lived(spec: HomeSpec, plan: Plan, step_s: int, *, readings: bool = True) -> tuple[list[pl.DataFrame], Totals]:
    """Readings by machine, and at some moments what each machine has used and given (J) and run (s) since it was new."""
    past = history(spec, plan.start, plan.end, step_s)
    blocks: dict[str, list[pl.DataFrame]] = {}
    totals: Totals = {}
    for block in past:
        if past.home.t not in totals:
            tallies = {local: machine.state.tally for local, machine in past.home.machines.items()}
            totals[past.home.t] = {local: (y.electric + y.gas, y.heat + y.cold, y.run) for local, y in tallies.items()}
        if readings and len(block.times):
            values = {
                name: pl.Series(name, v.astype(np.float32)).fill_nan(None) for name, v in block.points.items() if not np.isnan(v).all()
            }
            blocks.setdefault(block.equipment, []).append(pl.DataFrame({"t": block.times, **values}))
    tables = [
        pl.concat(each, how="diagonal").select(pl.lit(f"{spec.key}-{local}").alias("machine"), pl.all()) for local, each in blocks.items()
    ]
    return tables, totals


MISSED_K, MISSED_S, MISSED_DAYS = 1.5, 4 * 3600.0, 3


def _onset(plan: Plan) -> float:
    (fault,) = plan.spec.faults
    return plan.end - fault.days_before * DAY_S


def _missed(tables: Sequence[pl.DataFrame], since: float) -> bool:
    """Whether some room of the home was four hours a day more than 1.5 K off its set point, on three days from `since` on."""
    for table in tables:
        if not {"room_temperature", "heating_setpoint", "cooling_setpoint"} & set(table.columns) or "room_temperature" not in table.columns:
            continue
        gaps = [
            sign * (pl.col("room_temperature") - pl.col(name).forward_fill())
            for name, sign in (("cooling_setpoint", 1.0), ("heating_setpoint", -1.0))
            if name in table.columns
        ]
        if not gaps:
            continue
        step = pl.col("t").diff().clip(0.0, 900.0)
        off = pl.when(pl.max_horizontal(gaps) > MISSED_K).then(step).otherwise(0.0)
        days = table.filter(pl.col("t") >= since).group_by((pl.col("t") / DAY_S).floor()).agg(off.sum().alias("off"))
        if days.filter(pl.col("off") >= MISSED_S).height >= MISSED_DAYS:
            return True
    return False


def _exposed(plan: Plan, *, missed: bool) -> list[dict[str, Any]]:
    """Machines with the machines that a finding about them may stand at: those joined to them by what they serve or by their thermostat.
    `missed`: rooms of the home really were off their set points, for whatever reason, so that saying so is no false alarm."""
    equipment = plan.spec.equipment

    def joined(local: str) -> list[str]:
        mine = next(e for e in equipment if e.local == local)
        near = [e.local for e in equipment if e.serves == local or mine.serves in (e.local, e.serves or "-")]
        tank = PROFILES[mine.type].family == "water_heater"
        near += [
            e.local for e in equipment if not tank and (e.type == "thermostat" or (mine.type == "thermostat" and e.type[:5] != "water"))
        ]
        return sorted({f"{plan.spec.key}-{e}" for e in near if e != local})

    return [
        {
            "id": f"{plan.spec.key}-{e.local}",
            "site": plan.spec.key,
            "type": e.type,
            "start": plan.start,
            "end": plan.end,
            "joined": joined(e.local),
            "missed": missed,
        }
        for e in equipment
    ]


def _truth(plan: Plan, used: Totals, step_s: int) -> dict[str, Any]:
    """What is wrong in a home: since when, from when on fully, and which share of the efficiency it costs, by its sound twin."""
    assert plan.kind is not None
    (fault,) = plan.spec.faults
    onset = _onset(plan)
    grown = min(max(onset + fault.ramp_days * DAY_S, plan.start), plan.end - 4 * DAY_S)
    sound = msgspec.structs.replace(plan.spec, faults=())
    _, twin = _lived(sound, plan, step_s, readings=False)
    lost = _lost(fault.equipment, used, twin, grown, everything=plan.kind.wastes)
    ran = _change(used, [fault.equipment], max(onset, plan.start))[2]
    return {
        "site": plan.spec.key, "equipment": f"{plan.spec.key}-{fault.equipment}", "fault": fault.kind, "severity": fault.severity,
        "onset": onset, "grown": grown, "end": plan.end, "loss": round(lost, 4), "run_s": round(ran), "season": plan.season,
        "point": fault.point, "sensors": next(e.sensors for e in plan.spec.equipment if e.local == fault.equipment),
    }  # fmt: skip


def _lost(local: str, faulty: Totals, sound: Totals, since: float, *, everything: bool) -> float:
    """The share of efficiency (what is given over what is used) that is lost from `since` on.

    Where a fault makes machines undo each other's work, it is the share of all energy used at the site that the sound twin would not have
    used, if that is more.
    """

    used, given, _ = _change(faulty, [local], since)
    used_twin, given_twin, _ = _change(sound, [local], since)
    loss = 0.0
    if min(used, used_twin, given_twin) > 0.0:
        loss = 1.0 - (given / used) / (given_twin / used_twin)
    if everything:
        all_of_them = list(next(iter(faulty.values())))
        more, less = _change(faulty, all_of_them, since)[0], _change(sound, all_of_them, since)[0]
        loss = max(loss, 1.0 - less / more if more > 0.0 else 0.0)
    return float(loss)


def _change(totals: Totals, which: Sequence[str], since: float) -> tuple[float, float, float]:
    moments = sorted(totals)
    one, two = totals[max((m for m in moments if m <= since), default=moments[0])], totals[moments[-1]]
    used, given, ran = (sum(two[name][n] - one[name][n] for name in which) for n in range(3))
    return used, given, ran
