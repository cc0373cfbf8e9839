"""The ledger of consent on a real database: given, taken back, asked again; and that nobody changes what was once answered."""

import itertools
from typing import Any

import pytest
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import CHOICES, Consent, Context, Purpose, System, consent_of, consented, consents, give, receipts, withdraw
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.functional.people.world import Somebody, World

pytestmark = pytest.mark.anyio
PRESSED: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Presence", "On")}
RELEASED: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Presence", "Off")}


async def holds(world: World, somebody: Somebody, purpose: Purpose, detail: str = "", *, as_: Purpose = Purpose.OPERATE) -> bool:
    async with world.door.open(somebody.acts(as_)) as tx:
        return await consented(tx, somebody.household, purpose, detail)


async def test_PRV_03_off_until_switched_on_and_off_again_at_once(world: World) -> None:
    anna = await world.made("anna")
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        before = await consents(tx, anna.household)
        assert [c.key for c in before] == ["presence", "offers", "leads", "fleet_models"]
        assert not any(c.given or c.since for c in before)
    assert not await holds(world, anna, Purpose.PRESENCE)
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        receipt = await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)
        assert await consented(tx, anna.household, Purpose.PRESENCE), "within the same transaction already"
    assert receipt.wording == CHOICES["presence"].said("en").whole
    assert (receipt.by, receipt.steps, receipt.language, receipt.channel) == (anna.principal.person_id, PRESSED["steps"], "en", "page")
    assert await holds(world, anna, Purpose.PRESENCE)
    assert not await holds(world, anna, Purpose.OFFERS), "each is a choice of its own"
    assert not await holds(world, anna, Purpose.PRESENCE, "site:1")
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        assert (await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)).id == receipt.id, "what holds is not written twice"
        await withdraw(tx, anna.household, Purpose.PRESENCE, **RELEASED)
        assert not await consented(tx, anna.household, Purpose.PRESENCE)
        now = await consent_of(tx, anna.household, Purpose.PRESENCE)
        assert (now.given, now.may_ask) == (False, False), "nobody asks again for twelve months"
        await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)
        assert [r.given for r in await receipts(tx, anna.household)] == [True, False, True]
    assert await holds(world, anna, Purpose.PRESENCE), "but oneself one may change it any time"


async def test_PRV_03_a_persons_choice_is_theirs_alone(world: World) -> None:
    anna, ben = await world.made("anna"), await world.made("ben")
    me = anna.principal.person_id
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        await give(tx, me, Purpose.ANALYTICS, **PRESSED)
        await give(tx, me, Purpose.NEWS, "opened", **PRESSED)
        mine: list[Consent] = await consents(tx, me)
        held = {
            "analytics": True,
            "news": False,
            "open_tracking": True,
            "monthly_report": False,
            "fleet_report": False,
            "due_reminders": False,
        }
        assert {c.key: c.holds for c in mine} == held
        with pytest.raises(Denied, match="Only the person"):
            await give(tx, ben.principal.person_id, Purpose.ANALYTICS, **PRESSED)
    async with world.door.open(ben.acts(Purpose.RIGHTS)) as tx:
        assert not await consented(tx, me, Purpose.ANALYTICS), "who is not Anna learns nothing of her choices"
        with pytest.raises(NotFound):
            await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)
        assert await receipts(tx, anna.household) == []
    async with world.door.open(Context(System("mail"), Purpose.COMMUNICATE)) as tx:
        assert await consented(tx, me, Purpose.ANALYTICS)
        assert not await consented(tx, me, Purpose.NEWS)


async def test_PRV_03_guests_and_machines_do_not_answer(world: World) -> None:
    anna, ben = await world.made("anna"), await world.made("ben")
    with world.owner() as owner:
        sql = "INSERT INTO household_members (household_id, person_id, role, started_at) VALUES (:h, :p, 'guest', now())"
        owner.execute(text(sql), {"h": anna.household, "p": ben.principal.person_id})
    async with world.door.open(ben.acts(Purpose.RIGHTS)) as tx:
        with pytest.raises(Denied, match="Guests"):
            await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)
    async with world.door.open(Context(System("housekeeping"), Purpose.KEEP)) as tx:
        with pytest.raises(Denied, match="signed-in person"):
            await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)
    async with world.door.open(anna.acts(Purpose.OPERATE)) as tx:
        with pytest.raises(Denied, match="purpose of rights"):
            await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)


@pytest.mark.parametrize(
    ("change", "say"),
    [
        ({"channel": "telepathy"}, "comes by one of"),
        ({"language": "xx"}, "words in"),
        ({"steps": ()}, "Name 1 to"),
        ({"steps": ("x" * 81,)}, "Name 1 to"),
    ],
)
async def test_PRV_04_an_answer_without_evidence_is_refused(world: World, change: dict[str, object], say: str) -> None:
    anna = await world.made("anna")
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        with pytest.raises(Invalid, match=say):
            await give(tx, anna.household, Purpose.PRESENCE, **{**PRESSED, **change})


async def test_PRV_04_nobody_changes_or_deletes_a_receipt_also_not_by_sql(world: World) -> None:
    anna = await world.made("anna")
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        await give(tx, anna.household, Purpose.PRESENCE, **PRESSED)
        await give(tx, anna.principal.person_id, Purpose.ANALYTICS, **PRESSED)
    actors = (anna.acts(Purpose.RIGHTS), anna.acts(Purpose.OPERATE), Context(System("housekeeping"), Purpose.KEEP))
    for actor, table in itertools.product(actors, ("consent_receipts", "person_consent_receipts")):
        for change in (f"UPDATE {table} SET given = false", f"TRUNCATE {table}"):  # noqa: S608 - names of tables
            async with world.door.open(actor) as tx:
                with pytest.raises(DBAPIError, match="permission denied"):
                    async with tx.session.begin_nested():
                        await tx.session.execute(text(change))
        async with world.door.open(actor) as tx:  # which only an erasure of the household or account can
            gone = await tx.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - as above
            assert gone.rowcount == 0  # type: ignore[attr-defined]
    copy = (
        "INSERT INTO consent_receipts (id, schema_version, choice, purpose, detail, given, at, basis, controller, jurisdiction, data,"
        " recipients, kept, terms, policy, wording, wording_digest, language, channel, steps, household_id, by_person)"
        " SELECT :id, schema_version, choice, purpose, detail, given, at, basis, controller, jurisdiction, data, recipients, kept, terms,"
        " policy, wording, wording_digest, language, channel, steps, household_id, :by FROM consent_receipts"
    )
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        with pytest.raises(DBAPIError, match="row-level security"):
            async with tx.session.begin_nested():
                await tx.session.execute(text(copy), {"id": new_id(), "by": new_id()})
        assert len(await receipts(tx, anna.household)) == 1, "nor answers in another's name"


async def test_PRV_02_processing_waits_for_a_new_yes_when_the_terms_changed(world: World) -> None:
    anna = await world.made("anna")
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        await give(tx, anna.household, Purpose.FLEET_MODELS, **PRESSED)
    assert await holds(world, anna, Purpose.FLEET_MODELS)
    with world.owner() as owner:  # as if it had been given before the words of today
        owner.execute(text("UPDATE consent_receipts SET terms = 'older' WHERE household_id = :h"), {"h": anna.household})
    assert not await holds(world, anna, Purpose.FLEET_MODELS)
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        now = await consent_of(tx, anna.household, Purpose.FLEET_MODELS)
        assert (now.given, now.needs_new_yes, now.holds, now.may_ask) == (True, True, False, True)
        await give(tx, anna.household, Purpose.FLEET_MODELS, **PRESSED)
    assert await holds(world, anna, Purpose.FLEET_MODELS)
