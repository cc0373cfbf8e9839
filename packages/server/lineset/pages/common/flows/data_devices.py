"""Handlers of a person's phones, browsers and apps: what each is, when it was last seen, and how it is forgotten with all about it."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post

from lineset import accounts, apps
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import Purpose

from ..coming import go, leave
from ..desk import At, at_desk, desk_page
from ..edge import LANGUAGE, THEME, Ask, edge, form_text
from ..reader import Reader
from ..words import LANGUAGES

_THEMES = {"": "Auto", "light": "Light", "dark": "Dark", "contrast": "Contrast", "contrast-dark": "Dark contrast"}


class DeviceLine(msgspec.Struct, frozen=True):
    """A device in the list. `facts`: what is known of it by name; `goes`: what is deleted with it, in words."""

    name: str
    title: str
    current: bool
    seen: str
    facts: tuple[tuple[str, str], ...]
    goes: str


@get("/devices")
async def devices_page(request: Ask) -> Response[Any]:
    """Every phone, browser and app."""
    at = await at_desk(request)
    return desk_page(request, "devices", at, devices=await device_lines(request, at), tokens=await _tokens(request, at))


@post("/devices/forget")
async def forget(request: Ask) -> Response[Any]:
    """Sign a device out and delete what is kept about it; the one that asks is signed out too."""
    at = await at_desk(request)
    name = form_text(await request.form(), "device")
    async with edge(request).door.open(at.who.acts(Purpose.SECURITY)) as tx:
        devices = await accounts.list_devices(tx, at.who.session_id)
        current = any(d.current for d in devices if d.agent.name == name)
        opened = await apps.forget(tx, name)
        if any(d.agent.name == name for d in devices):
            await accounts.forget_device(tx, name)
        elif not opened:
            raise NotFound("device")
    edge(request).authenticator.forget(at.who.person_id)
    return await leave(request, "/sign-in") if current else go(f"{at.base}/devices?done=forgotten")


async def device_lines(request: Ask, at: At) -> tuple[DeviceLine, ...]:
    """The person's devices: those with a sign-in, then browsers of which only reports are left."""
    async with edge(request).door.open(at.who.acts(Purpose.SECURITY)) as tx:
        devices = await accounts.list_devices(tx, at.who.session_id)
        opened = await apps.openings(tx, 400)
    moment = now()
    lines = [_line(request, at.reader, device, [o for o in opened if o.browser == device.agent.name], moment) for device in devices]
    known = {device.agent.name for device in devices}
    others = dict.fromkeys(o.browser for o in opened if o.browser not in known)
    return (*lines, *(_only_opened(at.reader, name, [o for o in opened if o.browser == name], moment) for name in others))


def _line(request: Ask, reader: Reader, device: accounts.Device, opened: list[apps.Opening], moment: datetime) -> DeviceLine:
    _ = reader.gettext
    kinds = {"phone": _("Phone"), "tablet": _("Tablet"), "computer": _("Computer"), "program": _("Program")}
    live = sum(s.live for s in device.sign_ins)
    newest = device.sign_ins[0]
    facts = [
        (_("Type"), kinds[device.agent.kind]),
        (_("System"), device.agent.system),
        (_("Version"), device.agent.version),
        (_("Signed in"), reader.ngettext("at %(n)s place", "at %(n)s places", live) if live else _("not now")),
        (_("Since"), reader.when(device.since, moment)),
        (_("Address"), newest.address),
        (_("Our pages in it"), ", ".join(dict.fromkeys(o.version for o in opened))),
        (_("Settings"), _settings(request, reader) if device.current else _("kept in it alone")),
    ]
    seen = reader.age((moment - device.last_seen).total_seconds())
    return DeviceLine(
        device.agent.name,
        device.agent.name,
        device.current,
        _("now") if device.current else seen,
        tuple(fact for fact in facts if fact[1]),
        _goes(reader, len(device.sign_ins), len(opened)),
    )


def _only_opened(reader: Reader, name: str, opened: list[apps.Opening], moment: datetime) -> DeviceLine:
    newest = opened[0]
    facts = (
        (reader.gettext("Signed in"), reader.gettext("not now")),
        (reader.gettext("Our pages in it"), ", ".join(dict.fromkeys(o.version for o in opened))),
    )
    return DeviceLine(name, name, False, reader.age((moment - newest.last_at).total_seconds()), facts, _goes(reader, 0, len(opened)))


def _goes(reader: Reader, sign_ins: int, days: int) -> str:
    parts = []
    if sign_ins:
        parts.append(reader.ngettext("%(n)s sign-in with its address", "%(n)s sign-ins with their addresses", sign_ins))
    if days:
        parts.append(reader.ngettext("what its pages reported on %(n)s day", "what its pages reported on %(n)s days", days))
    return ", ".join(parts)


def _settings(request: Ask, reader: Reader) -> str:
    theme = reader.gettext(_THEMES.get(request.cookies.get(THEME, ""), "Auto"))
    language = LANGUAGES.get(request.cookies.get(LANGUAGE, ""), LANGUAGES[reader.language])
    return f"{theme}, {language}"


async def _tokens(request: Ask, at: At) -> list[accounts.TokenView]:
    async with edge(request).door.open(at.who.acts(Purpose.ACCOUNT)) as tx:
        return await accounts.list_tokens(tx)


HANDLERS = [devices_page, forget]
