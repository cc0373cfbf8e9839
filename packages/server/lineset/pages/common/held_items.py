"""Single things that a person can change or delete from the list of what is held: each in the way that it is done elsewhere."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import msgspec

from lineset import accounts, apps, telemetry
from lineset.kit.errors import NotFound
from lineset.kit.ids import parse_id
from lineset.kit.tombstones import Tombstones
from lineset.privacy import Door, Purpose, Tx
from lineset.privacy.erasure import remember_item

from .desk import At
from .refusals import marked

Delete = Callable[[Tx, UUID], Awaitable[object]]


class Item(msgspec.Struct, frozen=True):
    """`change`: the address where it is changed, with `{key}` where one row has its own page. `goes` says what its deletion does."""

    change: str = ""
    purposes: tuple[Purpose, ...] = (Purpose.ACCOUNT,)
    delete: Delete | None = None
    goes: str = ""


ITEMS: dict[str, Item] = {
    "people": Item("/account"),
    "contacts": Item(
        "/account/contacts/{key}",
        delete=accounts.remove_contact,
        goes=marked("This address or number goes at once, with what it was before. Nothing stays."),
    ),
    "sessions": Item(
        "/account/security#sessions",
        (Purpose.SECURITY,),
        accounts.forget_session,
        marked("That browser is signed out at once, and what is kept about the sign-in goes. Nothing stays."),
    ),
    "api_tokens": Item(
        "/account/security#tokens",
        (Purpose.ACCOUNT,),
        accounts.forget_token,
        marked("The program that has it is refused from now on, and its line goes. Nothing stays."),
    ),
    "app_events": Item(
        "",
        (Purpose.SECURITY,),
        apps.forget_one,
        marked("This report goes at once, also from the counts that support sees. Nothing stays."),
    ),
    "exports": Item(
        "",
        (Purpose.OPERATE, Purpose.SERVICE),
        telemetry.exports.drop,
        marked("The file and its line go at once. The readings that it was made from stay."),
    ),
    "households": Item("/account/household"),
    "household_members": Item("/account/household"),
    "access_grants": Item("/account/access"),
    "keeping": Item("/account/household"),
}

_OF_SITES = {"sites": "/settings", "zones": "/settings", "equipment": "/machines", "gateways": "/gateways"}


def change_at(at: At, name: str, key: str) -> str:
    """Where a row is changed, "" where nowhere."""
    if name in _OF_SITES:
        return f"{at.site}{_OF_SITES[name]}" if at.site else ""
    return ITEMS[name].change.format(key=key) if name in ITEMS else ""


def deletable(name: str) -> Item:
    """How an item of this table is deleted.

    Raises:
        NotFound: not by itself.
    """
    item = ITEMS.get(name)
    if item is None or item.delete is None:
        raise NotFound("item")
    return item


async def delete_item(door: Door, gone: Tombstones, at: At, name: str, key: str) -> None:
    """Delete it, for the first of its purposes under which it is the asker's, and from every backup that is ever restored.

    Raises:
        NotFound: it is not the asker's, or not deleted by itself.
        BusFault: it can't be remembered now; it stays.
    """
    wanted, item = parse_id(key), deletable(name)
    if wanted is None or item.delete is None:
        raise NotFound("item")
    for purpose in item.purposes:
        with suppress(NotFound):
            async with door.open(at.who.acts(purpose)) as tx:
                await item.delete(tx, wanted)
                await remember_item(gone, name, wanted)
                return
    raise NotFound("item")
