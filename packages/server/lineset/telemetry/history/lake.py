"""The files of history: Parquet in a folder or in S3-compatible storage.

Which files count is said by the manifest in PostgreSQL (`manifest.py`), at one commit with everything else.
"""

import os
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import obstore
import polars as pl

from lineset.kit.storage import Storage
from lineset.telemetry.history.manifest import Moved, Part, Tier

_COMPRESSION_LEVEL = 6
_ROW_GROUP = 16_384


class Lake:
    """Reads and writes the files of one storage. All calls block; run them in a thread."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._url = storage.url
        self._options = dict(storage.options)
        self._folder = storage.folder

    def write(self, tier: Tier, frame: pl.DataFrame, *, period: date, keep_days: int, modulus: int, remainder: int) -> Part:
        """Write one part, sorted as it comes; its file is whole and synced when this returns. No reader knows it yet."""
        folder = f"{tier}/keep_days={keep_days}/period={period.isoformat()}/bucket={remainder}"
        path = f"{folder}/{uuid.uuid4().hex}.parquet"
        target: str | Path = f"{self._url}/{path}"
        if self._folder is not None:
            target = self._folder / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        frame.write_parquet(
            target,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            row_group_size=_ROW_GROUP,
            statistics={"min": True, "max": True, "distinct_count": False, "null_count": True},
            storage_options=self._options or None,
        )
        size = _sync(target) if isinstance(target, Path) else int(obstore.head(self.storage.store(), path)["size"])
        return Part(tier, period, keep_days, modulus, remainder, path, frame.height, size)

    def scan(self, paths: Sequence[str], schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """These files as one lazy frame; columns of `schema` that a file lacks are null, and others are left out."""
        return pl.scan_parquet(
            [f"{self._folder or self._url}/{path}" for path in paths],
            schema=None if schema is None else dict(schema),
            missing_columns="raise" if schema is None else "insert",
            extra_columns="raise" if schema is None else "ignore",
            storage_options=self._options or None,
            hive_partitioning=False,
            glob=False,
            cast_options=pl.ScanCastOptions(missing_struct_fields="insert", extra_struct_fields="ignore"),
        )

    def collect(self, lazy: pl.LazyFrame) -> pl.DataFrame:
        """The rows.

        Raises:
            Moved: a file is not there any more.
        """
        try:
            return lazy.collect()
        except FileNotFoundError as error:
            raise Moved(str(error)) from error
        except (pl.exceptions.ComputeError, OSError) as error:
            if re.search(r"not found|no such file|NoSuchKey|404", str(error), re.IGNORECASE):
                raise Moved(str(error)) from error
            raise


def _sync(path: Path) -> int:
    """Make the file and its entry in the folder outlast a power cut; its size in bytes."""
    for name in (path, path.parent):
        handle = os.open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return path.stat().st_size
