"""Machines from which nothing is heard any more."""

import numpy as np

from lineset.diagnostics.cases import WINDOW_DAYS, Cases, Detector, Status, Verdicts
from lineset.diagnostics.machine import column
from lineset.diagnostics.samples import DAY_S, Floats

_RULE = {"usual_share": 0.3, "silent_share": 0.2, "times_own_gap_1": 2.0, "known_days": 3.0}


def silent(cases: Cases) -> Verdicts:
    """A machine that used to be heard on most days (3 of the window at least, a third of their time) is silent for two days (the newest
    may have only begun; of the one before less than a fifth was heard), or for twice as many days as it was ever silent before. Sure of it
    is 0.9; 0.75 where all machines of its site fell silent, since then it is the gateway, its power or the line. Severity: days over 14."""
    covered = np.nan_to_num(cases.daily("s.covered")) / DAY_S
    heard = covered >= _RULE["silent_share"]
    days = np.arange(WINDOW_DAYS)
    last = np.where(heard.any(axis=1), np.where(heard, days, -1).max(axis=1), -1)
    first = np.where(heard.any(axis=1), np.where(heard, days, WINDOW_DAYS).min(axis=1), WINDOW_DAYS)
    gap = (WINDOW_DAYS - 1 - last).astype(np.float64)
    habit = _longest_gap(heard, first, last)
    talked = np.where(heard, covered, 0.0).sum(axis=1) / np.maximum(heard.sum(axis=1), 1)
    was_heard = (heard.sum(axis=1) >= _RULE["known_days"]) & (talked >= _RULE["usual_share"])
    # A day that has begun and was heard in part is no silence.
    now = covered[:, -1] > 0
    silence = ~now & (gap >= 2) & (gap > _RULE["times_own_gap_1"] * habit)
    alone = _others_talk(cases, heard[:, -1] | now)
    found = was_heard & silence
    gone = (covered.sum(axis=1) == 0) | ~was_heard
    status = np.where(found, Status.FAULT, np.where(gone, Status.NOT_ENOUGH_DATA, Status.OK))
    nothing = np.zeros(len(cases))
    return Verdicts(
        status.astype(np.int8),
        {"offline": np.where(found, np.where(alone, 0.9, 0.75), 0.0)},
        {"offline": np.where(found, np.clip(gap / WINDOW_DAYS, 0.0, 1.0), 0.0)},
        {"offline": nothing},
        {"silent_d": gap, "longest_silence_before_d": habit, "others_of_site_heard_1": alone.astype(np.float64)},
    )


def _longest_gap(heard: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], first: Floats, last: Floats) -> Floats:
    """The longest run of silent days between the first and the last day that was heard, (cases,)."""
    longest = run = np.zeros(len(heard))
    for day in range(WINDOW_DAYS):
        inside = (day > first) & (day < last)
        run = np.where(inside & ~heard[:, day], run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def _others_talk(cases: Cases, talks: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether another machine of the same site was heard on the same day."""
    sites = column(cases.machines, "site")
    _, key = np.unique(np.char.add(np.char.add(sites.astype(str), "\n"), cases.day.astype(str)), return_inverse=True)
    count = np.bincount(key, talks.astype(float))
    return np.asarray((count[key] - talks > 0) & (sites != ""), bool)


CONTACT = Detector(
    "offline",
    ("offline",),
    frozenset({"heat_pump", "air_conditioner", "furnace", "boiler", "water_heater", "ventilation", "thermostat", "chiller", "pump"}),
    ((),),
    _RULE,
    "The machine's own habit over the window; no standard",
    ("signal_strength", "controller_uptime"),
    silent,
)
