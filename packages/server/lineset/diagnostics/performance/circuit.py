"""Temperatures of the circuit in steady running, and how near it comes to the ideal one."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lineset.diagnostics.performance.accuracy import AIR_FLOW, AIR_K, PIPE_K, SATURATION_K, WATER_DIFFERENCE_K, WATER_FLOW, together
from lineset.diagnostics.performance.table import NOT_MEASURED, NOT_RUN, TOO_LITTLE, Column, Spans, Words, column, reasons

LEAST_S = 600.0
"""Means over less steady running than this (s) are not told."""
MODES = ("heating", "cooling", "hot_water")
COMPRESSORS = ("heat_pump", "air_conditioner", "chiller", "ventilation", "water_heater")
_FIGURES: Mapping[str, tuple[str, str, ArrayLike]] = {
    "superheat": ("superheat", "K", together(PIPE_K, SATURATION_K)),
    "subcooling": ("subcooling", "K", together(PIPE_K, SATURATION_K)),
    "evaporating": ("evaporating", "degC", SATURATION_K),
    "condensing": ("condensing", "degC", SATURATION_K),
    "discharge": ("discharge", "degC", PIPE_K),
    "sink_approach": ("condensing_over_sink", "K", together(AIR_K, SATURATION_K)),
    "source_approach": ("source_over_evaporating", "K", together(AIR_K, SATURATION_K)),
    "air_split": ("split", "K", together(AIR_K, AIR_K)),
    "water_split": ("water_difference", "K", WATER_DIFFERENCE_K),
    "outdoor": ("outdoor", "degC", AIR_K),
}
"""By figure: the channel, its unit, its doubt. An approach is by how much the condensing temperature is over the sink's, or the source's
over the evaporating temperature; entering air, leaving water."""
_ANY = frozenset({"air_split", "water_split", "outdoor"})


def steady(spans: Spans) -> Mapping[str, Column]:
    """Means over steady running, `superheat_heating` … (K, degC), and flows (`air_flow_…` in m3/h, `water_flow_…` in kg/s).

    Superheat: suction line over the dew point at suction pressure; subcooling: bubble point at liquid line pressure over the liquid line
    (ASHRAE Handbook Refrigeration, chapter 1; AHRI/ACCA 4).
    """
    found = {}
    for mode in MODES:
        runs = np.nan_to_num(spans.sum(f"s.{mode}")) > 0.0
        for name, (channel, unit, doubt) in _FIGURES.items():
            mine = runs & (spans.family(*COMPRESSORS) | (name in _ANY))
            found[f"{name}_{mode}"] = column(unit, spans.mean(mode, channel), doubt=doubt, why=why(spans, mode, channel), applies=mine)
        for name, unit, share in (("air_flow", "m3/h", AIR_FLOW), ("water_flow", "kg/s", WATER_FLOW)):
            value = spans.mean(mode, name)
            found[f"{name}_{mode}"] = column(unit, value, doubt=share * np.abs(value), why=why(spans, mode, name), applies=runs)
    return found


def why(spans: Spans, mode: str, channel: str) -> Words:
    """Why a steady mean is absent."""
    known = np.nan_to_num(spans.sum(f"steady.{mode}.{channel}.s"))
    runs, steady_s = np.nan_to_num(spans.sum(f"s.{mode}")), np.nan_to_num(spans.sum(f"steady.{mode}.s"))
    return reasons((runs <= 0.0, NOT_RUN), (steady_s < LEAST_S, TOO_LITTLE), (known <= 0.0, NOT_MEASURED), (known < LEAST_S, TOO_LITTLE))
