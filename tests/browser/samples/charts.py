"""Charts of made-up machines: usual, compared and with faults, with other points, without a reading."""

from collections.abc import Mapping
from typing import Any

import msgspec
from lineset.pages.common.chart_answer import Answer, answer_of
from lineset.pages.common.charting import Charted, ChartPart, part_of
from lineset.pages.common.facts import Day, Machine, Spell, Trouble
from lineset.pages.common.panels import lanes_of, panels
from lineset.pages.common.ranges import view_of
from lineset.pages.common.reader import Reader

from tests.browser.samples.data import NOW, day, heat_pump


def crowded(start: float) -> Day:
    """The sample day with what was a week before, a chosen state, and two faults."""
    plain = day()
    hour = 3600.0
    spells = tuple(Spell(start + h * hour, start + h * hour + 420, "on") for h in (3.9, 10.7, 13.6, 17.1, 20.6))
    return msgspec.structs.replace(
        plain,
        before={
            name: ([t + 150 for t in plain.t], [None if v is None else v * 0.96 + 1.0 for v in plain.series[name]])
            for name in ("room_temperature", "electric_power")
        },
        states={"defrost_state": spells},
        troubles=(
            Trouble(start + 8 * hour, start + 8.4 * hour, "alarm_state", "warning"),
            Trouble(start + 16.5 * hour, start + 23 * hour, "fault_code", "34"),
            Trouble(start + 16.6 * hour, start + 23 * hour, "alarm_state", "fault"),
        ),
    )


def charted(reader: Reader, query: Mapping[str, Any], machine: Machine | None = None, shown: Day | None = None) -> Charted:
    """What an address asks for, from the sample day."""
    view = view_of(reader, query, NOW.timestamp(), NOW.timestamp() - 400 * 86_400)
    found = shown or (crowded(day().start) if view.compare else day())
    pump = machine or heat_pump()
    return Charted(view, pump, tuple(panels(pump, view.points, outdoor=view.outdoor)), lanes_of(view.points), "", found)


def part(reader: Reader, machine: Machine | None = None, query: Mapping[str, Any] | None = None, shown: Day | None = None) -> ChartPart:
    """The chart's part of a sample page."""
    return part_of(reader, charted(reader, query or {}, machine, shown), NOW)


def silent() -> Day:
    """A day in which nothing was read."""
    start = NOW.timestamp() - 86_400
    return Day(start, NOW.timestamp(), (), {})


def refused(reader: Reader) -> ChartPart:
    """The usual day in place of what can't be shown."""
    return part_of(reader, charted(reader, {}), NOW, reader.gettext("The start lies in the future. Give one that is past."))


def answer(reader: Reader, query: Mapping[str, Any]) -> Answer:
    """The numbers that a script fetches."""
    return answer_of(reader, charted(reader, query), NOW)
