"""Work that can wait gives way: whose threads have which priority."""

import asyncio
import os
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
