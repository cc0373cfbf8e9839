"""How fast the agent's buffer takes, gives and forgets frames, what a frame costs on the disk, and how long 1 GB lasts.

Run: python bench/agent_buffer.py [FRAMES]. Frames have 20 points; every append is one durable commit (WAL, full sync).
Beside it: the same appends without syncing, which shows what durability costs on this disk.
"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lineset_agent.buffer import Buffer
from lineset_agent.config import BUFFER_BYTES
from lineset_agent.store import Store
from lineset_contract.profiles import profile
from lineset_contract.wire import Ack, Frame

START = 1_763_800_000.0
POINTS = list(profile("heat_pump_air_water").points)[:20]


def frames(count: int) -> list[Frame]:
    noise = random.Random(1)
    return [Frame(START + i * 10, f"hp{i % 3}", {name: round(20 + noise.gauss(0, 5), 2) for name in POINTS}) for i in range(count)]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def appended(buffer: Buffer, given: list[Frame], per_commit: int) -> None:
    for start in range(0, len(given), per_commit):
        buffer.append(given[start : start + per_commit])


def read_all(buffer: Buffer) -> int:
    row, total = buffer.acked, 0
    while batch := buffer.read(row, 16):
        row, total = batch[-1].row, total + len(batch)
    return total


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6_000
    given = frames(count)
    results: dict[str, float] = {"frames": count, "points_per_frame": len(POINTS)}
    with tempfile.TemporaryDirectory() as folder:
        for per_commit in (1, 3, 20, 200):
            store = Store(Path(folder) / f"{per_commit}.db")
            buffer = Buffer(store, BUFFER_BYTES)
            seconds = timed(lambda buffer=buffer, n=per_commit: appended(buffer, given, n))  # type: ignore[misc]
            results[f"append_{per_commit}_per_commit_frames_per_s"] = round(count / seconds)
            results[f"bytes_per_frame_at_{per_commit}"] = round(buffer.depth().bytes / count)
            if per_commit == 3:
                days = buffer.days_of_room()
                results["days_in_1_GB_three_machines_every_10_s"] = round(days / 3) if days else 0
                results["read_frames_per_s"] = round(count / timed(lambda buffer=buffer: read_all(buffer)))  # type: ignore[misc]
                last = buffer.last
                ack = Ack(buffer.epoch, last)
                results["delete_frames_per_s"] = round(count / timed(lambda b=buffer, a=ack: b.acknowledge(a)))  # type: ignore[misc]
            store.close()
        store = Store(Path(folder) / "unsafe.db")
        with store.reading() as connection:
            connection.execute("PRAGMA synchronous = OFF")
        unsafe = Buffer(store, BUFFER_BYTES)
        results["append_3_without_sync_frames_per_s"] = round(count / timed(lambda: appended(unsafe, given, 3)))
        store.close()
    results["peak_resident_MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
