"""What happens between the start of the engines and the start of the roles."""

import asyncio

from lineset import accounts
from lineset.kit.settings import Settings
from lineset.migrating import migrate_here
from lineset.platform import open_platform
from lineset.privacy import Context, Purpose, System


def prepare(settings: Settings) -> list[str]:
    """Bring the database to this build. Returns what to tell the person at the terminal: on a first run the link that makes the operator.

    Raises:
        Undeclared: the database holds what no declaration names.
    """
    migrate_here(settings)
    if settings.demo:  # it makes an operator of its own
        return []
    link = asyncio.run(_operator_link(settings))
    return [] if link is None else [f"Nobody is the operator yet. Open this link once to become it: {settings.url}{link}"]


async def _operator_link(settings: Settings) -> str | None:
    async with open_platform(settings, "prepare") as platform, platform.door.open(Context(System("setup"), Purpose.ACCOUNT)) as tx:
        return await accounts.operator_link(tx)
