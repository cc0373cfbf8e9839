"""Reads what a chart shows: the points of one machine, the same earlier, the weather of the site, states and alarms."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from lineset import sites, telemetry
from lineset.privacy import Tx

from .facts import Day, Spell, Trace
from .panels import OUTDOOR
from .ranges import DAYS, View, shifted, shifted_trace
from .reader import Reader
from .spells import ALARMS, coarse, spells, troubles

BUCKETS = 400
Block = tuple[list[float], dict[str, list[float | None]], list[tuple[float, float, str]]]


class Asked(msgspec.Struct, frozen=True):
    """What to read: `measured` points (numbers), `codes` to show as lanes, and the machine that tells the weather, if another."""

    measured: tuple[str, ...]
    codes: tuple[str, ...] = ()
    weather: UUID | None = None


async def known_points(tx: Tx, equipment: UUID) -> list[str]:
    """The names of the points that a machine has ever sent."""
    return [point.name for point in await telemetry.points(tx, equipment)]


async def weather_of(tx: Tx, site: UUID, equipment: UUID, known: Iterable[str]) -> sites.Equipment | None:
    """Another machine of the site that reads the outdoor temperature, when this one does not."""
    if OUTDOOR in known:
        return None
    others = [m for m in (await sites.get_site(tx, site)).equipment if m.retired_at is None and m.id != equipment]
    heard = await telemetry.latest(tx, [m.id for m in others], [OUTDOOR]) if others else {}
    return next((m for m in others if m.id in heard and OUTDOOR in heard[m.id].values), None)


async def day_for(tx: Tx, reader: Reader, equipment: UUID, view: View, asked: Asked, known: Iterable[str], buckets: int = BUCKETS) -> Day:
    """Everything that the chart of `view` shows.

    Raises:
        Invalid: a span or number of buckets that telemetry does not read.
        NotFound: no such machine for the asker.
    """
    there = set(known)
    alarms = [name for name in ALARMS if name in there and name != "operating_mode"]
    names = list(dict.fromkeys(name for name in (*asked.measured, *asked.codes, *alarms) if name in there))
    blocks = await _blocks(tx, equipment, names, view.start, view.end, buckets)
    t, series, modes = blocks[0]
    more: dict[str, Trace] = {name: (block[0], values) for block in blocks[1:] for name, values in block[1].items()}
    if asked.weather is not None:
        found = (await _blocks(tx, asked.weather, [OUTDOOR], view.start, view.end, buckets))[0]
        more[OUTDOOR] = (found[0], found[1][OUTDOOR])
    day = Day(view.start, view.end, t, series, coarse(modes, view.start, view.end), more)
    stretches = {name: spells(name, day.known(name), view.end) for name in dict.fromkeys((*asked.codes, *alarms))}
    said = stretches | {"operating_mode": [Spell(start, end, word) for start, end, word in modes]}
    return msgspec.structs.replace(
        day,
        before=await _before(tx, reader, equipment, view, asked, there, buckets),
        states={name: said[name] for name in asked.codes},
        troubles=troubles({name: said[name] for name in (*alarms, "operating_mode")}),
    )


async def _blocks(tx: Tx, equipment: UUID, names: Sequence[str], start: float, end: float, buckets: int) -> list[Block]:
    """These points, as many at a time as one question may name. Without any, the modes alone."""
    most = telemetry.MAX_POINTS
    found: list[Block] = []
    for at in range(0, max(1, len(names)), most):
        part = list(names[at : at + most]) or ["operating_mode"]
        answer = await telemetry.series(tx, equipment, part, _utc(start), _utc(end), buckets, modes=at == 0)
        found.append((answer.t, answer.values, answer.modes))
    return found


async def _before(tx: Tx, reader: Reader, equipment: UUID, view: View, asked: Asked, there: set[str], buckets: int) -> dict[str, Trace]:
    """The same points of the stretch that `view` is compared with, on its own clock."""
    names = [name for name in asked.measured if name in there and not name.endswith("setpoint")]
    if not view.compare or not names:
        return {}
    days = DAYS[view.compare]
    start, end = (shifted(reader, t, -days) for t in (view.start, view.end))
    found: dict[str, Trace] = {}
    for t, series, _ in await _blocks(tx, equipment, names, start, end, buckets):
        for name, values in series.items():
            found[name] = shifted_trace(reader, t, values, days)
    return found


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
