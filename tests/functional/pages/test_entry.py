"""The way in: sign up, confirm, sign in, sign out, choose a new password."""

import re
import time

import pytest
from lineset.pages.common.coming import EVEN_S

from tests.functional.pages.installation import Installation
from tests.support.visitor import FIREFOX, PASSWORD, Page, Visitor, new_address, within

MEANWHILE = 'name="_csrf_token" value="[^"]*"|nonce="[^"]*"|/static/[^"]*'


def test_ACC_01_sign_up_confirm_and_be_signed_in(visitor: Visitor) -> None:
    email = new_address("ines")
    sent = visitor.send(visitor.get("/sign-up"), "/sign-up", name="Ines Lund", email=email, password=PASSWORD, household="Lund family")
    assert sent.path == "/sign-up/sent"
    assert visitor.session == ""
    refused = visitor.sign_in(email)
    assert refused.status == 403
    assert "Confirm your e-mail address first" in refused.text
    confirm = visitor.get(visitor.mail(email, "/verify"))
    wrong = visitor.send(confirm, "/verify", password="not the one that was chosen")
    assert wrong.status == 422
    assert "not the password that you chose" in wrong.text
    visitor.send(wrong, "/verify", password=PASSWORD)
    assert visitor.session
    profile = visitor.get("/account")
    assert "Ines Lund" in profile.text
    assert email in profile.text
    assert "Lund family" in visitor.get("/account/household").text
    again = visitor.send(visitor.get(visitor.mail(email, "/verify")), "/verify", password=PASSWORD)
    assert again.status == 410
    assert "has been used already" in again.text


def test_ACC_01_a_mistake_stands_at_its_field_and_what_was_typed_stays(visitor: Visitor) -> None:
    page = visitor.send(visitor.get("/sign-up"), "/sign-up", name="Ines Lund", email="ines@example.org", password="short", units="metric")
    assert page.status == 422
    form = page.form("/sign-up")
    assert form.values["name"] == "Ines Lund"
    assert form.values["email"] == "ines@example.org"
    assert form.values["units"] == "metric"
    assert form.values["password"] == ""
    assert re.search(r'id="f-password"[^>]*aria-invalid="true"[^>]*aria-describedby="f-password-err', page.html)
    assert "at least 10 characters" in page.text
    mail = visitor.send(page, "/sign-up", email="ines at example", password=PASSWORD)
    assert re.search(r'id="f-email"[^>]*aria-invalid="true"', mail.html)


def test_ACC_02_nobody_learns_who_has_an_account(visitor: Visitor, ines: Visitor) -> None:
    known = re.search(r"[\w.]+@example\.org", ines.get("/account").text)
    assert known
    pages: dict[str, list[Page]] = {"/sign-in": [], "/reset": [], "/sign-up": []}
    for email in (known[0], new_address("nobody")):
        for path, answers in pages.items():
            begun = time.monotonic()
            answers.append(visitor.send(visitor.get(path), path, name="Eve", email=email, password="another long password"))
            assert path == "/sign-in" or time.monotonic() - begun >= EVEN_S
            visitor.client.cookies.delete("ls_csrf")
    for path, (one, other) in pages.items():
        texts = [re.sub(r'value="[^"]*@example\.org"', "", re.sub(MEANWHILE, "", p.html)) for p in (one, other)]
        assert texts[0] == texts[1], path
        assert (one.status, one.path) == (other.status, other.path), path


def test_ACC_02_wrong_passwords_are_slowed_down_and_the_wait_is_told(installation: Installation, ines: Visitor) -> None:
    email = re.search(r"[\w.]+@example\.org", ines.get("/account").text)
    assert email
    with Visitor(installation.url) as guesser:
        statuses = []
        for guess in range(8):
            page = guesser.sign_in(email[0], f"a wrong guess {guess}")
            statuses.append(page.status)
            if page.status == 429:
                break
        assert statuses[:6] == [403] * 6
        assert statuses[-1] == 429
        assert int(page.response.headers["retry-after"]) > 0
        assert re.search(r"Too many tries\. Try again in \d+ seconds?\.", page.text)
        assert page.form("/sign-in").values["email"] == email[0]
        spanish = Visitor(installation.url, language="es-ES")
        spanish.client = guesser.client
        spanish.client.headers["accept-language"] = "es-ES"
        assert re.search(r"Demasiados intentos\.", guesser.sign_in(email[0], "once more").text)
    with Visitor(installation.url) as elsewhere:
        elsewhere.sign_in(email[0])
        assert elsewhere.session, "another network is not held up"


def test_ACC_02_each_sign_in_gets_a_session_of_its_own(installation: Installation, visitor: Visitor) -> None:
    email = visitor.sign_up()
    first = visitor.session
    visitor.client.cookies.delete("ls_session")
    visitor.client.cookies.set("ls_session", "planted-by-somebody-else", domain="127.0.0.1")
    visitor.sign_in(email)
    second = visitor.session
    assert second not in {first, "planted-by-somebody-else"}
    page = visitor.get("/sign-in")
    assert page.path != "/sign-in", "whoever is signed in goes straight on"
    answer = visitor.post("/sign-in", email=email, password=PASSWORD, _csrf_token=visitor.csrf)
    assert answer.status_code == 303
    with Visitor(installation.url) as thief:
        thief.client.cookies.set("ls_session", second, domain="127.0.0.1")
        assert thief.get("/account").path == "/sign-in", "the session before ended with the new one"


def test_ACC_02_the_session_is_out_of_reach_for_scripts_and_other_sites(visitor: Visitor) -> None:
    email = visitor.sign_up()
    visitor.send(visitor.get("/account"), "/sign-out")
    page = visitor.get("/sign-in")
    values = page.form("/sign-in").values | {"email": email, "password": PASSWORD}
    answer = visitor.client.post("/sign-in", data=values, follow_redirects=False)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("ls_session="))
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={30 * 86400}"} <= flags
    for path in ("/account", "/account/security", "/account/household"):
        assert visitor.get(path).response.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("target", "lands"),
    [
        ("/account/security", "/account/security"),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("/\\evil.example/", None),
        ("/\t/evil.example/", None),
        ("javascript:alert(1)", None),
    ],
)
def test_ACC_02_signing_in_never_leads_to_another_site(visitor: Visitor, target: str, lands: str | None) -> None:
    email = visitor.sign_up()
    visitor.send(visitor.get("/account"), "/sign-out")
    page = Page(visitor.client.get("/sign-in", params={"next": target}))
    assert page.form("/sign-in").values["next"] == (target if lands else "")
    values = {"email": email, "password": PASSWORD, "next": target, "_csrf_token": page.form("/sign-in").values["_csrf_token"]}
    answer = visitor.client.post("/sign-in", data=values, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == (lands or "/home")


def test_ACC_02_a_page_asks_to_sign_in_and_comes_back(visitor: Visitor) -> None:
    email = visitor.sign_up()
    visitor.send(visitor.get("/account"), "/sign-out")
    asked = visitor.get("/account/security?x=1")
    assert asked.path == "/sign-in"
    landed = visitor.send(asked, "/sign-in", email=email, password=PASSWORD)
    assert landed.path == "/account/security"


def test_ACC_02_signing_out_ends_the_session_itself(installation: Installation, visitor: Visitor) -> None:
    visitor.sign_up()
    token = visitor.session
    answer = visitor.post("/sign-out", _csrf_token=visitor.csrf)
    assert answer.status_code == 303
    assert '"storage"' in answer.headers["clear-site-data"]
    assert visitor.session == ""
    with Visitor(installation.url) as thief:
        thief.client.cookies.set("ls_session", token, domain="127.0.0.1")
        assert thief.get("/account").path == "/sign-in"


def test_ACC_02_a_new_password_by_mail_ends_every_session(installation: Installation, visitor: Visitor) -> None:
    email = visitor.sign_up()
    with Visitor(installation.url) as other:
        asked = other.send(other.get("/reset"), "/reset", email=email)
        assert asked.path == "/reset/sent"
        link = other.mail(email, "/reset/new")
        chosen = other.send(other.get(link), "/reset/new", password="five hundred orange trees")
        assert chosen.path == "/sign-in"
        assert "The new password holds" in chosen.text
        assert within(3, lambda: visitor.get("/account").path == "/sign-in")
        assert other.send(other.get(link), "/reset/new", password="six hundred orange trees").status == 410
        assert other.sign_in(email, PASSWORD).status == 403
        other.sign_in(email, "five hundred orange trees")
        assert other.session
        assert "Your password was changed" in other.get("/mailbox").text


def test_a_form_without_its_token_is_refused_with_a_page(visitor: Visitor) -> None:
    email = visitor.sign_up()
    for path in ("/sign-in", "/sign-out", "/account/profile", "/account/sessions/end-all", "/preferences/language"):
        answer = visitor.post(path, email=email, password=PASSWORD, language="es")
        assert answer.status_code == 403, path
        assert "This form is too old" in answer.text
    answer = visitor.post("/sign-out", _csrf_token="0" * 128)
    assert answer.status_code == 403
    assert visitor.get("/account").status == 200, "nothing was changed"


def test_ACC_02_passwords_never_come_back_in_a_page(visitor: Visitor) -> None:
    secret = "a secret that no page repeats"
    pages = [
        visitor.sign_in(new_address("nobody"), secret),
        visitor.send(visitor.get("/sign-up"), "/sign-up", name="", email="x", password=secret),
        visitor.send(visitor.get("/reset/new?token=dead"), "/reset/new", password=secret),
        visitor.send(visitor.get("/verify?token=dead"), "/verify", password=secret),
    ]
    assert [secret in page.html for page in pages] == [False] * 4
    assert [page.status for page in pages] == [403, 422, 410, 410]


def test_ACC_02_the_agent_of_a_sign_in_is_named_and_noticed(installation: Installation, visitor: Visitor) -> None:
    email = visitor.sign_up()
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
    assert phone != FIREFOX
    with Visitor(installation.url, agent=phone) as other:
        other.sign_in(email)
        assert "Safari, iPhone, this one" in other.get("/account/security").text
        assert "New sign-in with Safari, iPhone" in other.get("/mailbox").text
