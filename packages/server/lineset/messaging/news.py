"""News by mail without an account: two steps in, one click out, and then nothing is left.

Links carry the subscriber's id with a keyed digest of it, so that no secret is stored and nobody else can confirm or leave.
"""

import base64
import hmac
from datetime import timedelta
from importlib import resources
from typing import Literal
from uuid import UUID

import msgspec
import procrastinate
from sqlalchemy import delete, func, insert, select, update

from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.messaging.model_news import NewsIssueRow, NewsSubscriberRow
from lineset.messaging.service import queue_mail
from lineset.messaging.words import MailWords, fill_words
from lineset.privacy import Context, Door, Purpose, System, Tx

NEWS = Context(System("mail"), Purpose.COMMUNICATE)
CONFIRM_DAYS = 7
MOST_TEXT = 8_000
MOST_SUBJECT = 150
_AT_ONCE = 100
_WORDS = msgspec.yaml.decode(resources.files("lineset.messaging").joinpath("news.yaml").read_bytes(), type=dict[str, dict[str, MailWords]])
Step = Literal["confirm", "leave"]


async def subscribe(tx: Tx, address: str, language: str) -> None:
    """Mail the link that confirms the address; one that is confirmed already gets the link to leave. For `NEWS`.

    The caller has checked the address and slows down who asks too often. Nothing but the mail tells whether the address was known.
    """
    digest = tx.vault.email_digest(address)
    known = await tx.session.scalar(select(NewsSubscriberRow).where(NewsSubscriberRow.email_digest == digest).with_for_update())
    if known is not None and known.confirmed_at is not None:
        await _write(tx, known.id, address, "news_known", language)
        return
    moment = now()
    if known is None:
        id_ = new_id()
        values = {"id": id_, "email_digest": digest, "email_sealed": await tx.vault.seal(id_, address), "asked_at": moment}
        await tx.session.execute(
            insert(NewsSubscriberRow).values(values | {"language": language, "ends_at": moment + timedelta(days=CONFIRM_DAYS)})
        )
    else:
        id_ = known.id
        renewed = {"language": language, "asked_at": moment, "ends_at": moment + timedelta(days=CONFIRM_DAYS)}
        await tx.session.execute(update(NewsSubscriberRow).where(NewsSubscriberRow.id == id_).values(renewed))
    await _write(tx, id_, address, "news_confirm", language)


async def confirm(tx: Tx, token: str) -> None:
    """The second step: from now on the address gets news. For `NEWS`; once more does no harm.

    Raises:
        Invalid: the link is not one of ours, or its time is over.
    """
    id_ = read_token(tx, "confirm", token)
    done = update(NewsSubscriberRow).where(NewsSubscriberRow.id == id_)
    moment = func.coalesce(NewsSubscriberRow.confirmed_at, now())
    found = await tx.session.execute(done.values(confirmed_at=moment, ends_at=None).returning(NewsSubscriberRow.id))
    if found.one_or_none() is None:
        raise _dead()


async def leave(tx: Tx, token: str) -> None:
    """Erase the address: its row, and the key under which it was sealed. For `NEWS`; once more does no harm.

    Raises:
        Invalid: the link is not one of ours.
    """
    id_ = read_token(tx, "leave", token)
    await tx.session.execute(delete(NewsSubscriberRow).where(NewsSubscriberRow.id == id_))
    tx.after_commit(lambda: tx.vault.destroy(id_))


async def count_subscribers(tx: Tx) -> int:
    """How many addresses are confirmed. For `NEWS`."""
    counted = select(func.count()).select_from(NewsSubscriberRow).where(NewsSubscriberRow.confirmed_at.is_not(None))
    return int(await tx.session.scalar(counted) or 0)


async def send_news(tx: Tx, subject: dict[str, str], text: dict[str, str]) -> UUID:
    """Send news to all confirmed addresses, by a job. For the operator's staff; both by language, Spanish may be left out.

    Raises:
        Invalid: a field is missing or too long.
    """
    english = {"subject": " ".join(subject.get("en", "").split()), "text": text.get("en", "").strip()}
    spanish = {"subject": " ".join(subject.get("es", "").split()), "text": text.get("es", "").strip()}
    for language, words in (("en", english), ("es", spanish)):
        for name, most in (("subject", MOST_SUBJECT), ("text", MOST_TEXT)):
            if len(words[name]) > most:
                raise Invalid("too_long", f"Use at most {most} characters.", f"{name}_{language}")
            if not words[name] and (language == "en" or any(words.values())):
                raise Invalid("missing", "Fill this in.", f"{name}_{language}")
    id_ = new_id()
    values = {f"{name}_{language}": words[name] for language, words in (("en", english), ("es", spanish)) for name in words}
    await tx.session.execute(insert(NewsIssueRow).values(id=id_, created_at=now(), **values))
    await defer(tx.session, "messaging.news", issue=str(id_))
    return id_


async def list_issues(tx: Tx, limit: int = 20) -> list[NewsIssueRow]:
    """The newest news that were sent. For the operator's staff."""
    return list(await tx.session.scalars(select(NewsIssueRow).order_by(NewsIssueRow.created_at.desc()).limit(limit)))


def add_news_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `messaging.news`, which sends an issue, and `messaging.forget_news`, which forgets addresses nobody confirmed."""

    @app.task(name="messaging.news", lock="messaging.news", retry=procrastinate.RetryStrategy(max_attempts=5, exponential_wait=5))
    async def send(issue: str) -> None:
        while await send_some(door, UUID(issue)):
            pass

    @app.periodic(cron="41 * * * *")
    @app.task(name="messaging.forget_news", queueing_lock="messaging.forget_news")
    async def forget(timestamp: int) -> None:  # noqa: ARG001 - a periodic job gets the time at which it was due
        await forget_unconfirmed(door)


async def send_some(door: Door, issue: UUID) -> bool:
    """Queue the mails of the next addresses, in one transaction with how far it is; whether more are left.

    A job that dies is gone on with where it was: nobody gets an issue twice.
    """
    async with door.open(NEWS) as tx:
        row = await tx.session.scalar(select(NewsIssueRow).where(NewsIssueRow.id == issue).with_for_update())
        if row is None or row.done_at is not None:
            return False
        wanted = select(NewsSubscriberRow).where(
            NewsSubscriberRow.confirmed_at.is_not(None), NewsSubscriberRow.confirmed_at <= row.created_at
        )
        if row.reached is not None:
            wanted = wanted.where(NewsSubscriberRow.id > row.reached)
        found = (await tx.session.scalars(wanted.order_by(NewsSubscriberRow.id).limit(_AT_ONCE))).all()
        addresses = await tx.vault.open_many((s.id, s.email_sealed) for s in found)
        for subscriber, address in zip(found, addresses, strict=True):
            if address is not None:
                await _write_issue(tx, row, subscriber, address)
        values = {"reached": found[-1].id, "sent": row.sent + len(found)} if found else {"done_at": now()}
        await tx.session.execute(update(NewsIssueRow).where(NewsIssueRow.id == issue).values(values))
    return bool(found)


async def forget_unconfirmed(door: Door) -> int:
    """Erase addresses that nobody confirmed in time, with their keys; how many."""
    async with door.open(NEWS) as tx:
        over = NewsSubscriberRow.ends_at < now()
        gone = (await tx.session.scalars(delete(NewsSubscriberRow).where(over).returning(NewsSubscriberRow.id))).all()
        for id_ in gone:
            await tx.vault.destroy(id_)
    return len(gone)


def token_of(tx: Tx, step: Step, id_: UUID) -> str:
    """What a link carries: the subscriber's id and a keyed digest of it for this step."""
    return base64.urlsafe_b64encode(id_.bytes + _sign(tx, step, id_)).decode()


def read_token(tx: Tx, step: Step, token: str) -> UUID:
    """The subscriber whom a link names.

    Raises:
        Invalid: we did not make it.
    """
    try:
        raw = base64.urlsafe_b64decode(token.encode()) if len(token) <= 64 else b""
    except ValueError:
        raw = b""
    if len(raw) != 32 or not hmac.compare_digest(raw[16:], _sign(tx, step, UUID(bytes=raw[:16]))):
        raise _dead()
    return UUID(bytes=raw[:16])


def _sign(tx: Tx, step: Step, id_: UUID) -> bytes:
    return tx.vault.text_digest(f"news {step}", str(id_))[:16]


def _dead() -> Invalid:
    return Invalid("dead_link", "This link has been used already, or its time is over. Ask for a new one.", "token")


async def _write(tx: Tx, id_: UUID, address: str, kind: str, language: str) -> None:
    links = {step: token_of(tx, step, id_) for step in ("confirm", "leave")}
    subject, body = fill_words(_WORDS[kind], language, links)
    await queue_mail(tx, id_, address, kind, subject, body)


async def _write_issue(tx: Tx, issue: NewsIssueRow, subscriber: NewsSubscriberRow, address: str) -> None:
    spanish = subscriber.language == "es" and issue.subject_es
    subject, text = (issue.subject_es, issue.text_es) if spanish else (issue.subject_en, issue.text_en)
    _, foot = fill_words(_WORDS["news_foot"], subscriber.language, {"leave": token_of(tx, "leave", subscriber.id)})
    await queue_mail(tx, subscriber.id, address, "news", subject, f"{text}\n\n{foot}")
