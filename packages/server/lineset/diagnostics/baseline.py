"""What each machine's own behaviour is expected to be, learnt from its healthy hours.

For each machine, mode and channel a Bayesian linear regression on the conditions (`expectations.DRIVERS`), from a wide prior of its kind:
the reference model of statistical rule-based diagnosis (Rossi & Braun 1997; Li & Braun 2007), held by each machine itself, so that
differences between makes, sizes and installations are no faults. An hour counts by its steady seconds. Each region of conditions is
learnt once and then left alone, so a slow loss of performance is not learnt away; hours that a grown memory finds unlikely are not
learnt either.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics.expectations import (
    BLOCKS,
    CENTRE,
    DRIVERS,
    HUMIDITY_CENTRE,
    MODES,
    PRIORS,
    RELATIVE,
    REST,
    SPEED_CENTRE,
    stem,
)
from lineset.diagnostics.samples import Flags, Floats, Ints

LEAST_S = 120.0
"""Fewer steady seconds in an hour than this say nothing."""
FULL_S = 1800.0
"""From this many steady seconds on an hour counts as one whole observation."""
ASSISTED = frozenset({"power", "capacity", "cop", "split", "water_difference"})
"""Channels in which backup heat takes part; an hour in which it ran says nothing of them."""
CELL_LIMIT = 8.0
"""How many whole observations of one region of conditions are learnt."""
YOUNG = 12.0
"""A channel with fewer observations learns also where its mode has learnt enough: its sensor came later."""
UNLIKELY = 3.5
"""A memory that is no longer young doesn't learn hours of which any channel lies further than this many standard deviations away."""
NOISE_WORTH = 10.0
"""As many observations as the prior's word on the noise is worth."""

_P = len(DRIVERS)
_UPPER = np.triu_indices(_P)
_GRAM = len(_UPPER[0])
_WIDTH = _GRAM + _P + 2
_PLACE = {block: n for n, block in enumerate(BLOCKS)}
_ALL_MODES = (*MODES, REST)
_SOURCES, _SINKS, _SPEEDS = 24, 5, 3
_CELLS = _SOURCES * _SINKS * _SPEEDS
_CELL_UNIT = 16.0
_VERSION = 1

Feature = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Memory:
    """What machines have learnt. `sums` (machines, blocks, 29): for each block of `expectations.BLOCKS` the upper triangle of sum(w x x'),
    then sum(w x y), sum(w y²), sum(w), of drivers x, deviations y from the prior's mean, and weights w. `cells` (machines, modes, cells):
    how much of each region of conditions was learnt, in sixteenths of a whole observation."""

    sums: NDArray[np.float32]
    cells: NDArray[np.uint8]

    @staticmethod
    def empty(machines: int) -> "Memory":
        """Memories that know nothing yet."""
        return Memory(np.zeros((machines, len(BLOCKS), _WIDTH), np.float32), np.zeros((machines, len(_ALL_MODES), _CELLS), np.uint8))

    def __len__(self) -> int:
        return len(self.sums)

    def to_bytes(self) -> list[bytes]:
        """Each machine's memory by itself, for keeping: version, which blocks there are, then those, packed."""
        used = self.sums[:, :, -1] > 0
        return [
            bytes([_VERSION]) + zlib.compress(np.packbits(mask).tobytes() + sums[mask].astype("<f4").tobytes() + cells.tobytes(), 1)
            for mask, sums, cells in zip(used, self.sums, self.cells, strict=True)
        ]

    @staticmethod
    def from_bytes(kept: Sequence[bytes]) -> "Memory":
        """The other way round; what is empty or of another version knows nothing. Raises `ValueError` for bytes that are no memory."""
        memory = Memory.empty(len(kept))
        head = (len(BLOCKS) + 7) // 8
        for n, data in enumerate(kept):
            if not data or data[0] != _VERSION:
                continue
            try:
                raw = zlib.decompress(data[1:])
            except zlib.error as error:
                raise ValueError("these bytes are no memory") from error
            mask = np.unpackbits(np.frombuffer(raw[:head], np.uint8))[: len(BLOCKS)].astype(bool)
            end = head + int(mask.sum()) * _WIDTH * 4
            if len(raw) != end + memory.cells[n].size:
                raise ValueError("these bytes are no memory")
            memory.sums[n, mask] = np.frombuffer(raw[head:end], "<f4").reshape(-1, _WIDTH)
            memory.cells[n] = np.frombuffer(raw[end:], np.uint8).reshape(memory.cells[n].shape)
        return memory


@dataclass(frozen=True, slots=True)
class _Hours:
    """The hours of one mode that say something: which of all hours, their drivers (hours, 6), NaN where unknown, and their region."""

    x: Floats
    cell: Ints


def _mean(features: Feature, name: str, rows: int) -> Floats:
    above, below = features.get(f"{name}.x"), features.get(f"{name}.s")
    if above is None or below is None:
        return np.full(rows, np.nan)
    out: Floats = np.full(rows, np.nan)
    np.divide(above, below, out=out, where=np.nan_to_num(below) > 0)
    return out


def _hours(features: Feature, mode: str, rows: int) -> _Hours:
    x = np.full((rows, _P), np.nan)
    x[:, 0] = 1.0
    if mode == REST:
        x[:, 1] = _mean(features, f"{REST}.gap", rows) / 10.0
    else:
        source, sink = CENTRE[mode]
        x[:, 1] = (_mean(features, f"steady.{mode}.source", rows) - source) / 10.0
        x[:, 2] = (_mean(features, f"steady.{mode}.sink", rows) - sink) / 10.0
        x[:, 3] = np.log(np.maximum(_mean(features, f"steady.{mode}.speed", rows), 5.0) / SPEED_CENTRE)
        x[:, 4] = (_mean(features, f"steady.{mode}.humidity", rows) - HUMIDITY_CENTRE) / 20.0
    x[:, 5] = x[:, 1] ** 2
    known = np.nan_to_num(x)
    source_bin = np.clip(np.floor(known[:, 1] * 10.0 / 3.0) + _SOURCES // 2, 0, _SOURCES - 1)
    sink_bin = np.clip(np.floor(known[:, 2] * 10.0 / 6.0) + _SINKS // 2, 0, _SINKS - 1)
    speed_bin = np.clip(np.floor((known[:, 3] + 0.6) / 0.4), 0, _SPEEDS - 1)
    return _Hours(x, ((source_bin * _SINKS + sink_bin) * _SPEEDS + speed_bin).astype(np.int64))


def _observed(features: Feature, mode: str, channel: str, rows: int) -> tuple[Floats, Floats]:
    """A channel's hourly mean less the prior's first coefficient (NaN where too short), and its weight (0 to 1)."""
    seconds = np.nan_to_num(features.get(f"{stem(mode, channel)}.s", np.zeros(rows)))
    y = _mean(features, stem(mode, channel), rows)
    if channel in RELATIVE:
        y = np.log(np.where(y > 0, y, np.nan))
    y = np.where(seconds >= LEAST_S, y - PRIORS[mode, channel].mean[0], np.nan)
    if channel in ASSISTED:
        y[np.nan_to_num(features.get("s.auxiliary", np.zeros(rows))) > LEAST_S / 2] = np.nan
    return y, np.minimum(seconds / FULL_S, 1.0)


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Of some machines, one block: coefficients (n, 6), their covariance (n, 6, 6), variance of an hour (n,), observations (n,), and of the
    drivers that it learnt from mean and variance (n, 6), both 0 where there were none."""

    mean: Floats
    covariance: Floats
    noise: Floats
    count: Floats
    usual: Floats
    spread: Floats


def _posterior(sums: NDArray[np.float32], block: tuple[str, str]) -> _Posterior:
    """Gaussian prior and likelihood with the noise learnt: two rounds from the prior's noise (Gelman et al., Bayesian Data Analysis, 14.8,
    with the variance at its conditional mode). `sums` (n, 29)."""
    prior, n = PRIORS[block], len(sums)
    packed = sums.astype(np.float64)
    gram = np.zeros((n, _P, _P))
    gram[:, _UPPER[0], _UPPER[1]] = packed[:, :_GRAM]
    gram[:, _UPPER[1], _UPPER[0]] = packed[:, :_GRAM]
    moment, square, count = packed[:, _GRAM : _GRAM + _P], packed[:, -2], packed[:, -1]
    precision = np.diag(prior.sd**-2.0)
    centre = np.where(np.arange(_P) == 0, 0.0, prior.mean)
    noise = np.full(n, prior.noise**2)
    mean = np.broadcast_to(centre, (n, _P))
    for _ in range(2):
        inner = precision + gram / noise[:, None, None]
        mean = np.linalg.solve(inner, (precision @ centre + moment / noise[:, None])[:, :, None])[:, :, 0]
        left = square - 2.0 * np.einsum("np,np->n", moment, mean) + np.einsum("np,npq,nq->n", mean, gram, mean)
        noise = (NOISE_WORTH * prior.noise**2 + np.maximum(left, 0.0)) / (NOISE_WORTH + count)
    covariance = np.linalg.inv(precision + gram / noise[:, None, None])
    usual = gram[:, 0] / np.maximum(count, 1e-9)[:, None]
    spread = np.maximum(np.einsum("npp->np", gram) / np.maximum(count, 1e-9)[:, None] - usual**2, 0.0)
    return _Posterior(mean, covariance, noise, count, usual, spread)


@dataclass(frozen=True, slots=True)
class _Expected:
    """For hours of machines, each (hours,): the mean expected (less the prior's first coefficient), the variance of the hour around it, how
    many observations the memory rests on, and whether a driver is missing that the machine used to have."""

    mean: Floats
    variance: Floats
    count: Floats
    lost: Flags


def _expected(memory: Memory, machine: Ints, x: Floats, block: tuple[str, str]) -> _Expected:
    """A driver that is missing is taken as it usually was, and doubted by as much as it usually varied."""
    which, back = np.unique(machine, return_inverse=True)
    known = _posterior(memory.sums[which, _PLACE[block]], block)
    missing = np.isnan(x)
    covariance = known.covariance[back]
    doubt = np.where(missing, known.spread[back] * (known.mean[back] ** 2 + np.einsum("npp->np", covariance)), 0.0).sum(axis=1)
    x = np.where(missing, known.usual[back], x)
    mean = np.einsum("np,np->n", x, known.mean[back])
    variance = known.noise[back] + np.einsum("np,npq,nq->n", x, covariance, x) + doubt
    return _Expected(mean, variance, known.count[back], np.any(missing & (known.spread[back] > 1e-6), axis=1))


@dataclass(frozen=True, slots=True)
class _Told:
    """What hours say of one channel: which of all hours, deviations from the prior's first coefficient, weights, seconds, and what the
    memory expects of them."""

    channel: str
    hours: Ints
    y: Floats
    weight: Floats
    seconds: Floats
    expected: _Expected

    def unlikely(self) -> Flags:
        """Those that a memory which is grown finds unlikely, by hour that says something."""
        return self.grown() & ((self.y - self.expected.mean) ** 2 > UNLIKELY**2 * self.expected.variance)

    def grown(self) -> Flags:
        """Those of which the memory has learnt enough."""
        return self.expected.count >= YOUNG

    def of(self, which: Flags) -> "_Told":
        """Only some hours, `which` by all hours."""
        mine = which[self.hours]
        known = self.expected
        part = _Expected(known.mean[mine], known.variance[mine], known.count[mine], known.lost[mine])
        return _Told(self.channel, self.hours[mine], self.y[mine], self.weight[mine], self.seconds[mine], part)


@dataclass(frozen=True, slots=True)
class Compared:
    """Hours of machines beside what their memory expects of them. `machine` (hours,): index; `modes`: by mode the hours' conditions and
    what each channel says."""

    memory: Memory
    machine: Ints
    modes: Mapping[str, tuple[_Hours, list[_Told]]]

    def residuals(self) -> dict[str, Floats]:
        """How far hours are from what is expected, as features, each of shape (hours,).

        For each mode and channel (and `rest`): `residual.<mode>.<channel>.x`, deviation times steady seconds (unit·s; shares for
        `expectations.RELATIVE` channels); `.s`, those seconds; `.v`, the variance of the deviation times seconds: noise of an hour and
        doubt about the coefficients, which grows outside the conditions learnt from; `.n`, the observations that the memory rests on times
        seconds. Channels that no hour has are left out; NaN where an hour has nothing to say.
        """
        found: dict[str, Floats] = {}
        for mode, (_, told) in self.modes.items():
            for each in told:
                known = each.expected
                figures = {"x": each.y - known.mean, "s": np.ones(len(each.y)), "v": known.variance, "n": known.count}
                for end, figure in figures.items():
                    column = np.full(len(self.machine), np.nan)
                    column[each.hours] = figure * each.seconds
                    found[f"residual.{mode}.{each.channel}.{end}"] = column
        return found

    def learnt(self, healthy: Flags) -> Memory:
        """The memory after these hours; `healthy` (hours,): only such hours are learnt, and of those only what lies in conditions that were
        not learnt enough, and is not unlikely to a memory that is grown."""
        sums, cells = self.memory.sums.copy(), self.memory.cells.copy()
        for mode, (hours, all_) in self.modes.items():
            place, told = _ALL_MODES.index(mode), [each.of(healthy) for each in all_]
            odd = np.zeros(len(self.machine), bool)
            for each in told:
                odd[each.hours] |= each.unlikely()
            full = self.memory.cells[self.machine, place, hours.cell] >= CELL_LIMIT * _CELL_UNIT
            heaviest = np.zeros(len(self.machine))
            for each in told:
                take = ~(each.grown() & full[each.hours]) & ~odd[each.hours] & ~each.expected.lost
                mine, weight = each.hours[take], each.weight[take]
                _add(sums[:, _PLACE[mode, each.channel]], self.machine[mine], hours.x[mine], each.y[take], weight)
                heaviest[mine] = np.maximum(heaviest[mine], weight)
            _fill(cells[:, place], self.machine, hours.cell, heaviest)
        return Memory(sums, cells)


def compare(memory: Memory, machine_idx: Ints, features: Feature) -> Compared:
    """Hours, by their features, beside what their machines' memories expect; `machine_idx` (hours,): index into the memory."""
    rows = len(machine_idx)
    modes: dict[str, tuple[_Hours, list[_Told]]] = {}
    for mode in _ALL_MODES:
        hours: _Hours | None = None
        told: list[_Told] = []
        for channel in (channel for m, channel in BLOCKS if m == mode):
            if f"{stem(mode, channel)}.s" not in features:
                continue
            y, weight = _observed(features, mode, channel, rows)
            mine = np.flatnonzero(~np.isnan(y))
            if not len(mine):
                continue
            hours = hours or _hours(features, mode, rows)
            known = _expected(memory, machine_idx[mine], hours.x[mine], (mode, channel))
            seconds = features[f"{stem(mode, channel)}.s"][mine]
            told.append(_Told(channel, mine, y[mine], weight[mine], seconds, known))
        if hours is not None:
            modes[mode] = hours, told
    return Compared(memory, machine_idx, modes)


def _add(sums: NDArray[np.float32], machine: Ints, x: Floats, y: Floats, weight: Floats) -> None:
    x = np.nan_to_num(x)
    row = np.concatenate([x[:, _UPPER[0]] * x[:, _UPPER[1]], x * y[:, None], (y * y)[:, None], np.ones((len(y), 1))], axis=1)
    np.add.at(sums, machine, (row * weight[:, None]).astype(np.float32))


def _fill(cells: NDArray[np.uint8], machine: Ints, cell: Ints, weight: Floats) -> None:
    used = np.flatnonzero(weight > 0)
    grown = np.zeros(cells.shape)
    np.add.at(grown, (machine[used], cell[used]), weight[used] * _CELL_UNIT)
    cells[:] = np.minimum(cells + np.round(grown), 255).astype(np.uint8)
