"""Advice as pages show it: what to do, why, what it saves and costs, and what that was reckoned with."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from lineset.diagnostics import KNOWLEDGE, Advice

from .ahead import part_word
from .findings import deadline, fault_name
from .money import money
from .quantity import degrees_apart
from .reader import NBSP, Reader
from .refusals import marked

_KINDS: Mapping[str, str] = {
    "repair": marked("Repair"),
    "maintenance": marked("Maintenance"),
    "setting": marked("Setting"),
    "replacement": marked("Replacement"),
    "product": marked("Product"),
    "service": marked("Service"),
}
_DUE: Mapping[str, str] = {
    "filter": marked("Change the filter"),
    "anode": marked("Replace the anode"),
    "coil": marked("Wash the coil"),
    "outdoor_coil": marked("Wash the outdoor coil"),
    "indoor_coil": marked("Wash the indoor coil"),
    "descaling": marked("Descale the water heater"),
    "service": marked("Book the yearly service"),
    "inspection": marked("Book an inspection"),
}


class AdviceLine(msgspec.Struct, frozen=True):
    """One piece of advice. `saving` and `payback` are empty where they are not known; `reckoned`: what stands behind the money."""

    id: str
    equipment: str
    machine: str
    kind: str
    title: str
    why: tuple[str, ...]
    saving: str
    payback: str
    reckoned: str
    act_by: str
    finding: str


def advice_lines(
    reader: Reader, advice: Sequence[Advice], machines: Mapping[str, str], now: datetime, *, technician: bool = False
) -> tuple[AdviceLine, ...]:
    """Advice in the order given; `machines`: names by id. A technician reads the technician's line of a fault."""
    return tuple(_line(reader, a, machines.get(str(a.equipment), ""), now, technician=technician) for a in advice)


def _line(reader: Reader, advice: Advice, machine: str, now: datetime, *, technician: bool) -> AdviceLine:
    title, why = _said(reader, advice, technician=technician)
    pays = advice.payback_years
    return AdviceLine(
        id=str(advice.id),
        equipment=str(advice.equipment),
        machine=machine,
        kind=reader.gettext(_KINDS[advice.kind]),
        title=title,
        why=why,
        saving="" if not advice.saving_a_year else money(reader, advice.saving_a_year),
        payback="" if pays is None or not advice.cost else _payback(reader, pays),
        reckoned=_reckoned(reader, advice),
        act_by=deadline(reader, now + timedelta(days=advice.urgency_days), now),
        finding="" if advice.finding is None else str(advice.finding),
    )


def _payback(reader: Reader, years: float) -> str:
    if years < 1.0:
        months = max(1, round(years * 12))
        return reader.ngettext("pays back in %(n)s month", "pays back in %(n)s months", months)
    if years > 40:
        return reader.gettext("does not pay back by energy alone")
    return reader.gettext("pays back in %(years)s years", years=reader.number(years, 0 if years >= 10 else 1))


def _said(reader: Reader, advice: Advice, *, technician: bool) -> tuple[str, tuple[str, ...]]:
    figures = advice.figures
    if advice.kind == "replacement":
        return _replacement(reader, figures)
    if advice.code == "cooler_water":
        return (
            reader.gettext("Make the heating water %(apart)s cooler", apart=degrees_apart(reader, figures["cooler_K"])),
            (
                reader.gettext("Your rooms keep what you set, with room to spare."),
                reader.gettext("The same heat then takes %(share)s less power.", share=_percent(reader, figures["share"])),
                reader.gettext("Lower the heating curve. If a room stays cold, go back."),
            ),
        )
    if advice.code == "sensors":
        return (
            reader.gettext("Add a pressure or temperature sensor"),
            (reader.gettext("Two causes look alike with what is measured now. With it, the next finding names one."),),
        )
    if advice.code == "softener":
        return (
            reader.gettext("Think about a water softener"),
            (reader.gettext("Scale comes back with hard water. Measure the hardness first."),),
        )
    known = KNOWLEDGE.get(advice.code)
    if known is not None:
        words = known.said(reader.language)
        return fault_name(reader, advice.code), (words.line,) if technician else (words.home, words.do)
    title = _DUE.get(advice.code)
    days = figures.get("days_left", advice.urgency_days)
    doubt = reader.number(figures.get("doubt_days", 0.0))
    when = reader.gettext("Due in %(days)s days, give or take %(doubt)s.", days=reader.number(days), doubt=doubt)
    if days < 0.5:
        when = reader.gettext("Due now.")
    return reader.gettext(title) if title else part_word(reader, advice.code), (when,)


def _replacement(reader: Reader, figures: Mapping[str, float]) -> tuple[str, tuple[str, ...]]:
    why = [
        reader.gettext(
            "Half of such machines have less than %(left)s years left; four in five between %(low)s and %(high)s.",
            left=reader.number(figures["left_years"], 1),
            low=reader.number(figures["left_low"], 1),
            high=reader.number(figures["left_high"], 1),
        )
    ]
    if figures.get("repair"):
        why.append(reader.gettext("The repair at hand is reckoned at %(money)s.", money=money(reader, figures["repair"])))
    old, new = reader.number(figures["efficiency_old"], 2), reader.number(figures["efficiency_new"], 2)
    if figures.get("measured"):
        why.append(reader.gettext("It gives %(old)s of heat for one of energy, as measured; a new one %(new)s.", old=old, new=new))
    else:
        why.append(reader.gettext("It is taken to give %(old)s of heat for one of energy; a new one %(new)s.", old=old, new=new))
    return reader.gettext("Compare a new machine with the repair"), tuple(why)


def _reckoned(reader: Reader, advice: Advice) -> str:
    """What the money was reckoned with; assumptions are called so."""
    figures = advice.figures
    if "hours" in figures:
        return reader.gettext(
            "Reckoned with %(hours)s h at %(labour)s and %(parts)s of parts, our assumption.",
            hours=reader.number(figures["hours"], 1),
            labour=money(reader, figures["labour_an_hour"]),
            parts=money(reader, figures["parts"]),
        )
    if advice.cost:
        return reader.gettext("Reckoned with %(cost)s, our assumption.", cost=money(reader, advice.cost))
    return ""


def _percent(reader: Reader, share: float) -> str:
    return f"{reader.number(share * 100)}{NBSP}%"
