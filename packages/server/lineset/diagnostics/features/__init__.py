"""Features: what an hour of readings is boiled down to. Every feature is a sum, so hours add up to days, months and seasons.

An extractor takes `Samples` and gives, by name, one figure for each of their hours. A mean is two features: the integral over time, and
the time it was taken over. Names that end in `.max` fold by the greatest value instead. A new extractor is a file
with a function and a line in `EXTRACTORS`.
"""

from collections.abc import Callable, Mapping

from lineset.diagnostics.features.backup import backup
from lineset.diagnostics.features.combustion import condensing, ignition
from lineset.diagnostics.features.cycles import cycles
from lineset.diagnostics.features.cycling import cycling
from lineset.diagnostics.features.defrosting import defrosting
from lineset.diagnostics.features.demands import opposed, unmet
from lineset.diagnostics.features.energy import efficiency, energy, heat
from lineset.diagnostics.features.flows import flows
from lineset.diagnostics.features.oscillation import roughness, swinging
from lineset.diagnostics.features.sensors import resting, sensing, ways_round
from lineset.diagnostics.features.steady import steady
from lineset.diagnostics.features.tanks import burning, elements, hygiene, recovery
from lineset.diagnostics.features.time import comfort, states
from lineset.diagnostics.features.wear import wear
from lineset.diagnostics.features.weather import weather
from lineset.diagnostics.samples import Floats, Samples

Extractor = Callable[[Samples], Mapping[str, Floats]]

EXTRACTORS: tuple[Extractor, ...] = (
    states,
    comfort,
    cycles,
    steady,
    energy,
    heat,
    efficiency,
    weather,
    sensing,
    resting,
    ways_round,
    cycling,
    defrosting,
    backup,
    ignition,
    condensing,
    swinging,
    roughness,
    elements,
    burning,
    hygiene,
    recovery,
    unmet,
    opposed,
    flows,
    wear,
)


def features(samples: Samples) -> dict[str, Floats]:
    """All features of the hours of these samples, by name, each of shape (groups,)."""
    found: dict[str, Floats] = {}
    for extract in EXTRACTORS:
        found |= extract(samples)
    return found


def folds_by_max(name: str) -> bool:
    """Whether hours of this feature become a day by their greatest value; all others add up."""
    return name.endswith(".max")
