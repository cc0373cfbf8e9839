"""The thermostat's part of a zone: set points, schedule and holds, and when it calls for heat or cooling."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec
from lineset_contract.points import POINTS

from ..house import Zone
from .base import Surroundings, Worst

MODE = POINTS["system_mode"].codes
FAN = POINTS["fan_mode"].codes
CALL = POINTS["thermostat_call"].codes
FREEZE_DEGC = 7.0  # below this there is heat, whatever the mode
HOLD_S = 2.0 * 3600.0
RECOVERY_K_S = 1.4 / 3600.0  # how fast the target follows the schedule, so that backup heat is not called each morning
AWAY_HEATING, AWAY_COOLING = 13.0, 30.0
_HEATS = (float(MODE["heating"]), float(MODE["auto"]), float(MODE["emergency_heat"]))
_COOLS = (float(MODE["cooling"]), float(MODE["auto"]), float(MODE["dry"]))


class ControlState(msgspec.Struct):
    """`heating` and `cooling`: set points in force (degC); `target_*`: what is steered to now; `held`: when people set
    one by hand (s since 1970, 0 for not); `mode`, `fan`, `vacation`: codes; `heat`, `cool`: whether there is a call,
    since `since` s; `demand`: size of the call (0 to 1); `behind`: s for which the heat has not kept up; `bias`: error
    of the room sensor (K)."""

    heating: float
    cooling: float
    target_heating: float
    target_cooling: float
    mode: float
    fan: float = 0.0
    vacation: float = 0.0
    held: float = 0.0
    comfort: bool = True
    heat: bool = False
    cool: bool = False
    since: float = 3600.0
    demand: float = 0.0
    integral: float = 0.3
    behind: float = 0.0
    bias: float = 0.0


class Control:
    """The control of one zone. A machine that `modulates` follows the demand; another is switched within `band` K and
    rests and runs for a least time (s). `short` (0 to 1) is how far a fault has taken band and rest away; `fight` (0 to 1)
    how far a fault lets it cool below the heating set point of its zone; `crossed` how far (of 2 K) the cooling set point of a second
    thermostat lies below the heating set point, so that the machines undo what the other has done."""

    columns: ClassVar[tuple[str, ...]] = ("set_heating", "set_cooling", "set_mode", "set_fan", "set_vacation", "call_heat", "call_cool")

    def __init__(self, zone: Zone, around: Surroundings) -> None:
        self.zone, self.around = zone, around
        spec = zone.spec
        self.state = ControlState(spec.heating, spec.cooling, spec.heating, spec.cooling, float(MODE[spec.mode]))
        self.modulates = False
        self.band, self.rest, self.least = 0.35, 300.0, 240.0
        self._short, self._fight, self._crossed = Worst(), Worst(), Worst()
        self.short = self.fight = self.crossed = 0.0

    def suffer(self, owner: str, faults: Mapping[str, float]) -> None:
        """Takes on short cycling and fighting that the machine `owner` has (severities by name)."""
        self._short.take(owner, faults.get("short_cycling", 0.0))
        self._fight.take(owner, faults.get("simultaneous_heating_cooling", 0.0))
        self._crossed.take(owner, faults.get("thermostat_fighting", 0.0))
        self.short, self.fight, self.crossed = self._short.value, self._fight.value, self._crossed.value

    def row(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return s.heating, s.cooling, s.mode, s.fan, s.vacation, float(s.heat), float(s.cool)

    def set_heating(self, value: float) -> None:
        """Sets the heating set point (degC) by hand; the schedule takes over at its first change after HOLD_S."""
        s = self.state
        s.heating = s.target_heating = value
        s.cooling = s.target_cooling = max(s.cooling, value + 1.5)
        s.held = self.around.t

    def set_cooling(self, value: float) -> None:
        """Sets the cooling set point (degC) by hand, as `set_heating`."""
        s = self.state
        s.cooling = s.target_cooling = value
        s.heating = s.target_heating = min(s.heating, value - 1.5)
        s.held = self.around.t

    def set_mode(self, value: float) -> None:
        """Sets the mode (code of system_mode)."""
        self.state.mode = value

    def set_fan(self, value: float) -> None:
        """Sets the fan mode (code of fan_mode)."""
        self.state.fan = value

    def set_vacation(self, value: float) -> None:
        """Switches the vacation setback (code of vacation_mode)."""
        self.state.vacation = value
        self.state.held = 0.0

    def step(self) -> None:
        """Moves schedule, targets and calls on by a step."""
        s, around = self.state, self.around
        dt = around.dt
        s.since += dt
        if around.comfort != s.comfort:
            s.comfort = around.comfort
            if around.t - s.held > HOLD_S:
                s.held = 0.0
        if s.held == 0.0:
            self._follow(dt)
        t = self.zone.state.air + s.bias
        may_heat, may_cool = s.mode in _HEATS, s.mode in _COOLS
        target = s.target_heating
        if t < FREEZE_DEGC or (s.heat and not may_heat and t < FREEZE_DEGC + 2.0):
            may_heat, target = True, FREEZE_DEGC + 1.0
        warm = t - s.target_cooling
        if self.crossed > 0.0:
            s.cooling = s.target_cooling = s.target_heating - 2.0 * self.crossed
            may_heat = may_cool = True
            warm = t - s.target_cooling
        if self.fight > 0.0:
            may_cool, warm = True, t - (self.zone.spec.heating - 1.2 * self.fight)
        self._call(dt, target - t if may_heat else -9.0, warm if may_cool else -9.0)

    def _follow(self, dt: float) -> None:
        s, spec = self.state, self.zone.spec
        if s.vacation:
            s.heating, s.cooling = AWAY_HEATING, AWAY_COOLING
        elif s.comfort:
            s.heating, s.cooling = spec.heating, spec.cooling
        else:
            s.heating, s.cooling = spec.heating - spec.setback, spec.cooling + spec.setback
        if s.heating != s.target_heating:
            up = s.target_heating + RECOVERY_K_S * dt
            s.target_heating = s.heating if s.heating < up else up
        if s.cooling != s.target_cooling:
            down = s.target_cooling - RECOVERY_K_S * dt
            s.target_cooling = s.cooling if s.cooling > down else down

    def _call(self, dt: float, cold: float, warm: float) -> None:
        """Decides on calls; `cold` and `warm` say by how much (K) the room is under or over its targets."""
        s = self.state
        band, rest, least = 0.3 if self.modulates else self.band, self.rest, self.least
        if self.short > 0.0:
            band, rest, least = band * (1.0 - 0.75 * self.short), rest * (1.0 - self.short), least * (1.0 - self.short)
        if not (s.heat or s.cool):
            if s.since < rest or (cold <= band and warm <= band):
                return
            s.heat, s.cool = cold > band, cold <= band
            s.since, s.integral = 0.0, 0.3
        else:
            over = 0.55 if self.modulates else band
            error = cold if s.heat else warm
            if error <= -over and (s.since >= least or error <= -2.0):
                s.heat = s.cool = False
                s.since = s.demand = s.behind = 0.0
                return
        error = cold if s.heat else warm
        s.integral = min(max(s.integral + error * dt / 2400.0, 0.0), 1.0)
        s.demand = min(max(0.5 * error + s.integral, 0.0), 1.0)
        if s.heat and cold > 0.9:
            s.behind += dt
        elif cold < 0.35:
            s.behind = 0.0
