"""Mails to people: queued in the transaction that causes them, sent by a job. Callers own the words."""

from lineset.messaging.compose import compose, picture_token, read_picture
from lineset.messaging.jobs import MAIL_OPENS, PICTURE_KEY, Sender, add_jobs, resume_held
from lineset.messaging.service import Mail, get_mail, list_mails, note_opened, queue_mail, recipient_of
from lineset.messaging.words import MailWords, fill_words

__all__ = [
    "MAIL_OPENS",
    "PICTURE_KEY",
    "Mail",
    "MailWords",
    "Sender",
    "add_jobs",
    "compose",
    "fill_words",
    "get_mail",
    "list_mails",
    "note_opened",
    "picture_token",
    "queue_mail",
    "read_picture",
    "recipient_of",
    "resume_held",
]
