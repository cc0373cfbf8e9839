"""Writes `refrigerants.npz`, which `refrigerants.py` reads, with CoolProp: `python -m lineset.diagnostics.physics.make_refrigerants`.

CoolProp (Bell et al., Ind. Eng. Chem. Res. 53 (2014) 2498) is a tool of development and takes 60 MB; the platform only reads the table.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLUIDS = {
    "R22": "R22",
    "R32": "R32",
    "R134A": "R134a",
    "R290": "R290",
    "R404A": "R404A",
    "R407C": "R407C",
    "R410A": "R410A",
    "R454B": "R454B.mix",
    "R513A": "R513A.mix",
    "R1234YF": "R1234yf",
}
"""Names by number (upper case), and what CoolProp calls them."""
LOWEST_C, STEP_K = -60.0, 0.5
CRITICAL_SHARE = 0.97
"""Tables end at this share of the (pseudo-)critical temperature in K, above which no sub-critical machine condenses."""
HIGHEST_C = {"R404A": 68.0, "R454B": 70.0, "R513A": 85.0}
ROWS = 512


def saturation(number: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Temperatures (degC) with dew and bubble pressures (Pa) at them. Single points that the solver misses are left out."""
    from CoolProp.CoolProp import PropsSI  # noqa: PLC0415  only this script and a test need it

    fluid = FLUIDS[number]
    highest = HIGHEST_C.get(number) or CRITICAL_SHARE * float(PropsSI("Tcrit", fluid)) - 273.15
    found = []
    for t in np.arange(LOWEST_C, highest, STEP_K).tolist():
        try:
            found.append((t, PropsSI("P", "T", t + 273.15, "Q", 1, fluid), PropsSI("P", "T", t + 273.15, "Q", 0, fluid)))
        except ValueError:
            continue
    t, dew, bubble = np.array(found).T
    return t, dew, bubble


def table(t: NDArray[np.float64], pressure: NDArray[np.float64]) -> tuple[float, float, NDArray[np.float32]]:
    """Temperatures (degC) at `ROWS` pressures evenly spaced in their logarithm, with the logarithms of the first and the last (Pa)."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415

    logs = np.log(pressure)
    even = np.linspace(logs[0], logs[-1], ROWS)
    return float(even[0]), float(even[-1]), CubicSpline(logs, t)(even).astype(np.float32)


def main() -> None:
    """Write all tables."""
    numbers, low, high, rows = list(FLUIDS), [], [], []
    for number in numbers:
        t, dew, bubble = saturation(number)
        for pressure in (dew, bubble):
            first, last, temperatures = table(t, pressure)
            low.append(first)
            high.append(last)
            rows.append(temperatures)
    shape = (len(numbers), 2)
    np.savez_compressed(
        Path(__file__).with_name("refrigerants.npz"),
        numbers=np.array(numbers),
        low=np.array(low).reshape(shape),
        high=np.array(high).reshape(shape),
        degc=np.array(rows).reshape(*shape, ROWS),
    )


if __name__ == "__main__":
    main()
