"""A cluster under load loses a server, an ingest process, or the network of one server; judged by the senders' own ledgers."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from tests.cluster.world import Cluster, Watch, until, watching
from tests.support.fleet import Gateway
from tests.support.judge import judge
from tests.support.sender import Sender

pytestmark = [pytest.mark.timeout(400)]

KEEPALIVE_S = 5
Fault = Callable[[Cluster], Awaitable[None]]


async def kill_nats(cluster: Cluster) -> None:
    name = f"{random.choice('abc')}/nats"
    cluster.loopback.kill(name)
    await asyncio.sleep(random.uniform(2, 8))
    cluster.loopback.start(name)


async def kill_ingest(cluster: Cluster) -> None:
    name = f"{random.choice('ab')}/ingest-1"
    cluster.loopback.kill(name)
    await asyncio.sleep(random.uniform(0, 4))
    cluster.loopback.start(name)


async def partition_nats(cluster: Cluster) -> None:
    """Longer than anybody waits for a silent server, so that all give it up, and it comes back with what it knew before."""
    name = f"{random.choice('abc')}/nats"
    cluster.loopback.freeze(name)
    await asyncio.sleep(random.uniform(20, 30))
    cluster.loopback.thaw(name)


async def one_after_the_other(cluster: Cluster) -> None:
    cluster.loopback.kill("b/nats")
    cluster.loopback.kill("a/ingest-1")
    await asyncio.sleep(1)
    cluster.loopback.start("a/ingest-1")
    cluster.loopback.start("b/nats")


FAULTS: dict[str, Fault] = {"nats": kill_nats, "ingest": kill_ingest, "partition": partition_nats}


async def _under_load(cluster: Cluster, fleet: list[Gateway], fault: Fault, messages: int, rate: float) -> tuple[list[Sender], Watch]:
    # times of its own for each run, so that no run meets the rows of another
    start = time.time() - random.randrange(100_000, 5_000_000)
    ports = cluster.ports
    senders = [
        Sender(cluster, gateway, start=start, ports=ports[n % 3 :] + ports[: n % 3], keepalive=KEEPALIVE_S)
        for n, gateway in enumerate(fleet)
    ]
    async with watching(cluster) as watch:
        running = asyncio.gather(*(sender.run(messages, rate) for sender in senders))
        await until(lambda: all(sender.ledger.through >= 10 for sender in senders), 60, "the load flows from each gateway")
        await until(lambda: watch.seen >= 2, 10, "somebody looks at the pages")
        await fault(cluster)
        await asyncio.wait_for(running, 150)
    return senders, watch


def longest_silence(*senders: Sender) -> float:
    """The longest time in which none of these gateways was told that something is stored, in s."""
    times = sorted(at for sender in senders for at in sender.ledger.acked.values())
    return max(after - before for before, after in pairwise(times))


def _round(cluster: Cluster, fleet: list[Gateway], fault: Fault, messages: int, rate: float) -> None:
    senders, watch = asyncio.run(_under_load(cluster, fleet, fault, messages, rate))
    verdict = judge(cluster, senders)
    silence, one = longest_silence(*senders), max(longest_silence(sender) for sender in senders)
    print(f"frames silent {silence:.1f} s, of one gateway {one:.1f} s, pages {watch.pages:.1f} s, not ready {watch.ready:.1f} s, {verdict}")
    assert verdict == {"judged": len(fleet) * messages * 2, "lost": 0, "doubled": 0, "gaps": 0}
    assert not [refused for sender in senders for refused in sender.ledger.refused]
    assert silence < 15
    assert one < 60
    assert watch.pages < 5
    assert watch.ready < 20


def test_TEL_02_a_cluster_goes_on_without_one_server_and_one_ingest_process(cluster: Cluster, fleet: list[Gateway]) -> None:
    _round(cluster, fleet, one_after_the_other, messages=200, rate=20)


@pytest.mark.soak
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("number", range(10))
def test_TEL_02_ten_rounds_of_each_fault_on_a_cluster(cluster: Cluster, fleet: list[Gateway], name: str, number: int) -> None:
    del number
    _round(cluster, fleet, FAULTS[name], messages=1000, rate=40)
