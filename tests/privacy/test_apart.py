"""Two households, anything that happens between them in any order: what one erases never changes what the other is handed over."""

import asyncio
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lineset import messaging, schema
from lineset.kit.errors import NotFound
from lineset.privacy import Context, Person, Purpose, Subject, System, Target, ask_erasure
from lineset.privacy.erasure import carry_out
from lineset.privacy.exporting import rows
from lineset.privacy.paths import Whose
from lineset.sites import NewEquipment, accept_equipment, add_equipment, add_zone, offer_equipment
from lineset.telemetry.history import jobs
from sqlalchemy import text

from tests.privacy.canaries import plant
from tests.privacy.conftest import unforced
from tests.privacy.copying import rights
from tests.privacy.filling import Side
from tests.privacy.test_account_erasure import World, opened
from tests.support.engines import Engines

_LOST = ("site_id", "equipment_id")
"""In the list of downloads that a person made, the id of a thing that its present owner erased is lost; the download stays in the list."""
_DEEDS = ("machine", "zone", "transfer", "erase machine", "erase site", "erase device")
Deed = tuple[str, str]
_deeds = st.lists(st.tuples(st.sampled_from(_DEEDS), st.sampled_from("ab")), min_size=1, max_size=5)
_settings = settings(
    deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=(Phase.explicit, Phase.generate), max_examples=8
)
"""A try takes ten seconds and more, so what fails is told as it was found: making it shorter would take longer than all the rest."""


class Homes:
    """Two planted households on one platform, and what people do in them."""

    def __init__(self, world: World, sides: dict[str, Side]) -> None:
        self.world, self.sides = world, sides
        self.count = 0

    async def handed_over(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """All rows that the owner of a household would be handed over at this moment, and its readings."""
        side, register, door = self.sides[name], schema.register(), self.world.platform.door
        found: dict[str, list[dict[str, Any]]] = {}
        for kind, subject in ((Subject.PERSON, side.owner), (Subject.HOUSEHOLD, side.household)):
            for table in rows.tables_of(register, kind):
                pages = rows.read(door, rights(side.owner), register, table, Whose(kind, subject))
                found[f"{kind}/{table}"] = [row async for page in pages for row in page]
        found["household/access_log"] = [{k: v for k, v in row.items() if k != "seq"} for row in found["household/access_log"]]  # sealed
        found["person/exports"] = [{k: v for k, v in row.items() if k not in _LOST} for row in found["person/exports"]]
        frames = "SELECT f.* FROM access.read_frames(ARRAY(SELECT series_id FROM tenures WHERE household_id = :home), :begin, 'infinity') f"
        async with door.open(rights(side.owner)) as tx:
            asked = await tx.session.execute(text(frames), {"home": side.household, "begin": "2000-01-01"})
            found["frames"] = [dict(row._mapping) for row in asked]
        return found

    async def do(self, deed: str, name: str) -> None:
        """Something that the owner does; where what it takes is gone, nothing."""
        side, door = self.sides[name], self.world.platform.door
        acting = Context(Person(side.owner), Purpose.OPERATE)
        if deed == "transfer":
            await self._transfer(side, self.sides["b" if name == "a" else "a"])
        elif deed.startswith("erase"):
            kind = deed.partition(" ")[2]
            table = {"machine": "equipment", "site": "sites", "device": "gateways"}[kind]
            for id_ in (await self._ids(side, table))[:1]:
                await self.erase(name, Target(kind, id_))
        else:
            for site in (await self._ids(side, "sites"))[:1]:
                self.count += 1
                async with door.open(acting) as tx:
                    if deed == "zone":
                        await add_zone(tx, site, f"Zone {self.count}")
                    else:
                        await add_equipment(tx, site, NewEquipment(name=f"M{self.count}", type="heat_pump_air_air"))

    async def erase(self, name: str, target: Target) -> None:
        """Erase it at once, whole; the other household's copy stays as it was, row by row."""
        before = await self.handed_over("b" if name == "a" else "a")
        async with self.world.platform.door.open(rights(self.sides[name].owner)) as tx:
            erasure = await ask_erasure(tx, target, grace_days=0)
        assert await carry_out(self.world.shop, erasure) == "done"
        after = await self.handed_over("b" if name == "a" else "a")
        assert after.keys() == before.keys()
        for table, kept in before.items():
            assert after[table] == kept, table

    async def _transfer(self, giver: Side, taker: Side) -> None:
        door = self.world.platform.door
        machines, sites_ = await self._ids(giver, "equipment"), await self._ids(taker, "sites")
        if not machines or not sites_:
            return
        async with door.open(Context(Person(giver.owner), Purpose.OPERATE)) as tx:
            await offer_equipment(tx, machines[0], "taker@example.org")
        async with door.open(Context(System("mail"), Purpose.COMMUNICATE)) as tx:
            sent = next(mail for mail in await messaging.list_mails(tx, "https://x") if mail.to == "taker@example.org")
        token = re.search(r"token=([\w-]+)", sent.body)
        assert token
        await accept_equipment(door, token[1], taker.owner, sites_[0])

    async def _ids(self, side: Side, table: str) -> list[UUID]:
        async with self.world.platform.door.open(rights(side.owner)) as tx:
            query = f"SELECT id FROM {table} WHERE household_id = :home ORDER BY id"  # noqa: S608 - our own tables
            return list((await tx.session.execute(text(query), {"home": side.household})).scalars())


async def _happen(engines: Engines, address: str, folder: Path, deeds: list[Deed], last: str) -> None:
    async with opened(engines, address, folder) as world:
        sides = {}
        with unforced(address) as owner:
            for name in "ab":
                sides[name] = (await plant(owner, world.platform.vault, name)).side
            for statement in (
                "DELETE FROM audit_checkpoints",
                "DELETE FROM audit_leaves",
                "UPDATE access_log SET seq = NULL",
                "DELETE FROM holds",
            ):
                owner.execute(text(statement))
        homes = Homes(world, sides)
        for deed, name in deeds:
            await homes.do(deed, name)
        other = "b" if last == "a" else "a"
        assert any((await homes.handed_over(other)).values())
        await homes.erase(last, Target("account", sides[last].owner))
        with pytest.raises(NotFound):
            await homes.erase(last, Target("site", sides[other].ids["sites"]))


def _try(engines: Engines, template: str, deeds: list[Deed], last: str) -> None:
    with engines.database(template) as address, TemporaryDirectory() as folder:
        asyncio.run(_happen(engines, address, Path(folder), deeds, last))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ROUTES_LIVE_S", 0.0)


@pytest.mark.usefixtures("quick")
def test_DEL_02_a_machine_that_changed_hands_is_erased_by_one_and_stays_the_others(engines: Engines, template: str) -> None:
    _try(engines, template, [("transfer", "a"), ("machine", "b"), ("erase machine", "b"), ("zone", "a")], "a")


@pytest.mark.soak
@pytest.mark.usefixtures("quick")
@given(deeds=_deeds, last=st.sampled_from("ab"))
@pytest.mark.timeout(600)
@_settings
def test_DEL_02_whatever_one_household_erases_the_other_is_handed_over_the_same(
    engines: Engines, template: str, deeds: list[Deed], last: str
) -> None:
    _try(engines, template, deeds, last)
