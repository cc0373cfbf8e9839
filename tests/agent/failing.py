"""The agent's command line with a driver that breaks its contract on request: `python -m tests.agent.failing FOLDER`.

While `FOLDER/broken` exists, readings come back as something that no driver may return, which is a fault that the agent does not foresee.
"""

import sys
from pathlib import Path
from typing import cast

from lineset_agent.cli import app
from lineset_agent.drivers import CommandDriver
from lineset_contract.wire import Frame

FOLDER = Path(sys.argv[1])
_read = CommandDriver.read


async def read(self: CommandDriver) -> list[Frame]:
    if (FOLDER / "broken").exists():
        return [cast("Frame", "anna@example.org at 203.0.113.9")]
    return await _read(self)


CommandDriver.read = read  # type: ignore[method-assign]
app(["run", "--data", str(FOLDER)])
