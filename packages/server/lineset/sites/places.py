"""Places of sites, gateways and browsers: told, asked for, forgotten. Nothing computes a place from an address of a street or of the net.

Every call needs the purpose of location, and the consent for exactly that thing; the database asks for both again.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid
from lineset.kit.ids import new_id
from lineset.privacy import Purpose, Tx, consented
from lineset.sites.model_places import PlaceRow, SessionPlaceRow

Kind = Literal["site", "gateway", "session"]
SOURCES = ("hand", "browser", "device")
"""Typed by a person, given by the browser after its own question, sent by the gateway itself."""
DECIMALS = 3
"""Digits of a degree that are kept: 0.001 of latitude is about 110 m."""


@dataclass(frozen=True, slots=True)
class Location:
    """Degrees north and east (WGS 84), rounded, where they came from, and when."""

    latitude: float
    longitude: float
    source: str
    at: datetime


async def set_place(tx: Tx, subject: UUID, kind: Kind, thing: UUID, latitude: float, longitude: float, source: str) -> None:
    """Keep where a thing is, in place of what was known. `subject`: its household; for a browser's session its person.

    Raises:
        Invalid: no such place on earth, or source.
        Denied: location is not switched on for this thing; says where that is done.
    """
    if not (math.isfinite(latitude) and -90 <= latitude <= 90 and math.isfinite(longitude) and -180 <= longitude <= 180):
        raise Invalid("bad_place", "Latitude goes from -90 to 90 degrees, longitude from -180 to 180.", "latitude")
    if source not in SOURCES:
        raise Invalid("bad_source", f"A place comes by one of: {', '.join(SOURCES)}.", "source")
    if not await consented(tx, subject, Purpose.LOCATION, f"{kind}:{thing}"):
        raise Denied("consent_needed", "Location is switched off for this. Its people can switch it on on its page, or in Your data.")
    sealed = await tx.vault.seal(subject, f"{latitude:.{DECIMALS}f},{longitude:.{DECIMALS}f}")
    told: dict[str, Any] = {"where_sealed": sealed, "source": source, "at": now()}
    if kind == "session":
        mine = insert(SessionPlaceRow).values(session_id=thing, person_id=subject, **told)
        await tx.session.execute(mine.on_conflict_do_update(index_elements=["session_id"], set_=told))
        return
    row = insert(PlaceRow).values(id=new_id(), household_id=subject, **{f"{kind}_id": thing}, **told)
    await tx.session.execute(row.on_conflict_do_update(constraint=f"uq_places_{kind}", set_=told))


async def place_of(tx: Tx, subject: UUID, kind: Kind, thing: UUID) -> Location | None:
    """Where a thing is; None where nobody told, or location is switched off for it."""
    table, mine = _rows(subject, kind, thing)
    found = (await tx.session.execute(select(table.where_sealed, table.source, table.at).where(*mine))).one_or_none()
    if found is None or (said := await tx.vault.open(subject, found.where_sealed)) is None:
        return None
    latitude, _, longitude = said.partition(",")
    return Location(float(latitude), float(longitude), found.source, found.at)


async def forget_place(tx: Tx, subject: UUID, kind: Kind, thing: UUID) -> None:
    """Delete where a thing is; the switch stays as it is."""
    table, mine = _rows(subject, kind, thing)
    await tx.session.execute(delete(table).where(*mine))


def _rows(subject: UUID, kind: Kind, thing: UUID) -> tuple[Any, tuple[Any, ...]]:
    if kind == "session":
        return SessionPlaceRow, (SessionPlaceRow.person_id == subject, SessionPlaceRow.session_id == thing)
    own = PlaceRow.site_id if kind == "site" else PlaceRow.gateway_id
    return PlaceRow, (PlaceRow.household_id == subject, own == thing)
