"""Troubles of gateways: which are the same, and all that is known of each as one line."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from lineset.gateways.model import GatewayEventRow
from lineset.kit.clock import now
from lineset.kit.likeness import class_name, code_word, fingerprint, plain, without_particulars
from lineset.privacy import Tx

GROUPED = frozenset({"error", "crash", "violation"})
"""Kinds of which equal ones are counted instead of kept one by one."""
_TOP = 3
_OURS = re.compile(r"lineset_(?:agent|contract|simulator)/[\w/]{1,80}\.py:\d{1,6} \w{1,60}")


@dataclass(frozen=True, slots=True)
class Same:
    """What makes a trouble the same as another: its fingerprint, its title, and the version that it says of itself."""

    fingerprint: str
    title: str
    version: str | None

    @property
    def columns(self) -> dict[str, object]:
        """These as columns of an event."""
        return {"fingerprint": self.fingerprint, "title": self.title, "version": self.version}


def same_trouble(kind: str, detail: Mapping[str, object]) -> Same:
    """The marks of a trouble from what a device said of it.

    The fingerprint is made of the kind, the code, the class of the error, the sentence without its numbers and names, and the innermost
    three places of the stack without line numbers. The title holds no sentence, only the code or the class and a place in our own programs.
    """
    code, error = code_word(detail.get("code")), class_name(detail.get("type"))
    raw = detail.get("frames")
    frames = [plain(frame) for frame in raw] if isinstance(raw, list) else []
    places = [re.sub(r":\d+", "", frame) for frame in frames[-_TOP:]]
    ours = next((frame.rpartition(" ")[2] for frame in reversed(frames) if _OURS.fullmatch(frame)), "")
    about = plain(detail.get("topic")) if kind == "violation" else code_word(detail.get("channel"))
    # what a violation says repeats its topic
    sentence = "" if kind == "violation" else without_particulars(detail.get("say") or detail.get("message") or "")
    title = f"{error} in {ours}" if error and ours else error or code or kind
    version = detail.get("agent") or detail.get("version")
    return Same(
        fingerprint(kind, code, error, sentence, about, places),
        title,
        str(version)[:40] if kind == "crash" and isinstance(version, str) else None,
    )


class Trouble(msgspec.Struct, frozen=True):
    """Equal troubles as one line. `detail` is the newest one's, `gateways` and `machines` are those that had it."""

    fingerprint: str
    kind: str
    title: str
    detail: dict[str, object]
    count: int
    first_at: datetime
    last_at: datetime
    versions: tuple[str, ...]
    gateways: tuple[UUID, ...]
    machines: tuple[UUID, ...]


async def troubles(
    tx: Tx,
    *,
    gateways: Collection[UUID] | None = None,
    since: datetime | None = None,
    kinds: Collection[str] = GROUPED,
    limit: int = 50,
) -> list[Trouble]:
    """Troubles of these gateways (None: of all that the asker may see) since that time (default: 30 days ago), newest first."""
    begins = since or now() - timedelta(days=30)
    row = GatewayEventRow
    mine = [row.fingerprint.is_not(None), row.last_at > begins, row.kind.in_(kinds)]
    if gateways is not None:
        mine.append(row.gateway_id.in_(gateways))
    found = (await tx.session.execute(_grouped(and_(*mine), min(max(limit, 1), 200)))).all()
    newest = (
        select(row.fingerprint, row.detail)
        .ext(distinct_on(row.fingerprint))
        .where(*mine, row.fingerprint.in_([f.mark for f in found]))
        .order_by(row.fingerprint, row.last_at.desc())
    )
    details = {r.fingerprint: r.detail for r in await tx.session.execute(newest)}
    return [
        Trouble(
            f.mark,
            f.kind,
            f.title,
            details.get(f.mark, {}),
            int(f.times),
            f.first_at,
            f.last_at,
            tuple(v for v in f.versions if v is not None),
            tuple(f.gateways),
            tuple(m for m in f.machines if m is not None),
        )
        for f in found
    ]


def _grouped(mine: ColumnElement[bool], limit: int) -> Select[*tuple[Any, ...]]:
    row = GatewayEventRow
    return (
        select(
            row.fingerprint.label("mark"),
            row.kind,
            func.max(row.title).label("title"),
            func.sum(row.count).label("times"),
            func.min(row.at).label("first_at"),
            func.max(row.last_at).label("last_at"),
            func.array_agg(row.version.distinct()).label("versions"),
            func.array_agg(row.gateway_id.distinct()).label("gateways"),
            func.array_agg(row.equipment_id.distinct()).label("machines"),
        )
        .where(mine)
        .group_by(row.fingerprint, row.kind)
        .order_by(func.max(row.last_at).desc(), row.fingerprint)
        .limit(limit)
    )
