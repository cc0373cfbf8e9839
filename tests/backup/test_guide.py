"""The guide for backups, done as it stands: made beside a running platform, checked, restored, and the platform goes on from there."""

import os
import re
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from lineset.embedded.ports import free_port

from tests.backup.conftest import Source
from tests.checks import ROOT
from tests.support.guide import blocks
from tests.support.running import lineset_up


def run(lines: str, places: dict[str, Path], env: dict[str, str]) -> str:
    for written, real in places.items():
        lines = re.sub(rf"(?<!\w){written}\b", str(real), lines)
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    shell = ["bash", "-e", "-u", "-c", lines]
    done = subprocess.run(shell, env={**os.environ, **env, "PATH": path, "COLUMNS": "300"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_DEL_03_the_guide_is_followed_as_written_and_the_platform_goes_on(source: Source, tmp_path: Path) -> None:
    settings = source.engines.settings
    written = {b.kind: b.text for b in blocks("backup.md")}
    places = {name: tmp_path / name.strip("/").replace("/", "-") for name in ("/backups", "/keys", "/safe", "/srv/lineset")}
    for name in ("/backups", "/keys"):
        places[name].mkdir()
    places["/safe"].symlink_to(settings.data)
    ports = {"LINESET_MQTT_PORT": str(free_port()), "LINESET_MQTT_TOKEN_PORT": str(free_port())}
    said = run(written["sh backup"], places, {"LINESET_DATA": str(settings.data)} | ports)
    assert "people and households in" in said
    assert "marks of erasures" in said
    assert "whole: " in said
    restored, up = written["sh restore"].rstrip().rsplit("\n", 1)
    assert up == "lineset up --data /srv/lineset"
    assert "people and households, as of" in run(restored, places, ports)
    with lineset_up(places["/srv/lineset"]) as running:
        frame = {"t": time.time(), "e": "hp1", "v": {"room_temperature": 20.5}}
        answer = httpx.post(
            f"{running.url}/api/v1/gateways/{source.stays.gateway}/frames",
            json={"epoch": "new", "seq": 1, "frames": [frame]},
            headers={"Authorization": f"Bearer {source.stays.token}"},
            timeout=30,
        )
        assert (answer.status_code, answer.json()["through"]) == (200, 1), answer.text
