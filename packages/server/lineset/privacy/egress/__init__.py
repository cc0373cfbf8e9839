"""What leaves the platform for another party: the one way out, the register of who may receive, and the ledger of what they got."""

from lineset.privacy.egress.desk import (
    Agreement,
    RegisterRow,
    add_agreement,
    end_agreement,
    end_recipient,
    gaps,
    get_entry,
    keep_recipient,
    register_rows,
)
from lineset.privacy.egress.gate import AsksConsent, Egress, NotAllowed, Parcel, Permit
from lineset.privacy.egress.ledger import Disclosure, Notice, acknowledge, disclosures, note_told, recipient_notices, tell_recipients
from lineset.privacy.egress.model import CONSIDERATIONS, KINDS
from lineset.privacy.egress.processors import MAIL_RELAY, PROCESSORS, Processor, outside
from lineset.privacy.egress.signals import OptOut, end_opt_outs, note_signal, opt_outs
from lineset.privacy.egress.smtp import NotTaken, Server, hand_over, read_address

__all__ = [
    "CONSIDERATIONS",
    "KINDS",
    "MAIL_RELAY",
    "PROCESSORS",
    "Agreement",
    "AsksConsent",
    "Disclosure",
    "Egress",
    "NotAllowed",
    "NotTaken",
    "Notice",
    "OptOut",
    "Parcel",
    "Permit",
    "Processor",
    "RegisterRow",
    "Server",
    "acknowledge",
    "add_agreement",
    "disclosures",
    "end_agreement",
    "end_opt_outs",
    "end_recipient",
    "gaps",
    "get_entry",
    "hand_over",
    "keep_recipient",
    "note_signal",
    "note_told",
    "opt_outs",
    "outside",
    "read_address",
    "recipient_notices",
    "register_rows",
    "tell_recipients",
]
