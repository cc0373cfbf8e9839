"""Policy and terms as this build would publish them, and as people read them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from lineset.kit.clock import now
from lineset.kit.settings import Settings
from lineset.privacy import Context, Purpose, Register, System, Tx, policy
from lineset.privacy.egress import register_rows

from .reader import Reader
from .words import LANGUAGES

READ = Context(System("authentication"), Purpose.ACCOUNT)
"""Published texts and the register of recipients are everybody's to read, also signed out."""
KINDS: tuple[policy.Kind, ...] = ("policy", "terms")


class State(msgspec.Struct, frozen=True):
    """A text and where it stands: `blank` settings that keep it from being published, the version in effect, and the one to come."""

    kind: policy.Kind
    blank: tuple[str, ...]
    version: policy.Version | None
    coming: policy.Version | None


def contact_of(settings: Settings) -> policy.Contact:
    """Who answers for this installation."""
    c = settings.contact
    return policy.Contact(c.name, c.address, c.email, c.phone, c.privacy)


async def draft_of(tx: Tx, register: Register, settings: Settings, kind: policy.Kind) -> policy.Draft:
    """The text of this build, in all languages, with the recipients of the register as they are now."""
    facts = policy.facts_of(register, contact_of(settings), settings.region, await processors(tx, settings))
    return policy.compose(kind, facts, speakers())


async def processors(tx: Tx, settings: Settings) -> tuple[policy.Processor, ...]:
    """Who may receive data now, from the register; a processor that the settings use stands there even before it is filled in."""
    rows = [r for r in await register_rows(tx, settings) if r.ended_at is None and (r.used or r.current)]
    return tuple(
        policy.Processor(r.name, r.kind, r.does, r.region, r.fields, r.purposes, any(a.sale and a.runs(r.at) for a in r.agreements))
        for r in rows
    )


async def state_of(tx: Tx, settings: Settings, kind: policy.Kind) -> State:
    """What of a text is published."""
    versions, moment = await policy.list_versions(tx, kind), now()
    version = next((v for v in versions if v.effective_at <= moment), None)
    coming = next((v for v in reversed(versions) if v.effective_at > moment), None)
    return State(kind, contact_of(settings).missing(), version, coming)


def speakers() -> Sequence[Reader]:
    """One of each language."""
    return [Reader(language) for language in LANGUAGES]


_grids: dict[tuple[int, str], dict[str, policy.Grid]] = {}


def own_grids(register: Register, language: str) -> dict[str, policy.Grid]:
    """The tables that come from the declarations of this build alone, by name; made once for each language."""
    key = (id(register), language)
    if key not in _grids:
        facts = policy.facts_of(register, policy.Contact("", "", "", "", ""), "", ())
        text = policy.compose("policy", facts, [Reader(language)]).texts[language]
        _grids[key] = {grid.name: grid for part in text.parts for _, grid in part.body if grid is not None}
    return _grids[key]


async def publish_here(
    tx: Tx, register: Register, settings: Settings, kind: policy.Kind, effective: datetime | None = None
) -> policy.Version:
    """Publish the text of this build.

    Raises:
        Invalid: contact details are blank, or the date can't be used.
        Conflict: the newest version says exactly this, or a later date has a version already.
    """
    return await policy.publish(tx, await draft_of(tx, register, settings, kind), speakers(), effective)
