"""Commands as people give and see them."""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from lineset_contract.control import Bounds, bounds, check_command
from lineset_contract.refusals import Refusal
from lineset_contract.wire import WireValue
from sqlalchemy import func, select

from lineset import accounts, telemetry
from lineset.control.machines import Machine, machine
from lineset.control.model import FINAL, CommandRow
from lineset.control.steps import keep_step, step
from lineset.control.views import CommandView, views
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound, TooMany
from lineset.kit.ids import new_id
from lineset.privacy import Purpose, System, Tx
from lineset.privacy.rights import may

MAX_OPEN = 20
"""Open commands that one machine may have."""
MAX_ARGS = 8
MAX_TEXT = 200
MIN_LIFE_S = 10
MAX_LIFE_S = 86_400
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OPEN = tuple(s for s in ("queued", "sent", "acknowledged") if s not in FINAL)


async def request(tx: Tx, equipment_id: UUID, name: str, args: Mapping[str, WireValue], expires_in_s: float = 600.0) -> CommandView:
    """Ask something of a machine. What our limits don't allow is kept in the state "refused" with the reason; else it is on its way.

    `expires_in_s`: for how many seconds it may still be carried out, from 10 to 86,400.

    Raises:
        NotFound: no such machine is shared with the asker.
        Denied: the asker may look at it, but not control it.
        Invalid: name or arguments could be no command of any machine.
        Conflict: the machine is retired or no gateway feeds it.
        TooMany: it has as many open commands as it may have.
    """
    given = _checked(name, args, expires_in_s)
    target = await machine(tx, equipment_id)
    if not await may(tx, target.household, "control"):
        raise Denied("may_not_control", "You may look at this machine, but not control it.")
    if target.retired:
        raise Conflict("retired", "This machine is retired, so nothing can be asked of it.")
    if target.gateway is None:
        raise Conflict("no_gateway", "No gateway feeds this machine. Choose its gateway on the machine's page.")
    await _require_room(tx, equipment_id)
    refusal = await _refusal(tx, target, name, args)
    moment = now()
    row = CommandRow(
        id=new_id(),
        equipment_id=target.id,
        household_id=target.household,
        gateway_id=target.gateway,
        local_name=target.local_name,
        name=name,
        args=given,
        sender_id=None if isinstance(tx.context.actor, System) else tx.context.person,
        sender_company_id=await _company(tx, target.household),
        state="refused" if refusal else "queued",
        detail=refusal.say if refusal else "",
        refusal={"code": refusal.code, "values": dict(refusal.values)} if refusal else None,
        created_at=moment,
        expires_at=moment + timedelta(seconds=expires_in_s),
        settled_at=moment if refusal else None,
        next_at=None if refusal else moment,
        tries=0,
    )
    if not refusal:
        await _replace_waiting(tx, row, moment)
    tx.session.add(row)
    await tx.session.flush()
    keep_step(tx, row, moment)
    await tx.session.flush()
    if not refusal:
        tx.announce(f"wake.commands.{target.gateway}")
    return (await views(tx, [row]))[0]


async def get(tx: Tx, command_id: UUID) -> CommandView:
    """A command.

    Raises:
        NotFound: no such command is shared with the asker.
    """
    row = await tx.session.get(CommandRow, command_id)
    if row is None:
        raise NotFound("command")
    return (await views(tx, [row]))[0]


async def history(tx: Tx, equipment_id: UUID, limit: int = 20, before: UUID | None = None) -> list[CommandView]:
    """The last commands of a machine, newest first; `before` is the last one of the page before. None where nothing is shared."""
    asked = select(CommandRow).where(CommandRow.equipment_id == equipment_id).order_by(CommandRow.id.desc()).limit(min(max(limit, 1), 200))
    if before is not None:
        asked = asked.where(CommandRow.id < before)
    return await views(tx, list(await tx.session.scalars(asked)))


async def cancel(tx: Tx, command_id: UUID) -> CommandView:
    """Take a command back before it was sent.

    Raises:
        NotFound: no such command is shared with the asker.
        Denied: the asker may not control the machine.
        Conflict: it has been sent, so the machine may have carried it out.
    """
    row = await tx.session.get(CommandRow, command_id)
    if row is None:
        raise NotFound("command")
    if not await may(tx, row.household_id, "control"):
        raise Denied("may_not_control", "You may look at this machine, but not control it.")
    await tx.session.refresh(row, with_for_update=True)
    if row.state != "queued" or row.tries:
        raise Conflict("already_sent", "This command is on its way or done. Send another one to change the setting back.")
    step(tx, row, "failed", now(), "Taken back before it was sent.")
    await tx.session.flush()
    return (await views(tx, [row]))[0]


async def allowed(tx: Tx, equipment_id: UUID) -> dict[str, Bounds]:
    """The range of each numeric setting of a machine, with whose limit each end is.

    Raises:
        NotFound: no such machine is shared with the asker.
    """
    target = await machine(tx, equipment_id)
    return {s.name: bounds(target.profile, target.limits, s.name) for s in target.profile.settings.values() if not s.choices}


def _checked(name: str, args: Mapping[str, WireValue], expires_in_s: float) -> dict[str, object]:
    """The arguments as they can be kept."""
    if not _NAME.fullmatch(name):
        raise Invalid("bad_command", "A command's name has 1 to 64 of a-z, 0-9 and _, starting with a letter.", "name")
    if not MIN_LIFE_S <= expires_in_s <= MAX_LIFE_S:
        raise Invalid("bad_expiry", f"A command lives from {MIN_LIFE_S} to {MAX_LIFE_S} seconds.", "expires_in_s")
    if len(args) > MAX_ARGS:
        raise Invalid("bad_arguments", f"A command takes at most {MAX_ARGS} arguments.", "args")
    kept: dict[str, object] = {}
    for key, value in args.items():
        if not _NAME.fullmatch(key):
            raise Invalid("bad_arguments", "An argument's name has 1 to 64 of a-z, 0-9 and _, starting with a letter.", "args")
        if isinstance(value, str) and (len(value) > MAX_TEXT or not value.isprintable()):
            raise Invalid("bad_arguments", f"A word has at most {MAX_TEXT} printable characters.", "args")
        # JSON can't hold NaN or infinity; the limits refuse them, and the refused command is kept.
        kept[key] = str(value) if isinstance(value, float) and not math.isfinite(value) else value
    return kept


async def _require_room(tx: Tx, equipment_id: UUID) -> None:
    waiting = await tx.session.scalar(
        select(func.count()).select_from(CommandRow).where(CommandRow.equipment_id == equipment_id, CommandRow.state.in_(_OPEN))
    )
    if (waiting or 0) >= MAX_OPEN:
        raise TooMany("too_many_commands", f"{MAX_OPEN} commands to this machine are not done yet. Wait for them.", 30)


async def _refusal(tx: Tx, target: Machine, name: str, args: Mapping[str, WireValue]) -> Refusal | None:
    switching = [n for n, spec in target.profile.commands.items() if spec.switches]
    last = await tx.session.scalar(
        select(func.max(CommandRow.sent_at)).where(
            CommandRow.equipment_id == target.id,
            CommandRow.name.in_(switching),
            CommandRow.state.in_(("sent", "acknowledged", "succeeded")),
        )
    )
    since = None if last is None else (now() - last).total_seconds()
    judged = check_command(target.profile, target.limits, name, args, await _settings(tx, target), since)
    return judged if isinstance(judged, Refusal) else None


async def _settings(tx: Tx, target: Machine) -> dict[str, WireValue]:
    """The machine's settings as last read, by setting."""
    newest = (await telemetry.latest(tx, [target.id])).get(target.id)
    if newest is None:
        return {}
    read = {s.name: newest.values.get(s.point) for s in target.profile.settings.values()}
    return {name: reading.word or reading.value for name, reading in read.items() if reading is not None}


async def _replace_waiting(tx: Tx, row: CommandRow, moment: datetime) -> None:
    """A newer order for the same setting takes the place of those that were not sent yet."""
    waiting = await tx.session.scalars(
        select(CommandRow)
        .where(
            CommandRow.equipment_id == row.equipment_id,
            CommandRow.name == row.name,
            CommandRow.state == "queued",
            CommandRow.tries == 0,
            func.coalesce(CommandRow.args["setting"].astext, "") == str(row.args.get("setting") or ""),
        )
        .with_for_update(skip_locked=True)
    )
    for older in waiting:
        step(tx, older, "failed", moment, "Replaced by a later command before it was sent.")


async def _company(tx: Tx, household: UUID) -> UUID | None:
    """The company for which the asker acts: the one that holds the grant."""
    if tx.context.purpose is not Purpose.SERVICE or isinstance(tx.context.actor, System):
        return None
    return await accounts.company_acting(tx, household, "control")
