"""The agent's driver of a simulated home: reads it as a bus would be read, and writes settings that it obeys."""

import asyncio
from collections.abc import Callable
from time import time

from lineset_agent.drivers import DriverError
from lineset_contract.wire import Frame, InventoryItem

from .home import Home
from .machines.base import SettingUnknown

_SLICE_S = 6.0 * 3600.0
_LONGEST_S = 60.0 * 86400.0


class SimDriver:
    """Drives a Home in real time, or `speed` times faster, from the moment of its first reading on.

    `clock` gives s since 1970 UTC. Frames carry the simulated time: faster than real, it leaves the clock behind, so
    begin in the past with a home whose state is old. A home that was left alone catches up by itself, in slices between
    which other tasks run; beyond 60 days it takes up the clock where it is.
    """

    def __init__(self, home: Home, speed: float = 1.0, clock: Callable[[], float] = time) -> None:
        if speed <= 0.0:
            raise ValueError("the speed must be over 0")
        self.home, self.speed, self._clock = home, speed, clock
        self._origin: tuple[float, float] | None = None

    def now(self) -> float:
        """The simulated time (s since 1970 UTC)."""
        real = self._clock()
        if self.speed == 1.0:
            return real
        if self._origin is None:
            self._origin = (real, self.home.t)
        return self._origin[1] + self.speed * (real - self._origin[0])

    async def inventory(self) -> list[InventoryItem]:
        """The machines of the home."""
        return [InventoryItem(e.local, e.type, e.make, e.model, e.serial) for e in self.home.spec.equipment]

    async def read(self) -> list[Frame]:
        """Moves the home on to now; frames of the machines that are due. None while the gateway has no power."""
        now = self.now()
        if now - self.home.t > _LONGEST_S:
            self.home.jump(now)
        while now - self.home.t > _SLICE_S:
            self.home.step(_SLICE_S)
            await asyncio.sleep(0)
        self.home.step_to(now)
        return self.home.frames(now)

    async def write(self, equipment: str, setting: str, value: float | str) -> None:
        """Sets a setting, or restarts the controller ("restart"). Raises DriverError with what to do instead."""
        try:
            self.home.write(equipment, setting, value)
        except (KeyError, ValueError, SettingUnknown) as error:
            raise DriverError(str(error.args[0])) from None
