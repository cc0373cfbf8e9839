"""Which schematic a type of machine has, and what the drawing needs to know of the machine's state."""

from collections.abc import Mapping

import msgspec
from lineset_contract.profiles import PROFILES

from .cells import Cell
from .facts import Machine
from .quantity import word
from .reader import Reader

_DRAWINGS = {
    "heat_pump_air_air": "air",
    "air_conditioner": "air",
    "heat_pump_air_water": "water",
    "boiler_gas": "water",
    "chiller": "water",
    "water_heater_heat_pump": "tank",
    "water_heater_electric": "tank",
    "water_heater_gas": "tank",
    "furnace_gas": "furnace",
    "rooftop_unit": "furnace",
    "air_handler": "furnace",
}
_RUNNING = frozenset({"heating", "cooling", "defrost", "hot_water", "auxiliary_heat", "dry"})


class Schematic(msgspec.Struct, frozen=True):
    """A drawing's template and the machine's state; `say` tells it to those who do not see it."""

    template: str
    cells: Mapping[str, Cell]
    name: str
    say: str
    running: bool
    cooling: bool
    heats: bool
    backup: bool
    gas: bool
    tone: str
    kind_of_heat: str
    upper: bool
    lower: bool
    flow: str
    back: str
    rate: str


def schematic(reader: Reader, machine: Machine, cells: Mapping[str, Cell]) -> Schematic | None:
    """The schematic of `machine`, None for a type without one (thermostat, circulation pump) or without readings."""
    drawing = _DRAWINGS.get(machine.type)
    if drawing is None or not cells:
        return None
    profile = PROFILES[machine.type]
    mode = machine.word("operating_mode")
    running = mode in _RUNNING
    # Defrost turns the circuit round: the outdoor coil is the hot one.
    cooling = mode in ("cooling", "defrost", "dry") or machine.type in ("air_conditioner", "chiller")
    chilled = machine.type == "chiller"
    return Schematic(
        template=f"common/schematic/{drawing}.html",
        cells=cells,
        name=profile.label.get(reader.language, profile.label["en"]),
        say=_say(reader, machine, cells),
        running=running,
        cooling=cooling,
        heats=profile.family == "heat_pump",
        backup=machine.word("auxiliary_heat_state") == "on"
        or mode == "auxiliary_heat"
        or (machine.number("auxiliary_heat_power") or 0.0) > 100.0,
        gas="natural_gas" in profile.fuels,
        tone=("cool" if cooling else "heat") if running else "",
        kind_of_heat={"water_heater_heat_pump": "heat_pump", "water_heater_gas": "gas"}.get(machine.type, "electric"),
        upper=machine.word("upper_element_state") == "on",
        lower=machine.word("lower_element_state") == "on",
        flow="chilled_water_supply_temperature" if chilled else "outlet_water_temperature",
        back="chilled_water_return_temperature" if chilled else "inlet_water_temperature",
        rate="chilled_water_flow_rate" if chilled else "water_flow_rate",
    )


def _backup(machine: Machine, mode: str) -> bool:
    power = machine.number("auxiliary_heat_power") or 0.0
    return mode == "auxiliary_heat" or machine.word("auxiliary_heat_state") == "on" or power > 100.0


def _say(reader: Reader, machine: Machine, cells: Mapping[str, Cell]) -> str:
    """The drawing in words: the state, then each headline reading."""
    profile = PROFILES[machine.type]
    state = word(reader, machine.word("operating_mode")) if machine.word("operating_mode") else ""
    parts = [f"{cell.name} {cell.text} {cell.unit}".strip() for name in profile.headlines if (cell := cells.get(name)) is not None]
    return ". ".join([part for part in (machine.name, state) if part] + parts) + "."
