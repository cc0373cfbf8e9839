"""Ingestion under pressure: a database that stands still, and devices that keep to no rule. On real engines, over the real wire."""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from lineset.kit.addresses import owner_url
from lineset.telemetry.fair import MAX_BYTES

from tests.support.fleet import Gateway, Rig, gateways, rig
from tests.support.flood import Flood
from tests.support.judge import judge
from tests.support.sender import Sender

QUIET = 5


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, list[Gateway]]]:
    with rig(tmp_path_factory.mktemp("pressure") / "data") as made:
        fleet = gateways(made, QUIET + 7)
        made.start("ingest")
        made.wait("ingest")
        yield made, fleet


def resident(pid: int) -> int:
    """Bytes of memory that a process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    children = [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    return [pid, *(p for child in children for p in tree(child))]


def past() -> float:
    """A time of its own for each test, so that none meets the rows of another."""
    return time.time() - random.randrange(100_000, 5_000_000)


def large(frames: int, *, points: int = 30, epoch: str = "big") -> list[bytes]:
    """Well-formed messages with this many frames each."""
    start = past()
    values = {f"p{n}": 1.5 for n in range(points)}
    return [
        msgspec.json.encode(
            {"epoch": epoch, "seq": seq, "frames": [{"t": start - seq * frames - n, "e": "hp0", "v": values} for n in range(frames)]}
        )
        for seq in range(1, 65)
    ]


@contextlib.asynccontextmanager
async def flooding(made: Rig, floods: list[tuple[Gateway, list[bytes], float]]) -> AsyncIterator[list[Flood]]:
    """These gateways send these messages again and again, with that pause after each."""
    running = []
    for gateway, payloads, pause_s in floods:
        flood = Flood(made, gateway)
        await flood.connect()
        running.append((flood, asyncio.create_task(flood.run(payloads, pause_s))))
    try:
        yield [flood for flood, _ in running]
    finally:
        for flood, task in running:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            flood.close()


async def until(true: object, patience_s: float = 60.0) -> None:
    """Wait until it says so."""
    end = time.monotonic() + patience_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came to pass"
        await asyncio.sleep(0.05)


def test_TEL_02_a_database_that_stands_still_costs_neither_memory_nor_readings(platform: tuple[Rig, list[Gateway]]) -> None:
    made, fleet = platform
    ingest = made.roles["ingest"].pid
    senders = [Sender(made, gateway, start=past()) for gateway in fleet[:QUIET]]

    async def scene() -> tuple[int, int, int]:
        running = asyncio.gather(*(s.run(400, 20.0) for s in senders))
        # more than may wait of one gateway; who keeps at it is cut off
        payloads = [(gateway, [b"[" + bytes(60_000)], 0.015) for gateway in fleet[QUIET : QUIET + 4]]
        async with flooding(made, payloads) as floods:
            await until(lambda: all(s.ledger.through > 20 for s in senders))
            before, sent = resident(ingest), sum(f.sent for f in floods)
            stopped = tree(made.postgres.pid)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            try:
                peak, end = before, time.monotonic() + 10
                while time.monotonic() < end:
                    await asyncio.sleep(0.2)
                    peak = max(peak, resident(ingest))
                offered = sum(f.sent for f in floods) - sent
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)
        await asyncio.wait_for(running, 120)
        return before, peak, offered

    before, peak, offered = asyncio.run(scene())
    assert offered > 10_000_000, "there was pressure"
    assert peak - before < MAX_BYTES + 48 * 2**20
    assert judge(made, senders) == {"judged": QUIET * 400 * 2, "lost": 0, "doubled": 0, "gaps": 0}


def waits(sender: Sender) -> list[float]:
    """Seconds from sending to acknowledgement, of each message."""
    return [sender.ledger.acked[seq] - sender.ledger.sent[seq] for seq in sender.ledger.acked]


def test_two_devices_at_their_limits_with_large_and_with_unreadable_messages_do_not_delay_a_quiet_one(
    platform: tuple[Rig, list[Gateway]],
) -> None:
    made, fleet = platform
    alone, beside = Sender(made, fleet[0], start=past()), Sender(made, fleet[1], start=past())

    async def scene() -> None:
        await alone.run(50, 10.0)
        # 640 frames a second, which is more than one may, and 16 messages a second that nobody can read
        hostile = [(fleet[QUIET + 4], large(64), 0.1), (fleet[QUIET + 5], [b"{" + b"x" * 60_000], 0.06)]
        async with flooding(made, hostile) as floods:
            await until(lambda: all(f.messages > 5 for f in floods))
            await asyncio.wait_for(beside.run(100, 10.0), 120)
            assert all(f.messages > 40 for f in floods)

    asyncio.run(scene())
    slowed = statistics.median(waits(beside)) - statistics.median(waits(alone))
    assert slowed < 0.5
    assert statistics.quantiles(waits(beside), n=100)[98] < max(1.0, 2 * max(waits(alone)))
    assert not beside.ledger.refused


def test_a_device_that_floods_is_cut_off_and_not_let_in_again(platform: tuple[Rig, list[Gateway]]) -> None:
    made, fleet = platform
    flooder, sender = fleet[QUIET + 6], Sender(made, fleet[2], start=past())

    async def scene() -> None:
        flood = Flood(made, flooder)
        await flood.connect()
        sending = asyncio.create_task(sender.run(60, 10.0))
        await asyncio.wait_for(flood.run(large(80, epoch="flood")), 120)  # ends when the connection is cut
        flood.close()
        with pytest.raises(ConnectionError, match="not let in"):
            await Flood(made, flooder).connect()
        await asyncio.wait_for(sending, 120)

    asyncio.run(scene())
    assert judge(made, [sender])["lost"] == 0
    with psycopg.connect(owner_url(made.settings)) as owner:
        owner.execute("ALTER TABLE refusals NO FORCE ROW LEVEL SECURITY")
        rows = owner.execute("SELECT count(*), sum(times) FROM refusals WHERE gateway_id = %s AND code = 'rate'", [flooder.id]).fetchone()
        owner.rollback()
    assert rows is not None
    assert rows[0] <= 2, "counted, not a row each"
    assert rows[1] > 100
