"""How a command moves from state to state. Every step is kept; a final state never changes."""

from datetime import datetime
from uuid import UUID

from lineset.control.model import FINAL, CommandRow, CommandStepRow
from lineset.control.views import announce
from lineset.kit.ids import new_id
from lineset.privacy import Tx

MAX_DETAIL = 500
_ORDER = {"queued": 0, "sent": 1, "acknowledged": 2}


def step(tx: Tx, row: CommandRow, state: str, at: datetime, detail: str = "") -> bool:
    """Move the command, whose row the caller has locked, on to a state; whether it moved.

    A step back (an acknowledgement that arrives after the result) and any step from a final state change nothing.
    """
    if row.state in FINAL or (state not in FINAL and _ORDER[state] <= _ORDER.get(row.state, -1)):
        return False
    detail = clean(detail)
    row.state, row.detail = state, detail
    if state in FINAL:
        row.settled_at, row.next_at = at, None
    elif state == "sent":
        row.sent_at = row.sent_at or at
    keep_step(tx, row, at)
    return True


def keep_step(tx: Tx, row: CommandRow, at: datetime) -> UUID:
    """Write the command's present state down as a step and push it."""
    kept = CommandStepRow(id=new_id(), command_id=row.id, household_id=row.household_id, state=row.state, at=at, detail=row.detail)
    tx.session.add(kept)
    announce(tx, row, at)
    return kept.id


def clean(detail: str) -> str:
    """What a device said, fit to be kept and shown: printable, and not too long."""
    text = "".join(c if c.isprintable() else " " for c in detail).strip()
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"
