import pathlib
root = pathlib.Path("/tmp/wt/b/packages/server/lineset")
def sub(path, old, new, count=1):
    p = root / path; s = p.read_text()
    assert old in s, (path, old)
    p.write_text(s.replace(old, new, count))
sub("privacy/access.py",'''_READER_COLUMNS = {"people": "id, name_sealed"}  # whoever looked at a home is known to its people by name
''','''_READER_COLUMNS = {
    "people": "id, name_sealed",  # whoever looked at a home is known to its people by name
    "findings": "id, fault, state, opened, closed",  # counted by access.faults_found(), as the next
    "finding_steps": "finding_id, at, verdict",
    "machine_memories": "series_id, through",  # counted by access.diagnosed()
}
''')
sub("privacy/access.py",'''    "access.troubles(timestamptz)",
''','''    "access.troubles(timestamptz)",
    "access.diagnosed()",
    "access.faults_found(timestamptz)",
''')
p=root/"privacy/access_fleet.sql"; s=p.read_text().rstrip("\n")+'''

-- How far diagnosis is with the machines in use, for the same staff: how many there are, how many were looked at in the last three hours, how
-- many are behind by up to two days, how many by more, and how many never were.
CREATE OR REPLACE FUNCTION access.diagnosed()
RETURNS TABLE (machines bigint, fresh bigint, behind bigint, stale bigint, never bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*), count(*) FILTER (WHERE m.through > now() - interval '3 hours'),
         count(*) FILTER (WHERE m.through <= now() - interval '3 hours' AND m.through > now() - interval '48 hours'),
         count(*) FILTER (WHERE m.through <= now() - interval '48 hours'), count(*) FILTER (WHERE m.through IS NULL)
  FROM equipment e JOIN tenures n ON n.equipment_id = e.id AND n.ends_at IS NULL LEFT JOIN machine_memories m ON m.series_id = n.series_id
  WHERE e.retired_at IS NULL AND e.erased_at IS NULL AND access.staff('operator', 'support', 'security') AND access.purpose('administer')
$$;

-- What diagnosis found since then and what technicians said of it, by fault, for the same staff: numbers over all homes. `right_` counts
-- findings whose last verdict is their own fault, `other` another fault, `nothing` that nothing was wrong.
CREATE OR REPLACE FUNCTION access.faults_found(since timestamptz)
RETURNS TABLE (fault text, opened bigint, closed bigint, standing bigint, right_ bigint, other bigint, nothing bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 60 SET search_path = public, pg_temp AS $$
  SELECT f.fault, count(*) FILTER (WHERE f.opened >= since), count(*) FILTER (WHERE f.closed >= since), count(*) FILTER (WHERE f.closed IS NULL),
         count(*) FILTER (WHERE v.verdict = f.fault), count(*) FILTER (WHERE v.verdict NOT IN (f.fault, 'none')),
         count(*) FILTER (WHERE v.verdict = 'none')
  FROM findings f LEFT JOIN LATERAL (
    SELECT s.verdict FROM finding_steps s WHERE s.finding_id = f.id AND s.verdict <> '' AND s.at >= since ORDER BY s.at DESC LIMIT 1) v ON true
  WHERE (f.opened >= since OR f.closed IS NULL OR f.closed >= since OR v.verdict IS NOT NULL)
    AND access.staff('operator', 'support', 'security') AND access.purpose('administer')
  GROUP BY f.fault ORDER BY count(*) FILTER (WHERE f.opened >= since) DESC, f.fault
$$;
'''
p.write_text(s)
(root/"diagnostics/overseeing.py").write_text('''"""The health of diagnosis itself, in numbers over all homes: for the operator's staff, who see nobody's findings."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import text

from lineset.diagnostics.predict.fleet import FleetModel, list_models
from lineset.kit.clock import now
from lineset.privacy import Tx

JOBS = ("diagnosis.follow", "diagnosis.advise", "diagnosis.tidy", "diagnosis.recompute", "diagnosis.learn_verdicts", "diagnostics.train", "diagnostics.compare")
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
        *machines,
        runs=tuple(ran.get(job, Run(job, None, 0, None, 0)) for job in JOBS),
        faults=tuple(FaultCount(*row) for row in found),
        models=[model for model in await list_models(tx) if model.state == "published"],
    )
''')
sub("diagnostics/__init__.py","from lineset.diagnostics.performing import performance_of\n","from lineset.diagnostics.overseeing import Overview, oversee\nfrom lineset.diagnostics.performing import performance_of\n")
sub("diagnostics/__init__.py",'    "Performance",\n','    "Overview",\n    "Performance",\n')
sub("diagnostics/__init__.py",'    "performance_of",\n','    "oversee",\n    "performance_of",\n')
(root/"pages/console/diagnosis.py").write_text('''"""The health of diagnosis: whether its jobs run, how far they are, what is found, and what technicians say of it."""

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
            (" ".join(filter(None, (type_name(reader, m.type), m.make, m.model))), m, reader.when(m.trained_at, moment)) for m in found.models
        ]
    return console_page(
        request, "diagnosis", who, reader, "diagnosis", found=found, runs=runs, faults=faults, models=models, may_count=may_count
    )


ROUTES = (diagnosis_page,)
''')
(root/"pages/console/templates/diagnosis.html").write_text('''{% extends "console/frame.html" %}
{% block title %}{% trans %}Diagnosis{% endtrans %}{% endblock %}
{% block main %}
  {% set failed = runs | selectattr("1.failed") | list %}
  <header class="account-head">
    <h1>{% if failed %}{% trans %}Diagnosis has failed runs{% endtrans %}{% elif found and found.stale %}{% trans count=found.stale %}{{ count }} machine has not been looked at for two days{% pluralize %}{{ count }} machines have not been looked at for two days{% endtrans %}{% else %}{% trans %}Diagnosis{% endtrans %}{% endif %}</h1>
    <p class="second">{% trans %}Numbers over all homes. Whose they are, and what was found where, only the households and their contractors see.{% endtrans %}</p>
  </header>
  {% if may_count %}
    <section class="sec" aria-labelledby="d-machines"><header><h2 id="d-machines">{% trans %}Machines{% endtrans %}</h2></header>
      <dl class="perf"><div><dt>{% trans %}In use{% endtrans %}</dt><dd class="num">{{ found.machines }}</dd></div><div><dt>{% trans %}Looked at in the last 3 hours{% endtrans %}</dt><dd class="num">{{ found.fresh }}</dd></div><div><dt>{% trans %}Behind, up to two days{% endtrans %}</dt><dd class="num">{{ found.behind }}</dd></div><div><dt>{% trans %}Behind by more{% endtrans %}</dt><dd class="num{% if found.stale %} fault{% endif %}">{{ found.stale }}</dd></div><div><dt>{% trans %}Never: nothing measured yet{% endtrans %}</dt><dd class="num">{{ found.never }}</dd></div></dl>
    </section>
    <section class="sec" aria-labelledby="d-runs"><header><h2 id="d-runs">{% trans %}Runs of the last week{% endtrans %}</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="d-runs"><table class="table"><thead><tr><th scope="col">{% trans %}Job{% endtrans %}</th><th scope="col">{% trans %}Last done{% endtrans %}</th><th scope="col" class="r">{% trans %}Waiting{% endtrans %}</th><th scope="col" class="r">{% trans %}Failed{% endtrans %}</th></tr></thead>
        <tbody>{% for name, run, last in runs %}<tr><th scope="row">{{ name }}<span class="said dim">{{ run.job }}</span></th><td class="nowrap">{{ last or _("not in this week") }}</td><td class="r">{{ run.waiting }}</td><td class="r{% if run.failed %} fault{% endif %}">{{ run.failed }}</td></tr>{% endfor %}</tbody></table></div>
      <p class="second sm measure">{% trans %}A detector that breaks off fails its run, which is tried twice more. What it said stands in the worker's log.{% endtrans %}</p>
    </section>
    <section class="sec" aria-labelledby="d-faults"><header><h2 id="d-faults">{% trans %}Findings and verdicts of 30 days{% endtrans %}</h2></header>
      {% if faults %}<div class="scroll" tabindex="0" role="group" aria-labelledby="d-faults"><table class="table"><thead><tr><th scope="col">{% trans %}Fault{% endtrans %}</th><th scope="col" class="r">{% trans %}Opened{% endtrans %}</th><th scope="col" class="r">{% trans %}Closed{% endtrans %}</th><th scope="col" class="r">{% trans %}Open now{% endtrans %}</th><th scope="col" class="r">{% trans %}Found right{% endtrans %}</th><th scope="col" class="r">{% trans %}Another fault{% endtrans %}</th><th scope="col" class="r">{% trans %}Nothing was wrong{% endtrans %}</th></tr></thead>
        <tbody>{% for name, f in faults %}<tr><th scope="row">{{ name }}</th><td class="r">{{ f.opened }}</td><td class="r">{{ f.closed }}</td><td class="r">{{ f.standing }}</td><td class="r">{{ f.right }}</td><td class="r">{{ f.other }}</td><td class="r{% if f.nothing > f.right %} fault{% endif %}">{{ f.nothing }}</td></tr>{% endfor %}</tbody></table></div>
      {% else %}<p class="empty">{% trans %}Nothing was found in these days.{% endtrans %}</p>{% endif %}
    </section>
    <section class="sec" aria-labelledby="d-models"><header><h2 id="d-models">{% trans %}Models of makes and models{% endtrans %}</h2></header>
      {% if models %}<div class="scroll" tabindex="0" role="group" aria-labelledby="d-models"><table class="table"><thead><tr><th scope="col">{% trans %}Of{% endtrans %}</th><th scope="col" class="r">{% trans %}Version{% endtrans %}</th><th scope="col" class="r">{% trans %}Homes, at least{% endtrans %}</th><th scope="col">{% trans %}Made{% endtrans %}</th></tr></thead>
        <tbody>{% for name, m, made in models %}<tr><th scope="row">{{ name }}</th><td class="r">{{ m.version }}</td><td class="r">{{ m.households }}</td><td class="nowrap">{{ made }}</td></tr>{% endfor %}</tbody></table></div>
      {% else %}<p class="empty">{% trans %}None yet: it takes 11 homes that say yes to it.{% endtrans %}</p>{% endif %}
    </section>
  {% else %}<div class="state"><b>{% trans %}Diagnosis: not for your role.{% endtrans %}</b> {% trans %}Support, security and operators count it.{% endtrans %}</div>{% endif %}
{% endblock %}
''')
sub("pages/console/templates/frame.html",'''("troubles", "/console/troubles", _("Troubles")), ''','''("troubles", "/console/troubles", _("Troubles")), ("diagnosis", "/console/diagnosis", _("Diagnosis")), ''')
sub("pages/console/__init__.py","from . import companies, evidence,","from . import companies, diagnosis, evidence,")
sub("pages/console/__init__.py","        *troubles.ROUTES,\n","        *troubles.ROUTES,\n        *diagnosis.ROUTES,\n")
