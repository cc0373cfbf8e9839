"""When backup heat is on, and whether the weather asks for it."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.spans import is_code, where_known
from lineset.diagnostics.modes import AUXILIARY, DEFROST, HEATING, HOT_WATER, source_on
from lineset.diagnostics.samples import Floats, Samples

MILD_C, COOL_C, SEVERE_C = 4.4, -5.0, -15.0
"""Above the first the compressor carries the house by itself (backup heat is usually locked out over 35 to 40 degF); between the first two
it carries most of it; below the last it may be at its own limit."""


def backup(samples: Samples) -> Mapping[str, Floats]:
    """`backup.on.s` seconds of backup heat for rooms (not in defrost, not for hot water). `backup.mild.s` of them over 4.4 degC,
    `backup.cool.s` from -5 to 4.4 degC, `backup.cold.s` from -15 to -5 degC, and `backup.mild.heat.s`, `backup.cool.heat.s`,
    `backup.cold.heat.s` all heating in such weather; `backup.alone.s` while the compressor stood still over -15 degC, of `backup.able.s`
    with backup heat and a compressor that tells."""
    mine = samples.of_family("heat_pump")
    state = source_on(samples, "auxiliary")
    known = mine & (~np.isnan(state) | (samples.mode == AUXILIARY))
    if not known.any():
        return {}
    hot_water = (
        (samples.mode == HOT_WATER) | is_code(samples, "diverter_valve", "hot_water") | is_code(samples, "legionella_cycle_state", "on")
    )
    on = known & ((state == 1) | (samples.mode == AUXILIARY)) & (samples.mode != DEFROST) & ~hot_water
    heats = known & (on | (samples.running & (samples.mode == HEATING)))
    outdoor = samples.point("outdoor_temperature")
    mild, cool = outdoor >= MILD_C, (outdoor >= COOL_C) & (outdoor < MILD_C)
    cold = (outdoor >= SEVERE_C) & (outdoor < COOL_C)
    compressor = source_on(samples, "compressor")
    able = on & ~np.isnan(compressor) & (outdoor > SEVERE_C)
    return where_known(
        samples,
        known,
        backup__on__s=samples.seconds(on),
        backup__mild__s=samples.seconds(on & mild),
        backup__mild__heat__s=samples.seconds(heats & mild),
        backup__cool__s=samples.seconds(on & cool),
        backup__cool__heat__s=samples.seconds(heats & cool),
        backup__cold__s=samples.seconds(on & cold),
        backup__cold__heat__s=samples.seconds(heats & cold),
        backup__able__s=samples.seconds(able),
        backup__alone__s=samples.seconds(able & (compressor == 0)),
    )
