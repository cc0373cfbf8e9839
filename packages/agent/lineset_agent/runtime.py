"""One agent: a driver, a disk buffer, a connection, control. Small enough that a process may hold fifty."""

import asyncio
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from lineset_contract.wire import Event, Frame

from lineset_agent import __version__, crash
from lineset_agent.buffer import Buffer, Depth
from lineset_agent.clock import Clock, SystemClock, is_set
from lineset_agent.config import STORE_FILE, AgentConfig, ConfigError, load_identity
from lineset_agent.control import Control
from lineset_agent.drivers import Driver
from lineset_agent.enrol import EnrolError, renew_if_due
from lineset_agent.frames import prepare
from lineset_agent.hand import HandWatch
from lineset_agent.journal import Journal
from lineset_agent.machines import Machines
from lineset_agent.outbox import Outbox
from lineset_agent.store import Store, StoreBrokenError, StoreError
from lineset_agent.tasks import together
from lineset_agent.troubles import Troubles
from lineset_agent.uplink import Uplink

log = logging.getLogger(__name__)

_HELD_IN_MEMORY = 5_000
"""Frames kept in memory while the disk takes none or the clock is not set; beyond it the oldest go, counted."""
_LOOK_AROUND_S = 600.0
_RENEW_EVERY_S = 3600.0
_DAYS_PROMISED = 30


class _Untimed(msgspec.Struct):
    frame: Frame
    steady: float
    wall: float


class Agent:
    """Reads a driver's machines every `poll_interval`, keeps each frame on disk until the cloud has it, carries out
    commands. `run` ends when it is cancelled, or with StoreError or ConfigError when the data folder is no use. Of any other error it
    leaves a report in the folder, which the next start sends; `recent` gives the last lines of the log for it."""

    def __init__(self, config: AgentConfig, driver: Driver, clock: Clock | None = None, recent: Callable[[], list[str]] = list) -> None:
        self.config = config
        self._driver = driver
        self._clock = clock or SystemClock()
        self._recent = recent
        self._parts: _Parts | None = None
        self._unsaved: list[Frame] = []
        self._untimed: list[_Untimed] = []
        self._lost = 0
        self._keeping = asyncio.Lock()
        self.started = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the cloud is reached now."""
        return self._parts is not None and self._parts.uplink.connected.is_set()

    @property
    def buffer(self) -> Buffer:
        """The disk buffer of a running agent. Raises RuntimeError before `started`."""
        if self._parts is None:
            raise RuntimeError("The agent is not running. Wait for `started`.")
        return self._parts.buffer

    def depth(self) -> Depth:
        """What the buffer of a running agent holds."""
        return self.buffer.depth()

    async def run(self) -> None:
        """Run until cancelled."""
        with _only_one(self.config.data), self._reporting():
            parts = self._parts = _Parts(self, self.config, self._driver, self._clock)
            try:
                await self._run(parts)
            finally:
                await asyncio.shield(parts.close())
                self._parts = None
                self.started.clear()

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except (StoreError, ConfigError):
            raise  # these say themselves what to do about the disk or the settings
        except Exception as error:
            crash.write(self.config.data, error, at=self._clock.now(), uptime_s=time.monotonic() - began, lines=self._recent())
            raise

    async def _run(self, parts: "_Parts") -> None:
        await parts.machines.look_around()
        parts.tell_inventory()
        parts.control.resume()
        self.started.set()
        await together(
            parts.uplink.run(),
            self._poll_forever(parts),
            self._look_around_forever(parts),
            self._renew_forever(parts),
        )

    async def _poll_forever(self, parts: "_Parts") -> None:
        interval = self.config.poll_interval
        while True:
            began = self._clock.now()
            await parts.machines.poll()
            # a clock that jumps must not stop the readings
            took = min(max(0.0, self._clock.now() - began), interval)
            await self._clock.sleep(interval - took)

    async def _look_around_forever(self, parts: "_Parts") -> None:
        warned = False
        while True:
            await self._clock.sleep(_LOOK_AROUND_S)
            if await parts.machines.look_around():
                parts.tell_inventory()
            days = await asyncio.to_thread(parts.buffer.days_of_room)
            if days is not None and days < _DAYS_PROMISED and not warned:
                warned = True
                parts.troubles.report("buffer_small", f"at this pace the buffer lasts {days:.1f} days without contact")

    async def _renew_forever(self, parts: "_Parts") -> None:
        identity = self.config.identity
        while True:
            try:
                if identity.server and await renew_if_due(identity, self.config.data):
                    parts.uplink.reconnect(load_identity(self.config.data))
            except (EnrolError, ConfigError) as error:
                parts.troubles.report("renewal_failed", str(error))
            await asyncio.sleep(_RENEW_EVERY_S)

    async def keep(self, parts: "_Parts", frames: list[Frame]) -> None:
        """Write frames to the buffer; what the disk does not take now is kept in memory and tried again."""
        good, left_out = prepare(frames)
        for refusal in left_out:
            parts.troubles.report(refusal.code, refusal.say)
        async with self._keeping:
            self._unsaved += self._timed(good)
            if not self._unsaved:
                return
            try:
                await asyncio.to_thread(parts.buffer.append, self._unsaved, self._clock.now())
                self._unsaved = []
                parts.uplink.frames_waiting()
                parts.watch()
            except StoreBrokenError:
                raise
            except StoreError as error:
                self._without_disk(parts, error)

    def _without_disk(self, parts: "_Parts", error: StoreError) -> None:
        excess = len(self._unsaved) - _HELD_IN_MEMORY
        if excess > 0:
            del self._unsaved[:excess]
            self._lost += excess
        parts.troubles.report("disk", f"{error} {len(self._unsaved)} frames wait in memory, {self._lost} are lost.")

    def _timed(self, frames: list[Frame]) -> list[Frame]:
        """Frames with believable times: those read before the clock was set wait until it is, then are shifted."""
        now, steady = self._clock.now(), time.monotonic()
        if not is_set(now):
            self._untimed += [_Untimed(frame, steady, now) for frame in frames]
            excess = len(self._untimed) - _HELD_IN_MEMORY
            if excess > 0:
                del self._untimed[:excess]
                self._lost += excess
            return []
        late = [msgspec.structs.replace(held.frame, t=held.frame.t + (now - held.wall) - (steady - held.steady)) for held in self._untimed]
        self._untimed = []
        return late + frames


class _Parts:
    """What a running agent is made of."""

    def __init__(self, agent: Agent, config: AgentConfig, driver: Driver, clock: Clock) -> None:
        self._clock = clock
        self.store = Store(config.data / STORE_FILE)
        self.outbox = Outbox(self.store)
        self.troubles = Troubles(self.outbox, clock)
        self.buffer = Buffer(self.store, config.buffer_bytes)
        self.journal = Journal(self.store, self.outbox)
        self.machines = Machines(driver, config.read_timeout, lambda frames: agent.keep(self, frames), self.troubles)
        self.hand = HandWatch(self.machines, self.journal, self.outbox, clock, config.hand_grace)
        self.control = Control(
            self.machines,
            self.journal,
            self.outbox,
            self.hand,
            self.troubles,
            clock,
            config.read_back_every,
            config.limits,
        )
        self.uplink = Uplink(config, self.buffer, self.outbox, clock, self.control.on_command, self.control.on_desired, self._hello)
        self.outbox.listener = self.uplink.parcels_waiting
        self._note_start()

    def watch(self) -> None:
        """Look for hand operation in the latest readings."""
        self.hand.observe(self.machines.last)

    def tell_inventory(self) -> None:
        """Tell the cloud what equipment there is."""
        items = [msgspec.to_builtins(item) for item in self.machines.inventory.values()]
        self.outbox.add("events", Event("inventory", self._clock.now(), None, {"equipment": items}))

    async def close(self) -> None:
        """Leave everything in order on the disk."""
        await self.control.stop()
        try:
            await self.uplink.farewell()
            self.store.set("running", "0")
        except StoreError as error:
            log.warning("%s", error)
        self.store.close()

    def _note_start(self) -> None:
        now = self._clock.now()

        def tell(at: float, detail: dict[str, object]) -> None:
            self.outbox.add("events", Event("crash", at, None, detail))

        if not crash.take(self.store.path.parent, tell) and self.store.get("running") == "1":
            self.outbox.add("events", Event("crash", now, None, {"say": "the agent did not end in order"}))
        if self.store.moved_aside is not None:
            detail: dict[str, object] = {"code": "buffer_unreadable", "kept_as": self.store.moved_aside.name}
            self.outbox.add("events", Event("error", now, None, detail))
        self.store.set("running", "1")

    def _hello(self) -> dict[str, object]:
        depth = self.buffer.depth()
        return {
            "agent": __version__,
            "epoch": self.buffer.epoch,
            "held_frames": depth.frames,
            "oldest": depth.oldest,
            "dropped_frames": int(self.store.get("dropped_frames") or 0),
        }


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Two agents on one buffer would number their messages over each other. Raises ConfigError."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(data / "agent.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise ConfigError(f"Another agent already runs with {data}. Stop it first.") from None
    try:
        yield
    finally:
        os.close(handle)
