"""What has been erased, by id, kept on the message bus beside the subject keys: a restored backup loses it again by these."""

import nats.errors
import nats.js.errors

from lineset.kit.bus import TOMBSTONES_PREFIX, TOMBSTONES_STREAM, Bus, BusFault
from lineset.kit.subject_keys import contents, patiently


class Tombstones:
    """One entry for each erasure: its id, and ids and times alone as its content. A restart of the bus is waited out."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def put(self, erasure: str, content: bytes) -> None:
        """Keep an entry; it is on disk when this returns. The same erasure may be put again, and the last content counts.

        Raises:
            BusFault: the bus is away or refuses.
            ValueError: no id of an erasure.
        """
        if not erasure or not erasure.replace("-", "").isalnum():
            raise ValueError(f"{erasure!r} can't name an erasure")
        try:
            await patiently(lambda: self._bus.stream.publish(f"{TOMBSTONES_PREFIX}{erasure}", content, timeout=2))
        except nats.js.errors.APIError as error:
            raise BusFault("tombstones", f"The list of what was erased refused: {error}") from error

    async def everything(self) -> dict[str, bytes]:
        """Every entry by the id of its erasure.

        Raises:
            BusFault: the bus is away.
        """
        return await contents(self._bus, TOMBSTONES_STREAM, TOMBSTONES_PREFIX)
