"""A running process connects to the engines of its settings and to nobody else."""

import re
import sys
from ipaddress import ip_address
from typing import Any

import psycopg
import pytest
from lineset.platform import open_platform
from lineset.web import create_app
from lineset.worker import jobs
from litestar.testing import AsyncTestClient

from tests.functional.pages.installation import Installation
from tests.support.visitor import Visitor

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::litestar.exceptions.base_exceptions.LitestarDeprecationWarning"),
]
PUBLIC = ("/", "/sign-in", "/sign-up", "/contact", "/policy", "/terms", "/cookies", "/recipients", "/news", "/privacy/choices", "/reset")
INSIDE = ("/home", "/account", "/account/security", "/account/household", "/account/data")

_seen: list[str] = []
_listening = False


def _hear(event: str, args: tuple[Any, ...]) -> None:
    """What Python is asked to connect to or to look up. An audit hook can't be taken away again, so it is told when to listen."""
    if not _listening:
        return
    if event == "socket.connect" and isinstance(args[1], tuple):
        _seen.append(str(args[1][0]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _seen.append(str(args[0]))


sys.addaudithook(_hear)


def beyond(addresses: list[str]) -> list[str]:
    """Those that lie on another machine."""

    def near(address: str) -> bool:
        try:
            return ip_address(address).is_loopback
        except ValueError:
            return address in {"localhost", "None", ""}

    return [address for address in addresses if not near(address)]


def one_of_each(installation: Installation) -> None:
    """Of the jobs that wait, from all tests of this platform, leave one of each kind."""
    with psycopg.connect(installation.database, autocommit=True) as owner:
        owner.execute("SET search_path TO jobs, public")  # the queue's trigger looks its tables up by name
        owner.execute(
            "UPDATE jobs.procrastinate_jobs SET status = 'cancelled' WHERE status = 'todo'"
            " AND id NOT IN (SELECT max(id) FROM jobs.procrastinate_jobs WHERE status = 'todo' GROUP BY task_name)"
        )


async def test_SHR_03_pages_and_jobs_connect_to_nobody_outside(installation: Installation, ines: Visitor) -> None:
    global _listening  # noqa: PLW0603 - the hook stays for the life of the process
    _seen.clear()
    _listening = True
    try:
        async with AsyncTestClient(create_app(installation.settings)) as client:
            for path in PUBLIC:
                assert (await client.get(path)).status_code in (200, 404), path
            await client.post("/reset", data={"email": "nobody@example.org", "_csrf_token": client.cookies.get("ls_csrf") or ""})
            client.cookies.set("ls_session", ines.session)
            for path in INSIDE:
                answer = await client.get(path)
                assert answer.status_code == 200, path
                for image in re.findall(r'<(?:img|script|link)[^>]+(?:src|href)="([^"]+)"', answer.text):
                    assert image.startswith(("/", "data:")), image
        one_of_each(installation)
        async with open_platform(installation.settings, "worker", pool=2) as platform:
            app = jobs(platform)
            async with app.open_async():
                await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
    finally:
        _listening = False
    assert _seen, "the hook hears nothing"
    assert beyond(_seen) == []
    assert beyond([*_seen, "192.0.2.7", "mail.example.org"]) == ["192.0.2.7", "mail.example.org"]
