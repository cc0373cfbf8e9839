"""Defrosts: how long, how they end, and how deep the outdoor coil sinks under its air while frost can form."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.features.spans import Spans, counted, is_code, spans, where_known
from lineset.diagnostics.modes import HEATING
from lineset.diagnostics.samples import Flags, Floats, Samples

FROST_LOW_C, FROST_HIGH_C = -10.0, 5.5
"""Outdoor temperatures between which coils frost most: below, the air holds too little water; above, the coil stays over 0 degC."""
FROST_HUMIDITY = 60.0
DRY_LOW_C, DRY_HIGH_C = 7.0, 15.0
"""Outdoor temperatures at which a clean coil stays free of frost: what its depth is compared with."""
LONG_S, CUT_S, COLD_C = 840.0, 150.0, 4.0
AGAIN_S = 1500.0
DEEP_K = 14.0
SETTLED_S = 600.0


def defrosting(samples: Samples) -> Mapping[str, Floats]:
    """`defrost.n` and, of those, `.long.n` (certainly over 14 min), `.cut.n` (certainly under 2.5 min, coil still cold), `.cold.n` (over
    8 min and the coil still under 4 degC), `.again.n` (within 25 min of the one before), `.count` by the machine's own counter. `frost.s`
    seconds of heating while frost can form; `frost.coil.s`, `frost.depth.x` (K s) the coil under its air then, `frost.deep.s` by more than
    14 K; `frost.dry.s`, `frost.dry.x` the same in air too warm for frost."""
    on = is_code(samples, "defrost_state", "on") | is_code(samples, "operating_mode", "defrost")
    heating = samples.running & (samples.mode == HEATING) & ~on
    known = samples.of_family("heat_pump", "ventilation") & ~(
        np.isnan(samples.point("operating_mode")) & np.isnan(samples.point("defrost_state"))
    )
    if not known.any():
        return {}
    each = spans(samples, on & known)
    least, most = samples.t[each.last] - samples.t[each.first], samples.t[each.last] - samples.t[each.first] + 2 * samples.dt[each.last]
    coil = _coil(samples)
    ending = np.fmax(coil[each.last], coil[np.minimum(each.last + 1, len(coil) - 1)])
    cold = each.whole & (ending < COLD_C)
    out = where_known(
        samples,
        known,
        defrost__n=counted(samples, each.last[each.ended]),
        defrost__long__n=counted(samples, each.last[least >= LONG_S]),
        defrost__cut__n=counted(samples, each.last[cold & (most <= CUT_S)]),
        defrost__cold__n=counted(samples, each.last[cold & (least >= 480.0)]),
        defrost__again__n=counted(samples, each.first[_soon(samples, each)]),
    )
    counter = increments(samples, "defrost_count")
    if counter is not None:
        out |= where_known(samples, ~np.isnan(counter) & known, defrost__count=samples.total(counter))
    return out | _frost(samples, heating & known, coil)


def _frost(samples: Samples, heating: Flags, coil: Floats) -> dict[str, Floats]:
    outdoor, humidity = samples.point("outdoor_temperature"), samples.point("outdoor_humidity")
    frosty = heating & (outdoor >= FROST_LOW_C) & (outdoor <= FROST_HIGH_C) & ~(humidity < FROST_HUMIDITY)
    depth = outdoor - coil
    settled = ~np.isnan(depth) & (samples.runs.since_mode >= SETTLED_S)
    in_frost = frosty & settled
    dry = heating & settled & (outdoor >= DRY_LOW_C) & (outdoor <= DRY_HIGH_C)
    return where_known(samples, heating & ~np.isnan(outdoor), frost__s=samples.seconds(frosty)) | where_known(
        samples,
        heating & ~np.isnan(depth),
        frost__coil__s=samples.seconds(in_frost),
        frost__depth__x=samples.total(np.where(in_frost, depth * samples.dt, 0.0)),
        frost__deep__s=samples.seconds(in_frost & (depth > DEEP_K)),
        frost__dry__s=samples.seconds(dry),
        frost__dry__x=samples.total(np.where(dry, depth * samples.dt, 0.0)),
    )


def _coil(samples: Samples) -> Floats:
    coil = samples.point("outdoor_coil_temperature")
    return np.where(np.isnan(coil), samples.channel("evaporating"), coil)


def _soon(samples: Samples, each: Spans) -> Flags:
    """Defrosts that begin soon after the one before ended."""
    out = np.zeros(len(each.first), bool)
    same = samples.row_machine[each.first[1:]] == samples.row_machine[each.first[:-1]]
    out[1:] = same & (samples.t[each.first[1:]] - samples.t[each.last[:-1]] < AGAIN_S) & each.begun[1:]
    return out
