"""The mail that says that a download is ready."""

from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from lineset import accounts
from lineset.kit.clock import now
from lineset.messaging import MailWords, fill_words, queue_mail

if TYPE_CHECKING:
    from lineset.privacy import Tx
    from lineset.telemetry.model_exports import ExportRow

TELL_AFTER_S = 60.0
"""Somebody who waited less is still looking at the page."""
_FILE = resources.files("lineset.telemetry.exports").joinpath("mails.yaml")
_WORDS = msgspec.yaml.decode(_FILE.read_bytes(), type=dict[str, dict[str, MailWords]])


def mail_kinds() -> tuple[str, ...]:
    """Every kind of mail that has words."""
    return tuple(_WORDS)


def mail_words(kind: str, language: str, **values: str) -> tuple[str, str]:
    """Subject line and text of that kind of mail; English where the language is unknown."""
    return fill_words(_WORDS[kind], language, values)


async def tell_ready(tx: "Tx", export: "ExportRow") -> None:
    """Mail the person that the file is there, if it took long."""
    if (now() - export.asked_at).total_seconds() < TELL_AFTER_S or export.expires_at is None:
        return
    reader = await accounts.find_reader(tx, export.person_id)
    if reader is None:
        return
    page = "/portal/data" if export.purpose == "service" else "/home/data"
    subject, body = mail_words("ready", reader.language, name=reader.name, until=reader.time(export.expires_at), page=page)
    await queue_mail(tx, export.person_id, reader.email, "export_ready", subject, body)
