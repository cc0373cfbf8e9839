"""What a chart is asked to show: which stretch of time, which points, beside what. It stands in the page's address."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from lineset import telemetry
from lineset.kit.errors import Invalid

from .reader import Reader

LEAST_S = 300.0  # five minutes
MOST_CHOSEN = 8
USUAL = "24h"
PRESETS: dict[str, float] = {
    "1h": 3600.0,
    "6h": 6 * 3600.0,
    "24h": 86_400.0,
    "7d": 7 * 86_400.0,
    "30d": 30 * 86_400.0,
    "1y": 365 * 86_400.0,
}
ALL = "all"
DAYS = {"day": 1, "week": 7, "year": 364}
"""How many days earlier a comparison lies. A year is 52 weeks, so that weekdays match."""

BESIDE = tuple(DAYS)
NAMES = ("span", "start", "end", "points", "compare", "outdoor")
_SPAN = re.compile(r"(\d{1,9})(s|m|h|d|y)")
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "y": 365 * 86_400.0}
_FIRST = 946_684_800.0  # 2000; nothing was measured before


class View(msgspec.Struct, frozen=True):
    """One chart's question. Times are seconds since 1970; with a `span` the end is now and moves on.

    `points` is empty for the usual ones of the type; `compare` is empty or one of `BESIDE`; `outdoor` asks for the outdoor temperature,
    from another machine of the site if need be.
    """

    start: float
    end: float
    span: str = ""
    points: tuple[str, ...] = ()
    compare: str = ""
    outdoor: bool = False

    @property
    def live(self) -> bool:
        """Whether the end is now."""
        return bool(self.span)

    def query(self, **changed: str | None) -> str:
        """This view as the query of an address, with some parameters changed, or taken out by None."""
        values: dict[str, str] = {}
        if self.span and self.span != USUAL:
            values["span"] = self.span
        elif not self.span:
            values |= {"start": stamp(self.start), "end": stamp(self.end)}
        if self.points:
            values["points"] = ",".join(self.points)
        if self.compare:
            values["compare"] = self.compare
        if self.outdoor:
            values["outdoor"] = "1"
        if changed.get("span"):
            values = {name: text for name, text in values.items() if name not in ("start", "end")}
        for name, text in changed.items():
            values.pop(name, None)
            if text is not None and (name, text) != ("span", USUAL):
                values[name] = text
        return urlencode(values, safe=",:")


def stamp(seconds: float) -> str:
    """A time as it stands in an address: ISO 8601 in UTC, whole seconds."""
    return f"{datetime.fromtimestamp(round(seconds), tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def usual(now: float) -> View:
    """The last 24 hours."""
    return View(now - PRESETS[USUAL], now, USUAL)


def view_of(reader: Reader, query: Any, now: float, since: float | None) -> View:
    """Read the parameters of an address or a form. Times without an offset are in the reader's zone, so the site's.

    `query` is a multi-dict; `since` is when the household's history of the machine begins, in seconds since 1970.

    Raises:
        Invalid: a time that can't be read, a stretch that is too short, too long or not there, too many points.
    """
    named = {name: str(query.get(name) or "").strip()[:80] for name in ("span", "start", "end", "compare", "outdoor")}
    points = _points(reader, query.getall("points", []) if hasattr(query, "getall") else [str(query.get("points") or "")])
    if named["start"] or named["end"]:
        span, start, end = "", *_between(reader, named, now)
    else:
        span = named["span"] or USUAL
        start, end = now - _length(reader, span, now, since), now
    return View(start, end, span, points, named["compare"] if named["compare"] in BESIDE else "", named["outdoor"] == "1")


def _points(reader: Reader, given: Iterable[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for text in given for name in text[:1000].split(",") if name))
    if len(names) > MOST_CHOSEN:
        raise Invalid("bad_points", reader.gettext("Choose at most %(n)s points.", n=MOST_CHOSEN), "points")
    return names


def _length(reader: Reader, span: str, now: float, since: float | None) -> float:
    if span == ALL:
        return min(telemetry.MAX_SPAN_S, max(PRESETS[USUAL], now - since if since is not None else 0.0))
    found = _SPAN.fullmatch(span)
    if found is None:
        raise Invalid("bad_span", reader.gettext("Give the length as a number with s, m, h, d or y, such as 90m."), "span")
    return _checked(reader, float(found[1]) * _UNIT_S[found[2]])


def _between(reader: Reader, named: Mapping[str, str], now: float) -> tuple[float, float]:
    end = min(_time(reader, named["end"], "end"), now) if named["end"] else now
    start = _time(reader, named["start"], "start") if named["start"] else end - PRESETS[USUAL]
    if start >= now:
        raise Invalid("bad_span", reader.gettext("The start lies in the future. Give one that is past."), "start")
    _checked(reader, end - start)
    return start, end


def _checked(reader: Reader, length: float) -> float:
    if length < LEAST_S:
        raise Invalid("bad_span", reader.gettext("Give an end that is at least five minutes after the start."), "end")
    if length > telemetry.MAX_SPAN_S:
        days = reader.number(telemetry.MAX_SPAN_S / 86_400)
        raise Invalid("bad_span", reader.gettext("One chart shows at most %(days)s days. Choose a shorter range.", days=days), "start")
    return length


def _time(reader: Reader, text: str, field: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=reader.zone)).timestamp()
    except (ValueError, OverflowError) as error:
        raise Invalid("bad_time", reader.gettext("Give the time as year-month-day and hour, such as 2026-11-17T03:00."), field) from error
    if seconds < _FIRST:
        raise Invalid("bad_time", reader.gettext("Give a time after the year 2000."), field)
    return seconds


def local_input(reader: Reader, seconds: float) -> str:
    """A time as a form's field for local time takes it."""
    return f"{datetime.fromtimestamp(seconds, reader.zone):%Y-%m-%dT%H:%M}"


def title(reader: Reader, view: View) -> str:
    """The stretch of time in words."""
    words = {
        "1h": reader.gettext("Last hour"),
        "6h": reader.gettext("Last 6 hours"),
        "24h": reader.gettext("Last 24 hours"),
        "7d": reader.gettext("Last 7 days"),
        "30d": reader.gettext("Last 30 days"),
        "1y": reader.gettext("Last year"),
        ALL: reader.gettext("All readings kept"),
    }
    if view.span:
        return words.get(view.span) or _last(reader, view.end - view.start)
    start, end = (datetime.fromtimestamp(t, reader.zone) for t in (view.start, view.end))
    first, last = reader.weekday(start), reader.weekday(end)
    if view.end - view.start >= 14 * 86_400:
        return reader.gettext("%(start)s to %(end)s", start=first, end=last)
    return reader.gettext(
        "%(start)s to %(end)s",
        start=f"{first}, {reader.clock(start)}",
        end=reader.clock(end) if first == last else f"{last}, {reader.clock(end)}",
    )


def _last(reader: Reader, length: float) -> str:
    """The last so many minutes, hours or days."""
    if length < 7200:
        return reader.gettext("Last %(n)s minutes", n=reader.number(length / 60))
    if length < 2 * 86_400:
        return reader.gettext("Last %(n)s hours", n=reader.number(length / 3600, 1))
    return reader.gettext("Last %(n)s days", n=reader.number(length / 86_400, 1 if length < 20 * 86_400 else 0))


def shifted(reader: Reader, seconds: float, days: int) -> float:
    """The same wall-clock time in the reader's zone `days` later (earlier where negative)."""
    local = datetime.fromtimestamp(seconds, reader.zone)
    return (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=reader.zone, fold=local.fold).timestamp()


def shifted_trace(reader: Reader, t: Sequence[float], values: Sequence[float | None], days: int) -> tuple[list[float], list[float | None]]:
    """Readings moved by whole days of the reader's clock. Of an hour that the clock shows twice only there, the second is left out."""
    at: list[float] = []
    kept: list[float | None] = []
    for moment, value in zip(t, values, strict=True):
        moved = shifted(reader, moment, days)
        if not at or moved > at[-1]:
            at.append(moved)
            kept.append(value)
    return at, kept
