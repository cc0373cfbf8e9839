"""Tags of signed-out browsers, and conclusions about a household: whose they are, and how they end."""

import msgspec
import pytest
from lineset import apps
from lineset.kit.errors import Invalid, NotFound
from lineset.privacy import (
    Context,
    Purpose,
    System,
    contest_inference,
    erase_inference,
    list_inferences,
    record_inference,
)
from sqlalchemy import text

from tests.functional.people.world import World

pytestmark = pytest.mark.anyio
CRASH = apps.Report("error", "app-abc", "TypeError", "x is undefined", ["f@app-abc.js:1:2"], "/privacy", 2)


async def test_TAG_01_a_tag_holds_what_was_reported_until_it_is_reset_and_nothing_leads_to_the_next(world: World) -> None:
    first, second = apps.new_tag(), apps.new_tag()
    assert first != second
    async with world.door.open(apps.TAGS) as tx:
        assert await apps.tagged(tx, first) == 0
        await apps.record_tagged(tx, first, CRASH, browser="Firefox on Linux")
        await apps.record_tagged(tx, first, CRASH, browser="Firefox on Linux")
        await apps.record_tagged(tx, first, msgspec.structs.replace(CRASH, page="/terms", type="RangeError"), browser="Firefox on Linux")
        assert await apps.tagged(tx, first) == 2, "equal ones are one line"
        with pytest.raises(Invalid, match="Visits"):
            await apps.record_tagged(tx, first, apps.Report("opened", "app-abc"), browser="Firefox on Linux")
    with world.owner() as owner:
        digest = owner.scalar(text("SELECT digest FROM data_tags ORDER BY made_at DESC LIMIT 1"))
        assert first.encode() not in bytes(digest or b"")
        held = owner.execute(text("SELECT * FROM tag_events")).mappings().all()
        assert not {"address", "person_id", "household_id"} & set(held[0]), "nothing says who it was"
    async with world.door.open(apps.TAGS) as tx:
        await apps.reset_tag(tx, first)
        assert await apps.tagged(tx, first) == 0
        await apps.record_tagged(tx, second, CRASH, browser="Firefox on Linux")
        assert await apps.tagged(tx, second) == 1
    with world.owner() as owner:
        assert owner.scalar(text("SELECT count(*) FROM tag_events")) == 1


async def test_TAG_01_reports_join_a_person_only_when_they_let_them(world: World) -> None:
    anna, tag = await world.made("anna"), apps.new_tag()
    async with world.door.open(apps.TAGS) as tx:
        await apps.record_tagged(tx, tag, CRASH, browser="Firefox on Linux")
    async with world.door.open(anna.acts(Purpose.OPERATE)) as tx:
        assert await apps.troubles(tx) == []
    async with world.door.open(apps.TAGS) as tx:
        assert await apps.adopt_tag(tx, tag, anna.principal.person_id) == 1
        assert await apps.tagged(tx, tag) == 0, "the tag has ended"
    async with world.door.open(anna.acts(Purpose.OPERATE)) as tx:
        assert [t.message for t in await apps.troubles(tx)] == ["x is undefined"]


async def test_TAG_01_nobody_who_is_signed_in_sees_what_hangs_on_tags(world: World) -> None:
    anna, staff = await world.made("anna"), await world.staff("support")
    async with world.door.open(apps.TAGS) as tx:
        await apps.record_tagged(tx, apps.new_tag(), CRASH, browser="Firefox on Linux")
    for somebody in (anna, staff):
        for purpose in Purpose:
            if purpose.value in ("location", "presence", "offers", "analytics", "fleet_models", "share", "news"):
                continue
            async with world.door.open(somebody.acts(purpose)) as tx:
                assert await tx.session.scalar(text("SELECT count(*) FROM tag_events")) == 0, purpose


async def test_PRV_06_a_conclusion_is_shown_with_its_source_contested_and_erased_by_its_people(world: World) -> None:
    anna, ben = await world.made("anna"), await world.made("ben")
    async with world.door.open(anna.acts(Purpose.OPERATE)) as tx:
        made = await record_inference(
            tx,
            anna.household,
            kind="habit",
            source="set points of 30 days",
            statement="Nobody is at home on weekdays from 9 to 16",
            confidence=0.8,
            model="habits 1",
        )
        for bad in ({"confidence": 1.1}, {"source": " "}, {"statement": "x" * 501}):
            told = {"kind": "k", "source": "s", "statement": "t", "confidence": 0.5, "model": "m", **bad}
            with pytest.raises(Invalid):
                await record_inference(tx, anna.household, **told)  # type: ignore[arg-type]
    async with world.door.open(ben.acts(Purpose.RIGHTS)) as tx:
        assert await list_inferences(tx, anna.household) == []
        with pytest.raises(NotFound):
            await contest_inference(tx, made, "not so")
        with pytest.raises(NotFound):
            await record_inference(tx, anna.household, kind="k", source="s", statement="t", confidence=0.5, model="m")
    async with world.door.open(anna.acts(Purpose.RIGHTS)) as tx:
        (found,) = await list_inferences(tx, anna.household)
        assert (found.source, found.model, found.confidence, found.standing) == ("set points of 30 days", "habits 1", 0.8, True)
        with pytest.raises(Invalid):
            await contest_inference(tx, made, " ")
        await contest_inference(tx, made, "We work from home")
        (found,) = await list_inferences(tx, anna.household)
        assert (found.standing, found.objection) == (False, "We work from home")
        await erase_inference(tx, made)
        assert await list_inferences(tx, anna.household) == []
        with pytest.raises(NotFound):
            await erase_inference(tx, made)
    assert isinstance(apps.TAGS, Context)
    assert apps.TAGS.actor == System("authentication")
