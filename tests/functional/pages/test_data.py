"""Your data: what is held, who saw it, what one chose, one's devices, a copy, and deleting, as somebody without scripts does it."""

import re
from typing import Any
from uuid import UUID

import pytest
from lineset import schema
from lineset.kit.tombstones import Tombstones
from lineset.platform import open_platform
from lineset.privacy import Context, Person, Purpose, Register, record_inference
from lineset.privacy.inventory import inventory

from tests.functional.pages.conftest import household_of
from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor


def add_home(ines: Visitor) -> str:
    """Ines adds her home; the address of its first page."""
    form = ines.get("/home/sites/new")
    made = ines.send(form, "/home/sites/new", name="Cabin", street="14 Sugar Pine Rd", city="Truckee", time_zone="America/Los_Angeles")
    assert made.status == 200, made.text
    return made.path


def test_PRV_01_one_page_shows_all_of_it_and_every_part_opens(ines: Visitor) -> None:
    home = add_home(ines)
    page = ines.get(f"{home}/privacy")
    assert page.status == 200, page.text[:2000]
    for words in ("Your data", "What we hold", "Who saw it", "Who received it", "You choose", "Devices", "Take it with you", "Delete"):
        assert words in page.text, words
    links = set(re.findall(rf'href="({home}/privacy/[^"#]+)"', page.html))
    assert len(links) > 7
    for link in sorted(links):
        assert ines.get(link).status == 200, link
    for kind in inventory(schema.register()):
        opened = ines.get(f"{home}/privacy/held/{kind.family.key}")
        for rows in re.findall(rf'href="({home}/privacy/held/[^"#]+/[^"#]+)"', opened.html):
            shown = ines.get(rows)
            assert shown.status == 200, rows
            assert "<li>" in shown.html, rows
    people = ines.get(f"{home}/privacy/held/you/people")
    assert "Ines Lund" in people.text
    sites = ines.get(f"{home}/privacy/held/you/sites")
    assert "Cabin" in sites.text
    assert "14 Sugar Pine Rd" in sites.text


def test_PRV_01_people_without_a_household_have_their_part_at_the_account(company: tuple[str, Visitor]) -> None:
    visitor = company[1]
    page = visitor.get("/account/data")
    assert page.status == 200
    assert "All that we hold on you, in one place" in page.text
    assert "Who saw it" not in page.text
    assert visitor.get("/account/data/held/settings").status == 404, "settings are a household's"
    assert visitor.get("/account/data/concluded").status == 404, "conclusions are a household's"
    assert company[0] in visitor.get("/account/data/held/work/memberships").text
    for part in ("seen", "changes", "choices", "devices", "take", "delete", "requests"):
        assert visitor.get(f"/account/data/{part}").status == 200, part


def test_PRV_01_nobody_opens_anothers_page(installation: Installation, ines: Visitor) -> None:
    home = add_home(ines)
    with Visitor(installation.url) as zoe:
        zoe.sign_up("Zoe Berg", household="Berg")
        for part in ("", "/seen", "/choices", "/held/you/sites", "/delete", "/changes"):
            assert zoe.get(f"{home}/privacy{part}").status == 404, part
        session = re.search(r"/held/devices/sessions/([0-9a-f-]+)/delete", ines.get(f"{home}/privacy/held/devices/sessions").html)
        assert session is not None
        token = zoe.csrf
        gone = zoe.post(f"/account/data/held/devices/sessions/{session[1]}/delete", _csrf_token=token)
        assert gone.status_code == 404
    assert ines.get(f"{home}/privacy").status == 200, "she is still signed in"


def test_PRV_01_a_declaration_that_is_deleted_takes_its_sentence_along(monkeypatch: pytest.MonkeyPatch) -> None:
    register = schema.register()
    told = {h.about for kind in inventory(register) for h in kind.holders}
    assert len(told) > 40
    for name, declared in register.tables.items():
        if declared.about in told:
            fewer = {other: d for other, d in register.tables.items() if other != name and d.about != declared.about}
            with monkeypatch.context() as without:
                without.setattr(Register, "tables", fewer)
                left = {h.about for kind in inventory(register) for h in kind.holders}
            assert declared.about not in left, name
            assert left == told - {declared.about}, name
    people = register.metadata.tables["people"].columns["gender_sealed"].info
    held = people.pop("holds")
    try:
        people["holds"] = register.column("people", "id")
        assert "user.demographic.gender" not in {c for k in inventory(register) for c in k.categories}, "the column's word goes too"
    finally:
        people["holds"] = held


def test_ACC_03_each_correction_stands_in_the_history_and_goes_with_its_thing(ines: Visitor) -> None:
    page = ines.get("/account")
    ines.send(page, "/account/profile", name="Ines Lund Ortega", birth_year="1981", gender="woman", language="en", units="us")
    ines.send(ines.get("/account/contacts/new"), "/account/contacts/new", kind="phone", value="+1 530 555 0142", label="work")
    contact = re.search(r'href="(/account/contacts/[0-9a-f-]+)"', ines.get("/account").html)
    assert contact is not None
    ines.send(ines.get(contact[1]), contact[1], kind="phone", value="+1 530 555 0199", label="work")
    history = ines.get("/account/data/changes").text
    for words in ("Ines Lund → After: Ines Lund Ortega", "1981", "woman", "work: +1 530 555 0142 → After: work: +1 530 555 0199"):
        assert words in history, (words, history)
    home = add_home(ines)
    settings = ines.get(f"{home}/settings")
    ines.send(settings, f"{home}/settings", name="Lake cabin")
    assert "Site: Name" in ines.get(f"{home}/privacy/changes").text
    ines.send(ines.get("/account"), f"{contact[1]}/remove")
    after = ines.get("/account/data/changes").text
    assert "555" not in after, "what was deleted leaves no earlier values"
    assert "Ines Lund Ortega" in after


def test_EQP_03_a_device_is_known_by_type_system_and_version_and_is_forgotten_with_all_about_it(installation: Installation) -> None:
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1"
    with Visitor(installation.url) as desk, Visitor(installation.url, agent=iphone) as phone:
        email = desk.sign_up("Ines Lund")
        phone.sign_in(email)
        report = {"kind": "opened", "version": "app-1"}
        assert phone.client.post("/app/reports", json=report, headers={"x-csrf-token": phone.csrf}).status_code < 300
        page = desk.get("/account/data/devices")
        for words in ("2 devices are known", "Firefox, Linux, this one", "Safari, iPhone", "Phone", "iOS 17.4", "17.4", "140.0"):
            assert words in page.text, (words, page.text)
        desk.send(page, "/account/data/devices/forget", device="Safari, iPhone")
        left = desk.get("/account/data/devices").text
        assert "iPhone" not in left
        assert "One device is known" in left
        assert "iPhone" not in desk.get("/account/data/held/devices/sessions").text
        assert "iPhone" not in desk.get("/account/data/held/devices/app_events").text
        assert phone.get("/account").path == "/sign-in"
        assert desk.post("/account/data/devices/forget", device="Safari, iPhone", _csrf_token=desk.csrf).status_code == 404


def remembered(installation: Installation) -> list[str]:
    """What the platform remembers outside its database of all that was erased."""

    async def work() -> list[str]:
        async with open_platform(installation.settings, "test", pool=1) as platform:
            return [content.decode() for content in (await Tombstones(platform.bus).everything()).values()]

    return installation.run(work)


def test_DEL_03_what_is_removed_on_its_own_page_is_lost_to_backups_too(ines: Visitor, installation: Installation) -> None:
    ines.send(ines.get("/account/contacts/new"), "/account/contacts/new", kind="residence", value="3 Elk Rd\nReno", label="")
    contact = re.search(r'href="(/account/contacts/([0-9a-f-]{36}))"', ines.get("/account").html)
    assert contact is not None
    ines.send(ines.get("/account"), f"{contact[1]}/remove")
    ines.send(ines.get("/account/security"), "/account/tokens", token_name="Grafana")
    listed = ines.get("/account/security")
    token = re.search(r'action="(/account/tokens/([0-9a-f-]{36})/revoke)"', listed.html)
    assert token is not None
    ines.send(listed, token[1])
    everything = remembered(installation)
    assert [sum(gone in content for content in everything) for gone in (contact[2], token[2])] == [1, 1]


def test_DEL_01_a_single_entry_is_deleted_where_it_is_listed(ines: Visitor, installation: Installation) -> None:
    ines.send(ines.get("/account/contacts/new"), "/account/contacts/new", kind="residence", value="9 Mill St\nReno", label="")
    ines.send(ines.get("/account/security"), "/account/tokens", token_name="Node-RED")
    for kind, name, words in (("you", "contacts", "9 Mill St"), ("devices", "api_tokens", "Node-RED")):
        rows = ines.get(f"/account/data/held/{kind}/{name}")
        assert words in rows.text
        assert "Nothing stays." in rows.text, "what goes stands there before the yes"
        action = re.search(rf'action="(/account/data/held/{kind}/{name}/[0-9a-f-]+/delete)"', rows.html)
        assert action is not None
        after = ines.send(rows, action[1])
        assert after.status == 200
        assert words not in after.text.partition("Deleted.")[2]
        assert ines.post(action[1], _csrf_token=ines.csrf).status_code == 404, "once only"
        assert sum(action[1].split("/")[-2] in told for told in remembered(installation)) == 1, "a restored backup loses it again"
    assert ines.post("/account/data/held/you/people/x/delete", _csrf_token=ines.csrf).status_code == 404, "not by itself"


def test_DEL_01_before_the_yes_it_says_what_goes_and_what_stays_and_the_account_needs_the_password(ines: Visitor) -> None:
    home = add_home(ines)
    page = ines.get(f"{home}/privacy/delete")
    links = re.findall(rf'href="({home}/privacy/delete/(\w+)/[0-9a-f-]+)"', page.html)
    assert {kind for _, kind in links} == {"site", "household", "account"}
    for link, kind in links:
        shown = ines.get(link)
        assert shown.status == 200, (kind, shown.text)
        assert "Goes, and does not come back" in shown.text
        assert "Stays, and why" in shown.text
        assert "until" in shown.text
        assert ines.send(shown, link, sure="").status == 422, "a yes is said, not assumed"
    account = next(link for link, kind in links if kind == "account")
    wrong = ines.send(ines.get(account), account, sure="yes", current="not my password at all")
    assert wrong.status == 403
    assert "This is not your present password." in wrong.text
    assert "No request yet." in ines.get(f"{home}/privacy/requests").text
    asked = ines.send(ines.get(account), account, sure="yes", current=PASSWORD)
    assert asked.path == f"{home}/privacy/requests"
    assert "You can change your mind until" in asked.text
    keep = re.search(rf'action="({home}/privacy/requests/[0-9a-f-]+/keep)"', asked.html)
    assert keep is not None
    kept = ines.send(asked, keep[1])
    assert "You kept it." in kept.text
    assert ines.post(keep[1], _csrf_token=ines.csrf).status_code == 409


def test_PRV_03_each_choice_is_asked_by_itself_in_its_own_words_and_no_is_as_near_as_yes(ines: Visitor) -> None:
    home = add_home(ines)
    page = ines.get(f"{home}/privacy/choices")
    assert "Location of this site : Cabin".replace(" :", ":") in page.text
    assert page.html.count('aria-pressed="true">No') == page.html.count('<form class="choice"'), "all start at no"
    assert page.html.count('value="yes"') == page.html.count('value="no"')
    for said, words in (("yes", "Yes since"), ("no", "No since")):
        form = next(f for f in _choice_forms(page.html) if f["choice"] == "fleet_models")
        sent = ines.post(f"{home}/privacy/choices", **form, answer=said)
        assert sent.status_code == 303
        page = ines.get(f"{home}/privacy/choices")
        assert words in page.text
    receipts = ines.get(f"{home}/privacy/receipts.json").response.json()
    assert [r["events"][0]["event_state"] for r in receipts] == ["given", "withdrawn"]
    assert ines.post(f"{home}/privacy/choices", choice="everything", detail="", answer="yes", _csrf_token=ines.csrf).status_code == 422


def _choice_forms(html: str) -> list[dict[str, str]]:
    forms = re.findall(r'<form class="choice".*?</form>', html, re.S)
    return [dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)) for form in forms]


def test_CMP_02_pages_functions_and_programs_are_the_same_whatever_somebody_chose(ines: Visitor) -> None:
    """Every page that links lead to, with its forms, and the API: with all choices at no, at yes, and with the signals of a browser."""
    home = add_home(ines)
    token = re.search(r'class="secret">(ls_\w+)<', ines.send(ines.get("/account/security"), "/account/tokens", token_name="x").html)
    assert token is not None
    refused = _offered(ines, home, token[1])
    assert len(refused) >= 20
    choices = f"{home}/privacy/choices"
    for form in _choice_forms(ines.get(choices).html):
        assert ines.post(choices, **form, answer="yes").status_code == 303
    assert 'aria-pressed="true">No' not in ines.get(choices).html
    agreed = _offered(ines, home, token[1])
    ines.client.headers.update({"sec-gpc": "1", "dnt": "1"})
    signalled = _offered(ines, home, token[1])
    assert refused == agreed == signalled


_ELSEWHERE = ("/static", "/mailbox", "/api")


def _offered(visitor: Visitor, home: str, token: str) -> dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """What each page offers: its status, where its forms go, and what its headings and buttons say. Left out are the pages on which the
    answers themselves stand: "Your data", and that of location, which takes a place only on a yes.
    """
    found: dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]] = {}
    ahead = ["/", home, "/account", "/account/security", "/account/access"]
    while ahead:
        path = ahead.pop()
        if path in found or "/privacy" in path or "/account/data" in path or path.startswith(_ELSEWHERE) or path.endswith("/location"):
            continue
        page = visitor.get(path)
        forms = tuple(sorted(set(re.findall(r'<form[^>]*action="([^"]*)"', page.html))))
        words = tuple(re.findall(r"<(?:h1|h2|button)[^>]*>([^<]*)<", page.html))
        found[path] = page.status, forms, words
        ahead += [link for link in re.findall(r'<a [^>]*href="(/[^"#?]*)', page.html) if not link.endswith((".json", ".csv", "/file"))]
    program = {"authorization": f"Bearer {token}"}
    for path in ("/api/v1/sites", "/api/v1/account"):
        answer = visitor.client.get(path, headers=program)
        found[path] = answer.status_code, tuple(sorted(answer.headers)), ()
    return found


def _conclude(installation: Installation, who: Visitor, household: str, **other: Any) -> UUID:
    """A conclusion, recorded by the face that whoever concludes calls."""
    told: dict[str, Any] = {"kind": "habit", "source": "set points of 30 days", "model": "habits 1", "confidence": 0.8}
    told |= {"statement": "Nobody is at home on weekdays from 9 to 16", **other}
    context = Context(Person(installation.person(who.session)), Purpose.OPERATE)
    return installation.act(context, lambda tx: record_inference(tx, UUID(household), **told))


def test_PRV_06_people_see_what_was_concluded_contest_it_and_erase_it(installation: Installation, ines: Visitor) -> None:
    home, household = add_home(ines), household_of(ines).rpartition("/")[2]
    page = f"{home}/privacy/concluded"
    assert "Nothing is concluded about your household." in ines.get(page).text
    habit = _conclude(installation, ines, household)
    _conclude(installation, ines, household, statement="The heat pump is too small", confidence=0.995, model="sizing 2")
    assert page in ines.get(f"{home}/privacy").html, "the overview leads there"
    shown = ines.get(page)
    for words in (
        "Nobody is at home on weekdays",
        "Worked out from set points of 30 days",
        "How sure 80 %",
        "How sure certain",
        "By habits 1",
        "Made",
    ):
        assert words in shown.text, words
    assert "Called wrong" not in shown.text
    assert ines.client.get(page, headers={"accept": "text/html"}).text.count("<script>") == 0

    mute = ines.send(shown, f"{page}/{habit}/contest", words="  ")
    assert mute.status == 422
    assert "Say what is wrong" in mute.text
    said = ines.send(shown, f"{page}/{habit}/contest", words="We work from home <b>")
    assert said.status == 200
    assert "Nothing is done because of it" in said.text
    assert "Called wrong" in said.text
    assert "We work from home &lt;b&gt;" in said.html
    assert "Called wrong" in ines.get(f"{home}/privacy").text

    gone = ines.send(said, f"{page}/{habit}/erase")
    assert "Erased." in gone.text
    assert "Nobody is at home" not in gone.text
    assert "The heat pump is too small" in gone.text, "the other one stays"
    again = ines.post(f"{page}/{habit}/erase", _csrf_token=ines.csrf)
    assert again.status_code == 404


def test_PRV_06_nobody_else_sees_or_changes_a_conclusion(installation: Installation, ines: Visitor) -> None:
    home, household = add_home(ines), household_of(ines).rpartition("/")[2]
    made = _conclude(installation, ines, household)
    with Visitor(installation.url) as zoe:
        zoe.sign_up("Zoe Berg", household="Berg")
        own = f"{add_home(zoe)}/privacy/concluded"
        assert zoe.get(f"{home}/privacy/concluded").status == 404
        assert "Nobody is at home" not in zoe.get(own).text
        assert zoe.post(f"{own}/{made}/contest", _csrf_token=zoe.csrf, words="not so").status_code == 404
        assert zoe.post(f"{own}/{made}/erase", _csrf_token=zoe.csrf).status_code == 404
    assert "Called wrong" not in ines.get(f"{home}/privacy/concluded").text
    ines.send(ines.get("/account"), "/preferences/language", language="es")
    for words in ("Lo que concluimos", "Certeza 80 %", "Está mal", "Borrar"):
        assert words in ines.get(f"{home}/privacy/concluded").text, words
