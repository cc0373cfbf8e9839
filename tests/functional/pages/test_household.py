"""Households and who has access: roles, invitations, and the yes or no to each company."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.functional.pages.conftest import household_of
from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address, within

Company = tuple[str, Visitor]


def invite(owner: Visitor, email: str, role: str = "member") -> None:
    base = household_of(owner)
    assert "on its way" in owner.send(owner.get(base), f"{base}/invitations", email=email, role=role).text


def join(owner: Visitor, guest: Visitor, name: str, role: str = "member") -> str:
    """Somebody new accepts an invitation; their e-mail address."""
    email = new_address(name)
    invite(owner, email, role)
    guest.send(guest.get(guest.mail(email, "/invitation")), "/invitation/new", name=name, password=PASSWORD)
    assert guest.session
    return email


def test_ACC_05_somebody_new_joins_by_the_invitation(ines: Visitor, visitor: Visitor) -> None:
    email = new_address("tomas")
    invite(ines, email, "guest")
    assert email in ines.get(household_of(ines)).text
    page = visitor.get(visitor.mail(email, "/invitation"))
    for words in ("Join Lund family", "Ines Lund", "Guest", email):
        assert words in page.text
    weak = visitor.send(page, "/invitation/new", name="Tomás Lund", password="short")
    assert weak.status == 422
    assert weak.form("/invitation/new").values["name"] == "Tomás Lund"
    visitor.send(weak, "/invitation/new", password=PASSWORD)
    assert "You are a guest" in visitor.get("/account/household").text
    assert "Lund family: 2 people" in ines.get(household_of(ines)).text
    with Visitor(ines.url) as late:
        assert late.get(late.mail(email, "/invitation")).status == 410, "an invitation works once"


def test_ACC_05_somebody_with_an_account_signs_in_and_accepts(installation: Installation, ines: Visitor, visitor: Visitor) -> None:
    email = visitor.sign_up("Marta Ruiz", household="Ruiz")
    visitor.send(visitor.get("/account"), "/sign-out")
    invite(ines, email)
    link = visitor.mail(email, "/invitation")
    page = visitor.get(link)
    assert "This address has an account" in page.text
    path = re.search(r'href="(/sign-in\?next=[^"]+)"', page.html)
    assert path
    back = visitor.send(visitor.get(path[1]), "/sign-in", email=email, password=PASSWORD)
    assert back.path == "/invitation"
    visitor.send(back, "/invitation/accept")
    assert "Lund family" in visitor.get("/account/household").text


def test_ACC_05_an_invitation_can_be_withdrawn(ines: Visitor, visitor: Visitor) -> None:
    email = new_address("tomas")
    invite(ines, email)
    page = ines.get(household_of(ines))
    action = re.findall(r'action="([^"]+/withdraw)"', page.html)[0]
    assert "no longer works" in ines.send(page, action).text
    assert visitor.get(visitor.mail(email, "/invitation")).status == 410


def test_ACC_05_owners_change_roles_and_remove_and_the_last_owner_stays(ines: Visitor, visitor: Visitor) -> None:
    join(ines, visitor, "Tomás Lund")
    base = household_of(ines)
    page = ines.get(base)
    mine = re.findall(rf'action="({base}/people/[0-9a-f-]{{36}})/remove"', visitor.get(base).html)[0]
    assert "The last owner stays" in page.text
    token = ines.csrf
    me = _self(ines, mine, base)
    for path, values in ((f"{me}/remove", {}), (f"{me}/role", {"role": "guest"})):
        refused = ines.client.post(path, data={"_csrf_token": token, **values})
        assert refused.status_code == 409
        assert "keeps at least one owner" in refused.text
    assert "The new role holds" in ines.send(ines.get(base), f"{mine}/role", role="owner").text
    assert "You own it" in visitor.get(base).text
    left = ines.send(ines.get(base), f"{me}/remove")
    assert "You have left" in left.text
    assert ines.get(base).status == 404
    assert "Lund family: one person" in visitor.get(base).text


def _self(owner: Visitor, other: str, base: str) -> str:
    """The path of the owner's own membership: the page hides its forms, so it is read where another owner would see them."""
    people = re.findall(r'id="role-([0-9a-f-]{36})"', owner.get(base).html)
    assert f"{base}/people/{people[0]}" == other
    token = owner.csrf
    owner.client.post(f"{other}/role", data={"_csrf_token": token, "role": "owner"})
    people = re.findall(r'id="role-([0-9a-f-]{36})"', owner.get(base).html)
    owner.client.post(f"{other}/role", data={"_csrf_token": token, "role": "member"})
    return next(f"{base}/people/{p}" for p in people if f"{base}/people/{p}" != other)


@pytest.mark.parametrize("role", ["member", "guest"])
def test_ACC_05_only_owners_decide(ines: Visitor, visitor: Visitor, company: Company, role: str) -> None:
    join(ines, visitor, "Tomás Lund", role)
    base, access = household_of(ines), ines.get("/account/access").path
    assert f'action="{base}/invitations"' not in visitor.get(base).html
    assert "No company has access" in visitor.get(access).text
    person = re.findall(r'id="role-([0-9a-f-]{36})"', ines.get(base).html)[0]
    found = ines.get(f"{access}?find={company[0]}")
    grant = re.search(rf'action="({access}/[0-9a-f-]{{36}})"', found.html)
    assert grant
    for path, values in (
        (f"{base}/invitations", {"email": "eve@example.org", "role": "owner"}),
        (f"{base}/people/{person}/role", {"role": "owner"}),
        (grant[1], {"view": "yes"}),
    ):
        answer = visitor.client.post(path, data={"_csrf_token": visitor.csrf, **values})
        assert answer.status_code == 403, path
        assert "Only an owner of the household can do this." in answer.text
    assert "No company has access" in ines.get(access).text


def test_SEC_04_another_household_is_not_there_through_any_route(ines: Visitor, visitor: Visitor, company: Company) -> None:
    visitor.sign_up("Eve Stranger")
    base, access = household_of(ines), ines.get("/account/access").path
    nobody = UUID(int=7)
    assert [visitor.get(path).status for path in (base, access, f"{access}?find={company[0]}")] == [404] * 3
    token = visitor.csrf
    for path in (
        f"{base}/name",
        f"{base}/invitations",
        f"{base}/invitations/{nobody}/withdraw",
        f"{base}/people/{nobody}/role",
        f"{base}/people/{nobody}/remove",
        f"{base}/keeping",
        f"{access}/{nobody}",
        f"{access}/{nobody}/take-back",
    ):
        values = {"household": "mine now", "email": "eve@example.org", "role": "owner", "view": "yes", "_csrf_token": token}
        assert visitor.client.post(path, data=values).status_code == 404, path
    assert "Lund family: one person" in ines.get(base).text


def test_ACC_05_one_more_household_can_be_made_and_named(ines: Visitor) -> None:
    made = ines.send(ines.get("/account/household/new"), "/account/household", household="Lund cabins", kind="business")
    assert "Lund cabins: one person" in made.text
    assert "Lund family" in made.text, "the other is one step away"
    renamed = ines.send(made, f"{made.path}/name", household="Donner cabins")
    assert "Donner cabins" in renamed.text
    nameless = ines.send(renamed, f"{made.path}/name", household=" ")
    assert nameless.status == 422


def test_ACC_05_a_company_sees_a_household_only_by_its_yes(ines: Visitor, company: Company) -> None:
    name, manager = company
    assert "Lund" not in manager.get("/portal").html
    access = ines.get("/account/access").path
    found = ines.get(f"{access}?find={name}")
    grant = re.search(rf'action="({access}/[0-9a-f-]{{36}})"', found.html)
    assert grant
    form = found.form(grant[1])
    assert {form.values[scope] for scope in ("view", "control", "equipment", "people")} == {"no"}, "no yes is chosen beforehand"
    lonely = ines.send(found, grant[1], control="yes")
    assert lonely.status == 422
    assert lonely.form(grant[1]).values["control"] == "yes"
    assert "Each of the others needs the first" in lonely.text
    given = ines.send(found, grant[1], view="yes", control="yes")
    assert "One company has access to Lund family" in given.text
    assert f"{name} now has access to Lund family" in ines.get("/mailbox").text
    kept = given.form(grant[1]).values
    assert {s: kept[s] for s in ("view", "control", "equipment", "people")} == {
        **{"view": "yes", "control": "yes"},
        **{"equipment": "no", "people": "no"},
    }
    less = ines.send(given, grant[1], control="no")
    assert less.form(grant[1]).values["control"] == "no"
    gone = ines.send(less, f"{grant[1]}/take-back")
    assert "No company has access to Lund family" in gone.text
    assert "Change set points and modes" in gone.text, "what has ended stays listed"
    assert gone.text.index("What has ended") < gone.text.index(name)


def test_ACC_05_access_ends_by_itself_after_its_last_day(ines: Visitor, company: Company) -> None:
    access = ines.get("/account/access").path
    found = ines.get(f"{access}?find={company[0]}")
    grant = re.search(rf'action="({access}/[0-9a-f-]{{36}})"', found.html)
    assert grant
    for until, status in (("2020-01-01", 422), ("next year", 422)):
        refused = ines.send(found, grant[1], view="yes", until=until)
        assert refused.status == status
        assert refused.form(grant[1]).values["until"] == until
    last = (datetime.now(UTC) + timedelta(days=30)).date()
    given = ines.send(found, grant[1], view="yes", until=last.isoformat())
    assert given.form(grant[1]).values["until"] == last.isoformat()
    assert re.search(rf"until {last.day} \w+ {last.year}", given.text)
    assert within(3, lambda: company[1].get("/portal").status == 200)


def test_ACC_05_a_company_that_is_not_listed_is_told_so(ines: Visitor) -> None:
    access = ines.get("/account/access").path
    assert "No company found." in ines.get(f"{access}?find=nobody+of+that+name").text
    assert ines.post(f"{access}/{UUID(int=7)}", view="yes", _csrf_token=ines.csrf).status_code in {404, 422}
