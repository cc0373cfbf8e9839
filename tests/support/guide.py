"""A guide of docs/guides, done as it stands: its shell blocks run in one shell, one after the other."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.checks import ROOT

_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Block:
    """One fenced block: its language ("sh", "sh by hand", "python", "text" …), its text, and the text block that follows it."""

    kind: str
    text: str
    shows: str = ""


def blocks(guide: str) -> list[Block]:
    """The blocks of docs/guides/`guide`, in order; what a command shows is kept with the command."""
    found: list[Block] = []
    for kind, text in re.findall(r"^```([a-z ]+)\n(.*?)^```$", (ROOT / "docs" / "guides" / guide).read_text(), re.M | re.S):
        if kind == "text" and found and found[-1].kind == "sh":
            found[-1] = Block("sh", found[-1].text, text)
        else:
            found.append(Block(kind, text))
    return found


class Shell:
    """A shell in a folder that looks like the repository's: the reader's terminal."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **env},
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def run(self, text: str) -> tuple[int, str]:
        """Run a block; the exit code of its last command, and what it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{text}\nprintf '\\n--done %s--\\n' $?\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            if done := re.fullmatch(r"--done (\d+)--\n", line):
                return int(done[1]), said.strip()
            said += line
        raise AssertionError(f"the shell ended: {said}")

    def do(self, block: Block) -> None:
        """Run a block; where the guide says what it shows, wait until it does. "…" stands for anything."""
        wanted = re.escape(block.shows.strip()).replace("…", r"[\s\S]*")
        end = time.monotonic() + _PATIENCE_S
        while True:
            code, said = self.run(block.text)
            if code == 0 and (not block.shows or re.fullmatch(wanted, said)):
                return
            assert block.shows, f"{block.text}\nended with {code}: {said}"
            assert time.monotonic() < end, f"{block.text}\nsaid:\n{said}\ninstead of:\n{block.shows}"
            time.sleep(0.2)


def follow(
    guide: str,
    shell: Shell,
    by_hand: Callable[[str], Mapping[str, str]],
    before: Mapping[str, Callable[[], None]] | None = None,
) -> int:
    """Do the whole guide; how many shell blocks ran.

    `by_hand(heading)` does what the reader does on the page below that heading and says what the variables are then; `before` is done
    ahead of the shell block that holds its key.
    """
    page = (ROOT / "docs" / "guides" / guide).read_text()
    count = 0
    for block in blocks(guide):
        if block.kind == "sh":
            for key, act in (before or {}).items():
                if key in block.text:
                    act()
            shell.do(block)
            count += 1
        elif block.kind == "sh by hand":
            heading = re.findall(r"^## (.*)$", page[: page.index(block.text)], re.M)[-1]
            given = by_hand(heading)
            assert set(re.findall(r"^(\w+)=", block.text, re.M)) == set(given)
            shell.run("\n".join(f"{name}='{value}'" for name, value in given.items()))
        elif block.kind == "python":
            name = re.search(r"Saved as `([\w./-]+)`", page[page.index(block.text) :])
            assert name
            (shell.folder / name[1]).write_text(block.text)
    return count
