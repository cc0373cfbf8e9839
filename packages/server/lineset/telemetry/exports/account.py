"""Measurements in a copy of all of a household's data: Parquet files by machine, of every series that the household ever had.

Single readings are a file a month, hourly sums a file a year, daily sums one file. Also of machines that went to somebody else: the
readings of one's own time with them stay one's own.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.privacy import Tx
from lineset.privacy.exporting import Made, Piece
from lineset.telemetry.exports.plan import DETAILS, EARLIEST, Machine, stretches, wanted_of
from lineset.telemetry.slots import points_of

_LATER = timedelta(minutes=5)
"""A frame may carry a time that is a little ahead of ours."""


class Measurements:
    """The exporter of tables that declare `measurements`."""

    async def plan(self, tx: Tx, household: UUID) -> list[Piece]:
        """The files of a household's machines, in order of their site and name, those that are not its own any more last."""
        found = []
        for number, (machine, last) in enumerate(await _machines(tx, household), 1):
            for detail in DETAILS:
                try:
                    wanted = wanted_of(EARLIEST, last, detail, "parquet", equipment=machine.id)
                except Invalid:  # nothing of that time is kept in that detail
                    continue
                for part in stretches(wanted, [machine]):
                    span = {"raw": f"{part.since:%Y-%m}", "hour": f"hours-{part.since:%Y}", "day": "days"}[detail]
                    args = {
                        **{"equipment": str(machine.id), "series": machine.series, "points": machine.points, "zone": machine.time_zone},
                        **{"name": machine.name, "type": machine.type, "detail": detail},
                        **{"since": part.since.isoformat(), "until": part.until.isoformat()},
                    }
                    found.append(Piece(f"measurements/{number:04d}_{machine.type}/{span}.parquet", args))
        return found

    async def make(self, tx: Tx, args: Mapping[str, Any]) -> Made | None:
        """One file; None where nothing was measured in that time.

        Raises:
            NotFound: the series are not the owner's any more.
        """
        import polars as pl  # noqa: PLC0415 - an idle worker never loads the library

        from lineset.telemetry.exports import files, rows  # noqa: PLC0415 - as above

        equipment, points, detail = UUID(args["equipment"]), args["points"], args["detail"]
        since, until = datetime.fromisoformat(args["since"]), datetime.fromisoformat(args["until"])
        frame = await rows.table(tx, equipment, args["series"], points, args["zone"], since, until, detail)
        if not frame.height:
            return None
        label = files.Label(equipment, args["name"], args["type"], "", args["zone"], "")
        about = files.described([label], points, detail, since, until)
        named = frame.select(pl.lit(str(equipment)).alias("equipment"), pl.all())
        return Made(await asyncio.to_thread(files.parquet_bytes, named, about), frame.height)


async def _machines(tx: Tx, household: UUID) -> list[tuple[Machine, datetime]]:
    """Every machine that the household has or had, with its own series of it, and until when there may be readings."""
    found = (
        await tx.session.execute(
            text(
                "SELECT n.equipment_id, coalesce(e.name, ''), coalesce(e.type, 'machine'), e.site_id, coalesce(s.time_zone, 'UTC'),"
                " array_agg(n.series_id ORDER BY n.starts_at), max(coalesce(n.ends_at, :now))"
                " FROM tenures n LEFT JOIN equipment e ON e.id = n.equipment_id LEFT JOIN sites s ON s.id = e.site_id"
                " WHERE n.household_id = :household GROUP BY 1, 2, 3, 4, 5 ORDER BY e.site_id NULLS LAST, 2, 1"
            ),
            {"household": household, "now": now() + _LATER},
        )
    ).all()
    points = await points_of(tx, [row[0] for row in found])
    return [
        (Machine(id_, name, type_, site, zone, list(series), [p.name for p in points[id_]]), last)
        for id_, name, type_, site, zone, series, last in found
        if id_ in points
    ]
