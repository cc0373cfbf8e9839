"""The log of requests: what stands in it, what never does, and how it ends."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from lineset import messaging, schema
from lineset.kit.errors import Invalid
from lineset.kit.settings import from_environment, secret
from lineset.privacy import Context, Person, Purpose, System, Tx, give, withdraw
from lineset.privacy.request_log import FOLDER, REQUESTS, Line, RequestLog, overdue, tend
from sqlalchemy import text

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address
from tests.support.web import web_process

TODAY = date(2026, 11, 22)


def lines(data: Path) -> list[Line]:
    """All that stands in the log."""
    return [msgspec.json.decode(raw, type=Line) for path in (data / FOLDER).glob("*.log") for raw in path.read_bytes().splitlines()]


def test_TAG_05_requests_are_logged_without_ids_secrets_or_names(installation: Installation) -> None:
    with Visitor(installation.url, language="es-MX,en;q=0.5") as somebody:
        email = somebody.sign_up("Ximena Prado", household="Casa Prado")
        somebody.client.get("/home?look=for-secrets", headers={"referer": "https://search.example.com/find?q=ximena"})
        token = somebody.session
        page = somebody.get("/account/household")
        somebody.send(page, "/sign-out")
        somebody.send(somebody.get("/reset"), "/reset", email=email)
        link = somebody.mail(email, "/reset/new")
        somebody.send(somebody.get(link), "/reset/new", password="a wholly new password")
        somebody.get(f"/{email}/no-such-page")
        somebody.get(f"/home/{page.path.rpartition('/')[2]}")
        found = [line for line in lines(installation.engines.data) if line.address == somebody.place]
    routes = {line.route for line in found}
    assert {"/sign-in", "/reset/new", "-"} <= routes
    assert any("{" in route for route in routes), "a route's pattern stands for the ids in it"
    assert {line.language for line in found} == {"es-MX"}
    assert {line.browser for line in found} == {"Firefox, Linux"}
    assert {line.from_site for line in found} == {"", "https://search.example.com"}
    marks = {line.mark for line in found}
    assert "" in marks, "before signing in there is no cookie to mark"
    assert len(marks) >= 2
    whole = b"".join(path.read_bytes() for path in (installation.engines.data / FOLDER).glob("*.log")).decode()
    links = parse_qs(urlsplit(link).query)["token"][0]
    household = page.path.rpartition("/")[2]
    for secret_ in (email, PASSWORD, "a wholly new password", token, links, household, "Ximena", "for-secrets", "q=ximena"):
        assert secret_ not in whole, secret_


def entry(day: date, address: str = "203.0.113.77") -> Line:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Line(at, "GET", "/", 200, 1.5, address, "Firefox, Linux", "en", "abc", "")


def test_TAG_05_addresses_are_shortened_and_files_deleted_at_their_declared_times(tmp_path: Path) -> None:
    assert REQUESTS in schema.register().files
    whole, kept = REQUESTS.shorten, REQUESTS.retention
    assert whole is not None
    assert whole.days is not None
    assert kept.days is not None
    assert 0 < whole.days < kept.days
    ages = range(kept.days + 3)
    for age in ages:
        log = RequestLog(tmp_path, b"k" * 32)
        log.write(entry(TODAY - timedelta(days=age)))
        log.write(entry(TODAY - timedelta(days=age), "2001:db8:1:2:3::4"))
        log.close()
    assert overdue(tmp_path, TODAY) > 0
    half = tmp_path / FOLDER / f"{TODAY - timedelta(days=whole.days + 1)}.log"
    half.write_bytes(half.read_bytes() + b'{"t": "2026-11')
    assert tend(tmp_path, TODAY) == {"shortened": kept.days - whole.days, "deleted": 2}
    assert tend(tmp_path, TODAY) == {"shortened": 0, "deleted": 0}
    assert overdue(tmp_path, TODAY) == 0
    found = {((TODAY - line.t.date()).days, line.address) for line in lines(tmp_path)}
    full = {(age, address) for age in range(whole.days + 1) for address in ("203.0.113.77", "2001:db8:1:2:3::4")}
    short = {(age, net) for age in range(whole.days + 1, kept.days + 1) for net in ("203.0.113.0/24", "2001:db8:1::/48")}
    assert found == full | short
    assert schema.register().undeclared_files(tmp_path) == []
    for later in range(1, kept.days + 2):
        tend(tmp_path, TODAY + timedelta(days=later))
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_cookie_has_another_mark_each_day(tmp_path: Path) -> None:
    log = RequestLog(tmp_path, b"k" * 32)
    days = {log.mark(TODAY + timedelta(days=n), "token") for n in range(3)}
    assert len(days) == 3
    assert log.mark(TODAY, "token") == log.mark(TODAY, "token")
    assert log.mark(TODAY, "token") != RequestLog(tmp_path, b"l" * 32).mark(TODAY, "token")
    assert log.mark(TODAY, "") == ""


def test_requests_can_go_to_a_collector_of_ones_own_with_networks_alone(installation: Installation, tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with (
        web_process(installation.engines, installation.database, log, {"LINESET_REQUEST_LOG": "stdout"}) as url,
        Visitor(url) as somebody,
    ):
        somebody.get("/sign-in?next=/secret-place")
        place = somebody.place
    told = [msgspec.json.decode(line) for line in log.read_bytes().splitlines() if b'"event":"request"' in line.replace(b" ", b"")]
    assert [(e["route"], e["status"], e["network"]) for e in told] == [("/sign-in", 200, f"{place.rpartition('.')[0]}.0/24")]
    assert place not in log.read_text()
    assert "secret-place" not in log.read_text()
    with pytest.raises(Invalid, match="LINESET_REQUEST_LOG"):
        from_environment({"LINESET_REQUEST_LOG": "everywhere"})


def test_TAG_04_the_picture_counts_only_while_the_person_allows_it(installation: Installation, ines: Visitor) -> None:
    email = new_address("nora")
    with Visitor(installation.url) as nora:
        nora.sign_up("Nora Falk", email=email)
        who = installation.person(nora.session)
    act = Context(Person(who), Purpose.RIGHTS)
    mail = installation.act(
        Context(System("mail"), Purpose.COMMUNICATE),
        lambda tx: messaging.queue_mail(tx, who, email, "news", "What is new", "Much."),
    )
    token = messaging.picture_token(secret(installation.settings, messaging.PICTURE_KEY), mail)

    def opened_at() -> datetime | None:
        async def look(tx: Tx) -> datetime | None:
            value: datetime | None = await tx.session.scalar(text("SELECT opened_at FROM mails WHERE id = :id"), {"id": mail})
            return value

        return installation.act(Context(System("mail"), Purpose.COMMUNICATE), look)

    def picture(name: str) -> None:
        answer = ines.client.get(f"/o/{name}.gif")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        assert not answer.headers.get_list("set-cookie") or "ls_csrf" in answer.headers["set-cookie"]

    asked: dict[str, Any] = {"channel": "page", "language": "en", "steps": ["switch"]}
    picture(token)
    picture("nonsense")
    assert opened_at() is None
    installation.act(act, lambda tx: give(tx, who, *messaging.MAIL_OPENS, **asked))
    picture(token[:-2] + "AA")
    assert opened_at() is None
    picture(token)
    first = opened_at()
    assert first is not None
    installation.act(act, lambda tx: withdraw(tx, who, *messaging.MAIL_OPENS, **asked))
    picture(token)
    assert opened_at() == first
