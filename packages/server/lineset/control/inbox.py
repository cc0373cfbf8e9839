"""The way in for everything that a gateway says besides its frames: read, handed on, or refused where its people see it."""

from uuid import UUID

from lineset_contract.wire import Event, Reported, Result, Status, WireError, decode

from lineset import gateways
from lineset.control.results import settle, take_reported
from lineset.kit.clock import now
from lineset.privacy import Context, Door, Purpose, System, Tx

CHANNELS = ("events", "status", "results", "reported")
"""The channels of a gateway's topics that `take` understands."""
INGEST = Context(System("ingest"), Purpose.OPERATE)


async def take(door: Door, gateway_id: UUID, channel: str, payload: bytes) -> None:
    """Take one message of a gateway in a transaction of its own. It may come more than once.

    A message that can't be read is kept as an error of the gateway, with the reason. Raises what the database raises, so that the caller
    leaves the message in the broker's keeping.
    """
    async with door.open(INGEST) as tx:
        try:
            await _hand_on(tx, gateway_id, channel, payload)
        except WireError as error:
            detail: dict[str, object] = {"code": error.code, "say": error.say, "channel": channel}
            await gateways.record_event(tx, gateway_id, Event("error", now().timestamp(), None, detail))


async def _hand_on(tx: Tx, gateway_id: UUID, channel: str, payload: bytes) -> None:
    if channel == "events":
        await gateways.record_event(tx, gateway_id, decode(Event, payload))
    elif channel == "status":
        await gateways.record_status(tx, gateway_id, decode(Status, payload))
    elif channel == "results":
        await settle(tx, gateway_id, decode(Result, payload))
    elif channel == "reported":
        await take_reported(tx, gateway_id, decode(Reported, payload))
    else:
        raise ValueError(f"{channel!r} is none of {', '.join(CHANNELS)}")
