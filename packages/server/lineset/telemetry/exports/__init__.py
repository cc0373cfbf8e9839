"""Downloads of measurements: small ones sent while they are read, large ones made by jobs, kept for a week."""

import procrastinate

from lineset.kit.storage import Storage
from lineset.privacy import Door
from lineset.telemetry.exports.direct import csv_of, machine_at_once, name_of, parquet_of
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


async def delete_exports(door: Door, storage: Storage, series: list[int]) -> int:
    """Delete every download with readings of these series; how many. For the erasure of series."""
    from lineset.telemetry.exports import ending  # noqa: PLC0415 - as below

    return await ending.delete_exports(door, storage, series)


def add_jobs(app: procrastinate.Blueprint, door: Door, storage: Storage) -> None:
    """Register `telemetry.export`, `telemetry.clean_export`, and, once an hour, `telemetry.end_exports`."""
    from lineset.telemetry.exports import ending  # noqa: PLC0415 - a web process makes no files, and does not load what makes them

    ending.add_jobs(app, door, storage)
