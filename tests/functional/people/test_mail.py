"""Mails leave through a real SMTP server over TLS, and wait where there is none."""

import contextlib
import dataclasses
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import procrastinate
import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from lineset import accounts, messaging, privacy, schema
from lineset.accounts.jobs import sweep_unverified
from lineset.accounts.words import mail_kinds, mail_words
from lineset.embedded.ports import free_port
from lineset.kit.ca import Authority
from lineset.kit.errors import Invalid
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, role_url
from lineset.kit.settings import Settings
from lineset.privacy import Context, Purpose, System
from lineset.privacy.egress import NotTaken, hand_over, read_address

from tests.functional.people.world import MAIL, PASSWORD, World
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio


class Mailroom:
    """An SMTP server's handler that keeps what it takes, or answers as told."""

    def __init__(self, *answers: str) -> None:
        self.taken: list[EmailMessage] = []
        self.answers = list(answers)

    async def handle_DATA(self, server: Any, _: Any, envelope: Envelope) -> str:
        assert server.transport.get_extra_info("sslcontext") is not None, "mail came unencrypted"
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


def check_user(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"lineset", b"p@ss word"))


@contextlib.contextmanager
def smtp(folder: Path, mailroom: Mailroom, *, implicit: bool = False, tls: bool = True, host: str = "127.0.0.1") -> Iterator[str]:
    """A server with a certificate of a private authority, that wants a user and password; its address for the settings."""
    authority = Authority.open(Settings(data=folder))
    chain, key = authority.server([host])
    (folder / "chain.pem").write_text(chain)
    (folder / "key.pem").write_bytes(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    options: dict[str, Any] = {}
    if tls:
        options = {"ssl_context": context, "auth_require_tls": False} if implicit else {"tls_context": context, "require_starttls": True}
        options |= {"auth_required": not implicit, "authenticator": check_user}
    controller = Controller(mailroom, hostname=host, port=free_port(), **options)
    controller.start()
    try:
        yield f"smtp{'s' if implicit else ''}://lineset:p%40ss%20word@{host}:{controller.port}?ca={folder / 'ca.pem'}"
    finally:
        controller.stop()


async def work(world: World, engines: Engines, smtp_url: str) -> None:
    """Let a worker do what is due at this moment."""
    url = role_url(world.database, engines.secret, APP).set(drivername="postgresql").render_as_string(hide_password=False)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    settings = Settings(
        data=engines.data, smtp_url=smtp_url, mail_from="Lineset <post@lineset.example>", public_url="https://lineset.example"
    )
    messaging.add_jobs(app, world.door, settings)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)


def make_due(world: World) -> None:
    with world.owner() as connection:
        connection.exec_driver_sql("SET LOCAL search_path = public, jobs")
        connection.exec_driver_sql("UPDATE jobs.procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


@pytest.mark.usefixtures("no_other_mails")
@pytest.mark.parametrize("implicit", [False, True])
async def test_a_mail_goes_out_once_over_tls(world: World, engines: Engines, tmp_path: Path, implicit: bool) -> None:
    email, mailroom = world.address("ana"), Mailroom()
    await accounts.sign_up(world.door, name="Ana", email=email, password=PASSWORD, browser=world.browser(), language="es")
    with smtp(tmp_path, mailroom, implicit=implicit) as url:
        await work(world, engines, url)
        await work(world, engines, url)
    (message,) = mailroom.taken
    assert (message["To"], message["From"]) == (email, "Lineset <post@lineset.example>")
    assert message["Subject"] == "Confirme su dirección de correo"
    assert message["Message-ID"].endswith("@lineset.example>")
    assert "https://lineset.example/verify?token=" in message.get_content()
    (mail,) = await world.mails(email)
    assert mail.sent_at is not None
    assert (mail.attempts, mail.failure) == (1, None)


@pytest.mark.usefixtures("no_other_mails")
async def test_a_mail_that_was_not_taken_is_tried_again_with_why_kept(world: World, engines: Engines, tmp_path: Path) -> None:
    email, mailroom = world.address(), Mailroom("451 come back later")
    await accounts.sign_up(world.door, name="Bo", email=email, password=PASSWORD, browser=world.browser())
    nowhere = f"smtp://127.0.0.1:{free_port()}"
    await work(world, engines, nowhere)
    (mail,) = await world.mails(email)
    assert mail.failure is not None
    assert "can't be reached" in mail.failure
    with smtp(tmp_path, mailroom) as url:
        await work(world, engines, url)
        assert mailroom.answers, "the next try waits its time"
        make_due(world)
        await work(world, engines, url)
        (mail,) = await world.mails(email)
        assert (mail.attempts, mail.failure, mail.sent_at) == (2, "the mail server answered 451", None)
        make_due(world)
        await work(world, engines, url)
    (mail,) = await world.mails(email)
    assert (mail.attempts, mail.failure) == (3, None)
    assert mail.sent_at is not None
    assert len(mailroom.taken) == 1


@pytest.mark.usefixtures("no_other_mails")
async def test_a_refusal_for_good_is_kept_and_not_tried_again(world: World, engines: Engines, tmp_path: Path) -> None:
    email, mailroom = world.address(), Mailroom("550 no such mailbox")
    await accounts.sign_up(world.door, name="Bo", email=email, password=PASSWORD, browser=world.browser())
    with smtp(tmp_path, mailroom) as url:
        await work(world, engines, url)
        make_due(world)
        await work(world, engines, url)
    (mail,) = await world.mails(email)
    assert (mail.attempts, mail.failure, mail.sent_at) == (1, "the mail server answered 550", None)
    assert mailroom.taken == []


@pytest.mark.usefixtures("no_other_mails")
async def test_SEC_02_mail_never_leaves_unencrypted_or_to_a_false_server(world: World, tmp_path: Path) -> None:
    email, mailroom = world.address(), Mailroom()
    await accounts.sign_up(world.door, name="Bo", email=email, password=PASSWORD, browser=world.browser())
    (mail,) = await world.mails(email)
    message = messaging.compose("post@lineset.example", mail)
    assert read_address("smtp://mail.example.com").encrypt == "first"
    with smtp(tmp_path, mailroom, tls=False) as url, pytest.raises(NotTaken):
        await hand_over(dataclasses.replace(read_address(url), encrypt="first", user=""), message, None)
    with smtp(tmp_path, mailroom) as url, pytest.raises(NotTaken):
        await hand_over(dataclasses.replace(read_address(url), ca=""), message, None)
    assert mailroom.taken == []


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://mail.example.com:x"])
def test_an_smtp_address_that_can_not_be_used_says_how_it_should_look(url: str) -> None:
    with pytest.raises(Invalid, match="LINESET_SMTP_URL"):
        read_address(url)


async def test_a_mail_can_not_carry_a_second_header_line(world: World) -> None:
    async with world.door.open(Context(System("authentication"), Purpose.ACCOUNT)) as tx:
        with pytest.raises(Invalid):
            await messaging.queue_mail(tx, new_id(), "a@example.com", "test", "Subject\r\nBcc: b@example.com", "text")


@pytest.mark.usefixtures("no_other_mails")
async def test_without_a_server_mails_wait_in_the_mailbox(world: World, engines: Engines) -> None:
    person = await world.sign_up()
    await work(world, engines, "")
    (waiting,) = await world.mails(person.email)
    assert waiting.sent_at is None
    async with world.door.open(MAIL) as tx:
        assert (await messaging.get_mail(tx, waiting.id, "http://localhost:8000")).body == waiting.body
    async with world.door.open(person.acts(Purpose.COMMUNICATE)) as tx:
        assert await messaging.list_mails(tx, "") == [], "nobody reads mails, one's own neither, but through the mailbox"


async def test_every_kind_of_mail_has_its_words_in_each_language(world: World) -> None:
    names = [
        *("name", "when", "token", "agent", "inviter", "household", "company", "role", "who", "scopes", "until", "day", "digest"),
        *("changes", "reason", "number", "member", "deed"),
    ]
    seen = {}
    for kind in mail_kinds():
        for language in accounts.LANGUAGES:
            subject, body = mail_words(kind, language, **{name: f"<{name}>" for name in names})
            assert "{" not in (subject + body).replace("{url}", "")
            seen[kind, language] = body
        assert seen[kind, "en"] != seen[kind, "es"]


@pytest.mark.usefixtures("no_other_mails")
async def test_what_is_past_its_time_is_swept_by_its_declaration(world: World) -> None:
    person, unconfirmed = await world.sign_up(), world.address("late")
    await accounts.sign_up(world.door, name="Late", email=unconfirmed, password=PASSWORD, browser=world.browser())
    housekeeping, register = Context(System("housekeeping"), Purpose.KEEP), schema.register()
    async with world.door.open(housekeeping) as tx:
        assert "mails" not in await privacy.sweep(tx, register)
    with time_machine.travel(timedelta(days=8), tick=False):
        async with world.door.open(housekeeping) as tx:
            swept = await privacy.sweep(tx, register)
            assert await sweep_unverified(tx) >= 1
    assert swept["mails"] >= 2
    assert {"one_time_tokens", "attempts"} <= set(swept)
    assert await world.mails(person.email) == []
    assert await world.fresh().session(person.token) is not None
    with time_machine.travel(timedelta(days=61), tick=False):
        async with world.door.open(housekeeping) as tx:
            assert (await privacy.sweep(tx, register))["sessions"] >= 1
    await accounts.sign_up(world.door, name="Again", email=unconfirmed, password=PASSWORD, browser=world.browser())
    assert [m.kind for m in await world.mails(unconfirmed)] == ["verify"]
