"""A process may be started before the database is ready for it: it imports its code meanwhile, and waits here before its first query."""

import asyncio
import os
from pathlib import Path

VARIABLE = "LINESET_GATE"  # the file that is there once the database is ready


async def opened() -> None:
    """Wait until the gate is open. Without one, go on."""
    path = os.environ.get(VARIABLE)
    while path and not await asyncio.to_thread(Path(path).exists):  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.05)
