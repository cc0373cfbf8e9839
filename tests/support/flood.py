"""A device that keeps to no rule: it publishes as fast as its connection takes it, and listens to nobody."""

import asyncio
import itertools
from collections.abc import Iterable

from lineset_contract import topics

from tests.support.fleet import Gateway, Place


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2) + raw


def _packet(kind: int, body: bytes) -> bytes:
    length, n = bytearray(), len(body)
    while True:
        n, digit = divmod(n, 128)
        length.append(digit | (0x80 if n else 0))
        if not n:
            return bytes([kind]) + bytes(length) + body


class Flood:
    """One connection by MQTT 3.1.1 over TLS with the gateway's certificate. `sent`: bytes of payload so far."""

    def __init__(self, place: Place, gateway: Gateway) -> None:
        self._place = place
        self._gateway = gateway
        self.sent = 0
        self.messages = 0

    async def connect(self) -> None:
        """Connect. Raises ConnectionError when not let in."""
        port = self._place.settings.mqtt_port
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=self._place.tls(self._gateway), server_hostname="127.0.0.1"
        )
        self._writer.write(_packet(0x10, _text("MQTT") + bytes([4, 2, 0, 0]) + _text(str(self._gateway.id))))
        try:
            answer = await asyncio.wait_for(self._reader.readexactly(4), 30)
        except (asyncio.IncompleteReadError, OSError) as error:
            self.close()
            raise ConnectionError("not let in: the broker hung up") from error
        if answer[3]:
            self.close()
            raise ConnectionError(f"not let in: {answer.hex()}")

    async def run(self, payloads: Iterable[bytes], pause_s: float = 0.0) -> None:
        """Publish these again and again, until cancelled or cut off."""
        head = _text(topics.frames(str(self._gateway.id)))
        packets = [(len(payload), _packet(0x30, head + payload)) for payload in payloads]
        try:
            for size, packet in itertools.cycle(packets):
                self._writer.write(packet)
                await self._writer.drain()
                self.sent += size
                self.messages += 1
                await asyncio.sleep(pause_s)
        except OSError:
            pass  # cut off: that is one way to end a flood

    def close(self) -> None:
        """Disconnect."""
        self._writer.transport.abort()
