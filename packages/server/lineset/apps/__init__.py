"""What our pages and apps tell of themselves: errors of our own scripts, and when they were opened. Each person's own.

The face of this domain; nobody imports past it.
"""

from lineset.apps.service import Opening, Report, Trouble, forget, forget_one, openings, record, record_flood, troubles
from lineset.apps.tags import TAGS, adopt_tag, new_tag, record_tagged, reset_tag, tagged

__all__ = [
    "TAGS",
    "Opening",
    "Report",
    "Trouble",
    "adopt_tag",
    "forget",
    "forget_one",
    "new_tag",
    "openings",
    "record",
    "record_flood",
    "record_tagged",
    "reset_tag",
    "tagged",
    "troubles",
]
