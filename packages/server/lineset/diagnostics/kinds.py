"""What a sound machine of its kind reads, whatever its make: for machines that nobody ever saw sound here.

Each reading is expected at full load and rating conditions, and follows the load from there: what a coil passes grows with the
temperature difference across it, so differences shrink with the compressor's speed and with the capacity that the weather leaves.
How makes and models differ from their kind is learnt from the fleet (`predict/norms.py`), where enough homes let it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.expectations import CENTRE, COLUMNS, HUMIDITY_CENTRE, MODES, RELATIVE, REST, stem
from lineset.diagnostics.machine import Machine, column
from lineset.diagnostics.samples import Floats, Ints

RATED = {"heating": 7.0, "cooling": 35.0, "hot_water": 7.0}
"""Outdoor temperature (degC) at which machines are rated (EN 14511, AHRI 210/240): the source in heating, the sink in cooling."""
CAPACITY_SLOPE = {"heating": 0.022, "cooling": -0.009, "hot_water": 0.0}
"""By what share capacity grows with each kelvin of it."""
LEAST_SINK = 15.0
"""Outdoor temperature (degC) below which units that cool hold their condensing temperature up by fan or valve (low-ambient control, ASHRAE
Handbook, Refrigeration, Liquid Chillers and Condensers): then the condenser's side tells nothing."""
HELD_UP = frozenset({"condensing", "subcooling", "carnot"})
LEAST_SPEED = 10.0
"""No compressor runs slower (%): a speed below this is that of a machine that does not tell it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is read in a `mode`: `read` is the feature's channel, `mean` and `sd` in K (1, of logarithms, for `RELATIVE`); a deviation is
    one of `channel`, times `sign`. `water`: machines whose indoor side is water. `load`: exponent with which the mean follows the
    compressor's speed; `follows`: it follows the capacity that the outdoor temperature leaves; `slope`: by what share it grows with each
    kelvin of outdoor temperature. `moist`, `warm`: K for each 20 % of relative humidity and for each 10 K of the source from `CENTRE`.
    `rated`: the mean is of a share of the machine's rated output."""

    mode: str
    read: str
    channel: str
    water: bool
    mean: float
    sd: float
    sign: float = 1.0
    load: float = 0.0
    follows: bool = False
    moist: float = 0.0
    warm: float = 0.0
    rated: bool = False
    slope: float = 0.0


KINDS: tuple[Kind, ...] = (
    # Sensors in the coils stand for saturation where no pressure is measured; what comes later replaces what came before.
    *(Kind(mode, "suction_over_coil", "superheat", water, 6.5, 2.8) for mode in MODES for water in (False, True)),
    *(Kind(mode, "coil_over_liquid", "subcooling", water, 5.5, 2.5) for mode in MODES for water in (False, True)),
    Kind("cooling", "coil_over_sink", "condensing", False, 11.0, 3.0, load=0.6, follows=True),
    Kind("cooling", "source_over_coil", "evaporating", False, 15.5, 2.5, -1.0, load=0.3, follows=True),
    Kind("heating", "coil_over_sink", "condensing", False, 20.0, 3.7, load=0.6, follows=True),
    Kind("heating", "source_over_coil", "evaporating", False, 8.0, 2.4, -1.0, load=0.8, follows=True),
    Kind("heating", "source_over_coil", "evaporating", True, 8.0, 2.4, -1.0, load=0.8, follows=True),
    *(Kind(mode, "superheat", "superheat", water, 7.0, 2.5) for mode in MODES for water in (False, True)),
    *(Kind(mode, "subcooling", "subcooling", water, 6.0, 2.2) for mode in MODES for water in (False, True)),
    Kind("cooling", "condensing_over_sink", "condensing", False, 12.0, 2.8, load=0.6, follows=True),
    Kind("cooling", "source_over_evaporating", "evaporating", False, 16.0, 2.3, -1.0, load=0.3, follows=True),
    Kind("cooling", "split", "split", False, 10.8, 1.6, moist=-1.2, warm=2.0),
    Kind("cooling", "source_over_evaporating", "evaporating", True, 4.0, 3.0, -1.0),
    Kind("cooling", "condensing_over_sink", "condensing", True, 12.0, 5.0),
    Kind("heating", "source_over_evaporating", "evaporating", False, 8.0, 2.2, -1.0, load=0.8, follows=True),
    Kind("heating", "condensing_over_sink", "condensing", False, 21.0, 3.5, load=0.6, follows=True),
    Kind("heating", "rise", "split", False, 16.0, 2.7, load=0.6, follows=True),
    Kind("heating", "source_over_evaporating", "evaporating", True, 8.0, 2.2, -1.0, load=0.8, follows=True),
    Kind("heating", "condensing_over_sink", "condensing", True, 2.5, 3.0),
    Kind("heating", "water_difference", "water_difference", True, 5.0, 2.0, load=0.5),
    Kind("hot_water", "source_over_evaporating", "evaporating", True, 9.0, 4.0, -1.0),
    Kind("hot_water", "condensing_over_sink", "condensing", True, 4.0, 3.5),
    *(Kind(mode, "carnot", "carnot", water, float(np.log(0.56)), 0.12, load=0.15) for mode in MODES for water in (False, True)),
    *(
        Kind(mode, "own_capacity", "capacity", water, 0.0, 0.2, load=0.9, follows=True, rated=True)
        for mode in ("heating", "cooling")
        for water in (False, True)
    ),
    *(
        Kind(mode, "own_power", "power", water, float(np.log(0.29)), 0.25, load=1.0, rated=True, slope=slope)
        for mode, slope in (("heating", 0.003), ("cooling", 0.018))
        for water in (False, True)
    ),
    *(Kind(mode, "air_flow", "air_flow", False, float(np.log(0.185)), 0.2, load=0.4, rated=True) for mode in ("heating", "cooling")),
)
"""Superheat 3 to 11 K and subcooling 3 to 10 K in good order whatever the metering device (ACCA 5 QI, 4.3; makers' charging charts);
condensing 8 to 17 K over outdoor air, the more the older the unit, and evaporating 14 to 20 K under the room's in cooling at full load
(HVAC service practice, "condensing temperature over ambient", "design temperature difference"); split in cooling by the return air's
humidity within 1.7 K (target temperature split, California Title 24 RA3.2); rise in heating from 170 to 200 m3/h for each kW (350 to 450
cfm a ton). Of Carnot's COP, units reach 0.49 to 0.68 at their rating points (`channels.PARASITIC_K`). Capacity as rated and power at a
COP of 2.7 to 4.4 at full speed, whatever installation, indoor unit and meter make of them (ACCA 5 QI takes 15 % for sound); 170 to
200 m3/h for each kW as above."""

AT_REST = {
    "supply": 2.0, "return": 1.5, "indoor_coil": 1.5, "outdoor_coil": 1.5, "suction_line": 2.5, "liquid_line": 2.5,
    "water_difference": 1.5,
}  # fmt: skip
"""How far (K, one standard deviation) sensors read from what surrounds them after hours of rest, when room and outdoors are alike."""
_LEAK = 0.2
"""By which share of the difference between room and outdoors more, where that is not so: ducts and lines run through both."""
_PLACE = {column: n for n, column in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class Norms:
    """By how much sound machines of each case's make or model lie from their kind: `mean` and `spread`, one standard deviation between
    homes (cases, columns of `COLUMNS`), in K or shares as `Kind` has them; NaN where nothing was learnt."""

    mean: Floats
    spread: Floats

    def of(self, places: Ints) -> "Norms":
        """Those of some cases."""
        return Norms(self.mean[places], self.spread[places])


LEAST_SPREAD = 0.5
"""No make is so even that its machines are expected closer together than this share of what their kind allows: their days differ more
than their means, and sensors err."""


def deviations(
    mean: Callable[[str], Floats], seconds: Callable[[str], Floats], machines: Sequence[Machine], least_s: float, norms: Norms | None = None
) -> tuple[Floats, Floats]:
    """Deviations from what the kind of machine should read, and their variances (cases, columns), NaN where too little is known.

    `mean`, `seconds`: of a feature, by its stem, over the days that count (cases,); `machines`: of each case.
    """
    water = np.array(["water" in machine.type or machine.type == "chiller" for machine in machines], bool)
    burns = np.array([not machine.type.startswith("heat_pump") for machine in machines], bool)
    rated = column(machines, "capacity_w").astype(np.float64)
    out = np.full((len(machines), len(COLUMNS)), np.nan)
    variance = np.ones_like(out)
    for each in KINDS:
        name = stem(each.mode, each.read)
        mine = (np.nan_to_num(seconds(name)) >= least_s) & (water == each.water) & np.logical_or(not each.rated, rated > 0.0)
        if each.mode == "cooling" and each.channel in HELD_UP:
            mine &= ~(mean(stem(each.mode, "sink")) < LEAST_SINK)
        elif each.mode == "heating":
            mine &= ~burns  # its compressor rests then, and its lines tell of the weather
        if mine.any():
            read = mean(name) / np.where(each.rated, np.maximum(rated, 1.0), 1.0)
            read = np.log(np.maximum(read, 1e-3)) if each.channel in RELATIVE else read
            at = _PLACE[each.mode, each.channel]
            usual, sd = _usual(norms, at, each.sd, len(machines))
            out[mine, at] = (each.sign * (read - _expected(each, mean)) - usual)[mine]
            unknown = np.isnan(mean(stem(each.mode, "humidity")))
            variance[mine, at] = (sd**2 + np.where(unknown, each.moist**2, 0.0))[mine]
    for channel in {each.channel for each in KINDS}:
        # A make that differs does so in each mode: several modes together say no more than one.
        alike = np.array([_PLACE[mode, channel] for mode in MODES if (mode, channel) in _PLACE])
        variance[:, alike] *= np.maximum((~np.isnan(out[:, alike])).sum(axis=1), 1)[:, None]
    gap = np.abs(np.nan_to_num(mean(stem(REST, "gap")), nan=10.0))
    for channel, apart in AT_REST.items():
        name = stem(REST, channel)
        mine = np.nan_to_num(seconds(name)) >= least_s
        out[mine, _PLACE[REST, channel]] = mean(name)[mine]
        variance[mine, _PLACE[REST, channel]] = (apart**2 + (_LEAK * gap) ** 2)[mine]
    return out, variance


def _usual(norms: Norms | None, at: int, sd: float, cases: int) -> tuple[Floats, Floats]:
    """How far a make lies from its kind, and how far its machines from each other: by the fleet, else by the kind."""
    if norms is None:
        return np.zeros(cases), np.full(cases, sd)
    known = ~np.isnan(norms.mean[:, at])
    spread = np.maximum(np.nan_to_num(norms.spread[:, at]), LEAST_SPREAD * sd)
    return np.where(known, norms.mean[:, at], 0.0), np.where(known, spread, sd)


def _expected(each: Kind, mean: Callable[[str], Floats]) -> Floats:
    """What is to be read in these conditions; what is not measured is taken as at the rating point."""
    told = mean(stem(each.mode, "speed"))
    speed = np.where(told >= LEAST_SPEED, np.clip(told, 25.0, 120.0) / 100.0, 1.0)
    outdoor = mean(stem(each.mode, "sink" if each.mode == "cooling" else "source"))
    slope = each.slope + (CAPACITY_SLOPE[each.mode] if each.follows else 0.0)
    left = slope * np.clip(np.nan_to_num(outdoor - RATED[each.mode]), -25.0, 15.0)
    factor = each.load * np.log(speed) + left
    if each.channel in RELATIVE:
        return np.asarray(each.mean + factor)
    humid = np.nan_to_num(mean(stem(each.mode, "humidity")) - HUMIDITY_CENTRE) / 20.0
    warm = np.nan_to_num(mean(stem(each.mode, "source")) - CENTRE[each.mode][0]) / 10.0
    return np.asarray(each.mean * np.exp(factor) + each.moist * humid + each.warm * warm)
