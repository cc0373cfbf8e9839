"""What the figures that speak for a finding are called, and in which units they are."""

from collections.abc import Mapping

from lineset_contract.points import POINTS
from lineset_contract.units import UNITS

from .quantity import label
from .reader import Reader
from .refusals import marked

_UNITS = {"C": "degC", "share": "share", "pct": "%", "percent": "%", "d": "d", "min": "min", "n": "n"}
_ENDS = {"_deviation": marked("%(figure)s, deviation"), "_error": marked("%(figure)s, error of the sensor")}
_NAMES: Mapping[str, str] = {
    "bad_days": marked("Days on which it showed"),
    "days": marked("Days looked at"),
    "flue_over_tank": marked("Flue gas over the tank"),
    "element_power": marked("Power of the element alone"),
    "superheat": marked("Superheat"),
    "subcooling": marked("Subcooling"),
    "evaporating": marked("Evaporating temperature"),
    "condensing": marked("Condensing temperature"),
    "discharge": marked("Discharge temperature"),
    "split": marked("Supply less return"),
    "water_difference": marked("Supply less return, water"),
    "condensing_over_sink": marked("Condensing over what it heats"),
    "source_over_evaporating": marked("Source over evaporating"),
    "liquid_over_sink": marked("Liquid line over what it heats"),
    "discharge_over_condensing": marked("Discharge over condensing"),
    "power": marked("Power"),
    "capacity": marked("Heat or cold delivered"),
    "cop": marked("COP"),
    "air_flow": marked("Air flow"),
    "water_flow": marked("Water flow"),
    "speed": marked("Compressor speed"),
    "current": marked("Current"),
    "valve": marked("Valve opening"),
    "cycles_an_hour": marked("Starts an hour"),
    "cycle": marked("Length of a run"),
    "defrosts": marked("Defrosts a day"),
    "backup_share": marked("Share of backup heat"),
    "standby": marked("Power at rest"),
    "silent": marked("Time without readings"),
    "offset": marked("Offset"),
    "slope": marked("Change over time"),
    "backup_alone": marked("Backup heat alone, three days"),
    "backup": marked("Backup heat, three days"),
    "backup_mild": marked("Backup heat in mild weather, three days"),
    "dew_point": marked("Dew point of the flue gas"),
    "flue_gas": marked("Flue gas"),
    "lockouts": marked("Flame lockouts, three days"),
    "not_condensing_share": marked("Share of burning without condensing"),
    "retries_per_d": marked("Ignition retries a day"),
    "retries_per_start": marked("Ignition retries a start"),
    "return_water": marked("Return water"),
    "longest_silence_before": marked("Longest silence before"),
    "others_of_site_heard": marked("Others of the site are heard"),
    "full_load_at": marked("Fully used this far from 65 °F (18 °C)"),
    "load": marked("Share of full load"),
    "rate_at_half_load_per_h": marked("Starts an hour at half load"),
    "run": marked("Length of a run"),
    "starts_per_d": marked("Starts a day"),
    "starts_per_h": marked("Starts an hour"),
    "coil_under_air": marked("Coil below outdoor air"),
    "coil_under_dry_air": marked("Coil below outdoor air, dry"),
    "cold_coil_defrosts": marked("Defrosts that left the coil cold"),
    "defrost_length": marked("Length of a defrost"),
    "defrost_share": marked("Share of defrosts in heating"),
    "frost_heating": marked("Heating in frosty weather"),
    "long_defrosts": marked("Defrosts that took long"),
    "repeated_defrosts": marked("Defrosts soon after another"),
    "both_at_once": marked("Heat and cold at the same moment"),
    "changes_per_d": marked("Changes between heating and cooling a day"),
    "mean_gap": marked("Off the set point, on average"),
    "off_set_point": marked("Off the set point a day"),
    "set_points_crossed": marked("Running under crossed set points"),
    "standing_still": marked("Called, but standing still"),
    "together": marked("Heating and cooling in the same hours"),
    "air_rise": marked("Rise of the air"),
    "blocked": marked("Time with hardly any flow"),
    "filter_drop": marked("Pressure drop of the filter"),
    "flow_share_of_before": marked("Flow, as a share of before"),
    "limit_open": marked("Limit switch open"),
    "flow_jumps": marked("Jumps of the flow"),
    "rough_share": marked("Share of time with rough running"),
    "swings_per_h": marked("Swings an hour"),
    "standby_before": marked("Power at rest before"),
    "anode_current": marked("Anode current"),
    "days_without": marked("Days without a hot enough cycle"),
    "hottest": marked("Hottest water"),
    "recovery_K_per_kWh": marked("Kelvins for each kWh of a recovery"),
    "recovery_less": marked("Less warming for each kWh"),
    "mean": marked("Mean"),
    "steady": marked("Steady running looked at"),
    "lower_element_dead": marked("Lower element called without power"),
    "upper_element_dead": marked("Upper element called without power"),
    "water_cooling_reversed": marked("Water the wrong way round, cooling"),
    "indoor_coil": marked("Indoor coil"),
    "outdoor_coil": marked("Outdoor coil"),
    "liquid_line": marked("Liquid line"),
    "suction_line": marked("Suction line"),
}


def apart(key: str) -> tuple[str, str]:
    """Name and unit of a figure; a last part that is no unit belongs to the name."""
    name, _, unit = key.rpartition("_")
    if name.endswith("_per"):  # a rate says its own unit
        return key, ""
    if name and (unit in UNITS or unit in _UNITS):
        return name, _UNITS.get(unit, unit)
    return key, ""


def evidence_name(reader: Reader, name: str) -> str:
    """What a figure is called: a point, a known figure, or one of these that deviates or that a sensor has wrong."""
    if name in POINTS:
        return label(reader, name)
    for end, pattern in _ENDS.items():
        if name.endswith(end):
            return reader.gettext(pattern, figure=evidence_name(reader, name.removesuffix(end)))
    known = _NAMES.get(name)
    text = reader.gettext(known) if known is not None else name.replace("_", " ")
    return text[:1].upper() + text[1:]
