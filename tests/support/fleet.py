"""A platform of its own for one benchmark or fault test: engines, roles as processes, and gateways that can connect."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lineset import migrating, platform, sites
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.gateways import create_gateway, create_token, enrol
from lineset.kit.bus import Bus, BusFault
from lineset.kit.ca import Authority
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.privacy import Context, Purpose, System
from sqlalchemy import text

SETUP = Context(System("setup"), Purpose.OPERATE)


def free_port() -> int:
    """A port on loopback that nobody uses now, below those that the kernel gives to outgoing connections: a client that tries such a
    port while its server is down could end up connected to itself."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


@dataclass
class Gateway:
    """A gateway that may connect: by certificate and key, or by token, and its machines by local name."""

    id: UUID
    certificate: Path
    key: Path
    token: str
    machines: dict[str, UUID]


class Place(Protocol):
    """A platform that gateways can reach: a `Rig`, or a cluster."""

    @property
    def settings(self) -> Settings:
        """As one of its processes has them."""

    def tls(self, gateway: Gateway | None = None) -> ssl.SSLContext:
        """How a device verifies the platform, with its certificate if it has one."""


@dataclass
class Rig:
    """Engines in a folder, and the platform's roles as processes."""

    settings: Settings
    postgres: EmbeddedPostgres
    nats: EmbeddedNats
    roles: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of the roles."""
        s = self.settings
        return os.environ | {
            "LINESET_DATA": str(s.data),
            "LINESET_PORT": str(s.web_port),
            "LINESET_MQTT_PORT": str(s.mqtt_port),
            "LINESET_MQTT_TOKEN_PORT": str(s.mqtt_token_port),
        }

    def start(self, role: str, name: str = "") -> None:
        """Start a role (`ingest`, `worker`, `web`) as a process."""
        log = self.settings.data / f"{name or role}.log"
        code = (
            "from lineset.kit.logs import configure; from lineset.kit.settings import from_environment;"
            f" from lineset.{role} import serve; configure({role!r}); serve(from_environment())"
        )
        with log.open("ab") as output:
            self.roles[name or role] = subprocess.Popen([sys.executable, "-c", code], env=self.env, stdout=output, stderr=output)

    def wait(self, role: str, patience_s: float = 60.0) -> None:
        """Wait until somebody answers for the role."""

        async def ask() -> None:
            bus = await Bus.connect(self.settings, "rig")
            end = time.monotonic() + patience_s
            while True:
                try:
                    await bus.request(f"health.{role}", timeout_s=0.5)
                except BusFault:
                    if time.monotonic() > end:
                        raise
                    await asyncio.sleep(0.1)
                else:
                    await bus.close()
                    return

        asyncio.run(ask())

    def kill(self, name: str) -> None:
        """End a role as a power cut would."""
        process = self.roles.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End the roles, then the engines."""
        for process in self.roles.values():
            process.terminate()
        for process in self.roles.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.nats.stop()
        self.postgres.stop()

    def tls(self, gateway: Gateway | None = None) -> ssl.SSLContext:
        """How a device verifies the platform, with its certificate if it has one."""
        context = ssl.create_default_context(cafile=str(self.settings.data / "ca.pem"))
        if gateway is not None:
            context.load_cert_chain(gateway.certificate, gateway.key)
        return context


@contextlib.contextmanager
def rig(data: Path) -> Iterator[Rig]:
    """Engines with a migrated database, and nothing else running yet."""
    data.mkdir(parents=True, exist_ok=True)
    settings = Settings(data=data, web_port=free_port(), mqtt_port=free_port(), mqtt_token_port=free_port())
    made = Rig(settings, EmbeddedPostgres(settings), EmbeddedNats(settings))
    try:
        made.postgres.start()
        made.nats.start()
        migrating.migrate_here(settings)
        yield made
    finally:
        made.stop()


def gateways(made: Place, count: int, machines: int = 2, *, apart: bool = False) -> list[Gateway]:
    """Gateways of one household, or, `apart`, of a household each, with machines hp0, hp1 …, certificates and tokens."""
    return asyncio.run(_gateways(made, count, machines, apart))


async def _site(open_: platform.Platform) -> UUID:
    """A household of its own with a site."""
    household = new_id()
    async with open_.door.open(SETUP) as tx:
        name = await tx.vault.seal(household, "Rig")
        await tx.session.execute(
            text("INSERT INTO households (id, name_sealed, created_at) VALUES (:id, :name, now())"), {"id": household, "name": name}
        )
        return await sites.create_site(tx, household, name="Rig", time_zone="UTC")


async def _gateways(made: Place, count: int, machines: int, apart: bool) -> list[Gateway]:
    folder = made.settings.data / "demo"
    folder.mkdir(exist_ok=True)
    result = []
    async with platform.open_platform(made.settings, "rig") as open_:
        authority = Authority.open(made.settings)
        for n in range(count):
            if n == 0 or apart:
                site = await _site(open_)
            async with open_.door.open(SETUP) as tx:
                code = await create_gateway(tx, site, f"Gateway {n}")
                gateway = code.gateway
                made_ = {}
                for m in range(machines):
                    new = sites.NewEquipment(name=f"HP {n}-{m}", type="heat_pump_air_air", local_name=f"hp{m}")
                    made_[f"hp{m}"] = await sites.add_equipment(tx, site, new, gateway_id=gateway)
                token = await create_token(tx, gateway)
            key = ec.generate_private_key(ec.SECP256R1())
            csr = x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])).sign(
                key, hashes.SHA256()
            )
            got = await enrol(open_.door, authority, code.code, csr.public_bytes(serialization.Encoding.PEM).decode(), f"rig-{n}")
            certificate, key_file = folder / f"{n}.pem", folder / f"{n}.key"
            certificate.write_text(got.certificate)
            key_file.write_bytes(
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            )
            result.append(Gateway(gateway, certificate, key_file, token.token, made_))
    return result
