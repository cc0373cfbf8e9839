"""Events and troubles over the API."""

import time
from datetime import UTC, datetime

import pytest
from lineset.platform import Platform

from tests.functional.devices.test_api import Client, heated, program
from tests.functional.devices.world import technician
from tests.functional.events.told import crashed, tell

pytestmark = pytest.mark.anyio


async def test_TEL_04_a_program_reads_what_happened_and_what_goes_wrong(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    await tell(platform.door, at.gateway, "boot", {"agent": "1.0.0"}, t=time.time() - 50)
    for n in range(4):
        await tell(platform.door, at.gateway, "error", {"code": "read_failed", "say": f"after {n} s"}, e="hp1", t=time.time() - 40 + n)
    await tell(platform.door, at.gateway, "crash", crashed("1.0.0"), t=time.time() - 20)
    answer = await at.program.get(f"/gateways/{at.gateway}/events")
    assert answer.status_code == 200, answer.text
    crash, error, boot = answer.json()
    assert [e["kind"] for e in (crash, error, boot)] == ["crash", "error", "boot"]
    assert (error["count"], error["equipment"], error["version"]) == (4, str(at.machine), "1.0.0")
    assert datetime.fromisoformat(error["at"]) < datetime.fromisoformat(error["last_at"]) < datetime.now(UTC)
    assert boot["fingerprint"] is None

    first = await at.program.get(f"/gateways/{at.gateway}/events", limit=1, kind="error,crash")
    assert [e["kind"] for e in first.json()] == ["crash"]
    following = await http.get(first.headers["link"].split(">")[0][1:], headers=at.program.headers)
    assert [e["kind"] for e in following.json()] == ["error"]

    troubles = (await at.program.get(f"/gateways/{at.gateway}/troubles")).json()
    assert [(t["title"], t["count"], t["versions"]) for t in troubles] == [
        ("TimeoutError in _run", 1, ["1.0.0"]),
        ("read_failed", 4, ["1.0.0"]),
    ]
    assert troubles[0]["fingerprint"] == crash["fingerprint"]


async def test_SEC_04_events_over_the_api_are_not_there_for_others(http: Client, platform: Platform) -> None:
    at, other = await heated(http, platform.door), await heated(http, platform.door)
    service, _ = await technician(platform.door, at.home.household, "view")
    contractor = await program(http, platform.door, service, "service")
    for path in (f"/gateways/{at.gateway}/events", f"/gateways/{at.gateway}/troubles"):
        assert (await contractor.get(path)).status_code == 200
        assert (await other.program.get(path)).status_code == 404
        assert (await http.get(f"/api/v1{path}")).status_code == 401
        assert (await at.program.get(path.replace(str(at.gateway), "nonsense"))).status_code == 404


async def test_a_device_without_mqtt_tells_events_over_http(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    head = {"authorization": f"Bearer {at.token}"}
    path = f"/api/v1/gateways/{at.gateway}/events"
    event = {"kind": "error", "t": time.time(), "e": "hp1", "detail": {"code": "read_failed", "say": "no answer"}}
    for _ in range(3):
        answer = await http.post(path, headers=head, json=event)
        assert answer.status_code == 204, answer.text
    (kept,) = (await at.program.get(f"/gateways/{at.gateway}/events")).json()
    assert (kept["count"], kept["equipment"], kept["detail"]["say"]) == (1, str(at.machine), "no answer")
    for body, status, code in (
        (b"{", 422, "bad_json"),
        (b'{"kind": "party", "t": 1}', 422, "bad_message"),
        (b'{"kind": "error", "t": 1, "detail": {"x": "' + b"y" * 70_000 + b'"}}', 422, "too_large"),
    ):
        refused = await http.post(path, headers=head, content=body)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert (await http.post(path, headers=at.program.headers, json=event)).status_code == 403, "not by a person's token"
    assert (await http.post(path, json=event)).status_code == 401


async def test_bad_questions_about_events_are_explained(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    for query, say in (
        ({"kind": "party"}, "party is no kind of event"),
        ({"before": "yesterday"}, "before is no time"),
        ({"limit": 0}, "limit"),
        ({"limit": 100_000}, "limit"),
    ):
        answer = await at.program.get(f"/gateways/{at.gateway}/events", **query)
        assert answer.status_code in (400, 422), answer.text
        assert say in answer.text
    assert (await at.program.get(f"/gateways/{at.gateway}/troubles", days=1000)).status_code in (400, 422)
