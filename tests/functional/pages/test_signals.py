"""Privacy signals of browsers and the choice about cookies: obeyed without an account, shown, and kept for the account."""

import re

import pytest
from lineset import schema
from lineset.pages.common.signals import Signals
from lineset.privacy import Context, Cookie, Person, Purpose, receipts
from lineset.web import create_app
from litestar.testing import AsyncTestClient

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor

GPC = {"sec-gpc": "1"}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, []),
        (GPC, ["Global Privacy Control"]),
        ({"dnt": "1"}, ["Do Not Track"]),
        ({"sec-gpc": "1", "dnt": "1"}, ["Global Privacy Control", "Do Not Track"]),
        ({"sec-gpc": "0", "dnt": "0"}, []),
        ({"sec-gpc": "true"}, []),
        ({"sec-gpc": "1, 1"}, []),
        ({"sec-gpc": "11", "dnt": "yes"}, []),
    ],
)
def test_TAG_03_signals_count_by_their_exact_value_and_are_shown(visitor: Visitor, headers: dict[str, str], said: list[str]) -> None:
    visitor.client.headers.update(headers)
    page = visitor.get("/privacy/choices")
    assert page.status == 200
    assert re.findall(r"Your browser sends (.*?): honoured\.", page.text) == said
    foot = re.search(r"<footer.*</footer>", visitor.get("/").html, re.S)
    assert foot
    assert [name for name in ("Global Privacy Control", "Do Not Track") if f"{name}: honoured" in foot[0]] == said[:1]


def test_TAG_03_the_site_says_that_it_obeys_global_privacy_control(visitor: Visitor) -> None:
    answer = visitor.client.get("/.well-known/gpc.json")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["gpc"] is True
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", answer.json()["lastUpdate"])


def test_TAG_03_a_signal_of_one_browser_stands_at_the_account_in_all_of_them(installation: Installation) -> None:
    with Visitor(installation.url) as home, Visitor(installation.url) as phone:
        email = home.sign_up("Ines Lund")
        assert "stands at your account since" not in home.get("/privacy/choices").text
        phone.client.headers.update(GPC)
        phone.sign_in(email, PASSWORD)
        assert "stands at your account since" in phone.get("/privacy/choices").text
        page = home.get("/privacy/choices")
        assert "Global Privacy Control stands at your account since" in page.text
        assert "Firefox, Linux" in page.text
        with pytest.raises(AssertionError, match="has no form"):
            phone.get("/privacy/choices").form("/privacy/choices/signals/end")
        assert phone.post("/privacy/choices/signals/end", _csrf_token=phone.csrf).status_code == 409
        who = installation.person(home.session)
        found = installation.act(Context(Person(who), Purpose.RIGHTS), lambda tx: receipts(tx, who))
        assert {(r.purpose, r.detail, r.given, r.channel) for r in found} == {
            (Purpose.ANALYTICS, "", False, "signal"),
            (Purpose.NEWS, "opened", False, "signal"),
        }
        assert {tuple(r.steps) for r in found} == {("gpc",)}
        done = home.send(page, "/privacy/choices/signals/end")
        assert "No signal stands at your account" in done.text
        assert "stands at your account since" not in home.get("/privacy/choices").text


def test_TAG_03_without_cookies_the_page_says_what_does_not_work(installation: Installation, visitor: Visitor) -> None:
    form = visitor.get("/sign-in").form("/sign-in")
    visitor.client.cookies.clear()
    answer = visitor.post("/sign-in", **{**form.values, "email": "ana@example.org", "password": PASSWORD})
    assert answer.status_code == 403
    assert "This browser keeps no cookies" in answer.text
    assert "signing in" in answer.text
    stale = visitor.get("/sign-in")
    values = {**stale.form("/sign-in").values, "_csrf_token": "old", "email": "a@example.org", "password": "x"}
    assert "This form is too old" in visitor.post("/sign-in", **values).text


def test_TAG_03_no_page_asks_by_itself_for_what_can_wait_on_the_page_of_choices(visitor: Visitor) -> None:
    assert [cookie.name for cookie in schema.COOKIES if not cookie.needed and cookie.asks] == []
    assert 'class="page-notice"' not in visitor.get("/").html
    assert "May we keep in this browser what is not needed?" in visitor.get("/privacy/choices").text
    assert visitor.post("/privacy/choices", optional="perhaps", _csrf_token=visitor.csrf).status_code == 422
    assert visitor.client.cookies.get("ls_choice") is None


@pytest.mark.parametrize(
    ("signals", "optional"),
    [
        (Signals(), False),
        (Signals(answer="no"), False),
        (Signals(answer="yes"), True),
        (Signals(gpc=True, answer="yes"), False),
        (Signals(dnt=True, answer="yes"), False),
    ],
)
def test_TAG_03_what_is_not_needed_waits_for_a_yes_and_yields_to_a_signal(signals: Signals, optional: bool) -> None:
    assert signals.optional is optional


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::litestar.exceptions.base_exceptions.LitestarDeprecationWarning")
async def test_TAG_03_the_cookie_choice_has_two_equal_answers(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with a cookie that it could do without: the language's, for once."""
    stores = [c for c in schema.COOKIES if c.name != "ls_language"]
    monkeypatch.setattr(schema, "COOKIES", (*stores, Cookie("ls_language", "remembers your language", Purpose.ACCOUNT, False, 365)))
    async with AsyncTestClient(create_app(installation.settings)) as client:

        async def post(path: str, **values: str) -> set[str]:
            token = client.cookies.get("ls_csrf") or ""
            answer = await client.post(path, data={"_csrf_token": token, **values}, follow_redirects=False)
            assert answer.status_code == 303, answer.text
            return {header.partition("=")[0] for header in answer.headers.get_list("set-cookie")}

        async def asked() -> bool:
            return 'class="page-notice"' in (await client.get("/sign-in")).text

        assert await asked()
        page = (await client.get("/sign-in")).text
        buttons = re.findall(r'<button type="submit" class="([^"]*)" name="optional" value="(yes|no)">', page)
        assert [value for _, value in buttons] == ["yes", "no"]
        assert buttons[0][0] == buttons[1][0], "both answers look the same"
        assert "ls_language" not in await post("/preferences/language", language="es"), "nobody has said yes"
        assert await post("/privacy/choices", optional="yes") >= {"ls_choice"}
        assert not await asked()
        assert "ls_language" in await post("/preferences/language", language="es")
        assert await post("/privacy/choices", optional="no") >= {"ls_choice", "ls_language"}, "a no takes back what is there"
        assert client.cookies.get("ls_language") is None
        assert not await asked(), "refusing is not asked again"
        await post("/privacy/choices", optional="yes")
        client.headers.update(GPC)
        assert "ls_language" not in await post("/preferences/language", language="es"), "the signal is stronger than the yes"
        assert not await asked()
