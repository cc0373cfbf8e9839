"""Policy, terms, archive, cookies, recipients, contact and news, as visitors, account holders and the operator meet them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from lineset import accounts, messaging, schema
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid
from lineset.kit.settings import Contact, Settings
from lineset.messaging.compose import compose
from lineset.pages.common.published import draft_of, publish_here, speakers
from lineset.platform import Platform, open_platform
from lineset.privacy import Context, Purpose, System, Tx, policy
from sqlalchemy import text

from tests.functional.pages.installation import Installation
from tests.privacy.conftest import unforced
from tests.support.engines import Engines
from tests.support.visitor import PASSWORD, Page, Visitor, new_address
from tests.support.web import web_process

SETUP = Context(System("setup"), Purpose.ADMINISTER)
WHO = Contact(
    "Heat Cooperative", "1 Main Street\nTruckee, CA 96161", "hello@coop.example.org", "+1 530 555 0100", "privacy@coop.example.org"
)
RELAY = policy.Processor("Post Ltd", "processor", "", "Oregon", ("user.contact.email",), ("communicate",))


@pytest.fixture(scope="module")
def coop(engines: Engines, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose operator has said who they are and where the data lives."""
    log = tmp_path_factory.mktemp("coop") / "web.log"
    told = {f"LINESET_CONTACT_{name.upper()}": getattr(WHO, name) for name in WHO.__struct_fields__} | {"LINESET_REGION": "California, USA"}
    with engines.database(template) as address, web_process(engines, address, log, told) as url:
        yield Installation(url, address, engines)


@pytest.fixture(scope="module")
def keeper(coop: Installation) -> Iterator[Visitor]:
    """The operator of that installation, signed in."""
    with Visitor(coop.url) as somebody:
        link = coop.operator_link()
        assert link is not None
        somebody.send(somebody.get(link), "/operator", name="Sam Okafor", email=new_address("sam"), password=PASSWORD)
        yield somebody


def settings_of(coop: Installation) -> Settings:
    return msgspec.structs.replace(coop.settings, contact=WHO, region="California, USA")


def on(coop: Installation, work: Any) -> Any:
    """Do something with the platform that no page offers."""

    async def whole() -> Any:
        async with open_platform(settings_of(coop), "test", pool=2) as platform:
            return await work(platform)

    return coop.run(whole)


def published(coop: Installation, kind: policy.Kind, *, region: str = "", processors: tuple[policy.Processor, ...] = ()) -> policy.Version:
    """Publish the text of this build, with a change in its facts."""

    async def work(platform: Platform) -> policy.Version:
        async with platform.door.open(SETUP) as tx:
            draft = await draft_of(tx, platform.register, settings_of(coop), kind)
            facts = msgspec.structs.replace(draft.facts, region=region or draft.facts.region, processors=processors)
            return await policy.publish(tx, policy.compose(kind, facts, speakers()), speakers())

    found: policy.Version = on(coop, work)
    return found


def test_POL_01_nothing_is_published_while_it_is_blank_who_answers(installation: Installation, operator: Visitor) -> None:
    with Visitor(installation.url) as visitor:
        for path in ("/policy", "/terms"):
            page = visitor.get(path)
            assert page.status == 404
            assert "Not published yet" in page.text
            assert "LINESET_CONTACT_PRIVACY" in page.text
            assert page.response.headers["x-robots-tag"] == "noindex"
    assert "LINESET_CONTACT_NAME" in operator.get("/console/texts").text

    async def work(tx: Tx) -> None:
        register = schema.register()
        await publish_here(tx, register, installation.settings, "policy")

    def attempt() -> Exception | None:
        async def whole() -> Exception | None:
            async with open_platform(installation.settings, "test", pool=1) as platform:
                try:
                    async with platform.door.open(SETUP) as tx:
                        await work(tx)
                except Invalid as error:
                    return error
            return None

        return installation.run(whole)

    error = attempt()
    assert isinstance(error, Invalid)
    assert error.code == "contact_blank"
    assert "LINESET_CONTACT_PHONE" in error.say


def test_POL_02_the_operator_publishes_and_everybody_reads(coop: Installation, keeper: Visitor) -> None:
    desk = keeper.get("/console/texts")
    assert "not published yet" in desk.text
    for kind in ("policy", "terms"):
        form = next(f for f in forms(desk, "/console/texts") if f["kind"] == kind)
        done = Page(keeper.client.post("/console/texts", data=form))
        assert "Published." in done.text, done.text
        desk = keeper.get("/console/texts")
    assert "exactly what this build does" in desk.text
    with Visitor(coop.url) as visitor:
        page = visitor.get("/policy")
        assert page.status == 200
        for words in ("Heat Cooperative", "privacy@coop.example.org", "California, USA", "(A) Identifiers", "in effect since"):
            assert words in page.text or words.capitalize() in page.text, words
        open_promises = {i for ids in policy.sentences().values() for i in ids} - policy.kept_promises()
        assert not [i for i in open_promises if f'data-promises="{i}"' in page.html]
        digest = re.search(r'class="digest">([0-9a-f]{64})<', page.html)
        assert digest
        assert visitor.get(f"/policy/versions/{digest[1][:12]}").status == 200
        assert "The first version." in visitor.get("/policy/versions").text
        assert visitor.get("/policy/versions/000000000000").status == 404
        assert visitor.get("/nothing/versions").status == 404
        foot = visitor.get("/").html
        assert all(f'href="{path}"' in foot for path in ("/policy", "/terms", "/cookies", "/recipients", "/privacy/choices", "/news"))
    with Visitor(coop.url, language="es") as visitor:
        assert "Política de privacidad" in visitor.get("/policy").text
        assert visitor.post("/console/texts", kind="policy").status_code == 403, "without the form's own token nothing is taken"


def forms(page: Page, action: str) -> list[dict[str, str]]:
    """What each form of the page that goes there would send untouched."""
    found = re.findall(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page.html, re.S)
    inputs = [re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form) for form in found]
    return [dict(pairs) for pairs in inputs]


def sign_up(visitor: Visitor, **more: str) -> tuple[str, Page]:
    email = new_address("ines")
    page = visitor.send(visitor.get("/sign-up"), "/sign-up", name="Ines Lund", email=email, password=PASSWORD, household="", **more)
    return email, page


def test_POL_03_terms_are_accepted_by_version_and_leave_a_receipt(coop: Installation) -> None:
    with Visitor(coop.url) as ines:
        _, refused = sign_up(ines)
        assert refused.status == 422
        assert "Accept the terms of service" in refused.text
        form = ines.get("/sign-up")
        assert "What we collect, what for and how long" in form.text, "notice at collection"
        digest = re.search(r'name="terms" value="([0-9a-f]{64})"', form.html)
        assert digest
        email, page = sign_up(ines, terms=digest[1])
        assert page.path == "/sign-up/sent"
        ines.send(ines.get(ines.mail(email, "/verify")), "/verify", password=PASSWORD)
        account = ines.get("/account/texts")
        assert "Terms of service, accepted" in account.text
        assert "Privacy policy, seen" in account.text
        assert "California, USA" in account.text
        assert digest[1][:12] in account.html
        assert "page-notice" not in ines.get("/account").html
        newer = published(coop, "terms", region="Nevada")
        assert newer.significant
        with_notice = wait_for_notice(ines)
        assert "The terms of service have a new version" in text_of(with_notice)
        waiting = ines.get("/account/texts")
        assert "New terms wait for your answer" in waiting.text
        done = ines.send(waiting, f"/account/texts/{newer.id}/accepted")
        assert "Accepted. The receipt stands below." in done.text
        assert "page-notice" not in ines.get("/account").html


def text_of(page: Page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.html).split())


def wait_for_notice(visitor: Visitor) -> Page:
    """The account's page once it says that there is something new; the web process asks every few seconds."""
    end = now() + timedelta(seconds=20)
    while now() < end:
        page = visitor.get("/account")
        if "page-notice" in page.html:
            return page
    raise AssertionError("no notice within 20 s")


def test_POL_02_a_change_that_matters_is_announced_mailed_once_and_takes_effect_later(coop: Installation, keeper: Visitor) -> None:
    changed = published(coop, "policy", processors=(RELAY,))
    assert [c.what for c in changed.changes] == ["recipient"]
    assert timedelta(days=29) < changed.effective_at - now() < timedelta(days=31)
    with Visitor(coop.url) as visitor:
        page = visitor.get("/policy")
        assert "A new version takes effect on" in page.text
        assert "Post Ltd" not in page.text, "what is announced does not hold yet"
        diff = visitor.get(f"/policy/versions/{changed.digest[:12]}/changes")
        assert "New recipient: Post Ltd" in diff.text
        assert "<ins>" in diff.html
        assert "New recipient: Post Ltd" in visitor.get("/policy/versions").text
    waiting = keeper.get("/account/texts")
    keeper.send(waiting, next(action for action in re.findall(r'action="([^"]+)"', waiting.html) if action.endswith("/accepted")))
    notice = wait_for_notice(keeper)
    assert "The privacy policy changes on" in text_of(notice)
    done = keeper.send(notice, f"/account/texts/{changed.id}/noticed")
    assert done.path == "/account"
    assert "page-notice" not in done.html

    async def tell(platform: Platform) -> int:
        rounds = 0
        while await accounts.tell_some(platform.door, changed.id):
            rounds += 1
        assert not await accounts.tell_some(platform.door, changed.id), "told once"
        return rounds

    assert on(coop, tell) >= 1
    box = keeper.get("/mailbox").text
    people = on(coop, count_people)
    assert box.count("Our privacy policy changes") == people > 1

    async def again(platform: Platform) -> None:
        async with platform.door.open(SETUP) as tx:
            with pytest.raises(Conflict, match="says exactly this"):
                await policy.publish(tx, changed.draft, speakers())
            with pytest.raises(Conflict, match="later is published"):
                await publish_here(tx, platform.register, settings_of(coop), "policy", now())
            with pytest.raises(Invalid, match="never in the past"):
                await publish_here(tx, platform.register, settings_of(coop), "policy", now() - timedelta(days=1))

    on(coop, again)


async def count_people(platform: Platform) -> int:
    async with platform.door.open(Context(System("authentication"), Purpose.ACCOUNT)) as tx:
        return int(await tx.session.scalar(text("SELECT count(*) FROM people WHERE status = 'active'")) or 0)


def test_POL_02_a_version_that_was_changed_afterwards_says_so(coop: Installation) -> None:
    version = published(coop, "terms", region="Utah")
    with unforced(coop.database) as connection:
        connection.execute(
            text("UPDATE policy_versions SET body = jsonb_set(body, '{facts,region}', '\"Elsewhere\"') WHERE id = :id"), {"id": version.id}
        )
    with Visitor(coop.url) as visitor:
        assert "Somebody changed it" in visitor.get(f"/terms/versions/{version.digest[:12]}").text


def test_PLT_06_cookies_and_recipients_stand_on_pages_of_their_own(coop: Installation) -> None:
    with Visitor(coop.url) as visitor:
        cookies = visitor.get("/cookies")
        assert all(cookie.name in cookies.text for cookie in schema.COOKIES)
        assert "In our logs" in cookies.text
        recipients = visitor.get("/recipients")
        assert "No other company receives data" in recipients.text
        assert "California, USA" in recipients.text


def test_PLT_06_whoever_is_there_can_write_to_the_operator(coop: Installation) -> None:
    with Visitor(coop.url) as visitor:
        form = visitor.get("/contact")
        empty = visitor.send(form, "/contact", email="ann@example.org", message="  ")
        assert empty.status == 422
        sent = visitor.send(form, "/contact", topic="privacy", email="ann@example.org", message="What do you hold\nabout me?")
        assert "Your message is on its way" in sent.text
        box = visitor.get("/mailbox")
        mail = re.search(r'href="(/mailbox/[0-9a-f-]+)">Contact page: about data', box.html)
        assert mail
        letter = visitor.get(mail[1]).text
        assert "privacy@coop.example.org" in letter
        assert "about me?" in letter
        answers = [visitor.send(form, "/contact", email="ann@example.org", message=f"{n}").status for n in range(6)]
        assert answers[-1] == 429


def test_ACC_06_news_take_two_steps_and_leaving_takes_one_click(coop: Installation, keeper: Visitor) -> None:
    email = new_address("reader")
    with Visitor(coop.url, language="es") as reader:
        assert reader.send(reader.get("/news"), "/news", email="nobody").status == 422
        assert reader.send(reader.get("/news"), "/news", email=email).path == "/news/sent"
        assert on(coop, subscribers) == 0, "the first step alone subscribes nobody"
        confirm = reader.mail(email, "/news/confirm")
        assert on(coop, subscribers) == 0
        assert reader.send(reader.get(confirm), "/news/confirm").path == "/news/confirmed"
        assert on(coop, subscribers) == 1
        reader.send(reader.get("/news"), "/news", email=email)
        assert "Usted ya recibe nuestras noticias" in reader.get("/mailbox").text
        done = keeper.send(
            keeper.get("/console/news"),
            "/console/news",
            subject_en="New charts",
            text_en="Charts show years.",
            subject_es="Gráficos nuevos",
            text_es="Los gráficos muestran años.",
        )
        assert "One address gets news" in done.text
        issue = on(coop, send_everything)
        assert issue.sent == 1
        assert reader.get("/mailbox").text.count("Gráficos nuevos") == 1
        leave = reader.mail(email, "/news/leave")
        headers = on(coop, lambda platform: news_mail(platform, coop.url))
        assert headers["List-Unsubscribe"] == f"<{leave}>"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert reader.get(leave).status == 200
        assert on(coop, subscribers) == 1, "a mail program that opens links ends nothing"
        answer = httpx.post(leave, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 303
        assert on(coop, subscribers) == 0
        assert on(coop, rows) == 0, "the address is erased"
        assert httpx.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 303, "once more does no harm"
        assert httpx.post(f"{coop.url}/news/leave?token=AAAA").status_code == 410
        assert httpx.post(f"{coop.url}/news/confirm", data={"token": "x"}).status_code == 403, "only leaving needs no token of the form"


async def subscribers(platform: Platform) -> int:
    async with platform.door.open(messaging.NEWS) as tx:
        return await messaging.count_subscribers(tx)


async def rows(platform: Platform) -> int:
    async with platform.door.open(messaging.NEWS) as tx:
        return int(await tx.session.scalar(text("SELECT count(*) FROM news_subscribers")) or 0)


async def send_everything(platform: Platform) -> Any:
    async with platform.door.open(messaging.NEWS) as tx:
        issue = (await messaging.list_issues(tx))[0]
    while await messaging.send_some(platform.door, issue.id):
        pass
    assert not await messaging.send_some(platform.door, issue.id), "nobody gets an issue twice"
    async with platform.door.open(messaging.NEWS) as tx:
        return (await messaging.list_issues(tx))[0]


async def news_mail(platform: Platform, url: str) -> Any:
    async with platform.door.open(messaging.NEWS) as tx:
        mails = [m for m in await messaging.list_mails(tx, url) if m.kind == "news"]
    return compose("lineset@coop.example.org", mails[0])


def test_ACC_06_an_address_that_nobody_confirmed_is_forgotten(coop: Installation) -> None:
    with Visitor(coop.url) as reader:
        reader.send(reader.get("/news"), "/news", email=new_address("late"))
        assert on(coop, rows) == 1
        with unforced(coop.database) as connection:
            connection.execute(text("UPDATE news_subscribers SET ends_at = now() - interval '1 minute'"))
        assert on(coop, lambda platform: messaging.forget_unconfirmed(platform.door)) == 1
        assert on(coop, rows) == 0
