"""Companies: contractors and the operator, and the people who work there."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update

from lineset.accounts.checks import clean_email, clean_line
from lineset.accounts.households import Member
from lineset.accounts.invitations import check_role, invite_to_company
from lineset.accounts.model import COMPANY_ROLES, STAFF_ROLES, MembershipRow, OrganisationRow, PersonRow
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Tx


@dataclass(frozen=True, slots=True)
class CompanyView:
    """A company as everybody may see it."""

    id: UUID
    kind: str
    name: str
    phone: str
    email: str


async def create_company(tx: Tx, *, name: str, phone: str = "", email: str = "", manager_email: str = "") -> UUID:
    """A new contractor, made by the operator's staff, with an invitation mailed to its first manager; its id.

    Raises:
        Invalid: a field can't be used.
        Denied: the asker is not the operator's staff.
    """
    values = {
        "name": clean_line(name, "name", what="the company's name"),
        "phone": clean_line(phone, "phone", what="the telephone number", most=40, least=0) or None,
        "email": clean_email(email) if email else None,
    }
    await _staff_only(tx, "operator")
    company_id = new_id()
    await tx.session.execute(insert(OrganisationRow).values(id=company_id, kind="contractor", created_at=now(), **values))
    if manager_email:
        await invite_to_company(tx, company_id, manager_email, "manager")
    return company_id


async def change_company(tx: Tx, company_id: UUID, *, name: str, phone: str = "", email: str = "") -> None:
    """Change what everybody sees of a company, as its manager or the operator's staff.

    Raises:
        Invalid: a field can't be used.
        NotFound: there is no such company.
        Denied: the asker does not manage it.
    """
    await get_company(tx, company_id)
    changed = await tx.session.execute(
        update(OrganisationRow)
        .where(OrganisationRow.id == company_id)
        .values(
            name=clean_line(name, "name", what="the company's name"),
            phone=clean_line(phone, "phone", what="the telephone number", most=40, least=0) or None,
            email=clean_email(email) if email else None,
        )
        .returning(OrganisationRow.id)
    )
    if changed.one_or_none() is None:
        raise Denied("managers_only", "Only a manager of the company can do this.")


async def get_company(tx: Tx, company_id: UUID) -> CompanyView:
    """A company. Raises NotFound."""
    row = await tx.session.get(OrganisationRow, company_id, populate_existing=True)
    if row is None:
        raise NotFound("company")
    return _view(row)


async def get_operator(tx: Tx) -> CompanyView:
    """The company that runs this installation.

    Raises:
        NotFound: nobody has set the installation up yet.
    """
    row = await tx.session.scalar(select(OrganisationRow).where(OrganisationRow.kind == "operator"))
    if row is None:
        raise NotFound("company")
    return _view(row)


async def list_companies(tx: Tx) -> list[CompanyView]:
    """Every contractor, by name, for the operator's staff. Raises Denied for others."""
    await _staff_only(tx, *STAFF_ROLES)
    rows = (await tx.session.scalars(select(OrganisationRow).where(OrganisationRow.kind == "contractor"))).all()
    return sorted((_view(r) for r in rows), key=lambda c: c.name.casefold())


async def find_companies(tx: Tx, words: str, limit: int = 20) -> list[CompanyView]:
    """Contractors whose name, telephone number or e-mail address has each of the words, for granting access; at least 2 letters."""
    parts = words.split()[:8]
    if sum(map(len, parts)) < 2:
        return []
    wanted = select(OrganisationRow).where(OrganisationRow.kind == "contractor")
    for part in parts:
        columns = (OrganisationRow.name, OrganisationRow.phone, OrganisationRow.email)
        wanted = wanted.where(or_(*(column.icontains(part, autoescape=True) for column in columns)))
    rows = (await tx.session.scalars(wanted.order_by(OrganisationRow.name).limit(limit))).all()
    return [_view(row) for row in rows]


async def managed_companies(tx: Tx) -> list[CompanyView]:
    """The contractors that the acting person manages at this moment, by name."""
    mine = (
        select(OrganisationRow)
        .join(MembershipRow, MembershipRow.organisation_id == OrganisationRow.id)
        .where(OrganisationRow.kind == "contractor", MembershipRow.person_id == tx.context.person)
        .where(MembershipRow.role == "manager", MembershipRow.ended_at.is_(None))
    )
    return [_view(row) for row in await tx.session.scalars(mine.order_by(OrganisationRow.name))]


async def list_staff(tx: Tx, company_id: UUID) -> list[Member]:
    """The people who work at a company, managers first: for colleagues, and for households that gave it access."""
    found = await tx.session.execute(
        select(MembershipRow.person_id, PersonRow.name_sealed, PersonRow.email_sealed, MembershipRow.role, MembershipRow.started_at)
        .outerjoin(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(MembershipRow.organisation_id == company_id, MembershipRow.ended_at.is_(None))
    )
    staff = [
        Member(person_id, await tx.vault.open(person_id, name) or "", await tx.vault.open(person_id, email) or "", role, since)
        for person_id, name, email, role, since in found
    ]
    ranks = (*COMPANY_ROLES, *STAFF_ROLES)
    return sorted(staff, key=lambda m: (ranks.index(m.role), m.name.casefold()))


async def change_staff_role(tx: Tx, company_id: UUID, person_id: UUID, role: str) -> None:
    """Give a colleague another role, as a manager or as the operator.

    Raises:
        Invalid: no such role at this kind of company.
        NotFound: nobody of that id works there, as far as the asker may know.
        Denied: the asker does not manage the company.
        Conflict: a company keeps at least one manager, the operator at least one operator.
    """
    company = await get_company(tx, company_id)
    check_role(company.kind, role)
    await _keep_a_head(tx, company, person_id, role)
    await _update(tx, company_id, person_id, role=role)


async def remove_staff(tx: Tx, company_id: UUID, person_id: UUID) -> None:
    """End somebody's work at a company, with all access that came with it. Raises as `change_staff_role` does."""
    await _keep_a_head(tx, await get_company(tx, company_id), person_id, None)
    await _update(tx, company_id, person_id, ended_at=now())


async def _keep_a_head(tx: Tx, company: CompanyView, person_id: UUID, role: str | None) -> None:
    head = "operator" if company.kind == "operator" else "manager"
    rows = await tx.session.execute(
        select(MembershipRow.person_id, MembershipRow.role)
        .where(MembershipRow.organisation_id == company.id, MembershipRow.ended_at.is_(None))
        .with_for_update()
    )
    heads = {person for person, held in rows if held == head}
    if role != head and heads == {person_id}:
        raise Conflict("last_manager", f"A company keeps at least one {head}. Make somebody else {head} first.")


async def _update(tx: Tx, company_id: UUID, person_id: UUID, **values: object) -> None:
    mine = MembershipRow.organisation_id == company_id, MembershipRow.person_id == person_id, MembershipRow.ended_at.is_(None)
    if (await tx.session.scalar(select(MembershipRow.role).where(*mine))) is None:
        raise NotFound("colleague")
    done = await tx.session.execute(update(MembershipRow).where(*mine).values(**values).returning(MembershipRow.person_id))
    if done.one_or_none() is None:
        raise Denied("managers_only", "Only a manager of the company can do this.")


async def _staff_only(tx: Tx, *roles: str) -> None:
    allowed = select(func.access.staff(*roles) | func.access.system("setup"))
    if not await tx.session.scalar(allowed):
        raise Denied("staff_only", "Only the staff of this installation's operator can do this.")


def _view(row: OrganisationRow) -> CompanyView:
    return CompanyView(row.id, row.kind, row.name, row.phone or "", row.email or "")
