"""Burners: how often ignition fails, and whether flue gas gives up its water."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.features.spans import counted, is_code, spans, where_known
from lineset.diagnostics.machine import column
from lineset.diagnostics.modes import HOT_WATER
from lineset.diagnostics.samples import Flags, Floats, Samples

SETTLED_S = 240.0
CONDENSING_C = 100.0
"""Flue gas of an appliance made to condense stays below this; of others it has 110 degC and more, so that its chimney stays dry."""
NEAR_DEW_K = 8.0
"""By how much flue gas may be over its dew point while part of it still condenses at colder walls."""
MILD_C = 0.0
_USUAL_OXYGEN = 4.5
"""Oxygen in dry flue gas where nothing measures it (%): 25 % excess air, usual of premix burners."""


def ignition(samples: Samples) -> Mapping[str, Floats]:
    """`ignition.retries` attempts after a failed first one, `ignition.starts` of the burner, `ignition.lockouts` of the flame."""
    retries, flame = samples.point("ignition_retries"), samples.point("flame")
    known = ~np.isnan(retries) | ~np.isnan(flame)
    if not known.any():
        return {}
    lit = spans(samples, is_code(samples, "flame", "on"))
    locked = spans(samples, is_code(samples, "flame", "lockout"))
    starts = counted(samples, lit.first[lit.begun])
    for name in ("burner_starts", "starts"):
        rises = increments(samples, name)
        starts = starts if rises is None else np.maximum(starts, samples.total(rises))
    out = where_known(samples, known, ignition__starts=starts, ignition__lockouts=counted(samples, locked.first[locked.begun]))
    rises = increments(samples, "ignition_retries")
    return out if rises is None else out | where_known(samples, ~np.isnan(rises), ignition__retries=samples.total(rises))


def condensing(samples: Samples) -> Mapping[str, Floats]:
    """Settled burning for rooms, of boilers in weather over 0 degC, since in frost their return water may well be too warm: `condense.s`
    seconds in which flue gas or return water is measured; `condense.not.s` of them too warm to condense; `condense.flue.x`,
    `condense.flue.s` (K s, s) and `condense.return.x`, `condense.return.s` their temperatures; `condense.able.s` seconds with flue
    gas under 100 degC; `condense.dew.x` (K s) the dew point."""
    flue, back = samples.point("flue_gas_temperature"), samples.point("inlet_water_temperature")
    mine = samples.of_family("furnace", "boiler")
    has_flue, has_back = ~np.isnan(flue), ~np.isnan(back) & samples.of_family("boiler")
    known = mine & (has_flue | has_back)
    if not known.any():
        return {}
    outdoor = samples.point("outdoor_temperature")
    frost = (outdoor < MILD_C) & ~samples.of_family("furnace")
    burning = known & samples.running & (samples.mode != HOT_WATER) & (samples.runs.since_mode >= SETTLED_S) & ~frost
    dew = dew_point(_propane(samples), samples.point("flue_oxygen"))
    dry = (has_back & (back > dew)) | (has_flue & (flue > dew + NEAR_DEW_K))
    return where_known(
        samples,
        known,
        condense__s=samples.seconds(burning),
        condense__not__s=samples.seconds(burning & dry),
        condense__flue__s=samples.seconds(burning & has_flue),
        condense__flue__x=samples.total(np.where(burning & has_flue, flue * samples.dt, 0.0)),
        condense__return__s=samples.seconds(burning & has_back),
        condense__return__x=samples.total(np.where(burning & has_back, back * samples.dt, 0.0)),
        condense__able__s=samples.seconds(burning & (flue < CONDENSING_C)),
        condense__dew__x=samples.total(np.where(burning, dew * samples.dt, 0.0)),
    )


def dew_point(propane: Flags, oxygen: Floats) -> Floats:
    """Dew point of the flue gas of natural gas (as methane) or propane (degC), from the oxygen in the dry flue gas (%, NaN: 4.5 %).

    Stoichiometry of CH4 + 2 O2 and C3H8 + 5 O2 in air with 20.95 % oxygen, combustion air dry, 101.3 kPa; vapour pressure by Magnus'
    formula (WMO-No. 8, annex 4.B). About 55 degC for natural gas at 25 % excess air (ASHRAE Handbook, Fundamentals, ch. 28, fig. 2).
    """
    share = np.clip(np.nan_to_num(oxygen, nan=_USUAL_OXYGEN), 0.0, 15.0) / 100.0
    need, water, carbon = np.where(propane, 5.0, 2.0), np.where(propane, 4.0, 2.0), np.where(propane, 3.0, 1.0)
    air = need / 0.2095
    dry = carbon + air - need
    excess = share * dry / (0.2095 - share)
    pressure = 101.325 * water / (water + dry + excess)
    log = np.log(pressure * 10.0 / 6.112)
    return np.asarray(243.12 * log / (17.62 - log))


def _propane(samples: Samples) -> Flags:
    return np.asarray((column(samples.machines, "fuel") == "propane")[samples.row_machine])
