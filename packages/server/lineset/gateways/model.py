"""Tables of gateways, their identities and what happened to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import (
    WHILE_HOUSEHOLD,
    Guard,
    Purpose,
    Retention,
    Sensitivity,
    Subject,
    Table,
    by_household,
    held,
    outlives,
    secret_digest,
    table,
    technical,
)

_MAY_CHANGE = "household_id = ANY (ARRAY(SELECT access.households('equipment'))) OR household_id IS NULL AND access.staff('operator')"
_OF_A_GATEWAY_THAT_I_MAY_CHANGE = "gateway_id IN (SELECT id FROM gateways WHERE " + _MAY_CHANGE + ")"  # noqa: S608 - both parts are constants
FOR_GATEWAYS = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT, Purpose.SECURITY, Purpose.ADMINISTER, Purpose.KEEP)


class GatewayRow(Base):
    """A device that sends: an agent's machine, or a simple device with a token.

    Its claim code is good for two things, each once: to claim it while it has no household, and to enrol it while `enrolment_open`.
    """

    __tablename__ = "gateways"
    __table_args__ = (
        CheckConstraint("kind IN ('agent', 'simple')", name="kind"),
        CheckConstraint("(household_id IS NULL) = (site_id IS NULL)", name="claimed"),
        # follows its site to another household
        ForeignKeyConstraint(["site_id", "household_id"], ["sites.id", "sites.household_id"], onupdate="CASCADE", ondelete="CASCADE"),
        table(
            Table(
                "gateways",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_GATEWAYS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="household_id = ANY (ARRAY(SELECT access.households('view')))"
                    " OR household_id IS NULL AND access.staff('operator')",
                    write=_MAY_CHANGE,
                    systems={"enrolment": "rw", "setup": "rw", "ingest": "rw", "delivery": "r", "import": "r"},
                    ingest="SELECT, UPDATE",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=held("user.device.device_id"))
    household_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id")
    )
    site_id: Mapped[UUID | None] = mapped_column(index=True, info=technical())
    kind: Mapped[str] = mapped_column(info=held("user.device.device_id"))
    name: Mapped[str] = mapped_column(info=held("equipment.placement"))
    claim_digest: Mapped[bytes | None] = mapped_column(unique=True, info=secret_digest())
    claim_expires_at: Mapped[datetime | None] = mapped_column(info=technical())
    enrolment_open: Mapped[bool] = mapped_column(server_default=text("false"), info=technical())
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    claimed_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    enrolled_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    revoked_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    online: Mapped[bool] = mapped_column(server_default=text("false"), info=held("equipment.event"))
    last_seen_at: Mapped[datetime | None] = mapped_column(info=held("equipment.event"))
    version: Mapped[str | None] = mapped_column(info=held("user.device.device_id"))


class CertificateRow(Base):
    """A certificate that the platform's authority signed for a gateway.

    `fingerprint`: SHA-256 of the certificate in DER, in hexadecimal; `key_digest`: SHA-256 of its public key in DER.
    """

    __tablename__ = "gateway_certificates"
    __table_args__ = (
        table(
            Table(
                "certificates of gateways",
                Subject.HOUSEHOLD,
                "gateway_id",
                FOR_GATEWAYS,
                Retention("ends_at", 30),
                Guard(
                    read="gateway_id IN (SELECT id FROM gateways)",
                    write=_OF_A_GATEWAY_THAT_I_MAY_CHANGE,
                    systems={"enrolment": "rw", "setup": "rw", "ingest": "r", "housekeeping": "rw"},
                    ingest="SELECT",
                ),
                via="gateways.id",
            )
        ),
    )
    fingerprint: Mapped[str] = mapped_column(primary_key=True, info=held("user.device.device_id"))
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateways.id", ondelete="CASCADE"), index=True, info=held("user.device.device_id"))
    key_digest: Mapped[bytes] = mapped_column(info=technical())
    starts_at: Mapped[datetime] = mapped_column(info=technical())
    ends_at: Mapped[datetime] = mapped_column(info=technical())
    revoked_at: Mapped[datetime | None] = mapped_column(info=technical())


class GatewayTokenRow(Base):
    """A token by which a simple device signs in."""

    __tablename__ = "gateway_tokens"
    __table_args__ = (
        table(
            Table(
                "tokens of simple devices",
                Subject.HOUSEHOLD,
                "gateway_id",
                FOR_GATEWAYS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="gateway_id IN (SELECT id FROM gateways)",
                    write=_OF_A_GATEWAY_THAT_I_MAY_CHANGE,
                    systems={"enrolment": "rw", "setup": "rw", "ingest": "r"},
                    ingest="SELECT",
                ),
                via="gateways.id",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateways.id", ondelete="CASCADE"), index=True, info=held("user.device.device_id"))
    digest: Mapped[bytes] = mapped_column(unique=True, info=secret_digest())
    created_at: Mapped[datetime] = mapped_column(info=technical())
    revoked_at: Mapped[datetime | None] = mapped_column(info=technical())


class GatewayEventRow(Base):
    """Something that happened to a gateway: started, failed, was set by hand, tried another's topic, dropped its oldest readings.

    Troubles that are the same (`fingerprint`) are one row for each day (UTC), gateway, machine and version, with how often, when first and
    last, and what the last one said. `title` names a trouble by code words and places in our own programs alone, so that the operator's
    staff may count it.
    """

    __tablename__ = "gateway_events"
    __table_args__ = (
        Index("ix_gateway_events_gateway_id", "gateway_id", "at"),
        Index("ix_gateway_events_fingerprint", "gateway_id", "fingerprint", "at"),
        table(
            Table(
                "what happened to gateways",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_GATEWAYS,
                Retention("last_at", 400),
                by_household(
                    systems={"ingest": "rw", "setup": "rw", "housekeeping": "rw", "enrolment": "rw"},
                    ingest="SELECT, INSERT, UPDATE",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    gateway_id: Mapped[UUID] = mapped_column(info=outlives(held("user.device.device_id"), "gateways"))
    household_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id")
    )
    equipment_id: Mapped[UUID | None] = mapped_column(info=outlives(technical(), "equipment"))
    at: Mapped[datetime] = mapped_column(info=held("equipment.event"))
    last_at: Mapped[datetime] = mapped_column(index=True, info=held("equipment.event"))
    count: Mapped[int] = mapped_column(server_default=text("1"), info=held("equipment.event"))
    kind: Mapped[str] = mapped_column(info=held("equipment.event"))
    fingerprint: Mapped[str | None] = mapped_column(info=technical())
    title: Mapped[str] = mapped_column(server_default="", info=held("equipment.event"))
    version: Mapped[str | None] = mapped_column(info=held("user.device.device_id"))
    detail: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'"), info=held("equipment.event", Sensitivity.PRIVATE))


class ConnectionRow(Base):
    """From which network address a gateway connected, how, when first and last, and how often: one row for each day (UTC)."""

    __tablename__ = "gateway_connections"
    __table_args__ = (
        CheckConstraint("way IN ('certificate', 'token', 'http', 'enrolment')", name="way"),
        Index("ix_gateway_connections_gateway_id", "gateway_id", "last_at"),
        table(
            Table(
                "network addresses of gateways",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.OPERATE, Purpose.SECURITY, Purpose.KEEP),  # not for contractors: a home's address says where its people are
                Retention("last_at", 180),
                by_household(
                    write="",
                    systems={"ingest": "rw", "setup": "rw", "housekeeping": "rw", "enrolment": "rw"},
                    ingest="SELECT, INSERT, UPDATE",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    gateway_id: Mapped[UUID] = mapped_column(info=outlives(held("user.device.device_id"), "gateways"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    way: Mapped[str] = mapped_column(info=held("user.device.device_id"))
    address: Mapped[str | None] = mapped_column(info=held("user.device.ip_address", Sensitivity.PRIVATE, shorten=Retention("last_at", 30)))
    first_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    last_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    count: Mapped[int] = mapped_column(server_default=text("1"), info=held("user.behavior"))


class FoundEquipmentRow(Base):
    """A machine that a gateway says it has found, by its name there. People add it to their site or leave it."""

    __tablename__ = "found_equipment"
    __table_args__ = (
        table(
            Table(
                "machines that gateways found",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_GATEWAYS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="gateway_id IN (SELECT id FROM gateways)",  # which goes with its site to another household
                    write="household_id = ANY (ARRAY(SELECT access.households('equipment')))",
                    systems={"ingest": "rw", "setup": "rw", "enrolment": "rw"},
                    ingest="SELECT, INSERT, UPDATE, DELETE",
                ),
            )
        ),
    )
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateways.id", ondelete="CASCADE"), primary_key=True, info=technical())
    name: Mapped[str] = mapped_column(primary_key=True, info=held("equipment.identity"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    type: Mapped[str] = mapped_column(info=held("equipment.identity"))
    make: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    model: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    serial_number: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity", Sensitivity.PRIVATE))
    found_at: Mapped[datetime] = mapped_column(info=held("equipment.event"))
