"""The messages that the broker's streams hold, as the broker hands them out."""

from collections.abc import AsyncIterator

import nats.errors
import nats.js.errors

from lineset.kit.bus import Bus, BusFault
from lineset.kit.settings import Settings
from lineset.probing.canary import Search
from lineset.probing.rows import Unreachable

_PATIENCE_S = 10.0


async def scan_streams(settings: Settings, search: Search) -> AsyncIterator[tuple[str, int, set[int]]]:
    """Search every message of every stream; yields for each the stream, the message's number and what was found in it.

    Raises:
        Unreachable: the bus does not answer.
    """
    try:
        bus = await Bus.connect(settings, "probe", patience_s=_PATIENCE_S)
    except BusFault as error:
        raise Unreachable("bus_away", f"{error.say}. Nothing is proven; start `lineset up`.") from error
    try:
        for info in await bus.stream.streams_info():
            name = info.config.name or ""
            number = info.state.first_seq
            while number <= info.state.last_seq:
                try:
                    message = await bus.stream.get_msg(name, seq=number, subject=">", next=True)
                except nats.js.errors.NotFoundError:
                    break
                number = message.seq or number
                told = "\n".join(f"{key}: {value}" for key, value in (message.headers or {}).items())
                whole = f"{message.subject}\n{told}\n".encode() + (message.data or b"")
                yield name, number, search.in_bytes(whole)
                number += 1
    except (nats.errors.Error, TimeoutError) as error:
        raise Unreachable("bus_away", f"The message bus does not answer: {error}. Nothing is proven; try again.") from error
    finally:
        await bus.close()
