"""Enrolment and renewal against an HTTPS server that answers as the cloud does."""

import asyncio
import base64
import json
import ssl
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lineset_agent.config import AgentConfig, ConfigError, Identity, load_identity, load_settings
from lineset_agent.enrol import EnrolError, enrol, keep_token, renew_if_due
from lineset_agent.runtime import Agent

from tests.agent.machines import HeatPump
from tests.agent.world import PEM, Authority, Broker, config, free_port, running, until

GATEWAY = "019a0000-0000-7000-8000-000000000001"


class CloudServer(ThreadingHTTPServer):
    """Answers enrolment and renewal; `life` and `age` shape the next certificate, `spoil` breaks the next answer."""

    def __init__(self, authority: Authority, mqtt_port: int = 8883) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authority = authority
        self.mqtt_port = mqtt_port
        self.life = timedelta(days=30)
        self.age = timedelta()
        self.spoil = ""
        self.asked: list[dict[str, Any]] = []
        self.servers: list[str] = []

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.folder / "web.pem")
        try:
            return context.wrap_socket(connection, server_side=True), address
        except OSError:
            connection.close()
            raise

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(body)
        csr = x509.load_pem_x509_csr(body["csr"].encode())
        assert csr.is_signature_valid
        public = csr.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert public.curve.name == "secp256r1"
        if path.endswith("/renew"):
            old = x509.load_pem_x509_certificate(body["certificate"].encode()).public_key()
            assert isinstance(old, ec.EllipticCurvePublicKey)
            old.verify(base64.b64decode(body["signature"]), csr.public_bytes(Encoding.DER), ec.ECDSA(hashes.SHA256()))
        elif body["code"] != "ABCD-1234":
            return 409, {"detail": "This code is not known. Look at the box again."}
        key = ec.generate_private_key(ec.SECP256R1()).public_key() if self.spoil == "key" else public
        issuer = Authority(self.authority.folder, "stranger") if self.spoil == "issuer" else self.authority
        certificate = issuer.issue(GATEWAY, key, self.life, self.age).decode()
        if self.spoil == "lost":
            self.spoil = ""
            return 503, {"detail": "not now"}
        return 201, {
            "gateway": "another" if self.spoil == "gateway" else GATEWAY,
            "certificate": certificate,
            "ca": self.authority.pem.decode(),
            "mqtt": {"host": "localhost", "port": self.mqtt_port, "servers": self.servers},
        }


class _Handler(BaseHTTPRequestHandler):
    server: CloudServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = self.server.answer(self.path, body)
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudServer]:
    folder = tmp_path / "cloud"
    folder.mkdir()
    authority = Authority(folder)
    authority.pair("web")
    server = CloudServer(authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(cloud: CloudServer) -> str:
    return f"https://localhost:{cloud.server_port}"


def enrolled(cloud: CloudServer, data: Path) -> Identity:
    asyncio.run(enrol(address(cloud), " ABCD-1234 ", data, cloud.authority.path))
    return load_identity(data)


def test_the_agent_learns_all_servers_of_its_cloud(cloud: CloudServer, tmp_path: Path) -> None:
    identity = enrolled(cloud, tmp_path / "one")
    assert AgentConfig(identity, tmp_path).brokers() == [("localhost", 8883)]
    cloud.servers = ["a.example.org:8883", "[2001:db8::7]:1883"]
    identity = enrolled(cloud, tmp_path / "two")
    assert AgentConfig(identity, tmp_path).brokers() == [("a.example.org", 8883), ("2001:db8::7", 1883)]
    assert AgentConfig(identity, tmp_path, servers=("b.example.org:1",)).brokers() == [("b.example.org", 1)]
    cloud.servers = ["a.example.org"]
    with pytest.raises(EnrolError, match="write host:port"):
        enrolled(cloud, tmp_path / "three")


def test_a_server_in_the_settings_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('servers = ["lineset.example.org:8883", "b:"]\n')
    with pytest.raises(ConfigError, match="'b:' is no server; write host:port"):
        load_settings(tmp_path)


def test_EQP_02_a_claim_code_becomes_an_identity(cloud: CloudServer, tmp_path: Path) -> None:
    data = tmp_path / "agent"
    identity = enrolled(cloud, data)
    assert identity.gateway == GATEWAY
    assert (identity.host, identity.port) == ("localhost", 8883)
    assert identity.certificate is not None
    pem = identity.certificate.read_bytes()
    key = load_pem_private_key(pem, None)
    assert key.public_key() == x509.load_pem_x509_certificate(pem).public_key()
    for path in data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert not (data / "new-key.pem").exists()
    assert b"PRIVATE" not in json.dumps(cloud.asked).encode(), "the key never leaves the device"
    identity.tls()
    # the folder may move
    moved = data.rename(tmp_path / "elsewhere")
    load_identity(moved).tls()


def test_a_lost_answer_is_asked_for_again_with_the_same_key(cloud: CloudServer, tmp_path: Path) -> None:
    cloud.spoil = "lost"
    with pytest.raises(EnrolError, match="not now"):
        enrolled(cloud, tmp_path / "agent")
    enrolled(cloud, tmp_path / "agent")
    first, second = (x509.load_pem_x509_csr(body["csr"].encode()).public_key() for body in cloud.asked)
    assert first == second


def test_SEC_02_a_cloud_of_an_unknown_authority_is_not_talked_to(cloud: CloudServer, tmp_path: Path) -> None:
    with pytest.raises(EnrolError, match="--ca"):
        asyncio.run(enrol(address(cloud), "ABCD-1234", tmp_path / "agent"))
    other = Authority(tmp_path, "other")
    with pytest.raises(EnrolError, match="cannot be reached"):
        asyncio.run(enrol(address(cloud), "ABCD-1234", tmp_path / "agent", other.path))
    assert cloud.asked == []


@pytest.mark.parametrize("server", ["http://cloud.example.org", "ftp://localhost", "cloud", "http://10.0.0.1", ""])
def test_SEC_02_no_plain_connection_but_to_this_machine(server: str, tmp_path: Path) -> None:
    with pytest.raises(EnrolError, match="https://"):
        asyncio.run(enrol(server, "ABCD-1234", tmp_path / "agent"))


@pytest.mark.parametrize(("spoil", "say"), [("key", "another key"), ("issuer", "its own authority")])
def test_a_certificate_that_is_not_ours_is_not_kept(cloud: CloudServer, tmp_path: Path, spoil: str, say: str) -> None:
    cloud.spoil = spoil
    with pytest.raises(EnrolError, match=say):
        enrolled(cloud, tmp_path / "agent")
    assert not (tmp_path / "agent" / "gateway.json").exists()


def test_a_wrong_code_says_what_the_cloud_said(cloud: CloudServer, tmp_path: Path) -> None:
    with pytest.raises(EnrolError, match="Look at the box again"):
        asyncio.run(enrol(address(cloud), "WRONG", tmp_path / "agent", cloud.authority.path))


def test_renewal_happens_in_the_last_third_of_a_certificates_life(cloud: CloudServer, tmp_path: Path) -> None:
    data = tmp_path / "agent"
    identity = enrolled(cloud, data)
    assert identity.certificate is not None
    before = identity.certificate.read_bytes()
    now = datetime.now(UTC)
    assert not asyncio.run(renew_if_due(identity, data, now + timedelta(days=19)))
    assert identity.certificate.read_bytes() == before
    assert asyncio.run(renew_if_due(identity, data, now + timedelta(days=21)))
    after = identity.certificate.read_bytes()
    assert after != before
    assert x509.load_pem_x509_certificate(after).public_key() == load_pem_private_key(after, None).public_key()
    assert cloud.asked[-1]["gateway"] == GATEWAY
    cloud.spoil = "gateway"
    with pytest.raises(EnrolError, match="another gateway"):
        asyncio.run(renew_if_due(identity, data, now + timedelta(days=25)))
    assert identity.certificate.read_bytes() == after


def test_a_running_agent_renews_and_comes_back_with_the_new_certificate_at_the_new_servers(cloud: CloudServer, tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    folder.mkdir()
    broker = Broker(folder, cloud.authority, certificates=True)
    cloud.mqtt_port = free_port()  # where nobody is any more
    cloud.life, cloud.age = timedelta(days=30), timedelta(days=25)
    data = tmp_path / "agent"
    identity = enrolled(cloud, data)
    assert identity.certificate is not None
    before = identity.certificate.read_bytes()
    cloud.age, cloud.servers = timedelta(), [f"localhost:{broker.mqtt_port}"]

    async def scenario() -> None:
        base = config(broker, GATEWAY, tmp_path / "unused")
        settings = msgspec.structs.replace(base, identity=identity, data=data)
        agent = Agent(settings, HeatPump())
        async with running(agent.run()):
            await until(lambda: identity.certificate is not None and identity.certificate.read_bytes() != before)
            await until(lambda: agent.connected)

    broker.start()
    try:
        asyncio.run(scenario())
    finally:
        broker.kill()


def test_a_token_is_kept_for_its_owner_only(tmp_path: Path, authority: Authority) -> None:
    keep_token("", "gw", "secret\n", "localhost", 8884, tmp_path / "agent", authority.path)
    identity = load_identity(tmp_path / "agent")
    assert identity.token() == "secret"
    assert stat.S_IMODE((tmp_path / "agent" / "token").stat().st_mode) == 0o600
    assert PEM is Encoding.PEM
    identity.tls()
