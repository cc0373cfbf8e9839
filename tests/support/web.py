"""The real web process for tests, on the session's engines and a database of its own."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
from lineset.embedded.ports import free_port

from tests.support.engines import Engines

_PATIENCE_S = 60.0


@contextlib.contextmanager
def web_process(engines: Engines, database: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start the web role on a free port; its address without a slash at the end. `env` adds or replaces LINESET_* variables."""
    port = free_port()
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("LINESET_")} | {
        "LINESET_DATA": str(engines.data),
        "LINESET_DATABASE_URL": database,
        "LINESET_NATS_URL": engines.settings.nats_url,
        "LINESET_PORT": str(port),
        **(env or {}),
    }
    url = f"http://localhost:{port}"
    with log.open("ab") as sink:
        process = subprocess.Popen([sys.executable, "-m", "lineset", "web"], stdout=sink, stderr=sink, env=surroundings)
    try:
        _wait(process, url, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while True:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the web process did not start:\n{log.read_text()[-4000:]}")
        try:
            if httpx.get(f"{url}/health/live", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
