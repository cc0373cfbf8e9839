"""A machine before and after work on it, for the contractor to sign: what changed, what it saved, and how sure that is."""

from datetime import datetime

from lineset.diagnostics import views
from lineset.diagnostics.changepoint import Response, fit
from lineset.reports import plots
from lineset.reports.document import (
    Block,
    Document,
    Items,
    Plot,
    Section,
    Signatures,
    Table,
    Text,
    Voice,
    hours,
    per_cent,
    quantity,
)
from lineset.reports.facts import MachineDays, Service, added, column, mean, total
from lineset.reports.household import delivered, fault_name, found_item
from lineset.reports.saved import saved_figures, smaller_than_doubt

FEWEST_FOR_A_LINE = 14


def service_report(voice: Voice, service: Service, made: datetime) -> Document:
    """The document of a machine before and after work for one reader."""
    _ = voice.gettext
    machine = service.machine
    plate = ", ".join(part for part in (voice.type_name(machine.type), machine.make, machine.model, service.serial) if part)
    spans = _(
        "%(before)s days before, %(after)s days after",
        before=voice.number(len(service.before.days)),
        after=voice.number(len(service.after.days)),
    )
    sections = [Section(_("What was saved"), tuple(_saved(voice, service))), Section(_("Before and after"), tuple(_beside(voice, service)))]
    if service.findings:
        sections.append(Section(_("What was found"), (Items(tuple(found_item(voice, f, "", technician=True) for f in service.findings)),)))
    signed = (_("Technician, name and date"), _("Household, name and date"))
    sections.append(Section(_("Signed"), (Text((_("The readings before and after the work are as shown above."),)), Signatures(signed))))
    return Document(
        name=f"lineset-service-{service.on:%Y-%m-%d}",
        language=voice.language,
        head=service.site_name,
        title=_("%(machine)s, before and after %(day)s", machine=machine.name, day=voice.day(service.on)),
        facts=(plate, spans),
        lead=tuple(_lead(voice, service)),
        sections=tuple(sections),
        made=_("Made %(day)s from the readings of this machine.", day=voice.day(made.date())),
        foot=f"{service.site_name}, {machine.name}, {voice.day(service.on)}",
    )


def _lead(voice: Voice, service: Service) -> list[str]:
    _ = voice.gettext
    saved = service.savings
    fixed = [f for f in service.findings if f.state == "verified_fixed"]
    said = []
    if fixed:
        said.append(
            _("The readings since show that it is repaired: %(what)s.", what=", ".join(fault_name(voice, f.fault).lower() for f in fixed))
        )
    if saved.certain and saved.saved > 0:
        said.append(
            _("At the same weather it uses %(share)s less than before, give or take %(doubt)s.",
              share=per_cent(voice, saved.share), doubt=per_cent(voice, saved.share_doubt))
        )  # fmt: skip
    elif saved.certain:
        said.append(
            _("At the same weather it uses %(share)s more than before, give or take %(doubt)s.",
              share=per_cent(voice, -saved.share), doubt=per_cent(voice, saved.share_doubt))
        )  # fmt: skip
    else:
        said.append(_("Whether it saves energy, one can't tell yet. %(why)s", why=_why(voice, service)))
    return [" ".join(said)]


def _why(voice: Voice, service: Service) -> str:
    _ = voice.gettext
    saved = service.savings
    if saved.why == "few_days":
        return _("It takes 30 whole days of readings before the work and 14 after it; there are %(before)s and %(after)s.",
                 before=voice.number(saved.baseline_days), after=voice.number(saved.reported_days))  # fmt: skip
    if saved.why == "unlike_weather":
        return _("The weather since is unlike any before, so the days can't be compared.")
    if saved.why == "poor_fit":
        return _("The energy before the work follows the weather too loosely to say what it would have been.")
    return smaller_than_doubt(voice, saved)


def _saved(voice: Voice, service: Service) -> list[Block]:
    _ = voice.gettext
    saved = service.savings
    blocks: list[Block] = []
    if saved.baseline is not None:
        blocks.append(saved_figures(voice, saved, _("as before the work, at the weather since")))
    pairs = [_pairs(half) for half in (service.before, service.after)]
    if pairs[0] or pairs[1]:
        later = _response(service.after)
        lines = saved.baseline, later
        wide, narrow = plots.both(lambda width: plots.weather(voice, pairs[0], pairs[1], lines, width))
        key = _("Rings and thin line: before. Dots and thick line: after. One mark a day, over the day's outdoor temperature.")
        say = _("%(before)s days before, %(after)s days after", before=voice.number(len(pairs[0])), after=voice.number(len(pairs[1])))
        blocks.append(Plot(_("Energy of a day by the weather"), wide, narrow, say, key))
    if saved.baseline is not None:
        blocks.append(
            Text(
                (
                    _("Savings by the weather response of the days before (change-point model %(kind)s, CV(RMSE) %(cv)s, R² %(r2)s), IPMVP "
                      "option C; uncertainty after ASHRAE Guideline 14 with autocorrelation.",
                      kind=saved.baseline.kind, cv=per_cent(voice, saved.baseline.cv), r2=voice.number(saved.baseline.r2, 2)),
                ),
                small=True,
            )
        )  # fmt: skip
    return blocks or [Text((_why(voice, service),))]


def _energy(half: MachineDays) -> list[float | None]:
    return added(half.electric, half.gas)


def _pairs(half: MachineDays) -> list[tuple[float, float]]:
    return [(t, e) for t, e in zip(half.outdoor, _energy(half), strict=True) if t is not None and e is not None]


def _response(half: MachineDays) -> Response | None:
    pairs = _pairs(half)
    if len(pairs) < FEWEST_FOR_A_LINE:
        return None
    return fit(column([t for t, _ in pairs]), column([e for _, e in pairs]), ("mean", "3PH", "3PC"))


def _beside(voice: Voice, service: Service) -> list[Block]:
    _ = voice.gettext
    sides = (service.before, service.after)
    rows: list[tuple[str, ...]] = []

    def row(label: str, values: list[str]) -> None:
        if any(value != "–" for value in values):
            rows.append((label, *values))

    row(_("Energy a day"), [quantity(voice, "kWh", mean(_energy(side)), 1) for side in sides])
    row(_("Delivered per kWh used"), [quantity(voice, "1", delivered(side), 2) for side in sides])
    row(_("Outdoor temperature, daily mean"), [quantity(voice, "degC", mean(side.outdoor)) for side in sides])
    row(_("Room below what was set, daily mean"), [quantity(voice, "K", _short(side)) for side in sides])
    row(_("At work a day"), [hours(voice, side.run_s / len(side.days) if side.run_s else None) for side in sides])
    row(_("Backup heat a day"), [hours(voice, _daily(side, "auxiliary_heat")) for side in sides])
    row(_("Defrost a day"), [hours(voice, _daily(side, "defrost")) for side in sides])
    row(_("Starts a day"), ["–" if side.starts is None else voice.number(side.starts / len(side.days), 1) for side in sides])
    row(_("Days measured"), [voice.number(sum(v is not None for v in _energy(side))) for side in sides])
    note = _("Delivered per kWh used: heat or cold over energy, the whole machine included. Weather differs between the sides; only what "
             "was saved is corrected for it.")  # fmt: skip
    blocks: list[Block] = [Table("", (_("A day, on average"), _("Before"), _("After")), tuple(rows), note)]
    if total(service.machine.heat) or total(service.machine.cooling):
        blocks += _course_of_delivery(voice, service)
    return blocks


def _daily(half: MachineDays, mode: str) -> float | None:
    return half.modes[mode] / len(half.days) if mode in half.modes else None


def _short(half: MachineDays) -> float | None:
    """By how much the room's daily mean stayed away from what was set (K); None without both."""
    return mean([abs(aim - room) for aim, room in zip(half.aim, half.room, strict=True) if aim is not None and room is not None])


def _course_of_delivery(voice: Voice, service: Service) -> list[Block]:
    """What was delivered per kWh by day, over the whole span, with the day of the work named."""
    _ = voice.gettext
    machine = service.machine
    given = added(machine.heat, machine.cooling)
    daily = [g / e if g is not None and e is not None and e > 0.5 and g > 0 else None for g, e in zip(given, _energy(machine), strict=True)]
    known = [v for v in daily if v is not None]
    if len(known) < 2:
        return []
    labels = [voice.short_date(day) for day in machine.days]
    before = mean([v for v, day in zip(daily, machine.days, strict=True) if day < service.on])
    shown = plots.Course(daily, aim=[before] * len(daily) if before is not None else (), tone="ink")
    wide, narrow = plots.both(lambda width: plots.course(voice, "1", labels, shown, width, least=1.0))
    say = _("From %(low)s to %(high)s.", low=voice.number(min(known), 2), high=voice.number(max(known), 2))
    key = _("Thick: measured. Thin: the mean before %(day)s.", day=voice.day(service.on))
    return [Plot(_("Delivered per kWh used, by day"), wide, narrow, say, key)]


def work_days(findings: list[views.Finding]) -> list[datetime]:
    """When repairs were reported, the newest first: the days that a report before and after is asked for."""
    return sorted({f.repaired for f in findings if f.repaired is not None}, reverse=True)
