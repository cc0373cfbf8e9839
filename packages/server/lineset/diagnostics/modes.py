"""What a machine does at each row: as it says itself, or as its compressor, burner, valves, calls, power and temperatures tell."""

from collections.abc import Sequence

import numpy as np
from lineset_contract.points import POINTS
from numpy.typing import NDArray

from lineset.diagnostics.machine import column
from lineset.diagnostics.rows import Flags, Floats, Rows

Modes = NDArray[np.int8]

_CODES = POINTS["operating_mode"].codes
OFF, HEATING, COOLING, DEFROST = _CODES["off"], _CODES["heating"], _CODES["cooling"], _CODES["defrost"]
HOT_WATER, FAN_ONLY, DRY, AUXILIARY = _CODES["hot_water"], _CODES["fan_only"], _CODES["dry"], _CODES["auxiliary_heat"]
UNKNOWN = -1
RUNNING = (HEATING, COOLING, DEFROST, HOT_WATER, DRY, AUXILIARY)
"""Modes in which a machine conditions air or water, or defrosts."""

_ON = {
    "compressor": (
        ("compressor_state", 0.5, 1.0),
        ("compressor_speed", 1.0, 0.0),
        ("compressor_frequency", 1.0, 0.0),
        ("compressor_power", 50.0, 0.0),
    ),
    "flame": (("flame", 0.5, 1.0), ("burner_modulation", 1.0, 0.0), ("gas_input", 100.0, 0.0)),
    "auxiliary": (
        ("auxiliary_heat_state", 0.5, 1.0),
        ("auxiliary_heat_power", 50.0, 0.0),
        ("upper_element_state", 0.5, 1.0),
        ("lower_element_state", 0.5, 1.0),
    ),
}
"""Points that tell whether a source of heat is on: on above the first number and, where the second is not 0, only at that code (or
`starting`, of a compressor)."""


def source_on(rows: Rows, source: str) -> Floats:
    """Whether a source (compressor, flame, auxiliary) is on at each row: 1, 0, or NaN where no point tells, shape (rows,).

    Points are asked in order of how directly they tell; several elements are on when any is.
    """
    found = np.full(len(rows), np.nan)
    for name, above, code in _ON[source]:
        values = rows.points.get(name)
        if values is None:
            continue
        on = (values > above) & ((values == code) | (values == 2.0) & (name == "compressor_state")) if code else values > above
        mine = np.where(np.isnan(values), np.nan, on)
        found = np.fmax(found, mine) if source == "auxiliary" else np.where(np.isnan(found), mine, found)
    return found


def mode(rows: Rows) -> Modes:
    """The mode at each row, codes of `operating_mode`; `UNKNOWN` where nothing tells, shape (rows,).

    What the machine says comes first, except that a defrost it reports apart is a defrost, and that a water heater heats hot water.
    """
    said = rows.points.get("operating_mode")
    told = np.isfinite(said) if said is not None else np.zeros(len(rows), bool)
    out = np.full(len(rows), UNKNOWN, np.int8)
    if said is not None:
        out[told] = said[told].astype(np.int8)
    if not told.all():
        out[~told] = _inferred(rows)[~told]
    defrost = rows.points.get("defrost_state")
    if defrost is not None:
        out[(defrost == 1.0) & np.isin(out, (UNKNOWN, OFF, HEATING, COOLING))] = DEFROST
    out[rows.of_family("water_heater") & (out == HEATING)] = HOT_WATER
    return out


def running(rows: Rows, mode: Modes) -> Flags:
    """Whether the machine really runs: its mode says so and no source of heat or cold that tells says otherwise, shape (rows,)."""
    sources = np.fmax(np.fmax(source_on(rows, "compressor"), source_on(rows, "flame")), source_on(rows, "auxiliary"))
    works = np.zeros(max(_CODES.values()) + 2, bool)
    works[list(RUNNING)] = True
    found: Flags = works[mode] & ((sources != 0.0) | (mode == DEFROST))
    return found


def _inferred(rows: Rows) -> Modes:
    """Modes from everything but `operating_mode`."""
    compressor, flame, auxiliary = source_on(rows, "compressor"), source_on(rows, "flame"), source_on(rows, "auxiliary")
    on = np.fmax(np.fmax(compressor, flame), auxiliary)
    on = _known(on, _powered(rows), _called(rows), _works(rows))
    out = np.where(on == 1.0, _kind(rows), np.where(on == 0.0, OFF, UNKNOWN)).astype(np.int8)
    out[(on == 1.0) & (compressor == 0.0) & (auxiliary == 1.0) & ~rows.of_family("water_heater")] = AUXILIARY
    fan = np.fmax(rows.point("indoor_fan_speed"), rows.point("supply_fan_speed"))
    out[(out == OFF) & (fan > 1.0)] = FAN_ONLY
    return out


def _known(*candidates: Floats) -> Floats:
    found = candidates[0]
    for other in candidates[1:]:
        found = np.where(np.isnan(found), other, found)
    return found


def _powered(rows: Rows) -> Floats:
    """Whether the power drawn is that of a compressor or element: above 6 % of the rated output (a quarter of full load at a COP of 4),
    at least 80 W; 250 W where nobody said a rating. Furnaces, boilers and pumps do not tell by power."""
    power = rows.points.get("electric_power")
    if power is None:
        return np.full(len(rows), np.nan)
    rated = np.nan_to_num(column(rows.machines, "capacity_w").astype(np.float64))
    limit = np.where(rated > 0.0, np.maximum(0.06 * rated, 80.0), 250.0)[rows.row_machine]
    tells = rows.of_family("heat_pump", "air_conditioner", "chiller", "water_heater") & np.isfinite(power)
    return np.where(tells, power > limit, np.nan)


def _called(rows: Rows) -> Floats:
    call = rows.point("thermostat_call")
    return np.where(np.isnan(call), np.nan, np.isin(call, (1.0, 2.0, 4.0)))


def _works(rows: Rows) -> Floats:
    """Whether air or water leaves the machine warmer or colder than it enters, by more than sensors differ."""
    return np.where(np.isnan(_lift(rows)), np.nan, np.abs(_lift(rows)) > 1.0)


def _lift(rows: Rows) -> Floats:
    """By how many sensor errors the medium is warmer (or, below 0, colder) when it leaves: 3 K of air, 1.5 K of water are 1."""
    air = (rows.point("supply_air_temperature") - rows.point("return_air_temperature")) / 3.0
    water = (rows.point("outlet_water_temperature") - rows.point("inlet_water_temperature")) / 1.5
    return np.where(np.isnan(air), water, air)


def _kind(rows: Rows) -> Modes:
    """What a machine that is on does."""
    out = np.full(len(rows), UNKNOWN, np.int8)
    lift = _lift(rows)
    for point, pairs in _TELLING:
        values = lift if point == "" else rows.points.get(point)
        if values is None:
            continue
        for found, kind in pairs:
            out[(out == UNKNOWN) & _is(values, found)] = kind
    call = rows.points.get("thermostat_call")
    if call is not None:
        # Heat is called for and yet the valve stands at cooling: the outdoor coil is being thawed.
        out[(out == COOLING) & (call == 1.0) & rows.of_family("heat_pump")] = DEFROST
    out[rows.of_family("air_conditioner", "chiller")] = COOLING
    out[rows.of_family("furnace", "boiler") & (out != HOT_WATER)] = HEATING
    out[rows.of_family("water_heater")] = HOT_WATER
    return out


def _is(values: Floats, wanted: tuple[float, float]) -> Flags:
    inside: Flags = (values >= wanted[0]) & (values <= wanted[1])
    return inside


_TELLING: Sequence[tuple[str, tuple[tuple[tuple[float, float], int], ...]]] = (
    ("diverter_valve", (((1.0, 1.0), HOT_WATER),)),
    ("reversing_valve", (((0.0, 0.0), HEATING), ((1.0, 1.0), COOLING))),
    ("thermostat_call", (((1.0, 1.0), HEATING), ((2.0, 2.0), COOLING))),
    ("system_mode", (((1.0, 1.0), HEATING), ((2.0, 2.0), COOLING))),
    ("", (((0.5, np.inf), HEATING), ((-np.inf, -0.5), COOLING))),
)
"""What tells heating from cooling, in order of how surely: values between two limits mean a mode; "" is the lift of air or water."""
