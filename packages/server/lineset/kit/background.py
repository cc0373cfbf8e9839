"""Threads for work that can wait: what people look at and what machines send comes first on a machine that does all of it."""

import asyncio
import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

NICE = 10
"""As nice as that (0 to 19) are threads of background work: beside a busy one they get a tenth of a core, alone all of it."""


def work_in_background(loop: asyncio.AbstractEventLoop) -> None:
    """Have what a loop hands to threads (files, sums, diagnosis) run with low priority, with all threads that libraries start there; the
    loop itself, which delivers commands, keeps its own. Only Linux has priorities by thread; elsewhere nothing changes."""
    loop.set_default_executor(ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), "background", _later))


def _later() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
