"""From a home's list of equipment to machines that share zones, controls, blowers and water."""

from collections.abc import Callable, Mapping

from ..house import Zone
from ..spec import EquipmentSpec, HomeSpec
from .air_water import AirWaterHeatPump
from .base import Machine, Surroundings
from .boiler import Boiler
from .chiller import ChilledLoop, Chiller
from .coils import Indoor
from .control import Control
from .furnace import Furnace
from .handlers import CoilHandler, FanCoil, Ventilator
from .loop import Loop, loop_for
from .pump import CirculationPump
from .rooftop import RooftopUnit
from .split import AirConditioner, AirHeatPump
from .thermostat import Thermostat
from .water_heaters import ElectricHeater, GasHeater, HeatPumpHeater

# who must step before whom: what feeds a loop after what draws from it, observers last
_RANKS = {"furnace_gas": 1, "chiller": 1, "circulation_pump": 2, "thermostat": 2}

_COOLERS = ("heat_pump_air_air", "air_conditioner", "rooftop_unit")


class Builder:
    """Builds the machines of one home. `machines` are by local name, `ordered` in the order of their steps."""

    def __init__(self, spec: HomeSpec, around: Surroundings, zones: list[Zone]) -> None:
        self.spec, self.around, self.zones = spec, around, zones
        self.controls = [Control(zone, around) for zone in zones]
        self.extra_controls: list[Control] = []
        self.indoors: dict[str, Indoor] = {}
        self._loops: dict[str, Loop] = {}
        self._chilled: dict[str, ChilledLoop] = {}
        self._by_name = {e.local: e for e in spec.equipment}
        self.machines = {e.local: self._make(e) for e in spec.equipment}
        cooled = {e.zone for e in spec.equipment if e.type in _COOLERS or (e.type == "air_handler" and e.serves)}
        for number, zone in enumerate(zones):
            zone.opens = number not in cooled
        self.ordered = sorted(self.machines.values(), key=lambda m: self._rank(m.spec, self._by_name))

    @staticmethod
    def _rank(spec: EquipmentSpec, by_name: Mapping[str, EquipmentSpec]) -> int:
        if spec.type == "air_handler" and spec.serves and by_name[spec.serves].type != "chiller":
            return 2
        return _RANKS.get(spec.type, 0)

    def _make(self, spec: EquipmentSpec) -> Machine:
        make = _MAKERS.get(spec.type)
        if make is None:
            raise ValueError(f"cannot simulate equipment of type {spec.type!r}; use one of: {', '.join(_MAKERS)}")
        return make(self, spec)

    def _control(self, spec: EquipmentSpec) -> Control:
        if spec.options.get("own_control"):
            control = Control(self.zones[spec.zone], self.around)
            self.extra_controls.append(control)
            return control
        return self.controls[spec.zone]

    def _indoor(self, spec: EquipmentSpec, capacity: float) -> Indoor:
        """The blower of a machine; an air conditioner and a furnace that belong together share one."""
        owner = spec.serves or spec.local
        if owner not in self.indoors:
            self.indoors[owner] = Indoor(capacity, self.zones[spec.zone], self.around.pressure)
        return self.indoors[owner]

    def _served(self, local: str) -> list[EquipmentSpec]:
        return [e for e in self.spec.equipment if e.serves == local]

    def _loop(self, local: str) -> Loop:
        """The water loop of the boiler or heat pump `local`."""
        if local not in self._loops:
            source = self._by_name[local]
            water = source.type == "heat_pump_air_water"
            hottest = source.options.get("hottest", 42.0 if water else 60.0)
            litres = source.options.get("buffer", 90.0 if water else 60.0) + 4.0e-3 * source.capacity
            zones = self.controls if source.options.get("all_zones", 1.0) else [self.controls[source.zone]]
            excess = hottest - (3.0 if water else 6.0) - 20.5
            self._loops[local] = loop_for(self.around, zones, 0.9 * source.capacity, excess, 5.5 if water else 10.0, litres)
        return self._loops[local]

    def _chilled_loop(self, local: str) -> ChilledLoop:
        if local not in self._chilled:
            self._chilled[local] = ChilledLoop(self.around, self._by_name[local].capacity)
        return self._chilled[local]

    def heat_pump(self, spec: EquipmentSpec) -> Machine:
        """A split heat pump; an air handler that serves it counts the blower."""
        counted = any(e.type == "air_handler" for e in self._served(spec.local))
        indoor = self._indoor(spec, spec.capacity)
        return AirHeatPump(spec, self.around, self._control(spec), indoor, "counted" if counted else "own")

    def air_conditioner(self, spec: EquipmentSpec) -> Machine:
        """An air conditioner, on its own blower or on that of the furnace it serves."""
        shared = bool(spec.serves) and self._by_name[spec.serves].type == "furnace_gas"
        indoor = self._indoor(spec, spec.capacity)
        return AirConditioner(spec, self.around, self._control(spec), indoor, "shared" if shared else "own")

    def furnace(self, spec: EquipmentSpec) -> Machine:
        """A furnace; its blower is sized for the air conditioner on it, or for 60 % of its own heat."""
        coolers = [e.capacity for e in self._served(spec.local) if e.type == "air_conditioner"]
        indoor = self._indoor(spec, coolers[0] if coolers else 0.6 * spec.capacity)
        return Furnace(spec, self.around, self._control(spec), indoor)

    def rooftop(self, spec: EquipmentSpec) -> Machine:
        """A rooftop unit."""
        return RooftopUnit(spec, self.around, self._control(spec), self._indoor(spec, spec.capacity))

    def handler(self, spec: EquipmentSpec) -> Machine:
        """An air handler: on a chiller's water, the indoor half of a heat pump, or a ventilator."""
        control = self._control(spec)
        if not spec.serves:
            return Ventilator(spec, self.around, control)
        served = self._by_name[spec.serves]
        if served.type == "chiller":
            self.indoors[spec.local] = indoor = Indoor(spec.capacity, control.zone, self.around.pressure)
            return CoilHandler(spec, self.around, control, indoor, self._chilled_loop(spec.serves))
        return FanCoil(spec, self.around, self.controls[served.zone], self._indoor(served, served.capacity))

    def boiler(self, spec: EquipmentSpec) -> Machine:
        """A boiler with its loop."""
        return Boiler(spec, self.around, self._control(spec), self._loop(spec.local))

    def air_water(self, spec: EquipmentSpec) -> Machine:
        """An air-to-water heat pump with its loop and tank."""
        return AirWaterHeatPump(spec, self.around, self._control(spec), self._loop(spec.local))

    def chiller(self, spec: EquipmentSpec) -> Machine:
        """A chiller with its loop."""
        return Chiller(spec, self.around, self._chilled_loop(spec.local))

    def pump(self, spec: EquipmentSpec) -> Machine:
        """The pump of the loop of the machine it serves."""
        served = self._by_name[spec.serves]
        loop = self._chilled_loop(spec.serves) if served.type == "chiller" else self._loop(spec.serves)
        return CirculationPump(spec, self.around, loop)

    def thermostat(self, spec: EquipmentSpec) -> Machine:
        """The thermostat of a zone; that of the first zone shows the others too."""
        others = [control for i, control in enumerate(self.controls) if i != spec.zone] if spec.zone == 0 else []
        return Thermostat(spec, self.around, self.controls[spec.zone], others)


def _water_heater(kind: type[ElectricHeater] | type[GasHeater] | type[HeatPumpHeater]) -> Callable[[Builder, EquipmentSpec], Machine]:
    return lambda b, spec: kind(spec, b.around, b.zones[spec.zone])


_MAKERS: Mapping[str, Callable[[Builder, EquipmentSpec], Machine]] = {
    "heat_pump_air_air": Builder.heat_pump,
    "heat_pump_air_water": Builder.air_water,
    "air_conditioner": Builder.air_conditioner,
    "furnace_gas": Builder.furnace,
    "boiler_gas": Builder.boiler,
    "rooftop_unit": Builder.rooftop,
    "air_handler": Builder.handler,
    "chiller": Builder.chiller,
    "circulation_pump": Builder.pump,
    "thermostat": Builder.thermostat,
    "water_heater_electric": _water_heater(ElectricHeater),
    "water_heater_gas": _water_heater(GasHeater),
    "water_heater_heat_pump": _water_heater(HeatPumpHeater),
}
