"""Small downloads that are sent while they are read: one machine over a few days."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from lineset.kit.errors import Invalid
from lineset.privacy import Context, Door, Tx
from lineset.telemetry.exports.plan import STREAM_DAYS, Machine, Wanted, at_once, machines_of

_AT_ONE_TIME = {"raw": timedelta(days=1), "hour": timedelta(days=31), "day": timedelta(days=3_700)}


async def machine_at_once(tx: Tx, wanted: Wanted) -> Machine:
    """The machine whose readings are wanted.

    Raises:
        Invalid: too much to be sent at once.
        NotFound: no such machine for the asker.
    """
    if not at_once(wanted):
        days = int(STREAM_DAYS[wanted.detail])
        raise Invalid("too_long", f"At most {days} days of one machine are sent at once. Ask for a download instead.", "start")
    return (await machines_of(tx, wanted))[0]


async def csv_of(door: Door, context: Context, machine: Machine, wanted: Wanted) -> AsyncIterator[bytes]:
    """The readings as CSV, a day at a time, each read in a transaction of its own.

    Raises:
        NotFound: the machine is not shared any more, so that the answer breaks off.
    """
    from lineset.telemetry.exports import files, rows  # noqa: PLC0415 - most pages never load the library

    at = wanted.start
    while at < wanted.end:
        until = min(at + _AT_ONE_TIME[wanted.detail], wanted.end)
        async with door.open(context) as tx:
            frame = await rows.table(tx, machine.id, machine.series, machine.points, machine.time_zone, at, until, wanted.detail)
        pieces = files.csv_text(frame, machine.time_zone, wanted.detail, head=at == wanted.start)
        yield await asyncio.to_thread(b"".join, pieces)
        at = until


async def parquet_of(tx: Tx, machine: Machine, wanted: Wanted) -> bytes:
    """The readings as one Parquet file, laid out as that of a download."""
    import polars as pl  # noqa: PLC0415 - as above

    from lineset.telemetry.exports import files, rows  # noqa: PLC0415

    frame = await rows.table(tx, machine.id, machine.series, machine.points, machine.time_zone, wanted.start, wanted.end, wanted.detail)
    label = files.Label(machine.id, machine.name, machine.type, "", machine.time_zone, "")
    about = files.described([label], machine.points, wanted.detail, wanted.start, wanted.end)
    named = frame.select(pl.lit(str(machine.id)).alias("equipment"), pl.all())
    return await asyncio.to_thread(files.parquet_bytes, named, about)


def name_of(wanted: Wanted) -> str:
    """The name of the file."""
    ending = "csv" if wanted.format == "csv" else "parquet"
    return f"lineset_{wanted.start:%Y-%m-%d}_{wanted.end:%Y-%m-%d}_{wanted.detail}.{ending}"
