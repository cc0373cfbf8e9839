"""A database with one gateway, and an ingestor that works on it within the test's own process."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import psycopg
from lineset import gateways, sites
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, INGEST, role_url
from lineset.kit.storage import Storage
from lineset.privacy import Context, Door, Person, Purpose, System, Vault
from lineset.telemetry import Ingestor, Latest, Message, latest
from lineset_contract.wire import Ack
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.functional.devices.world import Heard, Home, Keys, home

# What `rows` reads past its policies.
GUARDED = ("frames", "late_frames", "history_files", "slots", "refusals", "poison_messages", "acknowledgements", "gateway_events")
SETUP = Context(System("setup"), Purpose.OPERATE)


@dataclass
class Bench:
    """One household with a gateway and two machines, `hp1` and `wh1`."""

    door: Door
    ingestor: Ingestor
    house: Home
    gateway: UUID
    machines: dict[str, UUID]
    heard: Heard
    owner_address: str
    engine: AsyncEngine
    acks: list[Ack] = field(default_factory=list)

    async def send(self, *bodies: bytes | dict[str, object], gateway: UUID | None = None) -> list[Ack]:
        """Hand these over as one batch; the acknowledgements of each, in order."""
        acks: list[Ack] = []

        async def reply(ack: Ack) -> None:
            acks.append(ack)

        payloads = [b if isinstance(b, bytes) else msgspec.json.encode(b) for b in bodies]
        await self.ingestor.handle([Message(gateway or self.gateway, "test", p, reply=reply) for p in payloads])
        return acks

    async def newest(self, local: str = "hp1") -> Latest | None:
        """The machine's newest values as its owner sees them."""
        async with self.door.open(self.house.acting) as tx:
            return (await latest(tx, [self.machines[local]])).get(self.machines[local])

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What the tables hold, read past row-level security for the length of one statement."""
        with psycopg.connect(self.owner_address) as connection:
            for table in GUARDED:
                connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            found = connection.execute(sql).fetchall()
            connection.rollback()
            return found


def message(seq: int, *frames: tuple[float, str, Mapping[str, object]], epoch: str = "e1") -> dict[str, object]:
    """A frame message as a device writes it."""
    return {"epoch": epoch, "seq": seq, "frames": [{"t": t, "e": e, "v": v} for t, e, v in frames]}


@asynccontextmanager
async def bench(database: str, secret: bytes, storage: Storage | None = None) -> AsyncIterator[Bench]:
    """Open it on a migrated database."""
    engine = make_engine(role_url(database, secret, APP).render_as_string(hide_password=False))
    heard = Heard()
    door = Door(engine, Vault(Keys(), b"k" * 32), heard.publish, storage)
    ingest_address = role_url(database, secret, INGEST).set(drivername="postgresql").render_as_string(hide_password=False)

    async def connect() -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(ingest_address, autocommit=True)

    ingestor = Ingestor(connect, heard.publish)
    house = await home(door)
    async with door.open(SETUP) as tx:
        gateway = (await gateways.create_gateway(tx, house.site, "Gateway")).gateway
        machines = {}
        for local, kind in (("hp1", "heat_pump_air_air"), ("wh1", "water_heater_electric")):
            new = sites.NewEquipment(name=local, type=kind, local_name=local)
            machines[local] = await sites.add_equipment(tx, house.site, new, gateway_id=gateway)
    try:
        yield Bench(door, ingestor, house, gateway, machines, heard, database, engine)
    finally:
        await ingestor.close()
        await engine.dispose()


def other(person: UUID) -> Context:
    """Somebody else's context."""
    return Context(Person(person), Purpose.OPERATE)


def codes(acks: Sequence[Ack]) -> list[str]:
    """The codes of all refusals."""
    return [r.code for ack in acks for r in ack.refused]


def just_now() -> float:
    """The present, in whole seconds."""
    return float(int(time.time()))
