"""A company's fleet by make, model, type and installer, told only of groups so large that no home can be told from them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

import numpy as np

from lineset.diagnostics import views
from lineset.reports import plots
from lineset.reports.document import Block, Document, Figure, Figures, Plot, Section, Table, Text, Voice, figure, quantity
from lineset.reports.facts import Fleet, Group, MachineDays, Serviced
from lineset.reports.household import fault_name

FLOOR = 11
"""Homes. A group of fewer is not told of: the least cell that US federal health statistics publish (CMS cell size policy), and the floor of
every aggregate of this platform."""
HEAT_BELOW, COOL_ABOVE = 18.0, 22.0
"""degC. Degree days of heating and cooling are counted from here (bases of Eurostat's are 15 / 24 with a threshold; ASHRAE's 18.3)."""
LEAST_DEGREE_DAYS = 15.0
"""K d. A machine that saw less weather says nothing about its energy per degree day."""
MOST_SHOWN = 12
_KWH = "kWh"


def energy_per_degree_day(machine: MachineDays) -> float | None:
    """kWh per degree day over the days on which both were measured; None where there was too little weather or no meter."""
    energy = degrees = 0.0
    for outdoor, electric, gas in zip(machine.outdoor, machine.electric, machine.gas, strict=True):
        if outdoor is not None and (electric is not None or gas is not None):
            energy += (electric or 0.0) + (gas or 0.0)
            degrees += max(HEAT_BELOW - outdoor, 0.0) + max(outdoor - COOL_ABOVE, 0.0)
    return energy / degrees if degrees >= LEAST_DEGREE_DAYS and energy > 0 else None


def make_fleet(
    company: str,
    span: tuple[date, date],
    machines: Sequence[tuple[UUID, MachineDays]],
    findings: Sequence[views.Finding],
    floor: int = FLOOR,
) -> Fleet:
    """A fleet of (household, machine) pairs, with everything left out that a group of fewer than `floor` households would tell.

    Groups are told only where at least `floor` households have them, and where that would leave out households of one group alone, the next
    smallest group goes too: their figures could be worked out from the whole otherwise (complementary suppression; Willenborg and de Waal
    2001, Elements of Statistical Disclosure Control, ch. 5).
    """
    homes = {household for household, _ in machines}
    if len(homes) < floor:
        return Fleet(company, *span, len(homes), len(machines), floor, {}, {}, None)
    found = {f.equipment: 0 for f in findings}
    for f in findings:
        found[f.equipment] += 1
    groups: dict[str, Sequence[Group]] = {}
    hidden: dict[str, int] = {}
    for by in ("make", "model", "type", "installer"):
        sorted_: dict[str, list[tuple[UUID, MachineDays]]] = {}
        for household, machine in machines:
            name = f"{machine.make} {machine.model}".strip() if by == "model" else getattr(machine, by)
            sorted_.setdefault(name if by != "model" or machine.model else "", []).append((household, machine))
        shown, hidden[by] = _safe(sorted_, floor)
        groups[by] = [_group(name, sorted_[name], found, floor) for name in shown]
    values = _by_home(machines)
    faults: dict[str, set[UUID]] = {}
    for f in findings:
        faults.setdefault(f.fault, set()).add(f.household)
    told = sorted(((fault, len(who)) for fault, who in faults.items() if len(who) >= floor), key=lambda pair: -pair[1])
    whole = float(np.median(values)) if len(values) >= floor else None
    return Fleet(company, *span, len(homes), len(machines), floor, groups, hidden, whole, told, _serviced(findings, span[0]))


def _serviced(findings: Sequence[views.Finding], first: date) -> Serviced:
    """What became of the findings since `first`, counted over the whole fleet, so that the floor of homes holds for it too."""
    since = datetime.combine(first, time(), UTC)
    mended = [f for f in findings if f.state == "verified_fixed" and f.closed is not None and f.closed >= since]
    took = [((f.repaired or f.closed or f.opened) - f.opened).total_seconds() / 86_400 for f in mended]
    still = [f for f in findings if f.state in views.OPEN_STATES]
    return Serviced(
        found=sum(f.opened >= since for f in findings),
        mended=len(mended),
        waiting=sum(f.repaired is not None for f in still),
        still=sum(f.repaired is None for f in still),
        days=float(np.median(took)) if took else None,
    )


def _safe(groups: Mapping[str, Sequence[tuple[UUID, MachineDays]]], floor: int) -> tuple[list[str], int]:
    """The names of the groups that may be told of, largest first, and how many households are in the others."""
    homes = {name: {household for household, _ in mine} for name, mine in groups.items()}
    shown = sorted((name for name in groups if len(homes[name]) >= floor), key=lambda name: -len(homes[name]))
    left = set[UUID]().union(*(homes[name] for name in groups if name not in shown))
    if left and len(left) < floor and shown:
        left |= homes[shown.pop()]
    return shown, len(left)


def _by_home(machines: Sequence[tuple[UUID, MachineDays]]) -> list[float]:
    """One value a household, so that a home with many machines does not speak for many."""
    homes: dict[UUID, list[float]] = {}
    for household, machine in machines:
        value = energy_per_degree_day(machine)
        if value is not None:
            homes.setdefault(household, []).append(value)
    return [float(np.mean(values)) for values in homes.values()]


def _group(name: str, machines: Sequence[tuple[UUID, MachineDays]], found: Mapping[UUID, int], floor: int) -> Group:
    values = _by_home(machines)
    quartiles = tuple(float(q) for q in np.quantile(values, (0.25, 0.5, 0.75))) if len(values) >= floor else None
    count = sum(found.get(machine.id, 0) for _, machine in machines)
    low, middle, high = quartiles or (0.0, 0.0, 0.0)
    homes = len({household for household, _ in machines})
    return Group(name, homes, len(machines), (low, middle, high) if quartiles else None, 100.0 * count / len(machines))


def fleet_report(voice: Voice, fleet: Fleet, made: datetime) -> Document:
    """The document of a company's fleet for one reader."""
    _ = voice.gettext
    sections = []
    if fleet.serviced is not None:
        sections.append(Section(_("What was found and mended"), (_service_figures(voice, fleet.serviced),)))
    for by, title in (("make", _("By make")), ("model", _("By model")), ("type", _("By type")), ("installer", _("By installer"))):
        if fleet.groups.get(by):
            sections.append(Section(title, tuple(_compared(voice, fleet, by))))
    if fleet.faults:
        rows = tuple((fault_name(voice, fault), voice.number(homes)) for fault, homes in fleet.faults)
        sections.append(Section(_("What was found, by fault"), (Table("", (_("Fault"), _("Homes")), rows),)))
    guard = (
        _("Only homes that share their readings with %(company)s are counted, and no home is named.", company=fleet.company),
        _("A group with fewer than %(floor)s homes is left out, and where one alone were left out, the next smallest is too, so that it "
          "can't be worked out from the rest.", floor=voice.number(fleet.floor)),
        _("No noise is added yet: these figures are for the company's own use, and are not to be published."),
    )  # fmt: skip
    sections.append(Section(_("What protects the homes"), (Text(guard, small=True),)))
    return Document(
        name="lineset-fleet",
        language=voice.language,
        head=fleet.company,
        title=_("Fleet report"),
        facts=(
            _("%(first)s to %(last)s", first=voice.day(fleet.first), last=voice.day(fleet.last)),
            _("%(homes)s homes, %(machines)s machines", homes=voice.number(fleet.homes), machines=voice.number(fleet.machines)),
        ),
        lead=(_fleet_lead(voice, fleet),),
        sections=tuple(sections),
        made=_("Made %(day)s.", day=voice.day(made.date())),
        foot=_("%(company)s, by make, model, type and installer", company=fleet.company),
    )


def _service_figures(voice: Voice, serviced: Serviced) -> Figures:
    _ = voice.gettext
    took = _("half of them within %(days)s days", days=voice.number(serviced.days)) if serviced.days is not None else ""
    return Figures(
        (
            Figure(_("Found"), voice.number(serviced.found)),
            Figure(_("Mended, as readings since show"), voice.number(serviced.mended), note=took),
            Figure(_("Mended, readings awaited"), voice.number(serviced.waiting)),
            Figure(_("Still open"), voice.number(serviced.still)),
        )
    )


def service_said(voice: Voice, serviced: Serviced) -> str:
    """What was found and mended, in a sentence for a mail."""
    return voice.gettext(
        "In three months %(found)s faults were found and %(mended)s mended, as readings since show; %(still)s are open.",
        found=voice.number(serviced.found),
        mended=voice.number(serviced.mended),
        still=voice.number(serviced.still + serviced.waiting),
    )


def _fleet_lead(voice: Voice, fleet: Fleet) -> str:
    _ = voice.gettext
    if fleet.homes < fleet.floor:
        floor = voice.number(fleet.floor)
        return _("Fewer than %(floor)s homes share their readings, so nothing is shown: one could tell whose they are.", floor=floor)
    said = (_fleet_energy(voice, fleet), service_said(voice, fleet.serviced) if fleet.serviced is not None else "")
    return " ".join(filter(None, said))


def _fleet_energy(voice: Voice, fleet: Fleet) -> str:
    _ = voice.gettext
    largest = next((g for g in fleet.groups.get("type", ()) if g.quartiles is not None), None)
    if largest is None or largest.quartiles is None:
        return ""
    low, _middle, high = largest.quartiles
    return f"{voice.type_name(largest.name)}: " + _(
        "Half of the homes use between %(low)s and %(high)s a degree day.",
        low=quantity(voice, _KWH, low, 2),
        high=quantity(voice, _KWH, high, 2),
    )


def _compared(voice: Voice, fleet: Fleet, by: str) -> list[Block]:
    _ = voice.gettext
    groups = fleet.groups[by][:MOST_SHOWN]

    def named(group: Group) -> str:
        return voice.type_name(group.name) if by == "type" else group.name or _("unknown")

    blocks: list[Block] = []
    rows = [plots.Row(named(g), *g.quartiles) for g in groups if g.quartiles is not None]
    if rows and fleet.whole is not None:
        whole = fleet.whole
        wide, narrow = plots.both(lambda width: plots.ranges(voice, _KWH, rows, whole, width, 1))
        key = _("Thick: the middle half of the homes. Dot: their median. Thin: the median of all.")
        say = "; ".join(f"{row.name} {quantity(voice, _KWH, row.middle, 2)}" for row in rows)
        blocks.append(Plot(f"{_('Energy per degree day')}, {_('kWh per degree day')}", wide, narrow, say, key))
    elif fleet.whole is not None:
        blocks.append(Figures((figure(voice, _("Energy per degree day"), _KWH, fleet.whole, digits=2),)))
    table = []
    for g in groups:
        middle = "–" if g.quartiles is None else voice.number(g.quartiles[1], 2)
        half = "–" if g.quartiles is None else f"{voice.number(g.quartiles[0], 2)} – {voice.number(g.quartiles[2], 2)}"
        found = "–" if g.found is None else voice.number(g.found, 1)
        table.append((named(g), voice.number(g.homes), voice.number(g.machines), middle, half, found))
    if fleet.hidden.get(by):
        table.append((_("Fewer than %(floor)s homes: not shown", floor=voice.number(fleet.floor)), "", "", "", "", ""))
    head = ("", _("Homes"), _("Machines"), _("Median"), _("Middle half"), _("Found per 100 machines"))
    blocks.append(Table("", head, tuple(table), _("Energy of a degree day of heating (base 18 °C) or cooling (base 22 °C).")))
    return blocks
