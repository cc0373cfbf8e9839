"""The health of diagnosis: whether its jobs run, how far they are, what is found, and what technicians say of it."""

from typing import Any

from litestar import Response, get

from lineset import diagnostics
from lineset.kit.clock import now

from ..common.edge import Ask, console_context, edge, reader_of
from ..common.findings import fault_name
from ..common.plate import type_name
from ..common.refusals import marked
from .desk import console_page
from .troubles import COUNTS_TROUBLES

_JOBS = {
    "diagnosis.follow": marked("Each hour: what was measured since, and what comes next"),
    "diagnosis.advise": marked("Four times an hour: advice"),
    "diagnosis.tidy": marked("Each night: findings of machines that went, verdicts"),
    "diagnosis.recompute": marked("Each night: days that became fuller"),
    "diagnosis.learn_verdicts": marked("After a verdict: what it teaches"),
    "diagnostics.train": marked("Each Monday: models of makes and models"),
    "diagnostics.compare": marked("Each Monday and on the 2nd: how homes changed"),
}


@get("/console/diagnosis")
async def diagnosis_page(request: Ask) -> Response[Any]:
    """Numbers over all homes; whose they are is not on this page."""
    who, context = await console_context(request)
    reader, moment = reader_of(request, who), now()
    may_count = bool(COUNTS_TROUBLES & set(who.staff))
    async with edge(request).door.open(context) as tx:
        found = await diagnostics.oversee(tx) if may_count else None
    runs, faults, models = [], [], []
    if found is not None:
        runs = [(reader.gettext(_JOBS[run.job]), run, "" if run.last is None else reader.when(run.last, moment)) for run in found.runs]
        faults = [(fault_name(reader, each.fault), each) for each in found.faults]
        models = [
            (" ".join(filter(None, (type_name(reader, m.type), m.make, m.model))), m, reader.when(m.trained_at, moment))
            for m in found.models
        ]
    return console_page(
        request, "diagnosis", who, reader, "diagnosis", found=found, runs=runs, faults=faults, models=models, may_count=may_count
    )


ROUTES = (diagnosis_page,)
