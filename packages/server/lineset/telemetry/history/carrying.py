"""History household by household: for copies that are sealed under each household's key, and back from them.

Files of history mix the series of up to sixteen machines. Taken out, the rows of several periods of one bucket make a *group*, and each
household's share of it is a Parquet file of its own. Brought back, the shares of a group become files of the same periods and bucket.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from lineset.kit.storage import Storage
from lineset.telemetry.history.manifest import TIERS, Part, Tier, exclusive

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TIERS", "Part", "Place", "Share", "bring", "empty", "exclusive", "publish", "shares"]

_GROUP_ROWS = 400_000  # of the files that make a group; an only file may have more
_GROUP_FILES = 31
_PERIOD = "period"
_SUMS_ORDER = ["series", "point", "t", "code"]


class Place(msgspec.Struct, frozen=True):
    """Which bucket of which tier, as `Part` says."""

    tier: Tier
    keep_days: int
    modulus: int
    remainder: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one household has in a group of files; `owner` None: the series is nobody's (any more)."""

    group: int
    place: Place
    owner: UUID | None
    rows: int
    parquet: bytes


def shares(storage: Storage, parts: Collection[Part], owners: Mapping[int, UUID]) -> Iterator[Share]:
    """All rows of these files by household (`owners`, by series), group by group. Blocks.

    Raises:
        Moved: a file is gone. It can't be while the lock of history is held (`exclusive`), unless it was lost.
    """
    import polars as pl  # noqa: PLC0415 - loads libraries that most processes have no use for

    from lineset.telemetry.history.lake import Lake  # noqa: PLC0415 - as above

    lake = Lake(storage)
    for number, (place, files) in enumerate(_groups(parts), 1):
        frames = [lake.collect(lake.scan([p.path])).with_columns(pl.lit(p.period).alias(_PERIOD)) for p in files]
        rows = pl.concat(frames, how="diagonal")
        found: dict[UUID | None, list[int]] = {}
        for series in rows["series"].unique().sort().to_list():
            found.setdefault(owners.get(series), []).append(series)
        for owner, series in found.items():
            mine = rows.filter(pl.col("series").is_in(series)) if len(found) > 1 else rows
            yield Share(number, place, owner, mine.height, _packed(mine, place.tier))


def bring(storage: Storage, place: Place, packed: Sequence[bytes]) -> list[Part]:
    """Write the shares of one group as files of history, which no manifest names yet. Blocks."""
    import polars as pl  # noqa: PLC0415 - as above

    from lineset.telemetry.history.columns import SUMS  # noqa: PLC0415 - as above
    from lineset.telemetry.history.lake import Lake  # noqa: PLC0415 - as above

    lake = Lake(storage)
    rows = pl.concat([pl.read_parquet(BytesIO(data)) for data in packed], how="diagonal")
    made = []
    for period in sorted(rows[_PERIOD].unique().to_list()):
        mine = rows.filter(pl.col(_PERIOD) == period).drop(_PERIOD)
        mine = mine.sort("series", "t") if place.tier in ("raw", "held") else mine.select(SUMS.keys()).sort(_SUMS_ORDER)
        where = {"keep_days": place.keep_days, "modulus": place.modulus, "remainder": place.remainder}
        made.append(lake.write(place.tier, mine, period=period, **where))
    return made


def publish(storage: Storage, parts: Collection[Part]) -> None:
    """Make the Delta logs name exactly these files. Blocks."""
    from lineset.telemetry.history import delta  # noqa: PLC0415 - as above

    for tier in TIERS:
        delta.publish(storage, tier, [p for p in parts if p.tier == tier])


def empty(storage: Storage) -> bool:
    """Whether the storage holds no history. Blocks."""
    return not any(True for batch in storage.store().list() for _ in batch)


def _groups(parts: Collection[Part]) -> Iterator[tuple[Place, list[Part]]]:
    def place(part: Part) -> tuple[str, int, int, int]:
        return part.tier, part.keep_days, part.modulus, part.remainder

    for _, bucket in groupby(sorted(parts, key=lambda p: (*place(p), p.period)), key=place):
        files: list[Part] = []
        for part in bucket:
            if files and (len(files) == _GROUP_FILES or sum(p.rows for p in files) + part.rows > _GROUP_ROWS):
                yield _place(files[0]), files
                files = []
            files.append(part)
        yield _place(files[0]), files


def _place(part: Part) -> Place:
    return Place(part.tier, part.keep_days, part.modulus, part.remainder)


def _packed(rows: "pl.DataFrame", tier: Tier) -> bytes:
    if tier in ("raw", "held"):  # points that only other households' machines have
        rows = rows.select([c.name for c in rows.get_columns() if c.null_count() < len(c)])
    buffer = BytesIO()
    rows.write_parquet(buffer, compression="zstd", compression_level=3, statistics=False)
    return buffer.getvalue()
