"""A running installation, with what no page offers: the terminal's link, and faults put into the database."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from lineset import accounts
from lineset.kit.settings import Settings
from lineset.platform import open_platform
from lineset.privacy import Context, Purpose, System, Tx

from tests.support.engines import Engines

SETUP = Context(System("setup"), Purpose.ACCOUNT)
T = TypeVar("T")


@dataclass(frozen=True)
class Installation:
    """Address of its pages, of its database, and its engines."""

    url: str
    database: str
    engines: Engines

    @property
    def settings(self) -> Settings:
        return msgspec.structs.replace(self.engines.settings, database_url=self.database)

    def act(self, context: Context, do: Callable[[Tx], Awaitable[T]]) -> T:
        """Do something in one transaction of the platform, in a thread of its own, since a browser's loop may run in this one."""

        async def work() -> T:
            async with open_platform(self.settings, "test", pool=1) as platform, platform.door.open(context) as tx:
                return await do(tx)

        return self.run(work)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine in a thread of its own; what it raises is raised here."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(work())).result()

    def person(self, session: str) -> UUID:
        """Who is signed in by a session's cookie."""

        async def work() -> UUID:
            async with open_platform(self.settings, "test", pool=1) as platform:
                found = await accounts.Authenticator(platform.door).session(session)
            assert found is not None
            return found.person_id

        return self.run(work)

    def operator_link(self) -> str | None:
        """What the terminal prints at the first start."""
        return self.act(SETUP, accounts.operator_link)
