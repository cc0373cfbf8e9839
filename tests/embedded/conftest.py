"""Engines of a test's own, in folders that any user may enter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import system_folder


@pytest.fixture
def system() -> Iterator[Path]:
    """Where engines' files go when their user can't reach the data folder."""
    with system_folder() as folder:
        yield folder


@pytest.fixture
def open_folder(system: Path) -> Path:
    """A folder that any user may enter, unlike pytest's own."""
    folder = system / "open"
    folder.mkdir()
    folder.chmod(0o755)
    return folder
