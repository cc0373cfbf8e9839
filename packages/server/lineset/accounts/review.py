"""Who has access to what, counted for the dated review: the operator's staff, companies, and programs' tokens."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select

from lineset.accounts.model import AccessGrantRow, ApiTokenRow, MembershipRow, OrganisationRow, PersonRow, SessionRow
from lineset.kit.clock import now
from lineset.privacy import Tx

TOKEN_IDLE = timedelta(days=180)


class StaffAccess(msgspec.Struct, frozen=True):
    """A member of the operator's staff, with the role held and when last seen (None: not since sessions were kept)."""

    person: UUID
    name: str
    role: str
    since: datetime
    seen_at: datetime | None


class CompanyAccess(msgspec.Struct, frozen=True):
    """A contractor: how many work there, how many households let it in, and how many grants have no end."""

    company: UUID
    name: str
    people: int
    households: int
    grants: int
    endless: int


class AccessReview(msgspec.Struct, frozen=True):
    """Who has access. `idle_tokens`: programs' tokens that were not used for 180 days."""

    staff: tuple[StaffAccess, ...]
    companies: tuple[CompanyAccess, ...]
    tokens: int
    idle_tokens: int


async def access_review(tx: Tx) -> AccessReview:
    """Who has access at this moment. For `System("review")`."""
    seen = select(func.max(SessionRow.last_seen_at)).where(SessionRow.person_id == MembershipRow.person_id).scalar_subquery()
    staff = await tx.session.execute(
        select(MembershipRow.person_id, PersonRow.name_sealed, MembershipRow.role, MembershipRow.started_at, seen)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .join(OrganisationRow, OrganisationRow.id == MembershipRow.organisation_id)
        .where(OrganisationRow.kind == "operator", MembershipRow.ended_at.is_(None))
        .order_by(MembershipRow.role, MembershipRow.started_at)
    )
    people = [StaffAccess(p, await tx.vault.open(p, name) or "", role, since, last) for p, name, role, since, last in staff.all()]
    idle = func.coalesce(ApiTokenRow.last_used_at, ApiTokenRow.created_at) < now() - TOKEN_IDLE
    tokens = await tx.session.execute(
        select(func.count(), func.count().filter(idle)).select_from(ApiTokenRow).where(ApiTokenRow.revoked_at.is_(None))
    )
    total, unused = tokens.one()
    return AccessReview(tuple(people), tuple(await _companies(tx)), total, unused)


async def _companies(tx: Tx) -> list[CompanyAccess]:
    live = AccessGrantRow.revoked_at.is_(None) & or_(AccessGrantRow.ends_at.is_(None), AccessGrantRow.ends_at > now())
    workers = (
        select(func.count())
        .where(MembershipRow.organisation_id == OrganisationRow.id, MembershipRow.ended_at.is_(None))
        .correlate(OrganisationRow)
        .scalar_subquery()
    )
    rows = await tx.session.execute(
        select(
            OrganisationRow.id,
            OrganisationRow.name,
            workers,
            func.count(AccessGrantRow.household_id.distinct()).filter(live),
            func.count(AccessGrantRow.id).filter(live),
            func.count(AccessGrantRow.id).filter(live & AccessGrantRow.ends_at.is_(None)),
        )
        .outerjoin(AccessGrantRow, AccessGrantRow.organisation_id == OrganisationRow.id)
        .where(OrganisationRow.kind == "contractor")
        .group_by(OrganisationRow.id)
        .order_by(OrganisationRow.name)
    )
    return [CompanyAccess(*row) for row in rows.all()]
