"""A command in words: what was asked, how far it got, since when and why."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from lineset_contract.profiles import PROFILES

from .facts import Order
from .quantity import label, shown, word
from .reader import Reader

OPEN_STATES = frozenset({"queued", "sent", "acknowledged"})


class OrderLine(msgspec.Struct, frozen=True):
    """One row of last commands."""

    id: str
    when: str
    what: str
    who: str
    state: str
    state_word: str
    detail: str
    open: bool


def order_line(reader: Reader, order: Order, machine_type: str, now: datetime) -> OrderLine:
    """`order` as one row."""
    return OrderLine(
        id=order.id,
        when=reader.when(order.created, now),
        what=what(reader, machine_type, order.name, order.args),
        who=order.who,
        state=order.state,
        state_word=state_word(reader, order.state),
        detail=_detail(reader, order, now),
        open=order.state in OPEN_STATES,
    )


def what(reader: Reader, machine_type: str, name: str, args: Mapping[str, float | str]) -> str:
    """The command in a few words: "Heating set point 68 °F", "Mode chosen: Cooling"."""
    profile = PROFILES.get(machine_type)
    spec = profile.commands.get(name) if profile is not None else None
    if profile is None or spec is None:
        return name.replace("_", " ")
    setting = spec.setting or str(args.get("setting", ""))
    value = next((value for key, value in args.items() if key != "setting"), None)
    if setting not in profile.settings or value is None:
        return spec.label.get(reader.language, spec.label["en"])
    point = profile.settings[setting].point
    if isinstance(value, str):
        return f"{label(reader, point)}: {word(reader, value)}"
    digits = None if round(value * 2) == value * 2 and reader.units == "metric" else 0
    return f"{label(reader, point)} {shown(reader, point, value, digits)}"


def state_word(reader: Reader, state: str) -> str:
    """What a command's state is called."""
    words = {
        "queued": reader.gettext("Queued"),
        "sent": reader.gettext("Sent"),
        "acknowledged": reader.gettext("Acknowledged"),
        "succeeded": reader.gettext("Succeeded"),
        "failed": reader.gettext("Failed"),
        "expired": reader.gettext("Expired"),
        "refused": reader.gettext("Refused"),
    }
    return words.get(state, state)


def _detail(reader: Reader, order: Order, now: datetime) -> str:
    if order.detail:
        return order.detail
    took = (order.changed - order.created).total_seconds()
    if order.state == "queued" and order.expires is not None:
        return reader.gettext("goes out as soon as the gateway answers, till %(time)s", time=reader.when(order.expires, now))
    if order.state == "sent" and order.expires is not None:
        return reader.gettext("no answer yet, till %(time)s", time=reader.when(order.expires, now))
    if order.state == "acknowledged":
        return reader.gettext("the gateway has it; waiting for the machine to read it back")
    if order.state == "succeeded":
        return reader.gettext("read back after %(time)s s", time=reader.number(took, 1 if took < 10 else 0))
    if order.state == "expired":
        return reader.gettext("no answer in time, nothing changed")
    return ""
