"""`kill -9` of each process at a random instant under load, judged by the senders' own ledgers."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.fleet import Gateway, Rig, gateways, rig
from tests.support.judge import judge
from tests.support.sender import Sender

GATEWAYS = 10
MESSAGES = 500  # a sender; two frames each
RATE = 60.0  # messages a second and sender: 1,200 frames a second in all


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, list[Gateway]]]:
    with rig(tmp_path_factory.mktemp("kill") / "data") as made:
        fleet = gateways(made, GATEWAYS)
        made.start("ingest", "ingest-1")
        made.start("ingest", "ingest-2")
        made.wait("ingest")
        yield made, fleet


def kill_one_of_two_ingests(made: Rig) -> None:
    made.kill("ingest-1")
    made.start("ingest", "ingest-1")


def kill_nats(made: Rig) -> None:
    for pid in made.nats.pids.values():
        os.kill(pid, signal.SIGKILL)
    made.nats.stop()
    made.nats.start()


def kill_postgres(made: Rig) -> None:
    os.kill(made.postgres.pid, signal.SIGKILL)
    made.postgres.stop()
    made.postgres.start()


FAULTS: dict[str, Callable[[Rig], None]] = {
    "ingest": kill_one_of_two_ingests,
    "nats": kill_nats,
    "postgres": kill_postgres,
}


async def _under_load(made: Rig, fleet: list[Gateway], fault: Callable[[Rig], None]) -> list[Sender]:
    # Times of its own for each run, so that no run meets the rows of another.
    start = time.time() - random.randrange(100_000, 5_000_000)
    senders = [Sender(made, g, start=start) for g in fleet]
    running = asyncio.gather(*(s.run(MESSAGES, RATE) for s in senders))
    while sum(s.ledger.through for s in senders) < GATEWAYS * 20:
        await asyncio.sleep(0.05)  # until the load flows
    await asyncio.sleep(random.uniform(0, 4))
    fault(made)  # in this thread: what it starts ends with the thread that started it
    await asyncio.wait_for(running, 150)
    return senders


def _round(made: Rig, fleet: list[Gateway], name: str) -> None:
    senders = asyncio.run(_under_load(made, fleet, FAULTS[name]))
    verdict = judge(made, senders)
    assert verdict == {"judged": GATEWAYS * MESSAGES * 2, "lost": 0, "doubled": 0, "gaps": 0}
    assert not [r for s in senders for r in s.ledger.refused]


@pytest.mark.parametrize("name", FAULTS)
def test_TEL_02_kill_minus_nine_loses_and_doubles_nothing(platform: tuple[Rig, list[Gateway]], name: str) -> None:
    _round(*platform, name)


@pytest.mark.soak
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("number", range(20))
def test_TEL_02_twenty_rounds_of_each(platform: tuple[Rig, list[Gateway]], name: str, number: int) -> None:
    del number
    _round(*platform, name)


def test_the_judge_finds_what_is_lost(platform: tuple[Rig, list[Gateway]], tmp_path: Path) -> None:
    """A judge that never finds anything proves nothing: an acknowledged message that was not stored is found."""
    made, fleet = platform
    sender = Sender(made, fleet[0], start=time.time() - 6_000_000)
    sender.ledger.frames[1] = [("hp0", 1_700_000_000.0)]
    sender.ledger.acked[1] = 0.0
    sender.ledger.gaps = 1
    found = judge(made, [sender])
    assert found["lost"] == 1
    assert found["gaps"] == 1
