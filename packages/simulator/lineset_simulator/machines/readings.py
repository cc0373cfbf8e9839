"""From states to what sensors see: refrigerant lines and pressures, air, electricity. Arrays in, arrays out."""

import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..chance import Floats
from ..refrigerant import refrigerant
from .base import Columns, Points
from .circuit import CircuitState

OPERATING = POINTS["operating_mode"].codes
COMPRESSOR = POINTS["compressor_state"].codes

CIRCUIT = ("c_on", "c_since", "c_te", "c_tc", "c_sh", "c_sc", "c_dis", "c_speed", "c_taken", "c_given", "c_work")


def circuit_row(s: CircuitState) -> tuple[float, ...]:
    """The values of CIRCUIT."""
    return (
        float(s.on),
        s.since,
        s.evaporating,
        s.condensing,
        s.superheat,
        s.subcooling,
        s.discharge,
        s.speed,
        s.taken,
        s.given,
        s.work,
    )


def circuit_points(c: Columns, gas: str) -> Points:
    """What gauges and clamps see of a circuit with the refrigerant `gas`.

    The suction line loses 1.5 % of its pressure to the compressor, the discharge side gains 2.5 % over the liquid line.
    """
    r = refrigerant(gas)
    on = c["c_on"] > 0.0
    suction = r.pressure(c["c_te"], "dew")
    liquid = r.pressure(c["c_tc"], "bubble")
    return {
        "suction_line_temperature": c["c_te"] + c["c_sh"],
        "suction_line_pressure": suction / 1e3,
        "liquid_line_temperature": c["c_tc"] - c["c_sc"],
        "liquid_line_pressure": liquid / 1e3,
        "discharge_line_temperature": np.maximum(c["c_dis"], c["c_te"]),
        "discharge_line_pressure": liquid * np.where(on, 1.025, 1.0) / 1e3,
        "evaporating_temperature": c["c_te"],
        "condensing_temperature": c["c_tc"],
        "superheat": running(on, c["c_sh"]),
        "subcooling": running(on, c["c_sc"]),
        "compressor_state": np.where(on, float(COMPRESSOR["on"]), float(COMPRESSOR["off"])),
        "compressor_power": c["c_work"],
        "compressor_speed": c["c_speed"] * 100.0,
        "expansion_valve_position": np.where(on, np.clip(18.0 + 60.0 * c["c_speed"] + 1.6 * c["c_sh"], 0.0, 100.0), 0.0),
    }


def running(on: np.ndarray, value: Floats) -> Floats:
    """`value` while the machine is on, no reading (NaN) while it stands."""
    return np.where(on, value, np.nan)


def percent_humidity(t: Floats, ratio: Floats, pressure: float) -> Floats:
    """Relative humidity (%) of air at `t` (degC), humidity ratio `ratio` and `pressure` (Pa), at most 100."""
    return np.asarray(np.clip(100.0 * air.relative_humidity(t, ratio, pressure), 0.0, 100.0))


def air_points(c: Columns, pressure: float) -> Points:
    """What is measured of the air at an indoor coil (columns of `coils.Indoor`); `pressure` of the place in Pa.

    Static pressures go with the square of the flow; a choked filter has more of it. Without flow there is none.
    """
    flow = c["a_flow"]
    blows = flow > 0.0
    share = np.where(blows, c["a_share"], 0.0)
    return {
        "return_air_temperature": c["a_inlet"],
        "supply_air_temperature": c["a_supply"],
        "return_air_humidity": percent_humidity(c["a_inlet"], c["a_inlet_ratio"], pressure),
        "supply_air_humidity": percent_humidity(c["a_supply"], c["a_moist"], pressure),
        "supply_air_flow": flow * 3600.0,
        "temperature_split": running(blows, c["a_supply"] - c["a_inlet"]),
        "indoor_fan_speed": 100.0 * share,
        "external_static_pressure": 125.0 * share**2 * (1.0 + 0.9 * c["a_choked"]),
        "filter_pressure_drop": 38.0 * share**2 * (1.0 + 3.2 * c["a_choked"]),
        "room_temperature": c["room"],
        "room_humidity": percent_humidity(c["room"], c["room_ratio"], pressure),
    }


def control_points(c: Columns) -> Points:
    """What a machine knows of its thermostat (columns of `control.Control`)."""
    call = np.where(c["call_heat"] > 0.0, 1.0, np.where(c["call_cool"] > 0.0, 2.0, 0.0))
    return {
        "cooling_setpoint": c["set_cooling"],
        "fan_mode": c["set_fan"],
        "vacation_mode": c["set_vacation"],
        "thermostat_call": call,
    }
