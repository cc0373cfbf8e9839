"""Whatever the memberships and grants: the database shows to each person what a plain reading of the rules says, no more and no less."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lineset import schema
from lineset.kit.ids import new_id
from sqlalchemy import Connection, delete, insert, text

from tests.privacy.conftest import Walls, unforced
from tests.privacy.filling import NOON

PAST, FUTURE = "2020-01-01", "2099-01-01"
SCOPES = ("view", "control", "equipment", "people", "reset", "members")
ROLES = {
    "owner": {"view", "control", "equipment", "people", "owner"},
    "member": {"view", "control", "equipment", "people"},
    "guest": {"view"},
}
TRIED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Membership:
    person: int
    household: int
    role: str
    ended: bool


@dataclass(frozen=True)
class Work:
    person: int
    company: int
    ended: bool


@dataclass(frozen=True)
class Grant:
    household: int
    company: int
    scope: str
    revoked: bool
    ends: str | None


few = st.integers(0, 2)
memberships = st.lists(
    st.builds(Membership, few, few, st.sampled_from(list(ROLES)), st.booleans()), max_size=6, unique_by=lambda m: (m.person, m.household)
)
works = st.lists(st.builds(Work, few, few, st.booleans()), max_size=6, unique_by=lambda w: (w.person, w.company))
grants = st.lists(
    st.builds(Grant, few, few, st.sampled_from(SCOPES), st.booleans(), st.sampled_from([None, PAST, FUTURE])),
    max_size=8,
    unique_by=lambda g: (g.household, g.company, g.scope, g.revoked),
)


@dataclass
class Stage:
    """Three people, households and companies, between which anything may hold."""

    walls: Walls = field(repr=False)
    people: list[UUID]
    households: list[UUID]
    companies: list[UUID]

    def set(self, connection: Connection, ms: list[Membership], ws: list[Work], gs: list[Grant]) -> None:
        tables = schema.metadata.tables
        connection.execute(delete(tables["household_members"]).where(tables["household_members"].c.household_id.in_(self.households)))
        connection.execute(delete(tables["memberships"]).where(tables["memberships"].c.organisation_id.in_(self.companies)))
        connection.execute(delete(tables["access_grants"]).where(tables["access_grants"].c.household_id.in_(self.households)))
        for m in ms:
            row = {"person_id": self.people[m.person], "household_id": self.households[m.household], "role": m.role, "started_at": NOON}
            connection.execute(insert(tables["household_members"]).values(**row, ended_at=NOON if m.ended else None))
        for w in ws:
            row = {
                "person_id": self.people[w.person],
                "organisation_id": self.companies[w.company],
                "role": "technician",
                "started_at": NOON,
            }
            connection.execute(insert(tables["memberships"]).values(**row, ended_at=NOON if w.ended else None))
        for g in gs:
            between = {"household_id": self.households[g.household], "organisation_id": self.companies[g.company]}
            told = {"id": new_id(), "scope": g.scope, "granted_at": NOON, "revoked_at": NOON if g.revoked else None, "ends_at": g.ends}
            connection.execute(insert(tables["access_grants"]).values(**between, **told))


def rules(person: int, scope: str, purpose: str, ms: list[Membership], ws: list[Work], gs: list[Grant]) -> set[int]:
    """The households in which a person holds a scope, as the rules say."""
    if purpose != "service":
        return {m.household for m in ms if m.person == person and not m.ended and scope in ROLES[m.role]}
    companies = {w.company for w in ws if w.person == person and not w.ended}
    return {g.household for g in gs if g.company in companies and g.scope == scope and not g.revoked and g.ends != PAST}


@pytest.fixture(scope="module")
def stage(walls: Walls) -> Stage:
    tables = schema.metadata.tables
    stage = Stage(walls, [new_id() for _ in range(3)], [new_id() for _ in range(3)], [new_id() for _ in range(3)])
    with unforced(walls.address) as owner:
        for n in range(3):
            digest = stage.people[n].bytes
            person = {"id": stage.people[n], "email_digest": digest, "email_sealed": b"x", "name_sealed": b"x", "status": "active"}
            owner.execute(insert(tables["people"]).values(**person, created_at=NOON))
            owner.execute(insert(tables["households"]).values(id=stage.households[n], name_sealed=b"x", created_at=NOON))
            owner.execute(
                insert(tables["organisations"]).values(id=stage.companies[n], kind="contractor", name=f"company {n}", created_at=NOON)
            )
            site = {"id": new_id(), "household_id": stage.households[n], "kind": "residential", "name_sealed": b"x", "time_zone": "UTC"}
            owner.execute(insert(tables["sites"]).values(**site, created_at=NOON))
    return stage


@TRIED
@given(ms=memberships, ws=works, gs=grants)
def test_SEC_04_the_database_knows_exactly_the_rules(stage: Stage, ms: list[Membership], ws: list[Work], gs: list[Grant]) -> None:
    with stage.walls.acting("system:setup", "account", keep=True) as connection:
        stage.set(connection, ms, ws, gs)
    for person in range(3):
        for purpose in ("operate", "service"):
            with stage.walls.acting(str(stage.people[person]), purpose) as connection:
                asked = (*SCOPES, "owner", "nobody")
                answer = connection.execute(
                    text("SELECT scope, access.households(scope) FROM unnest(CAST(:asked AS text[])) AS scope"), {"asked": list(asked)}
                )
                said = {(scope, stage.households[n]) for scope in asked for n in rules(person, scope, purpose, ms, ws, gs)}
                assert {tuple(row) for row in answer} == said, (person, purpose)
                seen = set(connection.scalars(text("SELECT household_id FROM sites")))
                assert seen == {stage.households[n] for n in rules(person, "view", purpose, ms, ws, gs)}
                writable = set(connection.scalars(text("UPDATE sites SET kind = 'commercial' RETURNING household_id")))
                may_see = rules(person, "view", purpose, ms, ws, gs)
                assert writable == {stage.households[n] for n in rules(person, "equipment", purpose, ms, ws, gs) & may_see}
