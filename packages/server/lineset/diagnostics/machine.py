"""What diagnosis knows of a machine apart from its measurements."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
from lineset_contract.profiles import PROFILES
from numpy.typing import NDArray


class Machine(msgspec.Struct, frozen=True):
    """One machine. `id` is opaque; `type` a profile's name; `capacity_w` the rated output in W (0 where nobody said it).

    Machines with the same `site` and `zone` condition the same rooms. `serves` is the id of the machine that it belongs to.
    """

    id: str
    type: str
    site: str = ""
    zone: str = ""
    serves: str = ""
    make: str = ""
    model: str = ""
    capacity_w: float = 0.0
    fuel: str = ""
    refrigerant: str = ""
    installed: date | None = None
    time_zone: str = "UTC"

    @property
    def family(self) -> str:
        """The profile's family: heat_pump, air_conditioner, furnace, boiler, water_heater …"""
        return PROFILES[self.type].family


def column(machines: Sequence[Machine], field: str) -> NDArray[Any]:
    """One field of all machines, as an array of shape (machines,)."""
    return np.array([getattr(machine, field) for machine in machines])
