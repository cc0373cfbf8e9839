"""Enrolment: a key made on this device, a certificate from the cloud, renewed in time.

The private key never leaves the device. Key and certificate chain live in one file, so that replacing both is one
rename and a power cut leaves either the old pair or the new one.
"""

import base64
import contextlib
import ipaddress
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lineset_agent.config import IDENTITY_FILE, ConfigError, Identity, broker, save_identity

if TYPE_CHECKING:
    import httpx

CERTIFICATE_FILE = "identity.pem"
CA_FILE = "ca.pem"
_NEW_KEY_FILE = "new-key.pem"
_TIMEOUT_S = 30.0


class EnrolError(Exception):
    """Enrolment or renewal did not come about; the message says what to do."""


class _Mqtt(msgspec.Struct):
    host: str
    port: int
    servers: tuple[str, ...] = ()


class Enrolled(msgspec.Struct):
    """The cloud's answer: the gateway's id, its certificate chain and the platform's CA in PEM, where MQTT is."""

    gateway: str
    certificate: str
    ca: str
    mqtt: _Mqtt


async def enrol(server: str, code: str, data: Path, ca: Path | None = None) -> Identity:
    """Turn a claim code into an identity in the data folder.

    `ca` pins a private authority for the HTTPS connection. A code works once: the key made for it is kept until the
    answer came, so that a second try after a lost answer presents the same key. Raises EnrolError.
    """
    url = _checked(server)
    _make_folder(data)
    key = _new_key(data)
    request = {"code": code.strip(), "csr": _csr(key).public_bytes(serialization.Encoding.PEM).decode()}
    answer = await _post(f"{url}/api/v1/enrolment", request, ca)
    return _install(answer, key, data, url, kept_ca=ca)


async def renew_if_due(identity: Identity, data: Path, now: datetime | None = None) -> bool:
    """Renew the certificate when less than a third of its life is left; True when there is a new one.

    The request is signed with the present key, so it works without a client certificate at the web server.
    Raises EnrolError.
    """
    if identity.certificate is None:
        return False
    pem = _read(identity.certificate)
    key_pem = pem if identity.key is None else _read(identity.key)
    certificate = x509.load_pem_x509_certificate(pem)
    if not due(certificate, now or datetime.now(UTC)):
        return False
    old_key = _load_key(key_pem)
    key = _new_key(data)
    csr = _csr(key)
    signature = old_key.sign(csr.public_bytes(serialization.Encoding.DER), ec.ECDSA(hashes.SHA256()))
    request = {
        "gateway": identity.gateway,
        "csr": csr.public_bytes(serialization.Encoding.PEM).decode(),
        "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    answer = await _post(f"{_checked(identity.server)}/api/v1/enrolment/renew", request, _web_ca(data))
    if answer.gateway != identity.gateway:
        raise EnrolError("The cloud answered the renewal for another gateway. Nothing was changed.")
    _install(answer, key, data, identity.server, kept_ca=_web_ca(data))
    return True


def due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether less than a third of a certificate's life is left."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (end - now) < (end - begin) / 3


def keep_token(server: str, gateway: str, token: str, host: str, port: int, data: Path, ca: Path | None) -> Identity:
    """An identity by token instead of a certificate, for a gateway that was made on the site's page."""
    _make_folder(data)
    _write(data / "token", token.strip().encode() + b"\n")
    if ca is not None:
        _write(data / CA_FILE, _read(ca))
    identity = Identity(gateway, host, port, server, None if ca is None else Path(CA_FILE), token_file=Path("token"))
    _write(data / IDENTITY_FILE, save_identity(identity))
    return identity


async def _post(url: str, body: dict[str, str], ca: Path | None) -> Enrolled:
    import httpx  # noqa: PLC0415  12 MB that a running agent needs once in two months

    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT_S, follow_redirects=False) as client:
            response = await client.post(url, json=body)
    except httpx.ConnectError as error:
        hint = " If the cloud uses a private authority, give its certificate with --ca." if "CERT" in str(error) else ""
        raise EnrolError(f"{url} cannot be reached: {error}.{hint}") from None
    except (httpx.HTTPError, OSError, ssl.SSLError) as error:
        raise EnrolError(f"{url} did not answer ({type(error).__name__} {error}). Try again.") from None
    if response.status_code not in {200, 201}:
        raise EnrolError(f"The cloud said no ({response.status_code}): {_reason(response)}")
    try:
        return msgspec.json.decode(response.content, type=Enrolled)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise EnrolError(f"The cloud's answer cannot be used: {error}") from None


def _reason(response: "httpx.Response") -> str:
    with contextlib.suppress(ValueError, AttributeError):
        body = response.json()
        return str(body.get("detail") or body.get("title") or body)[:300]
    return response.text[:300] or "no reason given"


def _install(answer: Enrolled, key: ec.EllipticCurvePrivateKey, data: Path, server: str, kept_ca: Path | None) -> Identity:
    _verify(answer, key)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(data / CA_FILE, answer.ca.encode())
    if kept_ca is not None and kept_ca.resolve() != (data / "web-ca.pem").resolve():
        _write(data / "web-ca.pem", _read(kept_ca))
    _write(data / CERTIFICATE_FILE, private + answer.certificate.encode())
    mqtt = answer.mqtt
    identity = Identity(answer.gateway, mqtt.host, mqtt.port, server, Path(CA_FILE), Path(CERTIFICATE_FILE), servers=mqtt.servers)
    _write(data / IDENTITY_FILE, save_identity(identity))
    (data / _NEW_KEY_FILE).unlink(missing_ok=True)
    return identity


def _verify(answer: Enrolled, key: ec.EllipticCurvePrivateKey) -> None:
    """The certificate must be for our key and from the CA that came with it, and servers must be servers. Raises EnrolError."""
    try:
        for named in answer.mqtt.servers:
            broker(named)
    except ConfigError as error:
        raise EnrolError(f"The cloud's answer cannot be used: {error}") from None
    try:
        certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
        authorities = x509.load_pem_x509_certificates(answer.ca.encode())
        chain = x509.load_pem_x509_certificates(answer.certificate.encode())[1:]
    except ValueError as error:
        raise EnrolError(f"The cloud's certificate cannot be read: {error}") from None
    if certificate.public_key() != key.public_key():
        raise EnrolError("The cloud's certificate is for another key. Nothing was changed.")
    for issuer in (*chain, *authorities):
        with contextlib.suppress(ValueError, TypeError, InvalidSignature):
            certificate.verify_directly_issued_by(issuer)
            return
    raise EnrolError("The cloud's certificate does not come from its own authority. Nothing was changed.")


def _csr(key: ec.EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
    # The cloud puts the gateway's id in; a device has no say in its own name.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lineset gateway")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


def _new_key(data: Path) -> ec.EllipticCurvePrivateKey:
    path = data / _NEW_KEY_FILE
    with contextlib.suppress(OSError, ValueError, EnrolError):
        return _load_key(path.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return key


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise EnrolError(f"The gateway's key cannot be read ({error}). Enrol the gateway again.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolError("The gateway's key is not an elliptic-curve key. Enrol the gateway again.")
    return key


def _checked(server: str) -> str:
    """An https address; http only to this machine itself, where nobody can listen between."""
    parts = urlsplit(server.rstrip("/"))
    if parts.scheme == "https" and parts.hostname:
        return server.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return server.rstrip("/")
    raise EnrolError(f"{server!r} is not usable: give an https:// address (http:// only for localhost).")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _web_ca(data: Path) -> Path | None:
    path = data / "web-ca.pem"
    return path if path.exists() else None


def _make_folder(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise EnrolError(f"The folder {data} cannot be made ({error.strerror}). Choose another with --data.") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnrolError(f"{path} cannot be read ({error.strerror}).") from None


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner only, and on the disk before this returns."""
    fresh = path.with_name(path.name + ".fresh")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise EnrolError(f"{path} cannot be written ({error.strerror}).") from None
