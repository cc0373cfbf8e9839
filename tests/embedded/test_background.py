"""Work that can wait gives way: whose threads have which priority, and what becomes of the memory that it took."""

import asyncio
import os
import platform
import subprocess
import sys
import threading

import pytest
from lineset.kit.background import NICE, work_in_background

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there do threads have priorities of their own")


def _mine() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def _started() -> int:
    """The priority of a thread that this one starts, as libraries do."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(_mine()))
    thread.start()
    thread.join()
    return found[0]


def test_what_is_handed_to_threads_gives_way_and_the_loop_does_not() -> None:
    usual = _mine()

    async def run() -> tuple[int, int, int]:
        work_in_background(asyncio.get_running_loop())
        return await asyncio.to_thread(_mine), await asyncio.to_thread(_started), _mine()

    assert asyncio.run(run()) == (NICE, NICE, usual)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give memory back by themselves")
def test_memory_that_a_large_job_freed_goes_back_to_the_system() -> None:
    script = """
import asyncio, sys
from lineset.kit.background import tend

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) // 1024

blocks = [bytearray(50_000) for _ in range(4_000)]
kept = blocks[::40]
del blocks
before = resident()

async def run():
    tending = asyncio.create_task(tend(0.01))
    while resident() > before - 100:
        await asyncio.sleep(0.01)
    tending.cancel()

asyncio.run(asyncio.wait_for(run(), 60))
"""
    in_a_process(script)


def test_a_librarys_threads_give_way_wherever_they_began() -> None:
    in_a_process(f"""
import asyncio, os
from pathlib import Path
import polars
from lineset.kit.background import tend

polars.DataFrame({{"a": range(100_000)}}).lazy().group_by(polars.col("a") % 7).agg(polars.len()).collect()

def computing():
    pool = [t for t in Path("/proc/self/task").iterdir() if (t / "comm").read_text().startswith("polars")]
    return [os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in pool]

async def run():
    assert computing() and min(computing()) < {NICE}
    tending = asyncio.create_task(tend(0.01))
    while min(computing()) < {NICE}:
        await asyncio.sleep(0.01)
    tending.cancel()
    assert os.getpriority(os.PRIO_PROCESS, os.getpid()) < {NICE}

asyncio.run(asyncio.wait_for(run(), 60))
""")


def in_a_process(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
