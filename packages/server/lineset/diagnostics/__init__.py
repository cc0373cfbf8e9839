"""Diagnosis: how machines perform, what is wrong with them, and what comes next.

The face of this domain; nobody imports past it.
"""

from lineset.diagnostics import changepoint, knowledge, savings, views
from lineset.diagnostics.advice import advise, rank
from lineset.diagnostics.advising import add_advice_jobs, dismiss_advice, list_advice, renew_advice, restore_advice
from lineset.diagnostics.comparing import Compared, add_comparing_jobs, compare, compared, month_before
from lineset.diagnostics.evidence import Course, courses_of
from lineset.diagnostics.expectations import RELATIVE
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
from lineset.diagnostics.findings import said as findings_said
from lineset.diagnostics.jobs import add_jobs, ask_soon, backtest, follow_lots, look_at_site
from lineset.diagnostics.keeping import DayFiles
from lineset.diagnostics.knowledge import KNOWLEDGE, Words
from lineset.diagnostics.overseeing import Overview, oversee
from lineset.diagnostics.performing import performance_of
from lineset.diagnostics.population import DIAGNOSE
from lineset.diagnostics.predict.fleet import FleetModel, add_fleet_jobs, list_models, model_card, usual_of
from lineset.diagnostics.predict.fleet_lives import FleetLife
from lineset.diagnostics.prospects import prospects_of
from lineset.diagnostics.views import (
    OPEN_STATES,
    Advice,
    Candidate,
    Due,
    Figure,
    Finding,
    FindingState,
    Forecast,
    Life,
    Performance,
    Prospect,
    Step,
)

__all__ = [
    "DIAGNOSE",
    "KNOWLEDGE",
    "OPEN_STATES",
    "RELATIVE",
    "Advice",
    "Candidate",
    "Compared",
    "Course",
    "DayFiles",
    "Due",
    "Figure",
    "Finding",
    "FindingState",
    "FleetLife",
    "FleetModel",
    "Forecast",
    "Life",
    "Overview",
    "Performance",
    "Prospect",
    "Step",
    "Words",
    "acknowledge",
    "add_advice_jobs",
    "add_comparing_jobs",
    "add_fleet_jobs",
    "add_jobs",
    "advise",
    "ask_soon",
    "assign",
    "backtest",
    "changepoint",
    "compare",
    "compared",
    "confirm",
    "courses_of",
    "dismiss_advice",
    "false_alarm",
    "findings_said",
    "follow_lots",
    "get_finding",
    "knowledge",
    "list_advice",
    "list_findings",
    "list_models",
    "look_at_site",
    "model_card",
    "month_before",
    "oversee",
    "performance_of",
    "prospects_of",
    "rank",
    "renew_advice",
    "reopen",
    "repaired",
    "restore_advice",
    "savings",
    "start_repair",
    "steps",
    "usual_of",
    "views",
]
