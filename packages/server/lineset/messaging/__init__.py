"""Mails to people: queued in the transaction that causes them, sent by a job. Callers own the words."""

from lineset.messaging.compose import compose, picture_token, read_picture
from lineset.messaging.jobs import MAIL_OPENS, PICTURE_KEY, Sender, add_jobs, resume_held
from lineset.messaging.letters import write_to_operator
from lineset.messaging.news import (
    NEWS,
    add_news_jobs,
    confirm,
    count_subscribers,
    forget_unconfirmed,
    leave,
    list_issues,
    send_news,
    send_some,
    subscribe,
)
from lineset.messaging.service import Mail, get_mail, list_mails, note_opened, queue_mail, recipient_of, was_mailed
from lineset.messaging.words import MailWords, fill_words

__all__ = [
    "MAIL_OPENS",
    "NEWS",
    "PICTURE_KEY",
    "Mail",
    "MailWords",
    "Sender",
    "add_jobs",
    "add_news_jobs",
    "compose",
    "confirm",
    "count_subscribers",
    "fill_words",
    "forget_unconfirmed",
    "get_mail",
    "leave",
    "list_issues",
    "list_mails",
    "note_opened",
    "picture_token",
    "queue_mail",
    "read_picture",
    "recipient_of",
    "resume_held",
    "send_news",
    "send_some",
    "subscribe",
    "was_mailed",
    "write_to_operator",
]
