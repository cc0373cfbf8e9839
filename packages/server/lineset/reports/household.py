"""A home's month in words: how you used it, how it ran, what it needs."""

from collections.abc import Sequence
from datetime import datetime

from lineset_contract.faults import FAULTS

from lineset.diagnostics import views
from lineset.diagnostics.knowledge import KNOWLEDGE
from lineset.reports import plots
from lineset.reports.document import (
    Block,
    Document,
    Figures,
    Item,
    Items,
    Plot,
    Section,
    Table,
    Text,
    Tone,
    Voice,
    figure,
    hours,
    per_cent,
    quantity,
)
from lineset.reports.facts import ACTIVE, HomeMonth, MachineDays, Values, mean, outdoor_of, together, total
from lineset.reports.saved import saved_blocks

_TONES: dict[str, Tone] = {
    "heating": "heat",
    "auxiliary_heat": "heat",
    "cooling": "cool",
    "dry": "cool",
    "defrost": "cool",
    "hot_water": "water",
}
LIKE = 0.05
"""A difference from what the weather explains that is told as "as expected"."""


def household_report(voice: Voice, home: HomeMonth, made: datetime) -> Document:
    """The document of a home's month for one reader."""
    _ = voice.gettext
    measured = mean([machine.covered for machine in home.machines])
    facts = [_("%(first)s to %(last)s", first=voice.day(home.month), last=voice.day(home.until))]
    if measured is not None:
        facts.append(_("measured for %(share)s of the time", share=per_cent(voice, measured)))
    return Document(
        name=f"lineset-{home.month:%Y-%m}",
        language=voice.language,
        head=home.name,
        title=voice.month_of(home.month),
        facts=tuple(facts),
        lead=tuple(_lead(voice, home)),
        sections=(
            Section(_("How you used it"), tuple(_used(voice, home))),
            Section(_("How it ran"), tuple(_ran(voice, home))),
            *((Section(_("What was saved"), tuple(saved_blocks(voice, home.compared))),) if home.compared is not None else ()),
            Section(_("What it needs"), tuple(_needs(voice, home))),
            Section(_("How this was worked out"), (Text(tuple(_method(voice, home)), small=True),)),
        ),
        made=_("Made %(day)s from the readings of your own machines. Nobody else is sent this report.", day=voice.day(made.date())),
        foot=f"{home.name}, {voice.month_of(home.month)}",
    )


def _lead(voice: Voice, home: HomeMonth) -> list[str]:
    _ = voice.gettext
    energy = home.energy
    if energy is None:
        return [_("No energy was measured this month.")]
    said = [_("Your home's machines used %(energy)s.", energy=quantity(voice, "kWh", energy, 0))]
    apart = over_expected(home)
    if apart is None:
        said.append(_("What the weather explains can be said from the second month of readings on."))
    elif abs(apart) < LIKE:
        said.append(_("That is what the weather explains."))
    elif apart > 0:
        said.append(_("That is %(share)s more than the weather explains.", share=per_cent(voice, apart)))
    else:
        said.append(_("That is %(share)s less than the weather explains.", share=per_cent(voice, -apart)))
    open_ = [f for f in home.findings if f.state in views.OPEN_STATES]
    if open_:
        first = open_[0]
        said.append(
            voice.ngettext("One thing needs somebody: %(what)s.", "%(n)s things need somebody, first of all: %(what)s.", len(open_),
                           what=fault_name(voice, first.fault).lower())
        )  # fmt: skip
    return [" ".join(said)]


def over_expected(home: HomeMonth) -> float | None:
    """By which share the measured days used more than the weather explains; None where fewer than a week can be compared."""
    used = _daily(home)
    pairs = [(u, e) for u, e in zip(used, home.expected, strict=False) if u is not None and e is not None]
    expected = sum(e for _, e in pairs)
    return sum(u for u, _ in pairs) / expected - 1.0 if len(pairs) >= 7 and expected > 0 else None


def _daily(home: HomeMonth) -> list[float | None]:
    electric, gas = together(home.machines, "electric"), together(home.machines, "gas")
    if not electric or not gas:
        return electric or gas
    return [None if a is None or b is None else a + b for a, b in zip(electric, gas, strict=True)]


def _labels(home: HomeMonth) -> list[str]:
    return [str(day.day) for day in home.days]


def _used(voice: Voice, home: HomeMonth) -> list[Block]:
    _ = voice.gettext
    blocks: list[Block] = []
    energy = home.energy
    before = "" if home.before is None else _("the month before: %(energy)s", energy=quantity(voice, "kWh", home.before, 0))
    numbers = [figure(voice, _("Energy"), "kWh", energy, before, digits=0)]
    room, aim = mean([v for m in home.machines for v in m.room]), mean([v for m in home.machines for v in m.aim])
    if room is not None:
        note = _("set to %(aim)s", aim=quantity(voice, "degC", aim)) if aim is not None else ""
        numbers.append(figure(voice, _("Your rooms"), "degC", room, note))
    outdoor = outdoor_of(home.machines)
    if (outside := mean(outdoor)) is not None:
        known = [v for v in outdoor if v is not None]
        note = _("days from %(low)s to %(high)s", low=quantity(voice, "degC", min(known), 0), high=quantity(voice, "degC", max(known), 0))
        numbers.append(figure(voice, _("Outdoors"), "degC", outside, note))
    blocks.append(Figures(tuple(numbers)))
    if energy is not None:
        blocks.append(_energy_plot(voice, home))
    blocks += _room_plots(voice, home)
    if outside is not None:
        wide, narrow = plots.both(lambda width: plots.course(voice, "degC", _labels(home), plots.Course(outdoor, tone="cool"), width, 120))
        blocks.append(Plot(_("Outdoor temperature, daily mean"), wide, narrow, _extremes(voice, "degC", _("Outdoors"), outdoor)))
    return blocks


def _energy_plot(voice: Voice, home: HomeMonth) -> Plot:
    _ = voice.gettext
    stacks = [
        plots.Stack(tone, values)
        for tone, name in (("ink", "electric"), ("heat", "gas"))
        if (values := together(home.machines, name)) and any(v is not None for v in values)
    ]
    wide, narrow = plots.both(lambda width: plots.bars(voice, "kWh", _labels(home), stacks, home.expected, width))
    key = [_("Thick: measured.")]
    if len(stacks) > 1:
        key = [_("Thick: measured, electricity below in black, gas above it in orange.")]
    if any(v is not None for v in home.expected):
        key.append(_("Thin: what the weather explains."))
    if any(v is None for v in _daily(home)):
        key.append(_("Dots: not measured all day."))
    return Plot(_("Energy by day"), wide, narrow, _extremes(voice, "kWh", _("Energy by day"), _daily(home)), " ".join(key))


def _extremes(voice: Voice, unit: str, what: str, values: Values) -> str:
    """What a plot of days shows, in words: the lowest and the highest day."""
    known = [v for v in values if v is not None]
    if not known:
        return voice.gettext("%(what)s: no readings.", what=what)
    return voice.gettext(
        "%(what)s: from %(low)s to %(high)s.", what=what, low=quantity(voice, unit, min(known)), high=quantity(voice, unit, max(known))
    )


def _room_plots(voice: Voice, home: HomeMonth) -> list[Block]:
    _ = voice.gettext
    having = [machine for machine in home.machines if any(v is not None for v in machine.room)]
    blocks: list[Block] = []
    for machine in having[:4]:
        tone = "heat" if machine.modes.get("heating", 0.0) >= machine.modes.get("cooling", 0.0) else "cool"
        shown = plots.Course(machine.room, machine.low, machine.high, machine.aim, tone)
        wide, narrow = plots.both(lambda width, shown=shown: plots.course(voice, "degC", _labels(home), shown, width))  # type: ignore[misc]
        title = _("Room temperature") if len(having) == 1 else _("Room temperature, %(machine)s", machine=machine.name)
        key = _("Thick: the day's mean. Band: its lowest to its highest. Thin: what was set.")
        blocks.append(Plot(title, wide, narrow, _extremes(voice, "degC", title, machine.room), key))
    return blocks


def _ran(voice: Voice, home: HomeMonth) -> list[Block]:
    _ = voice.gettext
    if not home.machines:
        return [Text((_("No machine of this home was measured this month."),))]
    blocks: list[Block] = [_machines_table(voice, home.machines)]
    if any(machine.modes for machine in home.machines):
        modes = [mode for mode in ACTIVE if any(machine.modes.get(mode) for machine in home.machines)]
        rows = tuple((m.name, *(hours(voice, m.modes.get(mode, 0.0) or None) for mode in modes)) for m in home.machines if m.modes)
        if modes:
            blocks.append(Table(_("Time at work"), (_("Machine"), *(voice.word(mode) for mode in modes)), rows))
    return blocks + _how_well(voice, home.machines)


def _how_well(voice: Voice, machines: Sequence[MachineDays]) -> list[Block]:
    """Seasonal factors, comfort and backup heat of the machines that have any of them, each with its doubt."""
    _ = voice.gettext
    told = (
        ("spf_h3", _("Heat per kWh"), "1"),
        ("spf_cooling", _("Cold per kWh"), "1"),
        ("efficiency_gas", _("Efficiency, gas"), "1"),
        ("comfort", _("Time within 1 K"), "%"),
        ("backup_share", _("Backup heat"), "%"),
    )
    shown = [one for one in told if any(_known(m, one[0]) for m in machines)]
    rows = tuple((m.name, *(_doubted(voice, m, name, unit) for name, _label, unit in shown)) for m in machines)
    rows = tuple(row for row in rows if any(cell != "–" for cell in row[1:]))
    if not rows:
        return []
    note = _("Heat or cold per kWh: over all that the machine drew in the month, backup heat and standby included, ± one standard "
             "deviation. Time within 1 K: of the time in which a set point was known.")  # fmt: skip
    return [Table(_("How well it ran"), (_("Machine"), *(label for _name, label, _unit in shown)), rows, note)]


def _known(machine: MachineDays, name: str) -> bool:
    found = machine.figures.get(name)
    return found is not None and found.value is not None


def _doubted(voice: Voice, machine: MachineDays, name: str, unit: str) -> str:
    found = machine.figures.get(name)
    if found is None or found.value is None:
        return "–"
    if unit == "%":
        return per_cent(voice, found.value / 100.0)
    doubt = f" ± {voice.number(found.doubt, 2)}" if found.doubt else ""
    return f"{voice.number(found.value, 2)}{doubt}"


def _machines_table(voice: Voice, machines: Sequence[MachineDays]) -> Table:
    _ = voice.gettext
    rows = []
    for m in machines:
        electric, gas = total(m.electric), total(m.gas)
        rows.append(
            (
                m.name,
                quantity(voice, "kWh", electric, 0) if electric is not None else quantity(voice, "kWh", gas, 0),
                quantity(voice, "1", delivered(m), 2),
                hours(voice, m.run_s or None),
                "–" if m.starts is None else voice.number(m.starts),
                per_cent(voice, m.covered),
            )
        )
    head = (_("Machine"), _("Energy"), _("Delivered per kWh used"), _("At work"), _("Starts"), _("Measured"))
    note = _("Delivered per kWh used: heat or cold that the machine gave, over the energy that it took, everything at it included. "
             "A dash: it has no meter for that.")  # fmt: skip
    return Table("", head, tuple(rows), note)


def delivered(machine: MachineDays) -> float | None:
    """Heat and cold delivered over energy taken, on days where both were measured; None where one never was. The boundary is the whole
    machine with fans, controls and backup heat (H3 of SEPEMO for a heat pump)."""
    given = taken = 0.0
    for heat, cold, electric, gas in zip(machine.heat, machine.cooling, machine.electric, machine.gas, strict=True):
        if (heat is not None or cold is not None) and (electric is not None or gas is not None):
            given += (heat or 0.0) + (cold or 0.0)
            taken += (electric or 0.0) + (gas or 0.0)
    return given / taken if taken > 1.0 and given > 0 else None


def fault_name(voice: Voice, fault: str) -> str:
    """What a fault is called."""
    known = FAULTS.get(fault)
    return known.label.get(voice.language, known.label["en"]) if known is not None else fault.replace("_", " ")


def _needs(voice: Voice, home: HomeMonth) -> list[Block]:
    _ = voice.gettext
    names = {machine.id: machine.name for machine in home.machines}
    items = [found_item(voice, f, names.get(f.equipment, "")) for f in home.findings if f.state in views.OPEN_STATES]
    items += [_due_item(voice, due, names.get(due.equipment, "")) for due in home.dues]
    items += [advice_item(voice, each, names.get(each.equipment, "")) for each in home.advice]
    mended = [f for f in home.findings if f.state == "verified_fixed"]
    if mended:
        said = ", ".join(fault_name(voice, f.fault).lower() for f in mended)
        items.append(Item(_("Repaired, and seen to be so in the readings"), (said,)))
    if not items:
        return [Text((_("Nothing was found in this month's readings. What sensors do not measure, they do not find."),))]
    return [Items(tuple(items))]


def found_item(voice: Voice, finding: views.Finding, machine: str, *, technician: bool = False) -> Item:
    """A finding as an item: what it is, how sure, what to do, what it costs."""
    _ = voice.gettext
    words = KNOWLEDGE[finding.fault].said(voice.language)
    others = [fault_name(voice, c.fault).lower() for c in finding.candidates if c.fault != finding.fault]
    lines = [words.line, words.decides] if technician else [words.home, words.do]
    if others:
        lines.append(_("The readings can't tell it from: %(others)s.", others=", ".join(others)))
    lines.append(_("Found %(day)s, %(share)s sure.", day=voice.day(finding.opened.date()), share=per_cent(voice, finding.confidence)))
    title = f"{fault_name(voice, finding.fault)}, {machine}" if machine else fault_name(voice, finding.fault)
    side = "" if finding.cost_a_day is None else _("%(cost)s a day", cost=voice.money(finding.cost_a_day))
    return Item(title, tuple(lines), side, "fault")


def advice_item(voice: Voice, advice: views.Advice, machine: str) -> Item:
    """Advice that no finding gives: what to do, and what it saves and costs as far as that is known."""
    _ = voice.gettext
    titles = {
        "cooler_water": _("Make the heating water cooler"),
        "machine": _("Compare a new machine with the repair"),
        "sensors": _("Add a pressure or temperature sensor"),
        "softener": _("Think about a water softener"),
    }
    name = titles.get(advice.code, advice.code.replace("_", " ").capitalize())
    cost = _("Reckoned with %(cost)s, our assumption.", cost=voice.money(advice.cost)) if advice.cost else ""
    side = _("saves %(money)s a year", money=voice.money(advice.saving_a_year)) if advice.saving_a_year else ""
    return Item(f"{name}, {machine}" if machine else name, (cost,) if cost else (), side)


def _due_item(voice: Voice, due: views.Due, machine: str) -> Item:
    _ = voice.gettext
    parts = {"filter": _("Filter"), "anode": _("Anode"), "coil": _("Coil"), "service": _("Service")}
    name = parts.get(due.part, due.part.replace("_", " ").capitalize())
    side, _sep, doubt = due_when(voice, due).partition(", ")
    return Item(f"{name}, {machine}" if machine else name, (doubt,) if doubt else (), side)


def due_when(voice: Voice, due: views.Due) -> str:
    """When something is due, and give or take how long."""
    days = max(0, round(due.days))
    if not days:
        return voice.gettext("now")
    doubt = voice.ngettext("give or take %(n)s day", "give or take %(n)s days", round(due.doubt_days))
    return f"{voice.ngettext('in %(n)s day', 'in %(n)s days', days)}, {doubt}"


def _method(voice: Voice, home: HomeMonth) -> list[str]:
    _ = voice.gettext
    said = [
        _("Energy is that of each machine's own meter or power sensor, by days of your home's clock; days that were measured for less than "
          "four fifths are left out of sums of days, and shown as dots.")
    ]  # fmt: skip
    if home.response is not None:
        model = home.response
        said.append(
            _("What the weather explains is fitted to %(days)s earlier days of this home (a change-point model, ASHRAE Guideline 14): its "
              "days scatter %(cv)s about it.", days=voice.number(model.days), cv=per_cent(voice, model.cv))
        )  # fmt: skip
    return said
