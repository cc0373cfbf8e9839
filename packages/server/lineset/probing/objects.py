"""What lies in S3-compatible storage: every object below the installation's address."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.exceptions import BaseError

from lineset.kit.settings import Settings
from lineset.kit.storage import Storage, storage
from lineset.probing.places import tier_of
from lineset.probing.rows import Unreachable


@dataclass(frozen=True, slots=True)
class Object:
    """An object: its tier, its path below the storage's address, its size in bytes, and what tells it from a later one of that path."""

    tier: str
    path: str
    size: int
    mark: str


def whole_storage(settings: Settings) -> Storage | None:
    """The storage that all tiers share, or None where files lie in the data folder."""
    return Storage(settings.history_url, storage(settings, "history").options) if settings.history_url else None


def listing(shared: Storage) -> Iterator[Object]:
    """Every object there.

    Raises:
        Unreachable: the storage does not answer or refuses.
    """
    try:
        for batch in obstore.list(shared.store()):
            for meta in batch:
                yield Object(tier_of(meta["path"]), meta["path"], meta["size"], f"{meta.get('e_tag')} {meta['last_modified']}")
    except BaseError as error:
        raise Unreachable(
            "storage_away", f"{shared.url} can't be searched, so nothing is proven: {str(error).splitlines()[0][:200]}"
        ) from error


def fetched(shared: Storage, wanted: Object) -> Path | None:
    """A copy on this machine, which the caller removes; None: the object is gone.

    Raises:
        OSError: it could not be fetched.
    """
    with tempfile.NamedTemporaryFile(prefix="lineset-probe-", delete=False) as copy:
        path = Path(copy.name)
        try:
            for piece in obstore.get(shared.store(), wanted.path).stream(min_chunk_size=4 << 20):
                copy.write(bytes(piece))
        except FileNotFoundError:
            path.unlink()
            return None
        except BaseError as error:
            path.unlink()
            raise OSError(str(error).splitlines()[0][:200]) from error
    return path
