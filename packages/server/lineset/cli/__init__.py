"""The command `lineset`. What a command needs is imported when it runs, so that each process holds only its own."""

from lineset.cli import diagnosing, operating, proving, reporting, saving
from lineset.cli.shared import app

__all__ = ["app", "diagnosing", "operating", "proving", "reporting", "saving"]
