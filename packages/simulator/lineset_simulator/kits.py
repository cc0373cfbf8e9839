"""The machines that the demo's homes are fitted with. Makes and models are invented."""

from .chance import key
from .spec import EquipmentSpec

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def serial(seed: int, *names: str) -> str:
    """A serial number such as 19K40277, the same for the same seed and names."""
    number = key(seed, "serial", *names)
    return f"{10 + number % 14:02d}{_LETTERS[number // 14 % len(_LETTERS)]}{number // 400 % 100000:05d}"


def heat_pump(capacity: float, location: str, installed: str, **extra: float) -> EquipmentSpec:
    """A split heat pump; `extra` are its options: stages, backup."""
    inverter = extra.get("stages", 1) == 0
    return EquipmentSpec(
        local="hp1",
        type="heat_pump_air_air",
        make="Norrland" if inverter else "Veldkamp",
        model=f"NX-{round(capacity / 293):02d}i"
        if inverter
        else f"V{'2' if extra.get('stages') == 2 else '1'}-{round(capacity / 293):03d}H",
        serial="",
        capacity=capacity,
        fuel="electricity",
        location=location,
        installed=installed,
        refrigerant="R454B" if installed > "2024" else "R410A",
        options=dict(extra),
    )


def air_handler(location: str, installed: str, **extra: float) -> EquipmentSpec:
    """The indoor half of `hp1`; its capacity is the blower's power (W)."""
    return EquipmentSpec(
        local="ah1",
        type="air_handler",
        make="Norrland",
        model="AV-36",
        serial="",
        capacity=420.0,
        fuel="electricity",
        location=location,
        installed=installed,
        serves="hp1",
        options=dict(extra),
    )


def ventilator(location: str, installed: str, flow: float, zone: int = 0) -> EquipmentSpec:
    """A ventilator with heat recovery for `flow` (m3/h); its capacity is the fans' power (W)."""
    return EquipmentSpec(
        local="erv1",
        type="air_handler",
        make="Mirador",
        model=f"Breva {round(flow / 50) * 50}",
        serial="",
        capacity=0.38 * flow,
        fuel="electricity",
        location=location,
        installed=installed,
        zone=zone,
        options={"flow": flow},
        poll=30,
    )


def air_water(capacity: float, location: str, installed: str, **extra: float) -> EquipmentSpec:
    """An air-to-water heat pump with tank."""
    return EquipmentSpec(
        local="hp1",
        type="heat_pump_air_water",
        make="Norrland",
        model=f"Fjord {round(capacity / 1000)}",
        serial="",
        capacity=capacity,
        fuel="electricity",
        location=location,
        installed=installed,
        refrigerant="R290",
        options=dict(extra),
    )


def furnace(capacity: float, location: str, installed: str, **extra: float) -> EquipmentSpec:
    """A gas furnace."""
    condensing = extra.get("efficiency", 0.95) > 0.9
    return EquipmentSpec(
        local="furn1",
        type="furnace_gas",
        make="Corvane",
        model=f"{'C96' if condensing else 'C80'}-{round(capacity / 293):03d}",
        serial="",
        capacity=capacity,
        fuel="natural_gas",
        location=location,
        installed=installed,
        options=dict(extra),
    )


def air_conditioner(capacity: float, location: str, installed: str, serves: str = "", zone: int = 0, **extra: float) -> EquipmentSpec:
    """An air conditioner, on the blower of the furnace it serves or on its own."""
    return EquipmentSpec(
        local="ac1",
        type="air_conditioner",
        make="Corvane",
        model=f"KX{round(capacity / 293):03d}",
        serial="",
        capacity=capacity,
        fuel="electricity",
        location=location,
        installed=installed,
        refrigerant="R32" if installed > "2024" else "R410A",
        serves=serves,
        zone=zone,
        options=dict(extra),
    )


def boiler(capacity: float, location: str, installed: str, **extra: float) -> EquipmentSpec:
    """A condensing gas boiler."""
    return EquipmentSpec(
        local="boil1",
        type="boiler_gas",
        make="Ostrel",
        model=f"Kondens {round(capacity / 1000)}",
        serial="",
        capacity=capacity,
        fuel="natural_gas",
        location=location,
        installed=installed,
        options=dict(extra),
    )


def water_heater(fuel: str, location: str, installed: str, zone: int = 0, **extra: float) -> EquipmentSpec:
    """A water heater: `fuel` is heat_pump, electric or gas."""
    kinds = {
        "heat_pump": ("Pellway", "Therm-H 65", 2300.0, "electricity", 245.0),
        "electric": ("Pellway", "Duo 50", 4500.0, "electricity", 190.0),
        "gas": ("Pellway", "Flame 50", 11000.0, "natural_gas", 190.0),
    }
    make, model, capacity, energy, litres = kinds[fuel]
    return EquipmentSpec(
        local="wh1",
        type=f"water_heater_{fuel}",
        make=make,
        model=model,
        serial="",
        capacity=capacity,
        fuel=energy,
        location=location,
        installed=installed,
        refrigerant="R290" if fuel == "heat_pump" else "",
        zone=zone,
        options={"litres": litres} | extra,
        poll=30,
    )


def pump(local: str, serves: str, location: str, installed: str, watts: float = 55.0) -> EquipmentSpec:
    """A circulation pump for the loop of the machine it serves."""
    return EquipmentSpec(
        local=local,
        type="circulation_pump",
        make="Quillon",
        model=f"Q-{round(watts)}",
        serial="",
        capacity=watts,
        fuel="electricity",
        location=location,
        installed=installed,
        serves=serves,
        poll=30,
    )


def thermostat(location: str, installed: str, zone: int = 0, local: str = "tstat", **extra: float) -> EquipmentSpec:
    """A thermostat on the wall."""
    return EquipmentSpec(
        local=local,
        type="thermostat",
        make="Mirador",
        model="Senda 3",
        serial="",
        capacity=1.0,
        fuel="electricity",
        location=location,
        installed=installed,
        zone=zone,
        options=dict(extra),
        poll=30,
    )


def rooftop(local: str, capacity: float, installed: str, zone: int, fuel: str = "natural_gas", **extra: float) -> EquipmentSpec:
    """A rooftop unit."""
    return EquipmentSpec(
        local=local,
        type="rooftop_unit",
        make="Corvane",
        model=f"RT-{round(capacity / 3517)}{'G' if fuel == 'natural_gas' else 'E'}",
        serial="",
        capacity=capacity,
        fuel=fuel,
        location="roof",
        installed=installed,
        refrigerant="R410A",
        zone=zone,
        options=dict(extra),
    )


def chiller(capacity: float, location: str, installed: str) -> EquipmentSpec:
    """An air-cooled chiller."""
    return EquipmentSpec(
        local="ch1",
        type="chiller",
        make="Veldkamp",
        model=f"Glacier {round(capacity / 1000)}",
        serial="",
        capacity=capacity,
        fuel="electricity",
        location=location,
        installed=installed,
        refrigerant="R32",
        sensors="full",
    )


def coil_handler(local: str, capacity: float, location: str, installed: str, zone: int) -> EquipmentSpec:
    """An air handler with a chilled-water coil on the chiller `ch1`."""
    return EquipmentSpec(
        local=local,
        type="air_handler",
        make="Veldkamp",
        model=f"AHU-{round(capacity / 1000)}",
        serial="",
        capacity=capacity,
        fuel="electricity",
        location=location,
        installed=installed,
        serves="ch1",
        zone=zone,
        sensors="full",
    )
