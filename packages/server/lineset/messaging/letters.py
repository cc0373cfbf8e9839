"""What visitors write to the operator by the contact page."""

from typing import Literal
from uuid import UUID

from lineset.messaging.service import queue_mail
from lineset.privacy import Tx

LETTER_BOX = UUID("019ac9a0-0000-7000-8000-6c6574746572")
"""Whose key seals such mails: nobody's, since whoever writes may have no account. They end with all mails, after days."""
_SUBJECTS = {"privacy": "Contact page: about data", "other": "Contact page: about the service"}


async def write_to_operator(tx: Tx, to: str, sender: str, topic: Literal["privacy", "other"], message: str) -> UUID:
    """Mail what somebody wrote to the operator; the mail's id. For the platform's actor "mail"; the caller has checked all fields."""
    body = f"{sender} wrote by the contact page:\n\n{message}\n\nAnswer to {sender}. The platform keeps this mail for a few days only.\n"
    return await queue_mail(tx, LETTER_BOX, to, "contact", _SUBJECTS[topic], body)
