"""Has the platform diagnose a recorded fleet, as anybody would: by its command, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

LINESET = (sys.executable, "-m", "lineset")
COMMAND = (*LINESET, "diagnose", "--json")


def findings(place: Path, command: Sequence[str] = COMMAND) -> tuple[list[dict[str, Any]], float]:
    """The platform's findings in the fleet recorded at `place`, with the seconds that it took on all cores.

    Raises RuntimeError with what the command said when it fails.
    """
    parts = sorted(place.glob("*/readings.parquet"))
    began = perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [finding for each in pool.map(lambda part: _asked(part, command), parts) for finding in each]
    took = perf_counter() - began
    (place / "findings.jsonl").write_bytes(b"".join(msgspec.json.encode(f) + b"\n" for f in found))
    return found, took


def learnt(readings: Path, machines: Path) -> Path:
    """The file of norms that the platform learns from a recorded fleet. Raises RuntimeError as `findings`."""
    file = readings.with_name("norms.json")
    file.write_text(_done([*LINESET, "learn", str(readings), str(machines)]))
    return file


def _asked(readings: Path, command: Sequence[str]) -> list[dict[str, Any]]:
    machines = readings.with_name("machines.json")
    asked = [*command, "--parquet", str(readings), "--machines", str(machines)]
    return [msgspec.json.decode(line) for line in _done(asked).splitlines() if line.strip()]


def _done(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout
