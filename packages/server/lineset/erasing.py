"""Erasures put together: what each domain hides, erases and searches, and the replay after a backup was restored."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select

from lineset import accounts, gateways, schema, telemetry
from lineset.kit.bus import DEVICE_STREAM, Bus
from lineset.kit.forgetting import find_messages, forget_messages
from lineset.kit.storage import storage
from lineset.kit.tombstones import Tombstones
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System, Tx, exporting
from lineset.privacy.audit.sealing import forget_actor, forget_household, still_named
from lineset.privacy.erasure import Case, Eraser, Shop, certificate_key, replay

log = structlog.get_logger(__name__)

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
RETAINED, SESSIONS = "$MQTT_rmsgs", "$MQTT_sess"
"""Where the broker keeps each device's last status and its session."""


def shop(platform: Platform) -> Shop:
    """Everything that an erasure needs in this process."""
    return Shop(
        platform.door,
        platform.engine,
        platform.vault,
        Tombstones(platform.bus),
        certificate_key(platform.vault),
        erasers=(_downloads(platform), _measurements(platform), _streams(platform.bus), _log_of_access(platform), _logs(platform)),
        hiders=(_hide_accounts, _hide_gateways),
    )


async def replay_tombstones(platform: Platform) -> int:
    """Erase from a restored database what had been erased before it was restored; how many erasures.

    Raises:
        BusFault: the list of what was erased can't be read, so nothing may be let in.
    """
    return await replay(shop(platform))


def series_erasers(platform: Platform) -> tuple[Callable[[list[int], UUID], Awaitable[None]], ...]:
    """What else goes with series that are erased by themselves: downloads and copies with them, and what is on its way."""
    files, zips = storage(platform.settings, "exports"), storage(platform.settings, exporting.STORAGE)

    async def downloads(series: list[int], household: UUID) -> None:
        await telemetry.exports.delete_exports(platform.door, files, series)
        await exporting.forget_exports(platform.door, zips, household)

    async def on_its_way(series: list[int], household: UUID) -> None:  # noqa: ARG001 - what waits there is nobody's by name
        if not await platform.bus.emptied(DEVICE_STREAM):
            log.warning("broker_not_empty", stream=DEVICE_STREAM)

    return downloads, on_its_way


async def _hide_accounts(tx: Tx, case: Case) -> None:
    await accounts.close_accounts(tx, case.scope.people, case.scope.households, case.id)


async def _hide_gateways(tx: Tx, case: Case) -> None:
    machines = schema.metadata.tables["equipment"].c
    fed = select(machines.gateway_id).where(machines.id.in_(case.scope.machines), machines.gateway_id.is_not(None)).distinct()
    feeding = set(await tx.session.scalars(fed)) - set(case.scope.gateways)
    await gateways.shut_out(tx, case.scope.gateways, feeding)


def _downloads(platform: Platform) -> Eraser:
    """Files that people have for download, those being made at this moment too: their rows go first, so that no worker goes on."""
    files, zips = storage(platform.settings, "exports"), storage(platform.settings, exporting.STORAGE)

    async def erase(case: Case) -> int:
        count = await telemetry.exports.delete_exports(platform.door, files, list(case.scope.series), case.scope.people)
        for subject in (*case.scope.people, *case.scope.households):
            count += await exporting.forget_exports(platform.door, zips, subject)
        return count

    return Eraser("downloads", erase)


def _measurements(platform: Platform) -> Eraser:
    history = storage(platform.settings, "history")

    async def erase(case: Case) -> int:
        others = series_erasers(platform)  # of other erasures that may wait
        return await telemetry.erase_series(platform.door, platform.engine, history, case.id, case.scope.series, case.hidden_at, others)

    async def left(case: Case) -> list[str]:
        return await telemetry.series_left(platform.door, history, case.scope.series)

    mine = frozenset({"frames", "late_frames", "slots", "tenures"})
    return Eraser("measurements", erase, left, mine, frozenset({"slots", "tenures", "latest"}))


def _streams(bus: Bus) -> Eraser:
    """What the broker keeps of devices: messages on their way, the last status of each, sessions."""

    def marks(case: Case) -> list[bytes]:
        return [str(gateway).encode() for gateway in case.scope.gateways]

    async def erase(case: Case) -> int:
        await bus.emptied(DEVICE_STREAM)
        return sum([await forget_messages(bus, stream, marks(case)) for stream in (RETAINED, SESSIONS)])

    async def left(case: Case) -> list[str]:
        return [f"stream {stream}" for stream in (RETAINED, SESSIONS) if await find_messages(bus, stream, marks(case))]

    return Eraser("streams", erase, left)


def _log_of_access(platform: Platform) -> Eraser:
    """The access log keeps its chain and loses whom an entry was about."""

    async def erase(case: Case) -> int:
        count = 0
        async with platform.door.open(HOUSEKEEPING) as tx:
            for household in case.scope.households:
                count += await forget_household(tx, household)
            for person in case.scope.people:
                count += await forget_actor(tx, person)
        return count

    async def left(case: Case) -> list[str]:
        async with platform.door.open(HOUSEKEEPING) as tx:
            return ["access log"] if await still_named(tx, case.scope.households, case.scope.people) else []

    return Eraser("rows", erase, left, frozenset({"access_log"}), frozenset({"access_log"}))


def _logs(platform: Platform) -> Eraser:
    """Logs of processes hold ids alone; those of the case are blotted out where they stand, since the files are being written to."""
    folder = platform.settings.data / "logs"

    def marks(case: Case) -> list[bytes]:
        return [str(id_).encode() for id_ in case.scope.ids]

    async def erase(case: Case) -> int:
        return await asyncio.to_thread(lambda: sum(blot(path, marks(case)) for path in sorted(folder.glob("**/*")) if path.is_file()))

    # not searched for afterwards: a device that is refused may be named again, by its id alone, until the log ends
    return Eraser("files", erase)


def blot(path: Path, marks: list[bytes]) -> int:
    """Overwrite every place in a file that has one of these texts by as many dots; how many. Others may add to the file meanwhile."""
    count = 0
    with path.open("r+b") as file:
        content = file.read()
        for mark in marks:
            at = content.find(mark)
            while at >= 0:
                file.seek(at)
                file.write(b"." * len(mark))
                count += 1
                at = content.find(mark, at + len(mark))
    return count
