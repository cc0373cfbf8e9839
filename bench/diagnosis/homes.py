"""Kinds of homes with their machines, by make and climate. What is drawn here is plain data for the simulator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import msgspec
from lineset_simulator import Address, EquipmentSpec, HomeSpec, ZoneSpec

Fitted = Literal["basic", "standard", "full"]
ZoneMode = Literal["off", "heating", "cooling", "auto"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a home stands: degrees, m; `design` heating need relative to a cold place."""

    climate: str
    zone: str
    latitude: float
    longitude: float
    altitude: float
    design: float


PLACES = (
    Place("cold", "America/Denver", 46.87, -113.99, 978.0, 1.0),
    Place("cold", "America/Los_Angeles", 44.06, -121.31, 1105.0, 1.0),
    Place("marine", "America/Los_Angeles", 45.52, -122.68, 15.0, 0.8),
    Place("mixed", "America/New_York", 39.29, -76.61, 10.0, 0.9),
    Place("hot", "America/Phoenix", 32.22, -110.97, 730.0, 0.75),
)


@dataclass(frozen=True, slots=True)
class Make:
    """How a maker builds: superheat and subcooling that valve and charge are set to (K), size of the outdoor coil."""

    name: str
    superheat: float
    subcooling: float
    coil: float


MAKES = (Make("Arbelo", 5.0, 6.5, 1.12), Make("Brunnera", 6.5, 5.0, 0.94), Make("Calderon", 7.5, 7.5, 0.88), Make("Dovre", 5.5, 8.0, 1.0))
_LOSS = {"house_old": 84.0, "house": 62.0, "house_new": 40.0}


class Maker:
    """Makes the machines of one home: all of a kind are of the same make."""

    def __init__(self, random: Random, place: Place) -> None:
        self.random, self.place = random, place
        self.make = random.choice(MAKES)
        self.archetype = random.choice(tuple(_LOSS))
        self.area = round(random.uniform(95.0, 190.0))
        self.sensors: Fitted = random.choice(("basic", "standard", "standard", "full"))
        self.heat_need = _LOSS[self.archetype] * self.area * place.design

    def machine(
        self, local: str, kind: str, capacity: float, *, fuel: str = "electricity", serves: str = "", gas: str = "", **options: float
    ) -> EquipmentSpec:
        """One machine, installed in one of the last 15 years."""
        r, make = self.random, self.make
        if gas:
            options |= {"superheat": make.superheat + r.uniform(-0.7, 0.7), "subcooling": make.subcooling + r.uniform(-0.7, 0.7)}
            options["coil"] = make.coil * r.uniform(0.96, 1.04)
        model = f"{make.name[0]}{kind[:2].upper()}-{round(capacity / 500.0):03d}"
        serial, installed = f"{r.randrange(10**8):08d}", f"{r.randrange(2011, 2025)}-05-12"
        return EquipmentSpec(
            local, kind, make.name, model, serial, float(round(capacity, -2)) or 1.0, fuel, "", installed, refrigerant=gas, serves=serves,
            sensors=self.sensors, options=options, poll=60,
        )  # fmt: skip

    def thermostat(self) -> EquipmentSpec:
        """The thermostat of the first zone."""
        return self.machine("tstat", "thermostat", 1.0)

    def water_heater(self) -> EquipmentSpec:
        """A water heater of one of three kinds."""
        kind = self.random.choice(("electric", "gas", "heat_pump"))
        capacity = {"electric": 4500.0, "gas": 11000.0, "heat_pump": 2300.0}[kind]
        litres = self.random.choice((150.0, 190.0, 245.0))
        gas = "R290" if kind == "heat_pump" else ""
        return self.machine(
            "wh1", f"water_heater_{kind}", capacity, fuel="natural_gas" if kind == "gas" else "electricity", gas=gas, litres=litres
        )

    @property
    def gas(self) -> str:
        """A refrigerant of a split machine."""
        return self.random.choice(("R410A", "R410A", "R32", "R454B"))


def _split(m: Maker) -> list[EquipmentSpec]:
    capacity = min(max(0.9 * m.heat_need, 6000.0), 16000.0)
    pump = m.machine(
        "hp1", "heat_pump_air_air", capacity, gas=m.gas, stages=float(m.random.choice((0, 1, 1, 2))), backup=max(9000.0, m.heat_need)
    )
    extra = [m.machine("ah1", "air_handler", 420.0, serves="hp1")] if m.random.random() < 0.4 else []
    return [pump, *extra, m.water_heater(), m.thermostat()]


def _hydronic(m: Maker) -> list[EquipmentSpec]:
    pump = m.machine(
        "hp1", "heat_pump_air_water", min(max(1.1 * m.heat_need, 6000.0), 26000.0), gas="R290", hottest=m.random.choice((38.0, 42.0, 48.0))
    )
    return [pump, m.machine("cp1", "circulation_pump", 55.0, serves="hp1")] if m.random.random() < 0.5 else [pump]


def _furnace(m: Maker) -> list[EquipmentSpec]:
    efficient = m.random.choice((0.8, 0.95, 0.96))
    furnace = m.machine(
        "furn1",
        "furnace_gas",
        max(1.5 * m.heat_need, 11000.0),
        fuel="natural_gas",
        stages=float(m.random.choice((1, 2))),
        efficiency=efficient,
    )
    cooler = m.machine("ac1", "air_conditioner", min(max(62.0 * m.area, 7000.0), 14000.0), serves="furn1", gas=m.gas)
    return [furnace, cooler, m.water_heater(), m.thermostat()]


def _boiler(m: Maker) -> list[EquipmentSpec]:
    options: dict[str, Any] = {"hottest": m.random.choice((52.0, 58.0, 64.0)), "tank": m.random.choice((0.0, 160.0))}
    return [m.machine("boil1", "boiler_gas", max(1.5 * m.heat_need, 12000.0), fuel="natural_gas", **options)]


def _cooler(m: Maker) -> list[EquipmentSpec]:
    stages = float(m.random.choice((0, 1, 1)))
    return [
        m.machine("ac1", "air_conditioner", min(max(62.0 * m.area, 7000.0), 14000.0), gas=m.gas, stages=stages),
        m.water_heater(),
        m.thermostat(),
    ]


def _rooftop(m: Maker) -> list[EquipmentSpec]:
    return [m.machine("rtu1", "rooftop_unit", 105.0 * m.area, fuel=m.random.choice(("natural_gas", "electricity")), gas="R410A")]


KITS: Mapping[str, Callable[[Maker], list[EquipmentSpec]]] = {
    "split": _split, "hydronic": _hydronic, "furnace": _furnace, "boiler": _boiler, "cooler": _cooler, "rooftop": _rooftop,
}  # fmt: skip


def home(key: str, kit: str, place: Place, season: str, seed: int) -> HomeSpec:
    """A home of this kit at this place; in `season` winter or summer its thermostat is set as people do then."""
    random = Random(seed)
    m = Maker(random, place)
    business = kit == "rooftop"
    archetype = random.choice(("shop", "office")) if business else m.archetype
    residents = random.randrange(4, 12) if business else random.randrange(1, 5)
    zone = ZoneSpec("", archetype, m.area, random.uniform(19.5, 21.5), random.uniform(23.5, 25.5), random.choice((0.0, 1.0, 2.0, 2.5)))
    if kit in ("split", "furnace", "cooler"):
        # where summer nights are cold, people let the thermostat choose
        summer: ZoneMode = "cooling" if place.climate == "hot" else "auto"
        mode: ZoneMode = summer if season == "summer" else "auto" if kit == "cooler" else "heating"
        zone = msgspec.structs.replace(zone, mode=mode)
    occupancy = random.choice(("shop", "office")) if business else random.choice(("workers", "family", "home"))
    kind: Literal["residential", "commercial"] = "commercial" if business else "residential"
    return HomeSpec(
        key, "", "", kind, 0, (), Address("", "", "", ""), place.zone, place.latitude, place.longitude, place.altitude,
        place.climate, seed % 17, seed, occupancy, residents, (zone,), tuple(KITS[kit](m)), calibration=1.0, dropouts=0.004,
    )  # fmt: skip
