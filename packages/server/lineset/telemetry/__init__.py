"""The only owner of measurements: how they come in, where they lie, how they are read.

The face of this domain; nobody imports past it.
"""

from lineset.telemetry import live, recorded
from lineset.telemetry.ingestor import Counts, Ingestor, Message
from lineset.telemetry.load import load
from lineset.telemetry.queries import PoisonView, RefusalView, keep_poison, poison, refusal_counts, refusals
from lineset.telemetry.series import Latest, PointInfo, Reading, Series, latest, points, series

__all__ = [
    "Counts",
    "Ingestor",
    "Latest",
    "Message",
    "PointInfo",
    "PoisonView",
    "Reading",
    "RefusalView",
    "Series",
    "keep_poison",
    "latest",
    "live",
    "load",
    "points",
    "poison",
    "recorded",
    "refusal_counts",
    "refusals",
    "series",
]
