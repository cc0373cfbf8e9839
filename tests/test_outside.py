"""The rule that nothing reaches out but through the one way out: it catches what it is there for, and today's code keeps to it."""

import pytest

from tests import checks
from tests.outside import PLACES, outside, unused

CODE = checks.server_code()


def remarks(path: str, text: str) -> str:
    return "\n".join(outside(path, text))


def test_SHR_03_no_code_opens_a_connection_to_the_outside_but_the_one_way_out() -> None:
    assert len(CODE) > 200
    assert [remark for path, text in CODE.items() for remark in outside(path, text)] == []
    assert list(unused(CODE)) == []


@pytest.mark.parametrize(
    "code",
    [
        "import socket",
        "import http.client as web",
        "from http import client",
        "import urllib.request",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import aiosmtplib",
        "import aiosmtplib.smtp",
        "def late():\n    import httpx",
        "from requests.adapters import HTTPAdapter",
        "import boto3",
        "import subprocess",
        "import asyncio\nasync def f():\n    await asyncio.open_connection('example.com', 80)",
        "async def f(loop):\n    await loop.create_connection(P, 'example.com', 80)",
        "import psycopg\npsycopg.connect('host=elsewhere')",
        "import psycopg\nasync def f():\n    await psycopg.AsyncConnection.connect('host=elsewhere')",
        "from psycopg import AsyncConnection\nasync def f():\n    await AsyncConnection.connect('host=elsewhere')",
        "import nats\nasync def f():\n    await nats.connect('tls://elsewhere')",
        "from obstore.store import from_url\nfrom_url('https://elsewhere')",
        "import os\nos.system('curl elsewhere')",
        "import importlib\nimportlib.import_module('soc' + 'ket')",
        "__import__('socket')",
    ],
)
def test_SHR_03_whatever_would_reach_out_is_named(code: str) -> None:
    assert "opens connections" in remarks("messaging/service.py", code)


@pytest.mark.parametrize(
    "code",
    [
        "from urllib.parse import urlsplit",
        "from http import HTTPStatus",
        "import nats.errors",
        "engine.connect()",
        "import socketserver_like",
        "",
    ],
)
def test_what_reaches_nobody_is_let_through(code: str) -> None:
    assert remarks("messaging/service.py", code) == ""


def test_leave_holds_for_its_own_place_and_thing_alone() -> None:
    assert remarks("privacy/egress/smtp.py", "import aiosmtplib") == ""
    assert "socket" in remarks("privacy/egress/smtp.py", "import socket")
    assert "aiosmtplib" in remarks("privacy/egress/smtp_two.py", "import aiosmtplib")
    assert "subprocess" in remarks("embeddedness/x.py", "import subprocess")
    assert remarks("embedded/x.py", "import subprocess") == ""


def test_leave_that_nobody_uses_is_named() -> None:
    found = "\n".join(unused(dict.fromkeys(CODE, "")))
    for place in PLACES:
        assert f"lets {place} use" in found
