"""Where each gateway's frames go: its machines, their tenures and slots, kept in memory and read again when something changed."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from lineset_contract.points import POINTS
from psycopg import AsyncConnection

from lineset.telemetry.batch import FAR_FUTURE, FAR_PAST, Route, Span
from lineset.telemetry.layout import Kind, Layouts, allocate

_TRUST_S = 30.0
_ASK_AGAIN_S = 2.0
_MAX_GATEWAYS = 50_000


@dataclass(slots=True)
class Gateway:
    """What ingestion knows of one gateway; `household` None: nobody has claimed it."""

    id: UUID
    household: UUID | None
    routes: dict[str, Route] = field(default_factory=dict)
    read_at: float = 0.0


class Directory:
    """Gateways and routes by id and local name, in memory. Ask `stale` and `read` what it says before you `get`."""

    def __init__(self) -> None:
        self._gateways: dict[UUID, Gateway | None] = {}
        self._read_at: dict[UUID, float] = {}
        self._layouts = Layouts()

    def forget(self, gateway: UUID) -> None:
        """Read this gateway again before its next message: its machines or its owner changed."""
        self._gateways.pop(gateway, None)
        self._read_at.pop(gateway, None)

    def stale(self, wanted: dict[UUID, set[str]]) -> list[UUID]:
        """The gateways that must be read anew: what is known of them is old or lacks a wanted machine."""
        now = time.monotonic()
        return [g for g, names in wanted.items() if self._stale(g, names, now)]

    async def read(self, connection: AsyncConnection, gateways: list[UUID]) -> None:
        """Read these gateways, within a transaction of the ingestion role."""
        if len(self._gateways) > _MAX_GATEWAYS:
            self._gateways.clear()
            self._read_at.clear()
        await self._read(connection, gateways, time.monotonic())

    def get(self, gateway: UUID) -> Gateway | None:
        """What is known; None: there is no such gateway, or it is revoked."""
        return self._gateways.get(gateway)

    def _stale(self, gateway: UUID, names: set[str], now: float) -> bool:
        read_at = self._read_at.get(gateway)
        if read_at is None or now - read_at > _TRUST_S:
            return True
        known = self._gateways.get(gateway)
        return (known is None or not names <= known.routes.keys()) and now - read_at > _ASK_AGAIN_S

    async def _read(self, connection: AsyncConnection, gateways: list[UUID], now: float) -> None:
        rows = await (
            await connection.execute("SELECT id, household_id FROM gateways WHERE id = ANY(%s) AND revoked_at IS NULL", (gateways,))
        ).fetchall()
        found: dict[UUID, Gateway] = {id_: Gateway(id_, household) for id_, household in rows}
        machines = await (
            await connection.execute(
                "SELECT gateway_id, id, local_name FROM equipment WHERE gateway_id = ANY(%s) AND retired_at IS NULL AND erased_at IS NULL",
                (list(found),),
            )
        ).fetchall()
        spans = await self._spans(connection, [m[1] for m in machines])
        slots = await self._slots(connection, [m[1] for m in machines])
        for gateway_id, equipment, local_name in machines:
            if equipment not in spans:
                continue
            route = Route(equipment, spans[equipment], self._layouts.of(slots.get(equipment, {})), gateway_id)
            found[gateway_id].routes[local_name] = route
            found[gateway_id].routes[str(equipment)] = route
        for gateway_id in gateways:
            self._gateways[gateway_id] = found.get(gateway_id)
            self._read_at[gateway_id] = now

    async def _spans(self, connection: AsyncConnection, equipment: list[UUID]) -> dict[UUID, list[Span]]:
        rows = await (
            await connection.execute(
                "SELECT equipment_id, series_id, household_id, extract(epoch FROM starts_at)::float8, extract(epoch FROM ends_at)::float8"
                " FROM tenures WHERE equipment_id = ANY(%s) AND erased_at IS NULL ORDER BY equipment_id, starts_at",
                (equipment,),
            )
        ).fetchall()
        spans: dict[UUID, list[Span]] = {}
        for id_, series, household, start, end in rows:
            known = spans.setdefault(id_, [])
            known.append(Span(series, household, start if known else FAR_PAST, FAR_FUTURE if end is None else end))
        return spans

    async def _slots(self, connection: AsyncConnection, equipment: list[UUID]) -> dict[UUID, dict[str, tuple[Kind, int]]]:
        rows = await (
            await connection.execute("SELECT equipment_id, point, kind, slot FROM slots WHERE equipment_id = ANY(%s)", (equipment,))
        ).fetchall()
        slots: dict[UUID, dict[str, tuple[Kind, int]]] = {}
        for id_, point, kind, slot in rows:
            slots.setdefault(id_, {})[point] = (cast("Kind", kind), slot)
        return slots

    async def give_slots(self, connection: AsyncConnection, routes: Iterable[Route], missing: dict[UUID, set[str]]) -> dict[UUID, set[str]]:
        """Give new points of machines a slot, in a transaction of its own, and put the new layouts into the routes.

        Returns the points that got none, by machine.
        """
        by_equipment = {route.equipment: route for route in routes}
        without: dict[UUID, set[str]] = {}
        for equipment in sorted(missing):
            slots, refused = await add_slots(connection, equipment, missing[equipment])
            without[equipment] = refused
            by_equipment[equipment].layout = self._layouts.of(slots)
        return without


async def add_slots(connection: AsyncConnection, equipment: UUID, names: set[str]) -> tuple[dict[str, tuple[Kind, int]], set[str]]:
    """All slots of a machine after giving `names` one each, and the names for which none is left. The caller commits."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('lineset.slots'), hashtext(%s))", (str(equipment),))
    rows = await (await connection.execute("SELECT point, kind, slot FROM slots WHERE equipment_id = %s", (equipment,))).fetchall()
    taken: dict[str, tuple[Kind, int]] = {point: (cast("Kind", kind), slot) for point, kind, slot in rows}
    added, refused = allocate(taken, sorted(names))
    for point, (kind, slot) in added.items():
        await connection.execute(
            "INSERT INTO slots (equipment_id, point, kind, slot, known, first_seen_at) VALUES (%s, %s, %s, %s, %s, now())",
            (equipment, point, kind, slot, point in POINTS),
        )
    return taken | added, set(refused)
