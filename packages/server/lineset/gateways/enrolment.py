"""A claim code's two uses, each once: its owner claims the gateway, and the device enrols and gets its certificate.

Whoever holds a code is nobody yet, so these open the door themselves, as the platform's actor "enrolment"; tries are counted.
"""

import base64
import binascii
import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select, update

from lineset.accounts import Counter, admit, forgive
from lineset.gateways.codes import ClaimCode, code_digest, fold_code
from lineset.gateways.model import CertificateRow, FoundEquipmentRow, GatewayRow
from lineset.gateways.service import changed, checked_name, detach_machines, end_identities, give_code, household_to_equip, mine, revoked
from lineset.kit.ca import Authority, read_csr
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Door, Purpose, System, Tx
from lineset.privacy.rights import may

ENROLMENT = Context(System("enrolment"), Purpose.SECURITY)
MAX_PEM = 16_384
_FREE_TRIES = 10


class Enrolled(msgspec.Struct, frozen=True):
    """What a device gets: its gateway's id, its certificate and the platform's authority in PEM; when it ends, in seconds since 1970."""

    gateway: UUID
    certificate: str
    ca: str
    ends_at: float


async def claim(door: Door, context: Context, code: str, site_id: UUID, name: str) -> UUID:
    """Make the gateway with this code the household's whose site it is; its id. Happens once to a gateway until it is released.

    Raises:
        Invalid: the code can't be one or is not known, or the name.
        NotFound, Denied: the site is not shared with the asker, or not to change its equipment.
        Conflict: the gateway has an owner.
        TooMany: too many tries with codes that were none.
    """
    name = checked_name(name)
    async with door.open(context) as tx:
        household = await household_to_equip(tx, site_id)
    folded = fold_code(code)
    counter = Counter("claim code", str(context.person), _FREE_TRIES)
    await admit(door, counter)
    async with door.open(ENROLMENT) as tx:
        gateway = await _by_code(tx, folded)
        await forgive(tx, counter)
        if gateway.household_id is not None:
            raise Conflict("already_claimed", _WHOSE_TURN[gateway.enrolment_open])
        _require_in_time(gateway)
        gateway.household_id, gateway.site_id, gateway.name, gateway.claimed_at = household, site_id, name, now()
        await tx.session.flush()
        changed(tx, gateway.id)
    return gateway.id


_WHOSE_TURN = {
    True: "This gateway has an owner; now it is the device's turn to enrol with this code."
    " If it is yours now, ask the last owner to release it: that gives a new code.",
    False: "This gateway has an owner, and its code is used up."
    " If it is yours now, ask the last owner to release it: that gives a new code.",
}


async def enrol(door: Door, authority: Authority, code: str, csr_pem: str, address: str) -> Enrolled:
    """Give the device with this code a certificate for its own key. Happens once to a code; older identities of the gateway end.

    A device whose answer was lost may ask again with the same key, as long as what it got holds.
    `address` is the network address of the asker, for counting tries.

    Raises:
        Invalid: the code can't be one or is not known, or the request can't be used.
        Conflict: the code has enrolled a device already, or its time is over.
        TooMany: too many tries from this address.
    """
    csr = read_csr(csr_pem)
    folded = fold_code(code)
    counter = Counter("enrolment", address, _FREE_TRIES)
    await admit(door, counter)
    async with door.open(ENROLMENT) as tx:
        gateway = await _by_code(tx, folded)
        await forgive(tx, counter)
        if not gateway.enrolment_open and not await _same_device(tx, gateway, csr):
            raise Conflict(
                "already_enrolled",
                "This code has enrolled a device already. The gateway's owner can make a new code for it on the gateway's page.",
            )
        _require_in_time(gateway)
        moment = now()
        await _end_certificates(tx, gateway.id, moment)
        enrolled = await _sign(tx, authority, csr_pem, gateway.id)
        gateway.enrolled_at, gateway.revoked_at, gateway.enrolment_open = moment, None, False
        await tx.session.flush()
        revoked(tx, gateway.id)
    return enrolled


async def renew(door: Door, authority: Authority, gateway: str, csr_pem: str, certificate_pem: str, signature: str) -> Enrolled:
    """A new certificate for a device that still has one.

    `signature`: base64 of ECDSA with SHA-256 by the old key over the new request in DER. The old certificate lasts until its end, so that a
    device that loses the answer can ask again; those before it end now.

    Raises:
        Invalid: something can't be read, or the signature is not by the certificate's key.
        Denied: the certificate is not one of ours that still holds.
    """
    csr = read_csr(csr_pem)
    old = _read_certificate(certificate_pem)
    _check_signature(old, csr, signature)
    fingerprint = old.fingerprint(hashes.SHA256()).hex()
    gateway_id = parse_id(gateway)
    moment = now()
    async with door.open(ENROLMENT) as tx:
        known = await tx.session.get(CertificateRow, fingerprint, with_for_update=True)
        row = None if known is None else await tx.session.get(GatewayRow, known.gateway_id, with_for_update=True)
        if known is None or row is None or row.id != gateway_id:
            raise Denied("unknown_certificate", "This certificate is not one of ours. Enrol the device with a claim code.")
        if known.revoked_at is not None or row.revoked_at is not None:
            raise Denied("revoked", "This gateway's access was ended. Enrol it again with a new claim code.")
        if known.ends_at <= moment:
            raise Denied("ended", "This certificate has ended. Enrol the device again with a new claim code.")
        await tx.session.execute(
            update(CertificateRow)
            .where(CertificateRow.gateway_id == row.id, CertificateRow.fingerprint != fingerprint, CertificateRow.revoked_at.is_(None))
            .values(revoked_at=moment)
        )
        enrolled = await _sign(tx, authority, csr_pem, row.id)
    return enrolled


async def release(door: Door, context: Context, gateway_id: UUID) -> ClaimCode:
    """Give a gateway up: its identities end at once, its machines wait for another gateway, and nobody owns it any more.

    The new code goes to the next owner, to claim the gateway and to enrol the device anew.

    Raises:
        NotFound: no such gateway is shared with the asker.
        Denied: the asker is not an owner in the gateway's household.
    """
    async with door.open(context) as tx:
        row = await mine(tx, gateway_id)
        household = row.household_id
        if household is None:
            raise Conflict("not_claimed", "Nobody owns this gateway.")
        if not await may(tx, household, "owner"):
            raise Denied("owner_needed", "Only an owner of the household can give a gateway up.")
        await end_identities(tx, row, now())
        await detach_machines(tx, row.id)
        await tx.session.execute(delete(FoundEquipmentRow).where(FoundEquipmentRow.gateway_id == row.id))
    # The owner may not write a gateway that is nobody's, so the platform itself lets it go.
    async with door.open(ENROLMENT) as tx:
        free = await tx.session.get(GatewayRow, gateway_id, with_for_update=True)
        if free is None or free.household_id != household:
            raise NotFound("gateway")
        free.household_id = free.site_id = free.claimed_at = free.enrolled_at = free.last_seen_at = free.version = None
        free.name = ""
        code = give_code(tx, free, None)
        await tx.session.flush()
        changed(tx, gateway_id)
    return code


async def _by_code(tx: Tx, code: str) -> GatewayRow:
    row = await tx.session.scalar(select(GatewayRow).where(GatewayRow.claim_digest == code_digest(tx.vault, code)).with_for_update())
    if row is None:
        raise Invalid("unknown_code", "No gateway has this code. Check it, or ask for a new one.", "code")
    return row


def _require_in_time(gateway: GatewayRow) -> None:
    if gateway.claim_expires_at is not None and gateway.claim_expires_at <= now():
        raise Conflict("code_expired", "This code's time is over. Make a new one on the gateway's page.")


async def _same_device(tx: Tx, gateway: GatewayRow, csr: x509.CertificateSigningRequest) -> bool:
    live = select(CertificateRow.fingerprint).where(
        CertificateRow.gateway_id == gateway.id,
        CertificateRow.key_digest == _key_digest(csr),
        CertificateRow.revoked_at.is_(None),
        CertificateRow.ends_at > now(),
    )
    return gateway.revoked_at is None and await tx.session.scalar(live) is not None


def _key_digest(holder: x509.CertificateSigningRequest | x509.Certificate) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(holder.public_key().public_bytes(serialization.Encoding.DER, form)).digest()


async def _end_certificates(tx: Tx, gateway_id: UUID, moment: datetime) -> None:
    await tx.session.execute(
        update(CertificateRow).where(CertificateRow.gateway_id == gateway_id, CertificateRow.revoked_at.is_(None)).values(revoked_at=moment)
    )


async def _sign(tx: Tx, authority: Authority, csr_pem: str, gateway_id: UUID) -> Enrolled:
    certificate = authority.sign_gateway(csr_pem, str(gateway_id))
    leaf = x509.load_pem_x509_certificate(certificate.pem.encode())
    tx.session.add(
        CertificateRow(
            fingerprint=certificate.fingerprint,
            gateway_id=gateway_id,
            key_digest=_key_digest(leaf),
            starts_at=leaf.not_valid_before_utc,
            ends_at=leaf.not_valid_after_utc,
        )
    )
    await tx.session.flush()
    return Enrolled(gateway_id, certificate.pem, authority.pem, certificate.ends)


def _read_certificate(pem: str) -> x509.Certificate:
    if len(pem) > MAX_PEM:
        raise Invalid("bad_certificate", f"A certificate has at most {MAX_PEM} characters.", "certificate")
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, UnicodeError) as error:
        raise Invalid("bad_certificate", "The certificate can't be read. Send the present one in PEM.", "certificate") from error


def _check_signature(old: x509.Certificate, csr: x509.CertificateSigningRequest, signature: str) -> None:
    key = old.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Invalid("bad_certificate", "The certificate's key is not on an elliptic curve, so it is not one of ours.", "certificate")
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, csr.public_bytes(serialization.Encoding.DER), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Invalid("bad_signature", "The request is not signed by the present certificate's key.", "signature") from error
