"""Quantities of a machine at each row that detectors and performance share: read where there is a point, derived where others give them.

Thermodynamic sides: the *source* is what heat is taken from, the *sink* what it is given to, so in cooling the room's air is the source.
Of air it is the temperature that enters the coil, of water the one that leaves the machine, which the circuit follows most closely.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics.machine import column
from lineset.diagnostics.modes import AUXILIARY, COOLING, DEFROST, DRY, HEATING, HOT_WATER, Modes, source_on
from lineset.diagnostics.physics import air, water
from lineset.diagnostics.physics.refrigerants import index_of, saturation_temperature
from lineset.diagnostics.rows import Flags, Floats, Rows

NAMES = (
    "superheat", "subcooling", "evaporating", "condensing", "discharge", "suction_line", "liquid_line", "split", "water_difference",
    "power", "capacity", "cop", "air_flow", "water_flow", "speed", "current", "valve", "outdoor_coil", "indoor_coil", "source", "sink",
    "outdoor", "indoor", "humidity", "supply", "gas", "efficiency", "flue",
    "condensing_over_sink", "source_over_evaporating", "liquid_over_sink", "discharge_over_condensing",
    "coil_over_sink", "source_over_coil", "suction_over_coil", "coil_over_liquid", "rise", "carnot", "own_power", "own_capacity",
)  # fmt: skip
"""K: superheat, subcooling, split, water_difference (both absolute) and the differences `…_over_…`; W: power (electric), capacity (useful
heat or cold), gas; 1: cop, efficiency (by higher heating value), carnot; m3/h: air_flow; kg/s: water_flow; A: current; %: speed, valve,
humidity (relative, of the room); degC: all others. `supply` is the air or water that leaves. `…coil…` are the differences that the
sensors in the coils give where no pressure is measured; `rise`, `own_power` and `own_capacity` are split, power and capacity without the
help of backup heat, capacity only where moisture is counted; `carnot` the COP over that of an ideal machine between the circuit's own two
temperatures (`PARASITIC_K` apart from each other more), so that what the coils pass has no part in it."""

NOMINAL_HZ = 60.0
"""Frequency that stands for full speed where a machine tells Hz and not per cent; each machine is only compared with itself."""

METER, BY_WATER, BY_AIR, BY_SENSIBLE = 1, 2, 3, 4
"""What a capacity was derived from: the machine's own figure, water side, air side with humidity, air side sensible heat only."""

ASSUMED_RATIO = 0.006
"""Humidity ratio (kg/kg) where no humidity is measured and only sensible heat is asked for: between dry and humid rooms (0.002 to 0.012)
heat differs by 1 %."""


LEAST_LIFT_K, LEAST_W = 12.0, 100.0
"""Under this lift or power a machine hardly works, and its sensors' errors are as large as what they tell of its efficiency."""
PLATE_K = 2.0
"""By how much a plate condenser is hotter than the water that leaves it: 1 to 3 K (makers' layout of brazed plates)."""
PARASITIC_K = 8.0
"""Lift that fans, and the pressure drops of lines and valves, take beside that of the coils: with it the share of Carnot's COP that units
reach at their rating points hardly depends on the lift (catalogues, AHRI 210/240 at 35, 8.3 and -8.3 degC)."""


class Channels:
    """The channels of rows; each is worked out once, when it is first asked for."""

    def __init__(self, rows: Rows, mode: Modes) -> None:
        self._rows, self._mode = rows, mode
        self._found: dict[str, Floats | None] = {}
        self._basis: NDArray[np.int8] | None = None
        self._kept: dict[str, tuple[Floats | None, ...]] = {}
        self._refrigerant = np.array([index_of(r) if r else -1 for r in column(rows.machines, "refrigerant").tolist()], np.int64)

    def find(self, name: str) -> Floats | None:
        """A channel of `NAMES`, shape (rows,); None where no machine here has it. KeyError for other names."""
        if name not in self._found:
            self._found[name] = _DERIVED[name](self) if name in _DERIVED else self._point(*_READ[name])
        return self._found[name]

    @property
    def capacity_basis(self) -> NDArray[np.int8]:
        """What the capacity at each row was derived from, shape (rows,): 0 where it is unknown."""
        self.find("capacity")
        return np.zeros(len(self._rows), np.int8) if self._basis is None else self._basis

    def mass_flow_heat(self, side: int) -> Floats | None:
        """Heat capacity flow (W/K) at each row, of water (`BY_WATER`) or of air (`BY_AIR`); what a split costs in capacity."""
        return self._water_capacity_flow() if side == BY_WATER else self._air_capacity_flow()

    def _once(self, name: str, make: Callable[[], tuple[Floats | None, ...]]) -> tuple[Floats | None, ...]:
        """What `make` gave the first time it was asked under this name."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def _point(self, *names: str) -> Floats | None:
        """The first of these points that a row has."""
        found: Floats | None = None
        for name in names:
            values = self._rows.points.get(name)
            if values is not None:
                found = values if found is None else np.where(np.isnan(found), values, found)
        return found

    def _in(self, *kinds: int) -> Flags:
        return np.isin(self._mode, kinds)

    def _family(self, *families: str) -> Flags:
        return self._rows.of_family(*families)

    # --- refrigerant circuit ---------------------------------------------------------------------------------------

    def _saturation(self, pressure: Floats | None, line: str) -> Floats | None:
        if pressure is None or (self._refrigerant < 0).all():
            return None
        return saturation_temperature(self._refrigerant[self._rows.row_machine], pressure, "dew" if line == "dew" else "bubble")

    def _evaporating(self) -> Floats | None:
        """Dew point at suction pressure (degC)."""
        return first(self._point("evaporating_temperature"), lambda: self._saturation(self._point("suction_line_pressure"), "dew"))

    def _condensing(self) -> Floats | None:
        """Bubble point at liquid line pressure, or at discharge pressure where that is not measured (degC)."""
        pressure = self._point("liquid_line_pressure", "discharge_line_pressure")
        return first(self._point("condensing_temperature"), lambda: self._saturation(pressure, "bubble"))

    def _superheat(self) -> Floats | None:
        return first(self._point("superheat"), lambda: less(self._point("suction_line_temperature"), self.find("evaporating")))

    def _subcooling(self) -> Floats | None:
        return first(self._point("subcooling"), lambda: less(self.find("condensing"), self._point("liquid_line_temperature")))

    # --- air and water -----------------------------------------------------------------------------------------------

    def _split(self) -> Floats | None:
        difference = less(self._point("supply_air_temperature"), self._point("return_air_temperature"))
        return absolute(first(difference, lambda: self._point("temperature_split")))

    def _water_signed(self) -> Floats | None:
        """Outlet less inlet water, of a chiller chilled water's supply less return (K)."""
        loop = less(self._point("outlet_water_temperature"), self._point("inlet_water_temperature"))
        chilled = less(self._point("chilled_water_supply_temperature"), self._point("chilled_water_return_temperature"))
        return first(first(loop, lambda: chilled), lambda: self._point("water_temperature_difference"))

    def _water_capacity_flow(self) -> Floats | None:
        flow = self.find("water_flow")
        if flow is None:
            return None
        mean = self._point("inlet_water_temperature", "outlet_water_temperature", "chilled_water_return_temperature")
        # Without a temperature, water at 35 degC: its heat capacity differs by 0.2 % between 10 and 60 degC.
        return flow * water.heat_capacity(np.full(len(flow), 35.0) if mean is None else np.nan_to_num(mean, nan=35.0))

    def _ratios(self) -> tuple[Floats | None, Floats | None]:
        """Humidity ratios (kg/kg) of supply and return air; the room's, where the return's is not measured."""
        points = self._rows.points

        def ratio(t: str, humidity: str) -> Floats | None:
            return air.humidity_ratio(points[t], points[humidity]) if self._rows.has(t, humidity) else None

        def make() -> tuple[Floats | None, ...]:
            back = first(ratio("return_air_temperature", "return_air_humidity"), lambda: ratio("room_temperature", "room_humidity"))
            return ratio("supply_air_temperature", "supply_air_humidity"), back

        supply, back = self._once("ratios", make)
        return supply, back

    def _air_mass_flow(self) -> Floats | None:
        """Dry air (kg/s), of the volume flow at the supply's state."""
        return self._once("air", lambda: (self._dry_air(),))[0]

    def _dry_air(self) -> Floats | None:
        flow, t = self.find("air_flow"), self._point("supply_air_temperature")
        if flow is None or t is None:
            return None
        ratio = self._ratios()[0]
        known = np.full(len(t), ASSUMED_RATIO) if ratio is None else np.nan_to_num(ratio, nan=ASSUMED_RATIO)
        return flow / 3600.0 / air.specific_volume(t, known)

    def _air_capacity_flow(self) -> Floats | None:
        flow = self._air_mass_flow()
        if flow is None:
            return None
        ratio = self._ratios()[1]
        return flow * (1006.0 + 1860.0 * (ASSUMED_RATIO if ratio is None else np.nan_to_num(ratio, nan=ASSUMED_RATIO)))

    def _air_heat(self) -> tuple[Floats | None, Floats | None]:
        """Heat given to the air (W, below 0 in cooling): by enthalpy where both humidities are known, and sensible alone."""
        flow = self._air_mass_flow()
        supply, back = self._point("supply_air_temperature"), self._point("return_air_temperature")
        if flow is None or supply is None or back is None:
            return None, None
        capacity_flow = self._air_capacity_flow()
        sensible = None if capacity_flow is None else capacity_flow * (supply - back)
        supply_ratio, back_ratio = self._ratios()
        if supply_ratio is None or back_ratio is None:
            return None, sensible
        return flow * (air.enthalpy(supply, supply_ratio) - air.enthalpy(back, back_ratio)), sensible

    def _capacity(self) -> Floats | None:
        """Useful heat or cold (W): the machine's own figure, else of water, else of air. Below 0 in a defrost that cools the house.

        Air side by enthalpy difference (ASHRAE 37-2009, 7.3.3: capacity = mass flow of dry air times the difference of enthalpy); water
        side as mass flow, heat capacity, temperature difference (EN 14511-3, 4.1). In heating and without humidity, sensible heat.
        """
        cold = self._in(COOLING, DRY)
        sign = np.where(cold, -1.0, 1.0)
        useful = self._in(HEATING, HOT_WATER, DEFROST, AUXILIARY) | cold
        draws = self._family("water_heater")
        capacity, basis = np.full(len(self._rows), np.nan), np.zeros(len(self._rows), np.int8)

        def take(values: Floats | None, code: int, where: Flags) -> None:
            if values is not None:
                mine = np.isnan(capacity) & np.isfinite(values) & where
                capacity[mine] = values[mine]
                basis[mine] = code

        take(self._point("cooling_output"), METER, cold)
        take(self._point("heat_output"), METER, useful & ~cold & ~draws)
        difference, flow = self._water_signed(), self._water_capacity_flow()
        take(None if difference is None or flow is None else sign * flow * difference, BY_WATER, useful)
        enthalpy, sensible = self._air_heat()
        take(None if enthalpy is None else sign * enthalpy, BY_AIR, cold)
        take(None if sensible is None else sign * sensible, BY_AIR, useful & ~cold)
        take(None if sensible is None else sign * sensible, BY_SENSIBLE, cold)
        self._basis = basis
        return capacity if basis.any() else None

    # --- energy ------------------------------------------------------------------------------------------------------

    def _power(self) -> Floats | None:
        def by_current() -> Floats | None:
            volts, amperes, factor = self._point("voltage"), self._point("current"), self._point("power_factor")
            # Single phase: for three phases nothing says whether the voltage is between phases, so the product is not trusted there.
            return None if volts is None or amperes is None or factor is None else np.where(volts < 300.0, volts * amperes * factor, np.nan)

        return first(self._point("electric_power"), by_current)

    def _cop(self) -> Floats | None:
        """Useful heat or cold over electric power; the machine's own figure where either is unknown."""
        return first(over(self.find("capacity"), self.find("power")), lambda: self._point("cop"))

    def _unaided(self, values: Floats | None) -> Floats | None:
        """Values without those at which backup heat takes part."""
        aided = source_on(self._rows, "auxiliary")
        return None if values is None else np.where(aided == 1.0, np.nan, values)

    def _coil(self, hot: bool) -> Floats | None:
        """The temperature (degC) in the coil that gives heat (`hot`) or takes it: by a sensor in it."""
        indoor, outdoor = self._point("indoor_coil_temperature"), self._point("outdoor_coil_temperature")
        return self._side(indoor, outdoor) if hot else self._side(outdoor, indoor)

    def _over_water(self) -> Floats | None:
        """What condenses in a plate heat exchanger, from the water that leaves it (degC)."""
        water, sink = self._point("outlet_water_temperature"), self.find("sink")
        heats = self._in(HEATING, HOT_WATER) & self._family("heat_pump")
        return None if water is None or sink is None else np.where(heats & (sink == water), water + PLATE_K, np.nan)

    def _carnot(self) -> Floats | None:
        """COP over Carnot's between condensing and evaporating temperature, or what coils and leaving water say of them. Of capacities that
        count all heat only: cold without its moisture makes a sound machine look bad."""
        hot = first(first(self.find("condensing"), lambda: self._coil(True)), self._over_water)
        cold = first(self.find("evaporating"), lambda: self._coil(False))
        power, capacity = self.find("power"), self.find("capacity")
        if hot is None or cold is None or power is None or capacity is None:
            return None
        ideal = (np.where(self._in(COOLING, DRY), cold, hot) + 273.15) / np.maximum(hot - cold + PARASITIC_K, 5.0)
        whole = np.where((self.capacity_basis == BY_SENSIBLE) | (hot - cold < LEAST_LIFT_K) | (power < LEAST_W), np.nan, capacity)
        return self._unaided(over(whole, power * ideal))

    def _all_heat(self) -> Floats | None:
        """Capacities that count moisture too where there is any."""
        capacity = self.find("capacity")
        return None if capacity is None else np.where((self.capacity_basis == BY_SENSIBLE) & self._in(COOLING, DRY), np.nan, capacity)

    def _efficiency(self) -> Floats | None:
        own = self._point("thermal_efficiency")
        return first(None if own is None else own / 100.0, lambda: over(self.find("capacity"), self._point("gas_input")))

    def _speed(self) -> Floats | None:
        hertz = self._point("compressor_frequency")
        share = None if hertz is None else hertz * (100.0 / NOMINAL_HZ)
        return first(first(self._point("compressor_speed"), lambda: share), lambda: self._point("burner_modulation"))

    # --- source and sink -----------------------------------------------------------------------------------------------

    def _inside(self) -> Floats | None:
        """The house's side: water that leaves, else air that enters."""
        tank = self._point("tank_bottom_temperature", "tank_middle_temperature", "tank_top_temperature")
        served = self._point("outlet_water_temperature", "chilled_water_supply_temperature", "return_air_temperature", "room_temperature")
        if tank is None:
            return served
        heats_tank = self._family("water_heater") & ~np.isnan(tank)
        return np.where(heats_tank, tank, np.nan if served is None else served)

    def _outside(self) -> Floats | None:
        """The surroundings' side: outdoor air or condenser water; of a water heater the air around it."""
        outdoor = self._point("condenser_water_outlet_temperature", "outdoor_temperature")
        around = self._point("return_air_temperature", "room_temperature")
        heater = self._family("water_heater")
        if not heater.any():
            return outdoor
        return np.where(heater, np.nan if around is None else around, np.nan if outdoor is None else outdoor)

    def _side(self, warm: Floats | None, cold: Floats | None) -> Floats | None:
        """`warm` in heating, `cold` in cooling."""
        if warm is None and cold is None:
            return None
        nothing = np.full(len(self._rows), np.nan)
        cools = self._in(COOLING, DRY)
        heats = self._in(HEATING, HOT_WATER, AUXILIARY, DEFROST)
        return np.where(cools, nothing if cold is None else cold, np.where(heats, nothing if warm is None else warm, np.nan))

    def _source(self) -> Floats | None:
        return self._side(self._outside(), self._inside())

    def _sink(self) -> Floats | None:
        return self._side(self._inside(), self._outside())


def first(found: Floats | None, other: Callable[[], Floats | None]) -> Floats | None:
    """`found`, and where it is absent, what `other` gives."""
    if found is not None and not np.isnan(found).any():
        return found
    more = other()
    if found is None or more is None:
        return more if found is None else found
    return np.where(np.isnan(found), more, found)


def less(one: Floats | None, other: Floats | None) -> Floats | None:
    """The difference, where there are both."""
    return None if one is None or other is None else one - other


def over(one: Floats | None, other: Floats | None) -> Floats | None:
    """The quotient, where there are both and the divisor is above 0."""
    if one is None or other is None:
        return None
    quotient: Floats = np.divide(one, other, out=np.full(len(one), np.nan), where=other > 0.0)
    return quotient


def absolute(values: Floats | None) -> Floats | None:
    """Without sign."""
    return None if values is None else np.abs(values)


_READ = {
    "discharge": ("discharge_line_temperature",),
    "suction_line": ("suction_line_temperature",),
    "liquid_line": ("liquid_line_temperature",),
    "air_flow": ("supply_air_flow",),
    "water_flow": ("water_flow_rate", "chilled_water_flow_rate"),
    "current": ("compressor_current", "current"),
    "valve": ("expansion_valve_position",),
    "outdoor_coil": ("outdoor_coil_temperature",),
    "indoor_coil": ("indoor_coil_temperature",),
    "outdoor": ("outdoor_temperature",),
    "indoor": ("room_temperature",),
    "humidity": ("room_humidity", "return_air_humidity"),
    "supply": ("outlet_water_temperature", "chilled_water_supply_temperature", "supply_air_temperature"),
    "gas": ("gas_input",),
    "flue": ("flue_gas_temperature",),
}
_DERIVED: dict[str, Callable[[Channels], Floats | None]] = {
    "superheat": Channels._superheat,
    "subcooling": Channels._subcooling,
    "evaporating": Channels._evaporating,
    "condensing": Channels._condensing,
    "split": Channels._split,
    "water_difference": lambda c: absolute(c._water_signed()),
    "power": Channels._power,
    "capacity": Channels._capacity,
    "cop": Channels._cop,
    "efficiency": Channels._efficiency,
    "speed": Channels._speed,
    "source": Channels._source,
    "sink": Channels._sink,
    "condensing_over_sink": lambda c: less(c.find("condensing"), c.find("sink")),
    "source_over_evaporating": lambda c: less(c.find("source"), c.find("evaporating")),
    "liquid_over_sink": lambda c: less(c.find("liquid_line"), c.find("sink")),
    "discharge_over_condensing": lambda c: less(c.find("discharge"), c.find("condensing")),
    "coil_over_sink": lambda c: less(c._coil(True), c.find("sink")),
    "source_over_coil": lambda c: less(c.find("source"), c._coil(False)),
    "suction_over_coil": lambda c: less(c.find("suction_line"), c._coil(False)),
    "coil_over_liquid": lambda c: less(c._coil(True), c.find("liquid_line")),
    "rise": lambda c: c._unaided(c.find("split")),
    "own_power": lambda c: c._unaided(c.find("power")),
    "own_capacity": lambda c: c._unaided(c._all_heat()),
    "carnot": Channels._carnot,
}
