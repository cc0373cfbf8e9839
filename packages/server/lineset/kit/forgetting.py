"""Taking single messages out of the streams that the broker keeps by itself."""

from collections.abc import Collection

import nats.errors
import nats.js.errors

from lineset.kit.bus import Bus, BusFault
from lineset.kit.subject_keys import patiently

_WAIT_S = 12.0


async def find_messages(bus: Bus, stream: str, marks: Collection[bytes]) -> list[int]:
    """The places in a stream of messages that have one of these texts in subject or content; none where there is no such stream.

    The whole stream is read: it is for streams with a message or two for each device.

    Raises:
        BusFault: the bus is away, or stopped answering on the way.
    """
    try:
        info = await patiently(lambda: bus.stream.stream_info(stream))
    except nats.js.errors.NotFoundError:
        return []
    if not info.state.messages or not marks:
        return []
    found = []
    reading = await bus.stream.subscribe(">", stream=stream, ordered_consumer=True)
    try:
        while True:
            message = await reading.next_msg(timeout=_WAIT_S)
            subject = message.subject.encode()
            if any(mark in subject or mark in message.data for mark in marks):
                found.append(message.metadata.sequence.stream)
            if message.metadata.num_pending == 0:
                return found
    except (nats.errors.Error, TimeoutError) as error:
        raise BusFault("stream_away", f"The stream {stream} stopped answering while it was read: {error}") from error
    finally:
        await reading.unsubscribe()


async def forget_messages(bus: Bus, stream: str, marks: Collection[bytes]) -> int:
    """Overwrite the messages that `find_messages` finds; how many.

    Raises:
        BusFault: the bus is away or refuses.
    """
    places = await find_messages(bus, stream, marks)
    for place in places:
        try:
            await patiently(lambda place=place: bus.stream.delete_msg(stream, place))  # type: ignore[misc]
        except nats.js.errors.NotFoundError:
            continue
        except nats.js.errors.APIError as error:
            raise BusFault("stream_refused", f"The stream {stream} did not erase: {error}") from error
    return len(places)
