"""Mails to people: queued in the transaction that causes them, sent by a job. Callers own the words."""

from lineset.messaging.jobs import add_jobs
from lineset.messaging.service import Mail, get_mail, list_mails, queue_mail

__all__ = ["Mail", "add_jobs", "get_mail", "list_mails", "queue_mail"]
