"""What diagnosis says of one machine, as its page shows it: findings, how it ran, what comes next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lineset.diagnostics import OPEN_STATES, Course, Due, Finding, FleetModel, Forecast, Life, Performance, Step

from .ahead import DueLine, ForecastView, PerformanceView, due_lines, forecast_view, performance_view, upcoming
from .findings import FindingView, act_by, finding_view
from .reader import Reader

MOST_PAST = 6


class Health(msgspec.Struct, frozen=True):
    """The view. `findings` open ones, soonest deadline first; `past` closed ones, newest first; `technician`: told as one."""

    findings: tuple[FindingView, ...]
    past: tuple[FindingView, ...]
    performance: PerformanceView | None
    forecast: ForecastView | None
    dues: tuple[DueLine, ...]
    technician: bool

    @property
    def runs(self) -> bool:
        """Whether anything is known of how it runs and what comes next."""
        return self.performance is not None or self.forecast is not None or bool(self.dues)


def health_view(
    reader: Reader,
    machine: str,
    now: datetime,
    *,
    findings: Sequence[Finding] = (),
    steps: Mapping[UUID, Sequence[Step]] | None = None,
    courses: Mapping[UUID, Sequence[Course]] | None = None,
    names: Mapping[UUID, str] | None = None,
    performance: Performance | None = None,
    usual: FleetModel | None = None,
    forecast: Forecast | None = None,
    dues: Sequence[Due] = (),
    lives: Sequence[Life] = (),
    may_act: bool = False,
    technician: bool = False,
) -> Health:
    """Build the view of the machine of that name. `steps` and `courses` by finding; `performance` of the last 30 days; `usual`: what
    is usual for its model."""

    def shown(finding: Finding) -> FindingView:
        known, drawn = (steps or {}).get(finding.id, ()), (courses or {}).get(finding.id, ())
        return finding_view(reader, finding, machine, now, steps=known, names=names, may_act=may_act, courses=drawn)

    opened = sorted((f for f in findings if f.state in OPEN_STATES), key=act_by)
    past = sorted((f for f in findings if f.state not in OPEN_STATES), key=lambda f: f.closed or f.seen, reverse=True)
    ran = None if performance is None else performance_view(reader, performance, reader.gettext("The last 30 days"), usual)
    coming = None if forecast is None else upcoming(forecast, now)
    return Health(
        findings=tuple(shown(f) for f in opened),
        past=tuple(shown(f) for f in past[:MOST_PAST]),
        performance=ran if ran is not None and ran.figures else None,
        forecast=forecast_view(reader, coming) if coming is not None and coming.energy_kwh else None,
        dues=due_lines(reader, dues, lives, now),
        technician=technician,
    )
