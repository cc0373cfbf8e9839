"""A small world for tests of the device side: households, companies and sites on a real database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from lineset.accounts.model import (
    AccessGrantRow,
    HouseholdMemberRow,
    HouseholdRow,
    MembershipRow,
    OrganisationRow,
    PersonRow,
)
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Person, Purpose, System, Tx
from lineset.sites.model import EquipmentRow, SiteRow, TenureRow
from sqlalchemy import select

SETUP = Context(System("setup"), Purpose.ADMINISTER)


class Keys:
    """A key store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def get(self, subject: str) -> bytes | None:
        return self.kept.get(subject)

    async def create(self, subject: str, wrapped: bytes) -> bool:
        return self.kept.setdefault(subject, wrapped) is wrapped

    async def destroy(self, subject: str) -> None:
        self.kept.pop(subject, None)


@dataclass
class Heard:
    """What was announced, in order."""

    said: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, subject: str, payload: bytes) -> None:
        self.said.append((subject, payload))

    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.said]


@dataclass(frozen=True)
class Home:
    """A household of one owner with one site."""

    owner: UUID
    household: UUID
    site: UUID

    @property
    def acting(self) -> Context:
        return Context(Person(self.owner), Purpose.OPERATE)


async def person(tx: Tx) -> UUID:
    id_ = new_id()
    tx.session.add(
        PersonRow(
            id=id_,
            email_digest=tx.vault.email_digest(f"{id_}@example.org"),
            email_sealed=await tx.vault.seal(id_, f"{id_}@example.org"),
            name_sealed=await tx.vault.seal(id_, "Somebody"),
            status="active",
            created_at=now(),
        )
    )
    await tx.session.flush()
    return id_


async def home(door: Door, limits: Mapping[str, list[float]] | None = None) -> Home:
    """A household with an owner and a site."""
    async with door.open(SETUP) as tx:
        owner, household, site = await person(tx), new_id(), new_id()
        tx.session.add(HouseholdRow(id=household, name_sealed=await tx.vault.seal(household, "Home"), created_at=now()))
        await tx.session.flush()
        tx.session.add(HouseholdMemberRow(person_id=owner, household_id=household, role="owner", started_at=now()))
        tx.session.add(
            SiteRow(
                id=site,
                household_id=household,
                kind="residential",
                name_sealed=await tx.vault.seal(household, "House"),
                time_zone="UTC",
                limits=dict(limits or {}),
                created_at=now(),
            )
        )
    return Home(owner, household, site)


async def member(door: Door, household: UUID, role: str) -> Context:
    """Another member of a household, acting there."""
    async with door.open(SETUP) as tx:
        id_ = await person(tx)
        tx.session.add(HouseholdMemberRow(person_id=id_, household_id=household, role=role, started_at=now()))
    return Context(Person(id_), Purpose.OPERATE)


async def technician(door: Door, household: UUID, *scopes: str) -> tuple[Context, UUID]:
    """A technician of a company to which the household gave these scopes, acting in its service; and the company."""
    async with door.open(SETUP) as tx:
        id_, company = await person(tx), new_id()
        tx.session.add(OrganisationRow(id=company, kind="contractor", name="Warm & Co", created_at=now()))
        await tx.session.flush()
        tx.session.add(MembershipRow(person_id=id_, organisation_id=company, role="technician", started_at=now()))
        for scope in scopes:
            tx.session.add(AccessGrantRow(id=new_id(), household_id=household, organisation_id=company, scope=scope, granted_at=now()))
    return Context(Person(id_), Purpose.SERVICE), company


async def operator(door: Door) -> Context:
    """Staff of the operator, running the platform."""
    async with door.open(SETUP) as tx:
        id_ = await person(tx)
        company = await tx.session.scalar(select(OrganisationRow.id).where(OrganisationRow.kind == "operator"))
        if company is None:
            company = new_id()
            tx.session.add(OrganisationRow(id=company, kind="operator", name="Operator", created_at=now()))
            await tx.session.flush()
        tx.session.add(MembershipRow(person_id=id_, organisation_id=company, role="operator", started_at=now()))
    return Context(Person(id_), Purpose.ADMINISTER)


async def equipment(
    door: Door,
    of: Home,
    gateway: UUID | None,
    kind: str = "heat_pump_air_water",
    local_name: str = "hp1",
    limits: Mapping[str, list[float]] | None = None,
) -> UUID:
    """A machine at the home, fed by the gateway, with its tenure."""
    id_ = new_id()
    async with door.open(SETUP) as tx:
        tx.session.add(
            EquipmentRow(
                id=id_,
                site_id=of.site,
                household_id=of.household,
                gateway_id=gateway,
                local_name=local_name,
                name="Machine",
                type=kind,
                limits=dict(limits or {}),
                created_at=now(),
            )
        )
        await tx.session.flush()
        tx.session.add(TenureRow(equipment_id=id_, household_id=of.household, starts_at=now()))
    return id_
