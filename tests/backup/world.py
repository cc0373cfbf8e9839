"""An installation with three homes that measure, a contractor and rows in every table; and another, to restore into."""

import asyncio
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np
import psycopg
from lineset import gateways, migrating, platform, schema, sites, telemetry
from lineset.backup.keys import Ring, read_copy, vault_of
from lineset.backup.sealing import Reader, Writer
from lineset.embedded.ports import free_port
from lineset.kit.addresses import owner_url
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.kit.settings import Settings
from lineset.kit.storage import storage
from lineset.privacy import Context, Purpose, System
from lineset.telemetry.history.jobs import close_now
from psycopg import sql
from sqlalchemy import text

from tests.functional.devices.world import Home, home, technician

IMPORT = Context(System("import"), Purpose.OPERATE)
SETUP = Context(System("setup"), Purpose.OPERATE)
HISTORY = Context(System("history"), Purpose.KEEP)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = 6


@dataclass(frozen=True)
class Lived:
    """A home with one machine, and what its machine measured (time to room temperature)."""

    home: Home
    machine: UUID
    sent: dict[float, float]
    secret: str  # stands in what the home's people wrote
    gateway: UUID
    token: str


async def live(here: platform.Platform, secret: str, base: float) -> Lived:
    """A home whose machine has measured for some days: the older ones are closed, the last ones hot."""
    house = await home(here.door)
    async with here.door.open(SETUP) as tx:
        gateway = (await gateways.create_gateway(tx, house.site, "Gateway")).gateway
        token = (await gateways.create_token(tx, gateway)).token
        new = sites.NewEquipment(name=f"Machine {secret}", type="heat_pump_air_air", local_name="hp1", serial_number=secret)
        machine = await sites.add_equipment(tx, house.site, new, gateway_id=gateway, owned_since=TODAY - timedelta(days=30))
    t = np.arange((TODAY - timedelta(days=DAYS)).timestamp(), time.time(), 900.0)
    room = np.round(base + np.sin(t / 9_000), 2)
    columns = {"room_temperature": room, "electric_energy": np.arange(len(t)) * 0.25, f"own_{secret}": room * 2}
    async with here.door.open(IMPORT) as tx:
        await telemetry.load(tx, machine, t, columns, now=time.time())
    await technician(here.door, house.household, "view")
    return Lived(house, machine, dict(zip(t.tolist(), room.tolist(), strict=True)), secret, gateway, token)


async def fill(settings: Settings) -> tuple[Lived, Lived, Lived]:
    """Three homes: one that will be erased, one that stays, and one whose machine will be erased."""
    async with platform.open_platform(settings, "test") as here:
        lived = await live(here, "goneaway", 21.0), await live(here, "stayshere", 19.0), await live(here, "halfgone", 23.0)
        await close_now(here.door, here.engine, storage(settings, "history"))
        async with here.door.open(HISTORY) as tx:
            await defer(tx.session, "telemetry.close_days", timestamp=0)
        return lived


async def seen(settings: Settings, one: Lived) -> dict[float, float]:
    """What the home's owner is shown of its machine, reading by reading."""
    found: dict[float, float] = {}
    async with platform.open_platform(settings, "test") as here:
        at = TODAY - timedelta(days=DAYS)
        while at < datetime.now(UTC):
            async with here.door.open(one.home.acting) as tx:
                shown = await telemetry.series(tx, one.machine, ["room_temperature"], at, at + timedelta(hours=12), 2000)
            found |= {t: v for t, v in zip(shown.t, shown.values["room_temperature"], strict=True) if v is not None}
            at += timedelta(hours=12)
    return found


def counts(settings: Settings) -> dict[str, int]:
    """How many rows each copied table has."""
    with psycopg.connect(owner_url(settings)) as owner:
        owner.execute("SELECT set_config('app.actor', 'system:backup', true)")
        found = {}
        for name, declared in schema.register().tables.items():
            if declared.backup is True and name != "copies":
                row = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
                found[name] = int(row[0]) if row else 0
        return found


def elsewhere(settings: Settings, folder: Path) -> Settings:
    """An empty installation with the same secrets."""
    folder.mkdir(mode=0o755)
    shutil.copytree(settings.secrets_folder, folder / "secrets")
    return msgspec.structs.replace(settings, data=folder, mqtt_port=free_port(), mqtt_token_port=free_port())


def made(settings: Settings) -> tuple[Lived, Lived, Lived]:
    """A migrated installation with three homes."""
    migrating.migrate_here(settings)
    return asyncio.run(fill(settings))


async def write_pairs(settings: Settings, lived: tuple[Lived, Lived], ended: asyncio.Event) -> None:
    """Until the event, write zones for both homes, always in one transaction."""
    async with platform.open_platform(settings, "writer") as here:
        while not ended.is_set():
            async with here.door.open(SETUP) as tx:
                for one in lived:
                    values = {"id": new_id(), "site": one.home.site, "household": one.home.household}
                    await tx.session.execute(
                        text("INSERT INTO zones (id, site_id, household_id, name) VALUES (:id, :site, :household, 'Attic')"), values
                    )
            await asyncio.sleep(0)


def pairs(settings: Settings, one: Lived) -> int:
    """How many zones a home has."""
    with psycopg.connect(owner_url(settings)) as owner:
        owner.execute("SELECT set_config('app.actor', 'system:backup', true)")
        row = owner.execute("SELECT count(*) FROM zones WHERE household_id = %s", [one.home.household]).fetchone()
        return int(row[0]) if row else 0


def recast(settings: Settings, source: Path, keys: Path, target: Path, revision: str, names: set[str]) -> None:
    """Write some tables of a backup as a backup of another revision of the tables."""
    vault = vault_of(settings)
    known = read_copy(vault, keys).keys
    with source.open("rb") as old, target.open("wb") as new:
        reader = Reader.of(old, source)
        ring = Ring(vault, reader.header.salt, known)
        list(reader.verify(ring.own))
        salt = "ab" * 16
        fresh = Ring(vault, salt, known)
        writer = Writer(new, msgspec.structs.replace(reader.header, revision=revision, salt=salt, check=fresh.check))
        for name in sorted(names):
            section = reader.section(name)
            assert section is not None
            writer.begin(name, section.columns)
            for chunk in reader.chunks(section):
                subject = None if chunk.label is None else ring.whose(chunk.label)
                source_key = ring.own if subject is None else ring.of(subject)
                target_key = fresh.own if subject is None else fresh.of(subject)
                assert source_key is not None
                assert target_key is not None
                writer.add(target_key, None if subject is None else fresh.label(subject), chunk.rows, chunk.opened(source_key))
        about: dict[str, object] = {"days": [], "sequences": {}, "places": []}
        writer.finish(fresh.own, 3, {k: msgspec.Raw(msgspec.json.encode(v)) for k, v in about.items()})
