"""The signed statement that something was erased: what, when, from where, what was searched afterwards, and until when copies last.

It holds ids, codes and times alone. The signature is Ed25519 (RFC 8032) over the statement as JSON with sorted keys.
"""

import base64
import binascii
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lineset.privacy.vault import Vault


def certificate_key(vault: Vault) -> Ed25519PrivateKey:
    """The platform's key for certificates, derived from its master key in `secrets/`."""
    return Ed25519PrivateKey.from_private_bytes(vault.text_digest("erasure", "certificate key"))


def sign(statement: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The statement with its signature and the public key that checks it."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "statement": statement,
        "signature": base64.b64encode(key.sign(_bytes(statement))).decode(),
        "public_key": base64.b64encode(public).decode(),
    }


def holds(certificate: dict[str, Any], key: Ed25519PublicKey | None = None) -> bool:
    """Whether a certificate is whole: signed by that key, or where none is given by the one that it names."""
    try:
        public = key or Ed25519PublicKey.from_public_bytes(base64.b64decode(certificate["public_key"], validate=True))
        public.verify(base64.b64decode(certificate["signature"], validate=True), _bytes(certificate["statement"]))
    except (InvalidSignature, KeyError, TypeError, ValueError, binascii.Error):
        return False
    return True


def _bytes(statement: dict[str, Any]) -> bytes:
    return msgspec.json.encode(statement, order="sorted")
