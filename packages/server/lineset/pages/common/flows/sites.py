"""Handlers of a site's own entry: add one, correct it, its rooms, and how far its people let settings go."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from lineset_contract.profiles import PROFILES
from litestar import Response, Router, get, post

from lineset import sites
from lineset.kit.errors import Invalid, LinesetError
from lineset.kit.ids import parse_id
from lineset.privacy import Tx
from lineset.privacy.rights import may
from lineset.sites import Address

from ..area import Area, Place, area_of
from ..coming import go
from ..edge import Ask, edge, form_text, page
from ..forms import Form
from ..quantity import label, scale
from ..reader import Reader
from ..refusals import refused
from ..typed import plain_number

_LIMITED = ("heating_setpoint", "cooling_setpoint", "hot_water_setpoint")
_ADDRESS = ("street", "unit", "city", "region", "postal_code", "country")
_FIELDS = ("name", "kind", "time_zone", *_ADDRESS)
ZONES = sorted(z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix/", "right/", "SystemV/")))


class LimitRow(msgspec.Struct, frozen=True):
    """The range that people of a site allow for a set point, and the range of the types of machine."""

    setting: str
    name: str
    unit: str
    hint: str


def limit_rows(reader: Reader, kinds: Sequence[str]) -> list[LimitRow]:
    """One row for each set point that a machine of these types has."""
    ruler = scale(reader, "degC")
    rows: list[LimitRow] = []
    for name in _LIMITED:
        settings = [PROFILES[k].settings[name] for k in kinds if k in PROFILES and name in PROFILES[k].settings]
        if settings:
            low, high = ruler.apply(min(s.low for s in settings)), ruler.apply(max(s.high for s in settings))
            hint = reader.gettext("Machines allow %(low)s to %(high)s", low=reader.number(low), high=reader.number(high))
            rows.append(LimitRow(name, label(reader, name), ruler.symbol, hint))
    return rows


def values_of(reader: Reader, site: sites.Site) -> dict[str, str]:
    """What is known of a site, as its form shows it."""
    ruler = scale(reader, "degC")
    values = {name: str(getattr(site.address, name)) for name in _ADDRESS}
    values |= {"name": site.name, "kind": site.kind, "time_zone": site.time_zone}
    for setting, ends in site.limits.items():
        for end, value in zip(("low", "high"), ends, strict=True):
            values[f"{setting}_{end}"] = f"{ruler.apply(value):.4g}"
    return values


def _limits(reader: Reader, form: Mapping[str, str], kinds: Sequence[str]) -> dict[str, list[float]]:
    """The limits that were typed; a row left empty sets none. Raises Invalid."""
    ruler = scale(reader, "degC")
    found: dict[str, list[float]] = {}
    for row in limit_rows(reader, kinds):
        low, high = form.get(f"{row.setting}_low", ""), form.get(f"{row.setting}_high", "")
        if not low and not high:
            continue
        if not low or not high:
            field = f"{row.setting}_{'high' if low else 'low'}"
            raise Invalid("bad_limits", reader.gettext("Give both ends, or leave both empty."), field)
        numbers = [plain_number(reader, low, f"{row.setting}_low"), plain_number(reader, high, f"{row.setting}_high")]
        found[row.setting] = [_tidy(row.setting, kinds, (n - ruler.offset) / ruler.factor) for n in numbers]
    return found


def _tidy(setting: str, kinds: Sequence[str], value: float) -> float:
    """A typed end that is the machines' own limit but for rounding of units becomes that limit."""
    known = [PROFILES[k].settings[setting] for k in kinds if k in PROFILES and setting in PROFILES[k].settings]
    for edge_ in (min(s.low for s in known), max(s.high for s in known)):
        if abs(value - edge_) < 0.3:  # K; half a degree Fahrenheit
            return edge_
    return round(value, 2)


def _address(form: Mapping[str, str]) -> Address:
    return Address(**{name: form.get(name, "") for name in _ADDRESS})


def kinds_here(place: Place) -> list[str]:
    """The types of machine that stand at the site."""
    return sorted({m.type for m in place.site.equipment if m.retired_at is None})


async def settings_page(request: Ask, tx: Tx, place: Place, form: Form, status: int = 200) -> Response[Any]:
    """The site's entry, to be corrected."""
    return page(
        request,
        "common/site_form.html",
        place.reader,
        place.who,
        status=status,
        form=form,
        kinds=site_kinds(place.reader),
        time_zones=ZONES,
        limits=limit_rows(place.reader, kinds_here(place)),
        rooms=place.site.zones,
        may_change=await may(tx, place.site.household_id, "equipment"),
        may_hand_over=await may(tx, place.site.household_id, "owner"),
        **place.layout,
    )


def site_kinds(reader: Reader) -> list[tuple[str, str]]:
    """Kinds of site, for a choice."""
    return [("residential", reader.gettext("Home")), ("commercial", reader.gettext("Business"))]


async def create(tx: Tx, household: UUID, form: Mapping[str, str]) -> UUID:
    """Add the site that a form names. Raises LinesetError."""
    return await sites.create_site(
        tx, household, name=form["name"], time_zone=form["time_zone"], kind=form["kind"] or "residential", address=_address(form)
    )


def read_form(data: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a site's form as text."""
    names = [*_FIELDS, *(f"{setting}_{end}" for setting in _LIMITED for end in ("low", "high"))]
    return {name: form_text(data, name).strip() for name in names}


@get("/")
async def look(request: Ask, site: str) -> Response[Any]:
    """The site's entry."""
    area = area_of(request)
    who, context = await area.enter(request)
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        return await settings_page(request, tx, place, Form(values=values_of(place.reader, place.site)))


@post("/", status_code=200)
async def save(request: Ask, site: str) -> Response[Any]:
    """Keep the corrections."""
    area = area_of(request)
    who, context = await area.enter(request)
    values = read_form(await request.form())
    door = edge(request).door
    async with door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
    try:
        async with door.open(context) as tx:
            await sites.change_site(
                tx,
                place.site.id,
                name=values["name"],
                time_zone=values["time_zone"],
                kind=values["kind"] or place.site.kind,
                address=_address(values),
                limits=_limits(place.reader, values, kinds_here(place)),
            )
    except LinesetError as error:
        async with door.open(context) as tx:
            return await settings_page(request, tx, place, refused(place.reader, error, values), int(error.status))
    return go(place.base)


@post("/rooms", status_code=200)
async def rooms(request: Ask, site: str) -> Response[Any]:
    """Add, rename or remove a room; the form's button says which."""
    area = area_of(request)
    who, context = await area.enter(request)
    form = await request.form()
    door = edge(request).door
    async with door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
    try:
        async with door.open(context) as tx:
            zone = parse_id(form_text(form, "zone"))
            if zone is None:
                await sites.add_zone(tx, place.site.id, form_text(form, "room"))
            elif form_text(form, "do") == "remove":
                await sites.remove_zone(tx, zone)
            else:
                await sites.rename_zone(tx, zone, form_text(form, "room"))
    except LinesetError as error:
        async with door.open(context) as tx:
            again = refused(place.reader, error, values_of(place.reader, place.site))
            return await settings_page(request, tx, place, again, int(error.status))
    return go(f"{place.base}/settings")


def settings_routes(area: Area) -> Router:
    """The routes of a site's entry in this area."""
    return Router(f"{area.prefix}/settings", route_handlers=[look, save, rooms], opt={"area": area}, include_in_schema=False)
