"""The health of diagnosis itself, in numbers over all homes: for the operator's staff, who see nobody's findings."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import text

from lineset.diagnostics.predict.fleet import FleetModel, list_models
from lineset.kit.clock import now
from lineset.privacy import Tx

JOBS = (
    "diagnosis.follow",
    "diagnosis.advise",
    "diagnosis.tidy",
    "diagnosis.recompute",
    "diagnosis.learn_verdicts",
    "diagnostics.train",
    "diagnostics.compare",
)
"""The jobs of diagnosis, the most frequent first."""
SPAN = timedelta(days=30)
_RUNS = text(
    "SELECT j.task_name, max(e.at) FILTER (WHERE e.type = 'succeeded'), count(DISTINCT j.id) FILTER (WHERE j.status = 'failed'),"
    " max(e.at) FILTER (WHERE e.type = 'failed'), count(DISTINCT j.id) FILTER (WHERE j.status = 'todo' AND j.scheduled_at IS NULL)"
    " FROM jobs.procrastinate_jobs j LEFT JOIN jobs.procrastinate_events e ON e.job_id = j.id"
    " WHERE j.task_name = ANY(:names) GROUP BY j.task_name"
)


class Run(msgspec.Struct, frozen=True):
    """A job of diagnosis: when it last succeeded, how many failed for good in the last week and when last, and how many wait."""

    job: str
    last: datetime | None
    failed: int
    failed_at: datetime | None
    waiting: int


class FaultCount(msgspec.Struct, frozen=True):
    """A fault in the last `SPAN`: findings opened and closed, open now; technicians' verdicts on it: right, another fault, nothing."""

    fault: str
    opened: int
    closed: int
    standing: int
    right: int
    other: int
    nothing: int


class Overview(msgspec.Struct, frozen=True):
    """`machines` in use, of those `fresh` (looked at in the last 3 h), `behind` (48 h), `stale`, and `never` looked at."""

    machines: int
    fresh: int
    behind: int
    stale: int
    never: int
    runs: tuple[Run, ...]
    faults: tuple[FaultCount, ...]
    models: Sequence[FleetModel]


async def oversee(tx: Tx) -> Overview:
    """How diagnosis is, for the operator's operators, support and security with the purpose to administer; zeros for anybody else."""
    machines = (await tx.session.execute(text("SELECT * FROM access.diagnosed()"))).one()
    found = await tx.session.execute(text("SELECT * FROM access.faults_found(:since)"), {"since": now() - SPAN})
    ran = {row[0]: Run(*row) for row in await tx.session.execute(_RUNS, {"names": list(JOBS)})}
    return Overview(
        machines=machines.machines,
        fresh=machines.fresh,
        behind=machines.behind,
        stale=machines.stale,
        never=machines.never,
        runs=tuple(ran.get(job, Run(job, None, 0, None, 0)) for job in JOBS),
        faults=tuple(FaultCount(*row) for row in found),
        models=[model for model in await list_models(tx) if model.state == "published"],
    )
