"""Commands as they are shown and pushed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from lineset_contract.refusals import Refusal, Value, refuse
from lineset_contract.wire import WireValue
from sqlalchemy import select

from lineset.control.model import FINAL, CommandRow, CommandStepRow
from lineset.privacy import Tx


class Step(msgspec.Struct, frozen=True):
    """One step in the life of a command."""

    state: str
    at: datetime
    detail: str


class CommandView(msgspec.Struct, frozen=True):
    """A command with all its steps, oldest first. `refusal` is set where our own limits refused it, for saying it in another language."""

    id: UUID
    equipment: UUID
    name: str
    args: dict[str, WireValue]
    state: str
    detail: str
    refusal: Refusal | None
    sender: UUID | None
    sender_company: UUID | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    steps: tuple[Step, ...]

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL

    @property
    def changed_at(self) -> datetime:
        """When it came into its present state."""
        return self.steps[-1].at if self.steps else self.created_at


async def views(tx: Tx, rows: Sequence[CommandRow]) -> list[CommandView]:
    """The rows with their steps, in the same order."""
    found = await tx.session.scalars(
        select(CommandStepRow).where(CommandStepRow.command_id.in_([r.id for r in rows])).order_by(CommandStepRow.at, CommandStepRow.id)
    )
    steps: dict[UUID, list[Step]] = {}
    for step in found:
        steps.setdefault(step.command_id, []).append(Step(step.state, step.at, step.detail))
    return [_view(row, steps.get(row.id, [])) for row in rows]


def _view(row: CommandRow, steps: list[Step]) -> CommandView:
    return CommandView(
        id=row.id,
        equipment=row.equipment_id,
        name=row.name,
        args=msgspec.convert(row.args, dict[str, WireValue]),
        state=row.state,
        detail=row.detail,
        refusal=_refusal(row.refusal),
        sender=row.sender_id,
        sender_company=row.sender_company_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
        steps=tuple(steps),
    )


def _refusal(stored: dict[str, object] | None) -> Refusal | None:
    if stored is None:
        return None
    return refuse(str(stored["code"]), **msgspec.convert(stored["values"], dict[str, Value]))


def announce(tx: Tx, row: CommandRow, at: datetime) -> None:
    """Push the command's state to whoever watches the machine, after the commit: `{"command": {...}}`, times in s since 1970."""
    said = {
        "id": str(row.id),
        "name": row.name,
        "args": row.args,
        "state": row.state,
        "detail": row.detail,
        "t": at.timestamp(),
        "expires": row.expires_at.timestamp(),
    }
    tx.announce(f"live.{row.household_id}.{row.equipment_id}", msgspec.json.encode({"command": said}))
