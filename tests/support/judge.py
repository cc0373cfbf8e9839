"""Judging by the senders' own ledgers: nothing acknowledged is lost, nothing is stored twice, no gap is acknowledged over."""

from collections.abc import Iterable

import psycopg
from lineset.kit.addresses import owner_url

from tests.support.fleet import Place
from tests.support.sender import Sender


def stored(rig: Place) -> dict[tuple[str, int], int]:
    """How often each (machine's id, time in microseconds) is stored."""
    with psycopg.connect(owner_url(rig.settings)) as connection:
        # The owner is under row-level security like everybody else; it may take itself out for the length of a test.
        for (table,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^(frames(_.*)?|tenures)$' AND relkind IN ('r', 'p')"
        ):
            connection.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        rows = connection.execute(
            "SELECT n.equipment_id::text, round(extract(epoch FROM f.t) * 1000000)::bigint, count(*)"
            " FROM frames f JOIN tenures n USING (series_id) GROUP BY 1, 2"
        ).fetchall()
        connection.rollback()
        return {(machine, at): count for machine, at, count in rows}


def judge(rig: Place, senders: Iterable[Sender]) -> dict[str, int]:
    """Counts of what went wrong, all 0 when nothing did, beside how much was judged.

    `lost`: acknowledged but not stored. `doubled`: stored more than once. `gaps`: acknowledged over a number that was never sent.
    """
    have = stored(rig)
    lost = judged = gaps = 0
    for sender in senders:
        gaps += sender.ledger.gaps
        for seq in sender.ledger.acked:
            for local, t in sender.ledger.frames[seq]:
                judged += 1
                lost += (str(sender.gateway.machines[local]), round(t * 1e6)) not in have
    return {"judged": judged, "lost": lost, "doubled": sum(count > 1 for count in have.values()), "gaps": gaps}
