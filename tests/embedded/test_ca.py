"""The platform's authority: whom it signs for, and what it takes over from a request."""

import ssl
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lineset.kit.ca import Authority, still_good
from lineset.kit.errors import Invalid
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings

from tests.support.devices import make_csr


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_gateway_gets_its_own_name_one_use_and_ninety_days(settings: Settings) -> None:
    authority, gateway = Authority.open(settings), str(new_id())
    _, csr = make_csr("another gateway's id")
    signed = authority.sign_gateway(csr, gateway)
    certificate = x509.load_pem_x509_certificate(signed.pem.encode())
    assert certificate.subject.rfc4514_string() == f"CN={gateway}"
    assert certificate.fingerprint(hashes.SHA256()).hex() == signed.fingerprint
    assert f"{certificate.serial_number:x}" == signed.serial
    assert 89.9 < (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() / 86400 < 90.1
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_openssl_agrees_with_the_chain(settings: Settings, tmp_path: Path) -> None:
    authority = Authority.open(settings)
    _, csr = make_csr()
    (tmp_path / "device.pem").write_text(authority.sign_gateway(csr, str(new_id())).pem)
    server, _ = authority.server(["lineset.example", "192.0.2.9"])
    (tmp_path / "server.pem").write_text(server)
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", str(settings.data / "ca.pem")]
    for name, purpose, wrong in (("device", "sslclient", "sslserver"), ("server", "sslserver", "sslclient")):
        path = str(tmp_path / f"{name}.pem")
        assert subprocess.run([*verify, "-purpose", purpose, path], capture_output=True, check=False).returncode == 0
        assert subprocess.run([*verify, "-purpose", wrong, path], capture_output=True, check=False).returncode != 0
    for host in ("-verify_hostname", "lineset.example"), ("-verify_ip", "192.0.2.9"), ("-verify_hostname", "localhost"):
        subprocess.run([*verify, *host, str(tmp_path / "server.pem")], capture_output=True, check=True)


@pytest.mark.parametrize("csr", ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "x" * 9000])
def test_what_is_no_request_is_refused(settings: Settings, csr: str) -> None:
    with pytest.raises(Invalid, match="certificate request") as refused:
        Authority.open(settings).sign_gateway(csr, "g")
    assert refused.value.field == "csr"


def test_request_signed_by_another_key_is_refused(settings: Settings) -> None:
    der = bytearray(x509.load_pem_x509_csr(make_csr()[1].encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1  # the last byte of the signature
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(Invalid, match="not signed by the key"):
        Authority.open(settings).sign_gateway(forged, "g")


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())], ids=["rsa", "k1"])
def test_other_kinds_of_keys_are_refused(settings: Settings, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    with pytest.raises(Invalid, match="P-256 or P-384"):
        Authority.open(settings).sign_gateway(request(key), "g")


def test_processes_that_ask_at_once_get_the_same_authority_and_its_key_is_private(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            (settings.data / "ca.pem").unlink(missing_ok=True)
            roots = {authority.pem for authority in pool.map(lambda _: Authority.open(settings), range(16))}
            assert len(roots) == 1
    assert stat.S_IMODE((settings.secrets_folder / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.secrets_folder.stat().st_mode) == 0o700
    assert (settings.data / "ca.pem").read_text() == roots.pop()


def test_lost_public_root_is_made_anew_and_what_was_signed_stays_good(settings: Settings) -> None:
    chain, key = Authority.open(settings).server()
    (settings.data / "ca.pem").unlink()
    Authority.open(settings)
    path = settings.data / "server.pem"
    path.write_bytes(chain.encode() + key)
    ssl.create_default_context(cafile=str(settings.data / "ca.pem"))
    subprocess.run(["openssl", "verify", "-CAfile", str(settings.data / "ca.pem"), str(path)], capture_output=True, check=True)
    assert still_good(chain.encode(), (), days_left=30)
    assert not still_good(chain.encode(), (), days_left=91)
    assert not still_good(chain.encode(), ("another.example",), days_left=30)
    assert not still_good(b"nonsense", (), days_left=30)
