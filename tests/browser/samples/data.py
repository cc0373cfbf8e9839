"""Made-up homes, machines and days, the same on every run but for the present."""

import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lineset.pages.common.facts import Day, Machine, Order, Reading, Site
from lineset.pages.common.reader import Reader

NOW = datetime.now(UTC).replace(microsecond=0)  # scripts count ages from the present
SITE = Site(id="0198c0de-0000-7000-8000-000000000001", name="14 Sugar Pine Rd", place="Truckee", zone="America/Los_Angeles")
CABIN = Site(id="0198c0de-0000-7000-8000-000000000002", name="Lake cabin", place="Tahoe City", zone="America/Los_Angeles")
HP = "0198c0de-0000-7000-8000-0000000000a1"
WH = "0198c0de-0000-7000-8000-0000000000a2"

Sample = tuple[str, Callable[[Reader], dict[str, Any]]]


def readings(values: Mapping[str, float | str], age: float = 2.0) -> dict[str, Reading]:
    """Latest readings, all `age` seconds old."""
    return {point: Reading(value, NOW.timestamp() - age) for point, value in values.items()}


def heat_pump(age: float = 2.0, *, online: bool = True, **changed: float | str) -> Machine:
    """An air-to-air heat pump on a cold morning."""
    values: dict[str, float | str] = {
        "room_temperature": 16.1,
        "heating_setpoint": 20.0,
        "cooling_setpoint": 25.0,
        "operating_mode": "heating",
        "system_mode": "heating",
        "fan_mode": "auto",
        "outdoor_temperature": -12.8,
        "supply_air_temperature": 30.7,
        "return_air_temperature": 16.0,
        "electric_power": 7290.0,
        "compressor_power": 2290.0,
        "auxiliary_heat_power": 5000.0,
        "cop": 1.3,
        "room_humidity": 34.0,
        "suction_line_temperature": -5.9,
        "liquid_line_temperature": 18.9,
        "discharge_line_temperature": 77.2,
        "outdoor_coil_temperature": -17.1,
        "supply_air_flow": 1953.0,
        "compressor_speed": 92.0,
        "auxiliary_heat_state": "on",
        "defrost_state": "off",
        "run_time": 51156000.0,
        "starts": 9820.0,
        "signal_strength": -61.0,
    }
    values.update(changed)
    return Machine(
        id=HP,
        type="heat_pump_air_air",
        name="Heat pump HP-1",
        latest=readings(values, age),
        online=online,
        seen=NOW.timestamp() - age,
        make="Norrland",
        model="NX-36",
        serial="19K40277",
        capacity_w=10550.0,
        fuel="electricity",
        location="Basement, outdoor unit on the north wall",
        installed="2019-10-12",
    )


def water_heater(age: float = 4.0) -> Machine:
    """A heat-pump water heater at rest."""
    return Machine(
        id=WH,
        type="water_heater_heat_pump",
        name="Water heater",
        latest=readings(
            {
                "tank_top_temperature": 53.4,
                "tank_bottom_temperature": 41.0,
                "hot_water_setpoint": 55.0,
                "operating_mode": "idle",
                "electric_power": 4.0,
                "cop": 3.1,
            },
            age,
        ),
        online=True,
        seen=NOW.timestamp() - age,
        make="Norrland",
        model="W-80",
        location="Garage",
    )


def boiler() -> Machine:
    """A gas boiler that heats the house."""
    values: dict[str, float | str] = {
        "room_temperature": 20.2,
        "heating_setpoint": 20.0,
        "operating_mode": "heating",
        "system_mode": "heating",
        "outdoor_temperature": -3.1,
        "outlet_water_temperature": 58.2,
        "inlet_water_temperature": 44.9,
        "supply_water_setpoint": 58.0,
        "water_flow_rate": 0.21,
        "burner_modulation": 46.0,
        "gas_input": 12400.0,
        "flame": "on",
        "hot_water_temperature": 54.0,
        "hot_water_setpoint": 55.0,
        "thermal_efficiency": 91.0,
        "heat_output": 11300.0,
    }
    return Machine(
        id=HP, type="boiler_gas", name="Boiler", latest=readings(values), online=True, seen=NOW.timestamp() - 2, make="Kessel", model="B 24"
    )


def furnace() -> Machine:
    """A gas furnace that heats."""
    values: dict[str, float | str] = {
        "room_temperature": 20.2,
        "heating_setpoint": 20.0,
        "operating_mode": "heating",
        "outdoor_temperature": -3.1,
        "flame": "on",
        "supply_air_temperature": 49.0,
        "return_air_temperature": 19.4,
        "gas_input": 21000.0,
        "burner_modulation": 60.0,
        "supply_air_flow": 2040.0,
        "thermal_efficiency": 93.0,
        "flue_gas_temperature": 48.0,
        "electric_power": 410.0,
        "temperature_split": 29.6,
    }
    return Machine(
        id=HP,
        type="furnace_gas",
        name="Furnace",
        latest=readings(values),
        online=True,
        seen=NOW.timestamp() - 2,
        make="Brand",
        model="F 80",
    )


def day(*, fault: bool = True, gap: bool = True) -> Day:
    """288 five-minute steps up to now: on the set point until the night, then falling and slowly rising."""
    chance = random.Random(7)
    count = 288
    room: list[float | None] = []
    outdoor: list[float | None] = []
    power: list[float | None] = []
    supply: list[float | None] = []
    level = 20.0
    for index in range(count):
        hour = index / 12
        if fault and 16.5 < hour < 21.6:
            level -= 0.069
        elif fault and hour >= 21.6:
            level += 0.011
        else:
            level += (20.0 - level) * 0.2
        room.append(level + 0.22 * math.sin(index / 4.2) + chance.uniform(-0.04, 0.04))
        cold = -7.5 - 5.3 * math.sin((hour - 17) / 24 * 2 * math.pi)
        outdoor.append(cold)
        running = math.sin(index / 4.2) > -0.4 or hour > 16.5
        power.append((2300.0 + (5000.0 if hour > 21.7 and fault else 0.0) if running else 80.0) + chance.uniform(-60, 60))
        supply.append((33.0 if running else 22.0) + chance.uniform(-0.5, 0.5))
    if gap:
        for series in (room, outdoor, power, supply):
            series[231:240] = [None] * 9
    end = NOW.timestamp()
    start = end - 86400
    modes: list[tuple[float, float, str]] = []
    for hour, length, mode in [
        (0, 1.4, "heating"),
        (1.7, 2.1, "heating"),
        (4.1, 1.2, "heating"),
        (5.8, 2.4, "heating"),
        (8.6, 2, "heating"),
    ]:
        modes.append((start + hour * 3600, start + (hour + length) * 3600, mode))
    modes += [(start + 11.1 * 3600, start + 19.2 * 3600, "heating"), (start + 20 * 3600, end, "heating")]
    modes += [(start + h * 3600, start + h * 3600 + 420, "defrost") for h in (3.9, 10.7, 13.6, 17.1, 20.6)]
    if fault:
        modes.append((start + 21.7 * 3600, end, "auxiliary_heat"))
    return Day(
        start=start,
        end=end,
        t=[start + index * 300.0 for index in range(count)],
        series={
            "room_temperature": room,
            "heating_setpoint": [None if v is None else 20.0 for v in room],
            "outdoor_temperature": outdoor,
            "electric_power": power,
            "supply_air_temperature": supply,
        },
        modes=modes,
    )


def order(state: str, detail: str = "", value: float = 20.5, *, age: float = 3.0, who: str = "Ines Lund") -> Order:
    """A set-point command in `state`."""
    return Order(
        id=f"0198c0de-0000-7000-8000-00000000c{sum(map(ord, state)) % 1000:03d}",
        equipment=HP,
        name="set_setpoint",
        args={"setting": "heating_setpoint", "value": value},
        state=state,
        who=who,
        created=NOW - timedelta(seconds=age + 2),
        changed=NOW - timedelta(seconds=age),
        expires=NOW + timedelta(minutes=10),
        detail=detail,
        done=state in ("succeeded", "failed", "expired", "refused"),
    )
