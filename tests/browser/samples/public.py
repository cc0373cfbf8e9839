"""View models of the pages before sign-in."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lineset import schema
from lineset.pages.common.forms import Form
from lineset.pages.common.published import State
from lineset.pages.common.reader import Reader
from lineset.pages.public.landing import example
from lineset.privacy import policy

from tests import checks

REGISTER = schema.register()
CONTACT = policy.Contact(
    "Heat Cooperative", "1 Main Street\nTruckee, CA 96161", "hello@example.org", "+1 530 555 01", "privacy@example.org"
)
RELAY = policy.Processor("Post Ltd", "processor", "", "Oregon", ("user.contact.email", "user.name"), ("communicate",))
PUBLISHED = datetime(2026, 11, 20, 9, tzinfo=UTC)


def version(region: str, *processors: policy.Processor) -> policy.Version:
    """The text of this build with all promises kept, so that every sentence is looked at."""
    draft = policy.compose(
        "policy", policy.facts_of(REGISTER, CONTACT, region, processors), [Reader("en"), Reader("es")], frozenset(checks.PROMISES)
    )
    return policy.Version(UUID(int=len(processors)), "policy", draft.digest, draft, (), bool(processors), PUBLISHED, PUBLISHED)


def policy_text(reader: Reader) -> dict[str, Any]:
    """The whole policy, with one recipient."""
    shown = version("California", RELAY)
    state = State("policy", (), shown, None)
    return {"kind": "policy", "version": shown, "text": shown.draft.texts[reader.language], "state": state, "now": PUBLISHED}


def policy_changes(reader: Reader) -> dict[str, Any]:
    """What changed when the recipient came and the data moved."""
    old, new = version("California"), version("Oregon", RELAY)
    changes = [policy.worded(c, [reader]).said(reader.language) for c in policy.significant(old.draft.facts, new.draft.facts)]
    found = policy.differences(old.draft.texts[reader.language], new.draft.texts[reader.language])
    return {"kind": "policy", "version": new, "before": old, "differences": found, "said": changes, "now": PUBLISHED}


Sample = tuple[str, Callable[[Reader], dict[str, Any]]]

SAMPLES: dict[str, Sample] = {
    "landing": ("public/landing.html", lambda reader: {"example": example(reader)}),
    "policy": ("public/text.html", policy_text),
    "policy-changes": ("public/text_changes.html", policy_changes),
    "sign-in": ("public/sign_in.html", lambda _reader: {"form": Form(), "mailbox": True, "notice": "", "told": 0}),
    "sign-in-error": (
        "public/sign_in.html",
        lambda reader: {
            "form": Form(
                values={"email": "ana@example.org"},
                problem=reader.gettext("E-mail or password is wrong."),
                advice=reader.gettext("Check both, or set a new password."),
            ),
            "mailbox": False,
            "notice": "",
            "told": 2,
        },
    ),
}
