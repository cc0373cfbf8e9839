"""Tables of sites, zones, equipment and tenures."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import (
    WHILE_HOUSEHOLD,
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

FOR_EQUIPMENT = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT, Purpose.ADMINISTER, Purpose.KEEP)


class SiteRow(Base):
    """A home or a commercial building."""

    __tablename__ = "sites"
    __table_args__ = (
        CheckConstraint("kind IN ('residential', 'commercial')", name="kind"),
        UniqueConstraint("id", "household_id"),  # what belongs to the site refers to both
        table(
            Table(
                "homes and buildings",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_EQUIPMENT,
                WHILE_HOUSEHOLD,
                by_household(
                    systems={
                        "import": "rw",
                        "setup": "rw",
                        "delivery": "r",
                        "ingest": "r",
                        "transfer": "rw",
                        "history": "r",
                        "diagnosis": "r",
                    }
                ),
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
    erased_at: Mapped[datetime | None] = mapped_column(info=technical())  # hidden since then, until its bytes are gone


class ZoneRow(Base):
    """A part of a site with a temperature of its own."""

    __tablename__ = "zones"
    __table_args__ = (
        # follows its site to another household
        ForeignKeyConstraint(["site_id", "household_id"], ["sites.id", "sites.household_id"], onupdate="CASCADE", ondelete="CASCADE"),
        table(
            Table(
                "parts of a site",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_EQUIPMENT,
                WHILE_HOUSEHOLD,
                by_household(systems={"setup": "rw", "transfer": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    site_id: Mapped[UUID] = mapped_column(index=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    name: Mapped[str] = mapped_column(info=held("equipment.placement", Sensitivity.PRIVATE))


class EquipmentRow(Base):
    """A machine."""

    __tablename__ = "equipment"
    __table_args__ = (
        # follows its site to another household
        ForeignKeyConstraint(["site_id", "household_id"], ["sites.id", "sites.household_id"], onupdate="CASCADE", ondelete="CASCADE"),
        UniqueConstraint("gateway_id", "local_name"),
        Index("ix_equipment_site_id", "site_id"),
        table(
            Table(
                "machines",
                Subject.HOUSEHOLD,
                "household_id",
                (*FOR_EQUIPMENT, Purpose.RIGHTS, Purpose.FLEET_MODELS),
                WHILE_HOUSEHOLD,
                by_household(
                    systems={
                        "import": "rw",
                        "setup": "rw",
                        "delivery": "r",
                        "ingest": "r",
                        "transfer": "rw",
                        "history": "r",
                        "diagnosis": "r",
                        "training": "r",
                    },
                    ingest="SELECT",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    site_id: Mapped[UUID] = mapped_column(info=technical())
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
    refrigerant: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    installer: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    place: Mapped[str] = mapped_column(server_default="", info=held("equipment.placement"))
    installed_on: Mapped[date | None] = mapped_column(info=held("equipment.identity"))
    limits: Mapped[dict[str, list[float]]] = mapped_column(JSONB, server_default=text("'{}'"), info=held("equipment.setting"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    retired_at: Mapped[datetime | None] = mapped_column(info=held("equipment.identity"))
    erased_at: Mapped[datetime | None] = mapped_column(info=technical())  # as above


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
                by_household(
                    systems={"import": "rw", "setup": "rw", "ingest": "r", "transfer": "rw", "history": "rw", "diagnosis": "r"},
                    ingest="SELECT",
                ),
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True, info=technical())
    equipment_id: Mapped[UUID] = mapped_column(info=technical())  # outlives the machine, which a later owner may erase
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    starts_at: Mapped[datetime] = mapped_column(info=held("equipment.identity"))
    ends_at: Mapped[datetime | None] = mapped_column(info=held("equipment.identity"))
    erased_at: Mapped[datetime | None] = mapped_column(info=technical())  # as above; until then readings keep their names by it


class TransferRow(Base):
    """An offer to hand a site with all its machines, or one machine, to another household.

    Its link was mailed to the address in `to_sealed`, which is sealed under the giving household's key.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("(site_id IS NULL) <> (equipment_id IS NULL)", name="one_thing"),
        table(
            Table(
                "offers to hand a site or machine over",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.OPERATE, Purpose.KEEP),
                Retention("expires_at", 30),
                by_household(read="people", write="owner", systems={"transfer": "rw", "housekeeping": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    digest: Mapped[bytes] = mapped_column(unique=True, info=secret_digest())
    site_id: Mapped[UUID | None] = mapped_column(index=True, info=outlives(technical(), "sites"))
    equipment_id: Mapped[UUID | None] = mapped_column(index=True, info=outlives(technical(), "equipment"))
    to_sealed: Mapped[bytes] = mapped_column(info=held("user.contact.email", Sensitivity.PRIVATE))
    offered_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))
    offered_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    expires_at: Mapped[datetime] = mapped_column(info=technical())
    accepted_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
