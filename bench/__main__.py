"""Run the benchmarks and write their figures to docs/benchmarks.md: `make bench`."""

import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import diagnosis, history, hourly, ingest, prediction, privacy
from bench.privacy_workloads import EACH, PEOPLE

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


def kept() -> str:
    """The table of the benchmark of history."""
    load = os.getloadavg()[0]
    f = history.run()
    samples, year = f["hot_rows"] * len(history.POINTS), f["year_rows"] * len(history.POINTS)
    sums = f["hour_bytes"] + f["day_bytes"]

    def chart(span: str) -> str:
        ours, plain = ((f[f"{kind}_{span}_p50"], f[f"{kind}_{span}_p95"]) for kind in ("chart", "plain"))
        return f"{ours[0]:.1f} / {ours[1]:.1f} ms | {plain[0]:.1f} / {plain[1]:.1f} ms"

    slower = 100 * (f["erase_during_ms"] / f["erase_before_ms"] - 1)
    return "\n".join(
        [
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}. Load average before: {load:.1f}.",
            "",
            "| what | figure | beside it |",
            "|---|---|---|",
            f"| a day of {history.MACHINES:,} machines ({samples / 1e6:.1f} M samples) closed: files, sums, partition gone |"
            f" {f['close_s']:.1f} s, {samples / f['close_s'] / 1e6:.2f} M samples/s | the same rows by binary COPY into their partition:"
            f" {f['copy_s']:.1f} s, {samples / f['copy_s'] / 1e6:.2f} M samples/s |",
            f"| bytes a sample: hot rows with index | {f['hot_bytes'] / samples:.2f} | |",
            f"| bytes a sample: files of that day | {f['raw_bytes'] / samples:.2f} | sums of a lone day: {sums / samples:.2f} |",
            f"| a year of 16 machines ({year / 1e6:.0f} M samples) written | {year / f['year_write_s'] / 1e6:.1f} M samples/s,"
            f" {f['year_bytes'] / year:.2f} bytes a sample | summed up by hours and days: {year / f['year_sum_s'] / 1e6:.2f} M samples/s |",
            f"| chart of 24 h, two points, 400 buckets, p50 / p95 | {chart('24h')} |",
            f"| chart of 30 days | {chart('30d')} |",
            f"| chart of a year | {chart('1y')} |",
            f"| mean of one point for each of {f['fleet_rows']:,.0f} machines over a day | {f['fleet_s']:.2f} s | |",
            f"| {f['files']:,.0f} files of raw readings published to the Delta log, the rest deleted | {f['publish_s']:.1f} s | |",
            f"| one machine of {history.MACHINES:,} erased with its year: rows, log, files, sums | {f['erase_seconds']:.1f} s |"
            f" DELETE, VACUUM FULL and CHECKPOINT of a table of 16 machine-years at 5 min: {f['sql_erase_s']:.1f} s |",
            f"| another machine's chart of 24 h meanwhile, median | {f['erase_during_ms']:.1f} ms ({slower:+.0f} %), at most"
            f" {f['erase_during_max_ms']:.0f} ms | before: {f['erase_before_ms']:.1f} ms, at most {f['erase_before_max_ms']:.0f} ms |",
        ]
    )


def protected() -> str:
    """The table of the benchmark of privacy."""
    load = os.getloadavg()[0]
    f = privacy.run()

    def mix(name: str) -> str:
        ours, plain = f[f"{name}_ours_s"], f[f"{name}_plain_s"]
        wrong = f"{f[f'{name}_ours_wrong']:.0f} / {f[f'{name}_plain_wrong']:.0f}"
        return f"| {name}, {privacy.OPERATIONS:,} operations | {ours:.1f} s | {plain:.1f} s | {ours / plain:.1f} | {wrong} |"

    def slower(name: str) -> str:
        return f"{f[name]:.1f} ms ({100 * (f[name] / f['others_ms'] - 1):+.0f} %)"

    mb = 1e6
    return "\n".join(
        [
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}. Load average before: {load:.1f}.",
            "",
            f"| workload over {PEOPLE * EACH:,} records | through the door | plain | factor | operations that went wrong, ours / plain |",
            "|---|---|---|---|---|",
            *(mix(name) for name in ("controller", "customer", "processor", "regulator")),
            f"| a record of somebody else, asked for by its key 500 times | seen {f['ours_leaks']:.0f} times | seen {f['plain_leaks']:.0f}"
            " times | | |",
            f"| space of all tables and indexes; of the data alone {f['data_bytes'] / mb:.0f} MB | {f['ours_bytes'] / mb:.0f} MB,"
            f" {f['ours_bytes'] / f['data_bytes']:.1f} times the data | {f['plain_bytes'] / mb:.0f} MB,"
            f" {f['plain_bytes'] / f['data_bytes']:.1f} times | {f['ours_bytes'] / f['plain_bytes']:.2f} | |",
            "",
            "| one row by its key, median | |",
            "|---|---|",
            f"| plain | {f['point_plain_us']:.0f} µs |",
            f"| one's own, through the door | {f['point_own_us']:.0f} µs |",
            f"| another's machine, the access log has the entry of this quarter of an hour | {f['point_entry_us']:.0f} µs |",
            f"| another's machine, with a new entry, committed before anything is read | {f['point_new_entry_us']:.0f} µs |",
            "",
            f"| rights, with {privacy.DAYS} days of readings (20 points, 5 min) | | another person's chart and records meanwhile |",
            "|---|---|---|",
            f"| before | | {f['others_ms']:.1f} ms |",
            f"| a copy of everything, from the wish to the file | {f['copy_s']:.1f} s | {slower('others_copy_ms')} |",
            f"| a household erased, from the wish to the certificate; {privacy.ROUTES_S:.0f} s of it are waited, until no process knows its"
            f" gateways any more | {f['erase_s']:.1f} s | {slower('others_erase_ms')}, at most {f['others_erase_max_ms']:.0f} ms |",
        ]
    )


def diagnosed() -> str:
    """The score of diagnosis over a simulated fleet."""
    return f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}.\n\n{diagnosis.report()}"


def hour() -> str:
    """How long the hour of a fleet takes through the database."""
    measured = hourly.table(hourly.run(), hourly.MACHINES)
    return f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}; load average after: {os.getloadavg()[0]:.1f}.\n\n{measured}"


def predicted() -> str:
    """How good forecasts and the thermal model are."""
    return f"Measured {datetime.now(UTC):%Y-%m-%d}, seed {prediction.SEED}.\n\n{prediction.table(prediction.run())}"


def write(name: str, text: str) -> None:
    """Put a section's text between its marks."""
    page = PAGE.read_text()
    begin, end = _MARK.format(f"{name}: begin"), _MARK.format(f"{name}: end")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main() -> int:
    """All benchmarks, one after the other, or those that are named."""
    sections = {"ingestion": ingestion, "history": kept, "privacy": protected}
    sections |= {"diagnosis": diagnosed, "hourly": hour, "prediction": predicted}
    for name in sys.argv[1:] or sections:
        print(f"{name} …", flush=True)
        text = sections[name]()
        print(text, flush=True)
        write(name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
