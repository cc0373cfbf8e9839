"""A heat pump for tests of the agent, and clocks."""

import asyncio
import time

from lineset_agent.clock import Clock, SystemClock
from lineset_agent.drivers import DriverError
from lineset_contract.wire import Frame, InventoryItem, WireValue


class HeatPump:
    """Answers as a machine would: settings take effect at the next reading unless something is wrong with it."""

    def __init__(self, clock: Clock | None = None, name: str = "hp1") -> None:
        self.clock = clock or SystemClock()
        self.name = name
        self.settings: dict[str, WireValue] = {
            "heating_setpoint": 20.0,
            "cooling_setpoint": 26.0,
            "system_mode": "heating",
            "fan_mode": "auto",
        }
        self.count = 0
        self.reads_until_pause: int | None = None
        self.resume = asyncio.Event()
        self.stuck = False
        self.broken = ""
        self.writes: list[tuple[str, str, float | str]] = []
        self.booted = self.clock.now() - 1000
        self.offset = 0.0
        self.extra: dict[str, WireValue] = {}

    async def inventory(self) -> list[InventoryItem]:
        return [InventoryItem(self.name, "heat_pump_air_air", "Test", "T1", "0001")]

    async def read(self) -> list[Frame]:
        while self.reads_until_pause is not None and self.count >= self.reads_until_pause:
            await self.resume.wait()
            self.resume.clear()
        if self.broken:
            raise DriverError(self.broken)
        self.count += 1
        values: dict[str, WireValue] = {
            "run_time": self.count,
            "room_temperature": 20.0,
            "controller_uptime": self.clock.now() - self.booted,
            **self.settings,
            **self.extra,
        }
        return [Frame(self.clock.now(), self.name, values)]

    async def write(self, equipment: str, setting: str, value: float | str) -> None:
        self.writes.append((equipment, setting, value))
        if self.broken:
            raise DriverError(self.broken)
        if setting == "restart":
            self.booted = self.clock.now()
        elif not self.stuck:
            self.settings[setting] = value + self.offset if isinstance(value, float) else value


class Metronome:
    """A clock whose time moves only by the agent's own polls: a simulated day passes as fast as it can be written."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.time = time.time()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if seconds > self.interval:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleepers.append((self.time + seconds, waiting))
            await waiting
            return
        self.time += seconds
        for due, waiting in self._sleepers:
            if due <= self.time and not waiting.done():
                waiting.set_result(None)
        self._sleepers = [(due, waiting) for due, waiting in self._sleepers if not waiting.done()]
        await asyncio.sleep(0)


class Skewed:
    """The system's clock with an error that can be put right."""

    def __init__(self, error: float) -> None:
        self.error = error

    def now(self) -> float:
        return time.time() + self.error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
