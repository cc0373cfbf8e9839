"""The contractor's first page: every site, the one that needs somebody first on top."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

import msgspec

from lineset.diagnostics import KNOWLEDGE

from ..common.findings import certainty, cost_words, deadline, finding_line, finding_title, undecided
from ..common.money import money
from ..common.quantity import degrees, degrees_apart, mode_tone, scale, word
from ..common.reader import Reader
from .ranking import SILENT_S, Ranked, distance

FIRST = 60  # rows of the first page besides the urgent ones
MORE = 200  # rows of each further one
TOP = 12  # urgent rows drawn large
LEAST_HOMES = 40  # fewer make no histogram worth reading
SORTS = ("urgency", "name", "room", "contact")
Show = Literal["all", "urgent", "silent"]


class Query(msgspec.Struct, frozen=True):
    """What the reader asked of the list."""

    q: str = ""
    sort: str = "urgency"
    show: str = "all"
    after: int = 0

    def link(self, **changed: str | int) -> str:
        """The address of the list with some of it changed."""
        fields = {"q": self.q, "sort": self.sort, "show": self.show, "after": self.after} | {"after": 0} | changed
        defaults = {"q": "", "sort": "urgency", "show": "all", "after": 0}
        kept = {name: value for name, value in fields.items() if value != defaults[name]}
        return "/portal" + ("?" + urlencode(kept) if kept else "")


class Row(msgspec.Struct, frozen=True):
    """One site."""

    number: int
    site: str
    name: str
    place: str
    household: str
    machine: str
    machine_name: str
    now: str
    unit: str
    target: str
    tone: str
    why: str
    more: str
    mark: bool
    mode: str
    mode_tone: str
    seen: float
    contact: str
    late: bool
    act: str
    overdue: bool
    cost: str
    suffers: bool
    bring: str
    query: str


class Bar(msgspec.Struct, frozen=True):
    """One bar of the fleet's histogram, in a box of 1000 x 100."""

    x: float
    y: float
    width: float
    height: float
    tone: str


class Pin(msgspec.Struct, frozen=True):
    """An urgent site on the histogram: its number and place in percent."""

    number: int
    at: float
    tone: str


class Histogram(msgspec.Struct, frozen=True):
    """Distance of each site from its own set point."""

    bars: tuple[Bar, ...]
    pins: tuple[Pin, ...]
    ticks: tuple[tuple[float, str], ...]
    homes: int


class Fleet(msgspec.Struct, frozen=True):
    """The page's view."""

    query: Query
    total: int
    urgent: int
    first: str
    found_at: int
    costs: str
    silent: int
    calm: int
    top: tuple[Row, ...]
    rest: tuple[Row, ...]
    found: int
    next: str
    histogram: Histogram | None
    factor: float
    offset: float


def pick(ranked: Sequence[Ranked], query: Query, now: datetime) -> list[Ranked]:
    """The rows that `query` asks for, in its order."""
    chosen = [r for r in ranked if _matches(r, query, now)]
    if query.sort == "name":
        chosen.sort(key=lambda r: r.home.site.name.casefold())
    elif query.sort == "room":
        chosen.sort(key=lambda r: d if (d := distance(r.home)) is not None else math.inf)
    elif query.sort == "contact":
        chosen.sort(key=lambda r: r.home.seen or 0.0)
    return chosen


def page_of(chosen: Sequence[Ranked], query: Query) -> tuple[list[Ranked], list[Ranked]]:
    """The rows to draw large and those of the table, for this step of the list."""
    large = [] if query.sort != "urgency" or query.q else [r for r in chosen if r.urgent][:TOP]
    if query.after:
        return [], list(chosen[query.after : query.after + MORE])
    return large, list(chosen[len(large) : len(large) + FIRST])


def fleet_view(
    reader: Reader,
    ranked: Sequence[Ranked],
    query: Query,
    now: datetime,
) -> Fleet:
    """Build the page, without the sparks: those come by themselves as rows come into sight."""
    chosen = pick(ranked, query, now)
    large, rest = page_of(chosen, query)
    first = query.after if query.after else len(large)
    end = first + len(rest)
    urgent = [r for r in ranked if r.urgent]
    ruler = scale(reader, "degC")
    silent = sum(1 for r in ranked if _silent(r, now))
    return Fleet(
        query=query,
        total=len(ranked),
        urgent=len(urgent),
        first=_when(reader, urgent[0].act_by, now) if urgent else "",
        found_at=sum(1 for r in ranked if r.finding is not None),
        costs=_costs(reader, ranked),
        silent=silent,
        calm=sum(1 for r in ranked if not r.urgent and not _silent(r, now) and r.why == ""),
        top=tuple(_row(reader, index + 1, r, now) for index, r in enumerate(large)),
        rest=tuple(_row(reader, first + index + 1, r, now) for index, r in enumerate(rest)),
        found=len(chosen),
        next=query.link(after=end) if end < len(chosen) else "",
        factor=ruler.factor,
        offset=ruler.offset,
        histogram=_histogram(reader, ranked, large) if len(ranked) >= LEAST_HOMES and not query.after else None,
    )


def _silent(ranked: Ranked, now: datetime) -> bool:
    return ranked.home.seen is not None and now.timestamp() - ranked.home.seen > SILENT_S


def _matches(ranked: Ranked, query: Query, now: datetime) -> bool:
    if query.show == "urgent" and not ranked.urgent:
        return False
    if query.show == "silent" and not _silent(ranked, now):
        return False
    words = query.q.casefold().split()
    if not words:
        return True
    home = ranked.home
    text = f"{home.site.name} {home.site.place} {home.household} {home.machine_name}".casefold()
    return all(part in text for part in words)


def _row(reader: Reader, number: int, ranked: Ranked, now: datetime) -> Row:
    home = ranked.home
    ruler = scale(reader, "degC")
    tank = home.room is None and home.tank is not None
    value, target = (home.tank, home.tank_target) if tank else (home.room, home.target)
    tone = _tone(ranked, tank=tank)
    age = None if home.seen is None else now.timestamp() - home.seen
    return Row(
        number=number,
        site=home.site.id,
        name=home.site.name,
        place=home.site.place,
        household=home.household,
        machine=home.machine,
        machine_name=home.machine_name,
        now="" if value is None else reader.number(ruler.apply(value), 1),
        unit=ruler.symbol,
        target="" if target is None else reader.number(ruler.apply(target), 0 if reader.units == "us" else 1),
        tone=tone,
        why=_why(reader, ranked, now),
        more=_more(reader, ranked, now),
        mark=ranked.urgent or ranked.why == "warning",
        mode=word(reader, home.mode) if home.mode else "",
        mode_tone=mode_tone(home.mode),
        seen=home.seen or 0.0,
        contact=reader.gettext("never") if age is None else reader.age(age),
        late=age is None or age > SILENT_S,
        act="" if ranked.act_by == math.inf else _when(reader, ranked.act_by, now),
        overdue=ranked.act_by < now.timestamp(),
        cost=cost_words(reader, ranked.finding) if ranked.finding is not None else "",
        suffers=_suffers(ranked),
        bring=_bring(reader, ranked),
        query=str(ranked.finding.equipment) if ranked.finding is not None else home.machine,
    )


def _when(reader: Reader, seconds: float, now: datetime) -> str:
    return deadline(reader, datetime.fromtimestamp(seconds, UTC), now)


def _costs(reader: Reader, ranked: Sequence[Ranked]) -> str:
    """What all open findings cost a day together, where that is known of any."""
    known = [f.cost_a_day for r in ranked for f in r.home.findings if f.cost_a_day is not None]
    return money(reader, sum(known)) if known else ""


def _suffers(ranked: Ranked) -> bool:
    """Whether people there feel it: their room or water, as read or as the finding says."""
    felt = ranked.finding is not None and KNOWLEDGE[ranked.finding.fault].suffers in ("heating", "hot_water", "health")
    return felt or ranked.why in ("cold", "hot", "tank", "lockout")


def _bring(reader: Reader, ranked: Ranked) -> str:
    """The first things to bring for what was found."""
    return "" if ranked.finding is None else ", ".join(KNOWLEDGE[ranked.finding.fault].said(reader.language).bring[:3])


def _tone(ranked: Ranked, *, tank: bool) -> str:
    if tank:
        return "water"
    if ranked.why in ("cold", "hot"):
        return "cool" if ranked.why == "cold" else "heat"
    apart = distance(ranked.home)
    if apart is None or abs(apart) < 1.0:
        return ""
    return "cool" if apart < 0 else "heat"


def _why(reader: Reader, ranked: Ranked, now: datetime) -> str:
    home = ranked.home
    if ranked.why == "finding" and ranked.finding is not None:
        return finding_title(reader, ranked.finding)
    apart = distance(home)
    texts = {
        "lockout": reader.gettext("Stopped itself, locked out"),
        "fault": reader.gettext("Reports fault %(code)s", code=f"{home.fault_code:.0f}")
        if home.fault_code
        else reader.gettext("Reports a fault"),
        "warning": reader.gettext("Reports a warning"),
        "tank": reader.gettext("Hot water is cold"),
        "never": reader.gettext("Nothing received yet"),
    }
    if ranked.why == "silent" and home.seen is not None:
        return reader.gettext("No contact since %(time)s", time=reader.when(datetime.fromtimestamp(home.seen, UTC), now))
    if ranked.why == "cold" and apart is not None:
        return reader.gettext("%(apart)s below its set point", apart=degrees_apart(reader, apart, 1))
    if ranked.why == "hot" and apart is not None:
        return reader.gettext("%(apart)s above its set point", apart=degrees_apart(reader, apart, 1))
    return texts.get(ranked.why, reader.gettext("As it should be"))


def _more(reader: Reader, ranked: Ranked, now: datetime) -> str:
    """The second line: what the machine does, and the further reasons."""
    home = ranked.home
    if ranked.why == "finding" and ranked.finding is not None:
        return _found(reader, ranked)
    parts: list[str] = []
    if home.mode and home.mode != ranked.why:
        parts.append(word(reader, home.mode))
    if home.backup and home.mode != "auxiliary_heat":
        parts.append(reader.gettext("backup heat on"))
    apart = distance(home)
    if ranked.why in ("lockout", "fault", "silent") and apart is not None and apart < -1.0:
        parts.append(reader.gettext("room %(apart)s below its set point", apart=degrees_apart(reader, apart, 1)))
    if ranked.why == "tank" and home.tank is not None and home.tank_target is not None:
        parts.append(
            reader.gettext("tank %(tank)s, set %(target)s", tank=degrees(reader, home.tank), target=degrees(reader, home.tank_target))
        )
    if ranked.why not in ("silent", "never") and _silent(ranked, now):
        parts.append(reader.gettext("no contact"))
    return ", ".join(parts)


def _found(reader: Reader, ranked: Ranked) -> str:
    """The finding in a line, how sure it is, and how many others there are."""
    finding = ranked.finding
    if finding is None:
        return ""
    sure = certainty(reader, finding.confidence)
    text = finding_line(reader, finding) + " " + sure[:1].upper() + sure[1:]
    text += reader.gettext(", which of the two: open.") if undecided(finding) else "."
    more = len(ranked.home.findings) - 1
    return text + (" " + reader.ngettext("%(n)s more finding.", "%(n)s more findings.", more) if more else "")


def _histogram(reader: Reader, ranked: Sequence[Ranked], pinned: Sequence[Ranked]) -> Histogram | None:
    """Root scale, so that a few outliers show beside thousands that are well. One degree of the reader's unit a bar."""
    factor = scale(reader, "K").factor
    apart = [d * factor for r in ranked if (d := distance(r.home)) is not None]
    if len(apart) < LEAST_HOMES:
        return None
    reach = 12 if reader.units == "us" else 7
    low, high = -reach, reach // 2
    span = high - low
    counts = [0] * span
    for d in apart:
        counts[min(span - 1, max(0, math.floor(d - low + 0.5)))] += 1
    most = math.sqrt(max(counts))
    width = 1000 / span
    far = 2.0 * factor
    bars: list[Bar] = []
    for index, count in enumerate(counts):
        if count:
            height = max(2.0, math.sqrt(count) / most * 70)
            middle = low + index
            tone = "cool" if middle <= -far else "heat" if middle >= far else ""
            bars.append(Bar(round(index * width + width * 0.08, 1), round(78 - height, 1), round(width * 0.84, 1), round(height, 1), tone))
    pins: list[Pin] = []
    for number, r in enumerate(pinned, 1):
        d = distance(r.home)
        if d is not None:
            at = (min(high, max(low, d * factor)) - low + 0.5) / span * 100
            if all(abs(at - pin.at) > 3.2 for pin in pins):
                pins.append(Pin(number, round(at, 2), "cool" if d < 0 else "heat"))
    step = 5 if reader.units == "us" else 3
    ticks = tuple(
        (
            round((tick - low + 0.5) / span * 100, 2),
            reader.gettext("set point") if tick == 0 else f"{'+' if tick > 0 else ''}{reader.number(tick)}°",
        )
        for tick in range(-(reach // step) * step, high + 1, step)
    )
    return Histogram(tuple(bars), tuple(pins), ticks, len(apart))
