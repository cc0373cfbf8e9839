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
from lineset.kit.background import give_back_memory

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) // 1024

blocks = [bytearray(50_000) for _ in range(4_000)]
kept = blocks[::40]
del blocks
before = resident()

async def run():
    giving = asyncio.create_task(give_back_memory(0.01))
    while resident() > before - 100:
        await asyncio.sleep(0.01)
    giving.cancel()

asyncio.run(asyncio.wait_for(run(), 60))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
