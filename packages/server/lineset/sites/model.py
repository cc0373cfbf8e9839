"""Tables of sites, zones, equipment and tenures."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import WHILE_HOUSEHOLD, Purpose, Sensitivity, Subject, Table, by_household, held, table, technical

FOR_EQUIPMENT = (Purpose.OPERATE, Purpose.SERVICE, Purpose.ADMINISTER, Purpose.KEEP)


class SiteRow(Base):
    """A home or a commercial building."""

    __tablename__ = "sites"
    __table_args__ = (
        CheckConstraint("kind IN ('residential', 'commercial')", name="kind"),
        table(
            Table(
                "homes and buildings",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_EQUIPMENT,
                WHILE_HOUSEHOLD,
                by_household(systems={"import": "rw", "setup": "rw", "delivery": "r", "ingest": "r"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    kind: Mapped[str] = mapped_column(info=held("equipment.placement"))
    name_sealed: Mapped[bytes] = mapped_column(info=held("user.contact.address", Sensitivity.PRIVATE))
    address_sealed: Mapped[bytes | None] = mapped_column(info=held("user.contact.address", Sensitivity.PRIVATE))
    time_zone: Mapped[str] = mapped_column(info=held("user.location.imprecise"))
    limits: Mapped[dict[str, list[float]]] = mapped_column(JSONB, server_default=text("'{}'"), info=held("equipment.setting"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))


class ZoneRow(Base):
    """A part of a site with a temperature of its own."""

    __tablename__ = "zones"
    __table_args__ = (
        table(
            Table(
                "parts of a site",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_EQUIPMENT,
                WHILE_HOUSEHOLD,
                by_household(systems={"setup": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), index=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    name: Mapped[str] = mapped_column(info=held("equipment.placement", Sensitivity.PRIVATE))


class EquipmentRow(Base):
    """A machine."""

    __tablename__ = "equipment"
    __table_args__ = (
        UniqueConstraint("gateway_id", "local_name"),
        Index("ix_equipment_site_id", "site_id"),
        table(
            Table(
                "machines",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_EQUIPMENT,
                WHILE_HOUSEHOLD,
                by_household(systems={"import": "rw", "setup": "rw", "delivery": "r", "ingest": "r"}, ingest="SELECT"),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    zone_id: Mapped[UUID | None] = mapped_column(ForeignKey("zones.id", ondelete="SET NULL"), info=held("equipment.placement"))
    gateway_id: Mapped[UUID | None] = mapped_column(info=technical())
    local_name: Mapped[str] = mapped_column(info=held("equipment.identity"))
    name: Mapped[str] = mapped_column(info=held("equipment.identity"))
    type: Mapped[str] = mapped_column(info=held("equipment.identity"))
    make: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    model: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    serial_number: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity", Sensitivity.PRIVATE))
    capacity_w: Mapped[float | None] = mapped_column(info=held("equipment.identity"))
    fuel: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    place: Mapped[str] = mapped_column(server_default="", info=held("equipment.placement"))
    installed_on: Mapped[date | None] = mapped_column(info=held("equipment.identity"))
    limits: Mapped[dict[str, list[float]]] = mapped_column(JSONB, server_default=text("'{}'"), info=held("equipment.setting"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    retired_at: Mapped[datetime | None] = mapped_column(info=held("equipment.identity"))


class TenureRow(Base):
    """One owner's time with one machine. `series_id` is the key of all its measurements, on every tier.

    A frame belongs to the tenure in which its own time falls, so a machine that is sold never shows the next owner the last one's history.
    """

    __tablename__ = "tenures"
    __table_args__ = (
        Index("uq_tenures_open", "equipment_id", unique=True, postgresql_where=text("ends_at IS NULL")),
        Index("ix_tenures_equipment_id", "equipment_id", "starts_at"),
        table(
            Table(
                "who owned which machine when",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_EQUIPMENT,
                WHILE_HOUSEHOLD,
                by_household(systems={"import": "rw", "setup": "rw", "ingest": "r"}, ingest="SELECT"),
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True, info=technical())
    equipment_id: Mapped[UUID] = mapped_column(ForeignKey("equipment.id", ondelete="CASCADE"), info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    starts_at: Mapped[datetime] = mapped_column(info=held("equipment.identity"))
    ends_at: Mapped[datetime | None] = mapped_column(info=held("equipment.identity"))
