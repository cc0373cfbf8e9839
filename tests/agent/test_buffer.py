"""The disk buffer by itself: numbers without a gap, nothing gone before it is acknowledged, nothing dropped in silence."""

import json
import os
import random
import stat
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from lineset_agent.buffer import Buffer
from lineset_agent.config import BUFFER_BYTES
from lineset_agent.frames import pack, prepare
from lineset_agent.outbox import Outbox
from lineset_agent.store import Store, StoreFullError
from lineset_contract.profiles import profile
from lineset_contract.wire import (
    MAX_FRAMES,
    MAX_MESSAGE_BYTES,
    MAX_POINTS_PER_FRAME,
    Ack,
    Frame,
    FrameMessage,
    Refused,
    decode,
)

T0 = 1_763_800_000.0


def frame(number: int, points: int = 1) -> Frame:
    return Frame(T0 + number, "hp1", {"run_time": number, **{f"p{i}": i * 1.5 for i in range(points - 1)}})


def messages(buffer: Buffer, limit: int = 10_000) -> list[FrameMessage]:
    return [decode(FrameMessage, message.payload) for message in buffer.read(0, limit, 1 << 30)]


def numbers(buffer: Buffer) -> list[object]:
    return [one.v["run_time"] for message in messages(buffer) for one in message.frames]


def test_messages_are_numbered_from_one_and_stay_over_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "agent.db")
    buffer = Buffer(store, 1 << 20)
    for number in range(5):
        assert buffer.append([frame(number)]) == 1
    epoch = buffer.epoch
    store.close()
    again = Buffer(Store(tmp_path / "agent.db"), 1 << 20)
    assert again.epoch == epoch
    assert [message.seq for message in messages(again)] == [1, 2, 3, 4, 5]
    assert {message.epoch for message in messages(again)} == {epoch}
    again.acknowledge(Ack(epoch, 5))
    again.append([frame(6)])
    assert [message.seq for message in messages(again)] == [6]


def test_the_file_is_the_owners_only(tmp_path: Path) -> None:
    Store(tmp_path / "deep" / "agent.db")
    assert stat.S_IMODE(os.stat(tmp_path / "deep" / "agent.db").st_mode) == 0o600


def test_only_what_is_acknowledged_is_deleted(tmp_path: Path) -> None:
    buffer = Buffer(Store(tmp_path / "agent.db"), 1 << 20)
    for number in range(10):
        buffer.append([frame(number)])
    buffer.acknowledge(Ack(buffer.epoch, 4))
    assert numbers(buffer) == [4, 5, 6, 7, 8, 9]
    buffer.acknowledge(Ack("another", 9))
    buffer.acknowledge(Ack(buffer.epoch, 2))
    assert numbers(buffer) == [4, 5, 6, 7, 8, 9]
    assert buffer.depth().frames == 6
    assert buffer.depth().oldest == T0 + 4


def test_an_acknowledgement_beyond_the_last_message_begins_a_new_epoch(tmp_path: Path) -> None:
    buffer = Buffer(Store(tmp_path / "agent.db"), 1 << 20)
    for number in range(3):
        buffer.append([frame(number)])
    before = buffer.epoch
    buffer.acknowledge(Ack(before, 400))
    assert buffer.epoch != before
    assert numbers(buffer) == [0, 1, 2]
    assert [message.seq for message in messages(buffer)] == [1, 2, 3]


def test_a_new_epoch_renumbers_what_is_held(tmp_path: Path) -> None:
    buffer = Buffer(Store(tmp_path / "agent.db"), 1 << 20)
    for number in range(6):
        buffer.append([frame(number)])
    buffer.acknowledge(Ack(buffer.epoch, 4))
    buffer.begin_epoch()
    assert [message.seq for message in messages(buffer)] == [1, 2]
    assert numbers(buffer) == [4, 5]


def test_TEL_02_a_full_buffer_drops_the_oldest_and_says_how_many(tmp_path: Path) -> None:
    store = Store(tmp_path / "agent.db")
    buffer = Buffer(store, 10_000)
    for number in range(400):
        buffer.append([frame(number)], now=T0)
    held = numbers(buffer)
    assert held == list(range(400 - len(held), 400))
    assert 30 < len(held) < 400
    assert buffer.depth().bytes <= 10_000
    assert [message.seq for message in messages(buffer)] == list(range(1, len(held) + 1))
    told = [json.loads(parcel.payload) for parcel in Outbox(store).first(1000)]
    assert all(event["kind"] == "error" and event["detail"]["code"] == "buffer_full" for event in told)
    assert sum(event["detail"]["frames"] for event in told) == 400 - len(held)
    assert told[-1]["detail"]["total"] == 400 - len(held)
    assert told[0]["detail"]["from"] == T0
    assert told[-1]["detail"]["to"] == T0 + 400 - len(held) - 1


def test_TEL_02_a_full_disk_keeps_the_newest_and_breaks_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "agent.db")
    buffer = Buffer(store, 1 << 30)
    with store.reading() as connection:
        connection.execute("PRAGMA max_page_count = 36").fetchall()
    noise = random.Random(1)
    for number in range(400):
        values = {f"p{i}": noise.random() for i in range(20)}
        buffer.append([Frame(T0 + number, "hp1", {"run_time": number, **values})], now=T0)
    held = numbers(buffer)
    assert held == list(range(400 - len(held), 400))
    assert 20 < len(held) < 400
    assert [message.seq for message in messages(buffer)] == list(range(1, len(held) + 1))
    told = [json.loads(parcel.payload)["detail"] for parcel in Outbox(store).first(1000)]
    assert sum(detail["frames"] for detail in told) == 400 - len(held)


def test_a_disk_without_any_room_is_an_error_and_loses_nothing_held(tmp_path: Path) -> None:
    store = Store(tmp_path / "agent.db")
    buffer = Buffer(store, 1 << 30)
    buffer.append([frame(0)])
    with store.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    noise = random.Random(1)
    big = [Frame(T0, "hp1", {f"p{i}": noise.random() for i in range(60)}) for _ in range(200)]
    epoch = buffer.epoch
    with pytest.raises(StoreFullError, match="Free some space"):
        buffer.append(big)
    assert numbers(buffer) == [0]
    assert buffer.epoch == epoch
    assert buffer.depth().messages == 1


def test_a_file_that_is_no_database_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "agent.db").write_bytes(b"this is no database at all " * 500)
    store = Store(tmp_path / "agent.db")
    assert store.moved_aside is not None
    assert store.moved_aside.read_bytes().startswith(b"this is no database")
    buffer = Buffer(store, 1 << 20)
    buffer.append([frame(1)])
    assert numbers(buffer) == [1]


def test_a_page_that_went_bad_is_noticed_and_the_next_start_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    store = Store(path)
    buffer = Buffer(store, 1 << 30)
    noise = random.Random(1)
    for number in range(300):
        buffer.append([Frame(T0 + number, "hp1", {f"p{i}": noise.random() for i in range(20)})])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 2))
    damaged = Store(path)
    with pytest.raises(Exception, match=r"Restart the agent|unreadable"):
        Buffer(damaged, 1 << 30).read(0, 1000, 1 << 30)
    damaged.close()
    fresh = Store(path)
    assert fresh.moved_aside is not None
    assert Buffer(fresh, 1 << 30).append([frame(1)]) == 1


def test_refusals_are_kept_once(tmp_path: Path) -> None:
    buffer = Buffer(Store(tmp_path / "agent.db"), 1 << 20)
    buffer.append([frame(1)])
    refused = [Refused(1, 0, "out_of_range", "too hot"), Refused(1, None, "rate", "slowly")]
    for _ in range(3):
        buffer.acknowledge(Ack(buffer.epoch, 1, refused))
    assert buffer.refusals() == sorted(refused, key=lambda one: one.index is not None)


def test_frames_are_packed_within_the_limits_of_a_message() -> None:
    small = pack([frame(number) for number in range(450)])
    assert [len(group) for group, _ in small] == [MAX_FRAMES, MAX_FRAMES, 50]
    large = pack([Frame(T0, "hp1", {f"point_number_{i}": 1 / 3 for i in range(64)}) for _ in range(100)])
    assert len(large) > 1
    assert all(len(payload) < MAX_MESSAGE_BYTES - 200 for _, payload in large)


def test_what_the_wire_cannot_carry_is_left_out_with_a_reason() -> None:
    wide = Frame(T0, "hp1", {f"p{i}": i for i in range(2 * MAX_POINTS_PER_FRAME + 22)})
    bad = Frame(T0, "hp1", {"ok": 1, "nan": float("nan"), "Bad": 1, "long": "x" * 9999, "huge": 10**400})
    good, left_out = prepare([wide, bad, Frame(float("inf"), "hp1", {"a": 1}), Frame(T0, "", {"a": 1})])
    assert [len(one.v) for one in good] == [MAX_POINTS_PER_FRAME, MAX_POINTS_PER_FRAME, 22, 1]
    assert [refusal.code for refusal in left_out] == [
        "not_finite", "bad_name", "wrong_type", "not_finite", "not_finite", "bad_name",
    ]  # fmt: skip


def test_TEL_02_the_buffer_holds_thirty_days(tmp_path: Path) -> None:
    """Three machines, 20 points each, every 10 s: 30 days fit into the default size, counted at what an hour takes."""
    buffer = Buffer(Store(tmp_path / "agent.db"), BUFFER_BYTES)
    noise = random.Random(7)
    names = list(profile("heat_pump_air_water").points)[:20]
    for tick in range(360):
        frames = [Frame(T0 + tick * 10, e, {name: round(20 + noise.gauss(0, 5), 2) for name in names}) for e in ("hp1", "tank1", "pump1")]
        buffer.append(frames)
    days = buffer.days_of_room()
    assert days is not None
    assert days > 30


class BufferMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order: what is held is exactly what was written and not yet acknowledged."""

    @initialize()
    def begin(self) -> None:
        import tempfile  # noqa: PLC0415

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "agent.db"
        self.open()
        self.held: list[tuple[int, ...]] = []
        self.acked_in_epoch = 0
        self.count = 0

    def open(self) -> None:
        self.store = Store(self.path)
        self.buffer = Buffer(self.store, 1 << 30)

    @rule(size=st.integers(1, 3))
    def append(self, size: int) -> None:
        group = tuple(range(self.count, self.count + size))
        self.count += size
        assert self.buffer.append([frame(number) for number in group]) == 1
        self.held.append(group)

    @rule(share=st.floats(0, 1))
    def acknowledge(self, share: float) -> None:
        through = self.acked_in_epoch + round(share * len(self.held))
        del self.held[: through - self.acked_in_epoch]
        self.buffer.acknowledge(Ack(self.buffer.epoch, through))
        self.acked_in_epoch = through

    @rule(back=st.integers(0, 3))
    def acknowledge_late(self, back: int) -> None:
        self.buffer.acknowledge(Ack(self.buffer.epoch, max(0, self.acked_in_epoch - back)))

    @rule()
    def acknowledge_too_much(self) -> None:
        before = self.buffer.epoch
        self.buffer.acknowledge(Ack(before, self.acked_in_epoch + len(self.held) + 1))
        assert self.buffer.epoch != before
        self.acked_in_epoch = 0

    @rule()
    def new_epoch(self) -> None:
        self.buffer.begin_epoch()
        self.acked_in_epoch = 0

    @rule()
    def restart(self) -> None:
        before = self.buffer.epoch
        self.store.close()
        self.open()
        assert self.buffer.epoch == before

    @invariant()
    def holds_exactly(self) -> None:
        found = messages(self.buffer)
        assert [tuple(one.v["run_time"] for one in message.frames) for message in found] == self.held
        first = self.acked_in_epoch + 1
        assert [message.seq for message in found] == list(range(first, first + len(self.held)))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


BufferMachine.TestCase.settings = hypothesis_settings(max_examples=25, stateful_step_count=25, deadline=None)
TestBufferMachine = BufferMachine.TestCase
