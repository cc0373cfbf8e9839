"""Reports that people keep, print and sign: a home's month, a machine before and after a repair, a company's fleet.

What a report tells is read in the reader's own transaction, made a `Document` in the reader's language and units, and then set twice from
it: as a page and as PDF.
"""

from lineset.reports.document import Document, Voice
from lineset.reports.fleet import fleet_report
from lineset.reports.gathering import fleet_of, home_month, last_month, service
from lineset.reports.household import household_report
from lineset.reports.jobs import FLEET_WANTED, add_jobs, mail_fleets, mail_month
from lineset.reports.printing import Unprintable, pdf, print_apart
from lineset.reports.reminding import add_reminder_jobs, mail_due
from lineset.reports.saved import saved_lines
from lineset.reports.serviced import service_report, work_days

__all__ = [
    "FLEET_WANTED",
    "Document",
    "Unprintable",
    "Voice",
    "add_jobs",
    "add_reminder_jobs",
    "fleet_of",
    "fleet_report",
    "home_month",
    "household_report",
    "last_month",
    "mail_due",
    "mail_fleets",
    "mail_month",
    "pdf",
    "print_apart",
    "saved_lines",
    "service",
    "service_report",
    "work_days",
]
