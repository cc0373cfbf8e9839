"""The access log at the command line: out of the database as a file, checked without it, and proofs about single entries."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO
from uuid import UUID

from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings
from lineset.platform import open_platform
from lineset.privacy import Context, Purpose, System, Tx
from lineset.privacy.audit.chain import Checkpoint, checkpoint_from, public_key
from lineset.privacy.audit.checking import Verdict, check_lines
from lineset.privacy.audit.copying import export_lines, last_checkpoint, prove_entry, prove_growth
from lineset.privacy.audit.sealing import seal_all

_KEEPER = Context(System("housekeeping"), Purpose.KEEP)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[Tx]:
    """A transaction in which all that waited has its place."""
    async with open_platform(settings, "audit") as platform:
        await seal_all(platform.door)
        async with platform.door.open(_KEEPER) as tx:
            yield tx


def export(settings: Settings, file: Path) -> int:
    """Write the whole log into a file, readable by its owner alone; how many places it has."""

    async def work(out: TextIO) -> int:
        count = -1
        async with _reading(settings) as tx:
            async for line in export_lines(tx):
                out.write(line + "\n")
                count += 1
        return count

    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8") as out:
        return asyncio.run(work(out))


def prove(settings: Settings, entry: UUID | None, size: int | None) -> str:
    """A proof as JSON: that an entry is in the log, or that the log under the checkpoint over `size` entries is the beginning of today's.

    Raises:
        Invalid, NotFound: there is no such entry or checkpoint.
    """

    async def work() -> str:
        async with _reading(settings) as tx:
            if entry is not None:
                found = (await prove_entry(tx, entry)).told()
            elif size is not None:
                found = (await prove_growth(tx, size)).told()
            else:
                newest = await last_checkpoint(tx)
                found = {"checkpoint": newest.told() if newest is not None else None}
            return json.dumps({"public_key": public_key(tx.vault).hex(), **found}, indent=2)

    return asyncio.run(work())


def check(file: Path, key: str, old: Path | None) -> tuple[Verdict, bool]:
    """Check a file without any database, against the public key in hexadecimal digits; whether the key was given, or is the file's own.

    Raises:
        Invalid: the file, the key or the checkpoint is none.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            wanted = bytes.fromhex(key) if key else bytes.fromhex(str(json.loads(lines.readline() or "{}").get("public_key", "")))
            lines.seek(0)
            return check_lines(lines, wanted, _checkpoint(old) if old is not None else None), bool(key)
    except (ValueError, AttributeError, RecursionError) as error:
        raise Invalid("not_a_log", f"{file.name}: {error}") from error


def _checkpoint(file: Path) -> Checkpoint:
    """The checkpoint in a file: as published, or as a proof holds it."""
    told = json.loads(file.read_text(encoding="utf-8"))
    return checkpoint_from(told.get("checkpoint", told) if isinstance(told, dict) else told)
