"""Names of roles and of what a company may do, in the reader's language."""

from .reader import Reader
from .refusals import marked

ROLES = {
    "owner": marked("Owner"),
    "member": marked("Member"),
    "guest": marked("Guest"),
    "manager": marked("Manager"),
    "dispatcher": marked("Dispatcher"),
    "technician": marked("Technician"),
    "operator": marked("Operator"),
    "support": marked("Support"),
    "privacy_officer": marked("Privacy officer"),
    "security": marked("Security"),
    "analyst": marked("Analyst"),
}


def role_name(reader: Reader, role: str) -> str:
    """A role as a word."""
    return reader.gettext(ROLES[role]) if role in ROLES else role
