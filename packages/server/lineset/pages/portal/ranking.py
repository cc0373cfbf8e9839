"""Which site needs a contractor first, and why: pure rules over the latest readings of each site.

No diagnosis: only what a machine says of itself, how far a room or tank is from its own set point, and silence.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ..common.facts import Site

SILENT_S = 3600.0
FAR_K = 2.0  # a room further than this from its set point is news
COLD_TANK_K = 12.0  # below a tank's set point: no hot water soon
URGENT = 20.0

Why = Literal["lockout", "fault", "cold", "hot", "tank", "silent", "warning", "never", ""]


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


class Ranked(msgspec.Struct, frozen=True):
    """A site with its urgency: `why` names the weightiest reason, `urgent` whether somebody should act."""

    home: Home
    score: float
    why: Why
    urgent: bool


def rank(homes: Sequence[Home], now: datetime) -> list[Ranked]:
    """All sites, the most urgent first; equals by name."""
    ranked = [_judge(home, now.timestamp()) for home in homes]
    ranked.sort(key=lambda r: (-round(r.score, 1), r.home.site.name))
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
        return Ranked(home, 1.0, "never", urgent=False)
    reasons: list[tuple[float, Why]] = []
    if home.alarm == "lockout" or home.mode == "lockout":
        reasons.append((60.0, "lockout"))
    elif home.alarm == "fault" or home.mode == "fault" or home.fault_code:
        reasons.append((40.0, "fault"))
    elif home.alarm == "warning":
        reasons.append((10.0, "warning"))
    apart = distance(home)
    if apart is not None and abs(apart) > FAR_K:
        reasons.append((abs(apart) * 10.0, "cold" if apart < 0 else "hot"))
    if home.tank is not None and home.tank_target is not None and home.tank_target - home.tank > COLD_TANK_K:
        reasons.append((home.tank_target - home.tank + 10.0, "tank"))
    if now - home.seen > SILENT_S:
        reasons.append((25.0, "silent"))
    score = sum(weight for weight, _ in reasons)
    # What the machine says of itself explains the rest, so it is named first.
    why: Why = next((name for _, name in reasons if name in ("lockout", "fault")), max(reasons, default=(0.0, ""))[1])
    return Ranked(home, score, why, urgent=score >= URGENT)
