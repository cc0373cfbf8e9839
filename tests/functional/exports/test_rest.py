"""Downloads over the API: asked for, watched, and fetched piece by piece."""

import io
import itertools
import re
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset import telemetry
from lineset.kit.ranges import piece_of
from lineset.kit.storage import storage
from lineset.platform import Platform
from lineset.privacy import Context, Purpose, System
from lineset.telemetry.exports import ending, work
from lineset.telemetry.exports.rows import SUM_COLUMNS
from sqlalchemy import text

from tests.checks import ROOT
from tests.functional.devices.test_api import Client, Heated, heated, program
from tests.functional.devices.world import technician

pytestmark = pytest.mark.anyio
IMPORT = Context(System("import"), Purpose.OPERATE)
HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)


async def measured(http: Client, platform: Platform, days: int = 3, step_s: int = 600) -> tuple[Heated, dict[float, float]]:
    """A home whose heat pump sent a room temperature every ten minutes for some days."""
    at = await heated(http, platform.door)
    now = float(int(time.time()))
    t = np.arange(now - days * 86_400, now - 60, step_s)
    room = np.round(20 + np.sin(t / 9_000), 2)
    async with platform.door.open(IMPORT) as tx:
        await telemetry.load(tx, at.machine, t, {"room_temperature": room}, now=now)
    return at, dict(zip(t.tolist(), room.tolist(), strict=True))


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


async def finish(platform: Platform, export: str) -> None:
    """What a worker does."""
    place = storage(platform.settings, "exports")
    await work.work(platform.door, place, UUID(export), turn_s=1e9)
    await ending.clean_up(platform.door, place, UUID(export))


async def ready(http: Client, platform: Platform, at: Heated, **more: object) -> dict[str, Any]:
    body = {"start": ago(5), "equipment": str(at.machine), **more}
    answer = await at.program.post("/exports", body)
    assert answer.status_code == 202, answer.text
    asked = answer.json()
    assert answer.headers["location"] == f"/api/v1/exports/{asked['id']}"
    assert (asked["state"], asked["parts_done"]) == ("waiting", 0)
    early = await at.program.get(f"/exports/{asked['id']}/file")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    await finish(platform, asked["id"])
    made: dict[str, Any] = (await at.program.get(f"/exports/{asked['id']}")).json()
    assert made["state"] == "ready"
    return made


async def test_TEL_03_a_program_asks_for_a_download_and_gets_what_was_sent(http: Client, platform: Platform) -> None:
    at, sent = await measured(http, platform)
    made = await ready(http, platform, at, format="parquet")
    assert made["expected_rows"] == pytest.approx(len(sent), rel=0.02)
    answer = await at.program.get(f"/exports/{made['id']}/file")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert len(answer.content) == made["bytes"] == int(answer.headers["content-length"])
    table = pl.read_parquet(io.BytesIO(answer.content))
    assert {t.timestamp(): v for t, v in table.select("time", "room_temperature").rows()} == pytest.approx(sent, abs=1e-4)
    assert [e["id"] for e in (await at.program.get("/exports")).json()] == [made["id"]]
    csv = await ready(http, platform, at, site=str(at.home.site), equipment=None, detail="hour")
    answer = await at.program.get(f"/exports/{csv['id']}/file")
    assert 'filename="lineset_' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 4


async def test_TEL_03_a_broken_download_goes_on_with_the_same_bytes(http: Client, platform: Platform) -> None:
    at, _ = await measured(http, platform)
    made = await ready(http, platform, at)
    path = f"/api/v1/exports/{made['id']}/file"

    async def fetch(**headers: str) -> Any:
        return await http.get(path, headers=at.program.headers | headers)

    whole = await fetch()
    tag, size = whole.headers["etag"], len(whole.content)
    assert (whole.headers["accept-ranges"], tag) == ("bytes", f'"{made["sha256"]}"')
    pieces, at_byte = [], 0
    while at_byte < size:
        piece = await fetch(range=f"bytes={at_byte}-{at_byte + 999}", **{"if-range": tag})
        assert piece.status_code == 206
        assert piece.headers["content-range"] == f"bytes {at_byte}-{min(at_byte + 1000, size) - 1}/{size}"
        pieces.append(piece.content)
        at_byte += len(piece.content)
    assert b"".join(pieces) == whole.content
    assert (await fetch(range="bytes=-100")).content == whole.content[-100:]
    assert (await fetch(range=f"bytes={size - 7}-")).content == whole.content[-7:]
    changed = await fetch(range="bytes=10-", **{"if-range": '"another"'})
    assert (changed.status_code, changed.content == whole.content) == (200, True)
    beyond = await fetch(range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert (await fetch(**{"if-none-match": tag})).status_code == 304


@given(size=st.integers(1, 10_000), cuts=st.lists(st.integers(0, 10_000), max_size=5))
def test_ranges_that_follow_one_another_are_the_whole(size: int, cuts: list[int]) -> None:
    bounds = sorted({0, size, *(c for c in cuts if c < size)})
    covered = []
    for first, after in itertools.pairwise(bounds):
        piece = piece_of(size, '"x"', f"bytes={first}-{after - 1}", '"x"')
        assert (piece.status, piece.headers["content-length"]) == (206, str(after - first))
        covered += [piece.start, piece.end]
    assert covered == [b for pair in itertools.pairwise(bounds) for b in pair]


@pytest.mark.parametrize("text_", ["bytes=5-2", "bytes=a-b", "bytes=0-1,4-5", "items=0-1", "bytes=-", "bytes=1-2 junk"])
def test_a_range_that_makes_no_sense_gets_the_whole_file(text_: str) -> None:
    assert (piece_of(10, '"x"', text_).status, piece_of(10, '"x"', text_).end) == (200, 10)


async def test_SEC_04_a_download_is_there_only_for_who_asked_and_as_long_as_it_is_shared(http: Client, platform: Platform) -> None:
    at, _ = await measured(http, platform)
    stranger = await heated(http, platform.door)
    service, company = await technician(platform.door, at.home.household, "view")
    contractor = Heated(at.home, at.gateway, at.token, at.machine, await program(http, platform.door, service, "service"))
    mine, theirs = await ready(http, platform, at), await ready(http, platform, contractor)
    for path in (f"/exports/{mine['id']}", f"/exports/{mine['id']}/file"):
        assert (await at.program.get(path)).status_code == 200
        for other in (stranger.program, contractor.program):
            assert (await other.get(path)).status_code == 404
        assert (await http.get(f"/api/v1{path}")).status_code == 401
    assert (await stranger.program.post("/exports", {"start": ago(5), "equipment": str(at.machine)})).status_code == 404
    assert (await stranger.program.get(f"/equipment/{at.machine}/readings")).status_code == 404
    assert (await contractor.program.get(f"/exports/{theirs['id']}/file")).status_code == 200
    async with platform.door.open(Context(at.home.acting.actor, Purpose.ACCOUNT)) as tx:
        await tx.session.execute(text("UPDATE access_grants SET revoked_at = now() WHERE organisation_id = :id"), {"id": company})
    assert (await contractor.program.get(f"/exports/{theirs['id']}/file")).status_code == 404
    assert (await http.delete(f"/api/v1/exports/{mine['id']}", headers=stranger.program.headers)).status_code == 404
    assert (await http.delete(f"/api/v1/exports/{mine['id']}", headers=at.program.headers)).status_code == 204
    assert (await at.program.get(f"/exports/{mine['id']}/file")).status_code == 404


async def test_TEL_03_readings_of_a_few_days_come_at_once(http: Client, platform: Platform) -> None:
    at, sent = await measured(http, platform)
    answer = await at.program.get(f"/equipment/{at.machine}/readings", start=ago(4), detail="raw")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert lines[0] == "time_utc,time_local,room_temperature [degC]"
    assert len(lines) == len(sent) + 1
    answer = await at.program.get(f"/equipment/{at.machine}/readings", start=ago(4), format="parquet", detail="day")
    assert pl.read_parquet(io.BytesIO(answer.content))["count"].sum() > 0
    for query, code in (
        ({"start": ago(30)}, "too_long"),
        ({"format": "xml"}, "bad_format"),
        ({"detail": "week"}, "bad_detail"),
        ({"start": "yesterday"}, "bad_time"),
        ({"start": ago(1), "end": ago(2)}, "bad_span"),
    ):
        answer = await at.program.get(f"/equipment/{at.machine}/readings", **query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    bodies: list[object] = [{"start": ago(5), "colour": "red"}, {"start": ago(5), "format": "xml"}, {}, [], {"start": 5}]
    for body in bodies:
        assert (await at.program.post("/exports", body)).status_code in (400, 422)


async def test_the_guide_of_downloads_names_what_there_is(http: Client) -> None:
    guide = (ROOT / "docs/guides/download.md").read_text()
    described = (await http.get("/api/v1/openapi.json")).json()
    known = {re.sub(r"\{\w+\}", "*", path) for path in described["paths"]}
    named = {re.sub(r"\$\w+|\{\w+\}", "*", path) for path in re.findall(r"/api/v1/[\w/${}]+", guide)}
    assert named <= known
    assert len(named) >= 4
    told = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in guide.splitlines() if line.startswith("| `"))))
    assert set(SUM_COLUMNS) - {"time"} <= told
    assert {"waiting", "running", "ready", "cancelled", "failed", "ended", "expired"} <= told
