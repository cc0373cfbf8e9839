"""What devices tried on the message bus and may not do.

The broker drops a forbidden publish without telling anybody but its log. Whoever runs the broker reads that log and announces each
attempt on the bus; one process of those that watch hears it and makes it visible.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec
from nats.aio.msg import Msg

from lineset.kit.bus import Bus

SUBJECT = "wake.violation"
Action = Literal["publish", "subscribe", "oversize"]

_LINE = re.compile(
    r'\[\d+\] (?P<at>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+) \[ERR\] \S+ - mid:\d+ - "(?P<who>[^"]*)"'
    r'(?: - "[^"]*")* - (?P<what>.*)'
)
_FORBIDDEN = re.compile(r'(?P<kind>Publish|Subscription) Violation - Subject "(?P<subject>[^"]*)"')


class Violation(msgspec.Struct, frozen=True):
    """A device's attempt. `gateway` is its id, which the broker only knows once it has let the device in."""

    gateway: str
    action: Action
    subject: str  # as the bus names it, with dots
    at: float  # seconds since 1970
    count: int = 1  # how many alike since the last announcement


def parse(line: str) -> Violation | None:
    """The attempt that a line of the broker's log (local time zone UTC) tells of, if it tells of one."""
    found = _LINE.search(line)
    if found is None:
        return None
    at = datetime.strptime(found["at"], "%Y/%m/%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()
    forbidden = _FORBIDDEN.search(found["what"])
    if forbidden:
        action: Action = "publish" if forbidden["kind"] == "Publish" else "subscribe"
        return Violation(found["who"], action, forbidden["subject"], at)
    if "aximum payload" in found["what"]:
        return Violation(found["who"], "oversize", "", at)
    return None


async def announce(bus: Bus, violation: Violation) -> None:
    """Tell it to one of those who watch.

    Raises:
        BusFault: the bus is away.
    """
    await bus.publish(SUBJECT, msgspec.json.encode(violation))


async def watch(bus: Bus, callback: Callable[[Violation], Awaitable[None]]) -> None:
    """Call back for each attempt that is announced; of several processes that watch, one is called."""

    async def heard(message: Msg) -> None:
        await callback(msgspec.json.decode(message.data, type=Violation))

    await bus.subscribe(SUBJECT, heard, queue="violations")
