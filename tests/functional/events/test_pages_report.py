"""Our own pages report their errors: the signed-in person's own, bounded, and without what somebody typed."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from lineset import apps, schema
from lineset.apps.service import MAX_LINES_A_DAY, page_shape
from lineset.kit.clock import now
from lineset.privacy import Context, Person, Purpose, Tx, shorten, sweep
from lineset.privacy.rights import fleet_troubles
from sqlalchemy import text

from tests.functional.events.told import HOUSEKEEPING
from tests.functional.pages.installation import SETUP, Installation
from tests.support.visitor import Visitor, new_address

FRAMES = ["draw@plot-a1b2c3d4.js:12:345", "start@app-a1b2c3d4.js:1:9"]


@pytest.fixture
def anna(installation: Installation) -> Iterator[Visitor]:
    with Visitor(installation.url) as somebody:
        somebody.sign_up("Anna Berg", household="Berg")
        yield somebody


def person_of(installation: Installation, visitor: Visitor) -> Context:
    """The context of whoever holds that browser's session."""
    token = visitor.client.post("/account/tokens", data={"token_name": "x", "_csrf_token": visitor.csrf}).text
    found = re.search(r"ls_\w{32}", token)
    assert found
    me = visitor.client.get("/api/v1/me", headers={"authorization": f"Bearer {found[0]}"}).json()
    return Context(Person(UUID(me["id"])), Purpose.OPERATE)


def report(visitor: Visitor, body: Any, *, csrf: bool = True, raw: bytes | None = None) -> httpx.Response:
    headers = {"content-type": "application/json"} | ({"x-csrf-token": visitor.csrf} if csrf else {})
    return visitor.client.post(
        "/app/reports", content=raw if raw is not None else json.dumps(body), headers=headers, follow_redirects=False
    )


def error(n: int = 0, **more: object) -> dict[str, object]:
    told = {"kind": "error", "version": "app-a1b2c3d4", "type": "TypeError", "message": f"value {n} is wrong", "frames": FRAMES}
    return {**told, "page": "/home/0190f2aa-0000-7000-8000-000000000001/machines?x=1", **more}


def test_TEL_04_errors_of_the_pages_are_kept_as_one_line_for_their_person(installation: Installation, anna: Visitor, ines: Visitor) -> None:
    assert report(anna, {"kind": "opened", "version": "app-a1b2c3d4"}).status_code == 204
    for n in range(3):
        assert report(anna, error(n, times=n + 1)).status_code == 204
    assert report(anna, error(message='could not read "Anna Berg, 12 Main Street" of anna@example.org')).status_code == 204
    who = person_of(installation, anna)
    other, line = installation.act(who, apps.troubles)
    assert (line.title, line.count, line.page, line.message) == ("TypeError in draw", 6, "/home/#/machines", "value # is wrong")
    assert line.browsers == ("Firefox, Linux",)
    assert other.message == "could not read # of #"
    (opening,) = installation.act(Context(who.actor, Purpose.SECURITY), apps.openings)
    assert (opening.address, opening.browser, opening.count) == (anna.place, "Firefox, Linux", 1)
    assert installation.act(person_of(installation, ines), apps.troubles) == []


def test_TEL_04_only_signed_in_people_report_and_only_from_our_pages(visitor: Visitor, anna: Visitor) -> None:
    assert report(visitor, error()).status_code in (303, 401)
    assert report(anna, error(), csrf=False).status_code == 403
    form = anna.client.post("/app/reports", data={"kind": "opened"}, follow_redirects=False)
    assert form.status_code == 403


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"kind": "party", "version": "1"}',
        b'{"kind": "error"}',
        b"[" * 5_000,
        b'{"kind": "error", "version": "1", "times": "x"}',
    ],
)
def test_what_is_no_report_is_refused(anna: Visitor, raw: bytes) -> None:
    answer = report(anna, None, raw=raw)
    assert answer.status_code in (400, 422)
    assert "Traceback" not in answer.text


def test_a_report_that_is_too_large_is_refused(anna: Visitor) -> None:
    assert report(anna, error(message="x" * 20_000)).status_code == 413


def test_TEL_04_a_flood_of_reports_is_slowed_down_and_counted(installation: Installation, anna: Visitor) -> None:
    codes = [report(anna, error(message=chr(97 + n % 26) * 9)).status_code for n in range(120)]
    assert set(codes) == {204, 429}
    assert 60 <= codes.count(204) <= 80
    assert codes[0] == 204
    assert len(installation.act(person_of(installation, anna), apps.troubles)) <= 27


def test_TEL_04_a_day_has_a_most_of_different_lines(installation: Installation, ines: Visitor) -> None:
    who = person_of(installation, ines)

    async def tell(tx: Tx) -> None:
        for n in range(MAX_LINES_A_DAY + 25):
            word = chr(97 + n // 26) + chr(97 + n % 26)
            await apps.record(tx, apps.Report("error", "app-1", "Error", word, FRAMES), browser="Firefox", address="203.0.113.7")
        await apps.record(tx, apps.Report("error", "app-1", "Error", "aa", FRAMES, times=10**9), browser="Firefox", address="203.0.113.7")

    installation.act(who, tell)
    lines = installation.act(who, apps.troubles)
    assert len(lines) == MAX_LINES_A_DAY + 1
    assert [t.count for t in lines if t.title == "too_many"] == [25]
    assert [t.count for t in lines if t.message == "aa"] == [1_000_000]

    async def addresses(tx: Tx) -> list[str | None]:
        return list(await tx.session.scalars(text("SELECT DISTINCT address FROM app_events")))

    assert installation.act(who, addresses) == [None], "only openings have an address"


def test_TEL_04_staff_count_errors_of_pages_and_see_nobody(installation: Installation, operator: Visitor, anna: Visitor) -> None:
    kind = "Odd" + new_address("x").partition(".")[2].partition("@")[0] + "Error"
    for n in range(2):
        report(anna, error(n, type=kind))
    staff = Context(person_of(installation, operator).actor, Purpose.ADMINISTER)

    async def look(tx: Tx) -> list[Any]:
        return [t for t in await fleet_troubles(tx, now() - timedelta(days=1)) if kind in t.title]

    (found,) = installation.act(staff, look)
    assert (found.source, found.times, found.affected, found.homes, found.versions) == ("app", 2, 1, 0, ("app-a1b2c3d4",))
    assert installation.act(Context(staff.actor, Purpose.OPERATE), look) == []
    assert installation.act(SETUP, look) == []


def test_the_shape_of_a_pages_address_names_nothing() -> None:
    assert page_shape("/home/0190f2aa-0000-7000-8000-000000000001/machines?q=Anna#x") == "/home/#/machines"
    assert page_shape("/transfer/Secret_Token12") == "/transfer/#"
    assert page_shape("") == "/"


def test_TEL_04_addresses_of_visits_and_sessions_are_shortened_and_deleted_as_declared(installation: Installation, anna: Visitor) -> None:
    assert report(anna, {"kind": "opened", "version": "app-a1b2c3d4"}).status_code == 204
    who = Context(person_of(installation, anna).actor, Purpose.SECURITY)

    async def age(tx: Tx) -> None:
        await tx.session.execute(text("UPDATE app_events SET last_at = last_at - interval '31 days'"))
        await tx.session.execute(text("UPDATE sessions SET last_seen_at = last_seen_at - interval '31 days'"))

    async def housekeeping(tx: Tx) -> None:
        await sweep(tx, schema.register())
        await shorten(tx, schema.register())

    async def addresses(tx: Tx) -> list[str]:
        return list(await tx.session.scalars(text("SELECT address FROM app_events UNION ALL SELECT address FROM sessions")))

    network = anna.place.rpartition(".")[0] + ".0/24"
    installation.act(HOUSEKEEPING, housekeeping)
    assert installation.act(who, addresses) == [anna.place, anna.place]
    installation.act(who, age)
    installation.act(HOUSEKEEPING, housekeeping)
    assert installation.act(who, addresses) == [network, network]
    for _ in range(2):
        installation.act(who, age)
    installation.act(HOUSEKEEPING, housekeeping)
    assert installation.act(who, addresses) == [network], "what the page told is gone after 90 days; the session lasts by its own end"
