"""Machines that start too often, and machines that are too large."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import Persistence, recent, rule_verdict
from lineset.diagnostics.machine import column
from lineset.diagnostics.samples import Floats

_SHORT = {"starts_a_day": 20.0, "compressor_rate_per_h": 6.0, "burner_rate_per_h": 10.0, "compressor_run_s": 330.0, "burner_run_s": 210.0}
_SHORT_DAYS = Persistence(least=2, of=3)
_STARTING_S = 60.0
"""Time constant with which a machine comes to its full output after a start (Henderson and Rengarajan 1996)."""
_SIZE = {"least_h": 12.0, "heating_full_load_K": 105.0, "cooling_full_load_K": 42.0, "starts_per_h": 2.0}


def short(cases: Cases) -> Verdicts:
    """Bad is a day with 20 starts on which runs are short (under 5.5 min with a compressor, 3.5 min with a burner) and many for the load.
    A thermostat makes N = 4 Nmax X (1 - X) starts an hour at the load X; the day's Nmax is compared with 6 (compressor) and 10 an hour
    (burner), where 3 and 5 are usual. Severity: the share of the runs that goes into getting up to output. Loss: that share less what it
    is at usual runs."""
    starts, on = cases.daily("cycle.starts"), cases.daily("cycle.on.s")
    burner = np.isin(_families(cases), ["furnace", "boiler"])[:, None]
    rate, run = ratio(starts, cases.daily("cycle.load")), ratio(on, starts)
    limit = np.where(burner, _SHORT["burner_rate_per_h"], _SHORT["compressor_rate_per_h"])
    shortest = np.where(burner, _SHORT["burner_run_s"], _SHORT["compressor_run_s"])
    known = (np.nan_to_num(cases.daily("cycle.s")) >= 6 * 3600.0) & (on > 0)
    bad = known & (starts >= _SHORT["starts_a_day"]) & (rate > limit) & (run < shortest)
    length = recent(run, bad)
    usual = 2.0 * shortest[:, 0]
    return rule_verdict(
        "short_cycling",
        bad,
        known,
        _SHORT_DAYS,
        off=cases.total("cycle.on.s") == 0,
        margin=recent(rate, bad) / limit[:, 0],
        severity=_start_share(length),
        loss=np.clip(0.6 * (_start_share(length) - _start_share(usual)), 0.0, 0.3),
        evidence={"run_s": recent(run, known), "starts_per_d": recent(starts, known), "rate_at_half_load_per_h": recent(rate, known)},
    )


def _start_share(run: Floats) -> Floats:
    """The share of a run's output that its start costs: the mean of exp(-t / 60 s) over the run (s)."""
    return np.asarray(_STARTING_S / run * -np.expm1(-run / _STARTING_S))


def _families(cases: Cases) -> Floats:
    return column(cases.machines, "family")


def oversized(cases: Cases) -> Verdicts:
    """Of hours under 5 degC with heating, and over 30 degC with cooling: the load grows with the distance of the outdoor temperature from
    18.3 degC, so the share of full output that was needed tells at which distance the machine would be fully used. Oversized is one that
    starts at least twice an hour even then and would be full only at 105 K (heating) or 42 K (cooling) from there, in at least 12 such
    hours. Severity: how far beyond. Loss: a cyclic degradation coefficient of 0.25 (AHRI 210/240) at the load."""
    found = np.zeros(len(cases), bool)
    enough = np.zeros(len(cases), bool)
    reach, load, starts = (np.full(len(cases), np.nan) for _ in range(3))
    margin = np.ones(len(cases))
    for side, limit in (("cold", _SIZE["heating_full_load_K"]), ("hot", _SIZE["cooling_full_load_K"])):
        seconds, on = cases.total(f"size.{side}.s"), cases.total(f"size.{side}.on.s")
        full = ratio(cases.total(f"size.{side}.kelvin.s"), on)
        rate = ratio(cases.total(f"size.{side}.starts"), seconds) * 3600.0
        there = np.nan_to_num(seconds) >= _SIZE["least_h"] * 3600.0
        mine = there & (full > limit) & (rate >= _SIZE["starts_per_h"])
        reach = np.where(there & (mine | ~found), full, reach)
        load, starts = np.where(there, ratio(on, seconds), load), np.where(there, rate, starts)
        margin = np.where(mine, full / limit, margin)
        found, enough = found | mine, enough | there
    only_air = np.asarray(column(cases.machines, "type") == "air_handler")
    found, enough = found & ~only_air, enough & ~only_air
    weather = np.nan_to_num(cases.total("size.cold.s")) + np.nan_to_num(cases.total("size.hot.s")) == 0
    days = np.broadcast_to(enough[:, None], (len(cases), 1))
    return rule_verdict(
        "oversizing",
        found[:, None],
        days,
        Persistence(1, 1),
        off=weather,
        unable=only_air,
        margin=1.0 + margin,
        severity=np.clip(1.0 - 1.0 / margin, 0.05, 1.0),
        loss=np.clip(0.25 * (1.0 - load), 0.0, 0.25),
        evidence={"full_load_at_K": reach, "load_1": load, "starts_per_h": starts},
    )


_MACHINES = frozenset({"heat_pump", "air_conditioner", "furnace", "boiler", "ventilation"})
SHORT = Detector(
    "short_cycling",
    ("short_cycling",),
    _MACHINES | {"chiller"},
    (("operating_mode",), ("compressor_state",), ("flame",), ("run_time", "starts")),
    {**_SHORT, **_SHORT_DAYS.parameters},
    "Henderson and Rengarajan 1996, ASHRAE Transactions 102(1): N = 4 Nmax X (1 - X), output rises with 60 s; AHRI 210/240: Nmax 3 per h",
    ("operating_mode", "compressor_state", "flame", "electric_power", "room_temperature"),
    short,
)
OVERSIZING = Detector(
    "oversizing",
    ("oversizing",),
    _MACHINES,
    (("operating_mode", "outdoor_temperature"),),
    _SIZE,
    "ACCA Manual S (limits of size against the load); degree days to 18.3 degC; AHRI 210/240, cyclic degradation",
    ("operating_mode", "outdoor_temperature", "compressor_speed", "burner_modulation"),
    oversized,
)
