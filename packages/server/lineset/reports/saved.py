"""What a home saved in a month, in words: against its own year before, and beside other homes, each with its doubt."""

import math
from datetime import timedelta

from lineset.diagnostics import Compared
from lineset.diagnostics.comparing import BASELINE_DAYS
from lineset.diagnostics.savings import Savings
from lineset.reports.document import Block, Figures, Text, Voice, figure, per_cent, quantity


def saved_blocks(voice: Voice, compared: Compared) -> list[Block]:
    """The part of a home's month about savings: figures, sentences, and how they were worked out."""
    _ = voice.gettext
    own, blocks = compared.own, list[Block]()
    if own.baseline is not None:
        blocks.append(saved_figures(voice, own, _("as in the year before, at this weather")))
    blocks.append(Text(tuple(saved_lines(voice, compared))))
    if own.baseline is not None:
        blocks.append(Text((_method(voice, compared),), small=True))
    return blocks


def saved_figures(voice: Voice, saved: Savings, before: str) -> Figures:
    """What would have been used, what was, and the difference with its doubt; `before` says as when it would have been."""
    _ = voice.gettext
    doubt = _("give or take %(doubt)s (90 %% confidence)", doubt=quantity(voice, "kWh", saved.doubt, 0))
    measured = voice.ngettext("on %(n)s measured day", "on %(n)s measured days", saved.reported_days)
    label = _("Saved") if saved.saved >= 0 else _("Used more")
    return Figures(
        (
            figure(voice, _("Would have used"), "kWh", saved.expected, before, digits=0),
            figure(voice, _("Used"), "kWh", saved.used, measured, digits=0),
            figure(voice, label if saved.certain else _("%(what)s, not certain", what=label), "kWh", abs(saved.saved), doubt, digits=0),
        )
    )


def smaller_than_doubt(voice: Voice, saved: Savings) -> str:
    """That nothing can be told of a difference, as the measurements tell it too loosely."""
    values = {"saved": quantity(voice, "kWh", saved.saved, 0), "doubt": quantity(voice, "kWh", saved.doubt, 0)}
    return voice.gettext("The difference is smaller than its own uncertainty: %(saved)s, give or take %(doubt)s.", **values)


def saved_lines(voice: Voice, compared: Compared) -> list[str]:
    """Two sentences: against the home's own year before, and beside other homes."""
    _ = voice.gettext
    own, found = compared.own, []
    if own.certain:
        found.append(_at_same_weather(voice, own))
    else:
        found.append(_("Whether it saved against its own year before, one can't tell. %(why)s", why=_why(voice, own)))
    beside = compared.beside
    if beside is None:
        found.append(_("Other homes: no comparison. It takes 11 that let models learn from them, and is of the last whole month."))
        return found
    others = _("Other homes, at least %(homes)s, changed by %(share)s at the same weather.", homes=voice.number(compared.homes),
               share=per_cent(voice, math.expm1(compared.others), 1, sign=True))  # fmt: skip
    if beside.why == "few_days":
        found.append(f"{others} {_('Of this home too little is known to set it beside them.')}")
    elif not beside.certain:
        apart, doubt = per_cent(voice, abs(beside.share), 1), per_cent(voice, beside.share_doubt, 1)
        told = _("Beside them one can't tell: %(share)s apart, give or take %(doubt)s.", share=apart, doubt=doubt)
        found.append(f"{others} {told}")
    else:
        values = {"share": per_cent(voice, abs(beside.share), 1), "doubt": per_cent(voice, beside.share_doubt, 1)}
        less = _("Beside them it used %(share)s less, give or take %(doubt)s.", **values)
        more = _("Beside them it used %(share)s more, give or take %(doubt)s.", **values)
        found.append(f"{others} {less if beside.saved >= 0 else more}")
    return found


def _at_same_weather(voice: Voice, own: Savings) -> str:
    values = {"share": per_cent(voice, abs(own.share)), "doubt": per_cent(voice, own.share_doubt)}
    if own.saved >= 0:
        return voice.gettext("At the same weather it used %(share)s less than in the year before, give or take %(doubt)s.", **values)
    return voice.gettext("At the same weather it used %(share)s more than in the year before, give or take %(doubt)s.", **values)


def _why(voice: Voice, own: Savings) -> str:
    _ = voice.gettext
    if own.why == "few_days":
        return _("It takes 30 whole days of readings before the month and 14 in it; there are %(before)s and %(after)s.",
                 before=voice.number(own.baseline_days), after=voice.number(own.reported_days))  # fmt: skip
    if own.why == "unlike_weather":
        return _("The weather of this month is unlike any of the year before.")
    if own.why == "poor_fit":
        return _("The energy of the year before follows the weather too loosely to say what it would have been.")
    return smaller_than_doubt(voice, own)


def _method(voice: Voice, compared: Compared) -> str:
    own = compared.own
    assert own.baseline is not None  # noqa: S101 - the caller has looked
    return voice.gettext(
        "Before: %(first)s to %(last)s, %(days)s measured days. Weather response by the change-point model %(kind)s, CV(RMSE) %(cv)s "
        "(IPMVP option C, uncertainty after ASHRAE Guideline 14); beside other homes as the difference of both changes.",
        first=voice.day(compared.month - timedelta(days=BASELINE_DAYS)),
        last=voice.day(compared.month - timedelta(days=1)),
        days=voice.number(own.baseline_days),
        kind=own.baseline.kind,
        cv=per_cent(voice, own.baseline.cv),
    )
