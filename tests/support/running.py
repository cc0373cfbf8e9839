"""`lineset up` as people start it, in a data folder and on ports of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from lineset.embedded.ports import free_port


@dataclass(frozen=True)
class Running:
    """A platform that answers."""

    url: str
    data: Path
    env: Mapping[str, str]


@contextmanager
def lineset_up(data: Path, patience_s: float = 170.0) -> Iterator[Running]:
    """Start it, wait until every role works, and stop it in order at the end."""
    port = free_port()
    env = {
        "LINESET_DATA": str(data),
        "LINESET_PORT": str(port),
        "LINESET_MQTT_PORT": str(free_port()),
        "LINESET_MQTT_TOKEN_PORT": str(free_port()),
    }
    log = data.with_name(f"{data.name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "lineset", "up"], stdout=output, stderr=output, env={**os.environ, **env})
    try:
        _wait(process, f"http://localhost:{port}", log, time.monotonic() + patience_s)
        yield Running(f"http://localhost:{port}", data, env)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, end: float) -> None:
    while True:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"lineset up did not come up:\n{log.read_text()[-4000:]}")
        try:
            if httpx.get(f"{url}/health/ready", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
