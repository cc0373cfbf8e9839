"""Who a connecting device is: asked by the broker's callout at each connection, and by HTTP at each request."""

import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select

from lineset.gateways.codes import TOKEN_PREFIX, token_digest
from lineset.gateways.model import CertificateRow, GatewayRow, GatewayTokenRow
from lineset.kit.clock import now
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Door, Purpose, System, Tx

_TRUST_S = 10.0
_MAX_KNOWN = 50_000


@dataclass(frozen=True, slots=True)
class ByCertificate:
    """A device that showed a certificate of ours: SHA-256 of its DER form, in lower-case hexadecimal without colons."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class ByToken:
    """A device that gave its gateway's id and a token."""

    gateway: str
    token: str


Shown = ByCertificate | ByToken


@dataclass(frozen=True, slots=True)
class Allowed:
    """The device is this gateway."""

    gateway: UUID


@dataclass(frozen=True, slots=True)
class Refused:
    """The device is not let in: `code` is unknown, revoked, ended or not_claimed."""

    code: str
    say: str


UNKNOWN = Refused("unknown", "This certificate or token is not known here. Enrol the device with a claim code.")
REVOKED = Refused("revoked", "This gateway's access was ended. Enrol it again.")
ENDED = Refused("ended", "This certificate has ended. Enrol the device again with a new claim code.")
NOT_CLAIMED = Refused("not_claimed", "This gateway is not claimed. Claim it with the code on its box.")


class Identities:
    """Answers who a device is. An answer that lets it in is remembered for 10 s at most, and forgotten at once by `forget`."""

    def __init__(self, door: Door, context: Context | None = None) -> None:
        self._door = door
        self._context = context or Context(System("enrolment"), Purpose.SECURITY)
        self._known: dict[Shown, tuple[float, Allowed]] = {}
        self._forgotten = 0

    async def identify(self, shown: Shown) -> Allowed | Refused:
        """Which gateway it is, or why it is not let in."""
        known = self._known.get(shown)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        before = self._forgotten
        async with self._door.open(self._context) as tx:
            answer = await _look_up(tx, shown)
        # A revocation that came while we were asking makes the answer worthless for later.
        if isinstance(answer, Allowed) and before == self._forgotten:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[shown] = (time.monotonic() + _TRUST_S, answer)
        return answer

    def forget(self, gateway: UUID) -> None:
        """Ask the database again about this gateway: `wake.revoke.{gateway}` was heard."""
        self._forgotten += 1
        for shown in [s for s, (_, allowed) in self._known.items() if allowed.gateway == gateway]:
            del self._known[shown]

    def forget_all(self) -> None:
        """Ask the database again about every gateway: some announcements may have been missed."""
        self._forgotten += 1
        self._known.clear()


async def _look_up(tx: Tx, shown: Shown) -> Allowed | Refused:
    if isinstance(shown, ByCertificate):
        return await _by_certificate(tx, shown.fingerprint)
    gateway_id = parse_id(shown.gateway)
    if gateway_id is None or not shown.token.startswith(TOKEN_PREFIX):
        return UNKNOWN
    found = (
        await tx.session.execute(
            select(GatewayRow, GatewayTokenRow.revoked_at)
            .join(GatewayTokenRow, GatewayTokenRow.gateway_id == GatewayRow.id)
            .where(GatewayRow.id == gateway_id, GatewayTokenRow.digest == token_digest(tx.vault, shown.token))
        )
    ).first()
    if found is None:
        return UNKNOWN
    return REVOKED if found[1] is not None else _judge(found[0])


async def _by_certificate(tx: Tx, fingerprint: str) -> Allowed | Refused:
    found = (
        await tx.session.execute(
            select(GatewayRow, CertificateRow.revoked_at, CertificateRow.ends_at)
            .join(CertificateRow, CertificateRow.gateway_id == GatewayRow.id)
            .where(CertificateRow.fingerprint == fingerprint.lower().replace(":", ""))
        )
    ).first()
    if found is None:
        return UNKNOWN
    if found[1] is not None:
        return REVOKED
    return ENDED if found[2] <= now() else _judge(found[0])


def _judge(gateway: GatewayRow) -> Allowed | Refused:
    if gateway.revoked_at is not None:
        return REVOKED
    return NOT_CLAIMED if gateway.household_id is None else Allowed(gateway.id)


async def live_gateways(tx: Tx, gateways: list[UUID]) -> set[UUID]:
    """Those of the gateways that may be connected now, by any identity; for looking through live connections after missed announcements."""
    at = now()
    rows = await tx.session.scalars(
        select(GatewayRow.id).where(
            GatewayRow.id.in_(gateways),
            GatewayRow.revoked_at.is_(None),
            GatewayRow.household_id.is_not(None),
            or_(
                select(CertificateRow.gateway_id)
                .where(CertificateRow.gateway_id == GatewayRow.id, CertificateRow.revoked_at.is_(None), CertificateRow.ends_at > at)
                .exists(),
                select(GatewayTokenRow.id)
                .where(GatewayTokenRow.gateway_id == GatewayRow.id, GatewayTokenRow.revoked_at.is_(None))
                .exists(),
            ),
        )
    )
    return set(rows)
