"""Jobs of gateways."""

from datetime import UTC, datetime
from uuid import UUID

import procrastinate
from sqlalchemy import select, update

from lineset.gateways.model import GatewayRow, GatewayTokenRow
from lineset.gateways.service import revoked
from lineset.kit.clock import now
from lineset.privacy import Context, Door, Purpose, System

ENROLMENT = Context(System("enrolment"), Purpose.SECURITY)


def add_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `gateways.end_tokens`, which a site's change of hands defers."""

    @app.task(name="gateways.end_tokens")
    async def end(site: str, before: float) -> None:
        await end_tokens(door, UUID(site), datetime.fromtimestamp(before, UTC))


async def end_tokens(door: Door, site_id: UUID, before: datetime) -> int:
    """End the tokens that were made for a site's gateways before that moment: its last owner knows them. Returns how many.

    Certificates stay: their keys never left the gateways, which changed hands with the site.
    """
    async with door.open(ENROLMENT) as tx:
        gateways = (await tx.session.scalars(select(GatewayRow.id).where(GatewayRow.site_id == site_id))).all()
        ended = await tx.session.scalars(
            update(GatewayTokenRow)
            .where(GatewayTokenRow.gateway_id.in_(gateways), GatewayTokenRow.created_at < before, GatewayTokenRow.revoked_at.is_(None))
            .values(revoked_at=now())
            .returning(GatewayTokenRow.gateway_id)
        )
        hit = list(ended)
        for gateway in set(hit):
            revoked(tx, gateway)
    return len(hit)
