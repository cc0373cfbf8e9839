"""Homes for browser tests on a real database: owners, a company, machines with a day of readings, a gateway with a token."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from lineset import accounts, gateways, sites, telemetry
from lineset.kit.settings import Settings
from lineset.platform import Platform, open_platform
from lineset.privacy import Context, Person, Purpose, System
from lineset.sites import Address, NewEquipment
from lineset_contract.points import POINTS
from numpy.typing import NDArray

PASSWORD = "three hundred lemon trees"
SETUP = Context(System("setup"), Purpose.ACCOUNT)
LOAD = Context(System("import"), Purpose.OPERATE)
STEP_S = 300.0
Columns = Mapping[str, NDArray[np.float64]]


@dataclass
class Seeded:
    """Who can sign in, and what is there."""

    owner: str = "ines@example.org"
    manager: str = "priya@example.org"
    stranger: str = "zoe@example.org"
    other_manager: str = "omar@example.org"
    password: str = PASSWORD
    sites: list[UUID] = field(default_factory=list)
    machines: dict[str, UUID] = field(default_factory=dict)
    gateway: UUID | None = None
    token: str = ""
    company: UUID | None = None
    household: UUID | None = None


def day_of_heat_pump(end: float, *, falls: bool, hours: int = 24) -> tuple[NDArray[np.float64], Columns]:
    """A day of a heat pump in steps of five minutes; with `falls` the room loses its set point in the last third."""
    count = int(hours * 3600 / STEP_S)
    t = end - STEP_S * np.arange(count, 0, -1, dtype=np.float64)
    n = np.arange(count, dtype=np.float64)
    wave = 0.25 * np.sin(n / 4.2)
    drop = np.clip((n - count * 0.68) * 0.069, 0.0, 4.2) if falls else 0.0 * n
    running = (np.sin(n / 4.2) > -0.4) | (falls & (n > count * 0.68))
    mode = POINTS["operating_mode"].codes
    columns: dict[str, NDArray[np.float64]] = {
        "room_temperature": 20.0 + wave - drop,
        "heating_setpoint": np.full(count, 20.0),
        "cooling_setpoint": np.full(count, 25.0),
        "outdoor_temperature": -7.5 - 5.3 * np.sin((n / count * 24 - 17) / 24 * 2 * math.pi),
        "supply_air_temperature": np.where(running, 33.0, 22.0),
        "return_air_temperature": 19.8 + wave - drop,
        "electric_power": np.where(running, 2300.0, 80.0),
        "operating_mode": np.where(running, mode["heating"], mode["idle"]).astype(float),
        "system_mode": np.full(count, float(POINTS["system_mode"].codes["heating"])),
        "liquid_line_temperature": np.where(running, 28.0, 15.0),
        "suction_line_temperature": np.where(running, -9.0, 5.0),
        "outdoor_coil_temperature": np.where(running, -12.0, -3.0),
        "compressor_power": np.where(running, 2100.0, 0.0),
        "cop": np.where(running, 2.1, 0.0),
    }
    return t, columns


def day_of_tank(end: float) -> tuple[NDArray[np.float64], Columns]:
    """A day of a water heater in steps of five minutes."""
    count = int(24 * 3600 / STEP_S)
    t = end - STEP_S * np.arange(count, 0, -1, dtype=np.float64)
    n = np.arange(count, dtype=np.float64)
    top = 54.0 - 3.0 * np.abs(np.sin(n / 30))
    columns: dict[str, NDArray[np.float64]] = {
        "tank_top_temperature": top,
        "tank_bottom_temperature": top - 9.0,
        "hot_water_setpoint": np.full(count, 55.0),
        "operating_mode": np.full(count, float(POINTS["operating_mode"].codes["idle"])),
        "electric_power": np.full(count, 4.0),
    }
    return t, columns


async def seed(settings: Settings, *, more_homes: int = 0) -> Seeded:
    """Fill an empty, migrated database."""
    async with open_platform(settings, "test") as platform:
        return await _seed(platform, more_homes)


async def _seed(platform: Platform, more_homes: int) -> Seeded:
    made, door = Seeded(), platform.door
    zone = "America/Los_Angeles"
    owner = await accounts.make_account(
        door, name="Ines Lund", email=made.owner, password=PASSWORD, household="Ortega-Lund", time_zone=zone
    )
    manager = await accounts.make_account(door, name="Priya Shah", email=made.manager, password=PASSWORD, time_zone=zone)
    await accounts.make_account(door, name="Zoe Berg", email=made.stranger, password=PASSWORD, household="Berg", time_zone=zone)
    other = await accounts.make_account(door, name="Omar Haddad", email=made.other_manager, password=PASSWORD, time_zone=zone)
    async with door.open(SETUP) as tx:
        rival = await accounts.create_company(tx, name="Birch Heating")
        await accounts.add_staff(tx, rival, other.person_id, "manager")
        made.company = await accounts.create_company(tx, name="Alder Mechanical", phone="530-555-0142")
        await accounts.add_staff(tx, made.company, manager.person_id, "manager")
    assert owner.household_id is not None
    made.household = owner.household_id
    end = datetime.now(UTC).timestamp()
    acting = Context(Person(owner.person_id), Purpose.OPERATE)
    async with door.open(acting) as tx:
        home = await sites.create_site(
            tx, owner.household_id, name="14 Sugar Pine Rd", time_zone=zone, address=Address(street="14 Sugar Pine Rd", city="Truckee")
        )
        cabin = await sites.create_site(tx, owner.household_id, name="Lake cabin", time_zone=zone, address=Address(city="Tahoe City"))
        made.sites = [home, cabin]
        code = await gateways.create_gateway(tx, home, "Basement", "simple")
        made.gateway = code.gateway
        made.token = (await gateways.create_token(tx, code.gateway)).token
        for name, kind, local in (("Heat pump HP-1", "heat_pump_air_air", "hp1"), ("Water heater", "water_heater_heat_pump", "wh1")):
            new = NewEquipment(name=name, type=kind, local_name=local, make="Norrland", model="NX-36", serial_number="19K40277")
            made.machines[local] = await sites.add_equipment(tx, home, new, gateway_id=code.gateway)
    async with door.open(Context(Person(owner.person_id), Purpose.ACCOUNT)) as tx:
        await accounts.grant_access(tx, owner.household_id, made.company, ["view", "control", "equipment"])
    await _load(platform, made.machines["hp1"], *day_of_heat_pump(end, falls=True), end)
    await _load(platform, made.machines["wh1"], *day_of_tank(end), end)
    for number in range(more_homes):
        await _one_more(platform, made, owner.household_id, acting, number, end)
    return made


async def _one_more(platform: Platform, made: Seeded, household: UUID, acting: Context, number: int, end: float) -> None:
    async with platform.door.open(acting) as tx:
        site = await sites.create_site(tx, household, name=f"{number + 2} Mill St", time_zone="America/Los_Angeles")
        machine = await sites.add_equipment(tx, site, NewEquipment(name="HP-1", type="heat_pump_air_air", local_name="hp1"))
    await _load(platform, machine, *day_of_heat_pump(end, falls=number % 9 == 4, hours=2), end)


async def _load(platform: Platform, machine: UUID, t: NDArray[np.float64], columns: Columns, now: float) -> None:
    async with platform.door.open(LOAD) as tx:
        await sites.extend_tenure(tx, machine, datetime.fromtimestamp(float(t[0]), UTC))
    async with platform.door.open(LOAD) as tx:
        await telemetry.load(tx, machine, t, columns, now=now)
