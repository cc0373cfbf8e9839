"""What diagnosis tells others, as plain data: findings, performance, predictions, advice. Texts are codes; others have the words."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

import msgspec

FindingState = Literal["open", "acknowledged", "assigned", "in_repair", "verified_fixed", "closed", "false_alarm"]
OPEN_STATES: tuple[FindingState, ...] = ("open", "acknowledged", "assigned", "in_repair")


class Candidate(msgspec.Struct, frozen=True):
    """A fault that it may be, with its probability (0 to 1)."""

    fault: str
    probability: float


class Finding(msgspec.Struct, frozen=True):
    """A fault found at a machine. `fault` is the likeliest of `candidates`, which are those that the measurements can't tell apart;
    `effects` are faults that it explains and that therefore have no finding of their own. `severity` 0 to 1; `cost_a_day` in the
    installation's currency, None where no price or energy is known. `evidence`: figures by name with the unit at its end;
    `plot`: points whose course shows it."""

    id: UUID
    equipment: UUID
    site: UUID
    household: UUID
    fault: str
    candidates: tuple[Candidate, ...]
    effects: tuple[str, ...]
    confidence: float
    severity: float
    cost_a_day: float | None
    evidence: dict[str, float]
    plot: tuple[str, ...]
    state: FindingState
    opened: datetime
    seen: datetime
    closed: datetime | None = None
    assigned_to: UUID | None = None
    repaired: datetime | None = None


def told(
    site: str, equipment: str, fault: str, opened: datetime, closed: datetime | None, confidence: float, candidates: Sequence[Candidate]
) -> dict[str, object]:
    """A finding as programs read it: times in ISO 8601 UTC, `closed` None while it is open."""

    def time(moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "site": site,
        "equipment": equipment,
        "fault": fault,
        "opened": time(opened),
        "closed": None if closed is None else time(closed),
        "confidence": round(confidence, 4),
        "candidates": [{"fault": c.fault, "probability": round(c.probability, 4)} for c in candidates],
    }


class Step(msgspec.Struct, frozen=True):
    """One step in a finding's life: who (None: the platform itself), when, into which state, with which words, and what was found."""

    at: datetime
    state: FindingState
    by: UUID | None
    note: str
    verdict: str = ""


class Figure(msgspec.Struct, frozen=True):
    """A figure of performance. `value` None: absent, and `why` says so with a code; `doubt` is one standard deviation in the same unit;
    `basis` says what it was derived from (a code: measured, air_side, water_side, nameplate …)."""

    value: float | None
    unit: str
    doubt: float | None = None
    basis: str = ""
    why: str = ""


class Performance(msgspec.Struct, frozen=True):
    """How a machine ran over a span that begins with `start` (a day, month or season of the site's calendar). `figures` by name."""

    equipment: UUID
    start: date
    days: int
    figures: dict[str, Figure]


class Forecast(msgspec.Struct, frozen=True):
    """Run time (s) and energy (kWh) expected of the hours from `start` on: for each hour the median, and the
    lower and upper limit within which four in five outcomes lie. `skill`: by how much its error on past days was smaller than that of
    yesterday's load (0.3 = 30 %); None: too few."""

    equipment: UUID
    start: datetime
    run_s: tuple[tuple[float, float, float], ...]
    energy_kwh: tuple[tuple[float, float, float], ...]
    skill: float | None
    past_error_kwh: float | None


class Due(msgspec.Struct, frozen=True):
    """Something that comes due by use or condition: `part` (filter, anode, coil, service …), in how many days, plus or minus (80 %)."""

    equipment: UUID
    part: str
    days: float
    doubt_days: float
    reason: str
    figures: dict[str, float]


class Life(msgspec.Struct, frozen=True):
    """What is left of a component: median years with the limits that hold four in five, and the risk of failing within a year (0 to 1).
    `taught_by`: at least so many machines of a fleet taught what it rests on; 0: published lives alone."""

    equipment: UUID
    part: str
    left_years: tuple[float, float, float]
    risk_a_year: float
    model: str
    figures: dict[str, float]
    taught_by: int = 0


class Prospect(msgspec.Struct, frozen=True):
    """What was foretold of a machine when it was `made`. `year`: figures of its last year (`energy_kwh`, `electric`, `gas`, `hours_a_year`
    of a whole year; `efficiency`, `evaporating` and `condensing` in degC, `comfort` in %, `starts_an_hour`, `ageing`), as far as known."""

    forecast: Forecast | None
    dues: tuple[Due, ...]
    lives: tuple[Life, ...]
    year: dict[str, float]
    made: datetime


class Advice(msgspec.Struct, frozen=True):
    """Something worth doing. `kind`: repair, maintenance, setting, replacement, product or service; `code` names the advice, `figures` fill
    its words; `saving_a_year` and `cost` in the installation's currency; `urgency` in days until it should be done; `suffers`: what people
    notice first (as in `knowledge.yaml`)."""

    id: UUID
    equipment: UUID
    site: UUID
    kind: Literal["repair", "maintenance", "setting", "replacement", "product", "service"]
    code: str
    finding: UUID | None
    saving_a_year: float | None
    cost: float | None
    payback_years: float | None
    urgency_days: float
    figures: dict[str, float]
    made: datetime
    suffers: str = "cost"
