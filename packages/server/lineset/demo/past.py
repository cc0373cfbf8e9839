"""The demo's recorded past: simulated in processes of their own, loaded through the path of imports."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from lineset_simulator.fleet import demo_fleet
from lineset_simulator.history import history
from lineset_simulator.home import HomeState

from lineset import telemetry
from lineset.demo.notes import Home, Notes, write
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System

log = structlog.get_logger(__name__)

DAYS = 14
STEP_S = 300
IMPORT = Context(System("import"), Purpose.OPERATE)


def simulate(key: str, end: float, folder: str) -> str:
    """Simulate one home's past into `folder`: readings by machine, and the state in which live operation goes on."""
    spec = next(s for s in demo_fleet() if s.key == key)
    blocks = history(spec, end - DAYS * 86_400, end, STEP_S)
    parts: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
    for block in blocks:
        parts.setdefault(block.equipment, []).append((block.times, dict(block.points)))
    arrays: dict[str, Any] = {}
    for local, pieces in parts.items():
        arrays[f"{local}/t"] = np.concatenate([t for t, _ in pieces])
        for point in {p for _, points in pieces for p in points}:
            arrays[f"{local}/{point}"] = np.concatenate([points.get(point, np.full(len(t), np.nan)) for t, points in pieces])
    np.savez(Path(folder) / "past.npz", **arrays)
    (Path(folder) / "home.json").write_bytes(msgspec.json.encode(blocks.state))
    return key


def read_state(folder: Path) -> HomeState:
    """The state of a home as it was last kept."""
    return msgspec.json.decode((folder / "home.json").read_bytes(), type=HomeState)


async def load_all(platform: Platform, notes: Notes, folder: Path) -> None:
    """Simulate and load the past of every home that has none yet."""
    wanted = [key for key, home in notes.homes.items() if not home.history]
    if not wanted:
        return
    began = time.monotonic()
    for key in wanted:
        (folder / key).mkdir(parents=True, exist_ok=True)
    # Processes of their own give their memory back when they end, and use both cores.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(pool, simulate, key, notes.anchor, str(folder / key)) for key in wanted]
        for done, job in enumerate(asyncio.as_completed(jobs), 1):
            key = await job
            await _load(platform, notes.homes[key], folder / key)
            notes.homes[key].history = True
            write(folder / "notes.json", notes)
            (folder / key / "past.npz").unlink()
            log.info("demo_past", homes=done, of=len(wanted), seconds=round(time.monotonic() - began))


async def _load(platform: Platform, home: Home, folder: Path) -> None:
    with np.load(folder / "past.npz") as arrays:
        for machine in home.machines:
            columns = _columns(arrays, machine.local, arrays.files)
            t = columns.pop("t", np.empty(0))
            if len(t):
                async with platform.door.open(IMPORT) as tx:
                    await telemetry.load(tx, machine.id, t, columns, now=time.time())


def _columns(arrays: Any, local: str, names: Iterable[str]) -> dict[str, Any]:
    found = {name.partition("/")[2]: arrays[name] for name in names if name.startswith(f"{local}/")}
    return {name: values for name, values in found.items() if not np.isnan(values).all()}
