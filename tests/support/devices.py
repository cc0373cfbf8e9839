"""Devices of a test: keys, certificates and MQTT connections as a real device has them."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import aiomqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lineset.gateways import Allowed, ByCertificate, Refused
from lineset.gateways.identity import Shown
from lineset.kit.ca import Authority, Certificate
from lineset.kit.settings import Settings


def make_csr(common_name: str = "whatever the device says") -> tuple[bytes, str]:
    """A new P-256 key (PEM) and a certificate request signed by it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, request.public_bytes(serialization.Encoding.PEM).decode()


def enrolled(authority: Authority, gateway: UUID, folder: Path, days: float = 90) -> tuple[Path, Certificate]:
    """A device's file with its key and a certificate of that authority, and the certificate."""
    key, csr = make_csr()
    certificate = authority.sign_gateway(csr, str(gateway), days)
    path = folder / f"{certificate.serial}.pem"
    path.write_bytes(key + certificate.pem.encode())
    return path, certificate


def connect(
    settings: Settings,
    gateway: UUID | str,
    *,
    identity: Path | None = None,
    token: str | None = None,
    client_id: str | None = None,
    trust: Path | None = None,
    clean: bool = True,
    patience_s: float = 8,
) -> aiomqtt.Client:
    """An MQTT connection over TLS: with a certificate on its port, with a token on the other one."""
    context = ssl.create_default_context(cafile=str(trust or settings.data / "ca.pem"))
    if identity is not None:
        context.load_cert_chain(identity)
    return aiomqtt.Client(
        "localhost",
        settings.mqtt_port if identity is not None else settings.mqtt_token_port,
        identifier=client_id or str(gateway),
        username=str(gateway) if token else None,
        password=token,
        tls_context=context,
        clean_session=clean,
        timeout=patience_s,
    )


@dataclass
class Known:
    """Who devices are, kept in memory: what the callout asks in tests of the broker alone."""

    certificates: dict[str, UUID] = field(default_factory=dict)
    tokens: dict[tuple[str, str], UUID] = field(default_factory=dict)
    asked: int = 0

    async def identify(self, shown: Shown) -> Allowed | Refused:
        self.asked += 1
        if isinstance(shown, ByCertificate):
            found = self.certificates.get(shown.fingerprint)
        else:
            found = self.tokens.get((shown.gateway, shown.token))
        return Allowed(found) if found else Refused("unknown", "not known")

    def forget(self, gateway: UUID) -> None:
        """Nothing is remembered between questions."""

    def forget_all(self) -> None:
        """Nothing is remembered between questions."""

    async def live(self, gateways: list[UUID]) -> set[UUID]:
        return {*self.certificates.values(), *self.tokens.values()} & set(gateways)

    def revoke(self, gateway: UUID) -> None:
        self.certificates = {key: value for key, value in self.certificates.items() if value != gateway}
        self.tokens = {key: value for key, value in self.tokens.items() if value != gateway}
