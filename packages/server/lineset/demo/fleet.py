"""The demo's process: makes the demo at its first start, then runs every home with the real agent over the real wire."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import structlog
import uvloop
from lineset_agent.config import AgentConfig, Identity, load_identity
from lineset_agent.enrol import EnrolError, enrol
from lineset_agent.runtime import Agent
from lineset_simulator.driver import SimDriver
from lineset_simulator.fleet import demo_fleet
from lineset_simulator.home import Home
from lineset_simulator.spec import HomeSpec

from lineset import diagnostics
from lineset.demo import notes as demo_notes
from lineset.demo.notes import Notes, Sign
from lineset.demo.past import STEP_S, load_all, read_state
from lineset.demo.seeding import Seeding
from lineset.demo.texts import publish_texts
from lineset.kit.settings import Settings
from lineset.platform import open_platform

log = structlog.get_logger(__name__)

_KEEP_EVERY_S = 300.0


def describe(settings: Settings, notes: Notes) -> dict[str, Any]:
    """`demo.json`: how to sign in to the demo, and a device for trying by hand."""

    def sign(s: Sign) -> dict[str, Any]:
        return {"email": s.email, "password": s.password, "token": s.token}

    households = [
        sign(home.people[0]) | {"site": str(home.site), "equipment": [{"id": str(m.id), "type": m.type} for m in home.machines]}
        for home in notes.homes.values()
    ]
    device = notes.device
    return {
        "web": settings.url,
        "operator": sign(notes.operator),
        "contractors": [sign(s) for signs in notes.contractors for s in signs],
        "households": households,
        "device": {"gateway": str(device.gateway), "token": device.token, "equipment": str(device.equipment)} if device else None,
    }


async def _prepare(settings: Settings, folder: Path) -> Notes:
    path = folder / "notes.json"
    notes = demo_notes.read(path)
    if notes is None:
        anchor = float(int(time.time()) // STEP_S * STEP_S)
        notes = Notes(anchor, Sign("operator@lineset.example", demo_notes.password()))
        demo_notes.write(path, notes)
    async with open_platform(settings, "demo", pool=2) as platform:
        await Seeding(platform, notes, path).everything()
        await publish_texts(platform, _people(notes))
        if not (settings.data / "demo.json").exists():
            demo_notes.write(settings.data / "demo.json", describe(settings, notes))
        await load_all(platform, notes, folder)
        await diagnostics.ask_soon(platform.door)  # a worker does it while the homes start
    return notes


def _people(notes: Notes) -> list[UUID]:
    """Everybody who signs in."""
    signs = [notes.operator, *(s for signs in notes.contractors for s in signs), *(s for home in notes.homes.values() for s in home.people)]
    return [sign.person for sign in signs if sign.person is not None]


async def _identity(settings: Settings, code: str, folder: Path) -> Identity:
    """The gateway's identity, enrolled by its code through the web if it has none yet."""
    kept = folder / "agent" / "gateway.json"
    while not kept.exists():
        try:
            await enrol(f"http://localhost:{settings.web_port}", code, folder / "agent")
        except (EnrolError, httpx.HTTPError) as error:
            log.warning("demo_enrolment_waits", error=str(error)[:200])
            await asyncio.sleep(2)
    return load_identity(folder / "agent")


async def _live(settings: Settings, spec: HomeSpec, code: str, folder: Path, homes: dict[str, Home]) -> None:
    home = homes[spec.key] = Home.restore(spec, read_state(folder))
    identity = await _identity(settings, code, folder)
    agent = Agent(AgentConfig(identity, folder / "agent", poll_interval=10.0), SimDriver(home))
    await agent.run()


def _keep(folder: Path, homes: dict[str, Home]) -> None:
    for key, home in homes.items():
        demo_notes.write(folder / key / "home.json", home.state())


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    folder = settings.data / "demo"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    homes: dict[str, Home] = {}

    async def work() -> None:
        notes = await _prepare(settings, folder)
        log.info("demo_ready", homes=len(notes.homes))
        async with asyncio.TaskGroup() as group:
            for spec in demo_fleet():
                group.create_task(_live(settings, spec, notes.homes[spec.key].code, folder / spec.key, homes))
                await asyncio.sleep(0.05)

    async def keep() -> None:
        while True:
            await asyncio.sleep(_KEEP_EVERY_S)
            _keep(folder, homes)

    tasks = [asyncio.create_task(work()), asyncio.create_task(keep()), asyncio.create_task(stop.wait())]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    _keep(folder, homes)
    log.info("demo_stopped", clean=tasks[2] in done)


def serve(settings: Settings) -> None:
    """Run the demo in this process until it is told to stop."""
    uvloop.run(run(settings))
