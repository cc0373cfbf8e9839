"""Which tests go to the same worker: those that share a running platform, so that it is started once and stopped after its last test."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

_SHARING = ("tests/agent", "tests/backup", "tests/browser", "tests/cluster")
"""Folders with fixtures for all of their tests; those below `functional` have them too."""
_ALONE = {"tests/fault/test_kill.py": "load", "tests/telemetry/test_pressure.py": "load"}
"""Files that load the whole machine: never two of them at once."""


class Dealing(LoadScopeScheduling):  # type: ignore[misc]  # the library has no types
    """Deals whole folders or files to the workers, those with most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = PurePosixPath(file).parent.as_posix()
        shared = folder in _SHARING or folder.startswith("tests/functional/")
        return _ALONE.get(file) or (folder if shared else file)
