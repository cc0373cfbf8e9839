"""Handlers of what waits for a yes: every choice with its own words, yes and no alike, and the receipts of all answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import MediaType, Response, get, post

from lineset import gateways, sites
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.privacy import CHOICES, Choice, Consent, Purpose, Subject, Tx, consent_of, consents, give, receipt_json, receipts, withdraw
from lineset.privacy.vocabulary import CATEGORIES

from ..coming import go
from ..desk import At, at_desk, desk_page
from ..edge import Ask, edge, form_text


class ChoiceLine(msgspec.Struct, frozen=True):
    """One switch. `thing`: which site, gateway or recipient it is about; `may`: whether the person may answer it; `again`: why it waits."""

    id: str
    key: str
    detail: str
    title: str
    thing: str
    ask: str
    use: str
    off: str
    data: str
    given: bool
    state: str
    again: str
    may: bool


@get("/choices")
async def choices_page(request: Ask) -> Response[Any]:
    """Every choice, in the words that its receipt will keep."""
    at = await at_desk(request)
    return desk_page(request, "choices", at, choices=await choice_lines(request, at))


@post("/choices")
async def answer(request: Ask) -> Response[Any]:
    """A yes or a no: the same form, the same number of steps."""
    at = await at_desk(request)
    form = await request.form()
    choice, detail = CHOICES.get(form_text(form, "choice")), form_text(form, "detail")
    said = form_text(form, "answer")
    if choice is None or not choice.takes(detail) or said not in ("yes", "no"):
        raise Invalid("bad_choice", "Choose yes or no for one of the choices on the page.")
    subject = _subject(at, choice)
    if subject is None:
        raise Invalid("bad_choice", "Choose yes or no for one of the choices on the page.")
    act = give if said == "yes" else withdraw
    steps = (at.base + "/choices", choice.said(at.reader.language).title[:60], said)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        await act(tx, subject, choice.purpose, detail, channel="page", language=at.reader.language, steps=steps)
    return go(f"{at.base}/choices?done=chosen#{_id(choice.key, detail)}")


@get("/receipts.json")
async def receipts_file(request: Ask) -> Response[bytes]:
    """Receipts of all answers, of the household and of the person, as ISO/IEC TS 27560 lays them out."""
    at = await at_desk(request)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        found = await receipts(tx, at.who.person_id)
        if at.household is not None:
            found = [*await receipts(tx, at.household.id), *found]
    body = b"[" + b",\n".join(receipt_json(r) for r in found) + b"]\n"
    headers = {"content-disposition": 'attachment; filename="lineset_receipts.json"', "cache-control": "private, no-store"}
    return Response(body, media_type=MediaType.JSON, headers=headers)


async def choice_lines(request: Ask, at: At) -> tuple[ChoiceLine, ...]:
    """What holds for each choice of the household, its sites and gateways, and the person."""
    names = await _things(request, at)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        found = list(await consents(tx, at.who.person_id, at.reader.language))
        if at.household is not None:
            found = [*await consents(tx, at.household.id, at.reader.language), *found]
        found += await _unasked(tx, at, names, {(c.choice.key, c.detail) for c in found})
    order = list(CHOICES)
    found.sort(key=lambda c: (order.index(c.choice.key), names.get(c.detail, c.detail)))
    moment = now()
    shown = (c for c in found if c.choice.bare or c.choice.detail_kind == "recipient" or c.detail in names)
    return tuple(_line(at, c, names, moment) for c in shown if _concerns(at, c))


def _concerns(at: At, consent: Consent) -> bool:
    """Whether the choice is about anything of this person: who manages no company is asked about no report of it."""
    manages, lives = any(company.role == "manager" for company in at.who.companies), bool(at.who.households)
    return consent.given or {"fleet_report": manages, "monthly_report": lives, "due_reminders": lives}.get(consent.choice.key, True)


async def _things(request: Ask, at: At) -> dict[str, str]:
    """The sites and gateways that location may be about, and this browser, by the detail that names them."""
    names = {} if at.who.session_id is None else {f"session:{at.who.session_id}": at.reader.gettext("this one")}
    if at.household is None:
        return names
    async with edge(request).door.open(at.who.acts(Purpose.OPERATE)) as tx:
        for site in await sites.list_sites(tx, household_id=at.household.id, with_equipment=False):
            names[f"site:{site.id}"] = site.name
            names |= {f"gateway:{g.id}": g.name for g in await gateways.list_gateways(tx, site.id)}
    return names


async def _unasked(tx: Tx, at: At, names: dict[str, str], known: set[tuple[str, str]]) -> list[Consent]:
    missing = []
    for detail in names:
        for choice in CHOICES.values():
            subject = _subject(at, choice)
            if choice.detail_kind == detail.partition(":")[0] and (choice.key, detail) not in known and subject is not None:
                missing.append(await consent_of(tx, subject, choice.purpose, detail, at.reader.language))
    return missing


def _subject(at: At, choice: Choice) -> UUID | None:
    if choice.subject is Subject.PERSON:
        return at.who.person_id
    return at.household.id if at.household is not None else None


def _line(at: At, consent: Consent, names: dict[str, str], moment: datetime) -> ChoiceLine:
    reader, choice = at.reader, consent.choice
    words = choice.said(reader.language)
    when = reader.when(consent.since, moment) if consent.since is not None else ""
    if consent.since is None:
        state = reader.gettext("No, since nobody said yes")
    elif consent.given:
        state = reader.gettext("Yes since %(when)s", when=when)
    else:
        state = reader.gettext("No since %(when)s", when=when)
    again = reader.gettext("What you said yes to has changed, so nothing is done until you answer again.") if consent.needs_new_yes else ""
    own = choice.subject is Subject.PERSON
    return ChoiceLine(
        _id(choice.key, consent.detail),
        choice.key,
        consent.detail,
        words.title,
        names.get(consent.detail, consent.detail if choice.detail_kind == "recipient" else ""),
        words.ask,
        words.use,
        words.off,
        ", ".join(reader.gettext(CATEGORIES[c]) for c in choice.data),
        consent.holds,
        state,
        again,
        own or (at.household is not None and at.household.role != "guest"),
    )


def _id(key: str, detail: str) -> str:
    return f"{key}-{detail.partition(':')[2] or 'all'}".replace("_", "-")


HANDLERS = [choices_page, answer, receipts_file]
