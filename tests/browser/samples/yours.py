"""View models of "Your data": crowded, empty, at the account, and each page behind it."""

from datetime import timedelta
from typing import Any

from lineset import schema
from lineset.accounts import Household, Principal
from lineset.kit.ids import new_id
from lineset.pages.common.desk import At
from lineset.pages.common.erasures import PlanLine, PlanView, RequestLine, StepLine
from lineset.pages.common.flows.data_choices import ChoiceLine
from lineset.pages.common.flows.data_concluded import ConcludedLine
from lineset.pages.common.flows.data_devices import DeviceLine
from lineset.pages.common.flows.data_take import CopyLine
from lineset.pages.common.forms import Form
from lineset.pages.common.held import holder_lines, kind_lines, row_lines
from lineset.pages.common.looks import LookLine, ReceivedLine
from lineset.pages.common.reader import Reader
from lineset.privacy import CHOICES, Target
from lineset.privacy.inventory import Amount, Row, Scope, kinds_of

from tests.browser.samples.data import CABIN, NOW, SITE, Sample

ME, HOME = new_id(), new_id()
WHO = Principal(ME, new_id(), "Ines Lund", "en", "us", None, (Household(HOME, "Ortega-Lund", "owner"),), (), ())
REGISTER = schema.register()
LAYOUT: dict[str, Any] = {"layout": "home/frame.html", "site": SITE, "sites": [SITE, CABIN], "tab": "data"}


def _at(reader: Reader) -> dict[str, Any]:
    base = f"/home/{SITE.id}/privacy"
    at = At(WHO, reader, WHO.households[0], base, LAYOUT, f"/home/{SITE.id}")
    return {**LAYOUT, "at": at, "here": base, "done": ""}


def _amounts(*, empty: bool) -> dict[str, Amount]:
    names = [h.name for kind in kinds_of(REGISTER, Scope(ME, HOME)) for h in kind.holders if h.counted]
    return {
        name: Amount(0 if empty and number > 2 else number * 37 + 1, NOW - timedelta(days=90 + number * 21))
        for number, name in enumerate(names)
    }


def _looks(count: int) -> tuple[LookLine, ...]:
    luis = LookLine(
        "Luis Ortega, Alder Mechanical, technician", "Looked at Heat pump HP-1", "weak heat pump, call 2291", "5:52 am", "4 times"
    )
    sam = LookLine(
        "Sam Okafor, Lineset, support", "Opened your home to help you", "ticket 411: readings stopped on Sunday", "Fri 9:12 pm", ""
    )
    priya = LookLine("Priya Shah, Alder Mechanical, manager", "Looked at a list of homes, yours among them", "", "5:41 am", "12 times")
    return ((luis, priya, sam) * 40)[:count]


def _choices(reader: Reader) -> tuple[ChoiceLine, ...]:
    lines = []
    for number, choice in enumerate(CHOICES.values()):
        words, given = choice.said(reader.language), number % 3 == 1
        state = reader.gettext("Yes since %(when)s", when=reader.date(NOW)) if given else reader.gettext("No, since nobody said yes")
        data = ", ".join(choice.data)
        again = reader.gettext("What you said yes to has changed, so nothing is done until you answer again.") if number == 4 else ""
        thing = "14 Sugar Pine Rd" if choice.detail_kind == "site" else ""
        lines.append(
            ChoiceLine(
                choice.key, choice.key, "", words.title, thing, words.ask, words.use, words.off, data, given, state, again, number != 5
            )
        )
    return tuple(lines)


def _devices(reader: Reader, count: int = 3) -> tuple[DeviceLine, ...]:
    _ = reader.gettext
    facts = (
        (_("Type"), _("Computer")),
        (_("System"), "Windows 10.0"),
        (_("Version"), "140.0"),
        (_("Signed in"), "at 1 place"),
        (_("Address"), "203.0.113.77"),
    )
    firefox = DeviceLine(
        "Firefox, Windows",
        "Firefox, Windows",
        True,
        _("now"),
        (*facts, (_("Settings"), "Auto, English")),
        "2 sign-ins with their addresses, what its pages reported on 31 days",
    )
    phone = DeviceLine("Safari, iPhone", "Safari, iPhone", False, reader.age(9000), facts, "1 sign-in with its address")
    old = DeviceLine("Chrome, Android", "Chrome, Android", False, reader.age(9_000_000), facts[3:4], "what its pages reported on 2 days")
    return (firefox, phone, old)[:count]


def _copies() -> list[CopyLine]:
    return [
        CopyLine("a", "5:12 am", "running", "Being made", 0.4, "", ""),
        CopyLine("b", "3 Nov 2025", "ready", "Ready", 1.0, "310 MB", "Fri 9:12 pm"),
    ]


def _concluded() -> tuple[ConcludedLine, ...]:
    away = ("Nobody is at home on weekdays from 9 to 16", "set points and hot water of 30 days", "80 %", "habits 1.2")
    return (
        ConcludedLine("a", *away, "5:12 am", "", ""),
        ConcludedLine(
            "b",
            "The heat pump is too small for the house below −10 °C",
            "outdoor temperature, room temperature and power of a winter",
            "certain",
            "sizing 2",
            "3 Nov 2025",
            "Fri 9:12 pm",
            "The windows were open for two weeks, the painters were in the house",
        ),
    )


def _requests() -> list[RequestLine]:
    done = StepLine("Hidden from all pages", "5:40 am", ""), StepLine("Entries in the database deleted", "5:41 am", "2,412")
    ahead = StepLine("Keys destroyed: what they sealed can't be read again, in any copy", "", ""), StepLine("Certificate made", "", "")
    return [
        RequestLine(
            "1",
            "Site: Lake cabin",
            "You can change your mind until Fri 9:12 pm. Then it is deleted.",
            "waiting",
            "5:30 am",
            True,
            True,
            0.0,
            ahead,
            False,
        ),
        RequestLine(
            "2",
            "Machine: Water heater",
            "It is being deleted. This takes minutes.",
            "erasing",
            "5:10 am",
            True,
            False,
            0.5,
            (*done, *ahead),
            False,
        ),
        RequestLine(
            "3",
            "Gateway",
            "It has to wait: something must be kept for now. It goes on by itself afterwards.",
            "held",
            "5:10 am",
            True,
            False,
            0.1,
            (*done[:1], *ahead),
            False,
        ),
        RequestLine("4", "One entry", "Deleted 3 Nov 2025.", "done", "3 Nov 2025", False, False, 1.0, done, True),
    ]


def _sums(reader: Reader) -> list[tuple[str, str]]:
    return [
        ("9", reader.ngettext("kind held", "kinds held", 9)),
        ("3", reader.ngettext("person looked in %(days)s days", "people looked in %(days)s days", 3, days=30)),
        ("1", reader.ngettext("company received some", "companies received some", 1)),
    ]


def _centre(reader: Reader, *, empty: bool = False) -> dict[str, Any]:
    kinds = kind_lines(reader, kinds_of(REGISTER, Scope(ME, HOME)), _amounts(empty=empty), NOW)
    looks = () if empty else _looks(6)
    passed = ReceivedLine(
        "Norrland, maker of HP-1", "Model, serial number, error codes. For the warranty. No name, no address", "3 Nov 2025"
    )
    return _at(reader) | {
        "sums": _sums(reader),
        "kinds": kinds,
        "looks": looks,
        "look_count": 0 if empty else 64,
        "received": () if empty else (passed,),
        "concluded": () if empty else _concluded(),
        "choices": _choices(reader),
        "devices": _devices(reader, 1 if empty else 3),
        "copies": [] if empty else _copies()[1:],
        "running": [] if empty else _requests()[:1],
        "earlier": not empty,
        "keeping": "/account/household/x/keeping",
    }


def _kind(reader: Reader, key: str) -> dict[str, Any]:
    kind = next(k for k in kinds_of(REGISTER, Scope(ME, HOME)) if k.family.key == key)
    return _at(reader) | {
        "kind": kind,
        "title": reader.gettext(kind.family.title),
        "holders": holder_lines(reader, kind, _amounts(empty=False), NOW),
    }


def _rows(reader: Reader) -> dict[str, Any]:
    view = _kind(reader, "you")
    holder = next(h for h in view["kind"].holders if h.name == "contacts")
    values = (
        {"kind": "residence", "label": "cabin", "value_sealed": "14 Sugar Pine Rd\nTruckee, CA 96161"},
        {"kind": "phone", "value_sealed": "+1 530 555 0142"},
    )
    rows = [Row(str(new_id()), v) for v in values]
    lines = [(line, "/account/contacts/x", line.key) for line in row_lines(reader, rows, {}, NOW)]
    about = reader.gettext(holder.about).capitalize()
    return view | {
        "kind_title": view["title"],
        "holder": holder,
        "about": about,
        "lines": lines,
        "goes": reader.gettext("This address or number goes at once, with what it was before. Nothing stays."),
        "number": 1,
        "more": True,
    }


def _plan(reader: Reader) -> dict[str, Any]:
    goes = (
        PlanLine("Machines", "3 entries", "type, make, model and serial number of machines", ""),
        PlanLine("All that your machines measured, with hourly and daily sums", "", "what machines measure", ""),
    )
    stays = (
        PlanLine(
            "Backups",
            "",
            "unreadable from the day on which the last copy of the keys ends; a restored one is erased again before it is used",
            "22 Dec 2025",
        ),
        PlanLine("Who saw or changed your home, why, and when", "64 entries", "others' data: it stays without any mention of you", ""),
    )
    form = Form(errors={"current": "This is not your present password."})
    return _at(reader) | {
        "title": "Your account",
        "plan": PlanView(goes * 9, stays, 14, 30, 1),
        "target": Target("account", ME),
        "password": True,
        "form": form,
    }


SAMPLES: dict[str, Sample] = {
    "centre": ("common/data/centre.html", _centre),
    "centre-empty": ("common/data/centre.html", lambda r: _centre(r, empty=True)),
    "kind": ("common/data/kind.html", lambda r: _kind(r, "devices")),
    "rows": ("common/data/rows.html", _rows),
    "concluded": (
        "common/data/concluded.html",
        lambda r: _at(r) | {"concluded": _concluded(), "may": True, "form": Form(), "wrong": "b", "most_words": 1000},
    ),
    "choices": ("common/data/choices.html", lambda r: _at(r) | {"choices": _choices(r)}),
    "devices": ("common/data/devices.html", lambda r: _at(r) | {"devices": _devices(r), "tokens": [1]}),
    "plan": ("common/data/plan.html", _plan),
    "requests": ("common/data/requests.html", lambda r: _at(r) | {"requests": _requests()}),
}
