"""The running cluster as tests see it: its devices' side, and people who keep looking at its pages."""

import asyncio
import contextlib
import ssl
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import httpx
from aiosmtpd.smtp import Envelope
from lineset.kit.settings import Settings
from lineset_agent.config import Identity

from deploy.loopback import Loopback
from tests.support.fleet import Gateway


class Mailroom:
    """An SMTP server's handler that counts what it takes by subject line. While `hold` is not set it keeps everybody waiting."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: Counter[str] = Counter()
        self.waiting = 0
        self.hold = threading.Event()
        self.hold.set()

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:
        self.waiting += 1
        while not self.hold.is_set():
            await asyncio.sleep(0.05)
        assert isinstance(envelope.content, bytes)
        self.taken[str(message_from_bytes(envelope.content)["subject"])] += 1
        return "250 taken"


@dataclass(frozen=True)
class Cluster:
    """A cluster on loopback. `settings` are those of machine a."""

    loopback: Loopback

    @property
    def settings(self) -> Settings:
        return self.loopback.settings()

    @property
    def ports(self) -> list[int]:
        """Where devices with certificates come in, by machine."""
        return [machine.mqtt_port for machine in self.loopback.plan.machine]

    def tls(self, gateway: Gateway | None = None) -> ssl.SSLContext:
        """As an agent has it: it closes the socket of a server that does not shake hands."""
        ca, shown = self.settings.data / "ca.pem", (None, None) if gateway is None else (gateway.certificate, gateway.key)
        return Identity("", "127.0.0.1", 0, ca=ca, certificate=shown[0], key=shown[1]).tls()


@dataclass
class Watch:
    """What somebody saw who opened a page again and again: the longest time without an answer, in s."""

    pages: float = 0.0  # no web process gave the page
    ready: float = 0.0  # no web process said that every role works
    seen: int = 0
    _since: dict[str, float] = field(default_factory=dict)

    def note(self, what: str, good: bool) -> None:
        now = time.monotonic()
        silent = now - self._since.setdefault(what, now)
        setattr(self, what, max(getattr(self, what), silent))
        if good:
            self._since[what] = now
            self.seen += 1


@contextlib.asynccontextmanager
async def watching(cluster: Cluster) -> AsyncIterator[Watch]:
    """Look at the pages of both web processes beside the test."""
    watch = Watch()

    async def good(client: httpx.AsyncClient, url: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return (await client.get(url)).status_code == 200
        return False

    async def look(what: str, path: str) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            while True:
                found = [asyncio.ensure_future(good(client, f"{url}{path}")) for url in cluster.loopback.web.values()]
                for first in asyncio.as_completed(found):  # one answer is enough, as a balancer in front would see it
                    if await first:
                        watch.note(what, True)
                        break
                else:
                    watch.note(what, False)
                await asyncio.gather(*found)
                await asyncio.sleep(0.25)

    task = asyncio.gather(look("pages", "/sign-in"), look("ready", "/health/ready"))
    try:
        yield watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.05)
