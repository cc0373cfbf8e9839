"""Keeping the trouble of one row to that row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lineset.privacy import Tx

AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""What the database raises when it is away or overrun: everybody's trouble, not that of one row or message."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def apart(tx: Tx, what: str, id_: object, failed: list[object]) -> AsyncIterator[None]:
    """Work on one of many within a savepoint: what fails there is undone, logged and put on `failed`, and the others go on.

    Raises:
        One of AWAY.
    """
    try:
        async with tx.session.begin_nested():
            yield
    except AWAY:
        raise
    except Exception:  # noqa: BLE001 - whatever one row holds must not hold up the rest
        _log.exception("set_aside", what=what, id=str(id_))
        failed.append(id_)
