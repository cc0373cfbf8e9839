"""View models of the pages before sign-in."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lineset import diagnostics, schema
from lineset.pages.common.forms import Form
from lineset.pages.common.published import State
from lineset.pages.common.reader import Reader
from lineset.pages.public.landing import example
from lineset.pages.public.models import card_of
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


def models(reader: Reader) -> dict[str, Any]:
    """Two kinds of models that say all that a card can, and one that was withdrawn."""
    figures = {"heating.cop": (3.1, 0.3), "heating.superheat": (5.2, 1.1), "starts_an_hour": (2.4, 0.8), "standby_w": (14.0, 6.0)}
    norms = {
        "heating.condensing": (-2.0, 1.0),
        "heating.carnot": (-0.04, 0.08),
        "cooling.split": (1.2, 1.1),
        "cooling.capacity": (0.02, 0.05),
    }
    alike = tuple(tuple(float(a == b) for a in range(5)) for b in range(5))
    life = diagnostics.FleetLife((2.8, -0.4, -0.1, -0.3, -1.0), (0.1,) * 5, alike, 120, 150, 40, 0.2, 0.05, 0.061, 0.074, True)
    known = [
        diagnostics.FleetModel(UUID(int=1), "heat_pump_air_air", "Arbelo", "", 7, "published", PUBLISHED, 240, figures, 0.81, {}, norms),
        diagnostics.FleetModel(UUID(int=2), "furnace_gas", "", "", 7, "published", PUBLISHED, 120, {}, None, {"heat_exchanger": life}),
        diagnostics.FleetModel(UUID(int=3), "boiler_gas", "Dovre", "D-24", 4, "withdrawn", PUBLISHED, 0, {}, None),
    ]
    return {"cards": [card_of(reader, model) for model in known]}


SAMPLES: dict[str, Sample] = {
    "models": ("public/models.html", models),
    "models-none": ("public/models.html", lambda _reader: {"cards": []}),
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
