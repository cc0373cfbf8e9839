"""The four workloads of GDPRbench over personal records: through the door, and by the same statements on plain PostgreSQL.

The mixes are those of S. Shastri et al., "Understanding and Benchmarking the Impact of GDPR on Database Systems", PVLDB 13(7), 2020: the
controller (a quarter creates, a quarter deletes, half changes what is said about records; uniform), the customer (fifths: read all of
one's own, read and change what is said about it, change it, delete it; Zipf), the processor (four fifths by key, a fifth by purpose;
Zipf) and the regulator (46 % what is said about a person, 31 % logs, 23 % whether something is gone; Zipf). A record is a telephone number
or address of a person; what is said about it is its label and the person's consents; the processor is a contractor who looks at machines.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lineset import platform
from lineset.accounts.model import ContactRow
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Context, Person, Purpose, consents, give, receipts, seen_by, withdraw
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

PEOPLE, EACH = 10_000, 10
"""Households of one person, and records of each."""
ZIPF = 0.99
"""The skew of YCSB, which GDPRbench extends."""
_BY_PURPOSE = 100  # machines of one question by purpose
VALUE = "+1 555 01{:05d}, 14 Sugar Pine Road, Truckee"

Operation = Callable[[], Awaitable[bool]]
"""Does one thing and says whether it did what it must."""


@dataclass
class World:
    """Everybody by number, and every record that is there by key."""

    people: list[UUID]
    households: list[UUID]
    machines: list[UUID]
    technician: UUID
    records: dict[UUID, int]  # whose
    keys: list[UUID]
    gone: list[tuple[UUID, int]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def somebody(self, rng: random.Random, *, zipf: bool) -> int:
        """A person's number: any, or few of them often."""
        return rng.choices(range(PEOPLE), cum_weights=self.weights)[0] if zipf else rng.randrange(PEOPLE)

    def record(self, rng: random.Random) -> UUID:
        """A record that is there."""
        while True:
            place = rng.randrange(len(self.keys))
            if (key := self.keys[place]) in self.records:
                return key
            self.keys[place] = self.keys[-1]
            self.keys.pop()

    def made(self, key: UUID, person: int) -> None:
        self.records[key] = person
        self.keys.append(key)

    def ended(self, key: UUID) -> None:
        self.gone.append((key, self.records.pop(key)))


class Ours:
    """The operations through the door, each a transaction of its own, with row-level security, sealing and the access log."""

    def __init__(self, here: platform.Platform, world: World) -> None:
        self._door = here.door
        self._world = world

    def _own(self, person: int, purpose: Purpose = Purpose.ACCOUNT) -> Context:
        return Context(Person(self._world.people[person]), purpose)

    async def create(self, key: UUID, person: int, value: str) -> bool:
        async with self._door.open(self._own(person)) as tx:
            sealed = await tx.vault.seal(self._world.people[person], value)
            await tx.session.execute(insert(ContactRow).values(record_of(key, self._world.people[person], sealed)))
        return True

    async def remove(self, key: UUID, person: int) -> bool:
        async with self._door.open(self._own(person)) as tx:
            done = await tx.session.execute(delete(ContactRow).where(ContactRow.id == key))
            return bool(done.rowcount == 1)  # type: ignore[attr-defined]

    async def label_all(self, person: int, label: str) -> bool:
        async with self._door.open(self._own(person)) as tx:
            mine = ContactRow.person_id == self._world.people[person]
            await tx.session.execute(update(ContactRow).where(mine).values(label=label))
        return True

    async def label(self, key: UUID, person: int, label: str) -> bool:
        async with self._door.open(self._own(person)) as tx:
            done = await tx.session.execute(update(ContactRow).where(ContactRow.id == key).values(label=label))
            return bool(done.rowcount == 1)  # type: ignore[attr-defined]

    async def answer(self, person: int, *, yes: bool) -> bool:
        async with self._door.open(self._own(person, Purpose.RIGHTS)) as tx:
            how: dict[str, Any] = {"channel": "page", "language": "en", "steps": ["a switch"]}
            receipt = await (give if yes else withdraw)(tx, self._world.people[person], Purpose.ANALYTICS, **how)
            return receipt.given is yes

    async def read_all(self, person: int) -> bool:
        async with self._door.open(self._own(person)) as tx:
            mine = ContactRow.person_id == self._world.people[person]
            rows = (await tx.session.execute(select(ContactRow.person_id, ContactRow.value_sealed).where(mine))).all()
            values = await tx.vault.open_many((row.person_id, row.value_sealed) for row in rows)
            return all(values) and {row.person_id for row in rows} <= {self._world.people[person]}

    async def consents(self, person: int) -> bool:
        async with self._door.open(self._own(person, Purpose.RIGHTS)) as tx:
            return bool(await consents(tx, self._world.people[person]))

    async def receipts(self, person: int) -> bool:
        async with self._door.open(self._own(person, Purpose.RIGHTS)) as tx:
            return all(r.given in (True, False) for r in await receipts(tx, self._world.people[person]))

    async def change(self, key: UUID, person: int, value: str) -> bool:
        async with self._door.open(self._own(person)) as tx:
            sealed = await tx.vault.seal(self._world.people[person], value)
            done = await tx.session.execute(update(ContactRow).where(ContactRow.id == key).values(value_sealed=sealed))
            return bool(done.rowcount == 1)  # type: ignore[attr-defined]

    async def machine(self, person: int) -> bool:
        household, machine = self._world.households[person], self._world.machines[person]
        async with self._door.open(Context(Person(self._world.technician), Purpose.SERVICE, household)) as tx:
            return await tx.session.scalar(_MACHINE, {"id": machine}) is not None

    async def machines(self) -> bool:
        async with self._door.open(Context(Person(self._world.technician), Purpose.SERVICE)) as tx:
            return len((await tx.session.execute(_MACHINES)).all()) == _BY_PURPOSE

    async def log(self, person: int) -> bool:
        async with self._door.open(self._own(person, Purpose.RIGHTS)) as tx:
            return all(seen.person == self._world.technician for seen in await seen_by(tx, self._world.households[person]))

    async def is_gone(self, key: UUID, person: int) -> bool:
        async with self._door.open(self._own(person)) as tx:
            return await tx.session.scalar(select(ContactRow.id).where(ContactRow.id == key)) is None

    async def strangers_see(self, key: UUID, other: int) -> bool:
        async with self._door.open(self._own(other)) as tx:
            return await tx.session.scalar(select(ContactRow.id).where(ContactRow.id == key)) is not None


class Plain:
    """The same statements on the same tables and indexes, as their owner: no context, no policies, no sealing, no log."""

    def __init__(self, engine: AsyncEngine, world: World, receipt: dict[str, Any]) -> None:
        self._engine = engine
        self._world = world
        self._receipt = receipt

    async def _run(self, statement: Any, values: dict[str, Any] | None = None) -> Any:
        async with self._engine.begin() as connection:
            done = await connection.execute(statement, values or {})
            return done.all() if done.returns_rows else done.rowcount

    async def create(self, key: UUID, person: int, value: str) -> bool:
        return bool(await self._run(insert(ContactRow).values(record_of(key, self._world.people[person], value.encode()))))

    async def remove(self, key: UUID, person: int) -> bool:  # noqa: ARG002 - nobody asks whose it is
        return bool(await self._run(delete(ContactRow).where(ContactRow.id == key)) == 1)

    async def label_all(self, person: int, label: str) -> bool:
        await self._run(update(ContactRow).where(ContactRow.person_id == self._world.people[person]).values(label=label))
        return True

    async def label(self, key: UUID, person: int, label: str) -> bool:  # noqa: ARG002 - as above
        return bool(await self._run(update(ContactRow).where(ContactRow.id == key).values(label=label)) == 1)

    async def answer(self, person: int, *, yes: bool) -> bool:
        mine = {**self._receipt, "id": new_id(), "person_id": self._world.people[person], "given": yes, "at": now()}
        names = ", ".join(f'"{name}"' for name in mine)
        marks = ", ".join(f":{name}" for name in mine)
        return bool(await self._run(text(f"INSERT INTO person_consent_receipts ({names}) VALUES ({marks})"), mine))  # noqa: S608 - own names

    async def read_all(self, person: int) -> bool:
        mine = ContactRow.person_id == self._world.people[person]
        rows = await self._run(select(ContactRow.person_id, ContactRow.value_sealed).where(mine))
        return all(bytes(row.value_sealed).decode() for row in rows)

    async def consents(self, person: int) -> bool:
        await self._run(_RECEIPTS, {"id": self._world.people[person]})
        return True

    receipts = consents

    async def change(self, key: UUID, person: int, value: str) -> bool:  # noqa: ARG002 - as above
        return bool(await self._run(update(ContactRow).where(ContactRow.id == key).values(value_sealed=value.encode())) == 1)

    async def machine(self, person: int) -> bool:
        return bool(await self._run(_MACHINE, {"id": self._world.machines[person]}))

    async def machines(self) -> bool:
        return len(await self._run(_MACHINES)) == _BY_PURPOSE

    async def log(self, person: int) -> bool:
        await self._run(text("SELECT * FROM access_log WHERE household_id = :id"), {"id": self._world.households[person]})
        return True  # which is empty: nobody writes it

    async def is_gone(self, key: UUID, person: int) -> bool:  # noqa: ARG002 - as above
        return not await self._run(select(ContactRow.id).where(ContactRow.id == key))

    async def strangers_see(self, key: UUID, other: int) -> bool:  # noqa: ARG002 - as above
        return bool(await self._run(select(ContactRow.id).where(ContactRow.id == key)))


_MACHINE = text("SELECT name FROM equipment WHERE id = :id")
_MACHINES = text(f"SELECT id, name FROM equipment WHERE type = 'heat_pump_air_air' LIMIT {_BY_PURPOSE}")  # noqa: S608 - a number
_RECEIPTS = text("SELECT * FROM person_consent_receipts WHERE person_id = :id ORDER BY number")


def record_of(key: UUID, person: UUID, value: bytes) -> dict[str, Any]:
    return {"id": key, "person_id": person, "kind": "phone", "label": "home", "value_sealed": value}


def mixes(db: Ours | Plain, world: World, rng: random.Random) -> dict[str, Callable[[], Operation]]:
    """By workload: what draws its next operation."""

    def create() -> Operation:
        key, person = new_id(), world.somebody(rng, zipf=False)
        world.made(key, person)
        return lambda: db.create(key, person, VALUE.format(person))

    def remove() -> Operation:
        key = world.record(rng)
        person = world.records[key]
        world.ended(key)
        return lambda: db.remove(key, person)

    def of_record(do: Callable[[UUID, int], Awaitable[bool]]) -> Operation:
        key = world.record(rng)
        return lambda: do(key, world.records[key])

    def of_person(do: Callable[[int], Awaitable[bool]], *, zipf: bool) -> Operation:
        person = world.somebody(rng, zipf=zipf)
        return lambda: do(person)

    def controller() -> Operation:
        part = rng.random()
        if part < 0.25:
            return create()
        if part < 0.5:
            return remove()
        yes = rng.random() < 0.5
        change = (lambda p: db.label_all(p, "billing")) if part < 0.75 else (lambda p: db.answer(p, yes=yes))
        return of_person(change, zipf=False)

    def customer() -> Operation:
        return rng.choice(
            [
                lambda: of_person(db.read_all, zipf=True),
                lambda: of_person(db.consents, zipf=True),
                lambda: of_record(lambda k, p: db.change(k, p, VALUE.format(p + 1))),
                lambda: of_record(lambda k, p: db.label(k, p, "mobile")),
                remove,
            ]
        )()

    def processor() -> Operation:
        return of_person(db.machine, zipf=True) if rng.random() < 0.8 else db.machines

    def regulator() -> Operation:
        part = rng.random()
        if part < 0.46:
            return of_person(db.receipts, zipf=True)
        if part < 0.77:
            return of_person(db.log, zipf=True)
        key, person = rng.choice(world.gone)
        return lambda: db.is_gone(key, person)

    return {"controller": controller, "customer": customer, "processor": processor, "regulator": regulator}
