"""The public pages around the forms: first page, contact, mailbox, language, theme, errors, what search engines may read."""

import re

import httpx
import pytest

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Page, Visitor, new_address


def test_PLT_06_the_first_page_says_what_it_is_in_the_readers_language(installation: Installation) -> None:
    for language, words, other in (("en-US,en", "Create an account", "es"), ("es-MX,es;q=0.9", "Crear una cuenta", "en")):
        with Visitor(installation.url, language=language) as visitor:
            page = visitor.get("/")
            assert page.status == 200
            assert words in page.text
            visitor.send(page, "/preferences/language", language=other)
            assert f'<html lang="{other}"' in visitor.get("/").html, "a choice wins over what the browser asks"


def test_PLT_06_contact_is_not_published_while_details_are_blank(visitor: Visitor) -> None:
    page = visitor.get("/contact")
    assert page.status == 404
    assert "this page is not published" in page.text
    assert page.response.headers["x-robots-tag"] == "noindex"
    assert 'href="/contact"' not in visitor.get("/").html


def test_PLT_06_contact_is_published_once_the_operator_has_said_who_they_are(hosted: str) -> None:
    with Visitor(hosted) as visitor:
        page = visitor.get("/contact")
        assert page.status == 200
        assert "x-robots-tag" not in page.response.headers
        for detail in ("Heat Cooperative", "1 Main Street", "Truckee, CA 96161", "hello@heat.example.org"):
            assert detail in page.text
        assert 'href="/contact"' in visitor.get("/").html


def test_PLT_06_search_engines_are_let_in_to_public_pages_alone(visitor: Visitor) -> None:
    rules = visitor.get("/robots.txt")
    assert rules.response.headers["content-type"].startswith("text/plain")
    assert "Disallow: /\n" in rules.html
    assert visitor.get("/favicon.ico").path == "/static/icon.svg"


def test_the_mailbox_is_for_this_machine_alone(installation: Installation, hosted: str, visitor: Visitor) -> None:
    assert visitor.get("/mailbox").status == 200
    assert visitor.client.get("/mailbox", headers={"host": "rebound.evil.example"}).status_code == 404
    assert httpx.get(f"{hosted}/mailbox").status_code == 404
    assert "/mailbox" not in httpx.get(f"{hosted}/sign-in").text
    assert "/mailbox" in httpx.get(f"{installation.url}/sign-in").text
    assert visitor.get("/mailbox/01890000-0000-7000-8000-000000000000").status == 404


def test_SEC_02_cookies_travel_encrypted_where_the_address_is(hosted: str) -> None:
    answer = httpx.get(f"{hosted}/sign-in")
    assert "secure" in answer.headers["set-cookie"].lower()


def test_ACC_02_behind_a_proxy_each_network_is_slowed_down_by_itself(hosted: str) -> None:
    with Visitor(hosted) as proxy:
        email = new_address("nobody")

        def guess(address: str) -> int:
            # a Secure cookie, which the browser behind the proxy has and this one, which speaks to the proxy's inner side, may not keep
            token = re.findall(r"ls_csrf=(\w+)", proxy.client.get("/sign-in").headers["set-cookie"])[0]
            headers = {"x-forwarded-for": f"192.0.2.66, {address}", "cookie": f"ls_csrf={token}"}
            return proxy.client.post(
                "/sign-in", data={"email": email, "password": "wrong", "_csrf_token": token}, headers=headers
            ).status_code

        assert [guess("198.51.100.7") for _ in range(7)] == [403] * 6 + [429]
        assert guess("198.51.100.8") == 403


def test_theme_and_language_are_kept_by_declared_cookies_and_lead_nowhere_else(visitor: Visitor) -> None:
    page = visitor.get("/sign-in")
    dark = visitor.send(page, "/preferences/theme", theme="dark")
    assert 'data-theme="dark"' in dark.html
    assert dark.path == "/sign-in"
    assert "data-theme=" not in visitor.send(dark, "/preferences/theme", theme="").html.split("<body")[0]
    away = visitor.post("/preferences/language", language="es", back="//evil.example/", _csrf_token=visitor.csrf)
    assert away.headers["location"] == "/"
    wrong = visitor.post("/preferences/theme", theme="pink", _csrf_token=visitor.csrf)
    assert wrong.status_code == 422


def test_language_of_somebody_signed_in_is_kept_in_the_profile(installation: Installation, visitor: Visitor) -> None:
    email = visitor.sign_up()
    visitor.send(visitor.get("/account"), "/preferences/language", language="es")
    assert '<html lang="es"' in visitor.get("/account").html
    with Visitor(installation.url) as elsewhere:
        elsewhere.sign_in(email)
        assert '<html lang="es"' in elsewhere.get("/account").html


def test_errors_say_what_happened_what_is_safe_and_what_to_do(visitor: Visitor) -> None:
    nothing = visitor.get("/no/such/page")
    assert nothing.status == 404
    assert "Nothing is here" in nothing.text
    assert "Nothing was changed." in nothing.text
    other_way = Page(visitor.client.put("/sign-in"))
    assert other_way.status == 405
    assert "Not this way" in other_way.text
    large = Page(visitor.client.post("/sign-in", data={"email": "x" * 1_200_000}))
    assert large.status == 413
    assert "Too much at once" in large.text
    part = visitor.client.get("/no/such/page", headers={"hx-request": "true"})
    assert part.text.startswith("<div")
    assert "<html" not in part.text


def test_errors_are_told_in_spanish(installation: Installation) -> None:
    with Visitor(installation.url, language="es") as visitor:
        assert "Aquí no hay nada" in visitor.get("/no/such/page").text
        assert "El correo y la contraseña no coinciden." in visitor.sign_in(new_address("nadie")).text
        short = visitor.send(visitor.get("/sign-up"), "/sign-up", name="Ana", email=new_address("ana"), password="corta")
        assert "al menos 10 caracteres" in short.text


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/reset", "/contact", "/no/such/page"])
def test_every_page_carries_its_headers(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).response.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_ACC_05_an_operator_is_set_up_once_by_the_terminals_link(installation: Installation, operator: Visitor) -> None:
    assert operator.get("/console").status == 200
    assert installation.operator_link() is None, "no further link while there is an operator"
    with Visitor(installation.url) as late:
        page = late.get("/operator?token=guessed")
        refused = late.send(page, "/operator", name="Eve", email=new_address("eve"), password=PASSWORD)
        assert refused.status == 410
        assert late.session == ""
