"""Handlers of the people of a company: who works here, in which role, and who is invited."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import COMPANY_ROLES, Company
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Purpose, Tx

from ..common.coming import go
from ..common.edge import Ask, edge, form_text, page, portal_context, reader_of
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from ..common.roles import role_name


class Colleague(msgspec.Struct, frozen=True):
    """Somebody who works at the company."""

    id: str
    name: str
    email: str
    role: str
    role_name: str
    since: str
    me: bool


class Invited(msgspec.Struct, frozen=True):
    """Somebody who has not answered yet."""

    id: str
    email: str
    role_name: str
    until: str


class Team(msgspec.Struct, frozen=True):
    """One company's people."""

    id: str
    name: str
    manages: bool
    people: tuple[Colleague, ...]
    invited: tuple[Invited, ...]


async def _team(tx: Tx, reader: Reader, company: Company, me: UUID) -> Team:
    manages = company.role == "manager"
    staff = await accounts.list_staff(tx, company.id)
    invitations = await accounts.list_invitations(tx, company.id) if manages else []
    return Team(
        id=str(company.id),
        name=company.name,
        manages=manages,
        people=tuple(
            Colleague(str(m.person_id), m.name, m.email, m.role, role_name(reader, m.role), reader.date(m.since), m.person_id == me)
            for m in staff
        ),
        invited=tuple(Invited(str(i.id), i.email, role_name(reader, i.role), reader.date(i.expires_at)) for i in invitations),
    )


@get("/portal/team")
async def team(request: Ask) -> Response[Any]:
    """The people of the company."""
    return await _page(request, Form())


@post("/portal/team/{company:str}", status_code=200)
async def change(request: Ask, company: str) -> Response[Any]:
    """Invite, change a role, end somebody's work, take an invitation back; the form's button says which."""
    who, _ = await portal_context(request)
    at = next((c for c in who.companies if str(c.id) == company), None)
    if at is None:
        raise NotFound("company")
    form = await request.form()
    person = parse_id(form_text(form, "person"))
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            match form_text(form, "do"):
                case "invite":
                    await accounts.invite_to_company(tx, at.id, form_text(form, "email"), form_text(form, "role"))
                case "role" if person is not None:
                    await accounts.change_staff_role(tx, at.id, person, form_text(form, "role"))
                case "remove" if person is not None:
                    await accounts.remove_staff(tx, at.id, person)
                case "withdraw" if (invitation := parse_id(form_text(form, "invitation"))) is not None:
                    await accounts.withdraw_invitation(tx, invitation)
    except LinesetError as error:
        values = {"email": form_text(form, "email"), "role": form_text(form, "role")}
        return await _page(request, refused(reader_of(request, who), error, values), int(error.status))
    return go("/portal/team")


async def _page(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, _ = await portal_context(request)
    reader = reader_of(request, who, clock24=True)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        teams = [await _team(tx, reader, company, who.person_id) for company in who.companies]
    roles = [(role, role_name(reader, role)) for role in COMPANY_ROLES]
    return page(request, "portal/team.html", reader, who, status=status, teams=teams, roles=roles, form=form)


HANDLERS = [team, change]
