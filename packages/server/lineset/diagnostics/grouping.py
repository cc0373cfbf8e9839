"""One cause, one finding: of everything that detectors say of a machine, what is a cause, and what that cause explains."""

from collections.abc import Mapping, Sequence

import msgspec

from lineset.diagnostics.views import Candidate

CIRCUIT = frozenset(
    {
        "low_charge",
        "overcharge",
        "liquid_line_restriction",
        "non_condensables",
        "compressor_valve_leak",
        "outdoor_coil_fouling",
        "indoor_coil_fouling",
        "low_air_flow",
        "low_water_flow",
        "reversing_valve",
    }
)
SENSORS = frozenset({"sensor_stuck", "sensor_biased", "sensor_drifting", "sensor_swapped"})
_WEAKNESS = frozenset({"capacity_degradation", "cop_degradation", "setpoint_not_reached", "auxiliary_heat_locked_in"})
_FROST = frozenset({"defrost_missed", "defrost_stuck"})

EXPLAINS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(CIRCUIT, _WEAKNESS),
    "low_charge": _WEAKNESS | {"expansion_valve_hunting", "short_cycling", "defrost_missed"},
    "liquid_line_restriction": _WEAKNESS | {"expansion_valve_hunting", "short_cycling"},
    "low_air_flow": _WEAKNESS | {"indoor_coil_fouling", "short_cycling", "ignition_retries"},
    "low_water_flow": _WEAKNESS | {"air_in_water", "short_cycling"},
    "air_in_water": _WEAKNESS | {"low_water_flow", "short_cycling"},
    "defrost_stuck": _WEAKNESS | {"defrost_missed", "outdoor_coil_fouling"},
    "defrost_missed": _WEAKNESS | {"outdoor_coil_fouling"},
    "auxiliary_heat_locked_in": frozenset({"cop_degradation", "capacity_degradation"}),
    "capacity_degradation": frozenset({"setpoint_not_reached"}),
    "cop_degradation": frozenset({"capacity_degradation"}),
    "expansion_valve_hunting": frozenset({"cop_degradation"}),
    "short_cycling": frozenset({"cop_degradation"}),
    "oversizing": frozenset({"short_cycling"}),
    "ignition_retries": frozenset({"short_cycling", "setpoint_not_reached"}),
    "element_failed": frozenset({"setpoint_not_reached", "hygiene_cycle_missed", "water_heater_scale"}),
    "water_heater_scale": frozenset({"cop_degradation", "capacity_degradation", "setpoint_not_reached"}),
    "simultaneous_heating_cooling": frozenset({"cop_degradation", "thermostat_fighting", "setpoint_not_reached"}),
    "thermostat_fighting": frozenset({"short_cycling", "setpoint_not_reached", "simultaneous_heating_cooling"}),
    **{fault: CIRCUIT | _WEAKNESS | _FROST | {"expansion_valve_hunting"} for fault in SENSORS},
}
"""What a fault does that would look like a fault of its own. Where two explain each other, the likelier one is the cause."""

SHARED = frozenset({"thermostat_fighting", "simultaneous_heating_cooling"})
"""Faults between machines of one zone: the likeliest place has the finding."""

HARMLESS = frozenset({"anode_due", "hygiene_cycle_missed", "offline", "oversizing", "standby_excess", "thermostat_fighting"})
"""Faults that don't change how a machine performs in given conditions, so that it may go on learning what is normal."""

_SET_SHARE = 0.9
"""Candidates are the likeliest faults that together hold this share of the probability."""


class Conclusion(msgspec.Struct, frozen=True):
    """What is wrong with a machine, as `views.Finding` has it; `loss` is the share of its energy that is wasted (0 to 1)."""

    fault: str
    candidates: tuple[Candidate, ...]
    effects: tuple[str, ...]
    confidence: float
    severity: float
    loss: float
    evidence: dict[str, float]
    plot: tuple[str, ...]


def conclusion(
    probability: Mapping[str, float],
    severity: Mapping[str, float],
    loss: Mapping[str, float],
    evidence: dict[str, float],
    plot: tuple[str, ...],
) -> Conclusion:
    """A detector's verdict on one machine as a conclusion: the likeliest fault, and with it those that can't be told from it."""
    ranked = sorted(probability.items(), key=lambda item: -item[1])
    total = sum(probability.values())
    chosen: list[Candidate] = []
    for fault, share in ranked:
        if chosen and sum(c.probability for c in chosen) >= _SET_SHARE * total:
            break
        chosen.append(Candidate(fault, min(1.0, share)))
    best = chosen[0].fault
    return Conclusion(best, tuple(chosen), (), min(1.0, total), severity[best], loss[best], evidence, plot)


def group(said: Sequence[Conclusion]) -> list[Conclusion]:
    """The causes among what was said of one machine, each with the effects that it explains; an effect has no conclusion of its own.

    The likelier come first, so of two that explain each other the likelier is the cause; a fault that nothing explains always stays.
    """
    ranked = sorted(said, key=lambda c: (-_weight(c, said), -c.confidence, c.fault))
    causes: list[Conclusion] = []
    effects: dict[str, set[str]] = {}
    for each in ranked:
        by = next((c for c in causes if _explains(c, each)), None)
        if by is None:
            causes.append(each)
        else:
            effects.setdefault(by.fault, set()).update({each.fault, *effects.pop(each.fault, ())})
    return [msgspec.structs.replace(c, effects=tuple(sorted(effects.get(c.fault, ())))) for c in causes]


def _explains(cause: Conclusion, other: Conclusion) -> bool:
    if other.fault in {c.fault for c in cause.candidates}:
        return True
    return other.fault in EXPLAINS.get(cause.fault, frozenset())


def _weight(one: Conclusion, said: Sequence[Conclusion]) -> int:
    """How many of the others it explains without being explained by them as well as it explains them."""
    others = [c for c in said if c is not one]
    explained = sum(_explains(one, c) and not (_explains(c, one) and c.confidence > one.confidence) for c in others)
    return explained - sum(_explains(c, one) and not (_explains(one, c) and one.confidence >= c.confidence) for c in others)
