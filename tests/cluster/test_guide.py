"""The guide for several machines: what it says to write and to start is there under these names, and the loopback runs as it says."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from lineset.embedded.process import started_at, wait_until
from lineset_agent.config import load_settings

from deploy.loopback import answers
from tests.checks import ROOT
from tests.support.engines import system_folder
from tests.support.guide import Shell, blocks

GUIDE = "cluster.md"


def of(kind: str) -> str:
    """All blocks of one kind."""
    return "\n".join(block.text for block in blocks(GUIDE) if block.kind == kind)


def test_PLT_01_the_guide_writes_a_cluster_and_names_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "deploy").symlink_to(ROOT / "deploy")
    shutil.copy(ROOT / "deploy" / "cluster.toml", folder / "cluster.toml")
    with Shell(folder, {}) as shell:
        code, said = shell.run(of("sh by hand"))
        assert code == 0, said
    out = folder / "out"
    by_root = of("sh by root")
    for path in re.findall(r"/etc/lineset/postgresql/([\w.]+)", by_root):
        assert (out / "database" / path).is_file(), path
    for path in re.findall(r"/var/lib/lineset/([\w.]+)", by_root):
        assert (out / "a" / path).exists(), path
    units = {path.stem for path in (out / "a" / "systemd").iterdir()}
    named = {re.sub(r"@\d+$", "@", unit) for unit in re.findall(r"lineset-[\w@-]+", by_root)}
    assert named == units
    processes = set(re.findall(r"lineset-(\w+)@(\d+)", by_root))
    asked = tomllib.loads((ROOT / "deploy" / "cluster.toml").read_text())["machine"][0]
    assert processes == {("ingest", str(n + 1)) for n in range(asked["ingest"])} | {("worker", "1")}
    line = re.findall(r"set -a; \. (\S+); (\S+) prepare", by_root)
    assert line == [("/var/lib/lineset/lineset.env", "/opt/lineset/.venv/bin/lineset")]
    said = subprocess.run([sys.executable, "-m", "lineset", "prepare", "--help"], capture_output=True, text=True, check=True).stdout
    assert "one-time link" in said


def test_the_guides_settings_of_an_agent_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(of("toml"))
    assert len(load_settings(tmp_path).servers) == 3


@pytest.mark.soak
def test_PLT_01_the_loopback_runs_as_the_guide_says() -> None:
    """Started by its command, with one process killed; Ctrl-C leaves nothing behind."""
    command = re.findall(r"^\.venv/bin/python (-m deploy loopback)$", of("sh"), re.M)
    assert command == ["-m deploy loopback"]
    with system_folder() as system:
        log = system / "log"
        with log.open("wb") as output:
            tree = subprocess.Popen(
                [sys.executable, *command[0].split(), "--keep", str(system / "kept")], cwd=ROOT, stdout=output, stderr=output
            )
        try:
            assert wait_until(lambda: tree.poll() is not None or "ready; kill" in log.read_text(), 170, 0.1), log.read_text()
            told = log.read_text()
            pages = re.findall(r"^\w/web +(\S+)$", told, re.M)
            assert len(pages) == 2
            processes = {name: int(pid) for name, pid in re.findall(r"([\w/-]+) (\d+)(?:,|$)", told[told.index("processes") :], re.M)}
            assert len(processes) == 3 * 2 + 2 * 3 + 2
            os.kill(processes["b/ingest-1"], signal.SIGKILL)
            assert wait_until(lambda: "b/ingest-1 ended; starting it again" in log.read_text(), 20, 0.1)
            assert wait_until(lambda: all(answers(f"{page}/health/ready") for page in pages), 60, 0.1)
            assert (system / "kept" / "a" / "nats" / "hub.conf").exists()
        finally:
            tree.send_signal(signal.SIGINT)
            assert tree.wait(60) == 0
        assert wait_until(lambda: all(started_at(pid) is None for pid in processes.values()), 10)


def test_the_loopback_takes_only_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "loopback", "--keep", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["something"]
