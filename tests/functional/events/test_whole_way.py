"""The whole way of a crash report with the real agent: the agent fails, starts again, and its people read why."""

from pathlib import Path
from typing import cast

import pytest
from lineset import gateways
from lineset.kit.settings import Settings
from lineset_agent import __version__, crash
from lineset_contract.wire import Frame

from tests.agent.machines import HeatPump
from tests.functional.devices.cloud import Cloud, until
from tests.functional.devices.test_real_agent import agent_of, running
from tests.functional.events.told import troubles, with_gateway

pytestmark = pytest.mark.anyio


class Broken(HeatPump):
    """Answers with what no driver may answer."""

    async def read(self) -> list[Frame]:
        return [cast("Frame", None)]


async def test_TEL_04_a_crash_of_the_real_agent_is_read_by_its_people(admitting: Cloud, broker: Settings, tmp_path: Path) -> None:
    ours, gateway = await with_gateway(admitting.door)
    async with admitting.door.open(ours.acting) as tx:
        token = (await gateways.create_token(tx, gateway)).token
    folder = tmp_path / "agent"
    with pytest.raises(AttributeError):
        await agent_of(broker, gateway, folder, Broken(), token=token).run()
    assert (folder / crash.FILE).exists()
    async with admitting.running(), running(agent_of(broker, gateway, folder, HeatPump(), token=token)):

        async def told() -> bool:
            return bool(await troubles(admitting.door, ours.acting, gateway))

        await until(told)
    (trouble,) = await troubles(admitting.door, ours.acting, gateway)
    assert (trouble.kind, trouble.count) == ("crash", 1)
    assert trouble.title.startswith("AttributeError in ")
    assert trouble.versions == (__version__,)
    frames = trouble.detail["frames"]
    assert isinstance(frames, list)
    assert any(frame.startswith("lineset_agent/runtime.py:") for frame in frames)
    assert not (folder / crash.FILE).exists()
