"""The counters that a machine shows for the years before its simulated time."""

from datetime import UTC, date, datetime

from .machines.base import Tally
from .spec import EquipmentSpec

# hours of running and starts a year, mean electric power and gas input while running, as shares of the rated capacity
_YEARS: dict[str, tuple[float, float, float, float]] = {
    "heat_pump_air_air": (2300.0, 2600.0, 0.27, 0.0),
    "heat_pump_air_water": (3100.0, 1900.0, 0.17, 0.0),
    "air_conditioner": (900.0, 1300.0, 0.28, 0.0),
    "furnace_gas": (1300.0, 3900.0, 0.03, 0.9),
    "boiler_gas": (2400.0, 5200.0, 0.006, 0.55),
    "rooftop_unit": (3000.0, 2400.0, 0.16, 0.2),
    "air_handler": (4200.0, 700.0, 0.6, 0.0),
    "thermostat": (2000.0, 0.0, 0.0, 0.0),
    "chiller": (2600.0, 1100.0, 0.2, 0.0),
    "circulation_pump": (4600.0, 1500.0, 0.5, 0.0),
    "water_heater_heat_pump": (1500.0, 700.0, 0.33, 0.0),
    "water_heater_electric": (820.0, 1900.0, 0.9, 0.0),
    "water_heater_gas": (700.0, 2200.0, 0.004, 1.25),
}


def worn(spec: EquipmentSpec, t: float, chance: float) -> Tally:
    """Counters at `t` (s since 1970 UTC) of a machine of its age; `chance` (0 to 1) spreads them by a third."""
    installed = datetime.combine(date.fromisoformat(spec.installed), datetime.min.time(), tzinfo=UTC)
    years = max((t - installed.timestamp()) / (365.25 * 86400.0), 0.0) * (0.83 + 0.34 * chance)
    hours, starts, power, gas = _YEARS[spec.type]
    run = years * hours * 3600.0
    watts = run * spec.capacity
    started = float(round(years * starts))
    heats = 0.7 if "heat_pump" in spec.type or spec.type in ("rooftop_unit", "thermostat") else 1.0
    return Tally(
        electric=watts * power,
        heat=watts * 0.6 * heats,
        cold=watts * 0.6 * (1.0 - heats if heats < 1.0 else 1.0),
        backup=watts * power * 0.08,
        gas=watts * gas,
        water=years * 62000.0,
        run=run,
        heating=run * heats,
        cooling=run * (1.0 - heats if heats < 1.0 else 1.0),
        compressor=run,
        backup_run=run * 0.04,
        burner=run,
        pump=run * 1.15,
        fan=run * 1.05,
        filter=min(run, (0.15 + 0.6 * chance) * 0.3 * hours * 3600.0),
        defrost=run * 0.02,
        starts=started,
        compressor_starts=started,
        burner_starts=started,
        defrosts=float(round(years * 420.0)),
        retries=float(round(years * 6.0)),
    )
