"""Vocabulary and engine of privacy: declarations, the door, sealed identity, row-level security. Knows no domain."""

from lineset.privacy.audit.action import acting, note_action
from lineset.privacy.audit.seen import Seen, seen_by
from lineset.privacy.consent.choices import CHOICES, Choice, choice_of
from lineset.privacy.consent.jobs import add_consent_jobs
from lineset.privacy.consent.ledger import consent_of, consented, consents, give, receipts, withdraw
from lineset.privacy.consent.receipt import Consent, Receipt, needs_new_yes, receipt_json
from lineset.privacy.declare import (
    Cookie,
    Engine,
    File,
    Guard,
    Stream,
    Table,
    by_household,
    by_person,
    held,
    outlives,
    secret_digest,
    table,
    technical,
)
from lineset.privacy.door import Context, Door, Person, System, Tx
from lineset.privacy.egress import PROCESSORS, Disclosure, Egress, disclosures, tell_recipients
from lineset.privacy.erasure import Erasure, Plan, Target, ask_erasure, cancel_erasure, list_erasures, plan, rewrite_tables
from lineset.privacy.evidence import record as record_retention
from lineset.privacy.exporting import AccountExport, ask_export, list_exports_of
from lineset.privacy.holds import Hold, held_households, list_holds, place_hold, release_hold
from lineset.privacy.inferences import Inference, contest_inference, erase_inference, list_inferences, record_inference
from lineset.privacy.jobs import add_jobs
from lineset.privacy.register import Register, Undeclared
from lineset.privacy.retention import network_of, shorten, sweep
from lineset.privacy.vault import KeyStore, Unsealable, Vault, fold_email
from lineset.privacy.vocabulary import (
    WHILE_ACCOUNT,
    WHILE_HOUSEHOLD,
    Purpose,
    Retention,
    Sensitivity,
    Subject,
)

__all__ = [
    "CHOICES",
    "PROCESSORS",
    "WHILE_ACCOUNT",
    "WHILE_HOUSEHOLD",
    "AccountExport",
    "Choice",
    "Consent",
    "Context",
    "Cookie",
    "Disclosure",
    "Door",
    "Egress",
    "Engine",
    "Erasure",
    "File",
    "Guard",
    "Hold",
    "Inference",
    "KeyStore",
    "Person",
    "Plan",
    "Purpose",
    "Receipt",
    "Register",
    "Retention",
    "Seen",
    "Sensitivity",
    "Stream",
    "Subject",
    "System",
    "Table",
    "Target",
    "Tx",
    "Undeclared",
    "Unsealable",
    "Vault",
    "acting",
    "add_consent_jobs",
    "add_jobs",
    "ask_erasure",
    "ask_export",
    "by_household",
    "by_person",
    "cancel_erasure",
    "choice_of",
    "consent_of",
    "consented",
    "consents",
    "contest_inference",
    "disclosures",
    "erase_inference",
    "fold_email",
    "give",
    "held",
    "held_households",
    "list_erasures",
    "list_exports_of",
    "list_holds",
    "list_inferences",
    "needs_new_yes",
    "network_of",
    "note_action",
    "outlives",
    "place_hold",
    "plan",
    "receipt_json",
    "receipts",
    "record_inference",
    "record_retention",
    "release_hold",
    "rewrite_tables",
    "secret_digest",
    "seen_by",
    "shorten",
    "sweep",
    "table",
    "technical",
    "tell_recipients",
    "withdraw",
]
