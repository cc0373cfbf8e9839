"""Work that can wait: what people look at and what machines send comes first on a machine that does all of it, in time and in memory."""

import asyncio
import contextlib
import ctypes
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

NICE = 10
"""As nice as that (0 to 19) are threads of background work: beside a busy one they get a tenth of a core, alone all of it."""


GIVE_BACK_S = 20.0


def work_in_background(loop: asyncio.AbstractEventLoop) -> None:
    """Have what a loop hands to threads (files, sums, diagnosis) run with low priority, with all threads that libraries start there; the
    loop itself, which delivers commands, keeps its own. Only Linux has priorities by thread; elsewhere nothing changes."""
    loop.set_default_executor(ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), "background", _later))


async def give_back_memory(each_s: float = GIVE_BACK_S) -> None:
    """Hand memory that large jobs have freed back to the system, now and then, for as long as this is awaited. The C library keeps what
    lies between what is still used; only glibc is asked."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(each_s)
        await asyncio.to_thread(trim, 0)


def _later() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
