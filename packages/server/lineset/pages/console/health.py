"""Whether each role of the platform works, asked of the roles themselves."""

import asyncio
import json
import time

import msgspec

from lineset.kit.bus import Bus, BusFault
from lineset.privacy import Context
from lineset.privacy.rights import totals

from ..common.edge import Edge

PATIENCE_S = 1.0


class Part(msgspec.Struct, frozen=True):
    """One part of the platform. `counts` are what it says of itself since it started; `say` is what is wrong, in its own words."""

    name: str
    works: bool
    ms: int
    counts: dict[str, int] = {}
    say: str = ""


async def look(here: Edge, context: Context) -> tuple[list[Part], dict[str, int]]:
    """The state of every part, and the totals, which show that the database answers."""
    (database, numbers), ingest, worker = await asyncio.gather(
        _database(here, context), _role(here.bus, "ingest"), _role(here.bus, "worker")
    )
    bus = Part("bus", here.bus.connected, 0)
    return [Part("web", True, 0), database, bus, ingest, worker], numbers


async def _database(here: Edge, context: Context) -> tuple[Part, dict[str, int]]:
    begun = time.perf_counter()
    async with here.door.open(context) as tx:
        numbers = await totals(tx)
    return Part("database", True, _since(begun)), numbers


async def _role(bus: Bus, name: str) -> Part:
    begun = time.perf_counter()
    try:
        answer = await bus.request(f"health.{name}", timeout_s=PATIENCE_S)
    except BusFault as error:
        return Part(name, False, _since(begun), say=error.say)
    return Part(name, True, _since(begun), _numbers(answer))


def _numbers(answer: bytes) -> dict[str, int]:
    try:
        said = json.loads(answer or b"{}")
    except ValueError:
        return {}
    return {key: value for key, value in said.items() if type(value) is int} if isinstance(said, dict) else {}


def _since(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)
