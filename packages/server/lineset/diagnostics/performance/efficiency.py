"""Heat and cold delivered, what they took, and how that compares with the best there is."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.cases import ratio
from lineset.diagnostics.performance import accuracy
from lineset.diagnostics.performance.accuracy import of_difference, together
from lineset.diagnostics.performance.circuit import COMPRESSORS, why
from lineset.diagnostics.performance.table import IMPLAUSIBLE, INCOMPLETE, MIXED, NOT_RUN, TOO_LITTLE, Column, Spans, Words, column, reasons
from lineset.diagnostics.rows import Flags, Floats

KELVIN = 273.15
LEAST_KWH = 0.2
"""A quotient of less electricity or gas than this says nothing."""
LEAST_LIFT_K = 5.0
"""Below this difference of temperatures the ideal COP is so high that per cent of it say nothing."""
HIGHEST_COP = 20.0
_PARTS = ("meter", "water", "air", "sensible")
_BASIS = {"meter": "measured", "water": "water_side", "air": "air_side", "sensible": "air_sensible_only"}


def delivered(spans: Spans) -> Mapping[str, Column]:
    """`heat`, `cooling`, `hot_water` (kWh), and `capacity_<mode>` (W) in steady running.

    By the machine's own meter; else water side: mass flow, heat capacity, temperature difference (EN 14511-3, 4.1; EN 1434); else air side:
    mass flow of dry air and difference of enthalpy (ASHRAE 37-2009, 7.3.3), in heating and without humidity sensible heat alone.
    """
    found = {}
    for name, mode in (("heat", "heating"), ("cooling", "cooling")):
        value = spans.sum(f"kwh.{name}")
        runs = np.nan_to_num(spans.sum(f"s.{mode}")) + (np.nan_to_num(spans.sum("s.hot_water")) if name == "heat" else 0.0)
        found[name] = column("kWh", value, doubt=share(spans, name) * np.abs(value), basis=basis(spans, name), applies=runs > 0.0)
    water = spans.sum("kwh.hot_water")
    heats = np.nan_to_num(spans.sum("s.hot_water")) > 0.0
    found["hot_water"] = column("kWh", water, doubt=share(spans, "heat") * np.abs(water), basis=basis(spans, "heat"), applies=heats)
    for mode, name in (("heating", "heat"), ("cooling", "cooling"), ("hot_water", "heat")):
        value = spans.mean(mode, "capacity")
        found[f"capacity_{mode}"] = column(
            "W",
            value,
            doubt=share(spans, name) * np.abs(value),
            basis=basis(spans, name),
            why=why(spans, mode, "capacity"),
            applies=np.nan_to_num(spans.sum(f"s.{mode}")) > 0.0,
        )
    return found


def basis(spans: Spans, name: str) -> Words:
    """What most of the heat or cold of a row was derived from."""
    parts = np.array([np.abs(np.nan_to_num(spans.sum(f"kwh.{name}.{part}"))) for part in _PARTS])
    words = np.array([_BASIS[part] for part in _PARTS])[parts.argmax(axis=0)]
    return np.where(parts.sum(axis=0) > 0.0, words, "")


def share(spans: Spans, name: str) -> Floats:
    """The share by which heat or cold is in doubt, from its sensors' accuracies; what was measured differently is independent."""
    squares, total = np.zeros(len(spans)), np.zeros(len(spans))
    for part in _PARTS:
        energy = np.abs(np.nan_to_num(spans.sum(f"kwh.{name}.{part}")))
        difference = ratio(energy, spans.sum(f"kwh_K.{name}.{part}"))
        if part == "meter":
            doubt = np.full(len(spans), accuracy.METERED_HEAT)
        elif part == "water":
            doubt = together(accuracy.WATER_FLOW, of_difference(accuracy.WATER_DIFFERENCE_K, difference))
        else:
            by_enthalpy = part == "air" and name == "cooling"
            sensors = accuracy.ENTHALPY_K if by_enthalpy else float(together(accuracy.AIR_K, accuracy.AIR_K))
            doubt = together(accuracy.AIR_FLOW, of_difference(sensors, difference))
        squares += np.square(energy * np.nan_to_num(doubt, nan=accuracy.AIR_FLOW))
        total += energy
    return ratio(np.sqrt(squares), total)


def quotients(spans: Spans) -> Mapping[str, Column]:
    """`cop_<use>`: heat or cold over electricity in all running of that use, defrosts included; `spf_h3`, `spf_h2`, `spf_cooling` over
    everything the machine drew in the span, standby included; `efficiency_gas` by higher heating value; `carnot_<mode>` in %.

    Boundaries as in SEPEMO-Build (Nordman and others, D4.2, 2012): H3 is heat with that of the backup heater over all electricity of the
    machine (source fan, control, backup heater, and pumps or fans inside its cabinet); H2 leaves the backup heater out on both sides, and
    is told where that is metered. Cooling is bounded as H3 is. All in units of kWh per kWh.
    """
    found = {}
    for use in ("heating", "cooling", "hot_water"):
        name = "cooling" if use == "cooling" else "heat"
        out, into = spans.sum(f"cop.{use}.out"), spans.sum(f"cop.{use}.in")
        found[f"cop_{use}"] = _cop(spans, out, into, name, np.nan_to_num(spans.sum(f"s.{use}")) > 0.0)
    both = {part: _added(spans.sum(f"cop.heating.{part}"), spans.sum(f"cop.hot_water.{part}")) for part in ("out", "in")}
    electric, useful = spans.sum("kwh.electric"), spans.sum("kwh.heat")
    cools = np.nan_to_num(spans.sum("s.cooling")) > 0.05 * np.nan_to_num(spans.sum("s.running"))
    heater = spans.family("water_heater")
    odd = reasons((cools, MIXED), (~heater & _apart(useful, both["out"]), INCOMPLETE))
    runs = (spans.family("heat_pump") | heater) & (np.nan_to_num(useful) > 0.0)
    found["spf_h3"] = _cop(spans, useful, electric, "heat", runs, odd)
    backup = spans.sum("kwh.auxiliary")
    found["spf_h2"] = _cop(spans, useful - backup, electric - backup, "heat", runs & ~np.isnan(backup), odd)
    cold, cooled = spans.sum("kwh.cooling"), np.nan_to_num(spans.sum("s.cooling"))
    mixed = cooled < 0.95 * np.nan_to_num(spans.sum("s.running"))
    odd = reasons((mixed, MIXED), (_apart(cold, spans.sum("cop.cooling.out")), INCOMPLETE))
    found["spf_cooling"] = _cop(spans, cold, electric, "cooling", cooled > 0.0, odd)
    out, into = spans.sum("cop.gas.out"), spans.sum("cop.gas.in")
    efficiency = ratio(out, into)
    doubt = efficiency * together(share(spans, "heat"), accuracy.GAS)
    odd = reasons((into < LEAST_KWH, TOO_LITTLE), ((efficiency < 0.2) | (efficiency > 1.12), IMPLAUSIBLE))
    burns = spans.family("furnace", "boiler", "water_heater") & (np.nan_to_num(spans.sum("kwh.gas")) > 0.0)
    found["efficiency_gas"] = column("1", efficiency, doubt=doubt, basis=basis(spans, "heat"), why=odd, applies=burns)
    return found | _carnot(spans)


def _added(one: Floats, other: Floats) -> Floats:
    return np.where(np.isnan(one) & np.isnan(other), np.nan, np.nan_to_num(one) + np.nan_to_num(other))


def _apart(one: Floats, other: Floats) -> Flags:
    """Whether two sums that should be the same differ by more than 5 %."""
    found: Flags = np.abs(one - other) > 0.05 * np.abs(one)
    return found


def _cop(spans: Spans, out: Floats, into: Floats, name: str, applies: Flags, before: Words | str = "") -> Column:
    value = ratio(out, into)
    odd = np.where(np.asarray(before) != "", before, _odd(value, into))
    doubt = np.abs(value) * together(share(spans, name), accuracy.POWER)
    return column("1", value, doubt=doubt, basis=basis(spans, name), why=odd, applies=applies)


def _odd(value: Floats, into: Floats) -> Words:
    return reasons((into < LEAST_KWH, TOO_LITTLE), ((value <= 0.0) | (value > HIGHEST_COP), IMPLAUSIBLE))


def _carnot(spans: Spans) -> dict[str, Column]:
    """Second-law efficiency: steady COP over that of the reversed Carnot cycle between source and sink, T_sink / (T_sink - T_source) and in
    cooling T_source / (T_sink - T_source) (ASHRAE Fundamentals, chapter 2)."""
    found = {}
    for mode in ("heating", "cooling", "hot_water"):
        source, sink, cop = (spans.mean(mode, name) for name in ("source", "sink", "cop"))
        lift = sink - source
        useful = (source if mode == "cooling" else sink) + KELVIN
        with np.errstate(invalid="ignore"):
            value = 100.0 * cop * ratio(lift, useful)
        name = "cooling" if mode == "cooling" else "heat"
        parts = together(share(spans, name), accuracy.POWER, of_difference(accuracy.AIR_K * 2**0.5, lift))
        reason = why(spans, mode, "cop")
        reason = np.where(reason == "", reasons((lift < LEAST_LIFT_K, TOO_LITTLE), ((value <= 0.0) | (value > 100.0), IMPLAUSIBLE)), reason)
        runs = spans.family(*COMPRESSORS) & (np.nan_to_num(spans.sum(f"s.{mode}")) > 0.0)
        found[f"carnot_{mode}"] = column("%", value, doubt=np.abs(value) * parts, basis=basis(spans, name), why=reason, applies=runs)
    return found


def losses(spans: Spans) -> Mapping[str, Column]:
    """`backup_share` (%): heat of the backup heater over all heat, or where heat is not known its electricity over all electricity;
    `defrost_share` (%): time in defrost over time in heating and defrost; `defrost_penalty` (kWh): electricity drawn in defrosts and that
    which replaces, at the COP of the span, the heat they took from the house; `hot_water_loss` (kWh): what an electric or gas water heater
    took and did not give at the tap (for gas with what goes up the flue), exact to what the tank holds more or less at the end."""
    heat, electric, backup = spans.sum("kwh.heat"), spans.sum("kwh.electric"), spans.sum("kwh.auxiliary")
    by_heat = ~np.isnan(heat)
    value = 100.0 * ratio(backup, np.where(by_heat, heat, electric))
    own = np.where(by_heat, share(spans, "heat"), accuracy.METERED_POWER)
    heats = np.nan_to_num(spans.sum("s.heating")) + np.nan_to_num(spans.sum("s.hot_water"))
    found = {
        "backup_share": column(
            "%",
            value,
            doubt=value * together(own, accuracy.POWER),
            basis=np.where(by_heat, "of_heat", "of_electricity"),
            why=reasons((heats <= 0.0, NOT_RUN), (value > 105.0, IMPLAUSIBLE)),
            applies=spans.family("heat_pump"),
        )
    }
    defrost, heating = spans.sum("s.defrost"), spans.sum("s.heating")
    pump = spans.family("heat_pump") & (np.nan_to_num(heating) > 0.0)
    found["defrost_share"] = column("%", 100.0 * ratio(defrost, defrost + heating), applies=pump)
    cop = ratio(spans.sum("cop.heating.out"), spans.sum("cop.heating.in"))
    penalty = spans.sum("kwh.electric.defrost") + np.where(np.nan_to_num(defrost) > 0.0, ratio(spans.sum("kwh.defrost"), cop), 0.0)
    doubt = penalty * together(share(spans, "heat"), accuracy.POWER)
    found["defrost_penalty"] = column("kWh", penalty, doubt=doubt, basis=basis(spans, "heat"), applies=pump)
    into = _added(electric, spans.sum("kwh.gas"))
    tap = spans.sum("kwh.hot_water")
    loss = into - tap
    kinds = np.array([machine.type in ("water_heater_electric", "water_heater_gas") for machine in spans.machines], bool)[spans.machine]
    found["hot_water_loss"] = column(
        "kWh",
        loss,
        doubt=together(accuracy.METERED_POWER * into, share(spans, "heat") * tap),
        basis=basis(spans, "heat"),
        why=reasons((loss < -0.05 * into, IMPLAUSIBLE)),
        applies=kinds,
    )
    return found
