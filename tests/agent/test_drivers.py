"""The driver that runs any program, with programs of every kind of manners."""

import asyncio
import time
from pathlib import Path

import pytest
from lineset_agent.drivers import CommandDriver, DriverError

GOOD = r"""#!/bin/sh
case "$1" in
  inventory) echo '{"name": "hp1", "type": "heat_pump_air_water", "make": "Acme"}' ;;
  read)
    echo '{"e": "hp1", "v": {"room_temperature": 20.5}}'
    echo
    echo '{"t": 1763800000, "e": "hp1", "v": {"outdoor_temperature": -3}}' ;;
  write) echo "$2 $3 $4" >> "$(dirname "$0")/written" ;;
esac
"""


def program(folder: Path, text: str) -> list[str]:
    path = folder / "driver.sh"
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return [str(path)]


def test_PLT_04_a_shell_script_is_a_driver(tmp_path: Path) -> None:
    async def scenario() -> None:
        driver = CommandDriver(program(tmp_path, GOOD))
        (item,) = await driver.inventory()
        assert (item.name, item.type, item.make) == ("hp1", "heat_pump_air_water", "Acme")
        first, second = await driver.read()
        assert abs(first.t - time.time()) < 30
        assert first.v == {"room_temperature": 20.5}
        assert second.t == 1763800000
        await driver.write("hp1", "heating_setpoint", 21.0)
        await driver.write("hp1", "system_mode", "off")
        assert (tmp_path / "written").read_text() == "hp1 heating_setpoint 21.0\nhp1 system_mode off\n"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("echo it is broken >&2; exit 3", "ended with 3: it is broken"),
        ("exit 1", "it said nothing"),
        ("sleep 60", "did not end within"),
        ("sleep 60 & exec 2>&-; wait", "did not end within"),
        ("yes 0123456789012345678901234567890123456789 | head -c 6000000", "printed more than"),
        ("echo rubbish", "1 lines are not frames; line 1"),
        ("head -c 300000 /dev/zero", "are not frames"),
    ],
)
def test_a_program_that_fails_is_explained(tmp_path: Path, text: str, say: str) -> None:
    async def scenario() -> None:
        driver = CommandDriver(program(tmp_path, text), timeout=0.5 if "sleep" in text else 20)
        with pytest.raises(DriverError, match=say):
            await driver.read()

    asyncio.run(scenario())


def test_good_lines_are_kept_when_others_are_bad(tmp_path: Path) -> None:
    async def scenario() -> None:
        text = """echo '{"e": "hp1", "v": {"room_temperature": 20.5}}'; echo nonsense; echo '{"e": "hp2", "v": {}}'"""
        with pytest.raises(DriverError, match="line 2") as caught:
            await CommandDriver(program(tmp_path, text)).read()
        assert [frame.e for frame in caught.value.frames] == ["hp1", "hp2"]

    asyncio.run(scenario())


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="cannot be run"):
        asyncio.run(CommandDriver([str(tmp_path / "nothing")]).read())
    with pytest.raises(ValueError, match="Name a program"):
        CommandDriver([])
