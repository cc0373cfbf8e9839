"""How a machine ran and what comes next, as pages show it: figures with their doubt, the next day, what comes due, what is left."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from lineset_contract.units import UNITS

from lineset.diagnostics import Due, Figure, FleetModel, Forecast, Life, Performance

from .performance_words import basis_words, figure_name, reason_words
from .quantity import scale
from .reader import NBSP, Reader
from .refusals import marked

HOURS = 24
SHARES = ("share", "1/1")


class FigureLine(msgspec.Struct, frozen=True):
    """A figure. `value` empty where it is absent, and `why` then says the reason; `note`: its doubt and what it was made from."""

    name: str
    value: str
    unit: str
    note: str
    why: str


class PerformanceView(msgspec.Struct, frozen=True):
    """How a machine ran over a span that is named in `title`: the figures that matter to everybody, then `more` for who looks closer."""

    title: str
    figures: tuple[FigureLine, ...]
    more: tuple[FigureLine, ...]
    absent: tuple[FigureLine, ...]


class Hour(msgspec.Struct, frozen=True):
    """One hour of the forecast in a box of 24 x 100: the likely height, and from where to where four in five outcomes lie."""

    x: float
    height: float
    low: float
    high: float


class ForecastView(msgspec.Struct, frozen=True):
    """The next day of a machine: sums, the hours, and how well past forecasts did."""

    energy: str
    energy_range: str
    run: str
    hours: tuple[Hour, ...]
    top: str
    start: str
    middle: str
    end: str
    error: str
    say: str


class DueLine(msgspec.Struct, frozen=True):
    """Something that comes due, or what is left of a part."""

    name: str
    when: str
    note: str
    soon: bool


_PARTS: Mapping[str, str] = {
    "filter": marked("Filter"),
    "anode": marked("Anode"),
    "coil": marked("Coil"),
    "outdoor_coil": marked("Outdoor coil"),
    "indoor_coil": marked("Indoor coil"),
    "descaling": marked("Descaling"),
    "service": marked("Service"),
    "inspection": marked("Inspection"),
    "compressor": marked("Compressor"),
    "outdoor_fan": marked("Outdoor fan"),
    "indoor_fan": marked("Indoor fan"),
    "fan": marked("Fan"),
    "pump": marked("Pump"),
    "tank": marked("Tank"),
    "element": marked("Heating element"),
    "heat_exchanger": marked("Heat exchanger"),
    "burner": marked("Burner"),
    "igniter": marked("Igniter"),
    "reversing_valve": marked("Reversing valve"),
    "board": marked("Control board"),
    "machine": marked("The whole machine"),
}
SOON_DAYS = 30.0


def part_word(reader: Reader, part: str) -> str:
    """What a part is called."""
    known = _PARTS.get(part)
    return reader.gettext(known) if known is not None else part.replace("_", " ").capitalize()


SMALL_W = 200.0
"""Powers below this are told in W, such as that of a machine at rest; others in kW."""


def amount(reader: Reader, value: float, unit: str, like: float | None = None) -> tuple[str, str]:
    """A figure's digits and unit as the reader sees them, on the scale of the figure `like` that it stands beside."""
    if unit in SHARES:
        return reader.number(value * 100), "%"
    if unit == "W" and abs(value if like is None else like) < SMALL_W:
        return reader.number(value), "W"
    if unit not in UNITS:
        return reader.number(value, 0 if abs(value) >= 100 or value == round(value) else 2), "" if unit == "1" else unit
    ruler = scale(reader, unit)
    shown = ruler.apply(value)
    return reader.number(shown, ruler.digits if abs(shown) < 100 else 0), ruler.symbol


def amount_of(reader: Reader, figure: Figure, like: float | None = None) -> tuple[str, str]:
    """The digits and unit of a figure that is known; what was counted is whole."""
    value = figure.value or 0.0
    return (reader.number(value), "") if figure.basis == "counted" and figure.unit == "1" else amount(reader, value, figure.unit, like)


def performance_view(reader: Reader, performance: Performance, title: str, usual: FleetModel | None = None) -> PerformanceView:
    """The figures of a span: what is known, beside it what is `usual` for machines of its kind, and what is absent with its reason."""
    beside = {} if usual is None else {figure_of(name)[0]: both for name, both in usual.figures.items()}
    lines = {name: _figure(reader, name, figure, beside.get(name)) for name, figure in performance.figures.items()}
    known = [name for name, line in lines.items() if not line.why]
    first = [name for name in FIRST if name in known and not _nothing(performance.figures[name])]
    more = [name for name in known if name not in first]
    absent = tuple(line for line in lines.values() if line.why)
    return PerformanceView(title, tuple(lines[name] for name in first), tuple(lines[name] for name in more), absent)


FIRST = (
    *("electric", "gas", "heat", "cooling", "hot_water", "cop_heating", "cop_cooling", "spf_h3", "spf_cooling", "efficiency_gas"),
    *("hours_running", "starts", "cycle_length", "backup_share", "defrosts", "energy_per_hdd", "energy_per_cdd", "comfort"),
)
"""What everybody wants to know of a machine, in that order; of these, what was nothing is told with the rest."""


def _nothing(figure: Figure) -> bool:
    return not figure.value


_CALLED = {
    "split": "air_split",
    "water_difference": "water_split",
    "condensing_over_sink": "sink_approach",
    "source_over_evaporating": "source_approach",
    "standby_w": "standby_power",
    "starts_an_hour": "starts_an_hour",
}
_UNITS = {"cop": "1", "starts_an_hour": "1/h", "standby_w": "W"}


def figure_of(learnt: str) -> tuple[str, str]:
    """The figure of performance that a fleet's model tells of, and its unit: `heating.cop` is (`cop_heating`, 1)."""
    mode, _, bare = learnt.rpartition(".")
    called = _CALLED.get(bare, bare)
    return f"{called}_{mode}" if mode else called, _UNITS.get(bare, "K")


def _figure(reader: Reader, name: str, figure: Figure, usual: tuple[float, float] | None = None) -> FigureLine:
    text = figure_name(reader, name)
    if figure.value is None:
        return FigureLine(text, "", "", "", reason_words(reader, figure.why or "not_measured"))
    digits, unit = amount_of(reader, figure)
    notes = []
    if figure.doubt:
        notes.append("± " + amount(reader, figure.doubt, "K" if figure.unit == "degC" else figure.unit, figure.value)[0])
    if figure.basis:
        notes.append(basis_words(reader, figure.basis))
    if usual is not None:
        middle, spread = (amount(reader, value, figure.unit, figure.value)[0] for value in usual)
        notes.append(reader.gettext("usual for such machines: %(mean)s ± %(spread)s", mean=middle, spread=spread))
    return FigureLine(text, digits, unit, ", ".join(notes), "")


def upcoming(forecast: Forecast, now: datetime) -> Forecast | None:
    """What a forecast says of the next 24 hours; None where it was made too long ago to reach so far."""
    over = max(0, int((now - forecast.start).total_seconds() // 3600))
    rest = forecast.run_s[over : over + HOURS], forecast.energy_kwh[over : over + HOURS]
    if max(map(len, rest)) < HOURS:
        return None
    return msgspec.structs.replace(forecast, start=forecast.start + timedelta(hours=over), run_s=rest[0], energy_kwh=rest[1])


def since(dues: Sequence[Due], made: datetime, now: datetime) -> tuple[Due, ...]:
    """What comes due as counted from now, where it was foretold some days ago."""
    days = max((now - made).total_seconds() / 86_400, 0.0)
    return tuple(msgspec.structs.replace(due, days=max(due.days - days, 0.0)) for due in dues)


def forecast_view(reader: Reader, forecast: Forecast) -> ForecastView:
    """The next 24 hours. The limits of the sum are at most as wide as those of the hours together, which we name so."""
    hours = forecast.energy_kwh[:HOURS]
    likely = sum(h[0] for h in hours)
    most = max((h[2] for h in hours), default=0.0) or 1.0
    run = sum(h[0] for h in forecast.run_s[:HOURS]) / 3600
    begins = forecast.start
    low, high = sum(h[1] for h in hours), sum(h[2] for h in hours)
    energy = f"{reader.number(likely, 1)}{NBSP}kWh"
    text = reader.gettext("%(low)s to %(high)s", low=reader.number(low, 1), high=reader.number(high, 1))
    return ForecastView(
        energy=energy,
        energy_range=text,
        run=f"{reader.number(run, 1)}{NBSP}h",
        hours=tuple(Hour(float(n), *(round(v / most * 100, 1) for v in (h[0], h[1], h[2]))) for n, h in enumerate(hours)),
        top=f"{reader.number(most, 1)}{NBSP}kWh",
        start=reader.clock(begins),
        middle=reader.clock(begins + timedelta(hours=12)),
        end=reader.clock(begins + timedelta(hours=HOURS)),
        error=_error(reader, forecast),
        say=reader.gettext("About %(energy)s in the next 24 hours, %(range)s.", energy=energy, range=text),
    )


def _error(reader: Reader, forecast: Forecast) -> str:
    if forecast.past_error_kwh is None:
        return reader.gettext("Too few past days to say how far off it is.")
    text = reader.gettext("Past days were off by %(error)s kWh on average.", error=reader.number(forecast.past_error_kwh, 1))
    if forecast.skill is None:
        return text
    if forecast.skill <= 0:
        return text + " " + reader.gettext("That is no better than taking yesterday's load.")
    better = reader.number(forecast.skill * 100)
    return text + " " + reader.gettext("That is %(better)s %% less than taking yesterday's load.", better=better)


def due_lines(reader: Reader, dues: Sequence[Due], lives: Sequence[Life], now: datetime) -> tuple[DueLine, ...]:
    """What comes due, the soonest first, then what is left of parts, the shortest first."""
    coming = [_due(reader, due, now) for due in sorted(dues, key=lambda d: d.days)]
    return (*coming, *(_life(reader, life) for life in sorted(lives, key=lambda each: each.left_years[1])))


def _due(reader: Reader, due: Due, now: datetime) -> DueLine:
    if due.days <= 0:
        when = reader.gettext("due now")
    elif due.days > 365:
        when = reader.gettext("in about %(years)s years", years=reader.number(due.days / 365, 1))
    else:
        when = reader.gettext("in %(days)s days", days=f"{reader.number(due.days)}{NBSP}±{NBSP}{reader.number(due.doubt_days)}")
    note = reader.gettext("about %(day)s", day=reader.date(now + timedelta(days=min(max(due.days, 0.0), 3650.0))))
    return DueLine(part_word(reader, due.part), when, note, due.days <= SOON_DAYS)


def _life(reader: Reader, life: Life) -> DueLine:
    low, middle, high = life.left_years
    when = reader.gettext("%(years)s years left", years=reader.number(middle, 1))
    note = reader.gettext(
        "Four in five last %(low)s to %(high)s years more. Risk of failing within a year: %(risk)s %%.",
        low=reader.number(low, 1),
        high=reader.number(high, 1),
        risk=reader.number(life.risk_a_year * 100),
    )
    if life.taught_by:
        note += " " + reader.gettext("Learnt from %(count)s machines or more of its kind.", count=reader.number(life.taught_by))
    else:
        note += " " + reader.gettext("From published lives.")
    return DueLine(part_word(reader, life.part), when, note, middle < 1.0)
