"""What the figures of performance are called, what they were derived from, and why one is absent: words for their codes."""

from collections.abc import Mapping

from .reader import Reader
from .refusals import marked

_NAMES: Mapping[str, str] = {
    "covered": marked("Time with readings"),
    "covered_energy": marked("Time with known electricity"),
    "hours_running": marked("Running"),
    "hours_heating": marked("Time heating"),
    "hours_cooling": marked("Time cooling"),
    "hours_hot_water": marked("Time heating water"),
    "hours_defrost": marked("Time defrosting"),
    "hours_auxiliary": marked("Time with backup heat"),
    "hours_fan": marked("Time with the fan on"),
    "starts": marked("Starts"),
    "starts_an_hour": marked("Starts an hour of running"),
    "cycle_length": marked("Mean run"),
    "defrosts": marked("Defrosts"),
    "electric": marked("Electricity"),
    "gas": marked("Gas"),
    "backup": marked("Electricity of the backup heater"),
    "standby": marked("Electricity at rest"),
    "standby_power": marked("Power at rest"),
    "heat": marked("Heat delivered"),
    "cooling": marked("Cooling delivered"),
    "hot_water": marked("Heat for hot water"),
    "capacity": marked("Capacity"),
    "cop": marked("COP"),
    "spf_h3": marked("Seasonal factor, with backup heat and standby (H3)"),
    "spf_h2": marked("Seasonal factor, without backup heat (H2)"),
    "spf_cooling": marked("Seasonal factor of cooling, with standby"),
    "efficiency_gas": marked("Efficiency, by higher heating value"),
    "carnot": marked("Per cent of Carnot"),
    "backup_share": marked("Share of backup heat"),
    "defrost_share": marked("Share of defrosts in heating time"),
    "defrost_penalty": marked("Electricity that defrosts cost"),
    "hot_water_loss": marked("Lost between meter and tap"),
    "superheat": marked("Superheat"),
    "subcooling": marked("Subcooling"),
    "evaporating": marked("Evaporating temperature"),
    "condensing": marked("Condensing temperature"),
    "discharge": marked("Discharge temperature"),
    "sink_approach": marked("Condensing over sink"),
    "source_approach": marked("Source over evaporating"),
    "air_split": marked("Temperature split of the air"),
    "water_split": marked("Temperature difference of the water"),
    "air_flow": marked("Air flow"),
    "water_flow": marked("Water flow"),
    "outdoor": marked("Outdoor temperature"),
    "energy_per_hdd": marked("Energy per heating degree-day"),
    "energy_per_cdd": marked("Energy per cooling degree-day"),
    "base_load": marked("Base load, whatever the weather"),
    "degree_days_heating": marked("Heating degree-days (15 °C)"),
    "degree_days_cooling": marked("Cooling degree-days (22 °C)"),
    "comfort": marked("Time within 1 K of what was asked for"),
    "comfort_missed": marked("Missed by, on average"),
}
_MODES: Mapping[str, str] = {
    "heating": marked("%(figure)s, heating"),
    "cooling": marked("%(figure)s, cooling"),
    "hot_water": marked("%(figure)s, hot water"),
}
_BASES: Mapping[str, str] = {
    "measured": marked("measured"),
    "metered": marked("metered"),
    "by_power": marked("from power"),
    "by_volume": marked("from the volume of gas"),
    "water_side": marked("from water flow and temperatures"),
    "air_side": marked("from air flow and state of the air"),
    "air_sensible_only": marked("from air flow and temperatures, without moisture: at least this much"),
    "counted": marked("counted"),
    "of_heat": marked("of the heat"),
    "of_electricity": marked("of the electricity"),
    "regression": marked("fitted to the days"),
}
_REASONS: Mapping[str, str] = {
    "not_measured": marked("not measured"),
    "not_run": marked("it did not run so"),
    "too_little": marked("it ran too little to tell"),
    "implausible": marked("its sensors contradict each other"),
    "weather_too_even": marked("the weather hardly differed"),
    "below_zero": marked("too few kinds of weather: the line through the days falls below zero"),
    "mixed_use": marked("it both heated and cooled"),
    "incomplete": marked("heat and electricity are not known over the same time"),
}


def figure_name(reader: Reader, name: str) -> str:
    """What a figure is called; one that is told by mode is called so with its mode."""
    known = _NAMES.get(name)
    if known is not None:
        return reader.gettext(known)
    for mode in _MODES:
        base = _NAMES.get(name.removesuffix(f"_{mode}")) if name.endswith(f"_{mode}") else None
        if base is not None:
            return in_mode(reader, reader.gettext(base), mode)
    return name.replace("_", " ").capitalize()


def in_mode(reader: Reader, figure: str, mode: str) -> str:
    """What a figure that is called so is called of one mode."""
    return reader.gettext(_MODES[mode], figure=figure)


def basis_words(reader: Reader, basis: str) -> str:
    """What a figure was derived from."""
    known = _BASES.get(basis)
    return reader.gettext(known) if known is not None else basis.replace("_", " ")


def reason_words(reader: Reader, why: str) -> str:
    """Why a figure is absent."""
    known = _REASONS.get(why)
    return reader.gettext(known) if known is not None else why.replace("_", " ")
