"""What a simulated home is: plain data that the demo's seeding reads as names and the simulator as parameters."""

from typing import Literal

import msgspec

# the names of `lineset_contract/faults.yaml`
FaultKind = Literal[
    "low_charge",
    "overcharge",
    "non_condensables",
    "expansion_valve_hunting",
    "capacity_degradation",
    "cop_degradation",
    "standby_excess",
    "oversizing",
    "liquid_line_restriction",
    "compressor_valve_leak",
    "reversing_valve",
    "outdoor_coil_fouling",
    "indoor_coil_fouling",
    "low_air_flow",
    "low_water_flow",
    "air_in_water",
    "defrost_stuck",
    "defrost_missed",
    "auxiliary_heat_locked_in",
    "short_cycling",
    "ignition_retries",
    "no_condensing",
    "water_heater_scale",
    "element_failed",
    "anode_due",
    "hygiene_cycle_missed",
    "simultaneous_heating_cooling",
    "setpoint_not_reached",
    "thermostat_fighting",
    "offline",
    "sensor_stuck",
    "sensor_biased",
    "sensor_drifting",
    "sensor_swapped",
]


class Address(msgspec.Struct, frozen=True):
    """A postal address in parts. Streets are invented."""

    street: str
    town: str
    state: str
    postcode: str
    country: str = "US"


class Person(msgspec.Struct, frozen=True):
    """Someone of a household or a contractor; invented, mail at example.com, phone 555-01xx."""

    name: str
    email: str
    phone: str
    role: str


class Contractor(msgspec.Struct, frozen=True):
    """A service company of the demo."""

    name: str
    people: tuple[Person, ...]
    address: Address
    tz: str


class Fault(msgspec.Struct, frozen=True):
    """Something that goes wrong at one machine.

    `severity` is from 0 to 1 of what the kind can do at worst; for a sensor fault it is in the point's unit (the
    value at which it is stuck). It begins `days_before` days before the home's anchor (the end of its recorded history; negative is
    later) and grows over `ramp_days`. `point` names the sensor of a sensor fault (two with a comma between where they are
    swapped), or the state of the element that failed. `oversizing` is there from the first day: by its severity the machine
    gives more than its zone needs.
    """

    equipment: str
    kind: FaultKind
    severity: float
    days_before: float
    ramp_days: float = 0.0
    point: str = ""


class Silence(msgspec.Struct, frozen=True):
    """The gateway is without power from `hour` (local) for `hours`, on each day whose number since 1970 divided by
    `every_days` leaves `remainder`. The machines run on, as most do when a router is switched off."""

    hour: float
    hours: float
    every_days: int = 1
    remainder: int = 0


class ZoneSpec(msgspec.Struct, frozen=True):
    """A part of a building with one thermostat. `archetype` is one of `house.ARCHETYPES`, `area` in m2.

    `heating` and `cooling` are the set points (degC) while people are there and awake, `setback` how far they are
    relaxed otherwise (K); `mode` is the thermostat's choice.
    """

    name: str
    archetype: str
    area: float
    heating: float = 20.5
    cooling: float = 24.5
    setback: float = 2.0
    mode: Literal["off", "heating", "cooling", "auto"] = "auto"


class EquipmentSpec(msgspec.Struct, frozen=True):
    """One machine. `local` is its name at the gateway, `capacity` its rated output (W), `installed` an ISO date.

    `zone` is the index of the zone it serves; `serves` the local name of the machine it belongs to (an air handler its
    heat pump, a pump its boiler); `sensors` how much of it is measured (`sensors.FITTED`); `options` are parameters that
    the machine's module names; `poll` is the time between
    two frames (s).
    """

    local: str
    type: str
    make: str
    model: str
    serial: str
    capacity: float
    fuel: str
    location: str
    installed: str
    refrigerant: str = ""
    zone: int = 0
    serves: str = ""
    sensors: Literal["basic", "standard", "full"] = "standard"
    options: dict[str, float] = {}
    poll: int = 10


class HomeSpec(msgspec.Struct, frozen=True):
    """One home or commercial site with everything that is simulated there.

    `contractor` is the index in `fleet.demo_contractors`; `weather_seed` is shared by the homes of a town. `calibration` scales the
    usual errors with which sensors leave the factory (0: none), `dropouts` is the share of their readings that gets lost.
    """

    key: str
    name: str
    site_name: str
    kind: Literal["residential", "commercial"]
    contractor: int
    people: tuple[Person, ...]
    address: Address
    tz: str
    latitude: float
    longitude: float
    altitude: float
    climate: str
    weather_seed: int
    seed: int
    occupancy: str
    residents: int
    zones: tuple[ZoneSpec, ...]
    equipment: tuple[EquipmentSpec, ...]
    faults: tuple[Fault, ...] = ()
    silence: tuple[Silence, ...] = ()
    calibration: float = 0.0
    dropouts: float = 0.0


def as_built(spec: HomeSpec) -> HomeSpec:
    """The home with machines as large as they were really fitted: those that are oversized by their fault's severity more."""
    over = {fault.equipment: fault.severity for fault in spec.faults if fault.kind == "oversizing"}
    if not over:
        return spec
    fitted = tuple(msgspec.structs.replace(e, capacity=e.capacity * (1.0 + over.get(e.local, 0.0))) for e in spec.equipment)
    return msgspec.structs.replace(spec, equipment=fitted)
