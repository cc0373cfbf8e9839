"""Recorded history of a home, made as fast as the machine allows, in columns, for the import path."""

from array import array
from collections.abc import Iterator

import numpy as np

from .home import DRAWN, Block, Home, HomeState
from .spec import HomeSpec

_BLOCK_S = 2.0 * 86400.0
_SETTLING_S = 86400.0
_BUSY_S, _QUIET_S = 100.0, 300.0  # the longest steps while machines run and while all stand


class History(Iterator[Block]):
    """Blocks of readings of all machines of a home, some days at a time, in order of time.

    When the last block has been taken, `state` is that of the home at `end`: `Home.restore(spec, history.state)` goes
    on from there without a jump.
    """

    def __init__(self, spec: HomeSpec, start: float, end: float, step_s: int = 300) -> None:
        if end <= start:
            raise ValueError("history ends before it starts")
        if step_s <= 0:
            raise ValueError(f"a step of {step_s} s is no step; use 300")
        self.spec, self.step_s = spec, step_s
        # readings fall on whole steps of the clock, as those of a logger do
        self._first = int(np.ceil(start / step_s)) * step_s
        self._end = int(np.floor(end / step_s)) * step_s
        self._settling = int(np.ceil(_SETTLING_S / step_s))
        self.home = Home(spec, end, self._first - (1 + self._settling) * step_s)
        self._blocks = self._made()

    @property
    def state(self) -> HomeState:
        """The state of the home at the last reading made."""
        return self.home.state()

    def __next__(self) -> Block:
        return next(self._blocks)

    def _made(self) -> Iterator[Block]:
        home, step = self.home, self.step_s
        for _ in self._pass(self._settling):
            pass
        at = self._first
        while at <= self._end:
            count = int(min((self._end - at) // step + 1, max(_BLOCK_S // step, 1)))
            notes = {local: (machine.note, array("d")) for local, machine in home.machines.items()}
            for _ in self._pass(count):
                for note, noted in notes.values():
                    noted.extend(note())
            times = at + step * np.arange(count, dtype=np.float64)
            heard = ~home.silent(times)
            for local, (_, noted) in notes.items():
                block = home.read(local, times, np.frombuffer(noted).reshape(count, -1))
                there = heard & ~home.lost(local, times)
                if not there.all():
                    block = Block(local, times[there], {name: values[there] for name, values in block.points.items()})
                yield block
            at += count * step

    def _pass(self, count: int) -> Iterator[int]:
        """Moves the home on by `count` steps of the readings, each in short or in long strides; stops after each."""
        home, step = self.home, self.step_s
        long = int(np.ceil(step / _QUIET_S))
        split = int(np.ceil(step / long / _BUSY_S))
        short = long * split
        busy = home.drives(step / short, count * short)
        quiet = busy[split - 1 :: split].copy()
        # a long stride draws what its short ones draw
        quiet[:, DRAWN] = busy[:, DRAWN].reshape(-1, split).sum(axis=1)
        calm = quiet.tolist()
        for i in range(count):
            if home.busy():
                home.advance(busy[i * short : (i + 1) * short].tolist(), step / short)
            else:
                home.advance(calm[i * long : (i + 1) * long], step / long)
            yield i


def history(spec: HomeSpec, start: float, end: float, step_s: int = 300) -> History:
    """History of the home `spec` from `start` to `end` (s since 1970 UTC) with a reading every `step_s` s.

    Raises ValueError for an empty span or step.
    """
    return History(spec, start, end, step_s)
