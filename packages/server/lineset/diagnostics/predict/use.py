"""How a machine was used over a year, from its days: what lives are told by, and what advice weighs."""

import numpy as np

from lineset.diagnostics.days import Days
from lineset.diagnostics.performance import figures

YEAR_DAYS = 365
WHOLE_YEAR_DAYS = 330
"""Of fewer days nothing is told that changes with the seasons."""
LEAST_DAYS = 14
_YEAR = {
    "electric": ("electric",),
    "gas": ("gas",),
    "efficiency": ("spf_h3", "spf_cooling", "efficiency_gas"),
    "evaporating": ("evaporating_heating",),
    "condensing": ("condensing_heating",),
    "comfort": ("comfort",),
    "hours": ("hours_running",),
    "starts": ("starts",),
}
"""What is kept of the year: the first of these figures that there is."""


def year_of(days: Days) -> dict[int, dict[str, float]]:
    """By the machine's index: `efficiency`, `evaporating` and `condensing` (degC), `comfort` (%), `starts_an_hour` of running, `ageing`
    of the compressor (1: usual), and of a whole year alone, since they change with the seasons, `energy_kwh`, `electric`, `gas` and
    `hours_a_year`; each as far as known."""
    rows, columns = figures(days, "whole")
    found: dict[int, dict[str, float]] = {}
    known = np.bincount(days.machine, minlength=len(days.machines))
    for row, machine in enumerate(rows.machine.tolist()):
        mine = {
            name: float(next((columns[f].value[row] for f in wanted if f in columns and np.isfinite(columns[f].value[row])), np.nan))
            for name, wanted in _YEAR.items()
        }
        year = {name: mine[name] for name in ("efficiency", "evaporating", "condensing", "comfort")}
        count = int(known[machine])
        if count >= LEAST_DAYS:
            year["starts_an_hour"] = mine["starts"] / mine["hours"] if mine["hours"] > 0 else np.nan
            year["ageing"] = float(rows.sum("wear.ageing.x")[row] / max(rows.sum("wear.ageing.s")[row], 1.0))
        if count >= WHOLE_YEAR_DAYS:
            scale = YEAR_DAYS / count
            energies = [mine[name] * scale for name in ("electric", "gas") if np.isfinite(mine[name])]
            year |= {"energy_kwh": sum(energies) if energies else np.nan, "hours_a_year": mine["hours"] * scale}
            year |= {name: mine[name] * scale for name in ("electric", "gas")}
        found[machine] = {name: value for name, value in year.items() if np.isfinite(value)}
    return found
