"""A hot-water tank as two stirred layers, top and bottom, with a draw-off that moves water upwards."""

from typing import ClassVar

import msgspec

from .. import air

TAP_DEGC = 41.0  # what people mix at the tap
TOP_SHARE = 0.4


class TankState(msgspec.Struct):
    """`top` and `bottom` (degC); `mains` (degC) and `flow` (kg/s) of what runs in, `litres` drawn in the last step."""

    top: float = 54.0
    bottom: float = 50.0
    mains: float = 12.0
    flow: float = 0.0
    litres: float = 0.0


class Tank:
    """A tank of `litres` with the heat loss `loss` (W/K) to the room around it."""

    columns: ClassVar[tuple[str, ...]] = ("t_top", "t_bottom", "t_mains", "t_flow")

    def __init__(self, litres: float, loss: float) -> None:
        self.loss = loss
        self.top_mass, self.bottom_mass = TOP_SHARE * litres, (1.0 - TOP_SHARE) * litres
        self.state = TankState()

    def row(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return s.top, s.bottom, s.mains, s.flow

    def step(self, dt: float, tap: float, mains: float, room: float, top_heat: float, bottom_heat: float) -> float:
        """A step of `dt` s: `tap` litres at 41 degC are drawn, heat (W) goes into each layer; `room` and `mains` in degC.

        Gives the heat (J) that left with the water. The draw is cut into portions of a sixth of the smaller layer, so
        that a long step moves water as many short ones would.
        """
        s = self.state
        m_t, m_b = self.top_mass, self.bottom_mass
        taken = mixed = 0.0
        while tap > 1e-9:
            share = (TAP_DEGC - mains) / (s.top - mains) if s.top > TAP_DEGC else 1.0
            mass = min(tap * share, m_t / 6.0)
            tap -= mass / share
            taken += mass * air.CP_WATER * (s.top - mains)
            s.top += mass / m_t * (s.bottom - s.top)
            s.bottom += mass / m_b * (mains - s.bottom)
            mixed += mass
        exchange = 1.2 + 0.5 * self.loss
        s.top += dt / (m_t * air.CP_WATER) * (top_heat - TOP_SHARE * self.loss * (s.top - room) - exchange * (s.top - s.bottom))
        s.bottom += (
            dt / (m_b * air.CP_WATER) * (bottom_heat - (1.0 - TOP_SHARE) * self.loss * (s.bottom - room) + exchange * (s.top - s.bottom))
        )
        if s.bottom > s.top:
            # warm water rises
            s.top = s.bottom = TOP_SHARE * s.top + (1.0 - TOP_SHARE) * s.bottom
        s.mains, s.flow, s.litres = mains, mixed / dt, mixed
        return taken
