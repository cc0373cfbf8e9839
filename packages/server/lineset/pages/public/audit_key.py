"""The public side of the access log's chain: whoever keeps a checkpoint from here can find any later change of what it covers."""

from typing import Any

from litestar import Response, get

from lineset.privacy import Context, Purpose, System
from lineset.privacy.audit.chain import ORIGIN, public_key
from lineset.privacy.audit.copying import last_checkpoint

from ..common.edge import Ask, edge

_KEEPER = Context(System("housekeeping"), Purpose.KEEP)


@get("/.well-known/lineset-audit.json", include_in_schema=False)
async def audit_key(request: Ask) -> Response[dict[str, Any]]:
    """The key by which checkpoints are signed (Ed25519, hexadecimal digits), and the newest checkpoint."""
    async with edge(request).door.open(_KEEPER) as tx:
        newest, key = await last_checkpoint(tx), public_key(tx.vault).hex()
    told = {"origin": ORIGIN, "algorithm": "Ed25519", "public_key": key, "checkpoint": newest.told() if newest is not None else None}
    return Response(told, headers={"cache-control": "public, max-age=60", "access-control-allow-origin": "*"})


ROUTES = (audit_key,)
