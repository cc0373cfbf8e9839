"""The public REST API, over its real handlers, database, bus and ingestion."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography import x509
from lineset import accounts, api, diagnostics, gateways, telemetry
from lineset.ingest import Frames
from lineset.kit.buckets import Buckets
from lineset.kit.errors import TooMany
from lineset.kit.ids import new_id
from lineset.kit.roles import INGEST
from lineset.kit.settings import Settings
from lineset.platform import Platform, open_platform
from lineset.privacy import Context, Door, Purpose, System
from litestar import Litestar
from litestar.exceptions import HTTPException
from sqlalchemy import text

from tests.functional.devices.cloud import until
from tests.functional.devices.test_gateways import Device
from tests.functional.devices.world import Home, equipment, home, technician

pytestmark = pytest.mark.anyio
Client = httpx.AsyncClient


@dataclass(frozen=True)
class Program:
    """Somebody's program."""

    http: Client
    token: str
    purpose: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        head = {"authorization": f"Bearer {self.token}"}
        return head | ({"lineset-purpose": self.purpose} if self.purpose else {})

    async def get(self, path: str, **params: str | int) -> Any:
        return await self.http.get(f"/api/v1{path}", headers=self.headers, params=params)

    async def post(self, path: str, body: object, **headers: str) -> Any:
        return await self.http.post(f"/api/v1{path}", headers=self.headers | headers, json=body)


@pytest.fixture
async def platform(broker: Settings) -> AsyncIterator[Platform]:
    async with open_platform(broker, "web") as platform:
        yield platform


@pytest.fixture
async def ingesting(broker: Settings) -> AsyncIterator[telemetry.Ingestor]:
    async with open_platform(broker, "ingest", role=INGEST) as platform:
        opened: list[psycopg.AsyncConnection] = []

        async def connect() -> psycopg.AsyncConnection:
            opened.append(await platform.ingest_connection())
            return opened[-1]

        ingestor = telemetry.Ingestor(connect, platform.bus.publish)
        await Frames(platform, ingestor).start()
        await platform.bus.flush()
        task = asyncio.create_task(ingestor.run())
        yield ingestor
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for connection in opened:
            await connection.close()


@pytest.fixture
async def http(platform: Platform) -> AsyncIterator[Client]:
    app = Litestar(list(api.routes()), openapi_config=None, exception_handlers={HTTPException: api.refuse})
    app.state.platform = platform
    # in this test's own loop, where the platform's connections live
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type] # Litestar types scopes more narrowly
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def program(http: Client, door: Door, who: Context | UUID, purpose: str | None = None) -> Program:
    """A program with a token of that person."""
    person = who if isinstance(who, UUID) else who.person
    async with door.open(Context(System("setup"), Purpose.ACCOUNT)) as tx:
        return Program(http, await accounts.insert_token(tx, person, "test"), purpose)


@dataclass(frozen=True)
class Heated:
    """A home with a gateway that has a token, a heat pump, and its owner's program."""

    home: Home
    gateway: UUID
    token: str
    machine: UUID
    program: Program


async def heated(http: Client, door: Door) -> Heated:
    ours = await home(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic", "simple")).gateway
        token = (await gateways.create_token(tx, gateway)).token
    machine = await equipment(door, ours, gateway)
    return Heated(ours, gateway, token, machine, await program(http, door, ours.acting))


def frames(values: Sequence[float], **numbers: object) -> dict[str, object]:
    """A message with one room temperature (degC) a minute, the last one now."""
    now = time.time()
    listed = [{"t": now - 60 * (len(values) - 1 - n), "e": "hp1", "v": {"room_temperature": v}} for n, v in enumerate(values)]
    return {**numbers, "frames": listed}


async def send(http: Client, at: Heated, body: object, token: str | None = None, **headers: str) -> Any:
    head = {"authorization": f"Bearer {at.token if token is None else token}"} | headers
    return await http.post(f"/api/v1/gateways/{at.gateway}/frames", headers=head, json=body)


async def test_a_program_reads_sites_machines_values_and_series(http: Client, platform: Platform, ingesting: telemetry.Ingestor) -> None:
    at = await heated(http, platform.door)
    me = (await at.program.get("/me")).json()
    assert (me["id"], me["purpose"], me["households"][0]["role"]) == (str(at.home.owner), "operate", "owner")
    (site,) = (await at.program.get("/sites")).json()
    assert (site["id"], site["name"], site["equipment"][0]["id"]) == (str(at.home.site), "House", str(at.machine))
    detail = (await at.program.get(f"/sites/{site['id']}")).json()
    assert [(g["id"], g["state"]) for g in detail["gateways"]] == [(str(at.gateway), "offline")]

    machine = (await at.program.get(f"/equipment/{at.machine}")).json()
    assert machine["type"] == "heat_pump_air_water"
    assert machine["allowed"]["heating_setpoint"] == {
        "low": 7.0,
        "high": 30.0,
        "unit": "degC",
        "low_whose": "freeze_protection",
        "high_whose": "profile",
    }
    assert "set_setpoint" in machine["commands"]
    assert (await at.program.get(f"/equipment/{at.machine}/latest")).json() == {"equipment": str(at.machine), "t": None, "values": {}}

    body = frames([20.0, 20.5, 21.25])
    body["frames"][-1]["v"] |= {"operating_mode": "heating", "own_invention": 7}  # type: ignore[index]
    answer = await send(http, at, body)
    assert answer.status_code == 200, answer.text
    latest = (await at.program.get(f"/equipment/{at.machine}/latest")).json()
    room = latest["values"]["room_temperature"]
    assert (room["value"], room["unit"], room["known"]) == (21.25, "degC", True)
    assert latest["values"]["operating_mode"]["word"] == "heating"
    assert latest["values"]["own_invention"]["known"] is False

    now = datetime.now(UTC)
    start, end = (now - timedelta(hours=1)).isoformat(), (now + timedelta(minutes=1)).isoformat().replace("+", " ")
    series = (await at.program.get(f"/equipment/{at.machine}/series", points="room_temperature", start=start, end=end)).json()
    assert series["values"]["room_temperature"] == [20.0, 20.5, 21.25]
    assert series["units"] == {"room_temperature": "degC"}
    assert (await at.program.get(f"/equipment/{at.machine}/series")).json()["values"]["room_temperature"] == [20.0, 20.5, 21.25]
    machine = (await at.program.get(f"/equipment/{at.machine}")).json()
    assert machine["online"]
    assert "own_invention" in machine["points"]


async def test_CTL_01_a_program_asks_something_of_a_machine(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    order = {"name": "set_setpoint", "args": {"setting": "heating_setpoint", "value": 21.5}}
    made = await at.program.post(f"/equipment/{at.machine}/commands", order)
    assert made.status_code == 202, made.text
    assert made.headers["location"] == f"/api/v1/commands/{made.json()['id']}"
    shown = (await at.program.get(f"/commands/{made.json()['id']}")).json()
    assert (shown["state"], shown["sender"], shown["args"]) == ("queued", str(at.home.owner), order["args"])
    assert [s["state"] for s in shown["steps"]] == ["queued"]
    back = await at.program.post(f"/commands/{shown['id']}/cancel", {})
    assert (back.status_code, back.json()["state"]) == (200, "failed")
    assert (await at.program.post(f"/commands/{shown['id']}/cancel", {})).status_code == 409

    order["args"] = {"setting": "heating_setpoint", "value": 41.0}
    refused = await at.program.post(f"/equipment/{at.machine}/commands", order)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    problem = refused.json()
    assert (problem["code"], problem["state"]) == ("above_limit", "refused")
    assert "30 degC" in problem["say"]
    assert [c["state"] for c in (await at.program.get(f"/equipment/{at.machine}/commands")).json()] == ["refused", "failed"]
    assert (await at.program.get(f"/commands/{problem['id']}")).json()["detail"] == problem["say"]


async def test_TEL_02_numbered_messages_over_http_are_stored_once(http: Client, platform: Platform, ingesting: telemetry.Ingestor) -> None:
    at = await heated(http, platform.door)
    body = frames([20.0, 20.5], epoch="k3", seq=1)
    for _ in range(3):
        answer = (await send(http, at, body)).json()
        assert (answer["epoch"], answer["through"], answer["refused"], answer["delivery"]) == ("k3", 1, [], "exactly once")
    assert ingesting.counts.frames == 2
    ahead = (await send(http, at, frames([21.0], epoch="k3", seq=3))).json()
    assert ahead["through"] == 1  # 2 is missing, so nothing is acknowledged over it
    assert (await send(http, at, frames([21.0], epoch="k3", seq=2))).json()["through"] == 3
    unnumbered = (await send(http, at, frames([21.5]))).json()
    assert (unnumbered["delivery"], unnumbered["through"]) == ("at least once", None)
    assert "Idempotency-Key" in unnumbered["say"]
    keyed = frames([22.0])
    for _ in range(2):
        assert (await send(http, at, keyed, **{"idempotency-key": "a"})).json()["delivery"] == "exactly once"
    half = await send(http, at, frames([21.5], seq=4))
    assert (half.status_code, half.json()["code"]) == (422, "missing_sequence")


async def test_TEL_01_what_is_not_taken_is_refused_with_the_reason(http: Client, platform: Platform, ingesting: telemetry.Ingestor) -> None:
    at, now = await heated(http, platform.door), time.time()
    good = {"t": now, "e": "hp1", "v": {"room_temperature": 20.0}}
    for bad, code in (
        ({"t": 0, "e": "hp1", "v": {"room_temperature": 20.0}}, "bad_time_past"),
        ({"t": 4_070_908_800, "e": "hp1", "v": {"room_temperature": 20.0}}, "bad_time_future"),
        ({"t": now, "e": "hp9", "v": {"room_temperature": 20.0}}, "unknown_equipment"),
        ({"t": now, "e": "hp1", "v": {"room_temperature": "warm"}}, "wrong_type"),
        ({"t": now, "e": "hp1", "v": {}}, "empty_frame"),
        ({"t": "now", "e": "hp1", "v": {}}, "bad_message"),
    ):
        alone = await send(http, at, {"frames": [bad]})
        assert (alone.status_code, alone.json()["code"]) == (422, code), alone.text
        assert alone.json()["refused"][0]["index"] == 0
        both = await send(http, at, {"frames": [bad, good]})
        assert both.status_code == 200, both.text
        assert [(r["index"], r["code"]) for r in both.json()["refused"]] == [(0, code)]
    raw = {"authorization": f"Bearer {at.token}"}
    path = f"/api/v1/gateways/{at.gateway}/frames"
    for content, status, code in (
        (b"rubbish", 422, "bad_json"),
        (b'{"frames": 1}', 422, "bad_message"),
        (b"\xff" * 10, 422, "bad_json"),
        (b'{"frames": [' + b" " * 140_000 + b"]}", 413, "too_large"),
    ):
        answer = await http.post(path, headers=raw, content=content)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    many = await send(http, at, {"frames": [good] * 201})
    assert (many.status_code, many.json()["code"]) == (422, "too_many_frames")
    async with platform.door.open(at.home.acting) as tx:
        assert await telemetry.refusals(tx, [at.gateway])  # and the site's page shows it


async def test_frames_need_the_gateways_own_token(http: Client, platform: Platform, ingesting: telemetry.Ingestor) -> None:
    at, other = await heated(http, platform.door), await heated(http, platform.door)
    body = frames([20.0])
    for token, status in (("", 401), (at.token[:-1] + "x", 401), (other.token, 401), (at.program.token, 403), (other.program.token, 404)):
        answer = await send(http, at, body, token=token)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert (await send(http, at, body)).status_code == 200
    async with platform.door.open(at.home.acting) as tx:
        await gateways.revoke(tx, at.gateway)
    await until(lambda: _refused(http, at))


async def _refused(http: Client, at: Heated) -> bool:
    answer = await send(http, at, frames([20.0]))
    return bool(answer.status_code == 401 and answer.json()["code"] == "revoked")


async def test_without_ingestion_nothing_is_said_to_be_stored(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    answer = await send(http, at, frames([20.0]))
    assert (answer.status_code, answer.json()["code"]) == (503, "not_stored")


async def test_EQP_02_a_device_enrols_and_renews_over_http(http: Client, platform: Platform, broker: Settings) -> None:
    ours, device = await home(platform.door), Device()
    async with platform.door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "Attic")
    enrolled = await http.post("/api/v1/enrolment", json={"code": code.code, "csr": device.csr})
    assert enrolled.status_code == 201, enrolled.text
    told = enrolled.json()
    assert (told["gateway"], told["mqtt"]["port"]) == (str(code.gateway), broker.mqtt_port)
    assert told["ca"] == (broker.data / "ca.pem").read_text()
    x509.load_pem_x509_certificate(told["certificate"].encode())
    again = await http.post("/api/v1/enrolment", json={"code": code.code, "csr": Device().csr})
    assert (again.status_code, again.json()["code"]) == (409, "already_enrolled")
    for body, code_ in (({"code": code.code}, "bad_request"), ({"code": "x", "csr": device.csr}, "bad_code")):
        answer = await http.post("/api/v1/enrolment", json=body)
        assert (answer.json()["code"], answer.headers["content-type"]) == (code_, "application/problem+json")
    renewal = {"gateway": str(code.gateway), "csr": Device().csr, "certificate": told["certificate"], "signature": "AAAA"}
    answer = await http.post("/api/v1/enrolment/renew", json=renewal)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_signature")


async def test_the_purpose_decides_what_a_contractors_program_sees(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    acting, _ = await technician(platform.door, at.home.household, "view", "control")
    tech = await program(http, platform.door, acting)
    assert (await tech.get("/me")).json()["purpose"] == "service"
    assert [s["id"] for s in (await tech.get("/sites")).json()] == [str(at.home.site)]
    order = {"name": "set_setpoint", "args": {"setting": "heating_setpoint", "value": 21.5}}
    assert (await tech.post(f"/equipment/{at.machine}/commands", order)).json()["sender_company"] is not None
    private = Program(http, tech.token, "operate")
    assert (await private.get("/sites")).json() == []
    assert (await private.get(f"/equipment/{at.machine}")).status_code == 404
    owner = Program(http, at.program.token, "service")
    assert (await owner.get("/sites")).json() == []
    assert (await Program(http, tech.token, "curiosity").get("/me")).json()["code"] == "bad_purpose"
    looking, _ = await technician(platform.door, at.home.household, "view")
    answer = await (await program(http, platform.door, looking)).post(f"/equipment/{at.machine}/commands", order)
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_control")


async def found(platform: Platform, at: Heated) -> str:
    """A fault at their machine; its id."""
    finding = new_id()
    async with platform.door.open(diagnostics.DIAGNOSE) as tx:
        made = text(
            "INSERT INTO findings (id, series_id, equipment_id, site_id, household_id, fault, candidates, effects, confidence, severity,"
            " loss, evidence, plot, state, opened, seen)"
            " SELECT :id, n.series_id, :machine, :site, :household,"
            " 'low_charge', '{}', '{}', 0.9, 0.2, 0.1, '{}', '{}', 'open', now(), now()"
            " FROM tenures n WHERE n.equipment_id = :machine"
        )
        await tx.session.execute(made, {"id": finding, "machine": at.machine, "site": at.home.site, "household": at.home.household})
    return str(finding)


async def test_SEC_04_a_row_of_another_household_is_404_through_every_route(http: Client, platform: Platform) -> None:
    at, stranger = await heated(http, platform.door), await heated(http, platform.door)
    order = {"name": "set_setpoint", "args": {"setting": "heating_setpoint", "value": 21.5}}
    command = (await at.program.post(f"/equipment/{at.machine}/commands", order)).json()["id"]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    export = (await at.program.post("/exports", {"start": yesterday, "equipment": str(at.machine)})).json()["id"]
    copy = (await at.program.post("/privacy/requests", {"kind": "export"})).json()["id"]
    ids = {"site_id": at.home.site, "equipment_id": at.machine, "command_id": command, "gateway_id": at.gateway, "export_id": export}
    ids |= {"request_id": copy, "finding_id": await found(platform, at)}
    described = (await http.get("/api/v1/openapi.json")).json()
    asked = 0
    for path, methods in sorted(described["paths"].items(), key=lambda item: "delete" in item[1]):  # nothing is asked of it after that
        if "{" not in path:
            continue
        for owner, status in ((stranger, 404), (at, None)):
            for rubbish in (False, True):
                filled = path.format(**{name: "rubbish" if rubbish else str(id_) for name, id_ in ids.items()})
                for method in methods:
                    body = frames([20.0]) if filled.endswith("/frames") else {"do": "acknowledge"} if filled.endswith("/steps") else order
                    answer = await http.request(method, filled, headers=owner.program.headers, json=None if method == "get" else body)
                    asked += 1
                    if rubbish or status == 404:
                        assert answer.status_code == 404, (method, filled, answer.text)
                        assert answer.json()["code"] == "not_found"
                    else:
                        assert answer.status_code in {200, 201, 202, 204, 403, 409}, (method, filled, answer.text)
    assert asked >= 36
    assert [s["id"] for s in (await stranger.program.get("/sites")).json()] == [str(stranger.home.site)]
    assert (await stranger.program.get("/sites", after=str(at.home.site))).json() == []


async def test_SEC_04_the_database_alone_keeps_households_apart(platform: Platform, http: Client) -> None:
    at, stranger = await heated(http, platform.door), await heated(http, platform.door)
    tables = ("gateways", "gateway_tokens", "gateway_events", "found_equipment", "commands", "command_steps", "twins", "equipment", "sites")
    await at.program.post(f"/equipment/{at.machine}/commands", {"name": "restart"})
    async with platform.door.open(stranger.home.acting) as tx:
        for table in tables:
            connection = await tx.session.connection()
            rows = await connection.exec_driver_sql(f"SELECT row_to_json(x)::text FROM {table} x")  # noqa: S608
            text = "\n".join(row[0] for row in rows)
            for id_ in (at.home.household, at.home.site, at.gateway, at.machine):
                assert str(id_) not in text, table
        for statement in ("UPDATE gateways SET name = 'mine'", "DELETE FROM commands", "UPDATE gateway_tokens SET revoked_at = now()"):
            await connection.exec_driver_sql(statement)
    async with platform.door.open(at.home.acting) as tx:
        assert (await gateways.get_gateway(tx, at.gateway)).name == "Attic"
        assert len((await gateways.get_gateway(tx, at.gateway)).tokens) == 1


async def test_refusals_are_problems_and_say_what_to_do(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    for path, params, status, code in (
        ("/equipment/x", {}, 404, "not_found"),
        (f"/equipment/{new_id()}", {}, 404, "not_found"),
        ("/nothing/here", {}, 404, "not_found"),
        (f"/equipment/{at.machine}/series", {"start": "yesterday"}, 422, "bad_time"),
        (f"/equipment/{at.machine}/series", {"start": "2026-01-01T00:00:00"}, 422, "bad_time"),
        (f"/equipment/{at.machine}/series", {"buckets": 1}, 422, "bad_buckets"),
        (f"/equipment/{at.machine}/series", {"buckets": "many"}, 400, "bad_request"),
        (f"/equipment/{at.machine}/series", {"start": "1980-01-01T00:00:00Z"}, 422, "bad_span"),
        (f"/equipment/{at.machine}/commands", {"limit": 0}, 400, "bad_request"),
        ("/sites", {"limit": 100_000}, 400, "bad_request"),
    ):
        answer = await at.program.get(path, **params)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["say"] == problem["detail"]
        assert (problem["status"], problem["type"]) == (status, "about:blank")
    bodies: tuple[object, ...] = (
        [],
        {"name": 1},
        {"name": "restart", "args": {}, "surprise": True},
        {"name": "set_setpoint", "args": {"a": [1]}},
    )
    for body in bodies:
        answer = await at.program.post(f"/equipment/{at.machine}/commands", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), answer.text
    big = await at.program.post(f"/equipment/{at.machine}/commands", {"name": "x" * 40_000})
    assert (big.status_code, big.json()["code"]) == (413, "too_large")
    wrong = await http.post("/api/v1/sites", headers=at.program.headers)
    assert (wrong.status_code, wrong.json()["code"]) == (405, "bad_method")


async def test_nobody_gets_in_without_a_token_and_guessing_is_slowed_down(http: Client, platform: Platform) -> None:
    at = await heated(http, platform.door)
    for headers in ({}, {"authorization": "Basic x"}, {"authorization": "Bearer ls_wrong"}, {"authorization": f"Bearer {at.token}"}):
        answer = await http.get("/api/v1/sites", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    codes = [(await http.get("/api/v1/me", headers={"authorization": f"Bearer ls_{n:032}"})).status_code for n in range(70)]
    assert set(codes) == {401, 429}
    assert codes[-1] == 429
    assert int((await http.get("/api/v1/me", headers={"authorization": "Bearer x"})).headers["retry-after"]) >= 1


async def test_one_person_can_not_ask_for_ever(http: Client, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    at, other = await heated(http, platform.door), await heated(http, platform.door)
    moment = time.monotonic()
    desk = Buckets(20, 200, clock=lambda: moment)
    monkeypatch.setattr("lineset.api.edge.Buckets", lambda *_: desk)
    answers = [(await at.program.get("/me")).status_code for _ in range(210)]
    assert (answers.count(200), answers.count(429), answers[-1]) == (200, 10, 429)
    assert (await other.program.get("/me")).status_code == 200


def test_buckets_fill_again_and_forget_whom_they_can() -> None:
    clock = [0.0]
    buckets = Buckets(rate=2, burst=4, clock=lambda: clock[0])
    for _ in range(4):
        buckets.take("a")
    with pytest.raises(TooMany) as full:
        buckets.take("a")
    assert full.value.wait_s == 1
    buckets.take("b")
    clock[0] = 1.0
    buckets.take("a")
    buckets.take("a")
    with pytest.raises(TooMany):
        buckets.take("a")
    clock[0] = 100.0
    assert buckets.left("a") == 4


async def test_the_description_is_openapi_and_names_every_promised_route(http: Client) -> None:
    answer = await http.get("/api/v1/openapi.json")
    described = answer.json()
    assert described["openapi"].startswith("3.1")
    assert {
        "/api/v1/me",
        "/api/v1/sites",
        "/api/v1/sites/{site_id}",
        "/api/v1/equipment/{equipment_id}",
        "/api/v1/equipment/{equipment_id}/latest",
        "/api/v1/equipment/{equipment_id}/series",
        "/api/v1/equipment/{equipment_id}/commands",
        "/api/v1/commands/{command_id}",
        "/api/v1/gateways/{gateway_id}/frames",
        "/api/v1/gateways/{gateway_id}/events",
        "/api/v1/gateways/{gateway_id}/troubles",
        "/api/v1/privacy/requests",
        "/api/v1/enrolment",
        "/api/v1/enrolment/renew",
    } <= set(described["paths"])
    assert all(path.startswith("/api/v1/") for path in described["paths"])
    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
