"""Which site needs a contractor first, and why: by until when somebody has to act.

Findings of diagnosis say that by what they are and how bad. Besides: what a machine says of itself, how far a room or tank is from its own
set point, and silence.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from lineset.diagnostics import Finding

from ..common.facts import Site
from ..common.findings import act_by

SILENT_S = 3600.0
FAR_K = 2.0  # a room further than this from its set point is news
COLD_TANK_K = 12.0  # below a tank's set point: no hot water soon
DAY_S = 86_400.0
URGENT_S = 4 * DAY_S
"""What has to be acted on within this time needs somebody now."""

Why = Literal["finding", "lockout", "fault", "cold", "hot", "tank", "silent", "warning", "never", ""]


class Home(msgspec.Struct, frozen=True):
    """One site as the fleet list needs it: its main machine's latest readings, in the catalogue's units."""

    site: Site
    household: str
    machine: str
    machine_name: str
    machine_type: str
    machines: int
    mode: str
    room: float | None
    target: float | None
    tank: float | None
    tank_target: float | None
    alarm: str
    fault_code: float | None
    online: bool
    seen: float | None
    backup: bool = False
    cools: bool = False  # `target` is a cooling set point
    findings: tuple[Finding, ...] = ()  # open ones, of all its machines


class Ranked(msgspec.Struct, frozen=True):
    """A site with its urgency: `why` names the reason that leaves least time, `act_by` until when (s since 1970; infinite for never),
    `finding` what diagnosis found there, `urgent` whether somebody should act now."""

    home: Home
    act_by: float
    why: Why
    urgent: bool
    finding: Finding | None = None


def rank(homes: Sequence[Home], now: datetime) -> list[Ranked]:
    """All sites, the one that leaves least time on top; equals by the distance of their room, then by name."""
    ranked = [_judge(home, now.timestamp()) for home in homes]
    ranked.sort(key=lambda r: (round(r.act_by / 60) if r.act_by < math.inf else math.inf, -abs(distance(r.home) or 0.0), r.home.site.name))
    return ranked


def distance(home: Home) -> float | None:
    """K of the room from its set point, below counted negative; None where either is unknown."""
    if home.room is None or home.target is None:
        return None
    apart = home.room - home.target
    if home.cools:
        # A cooled room below its set point is not too cold as long as nothing cools it.
        return apart if apart > 0 or home.mode == "cooling" else max(apart, -FAR_K / 2)
    if apart < 0:
        return apart
    # A heated room above its set point is not too warm as long as nothing heats it.
    return apart if home.mode in ("heating", "auxiliary_heat") else min(apart, FAR_K / 2)


def _judge(home: Home, now: float) -> Ranked:
    if home.seen is None:
        return Ranked(home, math.inf, "never", urgent=False)
    finding = min(home.findings, key=act_by, default=None)
    reasons = _reasons(home, now)
    if finding is not None:
        reasons.append((act_by(finding).timestamp(), "finding"))
    by, why = min(reasons, default=(math.inf, ""))
    # What was found explains the rest, and then what the machine says of itself, so they are named first.
    urgent = by - now <= URGENT_S
    found = {name: at for at, name in reasons}
    first = next((name for name in _EXPLAINS if name in found and (found[name] - now <= URGENT_S or not urgent)), why)
    return Ranked(home, by, first, urgent, finding)


_EXPLAINS: tuple[Why, ...] = ("lockout", "finding", "fault")


def _reasons(home: Home, now: float) -> list[tuple[float, Why]]:
    """Until when to act (s since 1970), for each reason that readings give."""
    reasons: list[tuple[float, Why]] = []
    if home.alarm == "lockout" or home.mode == "lockout":
        reasons.append((now, "lockout"))
    elif home.alarm == "fault" or home.mode == "fault" or home.fault_code:
        reasons.append((now + DAY_S, "fault"))
    elif home.alarm == "warning":
        reasons.append((now + 14 * DAY_S, "warning"))
    apart = distance(home)
    if apart is not None and abs(apart) > FAR_K:
        # A room twice as far from its set point leaves a quarter of the time: one day at 2 K.
        reasons.append((now + DAY_S * (FAR_K / apart) ** 2, "cold" if apart < 0 else "hot"))
    if home.tank is not None and home.tank_target is not None and home.tank_target - home.tank > COLD_TANK_K:
        reasons.append((now + DAY_S, "tank"))
    if home.seen is not None and now - home.seen > SILENT_S:
        reasons.append((home.seen + 2 * DAY_S, "silent"))
    return reasons
