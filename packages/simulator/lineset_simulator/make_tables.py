"""Writes `data/refrigerants.npz` with CoolProp, which only this script and a test need: `python -m lineset_simulator.make_tables`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COOLPROP_NAMES = {"R410A": "R410A", "R32": "R32", "R454B": "R454B.mix", "R290": "R290"}
HIGHEST_DEGC = {"R410A": 68.0, "R32": 75.0, "R454B": 70.0, "R290": 86.0}
COLUMNS = ("bubble_pa", "dew_pa", "vapour_kg_m3", "vapour_j_kg", "liquid_j_kg", "liquid_j_kg_k", "gas_j_kg_k")
LOW_DEGC, STEP_K = -52.0, 0.5


def rows(name: str) -> NDArray[np.float64]:
    """Saturation table of one refrigerant, shape (1 + len(COLUMNS), n): temperature (degC), then COLUMNS.

    `gas_j_kg_k` is the isobaric heat capacity 15 K above the dew line, which stands for gas between a compressor and
    the dew line. CoolProp's density solver misses single points of mixtures near the critical point: these are joined
    by a cubic through their neighbours.
    """
    from CoolProp.CoolProp import PropsSI  # noqa: PLC0415  only this script needs it, and it takes 60 MB

    fluid = COOLPROP_NAMES[name]
    temperatures = np.arange(LOW_DEGC, HIGHEST_DEGC[name], STEP_K)

    def ask(output: str, one: str, at: float, other: str, value: float) -> float:
        try:
            return float(PropsSI(output, one, at, other, value, fluid))
        except ValueError:
            return float("nan")

    def one(t: float) -> list[float]:
        kelvin = t + 273.15
        dew = ask("P", "T", kelvin, "Q", 1)
        saturated = [("P", 0), ("P", 1), ("D", 1), ("H", 1), ("H", 0), ("C", 0)]
        values = [ask(output, "T", kelvin, "Q", quality) for output, quality in saturated]
        return [t, *values, ask("C", "T", kelvin + 15.0, "P", dew)]

    table = np.array([one(float(t)) for t in temperatures]).T
    for row in table[1:]:
        for i in np.flatnonzero(np.isnan(row)):
            near = np.flatnonzero(~np.isnan(row))
            near = near[np.argsort(np.abs(near - i))[:4]]
            # logarithms of pressure and density bend less than they do themselves
            row[i] = np.exp(np.polyval(np.polyfit(near - i, np.log(row[near]), 3), 0.0))
    return table


def main(target: Path) -> None:
    """Writes the tables of all refrigerants to `target`; single precision is a hundred times finer than a sensor."""
    tables: dict[str, Any] = {name: rows(name).astype(np.float32) for name in COOLPROP_NAMES}
    np.savez_compressed(target, **tables)
    print(f"wrote {target}, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(__file__).parent / "data" / "refrigerants.npz")
