"""The broker: messages that it hands out, and bytes that it does not hand out any more."""

import asyncio
import json

from lineset.kit.bus import Bus
from lineset.probing.canary import canary
from lineset.probing.run import Findings, probe
from nats.js.api import RetentionPolicy, StorageType, StreamConfig

from tests.support.engines import Engines

STREAM = "planted"


def look(engines: Engines, *texts: str) -> Findings:
    return probe(engines.settings, [canary(text) for text in texts])


def test_a_deleted_message_is_found_in_the_brokers_files_until_it_is_purged(installation: Engines) -> None:
    async def plant() -> int:
        bus = await Bus.connect(installation.settings, "test")
        await bus.stream.add_stream(
            StreamConfig(name=STREAM, subjects=["planted.>"], storage=StorageType.FILE, retention=RetentionPolicy.LIMITS)
        )
        await bus.stream.publish("planted.a", b'{"v": {"room_temperature": 21.5}}')
        await bus.stream.publish("planted.Zwergkoenig", b'{"v": {"room_temperature": 31.41593}}', headers={"Site": "Rumpelstilz"})
        await bus.stream.publish("planted.c", b'{"v": {"room_temperature": 21.5}}')
        await bus.close()
        return 2

    async def delete(number: int) -> None:
        """As the broker does it with what was acknowledged: without writing over it."""
        bus = await Bus.connect(installation.settings, "test")
        told = await bus.request(f"$JS.API.STREAM.MSG.DELETE.{STREAM}", json.dumps({"seq": number, "no_erase": True}).encode())
        assert json.loads(told)["success"]
        await bus.close()

    async def purge() -> None:
        bus = await Bus.connect(installation.settings, "test")
        await bus.stream.purge_stream(STREAM)
        await bus.close()

    texts = ("31.41593", "Rumpelstilz", "Zwergkoenig")
    message = f"stream {STREAM}, message {asyncio.run(plant())}"
    for places in look(installation, *texts).places:
        assert message in places["broker"]
        assert any(place.startswith("nats/") for place in places["broker"])
    asyncio.run(delete(2))
    for places in look(installation, *texts).places:
        assert message not in places["broker"]
        assert any(place.startswith("nats/") for place in places["broker"])
    asyncio.run(purge())
    assert look(installation, *texts).places == [{}, {}, {}]
