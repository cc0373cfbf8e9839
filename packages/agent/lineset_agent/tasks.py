"""Running things side by side, and ending them for certain."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until the first one ends, fails or this is cancelled; then end the others and raise what the first raised.

    A task group would cancel each task once; before Python 3.12 `asyncio.wait_for`, which the MQTT library uses, can
    swallow that one cancellation, and the group would wait for ever.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(tasks)
    for task in tasks:
        if task in done:
            task.result()


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, again and again, until each has ended."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that it is not reported as forgotten
