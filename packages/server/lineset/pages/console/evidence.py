"""Evidence for an auditor: what retention did each month, dated reviews, and what the operator states about measures."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import MediaType, Response, get, post

from lineset.kit.clock import now
from lineset.kit.errors import Denied, LinesetError
from lineset.privacy.evidence import MEASURES, attest, attestations, get_evidence, list_evidence

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from .desk import console_page

READS_EVIDENCE = frozenset({"operator", "privacy_officer", "security"})
STATES_MEASURES = frozenset({"operator", "security"})


@get("/console/evidence")
async def evidence_page(request: Ask) -> Response[Any]:
    """Reports and statements, for the operator, the privacy officer and security."""
    return await _show(request, Form())


@post("/console/evidence")
async def state(request: Ask) -> Response[Any]:
    """State a measure anew; what was stated before stays in the list of the database."""
    who, context = await console_context(request)
    if not STATES_MEASURES & set(who.staff):
        raise Denied("role", "Only the operator and security state measures.")
    form = await request.form()
    values = {"measure": form_text(form, "measure"), "statement": form_text(form, "statement")}
    try:
        async with edge(request).door.open(context) as tx:
            await attest(tx, values["measure"], values["statement"])
    except LinesetError as error:
        return await _show(request, refused(reader_of(request, who), error, values), int(error.status))
    return go("/console/evidence?done=stated")


@get("/console/evidence/{report_id:uuid}.json")
async def report_file(request: Ask, report_id: UUID) -> Response[bytes]:
    """A report as it was kept, with the digest of its content."""
    _, context = await console_context(request)
    async with edge(request).door.open(context) as tx:
        report = await get_evidence(tx, report_id)
    name = f'attachment; filename="lineset-{report.kind}-{report.period}.json"'
    return Response(
        msgspec.json.format(msgspec.json.encode(report), indent=2), media_type=MediaType.JSON, headers={"Content-Disposition": name}
    )


async def _show(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    reader = reader_of(request, who)
    may_read = bool(READS_EVIDENCE & set(who.staff))
    async with edge(request).door.open(context) as tx:
        reports = await list_evidence(tx) if may_read else []
        stated = {one.measure: one for one in await attestations(tx)} if may_read else {}
    return console_page(
        request,
        "evidence",
        who,
        reader,
        "evidence",
        status=status,
        may_read=may_read,
        may_state=bool(STATES_MEASURES & set(who.staff)),
        reports=[(report, _overdue(report.content, report.kind), len(report.content.get("attention", ()))) for report in reports],
        measures=[(measure, stated.get(measure)) for measure in MEASURES],
        form=form,
        now=now(),
    )


def _overdue(content: dict[str, Any], kind: str) -> int:
    """How much was there past its time when the report was made."""
    rules = (content if kind == "retention" else content["retention"])["rules"]
    return sum(rule["overdue"] or 0 for rule in rules)


ROUTES = (evidence_page, state, report_file)
