"""How faults of the refrigerant circuit and of sensors show: the direction in which each moves the channels of a machine.

Circuit faults are given at the severity that costs a tenth of the efficiency, in K and, for power, capacity, COP and flows, in
logarithms (shares). Signs after Rossi & Braun 1997 (statistical rule-based method, table 1), Breuker & Braun 1998 (rooftop unit with fixed
orifice), Kim, Payne, Domanski & Hermes 2006 (NISTIR 7350, TXV, cooling), Yoon, Payne & Domanski 2011 (TXV, heating), Cho et al. 2014
(normalised performance, nine faults), Li & Braun 2007 (decoupling features); sizes are rounded from the ranges these report, and stand with
half their size as spread, because units differ more among each other than a table can say.

`fixed` is a fixed orifice; `valve` a thermostatic or electronic expansion valve, which holds superheat until it is wide open.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lineset.diagnostics.expectations import REST

Effects = Mapping[str, float | tuple[float, float]]
"""By channel: the shift, or the shift and its spread (one standard deviation)."""

_COOLING: Mapping[str, Mapping[str, Effects]] = {
    "low_charge": {
        "fixed": {"superheat": 8, "subcooling": -5, "evaporating": -4, "condensing": -2.5, "discharge": 8, "suction_line": 4,
                  "liquid_line": (0, 2),
                  "split": -1.5, "power": -0.04, "capacity": -0.14, "indoor_coil": -3, "outdoor_coil": -2},
        "valve": {"superheat": (2, 3), "subcooling": -6, "evaporating": (-1.5, 1.5), "condensing": -2, "discharge": (3, 4),
                  "suction_line": (1, 3),
                  "liquid_line": (1.5, 2), "split": -1, "power": (-0.02, 0.03), "capacity": -0.11, "indoor_coil": (-1.5, 1.5),
                  "outdoor_coil": -2,
                  "valve": (15, 10)},
    },
    "overcharge": {
        "fixed": {"superheat": -4, "subcooling": 8, "evaporating": 1.5, "condensing": 5, "discharge": (0, 5), "suction_line": -3,
                  "liquid_line": (-2, 2), "split": (0, 0.7), "power": 0.08, "capacity": (-0.02, 0.03), "outdoor_coil": (4, 2)},
        "valve": {"superheat": (-0.5, 1.5), "subcooling": 8, "evaporating": (0.4, 0.8), "condensing": 5, "discharge": 4,
                  "liquid_line": (-2, 2),
                  "split": (0, 0.6), "power": 0.08, "capacity": (-0.02, 0.03), "outdoor_coil": (4, 2), "valve": (-6, 6)},
    },
    "liquid_line_restriction": {
        "fixed": {"superheat": 8, "subcooling": (3, 2), "evaporating": -5, "condensing": (-1.2, 1.2), "discharge": 8, "suction_line": 3,
                  "liquid_line": (-3, 2.5), "split": -1.6, "power": -0.04, "capacity": -0.14, "indoor_coil": -4, "outdoor_coil": (-1, 1.2)},
        "valve": {"superheat": (4, 4), "subcooling": (3, 2), "evaporating": -3, "condensing": (-1, 1.2), "discharge": 5,
                  "suction_line": (1.5, 3),
                  "liquid_line": (-3, 2.5), "split": -1.2, "power": -0.03, "capacity": -0.12, "indoor_coil": -2.5,
                  "outdoor_coil": (-1, 1.2),
                  "valve": (15, 10)},
    },
    "non_condensables": {
        "fixed": {"superheat": (-2, 1.5), "subcooling": 6, "evaporating": (0.8, 0.8), "condensing": 6.5, "discharge": 7,
                  "liquid_line": (0.3, 1),
                  "split": (-0.3, 0.5), "power": 0.08, "capacity": (-0.03, 0.02), "outdoor_coil": (4, 3)},
        "valve": {"superheat": (-0.3, 1), "subcooling": 6, "evaporating": (0.4, 0.6), "condensing": 6.5, "discharge": 8,
                  "liquid_line": (0.3, 1),
                  "split": (-0.3, 0.5), "power": 0.08, "capacity": (-0.03, 0.02), "outdoor_coil": (4, 3)},
    },
    "compressor_valve_leak": {
        "fixed": {"superheat": -4, "subcooling": (-1.5, 1.5), "evaporating": 4, "condensing": -2.5, "discharge": (3, 6),
                  "suction_line": (1, 2.5),
                  "liquid_line": -1.5, "split": -1.7, "power": (-0.05, 0.04), "capacity": -0.15, "indoor_coil": 3, "outdoor_coil": -2},
        "valve": {"superheat": (-0.5, 2), "subcooling": (-1, 1.5), "evaporating": 4, "condensing": -2.5, "discharge": (3, 6),
                  "suction_line": (3, 2.5),
                  "liquid_line": -1.5, "split": -1.7, "power": (-0.05, 0.04), "capacity": -0.15, "indoor_coil": 3, "outdoor_coil": -2},
    },
    "outdoor_coil_fouling": {
        "fixed": {"superheat": -3, "subcooling": (-0.5, 1.5), "evaporating": 1.2, "condensing": 5, "discharge": 6,
                  "suction_line": (-1.5, 2),
                  "liquid_line": 5, "split": (-0.4, 0.4), "power": 0.08, "capacity": -0.03, "outdoor_coil": 5, "indoor_coil": (1, 1)},
        "valve": {"superheat": (-0.3, 1), "subcooling": (-0.5, 1.5), "evaporating": (0.6, 0.6), "condensing": 5, "discharge": 7,
                  "suction_line": (0.3, 1), "liquid_line": 5, "split": (-0.4, 0.4), "power": 0.08, "capacity": -0.03, "outdoor_coil": 5,
                  "indoor_coil": (0.5, 0.8)},
    },
    "indoor_coil_fouling": {
        "fixed": {"superheat": -3, "subcooling": (0, 1.5), "evaporating": -4, "condensing": -1.5, "discharge": (-1.5, 3),
                  "suction_line": -5,
                  "liquid_line": -1.2, "split": (1.2, 2), "power": -0.03, "capacity": -0.13, "indoor_coil": (-4, 2),
                  "air_flow": (-0.2, 0.15)},
        "valve": {"superheat": (-0.5, 1.5), "subcooling": (0, 1.5), "evaporating": -4, "condensing": -1.5, "discharge": (0, 3),
                  "suction_line": -4,
                  "liquid_line": -1.2, "split": (1.2, 2), "power": -0.03, "capacity": -0.13, "indoor_coil": (-4, 2),
                  "air_flow": (-0.2, 0.15)},
    },
    "low_air_flow": {
        "fixed": {"superheat": -4, "subcooling": (0.3, 1.5), "evaporating": -4, "condensing": -1.3, "discharge": (-1.5, 3),
                  "suction_line": -5,
                  "liquid_line": -1.2, "split": 3, "power": -0.025, "capacity": -0.11, "indoor_coil": -4, "air_flow": (-0.35, 0.12)},
        "valve": {"superheat": (-0.5, 1.5), "subcooling": (0, 1.5), "evaporating": -4, "condensing": -1.3, "discharge": (0, 3),
                  "suction_line": -4,
                  "liquid_line": -1.2, "split": 3, "power": -0.025, "capacity": -0.11, "indoor_coil": -4, "air_flow": (-0.35, 0.12)},
    },
    "low_water_flow": {
        "valve": {"evaporating": (-1, 1.2), "water_difference": 2.5, "capacity": (-0.04, 0.04), "power": (-0.01, 0.02),
                  "water_flow": (-0.35, 0.12),
                  "suction_line": (-1, 1.5)},
    },
    "reversing_valve": {
        "valve": {"superheat": (5, 3), "subcooling": (-1.5, 1.5), "evaporating": 3, "condensing": -2.2, "discharge": (8, 4),
                  "suction_line": 7,
                  "liquid_line": -1.5, "split": -1.7, "power": (-0.02, 0.04), "capacity": -0.14, "indoor_coil": 2.5, "outdoor_coil": -2},
    },
    "capacity_degradation": {
        "valve": {"evaporating": (1.8, 1.2), "condensing": (-2, 1.2), "discharge": (-3, 4), "indoor_coil": (1.8, 1.5),
                  "outdoor_coil": (-2, 1.5), "liquid_line": (-1.2, 1), "split": -1.3, "water_difference": -0.6, "capacity": (-0.13, 0.03),
                  "power": (-0.03, 0.03), "cop": (-0.1, 0.03)},
    },
    "cop_degradation": {
        "valve": {"capacity": (0, 0.02), "power": (0.1, 0.03), "cop": (-0.1, 0.02), "current": (0.08, 0.04)},
    },
}  # fmt: skip

_HEATING: Mapping[str, Mapping[str, Effects]] = {
    "low_charge": {
        "fixed": {"superheat": 8, "subcooling": -5, "evaporating": -5, "condensing": -3, "discharge": 8, "suction_line": 3,
                  "liquid_line": (-0.5, 2),
                  "split": -2.5, "water_difference": -0.7, "power": -0.05, "capacity": -0.15, "indoor_coil": -3, "outdoor_coil": -4},
        "valve": {"superheat": (4, 4), "subcooling": -5, "evaporating": -3, "condensing": -2.5, "discharge": (6, 4), "suction_line": (1, 3),
                  "liquid_line": (0.5, 2), "split": -2, "water_difference": -0.6, "power": (-0.04, 0.03), "capacity": -0.13,
                  "indoor_coil": -2.5,
                  "outdoor_coil": (-2.5, 1.5), "valve": (15, 10)},
    },
    "overcharge": {
        "valve": {"superheat": (-0.5, 1.5), "subcooling": 9, "evaporating": (0.2, 0.8), "condensing": 5, "discharge": 5,
                  "liquid_line": (-3, 2.5),
                  "split": (0, 0.7), "water_difference": (0, 0.2), "power": 0.1, "capacity": (0, 0.03), "indoor_coil": (4, 2),
                  "valve": (-6, 6)},
    },
    "liquid_line_restriction": {
        "fixed": {"superheat": 8, "subcooling": (3, 2), "evaporating": -5.5, "condensing": (-1.8, 1.2), "discharge": 8,
                  "suction_line": (2.5, 2.5),
                  "liquid_line": (-4, 3), "split": -2.5, "water_difference": -0.7, "power": -0.05, "capacity": -0.15, "outdoor_coil": -4.5,
                  "indoor_coil": (-2, 1.5)},
        "valve": {"superheat": (4, 4), "subcooling": (3, 2), "evaporating": -3.5, "condensing": (-1.5, 1.2), "discharge": (6, 4),
                  "suction_line": (0.5, 3), "liquid_line": (-4, 3), "split": -2, "water_difference": -0.6, "power": (-0.04, 0.03),
                  "capacity": -0.13, "outdoor_coil": -3, "indoor_coil": (-1.7, 1.5), "valve": (15, 10)},
    },
    "non_condensables": {
        "valve": {"superheat": (-0.3, 1), "subcooling": 5.5, "evaporating": (0.2, 0.6), "condensing": 6, "discharge": 7,
                  "liquid_line": (0.3, 1),
                  "split": (-0.1, 0.5), "water_difference": (0, 0.2), "power": 0.09, "capacity": (-0.02, 0.02), "indoor_coil": (4, 3)},
    },
    "compressor_valve_leak": {
        "valve": {"superheat": (-1, 2.5), "subcooling": (-1.5, 1.5), "evaporating": 3, "condensing": -3, "discharge": (3, 7),
                  "suction_line": (2, 2.5),
                  "liquid_line": -2, "split": -2.7, "water_difference": -0.8, "power": (-0.08, 0.05), "capacity": -0.18,
                  "outdoor_coil": 2.5,
                  "indoor_coil": -2.5},
    },
    "outdoor_coil_fouling": {
        "valve": {"superheat": (-0.7, 1.5), "subcooling": (0, 1.5), "evaporating": -5, "condensing": -1.5, "discharge": (2, 3),
                  "suction_line": -5,
                  "liquid_line": -1, "split": -1.8, "water_difference": -0.6, "power": (-0.03, 0.03), "capacity": -0.12,
                  "outdoor_coil": -4.5,
                  "indoor_coil": -1.2},
    },
    "indoor_coil_fouling": {
        "valve": {"superheat": (-0.3, 1), "subcooling": (0.5, 1.5), "evaporating": (0.4, 0.6), "condensing": 5, "discharge": 7,
                  "liquid_line": 4,
                  "split": (2.5, 2.5), "power": 0.08, "capacity": (-0.03, 0.02), "indoor_coil": 5, "air_flow": (-0.18, 0.14)},
    },
    "low_air_flow": {
        "valve": {"superheat": (-0.3, 1), "subcooling": (1, 1.5), "evaporating": (0.4, 0.6), "condensing": 5, "discharge": 7,
                  "liquid_line": 4,
                  "split": 5, "power": 0.08, "capacity": (-0.03, 0.02), "indoor_coil": 5, "air_flow": (-0.3, 0.1)},
    },
    "low_water_flow": {
        "valve": {"condensing": (-0.5, 1.2), "liquid_line": (-2, 1.5), "subcooling": (1, 1), "water_difference": 3, "power": (0.01, 0.02),
                  "capacity": (-0.02, 0.03), "water_flow": (-0.4, 0.12), "indoor_coil": (-0.5, 1.2)},
    },
    "reversing_valve": {
        "valve": {"superheat": (5, 3), "subcooling": (-1.5, 1.5), "evaporating": 2.5, "condensing": -2.5, "discharge": (8, 5),
                  "suction_line": 7,
                  "liquid_line": -1.5, "split": -2.5, "water_difference": -0.7, "power": (-0.03, 0.04), "capacity": -0.16,
                  "outdoor_coil": 2,
                  "indoor_coil": -2},
    },
    "capacity_degradation": {
        "valve": {"evaporating": (1.2, 1), "condensing": (-2, 1.2), "discharge": (-3, 4), "indoor_coil": (-2, 1.5),
                  "outdoor_coil": (1.2, 1), "liquid_line": (-1, 1), "split": -2, "water_difference": -0.6,
                  "capacity": (-0.13, 0.03), "power": (-0.03, 0.03), "cop": (-0.1, 0.03)},
    },
    "cop_degradation": _COOLING["cop_degradation"],
}  # fmt: skip

_HEATED_BY_ROOM_AIR: Mapping[str, Mapping[str, Effects]] = {
    **{fault: how for fault, how in _HEATING.items() if fault not in ("outdoor_coil_fouling", "indoor_coil_fouling", "reversing_valve")},
    "low_air_flow": _HEATING["outdoor_coil_fouling"],
    "water_heater_scale": {
        "valve": {
            "superheat": (-0.3, 1),
            "subcooling": (0, 1.5),
            "evaporating": (0.4, 0.6),
            "condensing": 5,
            "discharge": 7,
            "liquid_line": 4.5,
            "suction_line": (0.3, 0.8),
            "split": (-0.3, 0.3),
            "power": 0.08,
            "capacity": (-0.03, 0.02),
        },
    },
}
"""Of water heaters, whose evaporator stands in the room's air, and whose condenser lies at the tank: scale in it is to the condenser what
dirt is to a coil."""

CARNOT: Effects = {
    "low_charge": (-0.03, 0.04), "overcharge": (0, 0.04), "liquid_line_restriction": (-0.03, 0.04), "non_condensables": (0, 0.05),
    "compressor_valve_leak": (-0.27, 0.08), "outdoor_coil_fouling": (0, 0.04), "indoor_coil_fouling": (0, 0.04), "low_air_flow": (0, 0.04),
    "low_water_flow": (0, 0.04), "reversing_valve": (-0.24, 0.08), "capacity_degradation": (-0.2, 0.07), "cop_degradation": (-0.1, 0.02),
    "water_heater_scale": (0, 0.04),
}  # fmt: skip
"""By how much the circuit itself is less efficient between its own two temperatures: as the COP where both stay, and more where a worn
compressor lets them come nearer to each other. Coils, charge and flow leave it as it is: they move the temperatures."""

CIRCUIT: Mapping[str, Mapping[str, Mapping[str, Effects]]] = {
    "cooling": _COOLING,
    "heating": _HEATING,
    "hot_water": {fault: how for fault, how in _HEATING.items() if fault not in ("low_air_flow", "indoor_coil_fouling")},
}
"""By mode, fault and metering device. In hot water a room-side coil has no part."""

HEATER = {"hot_water": _HEATED_BY_ROOM_AIR, "heating": _HEATED_BY_ROOM_AIR}

RESTING: Mapping[str, Effects] = {"non_condensables": {"condensing": (2, 1.5), "evaporating": (2, 1.5)}}
"""What faults show at rest: gas that doesn't condense adds its own pressure to that of saturation (Carrier service practice; ASHRAE
Handbook Refrigeration, ch. 7: standing pressure against ambient temperature). No other circuit fault shows at rest."""

PREVALENCE: Mapping[str, float] = {
    "low_charge": 3.0,
    "overcharge": 1.0,
    "liquid_line_restriction": 0.8,
    "non_condensables": 0.5,
    "compressor_valve_leak": 0.8,
    "outdoor_coil_fouling": 2.0,
    "indoor_coil_fouling": 1.2,
    "low_air_flow": 2.5,
    "low_water_flow": 1.5,
    "reversing_valve": 0.5,
    "capacity_degradation": 0.5,
    "cop_degradation": 0.5,
    "water_heater_scale": 1.0,
}
"""How often faults occur in relation to each other, rounded from service records (Breuker & Braun 1998, table 1; Proctor 2004 on charge and
air flow)."""


@dataclass(frozen=True, slots=True)
class SensorFault:
    """A sensor that reads one unit too much: `unit` ("K", or "1" for a tenth more), and by mode the shift of channels. `share`: how often
    that happens to it beside other sensors; meters of power are of 1 to 3 % (IEC 62053-21) and seldom read a tenth too much."""

    point: str
    unit: str
    effects: Mapping[str, Effects]
    share: float = 1.0


_OUTDOOR_HEATING: Effects = {
    "evaporating": -0.85, "suction_line": -0.85, "outdoor_coil": -0.85, "condensing": -0.07, "split": (-0.25, 0.1), "discharge": (0.4, 0.4),
    "capacity": -0.02, "cop": -0.017, "power": (-0.003, 0.004), "water_difference": (-0.1, 0.05), "superheat": (-0.05, 0.1),
}  # fmt: skip
_OUTDOOR_COOLING: Effects = {
    "condensing": -0.93, "liquid_line": -0.93, "discharge": -1.1, "outdoor_coil": -0.93, "power": -0.018, "capacity": 0.009, "cop": 0.027,
    "split": 0.08, "superheat": (0.1, 0.2),
}  # fmt: skip
_SINK_HEATING: Effects = {"condensing": -0.9, "liquid_line": -0.85, "discharge": -1.1, "indoor_coil": -0.85, "power": -0.02}
_SOURCE_COOLING: Effects = {"evaporating": -0.6, "suction_line": -0.7, "indoor_coil": -0.6, "superheat": (-0.15, 0.2)}


def _everywhere(effects: Effects) -> Mapping[str, Effects]:
    return {"heating": effects, "cooling": effects, "hot_water": effects}


_HOT: Effects = {**_SINK_HEATING, "water_difference": 1, "capacity": 0.2, "cop": 0.2}

SENSORS: tuple[SensorFault, ...] = (
    SensorFault("suction_line_temperature", "K", {**_everywhere({"superheat": 1, "suction_line": 1}), REST: {"suction_line": 1}}),
    SensorFault("liquid_line_temperature", "K", {**_everywhere({"subcooling": -1, "liquid_line": 1}), REST: {"liquid_line": 1}}),
    SensorFault("discharge_line_temperature", "K", _everywhere({"discharge": 1})),
    SensorFault("suction_line_pressure", "K", {**_everywhere({"evaporating": 1, "superheat": -1}), REST: {"evaporating": 1}}),
    SensorFault("liquid_line_pressure", "K", {**_everywhere({"condensing": 1, "subcooling": 1}), REST: {"condensing": 1}}),
    SensorFault("outdoor_coil_temperature", "K", {**_everywhere({"outdoor_coil": 1}), REST: {"outdoor_coil": 1}}),
    SensorFault("indoor_coil_temperature", "K", {**_everywhere({"indoor_coil": 1}), REST: {"indoor_coil": 1}}),
    SensorFault(
        "supply_air_temperature",
        "K",
        {
            "heating": {"split": 1, "capacity": 0.07, "cop": 0.07},
            "cooling": {"split": -1, "capacity": (-0.08, 0.03), "cop": (-0.08, 0.03)},
            REST: {"supply": 1},
        },
    ),
    SensorFault(
        "return_air_temperature",
        "K",
        {
            "heating": {**_SINK_HEATING, "split": -1, "capacity": -0.07, "cop": -0.05},
            "cooling": {**_SOURCE_COOLING, "split": 0.8, "capacity": (0.06, 0.03), "cop": (0.06, 0.03)},
            REST: {"return": 1},
        },
    ),
    SensorFault(
        "outdoor_temperature",
        "K",
        {
            "heating": _OUTDOOR_HEATING,
            "hot_water": _OUTDOOR_HEATING,
            "cooling": _OUTDOOR_COOLING,
            REST: {"outdoor_coil": -1, "suction_line": -1, "liquid_line": -1, "condensing": -1, "evaporating": -1},
        },
    ),
    SensorFault(
        "outlet_water_temperature",
        "K",
        {
            "heating": _HOT,
            "hot_water": _HOT,
            "cooling": {**_SOURCE_COOLING, "water_difference": -1, "capacity": -0.2, "cop": -0.2},
            REST: {"water_difference": 1},
        },
    ),
    SensorFault(
        "inlet_water_temperature",
        "K",
        {
            "heating": {"water_difference": -1, "capacity": -0.2, "cop": -0.2},
            "hot_water": {"water_difference": -1, "capacity": -0.2, "cop": -0.2},
            "cooling": {"water_difference": 1, "capacity": 0.2, "cop": 0.2},
            REST: {"water_difference": -1},
        },
    ),
    SensorFault("electric_power", "1", _everywhere({"power": 0.1, "cop": -0.1}), share=0.1),
    SensorFault("water_flow_rate", "1", _everywhere({"water_flow": 0.1, "capacity": 0.1, "cop": 0.1})),
    SensorFault("supply_air_flow", "1", _everywhere({"air_flow": 0.1, "capacity": 0.1, "cop": 0.1})),
)
