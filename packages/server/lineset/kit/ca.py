"""The platform's own certificate authority: one EC P-256 root, certificates for its servers and for gateways.

The root's key stays in the secrets folder (mode 600); `ca.pem` is public. Profiles follow RFC 5280.
"""

import fcntl
import ipaddress
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings

GATEWAY_DAYS = 90
SERVER_DAYS = 90
_ROOT_DAYS = 20 * 365
_SKEW = timedelta(minutes=5)  # a gateway's clock may lag a little
_MAX_CSR = 8192  # bytes of PEM; one with a P-256 key has about 400
_CURVES = (ec.SECP256R1, ec.SECP384R1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with what its keeper writes down."""

    pem: str
    serial: str  # hexadecimal, as the CA counts
    fingerprint: str  # SHA-256 of the DER form, lower-case hexadecimal
    ends: float  # seconds since 1970

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Certificate":
        """What stands in that certificate."""
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            f"{certificate.serial_number:x}",
            certificate.fingerprint(hashes.SHA256()).hex(),
            certificate.not_valid_after_utc.timestamp(),
        )


class Authority:
    """Signs for this installation. Made once for a data folder; several machines share its secrets folder."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, root: x509.Certificate) -> None:
        self._key = key
        self._root = root

    @classmethod
    def open(cls, settings: Settings) -> "Authority":
        """The authority of the data folder, made at first use. Processes may ask at the same time and get the same one."""
        path = settings.secrets_folder / "ca.key"
        if not path.exists():
            settings.secrets_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_once(path, _pem(ec.generate_private_key(ec.SECP256R1())))
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Invalid("bad_ca_key", f"{path} is not the platform's key. Restore it from a backup of the secrets folder.")
        public = settings.data / "ca.pem"
        root = _read_root(public, key) or _publish_root(public, key, settings.secrets_folder)
        if root is None:
            raise Invalid("bad_ca", f"{public} does not belong to {path}. Delete {public} and start again; devices keep working.")
        return cls(key, root)

    @property
    def pem(self) -> str:
        """The root's certificate, public."""
        return self._root.public_bytes(serialization.Encoding.PEM).decode()

    def server(self, hosts: Iterable[str] = (), days: float = SERVER_DAYS, *, peer: bool = False) -> tuple[str, bytes]:
        """A new key and certificate for the platform's servers: localhost, this machine's loopback addresses, and `hosts`.

        With `peer` it also serves to call other servers of a cluster.

        Returns the certificate with the root behind it, and the key, both in PEM.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if peer else [])]
        builder = _builder(_name("Lineset server"), self._root.subject, key.public_key(), days)
        certificate = (
            builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in server_hosts(hosts)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(self._issuer_key(), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Certificate.of(certificate).pem + self.pem, _pem(key)

    def sign_gateway(self, csr: str, gateway_id: str, days: float = GATEWAY_DAYS) -> Certificate:
        """A certificate for the key in `csr` (PKCS #10, PEM), naming the gateway. Nothing else that the request asks for is taken over.

        Raises:
            Invalid: it is no request, its signature does not fit its key, or its key is of a kind we don't take.
        """
        request = read_csr(csr)
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _CURVES):
            raise Invalid("bad_key", "The request's key must be an EC key on the curve P-256 or P-384.", "csr")
        certificate = (
            _builder(_name(gateway_id), self._root.subject, key, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(self._issuer_key(), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Certificate.of(certificate)

    def _issuer_key(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())


def server_hosts(hosts: Iterable[str]) -> list[str]:
    """The names and addresses that a server certificate covers, without repeats."""
    return list(dict.fromkeys(["localhost", "127.0.0.1", "::1", *hosts]))


def still_good(pem: bytes, hosts: Iterable[str], days_left: float) -> bool:
    """Whether a server certificate covers exactly these hosts and lasts at least `days_left` days more."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    covers = set(names) == {_host(host) for host in server_hosts(hosts)}
    return covers and certificate.not_valid_after_utc - now() > timedelta(days=days_left)


def read_csr(pem: str) -> x509.CertificateSigningRequest:
    """A certificate request whose signature fits its key. Raises Invalid as `Authority.sign_gateway` does."""
    if len(pem) > _MAX_CSR:
        raise Invalid("bad_csr", f"A certificate request has at most {_MAX_CSR} characters.", "csr")
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        genuine = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid("bad_csr", "This is not a certificate request. Send a PKCS #10 request in PEM form.", "csr") from error
    if not genuine:
        raise Invalid("bad_csr_signature", "The request is not signed by the key that it names.", "csr")
    return request


def _make_root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    # the name differs between installations, so that a device that trusts two keeps them apart
    name = _name(f"Lineset CA {x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:12]}")
    return (
        _builder(name, name, key.public_key(), _ROOT_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _read_root(path: Path, key: ec.EllipticCurvePrivateKey) -> x509.Certificate | None:
    """The root in that file, if it is there and belongs to the key."""
    try:
        root = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return root if root.public_key() == key.public_key() else None


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: float) -> x509.CertificateBuilder:
    at = now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _SKEW)
        .not_valid_after(at + timedelta(days=days))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _publish_root(public: Path, key: ec.EllipticCurvePrivateKey, secrets_folder: Path) -> x509.Certificate | None:
    """Make the root's certificate unless another process did meanwhile: each that is made differs, and all have to know the same."""
    folder = os.open(secrets_folder, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        root = _read_root(public, key)
        if root is None:
            public.unlink(missing_ok=True)
            _write_once(public, _make_root(key).public_bytes(serialization.Encoding.PEM), mode=0o644)
            root = _read_root(public, key)
        return root
    finally:
        os.close(folder)


def _write_once(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that whoever is first makes whole; later ones leave it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
