"""Every site of a contractor with the few readings that its list is ranked by."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from lineset_contract.profiles import PROFILES

from lineset import diagnostics, sites, telemetry
from lineset.accounts import Principal
from lineset.diagnostics import Finding
from lineset.privacy import Tx

from ..common.load import site_of
from .area import Shared, clients_of
from .ranking import Home

_FAMILIES = ("thermostat", "heat_pump", "furnace", "boiler", "air_conditioner", "ventilation", "water_heater", "chiller", "pump")
_TANK = ("tank_top_temperature", "hot_water_temperature")
POINTS = (
    "room_temperature",
    "heating_setpoint",
    "cooling_setpoint",
    *_TANK,
    "hot_water_setpoint",
    "operating_mode",
    "system_mode",
    "alarm_state",
    "fault_code",
    "auxiliary_heat_state",
)
_WORST = ("none", "", "warning", "fault", "lockout")


async def gather(tx: Tx, who: Principal) -> list[Home]:
    """All sites that households share with the person's companies."""
    shared = await clients_of(tx, who)
    found = [s for s in await sites.list_sites(tx) if str(s.household_id) in shared]
    latest = await telemetry.latest(tx, [m.id for s in found for m in s.equipment], POINTS)
    wrong: dict[UUID, list[Finding]] = {}
    for finding in await diagnostics.list_findings(tx, open_only=True):
        wrong.setdefault(finding.site, []).append(finding)
    return [_home(site, shared[str(site.household_id)], latest, wrong.get(site.id, ())) for site in found]


def _rank(machine: sites.Equipment, latest: Mapping[UUID, telemetry.Latest]) -> tuple[bool, int]:
    family = PROFILES[machine.type].family if machine.type in PROFILES else ""
    seen = latest.get(machine.id)
    has_room = seen is not None and "room_temperature" in seen.values
    return not has_room, _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES)


def _home(site: sites.Site, shared: Shared, latest: Mapping[UUID, telemetry.Latest], findings: Sequence[Finding]) -> Home:
    machines: Sequence[sites.Equipment] = site.equipment
    main = min(machines, key=lambda m: _rank(m, latest), default=None)
    seen = [found.t for m in machines if (found := latest.get(m.id)) is not None and found.t is not None]
    readings = latest[main.id].values if main is not None and main.id in latest else {}
    mode = _word(readings, "operating_mode")
    cools = mode == "cooling" or _word(readings, "system_mode") == "cooling" or "heating_setpoint" not in readings
    target = _first(readings, ("cooling_setpoint", "heating_setpoint") if cools else ("heating_setpoint", "cooling_setpoint"))
    tank, tank_target = _tank(machines, latest)
    alarms = [_word(latest[m.id].values, "alarm_state") for m in machines if m.id in latest]
    codes = [code for m in machines if m.id in latest and (code := _first(latest[m.id].values, ("fault_code",)))]
    return Home(
        site=site_of(site),
        household=shared.name,
        machine=str(main.id) if main is not None else "",
        machine_name=main.name if main is not None else "",
        machine_type=main.type if main is not None else "",
        machines=len(machines),
        mode=mode,
        room=_first(readings, ("room_temperature",)),
        target=target,
        tank=tank,
        tank_target=tank_target,
        alarm=max(alarms, key=lambda a: _WORST.index(a) if a in _WORST else 0, default="none"),
        fault_code=codes[0] if codes else None,
        online=bool(seen),
        seen=max(seen, default=None),
        backup=_word(readings, "auxiliary_heat_state") == "on",
        cools=cools,
        findings=tuple(findings),
    )


def _tank(machines: Sequence[sites.Equipment], latest: Mapping[UUID, telemetry.Latest]) -> tuple[float | None, float | None]:
    """Temperature and set point of the site's first tank."""
    for machine in machines:
        readings = latest[machine.id].values if machine.id in latest else {}
        value = _first(readings, _TANK)
        if value is not None:
            return value, _first(readings, ("hot_water_setpoint",))
    return None, None


def _first(readings: Mapping[str, telemetry.Reading], names: Sequence[str]) -> float | None:
    return next((readings[name].value for name in names if name in readings), None)


def _word(readings: Mapping[str, telemetry.Reading], name: str) -> str:
    reading = readings.get(name)
    return reading.word or "" if reading is not None else ""
