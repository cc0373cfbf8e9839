"""Commands at the gateway: limits are checked again, the machine is written once, and only its own reading counts."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping

from lineset_contract.control import NO_LIMITS, Action, Limits, check_command, holds, tightened
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import (
    FINAL_STATES,
    Command,
    Desired,
    Range,
    Reported,
    Result,
    ResultState,
    WireError,
    WireValue,
    decode,
)

from lineset_agent.clock import Clock, is_set
from lineset_agent.drivers import DriverError
from lineset_agent.hand import HandWatch
from lineset_agent.journal import Journal, Record
from lineset_agent.machines import Machines, Readings
from lineset_agent.outbox import Outbox
from lineset_agent.store import StoreError
from lineset_agent.tasks import end
from lineset_agent.troubles import Troubles

log = logging.getLogger(__name__)


class Control:
    """Carries out commands, one at a time for each machine. Start it within a running loop; `stop` ends its tasks."""

    def __init__(
        self,
        machines: Machines,
        journal: Journal,
        outbox: Outbox,
        hand: HandWatch,
        troubles: Troubles,
        clock: Clock,
        read_back_every: float,
        own_limits: Mapping[str, Mapping[str, Range]],
    ) -> None:
        self._machines = machines
        self._journal = journal
        self._outbox = outbox
        self._hand = hand
        self._troubles = troubles
        self._clock = clock
        self._every = read_back_every
        self._own_limits = own_limits
        self._desired = journal.desired()
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Go on with commands that a restart interrupted: what was written is only read back, never written again."""
        for record in self._journal.unfinished():
            self._start(self._carry_out(record))

    async def stop(self) -> None:
        """End the tasks; what is unfinished is resumed at the next start."""
        await end(list(self._tasks))

    async def on_command(self, payload: bytes) -> None:
        """A command from the cloud. One that is known gets its last result again, and nothing else happens."""
        try:
            command = decode(Command, payload)
        except WireError as error:
            self._troubles.report("bad_command", error.say)
            return
        known = self._journal.find(command.id)
        if known is None:
            self._journal.receive(command, self._clock.now())
            self._start(self._carry_out(Record(command, "acknowledged", None, None)))
        elif known.result is not None:
            self._journal.tell(known.result)

    async def on_desired(self, payload: bytes) -> None:
        """The desired twin: newer limits are kept; the answer says which version the agent keeps to."""
        try:
            desired = decode(Desired, payload)
        except WireError as error:
            self._troubles.report("bad_desired", error.say)
            return
        if self._desired is None or desired.version > self._desired.version:
            self._journal.keep_desired(desired)
            self._desired = desired
        self._outbox.add("reported", Reported(self._desired.version, self._clock.now(), self._journal.settings()))

    def limits_of(self, equipment: str) -> Limits:
        """The installer's limits and those that the cloud handed down for a machine; the profile's hold besides."""
        wanted = None if self._desired is None else self._desired.equipment.get(equipment)
        own = self._own_limits.get(equipment, {})
        if wanted is None:
            return Limits(equipment=own)
        return Limits(tightened(wanted.equipment_limits, own), wanted.site_limits)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, record: Record) -> None:
        command = record.command
        lock = self._locks.setdefault(command.e, asyncio.Lock())
        try:
            if record.result is None and record.written is None:
                answer = self._unwanted(command) or self._checked(command)
                if not isinstance(answer, Action):
                    return self._finish(command, *answer)
                self._tell(command, "acknowledged", "")
            async with lock:
                await self._under_lock(record)
        except StoreError as error:
            # Not finished: the next start, or the cloud's repetition, takes it up again.
            log.error("command %s: %s", command.id, error)  # noqa: TRY400
        return None

    async def _under_lock(self, record: Record) -> None:
        command = record.command
        if record.written is not None:
            return await self._after_restart(record, record.written)
        # again, because the commands before it took their time and may have changed what is allowed
        answer = self._unwanted(command) or self._checked(command)
        if not isinstance(answer, Action):
            return self._finish(command, *answer)
        before = self._machines.last.get(command.e, {}).get(answer.read_back.point)
        now = self._clock.now()
        self._journal.writing(command, now, answer.switches)
        if answer.setting is not None:
            self._hand.commanded(command.e, answer.setting, answer.value, answer.read_back.within)
        try:
            await self._machines.write(command.e, answer.write, answer.value)
        except DriverError as error:
            return self._finish(command, "failed", f"The machine could not be written: {error}")
        return await self._confirm(command, answer, now, before, answer.read_back.within)

    async def _after_restart(self, record: Record, written: float) -> None:
        """The machine may or may not have been written before the restart; its reading decides."""
        command = record.command
        profile = self._machines.profile_of(command.e)
        answer = None if profile is None else check_command(profile, NO_LIMITS, command.name, command.args)
        if not isinstance(answer, Action):
            return self._finish(command, "failed", "The gateway restarted during the command and lost the machine.")
        left = written + answer.read_back.within - self._clock.now()
        return await self._confirm(command, answer, written, None, max(0.0, left))

    async def _confirm(self, command: Command, action: Action, written: float, before: WireValue, within: float) -> None:
        """Read until the machine says what was asked for, at least once, at most `within` seconds."""
        until = self._clock.now() + within
        reading: WireValue = None
        while True:
            readings = await self._machines.poll()
            reading, done = self._judge(command, action, readings, written, before)
            if done:
                return self._finish(command, "succeeded", _reads(action, reading))
            if self._clock.now() + self._every > until:
                break
            await self._clock.sleep(self._every)
        waited = self._clock.now() - written
        self._finish(command, "failed", f"{_reads(action, reading)} {waited:.0f} s after the command.")
        return None

    def _judge(self, command: Command, action: Action, readings: Readings, written: float, before: WireValue) -> tuple[WireValue, bool]:
        values = readings.get(command.e, {})
        if action.setting is not None:
            reading = values.get(action.setting.point)
            return reading, holds(action.setting, action.value, reading)
        reading = values.get(action.read_back.point)
        if isinstance(reading, (bool, str)) or reading is None:
            return reading, False
        fell = isinstance(before, (int, float)) and reading < before
        return reading, fell or reading < self._clock.now() - written

    def _unwanted(self, command: Command) -> tuple[ResultState, str] | None:
        now = self._clock.now()
        if not is_set(now):
            return "refused", refuse("clock_not_set").say
        if now > command.expires:
            return "expired", refuse("expired").say
        return None

    def _checked(self, command: Command) -> Action | tuple[ResultState, str]:
        profile = self._machines.profile_of(command.e)
        if profile is None:
            return "refused", refuse("unknown_equipment", equipment=command.e).say
        switched = self._journal.last_switch(command.e)
        since = None if switched is None else self._clock.now() - switched
        current = {**self._journal.settings().get(command.e, {})}
        answer = check_command(profile, self.limits_of(command.e), command.name, command.args, current, since)
        return ("refused", answer.say) if isinstance(answer, Refusal) else answer

    def _finish(self, command: Command, state: ResultState, detail: str) -> None:
        assert state in FINAL_STATES  # noqa: S101
        self._tell(command, state, detail)

    def _tell(self, command: Command, state: ResultState, detail: str) -> None:
        self._journal.tell(Result(command.id, state, self._clock.now(), detail))


def _reads(action: Action, reading: WireValue) -> str:
    name = action.read_back.point if action.setting is None else action.setting.point
    if reading is None:
        return f"{name} has no reading"
    unit = "" if action.setting is None or not action.setting.unit else f" {action.setting.unit}"
    text = f"{reading:.6g}" if isinstance(reading, float) else str(reading)
    return f"{name} reads {text}{unit}"
