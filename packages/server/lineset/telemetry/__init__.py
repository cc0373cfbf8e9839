"""The only owner of measurements: how they come in, where they lie, how they are read.

The face of this domain; nobody imports past it.
"""

from lineset.telemetry import exports, live, recorded
from lineset.telemetry.erasure import erase_household, erase_machine, erase_series, erase_site, series_left
from lineset.telemetry.fleet import frames, span
from lineset.telemetry.history import carrying
from lineset.telemetry.history.jobs import add_jobs, forget_points
from lineset.telemetry.history.manifest import Tier
from lineset.telemetry.history.manifest import overdue as overdue_files
from lineset.telemetry.ingestor import Counts, Ingestor, Message
from lineset.telemetry.keeping import KEEPING_DAYS, choose_keeping, keeping
from lineset.telemetry.load import load
from lineset.telemetry.queries import PoisonView, RefusalView, keep_poison, poison, refusal_counts, refusals
from lineset.telemetry.series import MAX_BUCKETS, MAX_POINTS, MAX_SPAN_S, Latest, Reading, Series, latest, points, series
from lineset.telemetry.slots import PointInfo
from lineset.telemetry.summary import Quality, Sum, quality, sums

__all__ = [
    "KEEPING_DAYS",
    "MAX_BUCKETS",
    "MAX_POINTS",
    "MAX_SPAN_S",
    "Counts",
    "Ingestor",
    "Latest",
    "Message",
    "PointInfo",
    "PoisonView",
    "Quality",
    "Reading",
    "RefusalView",
    "Series",
    "Sum",
    "Tier",
    "add_jobs",
    "carrying",
    "choose_keeping",
    "erase_household",
    "erase_machine",
    "erase_series",
    "erase_site",
    "exports",
    "forget_points",
    "frames",
    "keep_poison",
    "keeping",
    "latest",
    "live",
    "load",
    "overdue_files",
    "points",
    "poison",
    "quality",
    "recorded",
    "refusal_counts",
    "refusals",
    "series",
    "series_left",
    "span",
    "sums",
]
