"""An agent in a process of its own, to be killed: `python -m tests.agent.child FOLDER PORT CA FIRST`.

Its driver counts. A number goes into the ledger once the frame with it is on the disk, which is so when the agent
asks for the next one.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from lineset_agent.config import AgentConfig, Identity
from lineset_agent.runtime import Agent
from lineset_contract.wire import Frame, InventoryItem

PER_READ = 5


class Counter:
    def __init__(self, ledger: Path, first: int) -> None:
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._next = first
        self._before: list[int] = []

    async def inventory(self) -> list[InventoryItem]:
        return [InventoryItem("hp1", "heat_pump_air_air")]

    async def read(self) -> list[Frame]:
        if self._before:
            os.write(self._ledger, "".join(f"{number}\n" for number in self._before).encode())
        self._before = list(range(self._next, self._next + PER_READ))
        self._next += PER_READ
        return [Frame(time.time(), "hp1", {"run_time": number}) for number in self._before]

    async def write(self, equipment: str, setting: str, value: float | str) -> None:
        raise NotImplementedError


def main() -> None:
    folder, port, ca, first = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    identity = Identity("crash", "localhost", port, ca=ca, token_file=folder / "token")
    config = AgentConfig(identity, folder, poll_interval=0.002, resend_after=0.3, resend_at_most=1.0)
    asyncio.run(Agent(config, Counter(folder / "ledger", first)).run())


main()
