"""From true values to readings: which points are fitted, noise, resolution, and the faults of single sensors."""

import numpy as np
from lineset_contract.points import POINTS
from lineset_contract.profiles import profile

from .chance import Floats, key, normal, uniform
from .machines.base import Points
from .spec import EquipmentSpec, Fault, HomeSpec

DAY_S = 86400.0
GAP_S = 1200.0  # readings of a sensor get lost in spans of this length

# noise (standard deviation) and resolution by unit, in the unit; a share of the value where the third number is set
_ACCURACY: dict[str, tuple[float, float, float]] = {
    "degC": (0.06, 0.1, 0.0),
    "K": (0.12, 0.1, 0.0),
    "%": (0.0, 0.1, 0.0),
    "kPa": (0.6, 1.0, 0.002),
    "Pa": (1.0, 1.0, 0.01),
    "W": (0.4, 1.0, 0.006),
    "m3/h": (2.0, 1.0, 0.012),
    "kg/s": (0.0, 0.001, 0.012),
    "ppm": (6.0, 1.0, 0.004),
    "A": (0.02, 0.01, 0.005),
    "V": (0.9, 0.1, 0.0),
    "rpm": (12.0, 10.0, 0.0),
    "uA": (0.08, 0.1, 0.0),
    "mA": (0.05, 0.1, 0.0),
    "Hz": (0.05, 0.1, 0.0),
    "1": (0.0, 0.01, 0.01),
    "dBm": (1.5, 1.0, 0.0),
    "s": (0.0, 1.0, 0.0),
    "kWh": (0.0, 0.001, 0.0),
    "m3": (0.0, 0.001, 0.0),
    "L": (0.0, 0.1, 0.0),
}
# how far sensors are off when they are new (standard deviation), in the unit and as a share of the value: thermistors of 0.5 K,
# transducers of 1 %, power meters of class 1, flow meters of 3 %
_CALIBRATION: dict[str, tuple[float, float]] = {
    "degC": (0.25, 0.0),
    "K": (0.35, 0.0),
    "kPa": (3.0, 0.005),
    "Pa": (2.0, 0.02),
    "W": (0.0, 0.01),
    "m3/h": (0.0, 0.03),
    "kg/s": (0.0, 0.03),
    "A": (0.0, 0.01),
}
# what is set, switched or counted inside the controller is exact
_EXACT = ("setpoint", "damper_position", "_state", "position")
_PRESSURES = frozenset(
    {
        "suction_line_pressure",
        "liquid_line_pressure",
        "discharge_line_pressure",
        "evaporating_temperature",
        "condensing_temperature",
        "superheat",
        "subcooling",
        "oil_pressure",
        "condenser_approach",
        "evaporator_approach",
        "expansion_valve_position",
        "discharge_line_temperature",
        "heat_exchanger_temperature",
    }
)
_EXTRAS = frozenset(
    {
        "supply_air_flow",
        "outdoor_air_flow",
        "water_flow_rate",
        "heat_output",
        "cooling_output",
        "cop",
        "thermal_efficiency",
        "heat_energy",
        "cooling_energy",
        "outdoor_coil_temperature",
        "indoor_coil_temperature",
        "external_static_pressure",
        "filter_pressure_drop",
        "supply_air_humidity",
        "return_air_humidity",
        "compressor_power",
        "compressor_current",
        "fan_power",
        "flame_current",
        "hot_water_flow_rate",
        "anode_current",
        "temperature_split",
        "water_temperature_difference",
        "compressor_frequency",
        "combustion_fan_speed",
    }
)
# how much of a machine is measured: the points that each level leaves out
FITTED: dict[str, frozenset[str]] = {
    "basic": _PRESSURES | _EXTRAS | {"suction_line_temperature", "liquid_line_temperature"},
    "standard": _PRESSURES,
    "full": frozenset(),
}


class Sensors:
    """The sensors of one machine of `home`; `anchor` is the moment (s) that faults' days count back from."""

    def __init__(self, spec: EquipmentSpec, home: HomeSpec, anchor: float) -> None:
        self.spec, self.anchor = spec, anchor
        self._calibration, self._dropouts = home.calibration, home.dropouts
        self._left_out = FITTED[spec.sensors]
        self._known = profile(spec.type).points
        self._seed = key(home.seed, spec.local, "sensors")
        self._faults = [f for f in home.faults if f.equipment == spec.local and f.kind.startswith("sensor_")]
        self._names: tuple[str, ...] = ()
        self._order: tuple[str, ...] = ()
        self._loud = 0
        self._table = np.zeros((3, 0, 1))
        self._off = np.zeros((2, 0, 1))
        self._keys = np.zeros((0, 1), dtype=np.uint64)

    def read(self, t: Floats, true: Points) -> Points:
        """Readings at the moments `t` (s since 1970) of true values by point.

        Noise follows from seed, point and time alone, so that history and live agree. NaN stays NaN.
        """
        if tuple(true) != self._order:
            self._learn(true)
        if not self._names:
            return {}
        values = np.stack([true[name] for name in self._names])
        loud = values[: self._loud]
        spread, step, share = self._table
        noise = normal(self._keys, np.asarray(np.round(t)).astype(np.int64)[None, :])
        # a meter at zero reads zero
        size = np.where((share > 0.0) & (loud == 0.0), 0.0, spread + share * np.abs(loud))
        off, off_share = self._off
        measured = loud + np.clip(noise, -3.0, 3.0) * size + np.where(size > 0.0, off + off_share * loud, 0.0)
        values[: self._loud] = np.round(measured / step) * step
        if self._dropouts > 0.0:
            spans = np.floor(t / GAP_S).astype(np.int64)[None, :]
            values[: self._loud] = np.where(uniform(self._keys ^ np.uint64(1), spans) < self._dropouts, np.nan, values[: self._loud])
        readings = dict(zip(self._names, np.round(values, 4) + 0.0, strict=True))
        for fault in self._faults:
            one, _, other = fault.point.partition(",")
            if fault.kind == "sensor_swapped" and one in readings and other in readings:
                begun = t > self.anchor - fault.days_before * DAY_S
                first, second = readings[one], readings[other]
                readings[one], readings[other] = np.where(begun, second, first), np.where(begun, first, second)
            elif fault.point in readings:
                readings[fault.point] = self._broken(fault, t, readings[fault.point])
        for name, reading in readings.items():
            point = POINTS[name]
            readings[name] = np.clip(reading, point.low, point.high)
        return readings

    def _learn(self, true: Points) -> None:
        self._order = tuple(true)
        fitted = [name for name in true if name in self._known and name not in self._left_out]
        rows = {name: self._accuracy(name) for name in fitted}
        # those with noise first, so that one slice holds them
        noisy = [name for name in fitted if rows[name][1] > 0.0]
        self._names = (*noisy, *(name for name in fitted if name not in noisy))
        self._loud = len(noisy)
        self._table = np.array([rows[name] for name in noisy], dtype=np.float64).reshape(-1, 3).T[:, :, None]
        self._keys = np.array([key(self._seed, name) for name in noisy], dtype=np.uint64)[:, None]
        usual = np.array([_CALIBRATION.get(POINTS[name].unit, (0.0, 0.0)) for name in noisy], dtype=np.float64).reshape(-1, 2).T[:, :, None]
        self._off = self._calibration * usual * np.clip(normal(self._keys ^ np.uint64(2), np.arange(1)[None, :]), -2.0, 2.0)

    @staticmethod
    def _accuracy(name: str) -> tuple[float, float, float]:
        point = POINTS[name]
        if point.kind != "real" or any(name.endswith(end) for end in _EXACT):
            return (0.0, 0.0, 0.0)
        if name.endswith("_humidity"):
            return (0.25, 0.1, 0.0)
        return _ACCURACY.get(point.unit, (0.0, 0.0, 0.0))

    def _broken(self, fault: Fault, t: Floats, reading: Floats) -> Floats:
        days = (self.anchor - t) / DAY_S
        age = fault.days_before - days
        if fault.kind == "sensor_stuck":
            return np.where(age > 0.0, fault.severity, reading)
        if fault.kind == "sensor_drifting":
            return np.asarray(np.round(reading + fault.severity * np.maximum(age, 0.0) / max(fault.ramp_days, 1.0), 2))
        grown = np.clip(age / fault.ramp_days, 0.0, 1.0) if fault.ramp_days > 0.0 else np.where(age > 0.0, 1.0, 0.0)
        return np.asarray(np.round(reading + fault.severity * grown, 2))
