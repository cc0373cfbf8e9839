"""What an erasure works with: the door, the engine of the database, and what each domain knows how to hide, erase and search."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from lineset.privacy.door import Context, Door, System, Tx
from lineset.privacy.erasure.scope import Scope, Target
from lineset.privacy.vault import Vault
from lineset.privacy.vocabulary import Purpose

ERASURE = Context(System("erasure"), Purpose.KEEP)


@dataclass(frozen=True, slots=True)
class Case:
    """One erasure at work."""

    id: UUID
    target: Target
    scope: Scope
    hidden_at: datetime


@dataclass(frozen=True, slots=True)
class Eraser:
    """What a domain erases in one of the steps: `erase` gives how many rows, files or messages went, and may run again and again;
    `left` names what it finds of the case afterwards, nothing if all is well. `claims`: the tables whose rows only it reaches;
    `rewrites`: those that have to be written anew after it."""

    step: str
    erase: Callable[[Case], Awaitable[int]]
    left: Callable[[Case], Awaitable[list[str]]] | None = None
    claims: frozenset[str] = frozenset()
    rewrites: frozenset[str] = frozenset()


class Memory(Protocol):
    """Where it is remembered what was erased: outside the database."""

    async def put(self, erasure: str, content: bytes) -> None:
        """Keep an entry, instead of an earlier one of the same erasure."""

    async def everything(self) -> dict[str, bytes]:
        """Every entry by the id of its erasure."""


Hider = Callable[[Tx, Case], Awaitable[None]]
"""Hides what a domain has of a case, in the transaction that begins the erasure: ends sign-ins, revokes gateways."""


@dataclass(frozen=True, slots=True)
class Shop:
    """`memory` outlives the database; `key` signs certificates."""

    door: Door
    engine: AsyncEngine
    vault: Vault
    memory: Memory
    key: Ed25519PrivateKey
    erasers: tuple[Eraser, ...] = ()
    hiders: tuple[Hider, ...] = ()

    @property
    def claimed(self) -> frozenset[str]:
        """The tables whose rows only an eraser of a domain reaches."""
        return frozenset().union(*(eraser.claims for eraser in self.erasers))
