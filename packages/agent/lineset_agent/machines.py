"""The machines behind a driver: one call at a time, never longer than allowed, readings kept for who needs them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from lineset_contract.profiles import PROFILES, Profile
from lineset_contract.wire import Frame, InventoryItem, WireValue

from lineset_agent.drivers import Driver, DriverError
from lineset_agent.troubles import Troubles

Readings = Mapping[str, Mapping[str, WireValue]]
Keep = Callable[[list[Frame]], Awaitable[None]]


class Machines:
    """The equipment of one driver."""

    def __init__(self, driver: Driver, timeout: float, keep: Keep, troubles: Troubles) -> None:
        self._driver = driver
        self._timeout = timeout
        self._keep = keep
        self._troubles = troubles
        self._lock = asyncio.Lock()
        self.inventory: dict[str, InventoryItem] = {}
        self.last: dict[str, dict[str, WireValue]] = {}
        """The latest value of each point by equipment."""

    def profile_of(self, equipment: str) -> Profile | None:
        """The profile of a piece of equipment, or None when its type or itself is unknown."""
        item = self.inventory.get(equipment)
        return None if item is None else PROFILES.get(item.type)

    async def look_around(self) -> bool:
        """Ask the driver what there is; True when something changed."""
        try:
            async with self._lock, asyncio.timeout(self._timeout):
                found = {item.name: item for item in await self._driver.inventory()}
        except (DriverError, TimeoutError) as error:
            self._troubles.report("inventory_failed", _said(error, self._timeout))
            return False
        except Exception as error:  # noqa: BLE001  a driver is others' code
            self._troubles.report("driver_error", f"{type(error).__name__}: {error}")
            return False
        for item in found.values():
            if item.type not in PROFILES:
                self._troubles.report(
                    "unknown_type",
                    f"{item.name} has the type {item.type!r}; known types: {', '.join(PROFILES)}",
                    item.name,
                )
        changed = found != self.inventory
        self.inventory = found
        return changed

    async def poll(self) -> Readings:
        """Read the machines once and keep the frames; returns what this reading brought, by equipment and point.

        A failure is reported and brings nothing; it never raises but for the disk.
        """
        async with self._lock:
            frames: list[Frame] = []
            try:
                async with asyncio.timeout(self._timeout):
                    frames = await self._driver.read()
            except DriverError as error:
                frames = error.frames
                self._troubles.report("read_failed", str(error))
            except TimeoutError as error:
                self._troubles.report("read_failed", _said(error, self._timeout))
            except Exception as error:  # noqa: BLE001  a driver is others' code; the rest must run on
                self._troubles.report("driver_error", f"{type(error).__name__}: {error}")
        readings: dict[str, dict[str, WireValue]] = {}
        for frame in frames:
            readings.setdefault(frame.e, {}).update(frame.v)
        for equipment, values in readings.items():
            self.last.setdefault(equipment, {}).update(values)
        await self._keep(frames)
        return readings

    async def write(self, equipment: str, setting: str, value: float | str) -> None:
        """Change a setting at a machine. Raises DriverError, whatever the driver raised."""
        async with self._lock:
            try:
                async with asyncio.timeout(self._timeout):
                    await self._driver.write(equipment, setting, value)
            except DriverError:
                raise
            except TimeoutError as error:
                raise DriverError(_said(error, self._timeout)) from None
            except Exception as error:
                raise DriverError(f"{type(error).__name__}: {error}") from error


def _said(error: Exception, timeout: float) -> str:
    return f"the driver did not answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error)
