"""Mails to people: queued in the transaction that causes them, sent by a job. Callers own the words."""

from lineset.messaging.jobs import add_jobs
from lineset.messaging.service import Mail, get_mail, list_mails, queue_mail
from lineset.messaging.words import MailWords, fill_words

__all__ = ["Mail", "MailWords", "add_jobs", "fill_words", "get_mail", "list_mails", "queue_mail"]
