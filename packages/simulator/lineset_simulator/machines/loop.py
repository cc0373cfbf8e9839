"""Water circuits: radiators or floors that a heat source feeds, valves at the emitters, weather curves."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import msgspec
import numpy as np

from .. import air
from ..chance import uniform
from .base import Surroundings, Worst
from .control import Control

FLOW_TAU_S = 240.0


class LoopState(msgspec.Struct):
    """`supply`, `back`: water that leaves and enters the heat source (degC); `flow`: kg/s; `emitted`: W; `pumps`:
    whether the pump runs; `speed`: share of its full speed."""

    supply: float = 35.0
    back: float = 32.0
    flow: float = 0.0
    emitted: float = 0.0
    pumps: bool = False
    speed: float = 0.7


class Loop:
    """Water of heat capacity `capacity` (J/K) that gives heat to zones through emitters.

    `emitters` is the conductance (W/K) to each zone at a mean excess of 30 K; radiators grow with the excess to the 1.3.
    Valves at the emitters open over a band of 0.8 K round each zone's target. `flow` is the full flow (kg/s).
    """

    columns: ClassVar[tuple[str, ...]] = ("l_supply", "l_back", "l_flow", "l_emitted", "l_pumps", "l_speed", "l_throttled", "l_airy")

    def __init__(self, around: Surroundings, controls: Sequence[Control], emitters: Sequence[float], capacity: float, flow: float) -> None:
        self.around, self.controls, self.emitters, self.capacity, self.full_flow = around, controls, emitters, capacity, flow
        self.state = LoopState()
        self._throttled, self._airy, self._shut = Worst(), Worst(), Worst()
        self.throttled = self.airy = self.shut = 0.0
        self.cools = False

    def throttle(self, owner: str, faults: Mapping[str, float]) -> None:
        """Takes on low water flow, air in the water and emitters whose valves stay shut, that the machine `owner` has."""
        self._throttled.take(owner, faults.get("low_water_flow", 0.0))
        self._airy.take(owner, faults.get("air_in_water", 0.0))
        self._shut.take(owner, faults.get("setpoint_not_reached", 0.0))
        self.throttled, self.airy, self.shut = self._throttled.value, self._airy.value, self._shut.value

    def passing(self) -> float:
        """The share of its flow that faults leave a pump now: a bubble in its wheel stops most of it for a while."""
        share = 1.0 - 0.7 * self.throttled
        return share * (1.0 - bubbles(self.airy, self.around.t)) if self.airy else share

    def row(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return s.supply, s.back, s.flow, s.emitted, float(s.pumps), s.speed, self.throttled, self.airy

    def wanted(self) -> float:
        """How far the valves are open on the whole (0 to 1), by the zones' targets."""
        return max(self._opening(control) for control in self.controls)

    @staticmethod
    def _opening(control: Control) -> float:
        s = control.state
        t = control.zone.state.air + s.bias
        target = 8.0 if not s.mode else s.target_heating
        return min(max((target + 0.35 - t) / 0.8, 0.0), 1.0)

    def step(self, given: float, pumps: bool) -> None:
        """A step in which the source gives `given` W and the pump runs or not."""
        s, dt = self.state, self.around.dt
        s.pumps = pumps
        s.flow = self.full_flow * s.speed / 0.7 * self.passing() if pumps else 0.0
        emitted = 0.0
        if pumps:
            middle = 0.5 * (s.supply + s.back)
            # a pipe cannot come back colder than the rooms
            most = s.flow * air.CP_WATER * max(s.supply - 18.0, 0.0)
            for control, k in zip(self.controls, self.emitters, strict=True):
                excess = middle - control.zone.state.air
                if excess > 0.0:
                    watts = min(k * (1.0 - self.shut) * self._opening(control) * excess * (excess / 30.0) ** 0.3, most - emitted)
                    control.zone.heat += 0.7 * watts
                    control.zone.radiant += 0.3 * watts
                    emitted += watts
        else:
            loss = 2.5 * (s.supply - 18.0)
            self.controls[0].zone.heat += loss
            emitted = loss
        s.emitted = emitted
        s.supply += dt / self.capacity * (given - emitted)
        aim = s.supply - emitted / (s.flow * air.CP_WATER) if s.flow > 0.0 else s.supply - 1.0
        s.back += (aim - s.back) * min(dt / FLOW_TAU_S, 1.0)


def bubbles(airy: float, t: float) -> float:
    """The share of the flow that air in the water takes away at `t` (s): with every bubble, anew each half minute."""
    draw = float(uniform(9, np.array([int(t // 30.0)]))[0])
    return 0.75 * airy * draw * draw


def hot_by_outdoor(outdoor: float, hottest: float) -> float:
    """Supply temperature (degC) of a weather curve that reaches `hottest` at -10 degC and 28 degC at 18 degC outdoors."""
    return min(max(28.0 + (18.0 - outdoor) / 28.0 * (hottest - 28.0), 26.0), hottest + 4.0)


class Pumped(Protocol):
    """A loop of water that a pump moves."""

    state: LoopState
    throttled: float

    def throttle(self, owner: str, faults: Mapping[str, float]) -> None:
        """Takes on low water flow that the machine `owner` has."""

    def row(self) -> tuple[float, ...]:
        """The values of `Loop.columns`."""


def loop_for(around: Surroundings, controls: Sequence[Control], capacity: float, excess: float, spread: float, litres: float) -> Loop:
    """A loop whose emitters give `capacity` (W) in all at a mean excess of `excess` K, shared by area.

    `spread` (K) between supply and return at that load sets the flow; it holds `litres`.
    """
    areas = [control.zone.area for control in controls]
    k = capacity / (excess * (excess / 30.0) ** 0.3)
    emitters = [k * area / sum(areas) for area in areas]
    return Loop(around, controls, emitters, litres * air.CP_WATER * 1.15, capacity / (spread * air.CP_WATER))
