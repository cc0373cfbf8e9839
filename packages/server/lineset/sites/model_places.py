"""Tables of places: where a site, a gateway or somebody's browser is. Empty until its people switch location on for exactly that thing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import (
    WHILE_ACCOUNT,
    WHILE_HOUSEHOLD,
    Purpose,
    Sensitivity,
    Subject,
    Table,
    by_household,
    by_person,
    held,
    table,
    technical,
)

FOR_PLACES = (Purpose.LOCATION, Purpose.RIGHTS, Purpose.KEEP)
PRECISE = "user.location.precise"


class PlaceRow(Base):
    """Where a site or a gateway stands. Latitude and longitude are sealed under the household's key."""

    __tablename__ = "places"
    __table_args__ = (
        CheckConstraint("(site_id IS NULL) <> (gateway_id IS NULL)", name="one_thing"),
        UniqueConstraint("household_id", "site_id", name="uq_places_site"),
        UniqueConstraint("household_id", "gateway_id", name="uq_places_gateway"),
        # follows its site to another household, whose consent does not: it shows to nobody and goes with the next hour
        ForeignKeyConstraint(["site_id", "household_id"], ["sites.id", "sites.household_id"], onupdate="CASCADE", ondelete="CASCADE"),
        table(
            Table(
                "where your sites and gateways stand",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_PLACES,
                WHILE_HOUSEHOLD,
                by_household("view", "people", systems={"housekeeping": "rw", "ingest": "rw"}, ingest="SELECT, INSERT, UPDATE"),
                detail="CASE WHEN site_id IS NULL THEN 'gateway:' || gateway_id ELSE 'site:' || site_id END",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    site_id: Mapped[UUID | None] = mapped_column(index=True, info=technical())
    gateway_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("gateways.id", ondelete="CASCADE"), index=True, info=held("user.device.device_id")
    )
    where_sealed: Mapped[bytes] = mapped_column(info=held(PRECISE, Sensitivity.SENSITIVE))
    source: Mapped[str] = mapped_column(info=held("user.behavior"))
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))


class SessionPlaceRow(Base):
    """Where a browser or app was when its person last told. It ends with the session."""

    __tablename__ = "session_places"
    __table_args__ = (
        table(
            Table(
                "where your browsers and apps last were",
                Subject.PERSON,
                "person_id",
                FOR_PLACES,
                WHILE_ACCOUNT,
                by_person(systems={"housekeeping": "rw"}),
                detail="'session:' || session_id",
            )
        ),
    )
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    where_sealed: Mapped[bytes] = mapped_column(info=held(PRECISE, Sensitivity.SENSITIVE))
    source: Mapped[str] = mapped_column(info=held("user.behavior"))
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
