"""Loading history in blocks of columns: the path of imports, and of the demo's past."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import numpy as np
from lineset_contract.points import POINTS, consent_for
from lineset_contract.refusals import refuse
from lineset_contract.values import good_name
from numpy.typing import NDArray
from psycopg import AsyncConnection
from sqlalchemy import text

from lineset.kit.errors import Invalid, NotFound
from lineset.privacy import Tx
from lineset.telemetry import store
from lineset.telemetry.batch import FAR_FUTURE, FAR_PAST, Block, Route, Source, Span
from lineset.telemetry.directory import add_slots
from lineset.telemetry.layout import MAX_UNKNOWN, Layouts

Numbers = NDArray[np.floating[Any]]

EARLIEST = 946_684_800.0
"""2000-01-01: older history is refused, since it is most often a clock that was never set."""


async def load(tx: Tx, equipment: UUID, t: Numbers, columns: Mapping[str, Numbers], *, now: float) -> int:
    """Store rows of one machine: `t` in seconds since 1970, shape (n,); each column of shape (n,) in the point's unit, NaN where
    nothing was measured. What is there already stays. Returns the number of rows given.

    Needs the context of the import or setup actor. The caller has judged single values; here the columns as a whole are.

    Raises:
        NotFound: no such machine.
        Invalid: a point's name or the times are not believable, values are out of range, or the machine would have too many points.
    """
    _judge(t, columns, now)
    await _ask(tx, equipment, columns)
    rows = (
        await tx.session.execute(
            text(
                "SELECT series_id, household_id, extract(epoch FROM starts_at)::float8, extract(epoch FROM ends_at)::float8"
                " FROM tenures WHERE equipment_id = :id ORDER BY starts_at"
            ),
            {"id": equipment},
        )
    ).all()
    if not rows:
        raise NotFound("machine")
    spans = [
        Span(series, household, FAR_PAST if n == 0 else start, FAR_FUTURE if end is None else end)
        for n, (series, household, start, end) in enumerate(rows)
    ]
    raw = cast("AsyncConnection", (await (await tx.session.connection()).get_raw_connection()).driver_connection)
    slots, refused = await add_slots(raw, equipment, set(columns))
    if refused:
        names = ", ".join(sorted(refused))
        raise Invalid("too_many_points", f"A machine has at most {MAX_UNKNOWN} unknown points; there is no room for {names}.")
    route = Route(equipment, spans, Layouts().of(slots))
    block = _block(route, t, columns)
    await store.prepare(raw, own=False)
    await store.insert(raw, [block], set(), await store.closed_before(raw))
    return len(t)


async def _ask(tx: Tx, equipment: UUID, columns: Mapping[str, Numbers]) -> None:
    """Refuse columns that tell of people, unless every household that had the machine has switched that on. Places are never imported."""
    telling = [name for name in columns if consent_for(name)]
    if not telling:
        return
    owners = text("SELECT DISTINCT household_id FROM tenures WHERE equipment_id = :id")
    households = list((await tx.session.execute(owners, {"id": equipment})).scalars())
    agreed = text("SELECT count(DISTINCT subject) FROM access.consents_for(CAST(:households AS uuid[]), ARRAY['presence'])")
    number = await tx.session.scalar(agreed, {"households": [str(h) for h in households]})
    for name in telling:
        if consent_for(name) == "location" or number != len(households):
            raise Invalid(f"{consent_for(name)}_off", refuse(f"{consent_for(name)}_off", point=name).say)


def _judge(t: Numbers, columns: Mapping[str, Numbers], now: float) -> None:
    if not np.isfinite(t).all() or (len(t) and (t.min() < EARLIEST or t.max() > now + 600)):
        raise Invalid("bad_time", "Times must lie between 2000-01-01 and the present.")
    for name, values in columns.items():
        point = POINTS.get(name)
        if point is None:
            if not good_name(name):
                raise Invalid("bad_name", f"The point name {name!r} is not allowed: use a-z, 0-9 and _, starting with a letter.")
            continue
        low, high = (min(point.codes.values()), max(point.codes.values())) if point.codes else (point.low, point.high)
        if ((values < low) | (values > high)).any():
            raise Invalid("out_of_range", f"{name} has values outside {low} to {high} {point.unit}.")


def _block(route: Route, t: Numbers, columns: Mapping[str, Numbers]) -> Block:
    layout = route.layout
    reals = np.full((len(t), layout.reals), np.nan)
    totals = np.full((len(t), layout.totals), np.nan)
    for name, values in columns.items():
        kind, slot = layout.slots[name]
        (totals if kind == "counter" else reals)[:, slot] = values
    if len(route.spans) == 1:
        series = np.full(len(t), route.spans[0].series, np.int64)
    else:
        series = np.array([route.span(float(x)).series for x in t], np.int64)
    return Block(layout, series, t.astype(np.float64), reals, totals, [Source(0, i) for i in range(len(t))])
