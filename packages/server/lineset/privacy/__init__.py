"""Vocabulary and engine of privacy: declarations, the door, sealed identity, row-level security. Knows no domain."""

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
    secret_digest,
    table,
    technical,
)
from lineset.privacy.door import Context, Door, Person, System, Tx
from lineset.privacy.evidence import record as record_retention
from lineset.privacy.holds import Hold, held_households, list_holds, place_hold, release_hold
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
    "WHILE_ACCOUNT",
    "WHILE_HOUSEHOLD",
    "Context",
    "Cookie",
    "Door",
    "Engine",
    "File",
    "Guard",
    "Hold",
    "KeyStore",
    "Person",
    "Purpose",
    "Register",
    "Retention",
    "Sensitivity",
    "Stream",
    "Subject",
    "System",
    "Table",
    "Tx",
    "Undeclared",
    "Unsealable",
    "Vault",
    "add_jobs",
    "by_household",
    "by_person",
    "fold_email",
    "held",
    "held_households",
    "list_holds",
    "network_of",
    "place_hold",
    "record_retention",
    "release_hold",
    "secret_digest",
    "shorten",
    "sweep",
    "table",
    "technical",
]
