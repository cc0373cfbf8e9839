"""What gateways answer: results of commands and reports of their settings. Runs in ingestion, as the platform's actor "ingest"."""

from datetime import timedelta
from uuid import UUID

import msgspec
import structlog
from lineset_contract.wire import Reported, Result
from sqlalchemy import select

from lineset import gateways
from lineset.control.model import CommandRow, TwinRow
from lineset.control.steps import clean, step
from lineset.kit.clock import now
from lineset.kit.ids import parse_id
from lineset.privacy import Tx

ASK_AGAIN = timedelta(seconds=60)
"""After an acknowledgement the command is repeated this slowly, so that a result that was lost is told again."""
LOOK_AGAIN = timedelta(minutes=5)
"""How often limits are compared with what a gateway was handed, besides when somebody says that they changed."""
MAX_MACHINES = 200
MAX_SETTINGS = 64

_log = structlog.get_logger(__name__)


async def settle(tx: Tx, gateway_id: UUID, result: Result) -> bool:
    """Take a gateway's answer to a command; whether the command moved on.

    May be called any number of times with the same answer, and with answers in any order: each state comes once, none comes after a final
    one. Only the gateway's own word that the machine reads back what was asked for makes a command succeed. An answer to a command of
    another gateway changes nothing and is kept as a violation.
    """
    command_id = parse_id(result.id)
    row = None if command_id is None else await tx.session.get(CommandRow, command_id, with_for_update=True, populate_existing=True)
    if row is None:
        _log.info("result_of_unknown_command", gateway=str(gateway_id))
        return False
    if row.gateway_id != gateway_id:
        await gateways.record_violation(tx, gateway_id, "results", f"It answered the command {row.id}, which another gateway was given.")
        return False
    moment = now()
    moved = step(tx, row, result.state, moment, result.detail)
    if moved and row.state == "acknowledged":
        row.next_at = moment + ASK_AGAIN
    await tx.session.flush()
    return moved


async def take_reported(tx: Tx, gateway_id: UUID, reported: Reported) -> None:
    """Note which limits a gateway keeps to and which settings it reads at its machines."""
    row = await tx.session.scalar(select(TwinRow).where(TwinRow.gateway_id == gateway_id).with_for_update())
    link = (await gateways.links(tx, [gateway_id])).get(gateway_id)
    if row is None or link is None:
        return
    if link.household != row.household_id:
        row.next_at = now()  # the gateway changed hands: what it reads is not the last owner's to see
        return
    if row.reported_version is None or reported.version >= row.reported_version:
        row.reported_version, row.reported_at = min(reported.version, 2**62), now()
        row.settings = _settings(reported)
    if row.reported_version == row.version:
        row.tries, row.next_at = 0, now() + LOOK_AGAIN
    await tx.session.flush()


def _settings(reported: Reported) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, values in list(reported.settings.items())[:MAX_MACHINES]:
        kept[clean(name)[:64]] = {clean(s)[:64]: clean(v) if isinstance(v, str) else v for s, v in list(values.items())[:MAX_SETTINGS]}
    return msgspec.json.decode(msgspec.json.encode(kept), type=dict[str, object])
