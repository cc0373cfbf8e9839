"""The present and the time zones, in one place; tests may set the present."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import available_timezones


def now() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)


def is_time_zone(name: str) -> bool:
    """Whether the tz database has a zone of that name, such as America/Denver."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks the whole database each time it is called
