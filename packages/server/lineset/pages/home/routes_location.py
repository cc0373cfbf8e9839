"""Handlers of where a home, its gateways and this browser are: a switch for each, all off until somebody turns one on."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Response, get, post

from lineset import gateways, sites
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, LinesetError
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Person, Purpose, choice_of, consent_of, give, withdraw
from lineset.sites import PlaceKind

from ..common.area import Place
from ..common.coming import go
from ..common.edge import Ask, edge, form_text, home_context, page
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from ..common.typed import plain_number
from .area import place_in, role_at

EMPTY = Form()
KINDS = ("site", "gateway", "session")


class Thing(msgspec.Struct, frozen=True):
    """One thing that has a switch. `may`: whether the person may turn it; `found`: where it is, in words; `coming`: how that came."""

    id: str
    name: str
    title: str
    ask: str
    use: str
    off: str
    on: bool
    state: str
    may: bool
    by_hand: bool
    found: str = ""
    coming: str = ""


@get("/home/{site:str}/location")
async def look(request: Ask, site: str) -> Response[Any]:
    """Every switch, and what is stored."""
    return await _show(request, await _place(request, site), EMPTY)


@post("/home/{site:str}/location", status_code=200)
async def answer(request: Ask, site: str) -> Response[Any]:
    """A yes or a no: one press each. The browser that takes its own permission back says no by itself."""
    place = await _place(request, site)
    form = await request.form()
    kind, thing = _thing(place, form_text(form, "thing"))
    said, signal = form_text(form, "answer"), form_text(form, "by") == "permission"
    if said not in ("yes", "no") or (signal and (kind, said) != ("session", "no")):
        raise Invalid("bad_answer", "Answer yes or no.", "answer")
    await _known(request, place, kind, thing)
    act, detail = (give if said == "yes" else withdraw), f"{kind}:{thing}"
    title = choice_of(Purpose.LOCATION, detail).said(place.reader.language).title
    steps = ("permission of the browser", "denied") if signal else ("location", title[:60], said)
    async with edge(request).door.open(place.who.acts(Purpose.RIGHTS)) as tx:
        told = {"channel": "signal" if signal else "page", "language": place.reader.language}
        await act(tx, _subject(place, kind), Purpose.LOCATION, detail, steps=steps, **told)
    return go(f"{place.base}/location")


@post("/home/{site:str}/location/place", status_code=200)
async def keep(request: Ask, site: str) -> Response[Any]:
    """Keep a place that was typed or that the browser gave."""
    place = await _place(request, site)
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in ("thing", "latitude", "longitude", "source")}
    kind, thing = _thing(place, values["thing"])
    source = "browser" if values["source"] == "browser" else "hand"
    try:
        north, east = (plain_number(place.reader, values[name], name) for name in ("latitude", "longitude"))
        await _known(request, place, kind, thing)
        async with edge(request).door.open(_context(place, kind)) as tx:
            await sites.set_place(tx, _subject(place, kind), kind, thing, north, east, source)
    except LinesetError as error:
        return await _show(request, place, refused(place.reader, error, values), int(error.status))
    return go(f"{place.base}/location")


@post("/home/{site:str}/location/forget", status_code=200)
async def forget(request: Ask, site: str) -> Response[Any]:
    """Delete a place and leave the switch as it is."""
    place = await _place(request, site)
    kind, thing = _thing(place, form_text(await request.form(), "thing"))
    async with edge(request).door.open(place.who.acts(Purpose.RIGHTS)) as tx:
        await sites.forget_place(tx, _subject(place, kind), kind, thing)
    return go(f"{place.base}/location")


async def _place(request: Ask, site: str) -> Place:
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        return await place_in(request, tx, who, context, site)


def _thing(place: Place, text: str) -> tuple[PlaceKind, UUID]:
    """The thing that a form names. Raises Invalid for anything that has no switch on this page."""
    kind, _, name = text.partition(":")
    thing = parse_id(name)
    own = {"site": place.site.id, "session": place.who.session_id}
    if kind not in KINDS or thing is None or own.get(kind, thing) != thing:
        raise Invalid("bad_thing", "Choose one of the things on the page.", "thing")
    return cast("PlaceKind", kind), thing


async def _known(request: Ask, place: Place, kind: PlaceKind, thing: UUID) -> None:
    """Raises Invalid for a gateway that does not stand at this site."""
    if kind == "gateway":
        async with edge(request).door.open(place.context) as tx:
            if all(g.id != thing for g in await gateways.list_gateways(tx, place.site.id)):
                raise Invalid("bad_thing", "Choose one of the things on the page.", "thing")


def _subject(place: Place, kind: str) -> UUID:
    return place.who.person_id if kind == "session" else place.site.household_id


def _context(place: Place, kind: str) -> Context:
    return Context(Person(place.who.person_id), Purpose.LOCATION, _subject(place, kind))


async def _show(request: Ask, place: Place, form: Form, status: int = 200) -> Response[Any]:
    things = await _things(request, place)
    return page(request, "home/location.html", place.reader, place.who, status=status, form=form, things=things, **place.layout)


async def _things(request: Ask, place: Place) -> list[Thing]:
    reader, door = place.reader, edge(request).door
    async with door.open(place.context) as tx:
        named = [(f"site:{place.site.id}", place.site.name)]
        named += [(f"gateway:{g.id}", g.name) for g in await gateways.list_gateways(tx, place.site.id)]
    if place.who.session_id is not None:
        named.append((f"session:{place.who.session_id}", reader.gettext("this one")))
    things, moment, household = [], now(), role_at(place) != "guest"
    async with door.open(place.who.acts(Purpose.RIGHTS)) as tx:
        for detail, name in named:
            kind = cast("PlaceKind", detail.partition(":")[0])
            held = await consent_of(tx, _subject(place, kind), Purpose.LOCATION, detail, reader.language)
            words = held.choice.said(reader.language)
            thing = Thing(
                detail, name, words.title, words.ask, words.use, words.off, held.holds, _state(reader, held.given, held.since, moment),
                household or kind == "session", kind == "site",
            )  # fmt: skip
            stored = await sites.place_of(tx, _subject(place, kind), kind, UUID(detail.partition(":")[2])) if held.given else None
            if stored is not None:
                found = reader.gettext(
                    "%(north)s° north, %(east)s° east",
                    north=reader.number(stored.latitude, 3),
                    east=reader.number(stored.longitude, 3),
                )
                thing = msgspec.structs.replace(thing, found=found, coming=_coming(reader, stored, moment))
            things.append(thing)
    return things


def _state(reader: Reader, given: bool, since: datetime | None, moment: datetime) -> str:
    if since is None:
        return reader.gettext("No, since nobody said yes")
    when = reader.when(since, moment)
    return reader.gettext("Yes since %(when)s", when=when) if given else reader.gettext("No since %(when)s", when=when)


def _coming(reader: Reader, stored: sites.Location, moment: datetime) -> str:
    when = reader.when(stored.at, moment)
    if stored.source == "browser":
        return reader.gettext("given by a browser, %(when)s", when=when)
    if stored.source == "device":
        return reader.gettext("sent by the gateway, %(when)s", when=when)
    return reader.gettext("typed, %(when)s", when=when)


HANDLERS = [look, answer, keep, forget]
