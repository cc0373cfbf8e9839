"""The register of recipients in the console: who may receive data, what was agreed with each, and who is to be told of an erasure."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, LinesetError
from lineset.privacy import Purpose, Tx, egress, policy
from lineset.privacy.egress import CONSIDERATIONS, KINDS, PROCESSORS, RegisterRow
from lineset.privacy.vocabulary import CATEGORIES

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from .desk import console_page

MAY = frozenset({"operator", "privacy_officer"})
FIELDS = ("key", "kind", "name", "does", "region", "contact")
TERMS = ("title", "consideration", "in_return", "ends_at")
ROOT = "/console/recipients"


@get(ROOT)
async def register_page(request: Ask) -> Response[Any]:
    """Every recipient, what is missing, who has still to confirm an erasure; and a form for one more."""
    return await _list(request, Form())


@post(ROOT)
async def add(request: Ask) -> Response[Any]:
    """Write down a recipient."""
    form = await request.form()
    values: dict[str, Any] = {name: form_text(form, name).strip() for name in FIELDS}
    context = await _changing(request)
    try:
        async with edge(request).door.open(context) as tx:
            await egress.keep_recipient(tx, **values, new=True)
    except Denied:
        raise
    except LinesetError as error:
        who, _ = await console_context(request)
        return await _list(request, refused(reader_of(request, who), error, values), int(error.status))
    return go(f"{ROOT}/{values['key']}?done=saved")


@get(f"{ROOT}/{{key:str}}")
async def entry_page(request: Ask, key: str) -> Response[Any]:
    """One recipient with its agreements."""
    return await _one(request, key)


@post(f"{ROOT}/{{key:str}}")
async def change(request: Ask, key: str) -> Response[Any]:
    """Change what stands of it; for a processor of the settings, fill it in."""
    form = await request.form()
    values: dict[str, Any] = {name: form_text(form, name).strip() for name in FIELDS if name != "key"}
    return await _do(request, key, "saved", values, lambda tx: egress.keep_recipient(tx, key, **values))


@post(f"{ROOT}/{{key:str}}/end")
async def end(request: Ask, key: str) -> Response[Any]:
    """End it: nothing flows from this moment on."""
    return await _do(request, key, "ended", {}, lambda tx: egress.end_recipient(tx, key))


@post(f"{ROOT}/{{key:str}}/agreements")
async def agree(request: Ask, key: str) -> Response[Any]:
    """Write down what was agreed."""
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in TERMS}
    fields, purposes = (tuple(str(v) for v in form.getall(name, [])) for name in ("fields", "purposes"))
    shown = {**values, "fields": " ".join(fields), "purposes": " ".join(purposes)}

    async def work(tx: Tx) -> object:
        return await egress.add_agreement(
            tx,
            key,
            title=values["title"],
            fields=fields,
            purposes=purposes,
            confidentiality=form_text(form, "confidentiality") == "yes",
            security=form_text(form, "security") == "yes",
            consideration=values["consideration"],
            in_return=values["in_return"],
            ends_at=_last_day(values["ends_at"]),
        )

    return await _do(request, key, "agreed", shown, work)


@post(f"{ROOT}/{{key:str}}/agreements/{{agreement:uuid}}/end")
async def end_agreement(request: Ask, key: str, agreement: UUID) -> Response[Any]:
    """End an agreement."""
    return await _do(request, key, "agreement_ended", {}, lambda tx: egress.end_agreement(tx, agreement))


@post(f"{ROOT}/notices/{{notice:uuid}}/confirmed")
async def confirm(request: Ask, notice: UUID) -> Response[Any]:
    """Keep a recipient's word that it has erased."""
    form = await request.form()
    context = await _changing(request)
    try:
        async with edge(request).door.open(context) as tx:
            await egress.acknowledge(tx, notice, form_text(form, "reference"))
    except Invalid as error:
        who, _ = await console_context(request)
        return await _list(request, refused(reader_of(request, who), error, {"notice": str(notice)}), int(error.status))
    return go(f"{ROOT}?done=confirmed")


async def _changing(request: Ask) -> Any:
    """The context of staff that may change the register. Raises Denied for others."""
    who, context = await console_context(request)
    if not MAY & set(who.staff):
        raise Denied("not_yours", "Only the operator and the privacy officer change the register of recipients.")
    return context


async def _do(request: Ask, key: str, done: str, values: dict[str, str], work: Any) -> Response[Any]:
    context = await _changing(request)
    try:
        async with edge(request).door.open(context) as tx:
            await work(tx)
    except Denied:
        raise
    except LinesetError as error:
        return await _one(request, key, error, values)
    return go(f"{ROOT}/{key}?done={done}")


async def _list(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    reader, here = reader_of(request, who), edge(request)
    async with here.door.open(context) as tx:
        rows = await egress.register_rows(tx, here.settings)
        waiting = await egress.recipient_notices(tx, open_only=True) if MAY & set(who.staff) else []
    shown = [(row, _title(reader, row), _words(reader, row.fields), _why(reader, row.purposes)) for row in rows]
    kept = Form({"kind": "processor", **form.values}, form.errors, form.problem, form.advice)
    return console_page(
        request, "recipients", who, reader, "recipients", status=status, rows=shown, waiting=waiting, form=kept, **_may(who), now=now()
    )


async def _one(request: Ask, key: str, error: LinesetError | None = None, values: dict[str, str] | None = None) -> Response[Any]:
    who, context = await console_context(request)
    reader, here = reader_of(request, who), edge(request)
    async with here.door.open(context) as tx:
        row = await egress.get_entry(tx, key, here.settings)
    form = refused(reader, error, values) if error else Form()
    kept = {name: getattr(row, name) for name in FIELDS} | {"consideration": "none"} | dict(form.values)
    built_in = PROCESSORS.get(key)
    fields = built_in.fields if built_in else tuple(c for c in CATEGORIES if c != "system.operations")
    purposes = built_in.purposes if built_in else tuple(Purpose)
    terms = [(a, _words(reader, a.fields), _why(reader, a.purposes), a.in_force(row.at), a.runs(row.at)) for a in row.agreements]
    return console_page(
        request,
        "recipient",
        who,
        reader,
        "recipients",
        status=int(error.status) if error else 200,
        row=row,
        title=_title(reader, row),
        terms=terms,
        fields=[(c, policy.category_words(reader, c)) for c in fields],
        purposes=[(p.value, policy.purpose_title(reader, p.value)) for p in purposes],
        form=Form(kept, form.errors, form.problem, form.advice),
        **_may(who),
        now=now(),
    )


def _may(who: Principal) -> dict[str, Any]:
    return {"may": bool(MAY & set(who.staff)), "kinds": KINDS, "considerations": CONSIDERATIONS}


def _title(reader: Reader, row: RegisterRow) -> str:
    """The recipient's name; what it is where nobody has said who."""
    return row.name or (reader.gettext(PROCESSORS[row.key].title) if row.key in PROCESSORS else row.key)


def _words(reader: Reader, fields: tuple[str, ...]) -> str:
    return ", ".join(policy.category_words(reader, field) for field in fields)


def _why(reader: Reader, purposes: tuple[str, ...]) -> str:
    return ", ".join(policy.purpose_title(reader, purpose) for purpose in purposes)


def _last_day(text: str) -> datetime | None:
    """The end (UTC) of a day that was typed as YYYY-MM-DD; None for no day.

    Raises:
        Invalid: it is no day.
    """
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError as error:
        raise Invalid("bad_end", "Choose a day that is still to come.", "ends_at") from error


ROUTES = (register_page, add, confirm, entry_page, change, end, agree, end_agreement)
