"""Keeping the trouble of one row to that row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import DBAPIError

from lineset.privacy import Tx

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def apart(tx: Tx, what: str, id_: object, failed: list[object]) -> AsyncIterator[None]:
    """Work on one of many within a savepoint: what fails there is undone, logged and put on `failed`, and the others go on.

    A database that is away is everybody's trouble, and raised.
    """
    try:
        async with tx.session.begin_nested():
            yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        _log.exception("set_aside", what=what, id=str(id_))
        failed.append(id_)
    except Exception:  # noqa: BLE001 - whatever one row holds must not hold up the rest
        _log.exception("set_aside", what=what, id=str(id_))
        failed.append(id_)
