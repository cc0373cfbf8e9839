"""The present, in one place, so that tests may set it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)
