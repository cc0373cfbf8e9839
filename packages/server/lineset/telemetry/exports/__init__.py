"""Downloads of measurements: small ones sent while they are read, large ones made by jobs, kept for a week."""

from collections.abc import Collection
from uuid import UUID

from lineset.kit.storage import Storage
from lineset.privacy import Door
from lineset.telemetry.exports.account import Measurements
from lineset.telemetry.exports.direct import csv_of, machine_at_once, name_of, parquet_of
from lineset.telemetry.exports.jobs import add_jobs
from lineset.telemetry.exports.plan import DETAILS, FORMATS, STREAM_DAYS, Machine, Size, Wanted, at_once, wanted_of
from lineset.telemetry.exports.service import (
    MOST_RUNNING,
    Export,
    File,
    ask,
    cancel,
    drop,
    file_of,
    get,
    list_exports,
    running,
    size,
    stream,
)

__all__ = [
    "DETAILS",
    "FORMATS",
    "MOST_RUNNING",
    "STREAM_DAYS",
    "Export",
    "File",
    "Machine",
    "Measurements",
    "Size",
    "Wanted",
    "add_jobs",
    "ask",
    "at_once",
    "cancel",
    "csv_of",
    "delete_exports",
    "drop",
    "file_of",
    "get",
    "list_exports",
    "machine_at_once",
    "name_of",
    "parquet_of",
    "running",
    "size",
    "stream",
    "wanted_of",
]


async def delete_exports(door: Door, storage: Storage, series: list[int], people: Collection[UUID] = ()) -> int:
    """Delete every download with readings of these series, and all of these people's; how many. For erasures."""
    from lineset.telemetry.exports import ending  # noqa: PLC0415 - loads what few processes need

    return await ending.delete_exports(door, storage, series, people)
