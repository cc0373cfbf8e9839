"""The demo's policy and terms: published by its invented operator, accepted by its invented people."""

from collections.abc import Iterable
from uuid import UUID

import structlog

from lineset.kit.errors import Conflict
from lineset.pages.common.published import KINDS, publish_here
from lineset.platform import Platform
from lineset.privacy import Context, Person, Purpose, System, policy

SETUP = Context(System("setup"), Purpose.ADMINISTER)
log = structlog.get_logger(__name__)


async def publish_texts(platform: Platform, people: Iterable[UUID]) -> None:
    """Publish both texts where none is yet, and have these people accept the terms. Later versions are the operator's to publish."""
    for kind in KINDS:
        async with platform.door.open(SETUP) as tx:
            if await policy.list_versions(tx, kind):
                continue
            try:
                await publish_here(tx, platform.register, platform.settings, kind)
            except Conflict as error:  # words are missing while somebody adds a declaration; the demo runs without
                log.warning("text_not_published", kind=kind, why=error.say)
    async with platform.door.open(SETUP) as tx:
        terms = await policy.current(tx, "terms")
    if terms is None:
        return
    for person in people:
        async with platform.door.open(Context(Person(person), Purpose.ACCOUNT)) as tx:
            if not await policy.receipts(tx, person):
                await policy.acknowledge(tx, person, terms.id, "accepted", language="en", channel="demo")
