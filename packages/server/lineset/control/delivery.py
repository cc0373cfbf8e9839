"""Delivery: commands on their way to gateways, repeated until answered, ended when their time is over. Runs in the worker.

Any number of workers may run: each takes rows that no other has locked. A command is marked as sent before it is published, so a worker
that dies in between costs one pause, never the command.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from lineset_contract.wire import Command, WireValue, encode
from nats.aio.msg import Msg
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from lineset import gateways, sites
from lineset.control import twins
from lineset.control.apart import apart
from lineset.control.model import CommandRow
from lineset.control.results import ASK_AGAIN
from lineset.control.steps import step
from lineset.kit.bus import Bus
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Door, Purpose, System, Tx

DELIVERY = Context(System("delivery"), Purpose.OPERATE)
QUEUE = "delivery"
BATCH = 200
PAUSES_S = (2, 4, 8, 15, 30)
"""Between one sending and the next; the last one repeats."""
WITHOUT_LINK = timedelta(seconds=15)
GRACE = {"queued": timedelta(0), "sent": timedelta(seconds=15), "acknowledged": timedelta(minutes=10)}
"""How long after its time a command may still be answered. Reading back takes up to 5 minutes at the gateway."""
AFTER_TROUBLE = timedelta(minutes=1)
_LONGEST_SLEEP_S = 5.0
_AFTER_FAULT_S = 1.0

_OPEN = ("queued", "sent", "acknowledged")
_Target = tuple[UUID, str, str]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _View:
    """What a round knows besides the commands: names of machines by gateway and household, links, the newest command of each target."""

    names: dict[tuple[UUID, UUID, UUID], str]
    links: dict[UUID, gateways.Link]
    newest: dict[_Target, datetime]


class Delivery:
    """Sends what is due. `door` is the application's."""

    def __init__(self, door: Door, bus: Bus) -> None:
        self._door = door
        self._bus = bus
        self._wake = asyncio.Event()
        self._greeted: set[UUID] = set()
        self._changed: set[UUID] = set()

    async def run(self) -> None:
        """Deliver until cancelled; a round that has begun is finished first. A database that is away is waited for."""
        for subject, handler in (
            ("wake.commands.*", self._hear_command),
            ("wake.hello.*", self._hear_hello),
            ("wake.gateway.*", self._hear_change),
        ):
            await self._bus.subscribe(subject, handler, queue=QUEUE)
        while True:
            self._wake.clear()
            try:
                pause = await _whole(self.round())
            except (SQLAlchemyError, OSError, LinesetError) as error:
                _log.warning("delivery_waits", error=str(error).splitlines()[0][:200])
                pause = _AFTER_FAULT_S
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def round(self) -> float:
        """Do what is due; for how many seconds nothing will be, unless somebody wakes us."""
        await self._answer_greetings()
        while True:
            async with self._door.open(DELIVERY) as tx:
                commands, more = await self._take_due(tx)
                desired = await twins.hand_down(tx, BATCH)
                due = min(filter(None, [await _next_due(tx), await twins.next_due(tx)]), default=None)
            for subject, payload in [*commands, *desired]:
                await self._bus.publish(subject, payload)
            if not more and len(desired) < BATCH:
                break
        if due is None:
            return _LONGEST_SLEEP_S
        return min(_LONGEST_SLEEP_S, max(0.01, (due - now()).total_seconds()))

    async def _hear_command(self, _message: Msg) -> None:
        self._wake.set()

    async def _hear_hello(self, message: Msg) -> None:
        self._note(self._greeted, message)

    async def _hear_change(self, message: Msg) -> None:
        self._note(self._changed, message)

    def _note(self, kept: set[UUID], message: Msg) -> None:
        gateway = parse_id(message.subject.rpartition(".")[2])
        if gateway is not None:
            kept.add(gateway)
            self._wake.set()

    async def _answer_greetings(self) -> None:
        """Gateways that have just come online get all that is open at once; changed ones get their limits anew."""
        greeted, changed = self._greeted, self._changed
        if not greeted and not changed:
            return
        self._greeted, self._changed = set(), set()
        try:
            async with self._door.open(DELIVERY) as tx:
                if greeted:
                    waiting = (CommandRow.gateway_id.in_(greeted), CommandRow.state.in_(_OPEN), CommandRow.expires_at > now())
                    await tx.session.execute(update(CommandRow).where(*waiting).values(next_at=now()))
                    await twins.hello(tx, sorted(greeted))
                for gateway in sorted(changed):
                    async with apart(tx, "twin", gateway, []):
                        await twins.refresh(tx, gateway)
        except BaseException:
            self._greeted |= greeted
            self._changed |= changed
            raise

    async def _take_due(self, tx: Tx) -> tuple[list[tuple[str, bytes]], bool]:
        """Messages to publish after the commit, and whether more are due."""
        moment = now()
        due = select(CommandRow).where(CommandRow.state.in_(_OPEN), CommandRow.next_at <= moment)
        rows = list(
            await tx.session.scalars(due.order_by(CommandRow.next_at, CommandRow.id).limit(BATCH).with_for_update(skip_locked=True))
        )
        view = await _look(tx, rows)
        messages: list[tuple[str, bytes]] = []
        failed: list[object] = []
        for row in rows:
            async with apart(tx, "command", row.id, failed):
                message = _decide(tx, row, view, moment)
                if message is not None:
                    messages.append((f"lineset.v1.{row.gateway_id}.commands", encode(message)))
        if failed:
            await tx.session.execute(update(CommandRow).where(CommandRow.id.in_(failed)).values(next_at=moment + AFTER_TROUBLE))
        return messages, len(rows) == BATCH


async def _whole(work: Coroutine[Any, Any, float]) -> float:
    """Its result; a cancellation waits until it has ended, so that no transaction is torn."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


def _decide(tx: Tx, row: CommandRow, view: _View, moment: datetime) -> Command | None:
    """Move one due command on: the message to send, or None."""
    assert row.gateway_id is not None  # noqa: S101 - `request` refuses a machine without a gateway
    link = view.links.get(row.gateway_id)
    # A command goes only where it was meant to: not through another gateway, and not to the machine's next owner.
    name = view.names.get((row.gateway_id, row.household_id, row.equipment_id))
    deadline = row.expires_at + GRACE[row.state]
    replaced = view.newest.get(_target(row.equipment_id, row.name, row.args), moment) > row.created_at
    if moment >= deadline:
        step(tx, row, "expired", moment, _why_expired(row, link, replaced=replaced))
        return None
    if row.state == "queued" and name is None:
        step(tx, row, "failed", moment, "The machine has been taken off this gateway.")
        return None
    if row.state == "queued" and replaced and row.tries:
        step(tx, row, "failed", moment, "Replaced by a later command.")
        return None
    if name is None or replaced or moment >= row.expires_at:
        row.next_at = deadline
        return None
    if link is None or not link.up:
        row.next_at = min(moment + WITHOUT_LINK, deadline)
        return None
    pause = ASK_AGAIN if row.state == "acknowledged" else timedelta(seconds=PAUSES_S[min(row.tries, len(PAUSES_S) - 1)])
    row.tries += 1
    row.next_at = min(moment + pause, deadline)
    step(tx, row, "sent", moment)
    return Command(str(row.id), name, row.name, msgspec.convert(row.args, dict[str, WireValue]), row.expires_at.timestamp())


def _why_expired(row: CommandRow, link: gateways.Link | None, *, replaced: bool) -> str:
    if replaced:
        return "Replaced by a later command; the gateway had not answered this one."
    if row.state == "acknowledged":
        return "The gateway took the command but did not say what came of it."
    if row.state == "sent":
        return "The gateway did not answer in time."
    if link is None:
        return "The gateway's access was ended, so the command could not be sent."
    if link.last_seen_at is None:
        return "The gateway has not had a link yet."
    if link.up:
        return "It could not be sent in time."
    return f"No link since {link.last_seen_at:%Y-%m-%d %H:%M} UTC."


async def _look(tx: Tx, rows: Iterable[CommandRow]) -> _View:
    rows = list(rows)
    ids = sorted({r.gateway_id for r in rows if r.gateway_id is not None})
    names: dict[tuple[UUID, UUID, UUID], str] = {}
    for gateway in ids:
        names.update({(gateway, m.household_id, m.id): m.local_name for m in await sites.list_equipment(tx, gateway_id=gateway)})
    links = await gateways.links(tx, ids) if ids else {}
    newest = {_target(e, n, {"setting": s}): at for e, n, s, at in await _newest(tx, rows)}
    return _View(names, links, newest)


async def _newest(tx: Tx, rows: list[CommandRow]) -> list[tuple[UUID, str, str, datetime]]:
    """The newest command of each target that was sent or may still be: an older one must not undo it."""
    if not rows:
        return []
    setting = func.coalesce(CommandRow.args["setting"].astext, "")
    alive: ColumnElement[bool] = or_(CommandRow.state.in_(_OPEN), and_(CommandRow.tries > 0, CommandRow.state != "refused"))
    found = await tx.session.execute(
        select(CommandRow.equipment_id, CommandRow.name, setting, func.max(CommandRow.created_at))
        .where(CommandRow.equipment_id.in_({r.equipment_id for r in rows}), alive)
        .where(CommandRow.created_at >= min(r.created_at for r in rows))
        .group_by(CommandRow.equipment_id, CommandRow.name, setting)
    )
    return [(row[0], row[1], row[2], row[3]) for row in found]


def _target(equipment: UUID, name: str, args: dict[str, object]) -> _Target:
    return equipment, name, str(args.get("setting") or "")


async def _next_due(tx: Tx) -> datetime | None:
    return await tx.session.scalar(select(func.min(CommandRow.next_at)).where(CommandRow.state.in_(_OPEN)))
