"""Frames from devices to committed, queryable and acknowledged: MQTT over TLS, messages of two frames with 20 points each.

Beside it, in the same run and database: a plain binary COPY of the same rows, and one INSERT and commit a message.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from lineset.kit.addresses import owner_url
from lineset.telemetry import copying  # the format itself, for the baseline

from tests.support.fleet import Rig, gateways, rig
from tests.support.sender import POINTS_20, Sender

CONNECTIONS = 40


async def _through_the_wire(senders: list[Sender], messages: int) -> dict[str, float]:
    began = time.monotonic()
    await asyncio.gather(*(s.run(messages, 0) for s in senders))
    took = time.monotonic() - began
    waits = [s.ledger.acked[q] - s.ledger.sent[q] for s in senders for q in s.ledger.acked]
    frames = sum(len(f) for s in senders for f in s.ledger.frames.values())
    return {
        "frames": frames,
        "seconds": took,
        "frames_per_s": frames / took,
        "ack_p50_ms": 1000 * statistics.median(waits),
        "ack_p99_ms": 1000 * statistics.quantiles(waits, n=100)[98],
        "gaps": sum(s.ledger.gaps for s in senders),
    }


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


def run(frames: int = 120_000, connections: int = CONNECTIONS) -> dict[str, Any]:
    """The whole benchmark; figures by name."""
    with tempfile.TemporaryDirectory(prefix="lsb") as folder, rig(Path(folder) / "data") as made:
        fleet = gateways(made, connections)
        made.start("ingest")
        made.wait("ingest")
        warm = [Sender(made, g) for g in fleet]
        asyncio.run(_through_the_wire(warm, 20))
        senders = [Sender(made, g, start=time.time() - 40_000) for g in fleet]
        wire = asyncio.run(_through_the_wire(senders, frames // connections // 2))
        return wire | _baselines(made, int(wire["frames"])) | {"points": len(POINTS_20), "connections": connections}


if __name__ == "__main__":
    for name, value in run(int(sys.argv[1]) if len(sys.argv) > 1 else 120_000).items():
        print(f"{name:>22} {value:,.1f}")
