"""What tests of events do again and again: a home with a gateway, events told by it, what its people see."""

import time
from uuid import UUID

from lineset import control, gateways
from lineset.privacy import Context, Door, Purpose, System
from lineset_contract.wire import Event, EventKind, encode

from tests.functional.devices.world import Home, home

INGEST = Context(System("ingest"), Purpose.OPERATE)
HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
ENROLMENT = Context(System("enrolment"), Purpose.SECURITY)
FRAMES = ["lineset_agent/cli.py:120 run", "lineset_agent/runtime.py:101 _run", "pump/driver.py:7 ask"]


async def with_gateway(door: Door) -> tuple[Home, UUID]:
    """A home of its own with a gateway that has a token."""
    ours = await home(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic")).gateway
        await gateways.create_token(tx, gateway)
    return ours, gateway


async def tell(ingest: Door, gateway: UUID, kind: EventKind, detail: dict[str, object], *, e: str | None = None, t: float = 0.0) -> None:
    """The gateway says that this happened, now or at `t`."""
    await control.take(ingest, gateway, "events", encode(Event(kind, t or time.time(), e, detail)))


def crashed(version: str, say: str = "no answer from pump 3") -> dict[str, object]:
    """A crash report as the agent writes it."""
    return {"code": "crash", "type": "TimeoutError", "say": say, "frames": FRAMES, "agent": version, "uptime_s": 71, "log": ["INFO up"]}


async def troubles(door: Door, who: Context, *gateways_: UUID) -> list[gateways.Trouble]:
    """What goes wrong, as that person sees it."""
    async with door.open(who) as tx:
        return await gateways.troubles(tx, gateways=gateways_ or None)
