"""The base of all tables and the making of database engines."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import DateTime, MetaData
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import Uuid

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables of the platform. Times are with time zone, ids are UUIDs."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True), UUID: Uuid()}  # noqa: RUF012 - SQLAlchemy reads it as it is


def driver_url(address: str) -> URL:
    """The address as SQLAlchemy takes it, with the psycopg driver whatever driver it named."""
    return make_url(address).set(drivername="postgresql+psycopg")


def make_engine(address: str, *, size: int = 5, overflow: int = 5) -> AsyncEngine:
    """A pool of connections to that database. Dead connections are found before use, so a restarted server is no error; an error tells no
    values of a statement, since it may be logged."""
    return create_async_engine(
        driver_url(address),
        pool_size=size,
        max_overflow=overflow,
        pool_pre_ping=True,
        json_deserializer=msgspec.json.decode,
        hide_parameters=True,
    )
