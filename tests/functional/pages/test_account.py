"""A person's own account: profile, addresses, e-mail, password, sessions, tokens."""

import re
from uuid import UUID

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Page, Visitor, new_address, within


def test_ACC_01_the_profile_is_seen_and_corrected(ines: Visitor) -> None:
    page = ines.get("/account")
    form = page.form("/account/profile")
    assert form.values["name"] == "Ines Lund"
    saved = ines.send(
        page, "/account/profile", name="Inés Lund", units="metric", time_zone="America/Denver", birth_year="1980", gender="woman"
    )
    assert saved.path == "/account"
    assert "Saved." in saved.text
    values = ines.get("/account").form("/account/profile").values
    assert values | {"_csrf_token": ""} == {
        **{"_csrf_token": "", "name": "Inés Lund", "language": "en", "units": "metric"},
        **{"time_zone": "America/Denver", "birth_year": "1980", "gender": "woman"},
    }
    forgotten = ines.send(ines.get("/account"), "/account/profile", birth_year="", gender="", time_zone="")
    values = forgotten.form("/account/profile").values
    assert (values["birth_year"], values["gender"], values["time_zone"]) == ("", "", "")


def test_ACC_01_a_refused_profile_keeps_what_was_typed(ines: Visitor) -> None:
    for field, value, words in (
        ("birth_year", "80", "four digits"),
        ("birth_year", "2999", "at least 16 years old"),
        ("time_zone", "Moon/Crater", "Choose a time zone"),
        ("name", "see https://evil.example", "without control characters or web addresses"),
    ):
        page = ines.send(ines.get("/account"), "/account/profile", **{field: value})
        assert page.status == 422
        assert page.form("/account/profile").values[field] == value
        assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true"', page.html)
        assert words in page.text
    assert ines.get("/account").form("/account/profile").values["name"] == "Ines Lund"


def test_ACC_01_language_of_the_profile_is_the_language_of_the_pages(ines: Visitor) -> None:
    page = ines.send(ines.get("/account"), "/account/profile", language="es")
    assert '<html lang="es"' in page.html
    assert "Guardado" in page.text


def test_ACC_01_several_addresses_and_numbers_each_with_its_kind(ines: Visitor) -> None:
    for kind, value, label in (
        ("residence", "8 Donner Pass Rd\nTruckee, CA 96161", ""),
        ("billing", "PO Box 12", "winter"),
        ("phone", "+1 530 555 0199", "mobile"),
    ):
        ines.send(ines.get(f"/account/contacts/new?kind={kind}"), "/account/contacts/new", value=value, label=label)
    page = ines.get("/account")
    for words in ("Residence", "8 Donner Pass Rd Truckee, CA 96161", "Billing address, winter", "Telephone, mobile", "+1 530 555 0199"):
        assert words in page.text
    path = re.findall(r'href="(/account/contacts/[0-9a-f-]{36})"', page.html)[1]
    changed = ines.send(ines.get(path), path, kind="mailing", value="PO Box 13")
    assert "Mailing address, winter" in changed.text
    assert "PO Box 13" in changed.text
    gone = ines.send(changed, f"{path}/remove")
    assert "PO Box" not in gone.text
    wrong = ines.send(ines.get("/account/contacts/new?kind=phone"), "/account/contacts/new", value="call me")
    assert wrong.status == 422
    assert wrong.form("/account/contacts/new").values["value"] == "call me"


def test_ACC_01_somebody_elses_address_is_not_there(installation: Installation, ines: Visitor) -> None:
    ines.send(ines.get("/account/contacts/new"), "/account/contacts/new", value="8 Donner Pass Rd")
    path = re.findall(r'href="(/account/contacts/[0-9a-f-]{36})"', ines.get("/account").html)[0]
    with Visitor(installation.url) as stranger:
        stranger.sign_up("Eve Stranger")
        assert stranger.get(path).status == 404
        for route in (path, f"{path}/remove"):
            assert stranger.post(route, kind="residence", value="x", _csrf_token=stranger.csrf).status_code == 404
    assert "8 Donner Pass Rd" in ines.get("/account").text


def test_ACC_01_another_address_counts_once_its_link_is_opened(visitor: Visitor) -> None:
    email, fresh = visitor.sign_up(), new_address("ines")
    wrong = visitor.send(visitor.get("/account"), "/account/email", new_email=fresh, current="not my password")
    assert wrong.status == 403
    assert wrong.form("/account/email").values["new_email"] == fresh
    assert "This is not your present password." in wrong.text
    sent = visitor.send(wrong, "/account/email", current=PASSWORD)
    assert "A link is on its way to the new address" in sent.text
    assert email in sent.text, "the old one holds until then"
    confirmed = visitor.send(visitor.get(visitor.mail(fresh, "/account/email")), "/account/email/confirm")
    assert "The new e-mail address holds" in confirmed.text
    assert fresh in confirmed.text
    assert visitor.send(visitor.get("/account/email?token=dead"), "/account/email/confirm").status == 410
    visitor.send(visitor.get("/account"), "/sign-out")
    assert visitor.sign_in(email).status == 403
    visitor.sign_in(fresh)
    assert visitor.session


def test_ACC_02_sessions_are_listed_and_ended_one_by_one_and_all(installation: Installation, visitor: Visitor) -> None:
    email = visitor.sign_up()
    with Visitor(installation.url) as second, Visitor(installation.url) as third:
        second.sign_in(email)
        third.sign_in(email)
        page = visitor.get("/account/security")
        assert "Signed in at 3 places" in page.text
        assert page.text.count("this one") == 1
        ends = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page.html)
        assert len(ends) == 3
        visitor.send(page, ends[1])
        assert [v.get("/account").path for v in (second, third)].count("/sign-in") == 1
        visitor.send(visitor.get("/account/security"), "/account/sessions/end-others")
        assert [v.get("/account").path for v in (second, third)] == ["/sign-in", "/sign-in"]
        assert "Signed in at one place" in visitor.get("/account/security").text
        second.sign_in(email)
        out = visitor.send(visitor.get("/account/security"), "/account/sessions/end-all")
        assert out.path == "/sign-in"
        assert second.get("/account").path == "/sign-in"
        assert visitor.get("/account").path == "/sign-in"


def test_ACC_02_nobody_ends_anothers_session(installation: Installation, ines: Visitor) -> None:
    end = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', ines.get("/account/security").html)[0]
    with Visitor(installation.url) as stranger:
        stranger.sign_up("Eve Stranger")
        assert stranger.post(end, _csrf_token=stranger.csrf).status_code == 404
    assert ines.get("/account").path == "/account"


def test_ACC_02_a_new_password_asks_for_the_present_one_and_signs_out_elsewhere(installation: Installation, visitor: Visitor) -> None:
    email, fresh = visitor.sign_up(), "seven hundred plum trees"
    with Visitor(installation.url) as other:
        other.sign_in(email)
        wrong = visitor.send(visitor.get("/account/security"), "/account/password", current="not it", password=fresh)
        assert wrong.status == 403
        assert re.search(r'id="f-current"[^>]*aria-invalid="true"', wrong.html)
        weak = visitor.send(wrong, "/account/password", current=PASSWORD, password="password12")
        assert weak.status == 422
        assert "among the first that are guessed" in weak.text
        done = visitor.send(weak, "/account/password", current=PASSWORD, password=fresh)
        assert "The new password holds." in done.text
        assert within(3, lambda: other.get("/account").path == "/sign-in")
        assert visitor.get("/account").path == "/account"
        other.sign_in(email, fresh)
        assert other.session


def test_ACC_02_a_token_is_shown_once_and_ends_when_it_is_revoked(installation: Installation, ines: Visitor) -> None:
    nameless = ines.send(ines.get("/account/security"), "/account/tokens", token_name="")
    assert nameless.status == 422
    made = ines.send(nameless, "/account/tokens", token_name="Grafana at home")
    token = re.search(r"ls_\w{32}", made.html)
    assert token
    assert token[0] not in ines.get("/account/security").html
    with Visitor(installation.url) as program:
        program.client.headers["authorization"] = f"Bearer {token[0]}"
        assert program.client.get("/api/v1/sites").status_code == 200
        listed = ines.get("/account/security")
        assert "Grafana at home" in listed.text
        revoke = re.findall(r'action="(/account/tokens/[0-9a-f-]{36}/revoke)"', listed.html)[0]
        assert "no longer works" in ines.send(listed, revoke).text
        assert within(3, lambda: program.client.get("/api/v1/sites").status_code == 401)


def test_ACC_01_every_page_of_the_account_asks_to_sign_in(visitor: Visitor) -> None:
    nobody = UUID(int=7)
    for path in ("/account", "/account/security", "/account/household", f"/account/access/{nobody}", "/account/contacts/new", "/console"):
        page: Page = visitor.get(path)
        assert page.path == "/sign-in", path
        assert page.form("/sign-in").values["next"] == path
