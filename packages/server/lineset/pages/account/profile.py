"""The profile: what a person told about themselves, to see and to correct."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import Principal, Profile
from lineset.kit.errors import Invalid, LinesetError
from lineset.privacy import Purpose

from ..common.coming import go
from ..common.edge import LANGUAGE, Ask, edge, form_text, set_cookie
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from .own import EMPTY, account_page, changed, owner_of_account

FIELDS = ("name", "language", "units", "time_zone", "birth_year", "gender")
_CONTINENTS = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
ZONES = tuple(sorted(zone for zone in available_timezones() if zone.startswith(_CONTINENTS)))


@get("/account")
async def profile_page(request: Ask) -> Response[Any]:
    """The profile as it is."""
    who, reader = await owner_of_account(request)
    return await show(request, who, reader)


@post("/account/profile")
async def change(request: Ask) -> Response[Any]:
    """Save what was changed. A field left empty is forgotten, where that is allowed."""
    who, reader = await owner_of_account(request)
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in FIELDS}
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.change_profile(
                tx,
                name=values["name"],
                language=values["language"],
                units=values["units"],
                time_zone=values["time_zone"],
                birth_year=_year(reader, values["birth_year"]),
                gender=values["gender"],
                clear=frozenset(name for name in ("time_zone", "birth_year", "gender") if not values[name]),
            )
    except LinesetError as error:
        return await show(request, who, reader, status=int(error.status), form=refused(reader, error, values))
    await changed(request, who)
    response = go("/account?done=profile")
    set_cookie(request, response, LANGUAGE, values["language"])
    return response


def _year(reader: Reader, text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Invalid("bad_birth_year", reader.gettext("Give the year in four digits, or leave it empty."), "birth_year")
    return int(text) if text else None


async def show(
    request: Ask, who: Principal, reader: Reader, *, status: int = 200, form: Form | None = None, email: Form = EMPTY
) -> Response[Any]:
    """The page, with one of its forms as it was typed where that was refused."""
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        profile = await accounts.get_profile(tx)
    return account_page(
        request,
        "profile",
        who,
        reader,
        "profile",
        status=status,
        profile=profile,
        form=form or Form(values=_values(profile)),
        email=email,
        zones=ZONES,
    )


def _values(profile: Profile) -> Mapping[str, str]:
    return {
        "name": profile.name,
        "language": profile.language,
        "units": profile.units,
        "time_zone": profile.time_zone or "",
        "birth_year": str(profile.birth_year or ""),
        "gender": profile.gender,
    }


ROUTES = (profile_page, change)
