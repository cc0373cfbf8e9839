"""From an address to a chart: reads what it asks for, and lays it out with everything one can choose beside it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from lineset import sites, telemetry
from lineset.kit.errors import Invalid
from lineset.privacy import Tx

from .cells import cells, groups
from .charted import BUCKETS, Asked, day_for, known_points, weather_of
from .day import Chart, Wanted, chart
from .facts import Day, Machine
from .figures import Table, table
from .load import machines_of
from .panels import OUTDOOR, lanes_of, panels
from .ranges import ALL, PRESETS, View, local_input, title, usual, view_of
from .reader import Reader
from .refusals import said


class Charted(msgspec.Struct, frozen=True):
    """What was asked for, and what was read. `weather` names the other machine that tells the outdoor temperature, if one does."""

    view: View
    machine: Machine
    wanted: tuple[Wanted, ...]
    codes: tuple[str, ...]
    weather: str
    day: Day

    @property
    def empty(self) -> bool:
        """Whether nothing at all was read."""
        return not any(self.day.known(want.point) for want in self.wanted) and not any(self.day.states.values())


class Choice(msgspec.Struct, frozen=True):
    """One link beside the chart: its words, the query it leads to, the one parameter a script changes, and whether it holds now."""

    text: str
    query: str
    name: str
    value: str
    current: bool


class PointChoice(msgspec.Struct, frozen=True):
    """One point that may be charted."""

    point: str
    name: str
    chosen: bool


class PointGroup(msgspec.Struct, frozen=True):
    """Points that belong together."""

    title: str
    points: tuple[PointChoice, ...]


class ChartPart(msgspec.Struct, frozen=True):
    """The chart's part of a machine's page."""

    chart: Chart
    table: Table
    view: View
    title: str
    problem: str
    spans: tuple[Choice, ...]
    beside: tuple[Choice, ...]
    outdoor: Choice
    groups: tuple[PointGroup, ...]
    start: str
    end: str
    query: str
    usual: str
    longest: int


async def charted(tx: Tx, reader: Reader, equipment: sites.Equipment, query: Any, moment: datetime, buckets: int = BUCKETS) -> Charted:
    """Read what the parameters in `query` ask of this machine.

    Raises:
        Invalid: a range or a point that can't be shown, in the reader's language.
    """
    since = equipment.owned_since.timestamp() if equipment.owned_since is not None else None
    view = view_of(reader, query, moment.timestamp(), since)
    return await _charted(tx, reader, equipment, view, moment, buckets)


async def _charted(tx: Tx, reader: Reader, equipment: sites.Equipment, view: View, moment: datetime, buckets: int) -> Charted:
    machine = (await machines_of(tx, [equipment], moment))[0]
    known = await known_points(tx, equipment.id)
    for point in view.points:
        if point not in known:
            raise Invalid(
                "bad_points", reader.gettext("This machine has sent no %(point)s. Choose from its points.", point=point), "points"
            )
    weather = await weather_of(tx, equipment.site_id, equipment.id, known) if view.outdoor else None
    outdoor = view.outdoor and (weather is not None or OUTDOOR in known)
    wanted = tuple(panels(machine, view.points, outdoor=outdoor))
    measured = tuple(dict.fromkeys(name for want in wanted for name in (want.point, want.should) if name))
    codes = lanes_of(view.points)
    asked = Asked(measured, codes, weather.id if weather is not None else None)
    day = await day_for(tx, reader, equipment.id, view, asked, known, buckets)
    return Charted(view, machine, wanted, codes, weather.name if weather is not None else "", day)


async def chart_part(tx: Tx, reader: Reader, equipment: sites.Equipment, query: Any, moment: datetime) -> ChartPart:
    """The chart that the page's address asks for. What can't be shown is said, and the last 24 hours stand in its place."""
    try:
        found, problem = await charted(tx, reader, equipment, query, moment), ""
    except Invalid as error:
        found, problem = await _charted(tx, reader, equipment, usual(moment.timestamp()), moment, BUCKETS), said(reader, error)
    return part_of(reader, found, moment, problem)


def part_of(reader: Reader, found: Charted, moment: datetime, problem: str = "") -> ChartPart:
    """Lay out what was read."""
    view, chosen = found.view, _groups(reader, found, moment)
    drawn = chart(
        reader,
        found.machine.id,
        found.day,
        found.wanted,
        keep=True,
        live=view.live,
        query=view.query(),
        notes={OUTDOOR: found.weather} if found.weather else None,
    )
    return ChartPart(
        chart=msgspec.structs.replace(drawn, empty=found.empty),
        table=table(reader, found.day, found.wanted, found.codes, compared(reader, view)),
        view=view,
        title=title(reader, view),
        problem=problem,
        spans=_spans(reader, view),
        beside=_beside(reader, view),
        outdoor=Choice(
            reader.gettext("Outdoor temperature"), view.query(outdoor=None if view.outdoor else "1"), "outdoor", "1", view.outdoor
        ),
        groups=chosen,
        start=local_input(reader, view.start),
        end=local_input(reader, view.end),
        query=view.query(),
        usual=",".join(c.point for g in chosen for c in g.points if c.chosen) if not view.points else "",
        longest=int(telemetry.MAX_SPAN_S),
    )


def compared(reader: Reader, view: View) -> str:
    """What the chart is compared with, in words; empty for nothing."""
    return dict(_beside_words(reader)).get(view.compare, "")


def _beside_words(reader: Reader) -> Sequence[tuple[str, str]]:
    return (("day", reader.gettext("day before")), ("week", reader.gettext("week before")), ("year", reader.gettext("year before")))


def _beside(reader: Reader, view: View) -> tuple[Choice, ...]:
    options = (("", reader.gettext("nothing")), *_beside_words(reader))
    return tuple(Choice(text, view.query(compare=name or None), "compare", name, view.compare == name) for name, text in options)


def _spans(reader: Reader, view: View) -> tuple[Choice, ...]:
    words = {
        "1h": "1 h",
        "6h": "6 h",
        "24h": "24 h",
        "7d": "7 d",
        "30d": "30 d",
        "1y": reader.gettext("1 year"),
        ALL: reader.gettext("All"),
    }
    return tuple(Choice(words[name], view.query(span=name), "span", name, view.span == name) for name in (*PRESETS, ALL))


def _groups(reader: Reader, found: Charted, moment: datetime) -> tuple[PointGroup, ...]:
    shown = {want.point for want in found.wanted if not (want.point == OUTDOOR and found.view.outdoor)} | set(found.codes)
    made = groups(reader, found.machine, cells(reader, found.machine, moment))
    return tuple(PointGroup(g.title, tuple(PointChoice(c.point, c.name, c.point in shown) for c in g.cells)) for g in made)
