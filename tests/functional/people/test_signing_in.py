"""Signing up, confirming, signing in and out."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from lineset import accounts
from lineset.accounts import Browser, NewContact
from lineset.kit.errors import Denied, Invalid, TooMany
from lineset.privacy import Purpose
from sqlalchemy import text

from tests.functional.people.world import FIREFOX, PASSWORD, World

pytestmark = pytest.mark.anyio
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


async def test_ACC_01_sign_up_needs_the_mailed_link_and_makes_a_household(world: World) -> None:
    email, browser = world.address(), world.browser()
    await accounts.sign_up(world.door, name="Anna", email=email.upper(), password=PASSWORD, browser=browser, household="Casa Anna")
    with pytest.raises(Denied) as refused:
        await accounts.sign_in(world.door, email, PASSWORD, browser)
    assert refused.value.code == "unverified"
    first, second = await world.mails(email, "verify")
    assert "http://localhost:8000/verify?token=" in first.body
    assert first.body != second.body, "a sign-in before confirming mails a fresh link"
    signed_in = await accounts.verify(world.door, await world.link(email, "verify"), PASSWORD, browser)
    principal = await world.authenticator.session(signed_in.token)
    assert principal is not None
    assert [(h.name, h.role) for h in principal.households] == [("Casa Anna", "owner")]
    with pytest.raises(Invalid):
        await accounts.verify(world.door, await world.link(email, "verify"), PASSWORD, browser)
    again = await accounts.sign_in(world.door, email, PASSWORD, browser)
    assert again.person_id == signed_in.person_id


async def test_ACC_01_profile_holds_all_that_was_given_and_can_be_changed(world: World) -> None:
    email, browser = world.address("ines"), world.browser()
    given = (
        NewContact("residence", "Calle Mayor 1\n28013 Madrid"),
        NewContact("billing", "Apartado 7"),
        NewContact("phone", "+34 600 000 000"),
    )
    await accounts.sign_up(
        world.door, name="Inés", email=email, password=PASSWORD, browser=browser, language="es", units="metric",
        time_zone="Europe/Madrid", contacts=given, birth_year=1980, gender="mujer",
    )  # fmt: skip
    mail = (await world.mails(email, "verify"))[0]
    assert mail.subject == "Confirme su dirección de correo"
    signed_in = await accounts.verify(world.door, await world.link(email, "verify"), PASSWORD, browser)
    person = await world.somebody("Inés", email, signed_in.token)
    async with world.door.open(person.acts(Purpose.ACCOUNT)) as tx:
        profile = await accounts.get_profile(tx)
        assert [(c.kind, c.value) for c in profile.contacts] == [(g.kind, g.value) for g in given]
        assert (profile.name, profile.email, profile.birth_year, profile.gender) == ("Inés", email, 1980, "mujer")
        await accounts.change_profile(tx, name="Inés G.", units="us", clear=frozenset({"gender", "birth_year"}))
        await accounts.change_contact(tx, profile.contacts[0].id, NewContact("mailing", "Gran Vía 2", "work"))
        await accounts.remove_contact(tx, profile.contacts[1].id)
        changed = await accounts.get_profile(tx)
    assert (changed.name, changed.units, changed.gender, changed.birth_year) == ("Inés G.", "us", "", None)
    assert [(c.kind, c.label, c.value) for c in changed.contacts] == [("mailing", "work", "Gran Vía 2"), ("phone", "", "+34 600 000 000")]


async def test_ACC_01_nothing_personal_stands_in_the_database_in_the_clear(world: World) -> None:
    person = await world.sign_up("Ottoline Quackenbush")
    with world.owner() as connection:
        tables = [
            r[0]
            for r in connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"))
        ]
        assert "people" in tables
        for table in tables:
            rows = connection.execute(text(f"SELECT t::text FROM {table} t")).scalars().all()  # noqa: S608 - names of our own tables
            assert not [row for row in rows if "Quackenbush" in row or person.email in row], table


async def test_ACC_02_sign_up_never_tells_whether_an_address_has_an_account(world: World) -> None:
    person = await world.sign_up()
    await accounts.sign_up(world.door, name="Mallory", email=person.email, password="a different long one", browser=world.browser())
    assert [m.kind for m in await world.mails(person.email)] == ["verify", "already"]
    assert "Mallory" not in (await world.mails(person.email, "already"))[0].body
    await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())


async def test_ACC_02_the_time_does_not_tell_whether_an_address_has_an_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await world.sign_up()
    monkeypatch.setattr("lineset.accounts.entry.LEAST_S", 0.5)
    clock = asyncio.get_running_loop().time
    for address in (person.email, world.address("nobody")):
        start = clock()
        await accounts.ask_reset(world.door, address, world.browser())
        reset = clock() - start
        await accounts.sign_up(world.door, name="Bo", email=address, password=PASSWORD, browser=world.browser())
        assert min(reset, clock() - start - reset) >= 0.5, address


async def test_ACC_02_nobody_prepares_an_account_for_another_to_confirm(world: World) -> None:
    email, thief, owner = world.address(), world.browser(), world.browser()
    await accounts.sign_up(world.door, name="Owner", email=email, password=PASSWORD, browser=owner)
    await accounts.sign_up(world.door, name="Thief", email=email, password="the thief's own words", browser=thief)
    with pytest.raises(Invalid) as refused:
        await accounts.verify(world.door, await world.link(email, "verify"), PASSWORD, owner)
    assert refused.value.code == "wrong_password"
    with pytest.raises(Denied):
        await accounts.sign_in(world.door, email, "the thief's own words", thief)


async def test_ACC_02_guessable_passwords_are_refused(world: World) -> None:
    wrong = {
        "short": "short_password",
        "x" * 257: "long_password",
        "password123": "common_password",
        "P@ssw0rd!!": "common_password",
        "qwertyuiop": "common_password",
        "0987654321": "common_password",
        "aaaaaaaaaaaa": "common_password",
        "Summer2026!": "common_password",
        "anna.smith.99": "own_password",
    }
    for password, code in wrong.items():
        with pytest.raises(Invalid) as refused:
            await accounts.sign_up(world.door, name="A", email="anna.smith@example.com", password=password, browser=world.browser())
        assert (refused.value.code, refused.value.field) == (code, "password"), password


async def test_ACC_02_guessing_is_slowed_down_and_each_try_waits_longer(world: World) -> None:
    person, browser = await world.sign_up(), world.browser()
    with time_machine.travel("2027-03-01T12:00:00Z", tick=False) as clock:
        for _ in range(6):
            with pytest.raises(Denied, match="do not fit"):
                await accounts.sign_in(world.door, person.email, "wrong password", browser)
        waits = []
        for _ in range(4):
            with pytest.raises(TooMany) as slowed:
                await accounts.sign_in(world.door, person.email, PASSWORD, browser)
            waits.append(slowed.value.wait_s)
            clock.shift(timedelta(seconds=slowed.value.wait_s))
            with pytest.raises(Denied):
                await accounts.sign_in(world.door, person.email, "wrong password", browser)
        assert waits == [2, 4, 8, 16]
        with pytest.raises(TooMany):
            await accounts.sign_in(world.door, person.email, PASSWORD, browser)
        clock.shift(timedelta(hours=1))
        await accounts.sign_in(world.door, person.email, PASSWORD, browser)


async def test_ACC_02_guesses_from_elsewhere_do_not_lock_the_owner_out(world: World) -> None:
    home = world.browser()
    person = await world.sign_up(browser=home)
    with time_machine.travel("2027-03-02T12:00:00Z", tick=False):
        for _ in range(12):
            with pytest.raises(Denied):
                await accounts.sign_in(world.door, person.email, "wrong password", world.browser())
        with pytest.raises(TooMany):
            await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())
        await accounts.sign_in(world.door, person.email, PASSWORD, home)


async def test_ACC_02_unknown_addresses_are_throttled_alike(world: World) -> None:
    email, browser = world.address("nobody"), world.browser()
    for _ in range(6):
        with pytest.raises(Denied) as refused:
            await accounts.sign_in(world.door, email, PASSWORD, browser)
        assert refused.value.code == "wrong_sign_in"
    with pytest.raises(TooMany):
        await accounts.sign_in(world.door, email, PASSWORD, browser)


async def test_ACC_02_a_sign_in_from_a_new_browser_is_noticed_by_mail(world: World) -> None:
    person = await world.sign_up()
    await accounts.sign_in(world.door, person.email, PASSWORD, world.browser(FIREFOX.agent.replace("140", "141")))
    assert await world.mails(person.email, "new_browser") == [], "a newer version of a known browser is no news"
    await accounts.sign_in(world.door, person.email, PASSWORD, world.browser(CHROME))
    (mail,) = await world.mails(person.email, "new_browser")
    assert mail.subject == "New sign-in with Chrome, Windows"


async def test_ACC_02_sessions_are_listed_and_ended_one_by_one_or_all(world: World) -> None:
    person = await world.sign_up()
    other = await accounts.sign_in(world.door, person.email, PASSWORD, world.browser(CHROME))
    third = await accounts.sign_in(world.door, person.email, PASSWORD, world.browser(CHROME))
    async with world.door.open(person.acts(Purpose.SECURITY)) as tx:
        sessions = await accounts.list_sessions(tx, person.principal.session_id)
        assert sorted(s.browser for s in sessions) == ["Chrome, Windows", "Chrome, Windows", "Firefox, Linux"]
        assert [s.current for s in sessions].count(True) == 1
        await accounts.sign_out(tx, other.session_id)
    assert await world.authenticator.session(other.token) is None
    assert await world.authenticator.session(third.token) is not None
    async with world.door.open(person.acts(Purpose.SECURITY)) as tx:
        await accounts.sign_out_everywhere(tx, keep=person.principal.session_id)
    world.authenticator.forget(person.principal.person_id)
    assert await world.authenticator.session(third.token) is None
    assert await world.authenticator.session(person.token) is not None


async def test_ACC_02_a_session_ends_after_thirty_days(world: World) -> None:
    person = await world.sign_up()
    with time_machine.travel(timedelta(days=29, hours=23), tick=False):
        assert await world.fresh().session(person.token) is not None
    with time_machine.travel(timedelta(days=30, minutes=1), tick=False):
        assert await world.fresh().session(person.token) is None


async def test_ACC_02_reset_by_mail_works_once_and_signs_out_everywhere(world: World) -> None:
    person, browser = await world.sign_up(), world.browser()
    async with world.door.open(person.acts(Purpose.ACCOUNT)) as tx:
        api_token = await accounts.make_token(tx, "script")
    await accounts.ask_reset(world.door, person.email, browser)
    token = await world.link(person.email, "reset")
    with pytest.raises(Invalid, match="at least 10"):
        await accounts.reset_password(world.door, token, "short", browser)
    await accounts.reset_password(world.door, token, "four hundred olive trees", browser)
    with pytest.raises(Invalid, match="used already"):
        await accounts.reset_password(world.door, token, "five hundred olive trees", browser)
    assert await world.fresh().session(person.token) is None
    assert await world.fresh().bearer(api_token) is None
    with pytest.raises(Denied):
        await accounts.sign_in(world.door, person.email, PASSWORD, browser)
    await accounts.sign_in(world.door, person.email, "four hundred olive trees", browser)
    assert len(await world.mails(person.email, "password_changed")) == 1


async def test_ACC_02_reset_ends_after_an_hour_and_needs_a_confirmed_account(world: World) -> None:
    person, browser = await world.sign_up(), world.browser()
    await accounts.ask_reset(world.door, person.email, browser)
    with time_machine.travel(timedelta(minutes=61), tick=False), pytest.raises(Invalid, match="its time is over"):
        await accounts.reset_password(world.door, await world.link(person.email, "reset"), "four hundred olive trees", browser)
    unconfirmed, unknown = world.address(), world.address()
    await accounts.sign_up(world.door, name="Bo", email=unconfirmed, password=PASSWORD, browser=browser)
    await accounts.ask_reset(world.door, unconfirmed, browser)
    await accounts.ask_reset(world.door, unknown, browser)
    assert await world.mails(unconfirmed, "reset") == await world.mails(unknown) == []


async def test_ACC_02_changing_the_password_ends_the_other_sessions(world: World) -> None:
    person = await world.sign_up()
    other = await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())
    person_id, here = person.principal.person_id, person.principal.session_id
    with pytest.raises(Denied, match="not your present password"):
        await accounts.change_password(world.door, person_id, "wrong password", "four hundred olive trees", keep_session=here)
    await accounts.change_password(world.door, person_id, PASSWORD, "four hundred olive trees", keep_session=here)
    assert await world.fresh().session(other.token) is None
    assert await world.fresh().session(person.token) is not None
    await accounts.sign_in(world.door, person.email, "four hundred olive trees", world.browser())


async def test_ACC_02_a_new_address_counts_once_its_own_link_was_opened(world: World) -> None:
    person, new = await world.sign_up(), world.address("new")
    person_id = person.principal.person_id
    await accounts.change_email(world.door, person_id, PASSWORD, new)
    await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())
    stranger = await world.sign_up("Stranger")
    token = await world.link(new, "email_confirm")
    with pytest.raises(Invalid):
        await accounts.confirm_email(world.door, stranger.principal.person_id, token)
    await accounts.confirm_email(world.door, person_id, token)
    await accounts.sign_in(world.door, new, PASSWORD, world.browser())
    with pytest.raises(Denied):
        await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())
    assert len(await world.mails(person.email, "email_changed")) == 1
    await accounts.change_email(world.door, stranger.principal.person_id, PASSWORD, new)
    assert len(await world.mails(new, "email_taken")) == 1, "whose address it is hears of it; who asked does not"


async def test_ACC_02_a_programs_token_is_shown_once_and_can_be_revoked(world: World) -> None:
    person = await world.sign_up()
    async with world.door.open(person.acts(Purpose.ACCOUNT)) as tx:
        token = await accounts.make_token(tx, "my script")
    assert token.startswith("ls_")
    assert len(token) == 35
    assert token[3:].isalnum()
    principal = await world.authenticator.bearer(token)
    assert principal is not None
    assert (principal.person_id, principal.session_id) == (person.principal.person_id, None)
    async with world.door.open(person.acts(Purpose.ACCOUNT)) as tx:
        (view,) = await accounts.list_tokens(tx)
        assert view.last_used_at is not None
        await accounts.revoke_token(tx, view.id)
    assert await world.fresh().bearer(token) is None
    assert await world.fresh().bearer("ls_" + "x" * 32) is None


async def test_ACC_02_old_hashes_are_renewed_at_sign_in(world: World) -> None:
    person = await world.sign_up()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with world.owner() as connection:
        connection.execute(text("UPDATE people SET password_hash = :hash WHERE id = :id"), {"hash": weak, "id": person.principal.person_id})
    await accounts.sign_in(world.door, person.email, PASSWORD, world.browser())
    with world.owner() as connection:
        kept = connection.scalar(text("SELECT password_hash FROM people WHERE id = :id"), {"id": person.principal.person_id})
    assert str(kept).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_names_can_not_carry_web_addresses_into_mails(world: World) -> None:
    for name in ("see http://evil.example", "www.evil.example", "two\nlines", ""):
        with pytest.raises(Invalid) as refused:
            await accounts.sign_up(world.door, name=name, email=world.address(), password=PASSWORD, browser=world.browser())
        assert refused.value.field == "name"


def test_a_network_is_what_one_customer_holds() -> None:
    assert Browser("2001:db8:1:2:3:4:5:6").network == Browser("2001:db8:1:2::9").network == "2001:db8:1:2::/64"
    assert Browser("::ffff:203.0.113.9").network == "203.0.113.9"
    assert Browser("not an address").network == "not an address"
