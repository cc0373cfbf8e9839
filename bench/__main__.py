"""Run the benchmarks and write their figures to docs/benchmarks.md: `make bench`."""

import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import ingest

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_MARK = "<!-- {} -->"


def machine() -> str:
    """The machine in a line: processor, cores, memory, system."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = int(re.findall(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[0]) / 2**20
    name = cpu.group(1) if cpu else platform.processor()
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def ingestion() -> str:
    """The table of the ingestion benchmark."""
    load = os.getloadavg()[0]
    found = ingest.run()
    rate, copy, single = found["frames_per_s"], found["copy_frames_per_s"], found["insert_frames_per_s"]
    spent = ", ".join(f"{part} {found[f'us_{part}']:.0f}" for part in ("generator", "broker", "ingest", "database"))
    return "\n".join(
        [
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}. Load average before: {load:.1f}.",
            "",
            "| what | figure |",
            "|---|---|",
            f"| frames of {found['points']:.0f} points over MQTT and TLS, {found['connections']:.0f} connections, to committed and"
            f" acknowledged | {rate:,.0f} frames/s |",
            f"| acknowledgement after sending at that speed, p50 / p99 | {found['ack_p50_ms']:.0f} / {found['ack_p99_ms']:.0f} ms |",
            f"| {ingest.STEADY_S} s of {ingest.STEADY_FRAMES_PER_S:,} frames/s: taken; acknowledgement p50 / p99 |"
            f" {found['steady_frames_per_s']:,.0f} frames/s; {found['steady_ack_p50_ms']:.0f} / {found['steady_ack_p99_ms']:.0f} ms |",
            f"| processor time a frame, in microseconds | {spent} |",
            f"| plain binary COPY of the same rows, nothing else | {copy:,.0f} frames/s, {copy / rate:.1f} times as fast |",
            f"| one INSERT and commit a message of two frames | {single:,.0f} frames/s, {rate / single:.1f} times slower than ours |",
            f"| gaps acknowledged over; acknowledged but not stored | {found['gaps'] + found['steady_gaps']:.0f}; {found['missing']:.0f} |",
        ]
    )


def write(name: str, text: str) -> None:
    """Put a section's text between its marks."""
    page = PAGE.read_text()
    begin, end = _MARK.format(f"{name}: begin"), _MARK.format(f"{name}: end")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main() -> int:
    """All benchmarks, one after the other."""
    print("ingestion: MQTT over TLS to committed and acknowledged …", flush=True)
    text = ingestion()
    print(text)
    write("ingestion", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
