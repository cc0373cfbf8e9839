"""The one door to personal data.

Whoever reads or writes it opens the door with a context (who, why) and gets one transaction. The database sees the same
context and enforces it again by row-level security, so that a gap on this side is a denial on the other.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from lineset.kit.errors import Denied
from lineset.kit.storage import Storage
from lineset.privacy.audit.action import present_action
from lineset.privacy.consent import gate
from lineset.privacy.vault import Vault
from lineset.privacy.vocabulary import SYSTEM_ACTORS, Purpose

Publish = Callable[[str, bytes], Awaitable[None]]
"""Puts a payload on a subject of the message bus."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person."""

    id: UUID

    def __str__(self) -> str:
        return str(self.id)


@dataclass(frozen=True, slots=True)
class System:
    """One of the platform's own declared actors."""

    name: str

    def __str__(self) -> str:
        return f"system:{self.name}"


Actor = Person | System
BY_OTHERS = frozenset({Purpose.SERVICE, Purpose.SUPPORT})
"""Purposes for which people act at homes that are not theirs."""
MOST_REASON = 500
"""Characters of a reason that the log keeps."""

_STATE = text("SELECT set_config('app.actor', :actor, true), set_config('app.purpose', :purpose, true)")
_ENTER = text("SELECT access.enter(:action, CAST(:subjects AS uuid[]), :reason)")


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts and why.

    `subject` is whose or which: the id of a household, site, machine, gateway or person, or several; None: all that the actor may see.
    For others than the household's own people it is the limit of what can be read, and stands in the access log with the `reason`.
    """

    actor: Actor
    purpose: Purpose
    subject: UUID | frozenset[UUID] | None = None
    reason: str = ""

    @property
    def subjects(self) -> list[UUID]:
        """The ids of `subject`; for an empty set one that is nobody's, since no id at all stands for everything."""
        if self.subject is None or isinstance(self.subject, UUID):
            return [self.subject] if self.subject else []
        return sorted(self.subject) or [UUID(int=0)]

    @property
    def logged(self) -> bool:
        """Whether somebody acts at other people's homes, which the access log tells those."""
        if isinstance(self.actor, System):
            return False
        return self.purpose in BY_OTHERS or (self.purpose is Purpose.ADMINISTER and self.subject is not None)

    @property
    def person(self) -> UUID:
        """The acting person's id.

        Raises:
            Denied: the platform itself acts, where only a person may.
        """
        if isinstance(self.actor, System):
            raise Denied("person_needed", "Only a signed-in person can do this.")
        return self.actor.id


@dataclass(slots=True)
class Tx:
    """One transaction under one context. Services use it and never commit."""

    session: AsyncSession
    context: Context
    vault: Vault
    storage: Storage | None = None
    _publish: Publish | None = None
    _after: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def after_commit(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do this once the transaction has been committed: pushes and wake-ups, never anything that must not be lost."""
        self._after.append(action)

    def announce(self, subject: str, payload: bytes = b"") -> None:
        """Publish this on the message bus once the transaction has been committed.

        It may be lost when the bus is down, so whoever waits for it also looks by itself from time to time.
        """
        publish = self._publish
        if publish is None:
            return

        async def action() -> None:
            try:
                await publish(subject, payload)
            except Exception:  # noqa: BLE001 - what is committed stands, whatever the bus says
                _log.exception("announcement lost", subject=subject)

        self.after_commit(action)


class Door:
    """Opens transactions for declared actors and purposes.

    `publish` carries what they announce; without one nothing is announced. `storage` holds the files of history.
    """

    def __init__(self, engine: AsyncEngine, vault: Vault, publish: Publish | None = None, storage: Storage | None = None) -> None:
        self._engine = engine
        self._vault = vault
        self._publish = publish
        self._storage = storage

    @asynccontextmanager
    async def open(self, context: Context) -> AsyncIterator[Tx]:
        """One transaction for this context: committed at the end of the block, rolled back if it raises.

        Raises:
            Denied: the platform's actor is not declared, or not for this purpose; or the purpose waits for a yes that its subject has
                not given.
        """
        check(context)
        tx = Tx(AsyncSession(self._engine, expire_on_commit=False), context, self._vault, self._storage, self._publish)
        async with tx.session:  # which rolls back what is not committed
            if await _state(tx):
                # What is new in the access log stands before anything is read, whatever becomes of this process or transaction.
                await tx.session.commit()
                await _state(tx)
            await gate.admit(tx.session, context.purpose, context.subjects)
            yield tx
            await tx.session.commit()
        for action in tx._after:
            await action()


async def _state(tx: Tx) -> int:
    """Tell the database who acts, why and at what; how many entries of the access log are new."""
    context = tx.context
    await tx.session.execute(_STATE, {"actor": str(context.actor), "purpose": context.purpose.value})
    if not context.logged:
        return 0
    entry = {"action": present_action(), "subjects": [str(s) for s in context.subjects], "reason": context.reason[:MOST_REASON]}
    return int(await tx.session.scalar(_ENTER, entry) or 0)


def check(context: Context) -> None:
    """Refuse a context that the declarations do not allow.

    Raises:
        Denied: with the reason.
    """
    if isinstance(context.actor, System):
        allowed = SYSTEM_ACTORS.get(context.actor.name)
        if allowed is None:
            raise Denied("undeclared_actor", f"{context.actor} is not a declared actor of the platform.")
        if context.purpose not in allowed:
            raise Denied("undeclared_purpose", f"{context.actor} has no business with the purpose {context.purpose.value!r}.")
