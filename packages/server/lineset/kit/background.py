"""Work that can wait: what people look at and what machines send comes first on a machine that does all of it, in time and in memory."""

import asyncio
import contextlib
import ctypes
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NICE = 10
"""As nice as that (0 to 19) are threads of background work: beside a busy one they get a tenth of a core, alone all of it."""
TEND_S = 20.0
_COMPUTING = "polars"
"""Threads of this library's pool begin wherever it was used first, with the priority that is usual there."""


def work_in_background(loop: asyncio.AbstractEventLoop) -> None:
    """Have what a loop hands to threads (files, sums, diagnosis) run with low priority; the loop itself, which delivers commands, keeps its
    own. Only Linux has priorities by thread; elsewhere nothing changes."""
    loop.set_default_executor(
        ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), "background", lambda: _later(threading.get_native_id()))
    )


async def tend(each_s: float = TEND_S) -> None:
    """Now and then, for as long as this is awaited: give threads that compute for jobs their low priority, and hand memory that large jobs
    have freed back to the system. The C library keeps what lies between what is still used; only glibc is asked for it."""
    while True:
        await asyncio.sleep(each_s)
        await asyncio.to_thread(_tend)


def _tend() -> None:
    for thread in Path("/proc/self/task").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if (thread / "comm").read_text().startswith(_COMPUTING):
                _later(int(thread.name))
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _later(thread: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container may forbid it
            os.setpriority(os.PRIO_PROCESS, thread, NICE)
