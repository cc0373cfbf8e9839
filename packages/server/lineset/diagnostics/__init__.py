"""Diagnosis: how machines perform, what is wrong with them, and what comes next.

The face of this domain; nobody imports past it.
"""

from lineset.diagnostics.findings import (
    acknowledge,
    assign,
    confirm,
    false_alarm,
    get_finding,
    list_findings,
    reopen,
    repaired,
    start_repair,
    steps,
)
from lineset.diagnostics.keeping import DayFiles

__all__ = [
    "DayFiles",
    "acknowledge",
    "assign",
    "confirm",
    "false_alarm",
    "get_finding",
    "list_findings",
    "reopen",
    "repaired",
    "start_repair",
    "steps",
]
