"""Hand operation: a set point that changes at the machine without a command is reported, because locals win."""

from lineset_contract.control import holds
from lineset_contract.points import POINTS
from lineset_contract.profiles import Setting
from lineset_contract.wire import Event, WireValue

from lineset_agent.clock import Clock
from lineset_agent.journal import Journal
from lineset_agent.machines import Machines, Readings
from lineset_agent.outbox import Outbox


class HandWatch:
    """Compares each reading of a setting with the last one, across restarts too."""

    def __init__(self, machines: Machines, journal: Journal, outbox: Outbox, clock: Clock, grace: float) -> None:
        self._machines = machines
        self._journal = journal
        self._outbox = outbox
        self._clock = clock
        self._grace = grace
        self._commanded: dict[tuple[str, str], tuple[float | str, float]] = {}

    def commanded(self, equipment: str, setting: Setting, value: float | str, within: float) -> None:
        """A command is about to set this: for its time and `grace` seconds more that value is no hand operation."""
        self._commanded[equipment, setting.name] = (value, self._clock.now() + within + self._grace)

    def observe(self, readings: Readings) -> None:
        """Look at readings and put a hand operation into the outbox. Raises StoreError."""
        for equipment, values in readings.items():
            profile = self._machines.profile_of(equipment)
            if profile is not None:
                for setting in profile.settings.values():
                    self._observe(equipment, setting, values.get(setting.point))

    def _observe(self, equipment: str, setting: Setting, reading: WireValue) -> None:
        value = _plain(setting, reading)
        before = self._journal.setting(equipment, setting.name)
        if value is None or (before is not None and _same(setting, before, value)):
            return
        self._journal.keep_setting(equipment, setting.name, value)
        if before is not None and not self._ours(equipment, setting, value):
            detail: dict[str, object] = {"setting": setting.name, "from": before, "to": value}
            self._outbox.add("events", Event("hand_operation", self._clock.now(), equipment, detail))

    def _ours(self, equipment: str, setting: Setting, value: float | str) -> bool:
        commanded = self._commanded.get((equipment, setting.name))
        if commanded is None:
            return False
        wanted, until = commanded
        return self._clock.now() <= until and holds(setting, wanted, value)


def _plain(setting: Setting, reading: WireValue) -> float | str | None:
    """A reading as the setting's own kind: a word or a number; None if it is neither."""
    if setting.choices:
        if isinstance(reading, str) or reading is None:
            return reading
        return POINTS[setting.point].word(reading)
    return None if reading is None or isinstance(reading, (bool, str)) else float(reading)


def _same(setting: Setting, before: WireValue, value: float | str) -> bool:
    if isinstance(value, str) or isinstance(before, (bool, str)) or before is None:
        return before == value
    # a machine that keeps whole degrees Fahrenheit reads back a little off
    return abs(before - value) <= setting.step / 4
