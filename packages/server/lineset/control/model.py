"""Tables of commands and their life."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import WHILE_HOUSEHOLD, Guard, Purpose, Retention, Subject, Table, by_household, held, outlives, table, technical

FOR_CONTROL = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT, Purpose.KEEP, Purpose.ADMINISTER)
STATES = ("queued", "sent", "acknowledged", "succeeded", "failed", "expired", "refused")
FINAL = ("succeeded", "failed", "expired", "refused")


class CommandRow(Base):
    """Something that somebody asked of a machine, with its present state.

    While the state is open, `next_at` is when delivery looks at it next. `refusal` holds code and values of a refusal by our own limits.
    """

    __tablename__ = "commands"
    __table_args__ = (
        CheckConstraint("state IN ('queued','sent','acknowledged','succeeded','failed','expired','refused')", name="state"),
        Index("ix_commands_equipment_id", "equipment_id", "created_at"),
        Index("ix_commands_open", "gateway_id", postgresql_where=text("state IN ('queued','sent','acknowledged')")),
        Index("ix_commands_due", "next_at", postgresql_where=text("state IN ('queued','sent','acknowledged')")),
        table(
            Table(
                "what was asked of machines, by whom, and what came of it",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_CONTROL,
                Retention("created_at", 730),
                by_household(
                    write="control",
                    systems={"delivery": "rw", "ingest": "rw", "setup": "r", "housekeeping": "rw"},
                    ingest="SELECT, UPDATE",
                ),
                also=(("sender_id", Subject.PERSON),),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    equipment_id: Mapped[UUID] = mapped_column(info=outlives(technical(), "equipment"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    gateway_id: Mapped[UUID | None] = mapped_column(info=technical())
    local_name: Mapped[str] = mapped_column(info=held("equipment.identity"))
    name: Mapped[str] = mapped_column(info=held("equipment.setting"))
    args: Mapped[dict[str, object]] = mapped_column(JSONB, info=held("equipment.setting"))
    sender_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.behavior"))
    sender_company_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id", ondelete="SET NULL"), info=held("user.workplace"))
    state: Mapped[str] = mapped_column(info=held("equipment.event"))
    detail: Mapped[str] = mapped_column(server_default="", info=held("equipment.event"))
    refusal: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True), info=held("equipment.event"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    expires_at: Mapped[datetime] = mapped_column(info=technical())
    sent_at: Mapped[datetime | None] = mapped_column(info=technical())
    tries: Mapped[int] = mapped_column(server_default="0", info=technical())
    next_at: Mapped[datetime | None] = mapped_column(info=technical())
    settled_at: Mapped[datetime | None] = mapped_column(info=held("equipment.event"))


class CommandStepRow(Base):
    """One step in the life of a command."""

    __tablename__ = "command_steps"
    __table_args__ = (
        table(
            Table(
                "each step of a command",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_CONTROL,
                Retention("at", 730),
                by_household(
                    write="control",
                    systems={"delivery": "rw", "ingest": "rw", "setup": "r", "housekeeping": "rw"},
                    ingest="SELECT, INSERT",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    command_id: Mapped[UUID] = mapped_column(ForeignKey("commands.id", ondelete="CASCADE"), index=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    state: Mapped[str] = mapped_column(info=held("equipment.event"))
    at: Mapped[datetime] = mapped_column(info=held("equipment.event"))
    detail: Mapped[str] = mapped_column(server_default="", info=held("equipment.event"))


class TwinRow(Base):
    """What a gateway should keep to (limits by machine, as the wire's "desired" message), and what it last reported."""

    __tablename__ = "twins"
    __table_args__ = (
        table(
            Table(
                "limits handed to gateways, and the settings that they reported",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_CONTROL,
                WHILE_HOUSEHOLD,
                Guard(
                    read="gateway_id IN (SELECT id FROM gateways)",  # which goes with its site to another household
                    write="false",
                    systems={"delivery": "rw", "ingest": "rw", "setup": "r"},
                    ingest="SELECT, UPDATE",
                ),
            )
        ),
    )
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateways.id", ondelete="CASCADE"), primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    version: Mapped[int] = mapped_column(BigInteger, info=technical())
    desired: Mapped[dict[str, object]] = mapped_column(JSONB, info=held("equipment.setting"))
    next_at: Mapped[datetime | None] = mapped_column(index=True, info=technical())
    tries: Mapped[int] = mapped_column(server_default="0", info=technical())
    reported_version: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    reported_at: Mapped[datetime | None] = mapped_column(info=held("equipment.event"))
    settings: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'"), info=held("equipment.setting"))
