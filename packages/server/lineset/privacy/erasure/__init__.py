"""Erasure: what goes and what stays, asked for, hidden, erased from every tier, proven, and never brought back by a backup."""

from lineset.privacy.erasure.asking import STEPS, Erasure, Step, ask_erasure, cancel_erasure, list_erasures
from lineset.privacy.erasure.certificate import certificate_key, holds
from lineset.privacy.erasure.jobs import add_jobs, carry_out_due
from lineset.privacy.erasure.machine import StillThere, carry_out, due, remember_item, replay
from lineset.privacy.erasure.planning import GRACE_DAYS, Goes, Plan, Stays, plan
from lineset.privacy.erasure.rewriting import StillRead, rewrite_tables
from lineset.privacy.erasure.scope import Scope, Target, unreached
from lineset.privacy.erasure.shop import ERASURE, Case, Eraser, Shop

__all__ = [
    "ERASURE",
    "GRACE_DAYS",
    "STEPS",
    "Case",
    "Eraser",
    "Erasure",
    "Goes",
    "Plan",
    "Scope",
    "Shop",
    "Stays",
    "Step",
    "StillRead",
    "StillThere",
    "Target",
    "add_jobs",
    "ask_erasure",
    "cancel_erasure",
    "carry_out",
    "carry_out_due",
    "certificate_key",
    "due",
    "holds",
    "list_erasures",
    "plan",
    "remember_item",
    "replay",
    "rewrite_tables",
    "unreached",
]
