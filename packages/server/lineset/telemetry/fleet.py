"""Readings of many machines at once, for the platform's own actors; the library behind is loaded when it is first needed."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from lineset.privacy import Tx

if TYPE_CHECKING:
    from lineset.telemetry.history.fleet import Frames


async def frames(tx: Tx, series: Collection[int], start: datetime, end: datetime) -> "Frames":
    """As `history.fleet.frames`."""
    from lineset.telemetry.history import fleet  # noqa: PLC0415 - processes that read no fleet never load the library

    return await fleet.frames(tx, series, start, end)


async def span(tx: Tx, series: Collection[int]) -> tuple[datetime, datetime] | None:
    """As `history.fleet.span`."""
    from lineset.telemetry.history import fleet  # noqa: PLC0415 - as above

    return await fleet.span(tx, series)
