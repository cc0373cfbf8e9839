"""Frames from devices to committed, queryable and acknowledged: MQTT over TLS, messages of two frames with 20 points each.

Twice: as fast as acknowledgements let the devices, and at a steady rate. Beside it, in the same run and database: a plain binary COPY of
the same rows, and one INSERT and commit a message.
"""

import gc
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import uvloop
from lineset.kit.addresses import owner_url
from lineset.telemetry import copying  # the format itself, for the baseline

from bench.load import Load, Tally
from tests.support.fleet import Gateway, Rig, gateways, rig
from tests.support.sender import POINTS_20

CONNECTIONS = 40
STEADY_S = 30
STEADY_FRAMES_PER_S = 10_000
_HZ = os.sysconf("SC_CLK_TCK")


def _cpu(made: Rig) -> dict[str, float]:
    """Seconds of processor that each part has used."""
    spent = {"generator": time.process_time(), "ingest": 0.0, "database": 0.0, "broker": 0.0}
    roots = {"ingest": [p.pid for p in made.roles.values()], "database": [made.postgres.pid], "broker": list(made.nats.pids.values())}
    for name, pids in roots.items():
        for pid in (p for root in pids for p in _tree(root)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent[name] += (int(fields[11]) + int(fields[12])) / _HZ
    return spent


def _tree(pid: int) -> list[int]:
    children = [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    return [pid, *(p for child in children for p in _tree(child))]


def _figures(took: float, tallies: list[Tally], spent: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    waits = [wait for tally in tallies for wait in tally.waits]
    frames = 2 * len(waits)
    return {
        "frames": frames,
        "seconds": took,
        "frames_per_s": frames / took,
        "ack_p50_ms": 1000 * statistics.median(waits),
        "ack_p99_ms": 1000 * statistics.quantiles(waits, n=100)[98],
        "gaps": sum(tally.gaps for tally in tallies),
        "refused": sum(tally.refused for tally in tallies),
    } | {f"us_{name}": 1e6 * (spent[name] - before[name]) / frames for name in spent}


async def _rounds(made: Rig, fleet: list[Gateway], frames: int) -> tuple[dict[str, float], dict[str, float]]:
    load = Load(made, fleet)
    await load.connect()
    await load.send(20, t=time.time() - 1000)
    gc.freeze()
    results = []
    each = STEADY_FRAMES_PER_S / 2 / len(fleet)
    for messages, rate, ago in ((frames // len(fleet) // 2, 0.0, 40_000), (int(each * STEADY_S), each, 80_000)):
        before = _cpu(made)
        took, tallies = await load.send(messages, rate, t=time.time() - ago)
        results.append(_figures(took, tallies, _cpu(made), before))
    load.close()
    return results[0], results[1]


def _baselines(made: Rig, rows: int) -> dict[str, float]:
    """Plain COPY of as many rows, and single INSERTs of two rows with a commit each."""
    with psycopg.connect(owner_url(made.settings), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bench_plain (series_id integer, t timestamptz, reals real[], totals float8[], PRIMARY KEY (series_id, t))"
        )
        series, t = np.arange(rows) % 80, 1.7e9 + np.arange(rows) // 80
        reals, totals = np.random.default_rng(1).uniform(15, 25, (rows, 17)), np.random.default_rng(2).uniform(15, 25, (rows, 3))
        began = time.monotonic()
        with connection.cursor().copy("COPY bench_plain FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(copying.HEADER + copying.rows(series, t.astype(float), [reals], [totals]) + copying.TRAILER)
        copied = rows / (time.monotonic() - began)
        connection.execute("TRUNCATE bench_plain")
        began, count = time.monotonic(), 0
        while time.monotonic() - began < 3:
            connection.execute(
                "INSERT INTO bench_plain VALUES (%s, to_timestamp(%s), %s, %s), (%s, to_timestamp(%s), %s, %s)",
                (1, count, reals[0].tolist(), totals[0].tolist(), 2, count, reals[1].tolist(), totals[1].tolist()),
            )
            count += 1
        single = 2 * count / (time.monotonic() - began)
        connection.execute("DROP TABLE bench_plain")
    return {"copy_frames_per_s": copied, "insert_frames_per_s": single}


def _stored(made: Rig) -> int:
    with psycopg.connect(owner_url(made.settings)) as owner:
        owner.execute("ALTER TABLE frames NO FORCE ROW LEVEL SECURITY")
        (count,) = owner.execute("SELECT count(*) FROM frames").fetchone() or (0,)
        owner.rollback()
        return int(count)


def run(frames: int = 200_000, connections: int = CONNECTIONS) -> dict[str, Any]:
    """The whole benchmark; figures by name, those at the steady rate with `steady_` before theirs."""
    with tempfile.TemporaryDirectory(prefix="lsb") as folder, rig(Path(folder) / "data") as made:
        fleet = gateways(made, connections, apart=True)
        made.start("ingest")
        made.wait("ingest")
        fast, steady = uvloop.run(_rounds(made, fleet, frames))
        sent = fast["frames"] + steady["frames"] + connections * 40
        missing = sent - _stored(made)
        baselines = _baselines(made, int(fast["frames"]))
        return (
            fast
            | {f"steady_{name}": value for name, value in steady.items()}
            | baselines
            | {"points": len(POINTS_20), "connections": connections, "missing": missing}
        )


if __name__ == "__main__":
    for name, value in run(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000).items():
        print(f"{name:>28} {value:,.1f}")
