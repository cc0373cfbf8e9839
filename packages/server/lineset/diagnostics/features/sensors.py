"""What tells of sensors themselves: whether they move, what they read at rest, and whether pairs stand the right way round."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.samples import DAY_S, Flags, Floats, Samples

SENSED = (
    "room_temperature",
    "outdoor_temperature",
    "supply_air_temperature",
    "return_air_temperature",
    "suction_line_temperature",
    "liquid_line_temperature",
    "discharge_line_temperature",
    "outdoor_coil_temperature",
    "indoor_coil_temperature",
    "inlet_water_temperature",
    "outlet_water_temperature",
    "chilled_water_supply_temperature",
    "chilled_water_return_temperature",
    "flue_gas_temperature",
    "suction_line_pressure",
    "liquid_line_pressure",
    "discharge_line_pressure",
    "electric_power",
    "water_flow_rate",
    "supply_air_flow",
)
"""Points of sensors that can't stand still while a machine works."""

REST_S = 7200.0
"""After this long off, a machine's parts have the temperature of what surrounds them (s)."""

AT_REST = {
    "supply": ("supply_air_temperature", "room_temperature"),
    "return": ("return_air_temperature", "room_temperature"),
    "indoor_coil": ("indoor_coil_temperature", "room_temperature"),
    "outdoor_coil": ("outdoor_coil_temperature", "outdoor_temperature"),
    "suction_line": ("suction_line_temperature", "outdoor_temperature"),
    "liquid_line": ("liquid_line_temperature", "outdoor_temperature"),
    "water_difference": ("outlet_water_temperature", "inlet_water_temperature"),
}
"""Which point then reads what which other point reads."""

PAIRS = {
    "lines": ("suction_line_temperature", "liquid_line_temperature"),
    "discharge": ("liquid_line_temperature", "discharge_line_temperature"),
    "pressures": ("suction_line_pressure", "liquid_line_pressure"),
    "coils.heating": ("outdoor_coil_temperature", "indoor_coil_temperature"),
    "coils.cooling": ("indoor_coil_temperature", "outdoor_coil_temperature"),
    "air.heating": ("return_air_temperature", "supply_air_temperature"),
    "air.cooling": ("supply_air_temperature", "return_air_temperature"),
    "water.heating": ("inlet_water_temperature", "outlet_water_temperature"),
    "water.cooling": ("outlet_water_temperature", "inlet_water_temperature"),
    "chilled.cooling": ("chilled_water_supply_temperature", "chilled_water_return_temperature"),
}
"""Two points of which the first reads less than the second in steady running; of those with a mode, in that mode."""

CLEARLY = {"pressures": 50.0}
"""From which difference on (K, kPa) a pair stands one way or the other; 1.5 K where nothing is said."""
CLEARLY_K = 1.5


def sensing(samples: Samples) -> Mapping[str, Floats]:
    """`sense.<point>.rows`, how many readings, and `sense.<point>.moved`, the sum of absolute changes between readings of one machine;
    `sense.flips`, how often the machine began or ceased to run."""
    found: dict[str, Floats] = {}
    same = ~samples.starts_machine
    running = samples.running
    found["sense.flips"] = samples.total(
        np.where(same, np.r_[0.0, np.abs(np.diff(running.astype(np.float64)))] if len(running) else 0.0, 0.0)
    )
    for name in SENSED:
        values = samples.points.get(name)
        if values is None:
            continue
        known = ~np.isnan(values)
        rows = samples.total(known.astype(np.float64))
        change = np.abs(np.r_[0.0, np.diff(values)]) if len(values) else values
        found[f"sense.{name}.rows"] = np.where(rows > 0, rows, np.nan)
        found[f"sense.{name}.moved"] = np.where(rows > 0, samples.total(np.where(same, change, 0.0)), np.nan)
    return found


def resting(samples: Samples) -> Mapping[str, Floats]:
    """What reads differently after `REST_S` of rest: `rest.<channel>.x` (K s) and `.s` for each of `AT_REST`; of pressures,
    `rest.condensing`
    and `rest.evaporating`, saturation over outdoor temperature; `rest.gap`, outdoor less room temperature."""
    rests = _rests(samples)
    if not rests.any():
        return {}
    found: dict[str, Floats] = {}
    outdoor, room = samples.point("outdoor_temperature"), samples.point("room_temperature")
    compared = {name: (samples.point(one), samples.point(other)) for name, (one, other) in AT_REST.items() if samples.has(one, other)}
    compared["gap"] = (outdoor, room)
    for name in ("condensing", "evaporating"):
        compared[name] = (samples.channel(name), outdoor)
    for name, (one, other) in compared.items():
        _put(samples, found, f"rest.{name}", one - other, rests)
    return found


_MAKES_WATER = ("heat_pump", "boiler", "chiller")
"""Families that warm or cool the water that passes them; through the coil of an air handler it goes the other way."""


def ways_round(samples: Samples) -> Mapping[str, Floats]:
    """For each of `PAIRS`: `way.<pair>.s`, steady time in which the two differ clearly, `way.<pair>.wrong`, of that the time in which they
    stand the other way round. `way.heating.room` and `way.cooling.room` (`.x` in K s, `.s`): how much nearer to the room's temperature the
    supply air is than the return air, below 0 where they are what they say."""
    found: dict[str, Floats] = {}
    for name, (low, high) in PAIRS.items():
        if not samples.has(low, high):
            continue
        mode = name.partition(".")[2]
        where = samples.steady & _in(samples, mode) if mode else samples.steady & ~np.isnan(samples.channel("source"))
        if name.startswith("water"):
            where &= samples.of_family(*_MAKES_WATER)
        difference = samples.point(high) - samples.point(low)
        clear = where & (np.abs(difference) > CLEARLY.get(name, CLEARLY_K))
        known = samples.seconds(where & ~np.isnan(difference))
        found[f"way.{name}.s"] = np.where(known > 0, samples.seconds(clear), np.nan)
        found[f"way.{name}.wrong"] = np.where(known > 0, samples.seconds(clear & (difference < 0)), np.nan)
    if samples.has("supply_air_temperature", "return_air_temperature", "room_temperature"):
        room = samples.point("room_temperature")
        nearer = np.abs(samples.point("return_air_temperature") - room) - np.abs(samples.point("supply_air_temperature") - room)
        for mode in ("heating", "cooling"):
            _put(samples, found, f"way.{mode}.room", nearer, samples.steady & _in(samples, mode))
    return found


def _in(samples: Samples, mode: str) -> Flags:
    """Rows in a mode of the circuit; making hot water is heating, except that it is not the room's air that is heated."""
    return np.isin(samples.mode, {"heating": (1,), "cooling": (2, 7)}[mode])


def _rests(samples: Samples) -> Flags:
    """Rows at which the machine is known to have been off for `REST_S`."""
    if not len(samples):
        return np.zeros(0, bool)
    fresh = samples.starts_machine | samples.running
    since = samples.t - samples.t[np.maximum.accumulate(np.where(fresh, np.arange(len(samples)), 0))]
    return ~samples.running & (since >= REST_S) & (since < 2 * DAY_S)


def _put(samples: Samples, found: dict[str, Floats], name: str, values: Floats, where: Flags) -> None:
    there = where & ~np.isnan(values)
    if there.any():
        seconds = samples.seconds(there)
        found[f"{name}.x"] = np.where(seconds > 0, samples.total(np.where(there, values * samples.dt, 0.0)), np.nan)
        found[f"{name}.s"] = np.where(seconds > 0, seconds, np.nan)
