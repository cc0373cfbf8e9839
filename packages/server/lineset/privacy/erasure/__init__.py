"""Erasure: what goes and what stays, asked for, hidden, erased from every tier, proven, and never brought back by a backup."""

from lineset.privacy.erasure.asking import STEPS, Erasure, Step, ask_erasure, cancel_erasure, list_erasures
from lineset.privacy.erasure.planning import GRACE_DAYS, KEY_COPY_DAYS, Goes, Plan, Stays, plan
from lineset.privacy.erasure.scope import Target

__all__ = [
    "GRACE_DAYS",
    "KEY_COPY_DAYS",
    "STEPS",
    "Erasure",
    "Goes",
    "Plan",
    "Stays",
    "Step",
    "Target",
    "ask_erasure",
    "cancel_erasure",
    "list_erasures",
    "plan",
]
