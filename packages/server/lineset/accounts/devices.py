"""The phones, browsers and apps of a person, as they told of themselves when they signed in, and how they are forgotten."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select

from lineset.accounts.agents import describe_agent
from lineset.accounts.model import ApiTokenRow, SessionRow
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import Tx

DeviceKind = Literal["phone", "tablet", "computer", "program"]
_PHONES = ("iPhone", "Mobile")
_TABLETS = ("iPad", "Tablet")
_COMPUTERS = ("Windows", "Macintosh", "X11", "CrOS", "Linux")
_SYSTEM_VERSIONS = (
    ("Android", re.compile(r"Android (\d[\d.]*)")),
    ("iOS", re.compile(r"(?:iPhone|CPU) OS (\d[\d_]*)")),
    ("Windows", re.compile(r"Windows NT (\d[\d.]*)")),
    ("macOS", re.compile(r"Mac OS X (\d[\d_.]*)")),
    ("ChromeOS", re.compile(r"CrOS \S+ (\d[\d.]*)")),
)
# Browsers that name others too stand before those.
_VERSIONS = tuple(
    re.compile(rf"{name}/(\d[\d.]*)")
    for name in ("Edg", "EdgA", "EdgiOS", "OPR", "SamsungBrowser", "Firefox", "FxiOS", "CriOS", "HeadlessChrome", "Chrome", "Version")
)
_OWN_VERSION = re.compile(r"[^/\s]+/(\d[\w.]*)")


@dataclass(frozen=True, slots=True)
class Agent:
    """What a browser or program says of itself. `name` is `describe_agent`'s; versions are "" where it does not tell."""

    name: str
    kind: DeviceKind
    system: str
    version: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in of a device; `address` is whole for 30 days, then only its network."""

    id: UUID
    address: str
    since: datetime
    last_seen: datetime
    live: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Device:
    """All sign-ins of browsers that can't be told apart: same program, same system."""

    agent: Agent
    sign_ins: tuple[SignIn, ...]

    @property
    def current(self) -> bool:
        """Whether the person asks with it."""
        return any(s.current for s in self.sign_ins)

    @property
    def last_seen(self) -> datetime:
        """When it was last used."""
        return max(s.last_seen for s in self.sign_ins)

    @property
    def since(self) -> datetime:
        """Its first sign-in that is still kept."""
        return min(s.since for s in self.sign_ins)


def read_agent(agent: str) -> Agent:
    """A User-Agent header taken apart, as far as it can be trusted to mean anything."""
    system = next((f"{name} {m[1].replace('_', '.')}" for name, pattern in _SYSTEM_VERSIONS if (m := pattern.search(agent))), "")
    kind: DeviceKind = "program"
    if any(mark in agent for mark in _TABLETS) or ("Android" in agent and "Mobile" not in agent):
        kind = "tablet"
    elif any(mark in agent for mark in _PHONES):
        kind = "phone"
    elif agent.startswith("Mozilla/") and any(mark in agent for mark in _COMPUTERS):
        kind = "computer"
        system = system or ("Linux" if "Linux" in agent else "")
    known = next((m[1] for pattern in _VERSIONS if (m := pattern.search(agent))), "")
    own = _OWN_VERSION.match(agent) if kind == "program" else None
    return Agent(describe_agent(agent), kind, system, own[1] if own else known)


async def list_devices(tx: Tx, current: UUID | None = None) -> list[Device]:
    """The acting person's devices, the one that asks first, then by when they were last seen; for the purpose of security."""
    mine = select(SessionRow).where(SessionRow.person_id == tx.context.person).order_by(SessionRow.last_seen_at.desc())
    groups: dict[str, list[SessionRow]] = {}
    for row in await tx.session.scalars(mine):
        groups.setdefault(describe_agent(row.agent), []).append(row)
    moment = now()
    devices = [
        Device(
            read_agent(rows[0].agent),
            tuple(SignIn(r.id, r.address or "", r.created_at, r.last_seen_at, r.expires_at > moment, r.id == current) for r in rows),
        )
        for rows in groups.values()
    ]
    return sorted(devices, key=lambda d: (not d.current, -d.last_seen.timestamp()))


async def forget_device(tx: Tx, name: str) -> int:
    """Sign a device out everywhere and delete all its sign-ins; how many. `name` as in `Agent`.

    Raises:
        NotFound: the person has none of that name.
    """
    found = [s.id for device in await list_devices(tx) if device.agent.name == name for s in device.sign_ins]
    if not found:
        raise NotFound("device")
    await _forget_sessions(tx, found)
    return len(found)


async def forget_session(tx: Tx, session_id: UUID) -> None:
    """Sign one browser or app out and delete its line. Raises NotFound where it is not the person's."""
    if not await _forget_sessions(tx, [session_id]):
        raise NotFound("session")


async def forget_token(tx: Tx, token_id: UUID) -> None:
    """Delete a program's token, revoked or not. Raises NotFound where it is not the person's."""
    mine = delete(ApiTokenRow).where(ApiTokenRow.id == token_id, ApiTokenRow.person_id == tx.context.person)
    if (await tx.session.execute(mine.returning(ApiTokenRow.id))).one_or_none() is None:
        raise NotFound("token")


async def _forget_sessions(tx: Tx, ids: Collection[UUID]) -> int:
    mine = delete(SessionRow).where(SessionRow.id.in_(ids), SessionRow.person_id == tx.context.person)
    return len((await tx.session.execute(mine.returning(SessionRow.id))).all())
