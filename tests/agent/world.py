"""A broker, an authority and the cloud's side of the wire, all real, for tests of the agent."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import nats
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lineset_agent.config import AgentConfig, Identity
from lineset_contract.wire import (
    Ack,
    Command,
    Desired,
    Event,
    Frame,
    FrameMessage,
    Refused,
    Reported,
    Result,
    Status,
    WireValue,
    decode,
    encode,
)
from nats.aio.client import Client
from nats.aio.msg import Msg

TOKEN = "a token for tests"
SERVER = Path(sys.executable).with_name("nats-server")
PEM = serialization.Encoding.PEM


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], bool], within: float = 15.0, what: str = "") -> None:
    """Wait for a condition, never for a time."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s: {what or condition}"
        await asyncio.sleep(0.01)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """A throw-away certificate authority."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test authority {name}")])
        self.certificate = (
            self._builder(subject, subject, self.key.public_key(), timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(PEM)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self.pem)

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta, age: timedelta = timedelta()
    ) -> x509.CertificateBuilder:  # fmt: skip
        begin = datetime.now(UTC) - timedelta(minutes=1) - age
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + life)
        )

    def issue(self, name: str, key: ec.EllipticCurvePublicKey, life: timedelta = timedelta(days=1), age: timedelta = timedelta()) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
        made = self._builder(subject, self.certificate.subject, key, life, age).add_extension(names, critical=False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(PEM)

    def pair(self, name: str) -> Path:
        """A file with key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / f"{name}.pem"
        path.write_bytes(key_pem(key) + self.issue(name, key.public_key()))
        return path


class Broker:
    """nats-server with MQTT over TLS on free loopback ports, which stay the same over restarts."""

    def __init__(self, folder: Path, authority: Authority, certificates: bool = False) -> None:
        self.folder = folder
        self.authority = authority
        self.port, self.mqtt_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        pair = authority.pair("localhost")
        # one token for every gateway: each test uses a gateway of its own
        users = "" if certificates else f'authorization {{ token: "{TOKEN}" }}'
        (folder / "nats.conf").write_text(f"""
server_name: test
listen: "127.0.0.1:{self.port}"
jetstream {{ store_dir: "{folder / "js"}" }}
{users}
mqtt {{
  listen: "127.0.0.1:{self.mqtt_port}"
  tls {{ cert_file: "{pair}", key_file: "{pair}", ca_file: "{authority.path}", verify: {str(certificates).lower()} }}
}}
""")

    def start(self) -> None:
        self.process = subprocess.Popen([SERVER, "-c", str(self.folder / "nats.conf"), "-l", str(self.folder / "nats.log")])
        for port in (self.port, self.mqtt_port):
            self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert time.monotonic() < end, (self.folder / "nats.log").read_text()[-2000:]
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Cloud:
    """The cloud's side for one gateway: commits messages once, acknowledges the contiguous prefix after that."""

    def __init__(self, client: Client, gateway: str) -> None:
        self.client = client
        self.gateway = gateway
        self.committed: dict[str, dict[int, list[Frame]]] = {}
        self.order: list[Frame] = []
        self.arrivals = 0
        self.silent = False
        self.hold_back = ""
        self.acks_sent = 0
        self.lose: Callable[[FrameMessage], bool] = lambda _: False
        self.refuse: Callable[[FrameMessage], list[Refused]] = lambda _: []
        self.events: list[Event] = []
        self.results: list[Result] = []
        self.statuses: list[Status] = []
        self.reported: list[Reported] = []

    def through(self, epoch: str) -> int:
        kept = self.committed.get(epoch, {})
        through = 0
        while through + 1 in kept:
            through += 1
        return through

    def frames(self) -> list[Frame]:
        """All frames in the order in which they were committed."""
        return self.order

    def values(self, point: str) -> list[WireValue]:
        return [frame.v[point] for frame in self.order if point in frame.v]

    def forget(self) -> None:
        """As if a backup from before everything had been put back; what was stored is kept for the test to see."""
        self.committed.clear()

    async def hear(self, message: Msg) -> None:
        channel = message.subject.rsplit(".", 1)[1]
        if channel == "frames":
            await self._take_frames(decode(FrameMessage, message.data))
        elif channel == "events":
            self.events.append(decode(Event, message.data))
        elif channel == "results":
            self.results.append(decode(Result, message.data))
        elif channel == "status":
            self.statuses.append(decode(Status, message.data))
        elif channel == "reported":
            self.reported.append(decode(Reported, message.data))

    async def _take_frames(self, message: FrameMessage) -> None:
        self.arrivals += 1
        if self.lose(message):
            return
        if self.hold_back:
            self.committed.setdefault(message.epoch, {})
            await self.acknowledge(message.epoch, [Refused(message.seq, None, self.hold_back, "not now")])
            return
        kept = self.committed.setdefault(message.epoch, {})
        refused = self.refuse(message)
        if message.seq not in kept:
            bad = {one.index for one in refused}
            good = [] if None in bad else [frame for i, frame in enumerate(message.frames) if i not in bad]
            kept[message.seq] = good
            self.order += good
        await self.acknowledge(message.epoch, refused)

    async def acknowledge(self, epoch: str, refused: list[Refused] | None = None, through: int | None = None) -> None:
        if not self.silent:
            self.acks_sent += 1
            ack = Ack(epoch, self.through(epoch) if through is None else through, refused or [])
            await self.send("ack", encode(ack))

    async def send(self, channel: str, payload: bytes) -> None:
        await self.client.publish(f"lineset.v1.{self.gateway}.{channel}", payload)

    async def order_setting(self, id_: str, value: WireValue, expires: float, setting: str = "heating_setpoint") -> None:
        args: dict[str, WireValue] = {"setting": setting, "value": value}
        await self.send("commands", encode(Command(id_, "hp1", "set_setpoint", args, expires)))

    async def desire(self, desired: Desired) -> None:
        await self.send("desired", encode(desired))

    def states(self, id_: str) -> list[str]:
        return [result.state for result in self.results if result.id == id_]

    def errors(self) -> list[object]:
        return [event.detail.get("code") for event in self.events if event.kind == "error"]


@contextlib.asynccontextmanager
async def cloud_of(broker: Broker, gateway: str) -> AsyncIterator[Cloud]:
    client = await nats.connect(f"nats://127.0.0.1:{broker.port}", token=TOKEN, reconnect_time_wait=0.05)
    cloud = Cloud(client, gateway)
    await client.subscribe(f"lineset.v1.{gateway}.*", cb=cloud.hear)
    await client.flush()
    try:
        yield cloud
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def running(run: Awaitable[None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run something beside the test; its own failure fails the test."""
    task = asyncio.ensure_future(run)
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def config(broker: Broker, gateway: str, data: Path, **settings: float) -> AgentConfig:
    """An agent of a token gateway, impatient, so that tests are short."""
    data.mkdir(parents=True, exist_ok=True)
    token = data / "token"
    token.write_text(TOKEN)
    identity = Identity(gateway, "localhost", broker.mqtt_port, ca=broker.authority.path, token_file=token)
    quick: dict[str, float] = {
        "poll_interval": 0.05,
        "resend_after": 0.3,
        "resend_at_most": 1.0,
        "reconnect_after": 0.05,
        "network_timeout": 2.0,
        "reconnect_at_most": 0.2,
        "read_back_every": 0.05,
        **settings,
    }
    return AgentConfig(identity, data, **quick)  # type: ignore[arg-type]


def tls_of(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.path))
