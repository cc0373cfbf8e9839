"""Which tests go to the same worker, and in which order: those that share a running platform, so that it is started once and stopped after
its last test; what takes longest first, so that no worker is left alone with it at the end."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

_SHARING = ("tests/agent", "tests/backup", "tests/browser", "tests/cluster")
"""Folders with fixtures for all of their tests; those below `functional` have them too."""
_ALONE = {"tests/fault/test_kill.py": "load", "tests/telemetry/test_pressure.py": "load"}
"""Files that load the whole machine: never two of them at once."""
_A_TEST_S = 0.4
_SECONDS = {
    "load": 100,
    "tests/backup": 110,
    "tests/cluster": 90,
    "tests/embedded/test_outside.py": 35,
    "tests/embedded/test_up.py": 80,
    "tests/functional/guides": 80,
    "tests/functional/reports": 90,
    "tests/privacy/test_account_erasure.py": 60,
    "tests/privacy/test_account_exports.py": 70,
    "tests/privacy/test_walls.py": 55,
    "tests/probing/test_command.py": 90,
    "tests/probing/test_database.py": 45,
    "tests/probing/test_erasure.py": 75,
    "tests/probing/test_objects.py": 25,
    "tests/probing/test_streams.py": 25,
    "tests/functional/events": 35,
    "tests/functional/exports": 30,
    "tests/browser": 400,
    "tests/functional/pages": 300,
}
"""About how long those take (s) that take longer than their number of tests says."""


def scope_of(nodeid: str) -> str:
    """What a test is dealt with: its folder, its file, or a name for several files."""
    file = nodeid.partition("::")[0]
    folder = PurePosixPath(file).parent.as_posix()
    shared = folder in _SHARING or folder.startswith("tests/functional/")
    return _ALONE.get(file) or (folder if shared else file)


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests with those of the longest scope first, otherwise as they were."""
    count = Counter(scope_of(item.nodeid) for item in items)
    seconds = {scope: max(_SECONDS.get(scope, 0.0), _A_TEST_S * number) for scope, number in count.items()}
    return sorted(items, key=lambda item: (-seconds[scope_of(item.nodeid)], scope_of(item.nodeid)))


class Dealing(LoadScopeScheduling):  # type: ignore[misc]  # the library has no types
    """Deals whole folders or files to the workers, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
