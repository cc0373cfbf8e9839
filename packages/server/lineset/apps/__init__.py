"""What our pages and apps tell of themselves: errors of our own scripts, and when they were opened. Each person's own.

The face of this domain; nobody imports past it.
"""

from lineset.apps.service import Opening, Report, Trouble, forget, forget_one, openings, record, record_flood, troubles

__all__ = ["Opening", "Report", "Trouble", "forget", "forget_one", "openings", "record", "record_flood", "troubles"]
