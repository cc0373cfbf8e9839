"""What processes log of an error: where it was and of what kind, and no value that somebody may have given."""

import json
import os
import subprocess
import sys

import pytest

_RUN = """
import asyncio
import structlog
from lineset.kit.database import make_engine
from lineset.kit.logs import configure
from sqlalchemy import text

configure("test")
log = structlog.get_logger()
address = "Zwergkoenig"
try:
    assert not address
except AssertionError:
    log.exception("in_a_function")

async def ask():
    async with make_engine({url!r}).connect() as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE t (a text UNIQUE)"))
        await connection.execute(text("INSERT INTO t VALUES (:a)"), {{"a": address}})
        await connection.execute(text("INSERT INTO t VALUES (:a)"), {{"a": address}})

try:
    try:
        float(address)
    except ValueError as error:
        raise ExceptionGroup("several", [KeyError(address), RuntimeError(f'got "{{address}}" instead')]) from error
except ExceptionGroup:
    log.exception("in_a_message")

try:
    asyncio.run(ask())
except Exception:
    log.exception("in_a_statement")
"""


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_logged_error_tells_no_value(database: str, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN.format(url=database)],
        env={**os.environ, "LINESET_LOG": kind},
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout + done.stderr
    for words in (
        "in_a_function",
        "AssertionError",
        "in_a_statement",
        "UniqueViolation",
        "t_a_key",
        "could not convert",
        "KeyError",
        "line ",
    ):
        assert words in said, said
    assert "Zwergkoenig" not in said.replace('address = "Zwergkoenig"', ""), said
    if kind == "json":
        assert all(json.loads(line)["role"] == "test" for line in done.stdout.splitlines())
