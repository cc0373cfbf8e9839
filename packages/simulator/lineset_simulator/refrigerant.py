"""Saturation of refrigerants, dew and bubble lines apart, from tables that CoolProp filled once (`make_tables`)."""

from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .chance import Floats

Line = Literal["dew", "bubble"]
NAMES = ("R410A", "R32", "R454B", "R290")


class Refrigerant:
    """Saturation properties of one refrigerant. Temperatures in degC, pressures absolute in Pa, enthalpies in J/kg.

    Temperatures outside the table (-52 degC to near the critical point) are taken at its nearest end.
    """

    def __init__(self, name: str, table: NDArray[np.float64]) -> None:
        self.name = name
        self.temperatures = table[0]
        self._log = {"bubble": np.log(table[1]), "dew": np.log(table[2])}
        self._log_density = np.log(table[3])
        self._vapour, self._liquid, self._liquid_heat, self._gas_heat = table[4], table[5], table[6], table[7]

    def pressure(self, t: Floats, line: Line) -> Floats:
        """Saturation pressure (Pa) at `t`."""
        return np.asarray(np.exp(np.interp(t, self.temperatures, self._log[line])))

    def temperature(self, pressure: Floats, line: Line) -> Floats:
        """Saturation temperature (degC) at `pressure` (Pa)."""
        return np.asarray(np.interp(np.log(pressure), self._log[line], self.temperatures))

    def density(self, t: Floats) -> Floats:
        """Density (kg/m3) of vapour on the dew line."""
        return np.asarray(np.exp(np.interp(t, self.temperatures, self._log_density)))

    def vapour(self, t: Floats) -> Floats:
        """Enthalpy (J/kg) of vapour on the dew line."""
        return np.asarray(np.interp(t, self.temperatures, self._vapour))

    def liquid(self, t: Floats) -> Floats:
        """Enthalpy (J/kg) of liquid on the bubble line; subcooled liquid at `t` differs from it by pressure only."""
        return np.asarray(np.interp(t, self.temperatures, self._liquid))

    def gas_heat(self, t: Floats) -> Floats:
        """Isobaric heat capacity (J/(kg K)) of gas 15 K above the dew line at `t`."""
        return np.asarray(np.interp(t, self.temperatures, self._gas_heat))


@lru_cache
def refrigerant(name: str) -> Refrigerant:
    """The refrigerant `name`; ValueError with the known names when there is none."""
    if name not in NAMES:
        raise ValueError(f"no refrigerant named {name!r}; use one of: {', '.join(NAMES)}")
    raw = files("lineset_simulator").joinpath("data", "refrigerants.npz").read_bytes()
    with np.load(BytesIO(raw)) as tables:
        return Refrigerant(name, tables[name].astype(np.float64))
