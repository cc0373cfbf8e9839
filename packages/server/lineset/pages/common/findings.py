"""A finding as pages show it: what it is and how sure, what speaks for it, what it costs, what to check and bring, and its life so far."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from lineset_contract.faults import FAULTS

from lineset.diagnostics import KNOWLEDGE, OPEN_STATES, Course, Finding, FindingState, Step, Words

from .courses import CourseView, course_view
from .evidence_words import apart, evidence_name
from .money import money
from .quantity import scale
from .reader import NBSP, Reader
from .refusals import marked

OPEN_CANDIDATE = 0.2
"""A cause at least this likely is named beside the likeliest: they can't be told apart yet."""
CERTAIN = 0.99
_BEFORE = timedelta(days=2)
_STATES: Mapping[FindingState, str] = {
    "open": marked("Open"),
    "acknowledged": marked("Seen"),
    "assigned": marked("Assigned"),
    "in_repair": marked("In repair"),
    "verified_fixed": marked("Repair verified"),
    "closed": marked("Closed"),
    "false_alarm": marked("False alarm"),
}
_SUFFERS: Mapping[str, str] = {
    "heating": marked("Rooms get less warm or cool than they should."),
    "hot_water": marked("Hot water runs short."),
    "air": marked("Less air comes from the vents."),
    "cost": marked("Comfort stays, at a higher cost."),
    "machine": marked("Nothing is felt yet; the machine wears."),
    "health": marked("Hot water hygiene is at stake."),
}
ACTS: Mapping[FindingState, tuple[str, ...]] = {
    "open": ("acknowledge", "assign", "start_repair", "false_alarm"),
    "acknowledged": ("assign", "start_repair", "false_alarm"),
    "assigned": ("start_repair", "false_alarm"),
    "in_repair": ("repaired", "false_alarm"),
    "verified_fixed": ("reopen",),
    "closed": ("reopen",),
    "false_alarm": ("reopen",),
}
"""What may be done next with a finding in each state, the most usual first. What was found on site can be said in any."""
NO_FAULT = "none"
_ACT_WORDS: Mapping[str, str] = {
    "acknowledge": marked("I have seen it"),
    "assign": marked("I take it"),
    "start_repair": marked("Start the repair"),
    "repaired": marked("It is repaired"),
    "false_alarm": marked("False alarm"),
    "reopen": marked("Open it again"),
}


class Odds(msgspec.Struct, frozen=True):
    """One share of the bar of causes that compete: `kind` a (likeliest, solid), b (hatched) or c (the rest, empty); `width` in percent."""

    kind: str
    percent: str
    name: str
    width: float


class Speaks(msgspec.Struct, frozen=True):
    """A figure that speaks for a finding, and what it should be where that is known."""

    name: str
    value: str
    should: str


class Moment(msgspec.Struct, frozen=True):
    """One step in a finding's life."""

    when: str
    what: str
    who: str
    note: str
    verdict: str


class FindingView(msgspec.Struct, frozen=True):
    """A finding for one reader. `act_by` is the last day to act, in words; `chart` the query of the chart that shows it."""

    id: str
    equipment: str
    machine: str
    fault: str
    title: str
    state: str
    state_word: str
    opened: bool
    certainty: str
    since: str
    checked: str
    odds: tuple[Odds, ...]
    apart: bool
    decides: str
    speaks: tuple[Speaks, ...]
    effects: str
    cost: str
    suffers: str
    act_by: str
    overdue: bool
    home: str
    do: str
    line: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    bring: tuple[str, ...]
    chart: str
    moments: tuple[Moment, ...]
    acts: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, str], ...]
    courses: tuple[CourseView, ...] = ()


def fault_name(reader: Reader, fault: str) -> str:
    """What a fault is called."""
    known = FAULTS.get(fault)
    return known.label.get(reader.language, known.label["en"]) if known is not None else fault.replace("_", " ")


def finding_title(reader: Reader, finding: Finding) -> str:
    """The causes that are still open, the likeliest first; at most two by name."""
    open_ = [c.fault for c in finding.candidates if c.probability >= OPEN_CANDIDATE or c.fault == finding.fault] or [finding.fault]
    names = [fault_name(reader, fault) for fault in open_[:2]]
    if len(names) == 1:
        return names[0]
    return reader.gettext("%(a)s, or %(b)s", a=names[0], b=names[1][:1].lower() + names[1][1:])


def certainty(reader: Reader, probability: float) -> str:
    """How sure: "certain" from 99 % on, else the number."""
    return reader.gettext("certain") if probability >= CERTAIN else f"{reader.number(probability * 100)}{NBSP}%"


def act_by(finding: Finding) -> datetime:
    """Until when somebody should act."""
    return finding.opened + timedelta(days=KNOWLEDGE[finding.fault].days_left(finding.severity, 0.0))


def deadline(reader: Reader, by: datetime, now: datetime) -> str:
    """A time to act by: the hour today, the weekday within six days, else the day."""
    days = (reader.local(by).date() - reader.local(now).date()).days
    if by <= now:
        return reader.gettext("now")
    if days == 0:
        return reader.clock(by)
    return reader.weekday(by, year=False) if days < 7 else reader.short_day(by)


def cost_words(reader: Reader, finding: Finding) -> str:
    """What a finding costs a day; empty where it is not known."""
    return "" if finding.cost_a_day is None else reader.gettext("%(money)s a day", money=money(reader, finding.cost_a_day))


def finding_view(
    reader: Reader,
    finding: Finding,
    machine: str,
    now: datetime,
    *,
    steps: Sequence[Step] = (),
    names: Mapping[UUID, str] | None = None,
    may_act: bool = False,
    courses: Sequence[Course] = (),
) -> FindingView:
    """Build the view of one finding at the machine of that name. `names` of people who may be named to this reader."""
    what = KNOWLEDGE[finding.fault]
    words = what.said(reader.language)
    by, opened = act_by(finding), finding.state in OPEN_STATES
    home, do, line = _told(reader, finding, words)
    return FindingView(
        id=str(finding.id),
        equipment=str(finding.equipment),
        machine=machine,
        fault=finding.fault,
        title=finding_title(reader, finding),
        state=finding.state,
        state_word=_state(reader, finding),
        opened=opened,
        certainty=certainty(reader, finding.confidence),
        since=reader.when(finding.opened, now),
        checked=reader.when(finding.seen, now),
        odds=_odds(reader, finding),
        apart=not undecided(finding),
        decides=words.decides,
        speaks=speaks(reader, finding.evidence),
        effects=", ".join(fault_name(reader, fault) for fault in finding.effects),
        cost=cost_words(reader, finding) if opened else "",
        suffers=reader.gettext(_SUFFERS[what.suffers]),
        act_by=deadline(reader, by, now),
        overdue=opened and by < now,
        home=home,
        do=do,
        line=line,
        causes=words.causes,
        checks=words.checks,
        bring=words.bring,
        chart=chart_query(finding, now),
        moments=tuple(_moment(reader, step, names or {}, now) for step in reversed(steps)),
        acts=_acts(reader, finding) if may_act else (),
        verdicts=_verdicts(reader, finding) if may_act else (),
        courses=tuple(course_view(reader, course) for course in courses),
    )


def undecided(finding: Finding) -> bool:
    """Whether what is measured leaves more than one cause open."""
    return sum(c.probability >= OPEN_CANDIDATE for c in finding.candidates) > 1


def _told(reader: Reader, finding: Finding, words: Words) -> tuple[str, str, str]:
    """What is wrong and what to do for the household, and the technician's line; of one cause only where it is known which."""
    if not undecided(finding):
        return words.home, words.do, words.line
    return (
        reader.gettext("One of the two weakens the machine; from here they look alike."),
        reader.gettext("Have a contractor measure on site which it is, and mend that."),
        reader.gettext("Two causes look alike. Measure first, then repair."),
    )


def finding_line(reader: Reader, finding: Finding) -> str:
    """The technician's line of a finding."""
    return _told(reader, finding, KNOWLEDGE[finding.fault].said(reader.language))[2]


def chart_query(finding: Finding, now: datetime) -> str:
    """The query of the chart that shows a finding's evidence: from two days before it began, or the last 30 days of an older one."""
    length = (now - finding.opened + _BEFORE).total_seconds()
    span = next((name for name, most in (("7d", 7 * 86_400.0), ("30d", 30 * 86_400.0)) if length <= most), "30d")
    return f"span={span}" + (f"&points={','.join(finding.plot[:6])}" if finding.plot else "")


def _odds(reader: Reader, finding: Finding) -> tuple[Odds, ...]:
    named = [c for c in finding.candidates if c.probability >= 0.005][:3]
    shares = [
        Odds("a" if n == 0 else "b", _percent(reader, c.probability), fault_name(reader, c.fault), round(c.probability * 100, 1))
        for n, c in enumerate(named)
    ]
    rest = 1.0 - sum(c.probability for c in named)
    if rest >= 0.005:
        shares.append(Odds("c", _percent(reader, rest), reader.gettext("Something else, or nothing"), round(rest * 100, 1)))
    return tuple(shares)


def _percent(reader: Reader, share: float) -> str:
    return f"{reader.number(share * 100)}{NBSP}%"


def _state(reader: Reader, finding: Finding) -> str:
    if finding.state == "in_repair" and finding.repaired is not None:
        return reader.gettext("Repaired, being verified")
    return reader.gettext(_STATES[finding.state])


def _acts(reader: Reader, finding: Finding) -> tuple[tuple[str, str], ...]:
    done = finding.state == "in_repair" and finding.repaired is not None
    return tuple((act, reader.gettext(_ACT_WORDS[act])) for act in ACTS[finding.state] if not (done and act == "repaired"))


def _verdicts(reader: Reader, finding: Finding) -> tuple[tuple[str, str], ...]:
    """What a technician may say was found: nothing, the causes in question, then all others by name."""
    first = [c.fault for c in finding.candidates] or [finding.fault]
    rest = sorted((fault for fault in FAULTS if fault not in first), key=lambda fault: fault_name(reader, fault).casefold())
    named = [(fault, fault_name(reader, fault)) for fault in (*first, *rest)]
    return ((NO_FAULT, reader.gettext("Nothing was wrong")), *named)


def _moment(reader: Reader, step: Step, names: Mapping[UUID, str], now: datetime) -> Moment:
    who = (
        reader.gettext("Automatic")
        if step.by is None
        else names.get(step.by, reader.gettext("Somebody of the household or its contractor"))
    )
    nothing = reader.gettext("Nothing was wrong")
    verdict = nothing if step.verdict == NO_FAULT else fault_name(reader, step.verdict) if step.verdict else ""
    return Moment(reader.when(step.at, now), reader.gettext(_STATES[step.state]), who, _note(reader, step.note), verdict)


_NOTES = {"came_back": marked("It came back after the repair."), "machine_gone": marked("The machine went to somebody else or out of use.")}
"""The platform's own notes."""


def _note(reader: Reader, note: str) -> str:
    known = _NOTES.get(note)
    return note if known is None else reader.gettext(known)


# -- evidence ------------------------------------------------------------------------------------------------------------

_AS_USUAL = ("_expected", "_usual", "_normal", "_limit", "_least", "_most")


def speaks(reader: Reader, evidence: Mapping[str, float]) -> tuple[Speaks, ...]:
    """The figures of a finding, each with what it should be where a second figure says that (`superheat_expected_K`)."""
    shown: list[Speaks] = []
    for key, value in evidence.items():
        name, unit = apart(key)
        if name.endswith(_AS_USUAL):
            continue
        should = next((evidence[k] for s in _AS_USUAL if (k := f"{name}{s}_{key.rpartition('_')[2]}") in evidence), None)
        shown.append(
            Speaks(evidence_name(reader, name), _amount(reader, value, unit), "" if should is None else _amount(reader, should, unit))
        )
    return tuple(shown)


def _amount(reader: Reader, value: float, unit: str) -> str:
    if unit == "share":
        return _percent(reader, value)
    if unit in ("d", "n", ""):
        digits = 0 if abs(value) >= 10 or value == round(value) else 2 if unit == "" else 1
        return reader.number(value, digits) + (f"{NBSP}{reader.ngettext('day', 'days', round(value))}" if unit == "d" else "")
    ruler = scale(reader, unit)
    return f"{reader.number(ruler.apply(value), ruler.digits)}{NBSP}{ruler.symbol}".rstrip(NBSP)
