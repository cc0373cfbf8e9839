"""Nothing leaves but through the one way out: by the register, written down first, refused otherwise."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from lineset import accounts
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.settings import S3, Settings, secret
from lineset.messaging import MAIL_OPENS, PICTURE_KEY, Sender, queue_mail, read_picture, resume_held
from lineset.privacy import Purpose, Tx
from lineset.privacy.egress import (
    MAIL_RELAY,
    PROCESSORS,
    Egress,
    NotAllowed,
    NotTaken,
    Parcel,
    Permit,
    acknowledge,
    add_agreement,
    disclosures,
    end_agreement,
    end_opt_outs,
    end_recipient,
    gaps,
    get_entry,
    hand_over,
    keep_recipient,
    note_signal,
    outside,
    read_address,
    recipient_notices,
    register_rows,
    tell_recipients,
)
from lineset.privacy.retention import HOUSEKEEPING
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.functional.people.test_mail import Mailroom, smtp
from tests.functional.people.world import MAIL, PASSWORD, Somebody, World

pytestmark = pytest.mark.anyio

READINGS = ("equipment.measurement",)


@dataclass
class Desk:
    """A recipient of its own with an agreement, kept by the operator's privacy officer."""

    world: World
    officer: Somebody
    key: str
    agreement: UUID

    async def change(self, do: Callable[[Tx], Awaitable[Any]]) -> Any:
        async with self.world.door.open(self.officer.acts(Purpose.ADMINISTER)) as tx:
            return await do(tx)


@dataclass
class Carrier:
    """Carries nothing, and remembers what it was let carry; `fails` the first so many times."""

    fails: int = 0
    carried: list[Permit] = field(default_factory=list)

    async def __call__(self, permit: Permit) -> str:
        if self.fails:
            self.fails -= 1
            raise NotTaken("away", lasting=False)
        self.carried.append(permit)
        return "there"


async def settle(world: World, *, kind: str = "partner", **terms: Any) -> Desk:
    officer = await world.staff("privacy_officer")
    key = f"acme_{new_id().hex[-10:]}"
    agreed = {"fields": READINGS, "purposes": ("share",), "confidentiality": True, "security": True, **terms}
    async with world.door.open(officer.acts(Purpose.ADMINISTER)) as tx:
        await keep_recipient(tx, key, kind=kind, name="Acme Boilers", does="Warranty", region="Oregon, USA", contact="privacy@acme.example")
        agreement = await add_agreement(tx, key, title="Warranty terms of 2026", **agreed)
    return Desk(world, officer, key, agreement)


def parcel(desk: Desk, home: Somebody, **values: Any) -> Parcel:
    usual = {"id": new_id(), "recipient": desk.key, "purpose": Purpose.SHARE, "fields": READINGS, "subject": home.household}
    return Parcel(**{**usual, "what": "readings", "records": 24, **values})


async def everybody(_: Tx, __: UUID, ___: Purpose, ____: str) -> bool:
    return True


async def ledger(world: World, home: Somebody) -> list[tuple[str, str, tuple[str, ...], int, str]]:
    async with world.door.open(home.acts(Purpose.RIGHTS)) as tx:
        return [(d.recipient, d.what, d.fields, d.records, d.outcome) for d in await disclosures(tx, home.household)]


async def test_SHR_03_what_leaves_is_written_down_first_and_shown_to_the_household_alone(world: World) -> None:
    desk, home, other = await settle(world), await world.made("Ana"), await world.made("Bo")
    way_out, carrier = Egress(world.door, everybody), Carrier(fails=1)
    sent = parcel(desk, home)
    with pytest.raises(NotTaken):
        await way_out.send(home.acts(Purpose.SHARE), sent, carrier)
    assert await ledger(world, home) == [("Acme Boilers", "readings", READINGS, 24, "refused")]

    async def look_while_carrying(_: Permit) -> None:
        with world.owner() as owner:
            assert owner.scalar(text("SELECT outcome FROM disclosures WHERE id = :id"), {"id": sent.id}) == "refused"

    await way_out.send(home.acts(Purpose.SHARE), sent, look_while_carrying)
    assert await ledger(world, home) == [("Acme Boilers", "readings", READINGS, 24, "taken")], "a further try is the same disclosure"
    assert await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier) == "there"
    assert len(await ledger(world, home)) == 2
    assert await ledger(world, other) == []
    async with world.door.open(other.acts(Purpose.RIGHTS)) as tx:
        assert await disclosures(tx, home.household) == []
    async with world.door.open(desk.officer.acts(Purpose.ADMINISTER)) as tx:
        assert await disclosures(tx, home.household) == [], "nor does the operator's staff see what is about whom"


@pytest.mark.parametrize(
    ("terms", "values", "code"),
    [
        ({}, {"recipient": "nobody_knows"}, "unknown_recipient"),
        ({}, {"fields": ("equipment.measurement", "user.name")}, "beyond_agreement"),
        ({"purposes": ("offers",)}, {}, "beyond_agreement"),
        ({"confidentiality": False}, {}, "terms_missing"),
        ({"security": False}, {}, "terms_missing"),
        ({"consideration": "lead_fee", "in_return": "40 dollars a lead"}, {}, "sale"),
        ({"consideration": "money", "in_return": "1 cent a reading"}, {}, "sale"),
    ],
)
async def test_SHR_03_nothing_leaves_beyond_the_register(world: World, terms: dict[str, Any], values: dict[str, Any], code: str) -> None:
    desk, home, carrier = await settle(world, **terms), await world.made("Ana"), Carrier()
    with pytest.raises(NotAllowed) as refused:
        await Egress(world.door, everybody).send(home.acts(Purpose.SHARE), parcel(desk, home, **values), carrier)
    assert refused.value.code == code
    assert carrier.carried == []
    assert await ledger(world, home) == []


async def test_SHR_03_an_agreement_that_ended_lets_nothing_out(world: World) -> None:
    desk, home, carrier = await settle(world), await world.made("Ana"), Carrier()
    way_out = Egress(world.door, everybody)

    async def code_of(sent: Parcel, purpose: Purpose = Purpose.SHARE) -> str:
        with pytest.raises(NotAllowed) as refused:
            await way_out.send(home.acts(purpose), sent, carrier)
        return refused.value.code

    assert await code_of(parcel(desk, home), Purpose.OPERATE) == "wrong_purpose"
    await desk.change(lambda tx: end_agreement(tx, desk.agreement))
    assert await code_of(parcel(desk, home)) == "no_agreement"
    with pytest.raises(NotFound):
        await desk.change(lambda tx: end_agreement(tx, desk.agreement))

    async def for_a_week(tx: Tx) -> None:
        terms: dict[str, Any] = {"title": "A week", "fields": READINGS, "purposes": ("share",), "confidentiality": True, "security": True}
        await add_agreement(tx, desk.key, **terms, ends_at=now() + timedelta(days=7))

    await desk.change(for_a_week)
    await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier)
    with time_machine.travel(timedelta(days=8), tick=False):
        assert await code_of(parcel(desk, home)) == "no_agreement"
    await desk.change(lambda tx: end_recipient(tx, desk.key))
    assert await code_of(parcel(desk, home)) == "ended_recipient"
    assert len(carrier.carried) == 1


async def test_SHR_08_one_agreement_with_a_fee_stops_the_recipient_whole(world: World) -> None:
    """A fee can't be hidden beside a clean agreement: as long as it runs, that recipient gets nothing."""
    desk, home, carrier = await settle(world), await world.made("Ana"), Carrier()
    way_out = Egress(world.door, everybody)
    terms: dict[str, Any] = {"fields": READINGS, "purposes": ("share",), "confidentiality": True, "security": True}
    fee = await desk.change(
        lambda tx: add_agreement(tx, desk.key, title="Leads", consideration="lead_fee", in_return="40 dollars a lead", **terms)
    )
    with pytest.raises(NotAllowed) as refused:
        await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier)
    assert refused.value.code == "sale"
    async with world.door.open(home.acts(Purpose.RIGHTS)) as tx:
        entry = await get_entry(tx, desk.key, Settings(data=Path()))
    assert [(a.title, a.consideration, a.sale) for a in entry.agreements] == [
        ("Warranty terms of 2026", "none", False),
        ("Leads", "lead_fee", True),
    ]
    await desk.change(lambda tx: end_agreement(tx, fee))
    await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier)
    with pytest.raises(Invalid) as unsaid:
        await desk.change(lambda tx: add_agreement(tx, desk.key, title="Leads", consideration="lead_fee", **terms))
    assert unsaid.value.field == "in_return", "what is given has to be said"


async def test_SHR_02_a_partner_waits_for_the_households_yes_and_for_signals(world: World) -> None:
    desk, home, carrier = await settle(world), await world.made("Ana"), Carrier()
    asked: list[tuple[UUID, Purpose, str]] = []

    async def agreed(_: Tx, subject: UUID, purpose: Purpose, detail: str) -> bool:
        asked.append((subject, purpose, detail))
        return len(asked) > 1

    for way_out in (Egress(world.door), Egress(world.door, agreed)):
        with pytest.raises(NotAllowed) as refused:
            await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier)
        assert refused.value.code == "no_consent"
    assert asked == [(home.household, Purpose.SHARE, desk.key)]
    person = home.principal.person_id
    async with world.door.open(home.acts(Purpose.RIGHTS)) as tx:
        await note_signal(tx, person, "gpc", "Firefox, Linux")
    with pytest.raises(NotAllowed) as stopped:
        await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier)
    assert stopped.value.code == "opted_out"
    async with world.door.open(home.acts(Purpose.RIGHTS)) as tx:
        await end_opt_outs(tx, person)
    await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), carrier)
    assert len(carrier.carried) == 1


async def test_the_ledger_can_not_be_written_for_another_household_nor_rewritten(world: World) -> None:
    desk, home, other = await settle(world), await world.made("Ana"), await world.made("Bo")
    with pytest.raises(DBAPIError, match="row-level security"):
        await Egress(world.door, everybody).send(other.acts(Purpose.SHARE), parcel(desk, home), Carrier())
    await Egress(world.door, everybody).send(home.acts(Purpose.SHARE), parcel(desk, home), Carrier())
    for change in ("fields = '{}'", "recipient = 'nobody'", "subject_id = gen_random_uuid()", "at = now()"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with world.door.open(home.acts(Purpose.SHARE)) as tx:
                await tx.session.execute(text(f"UPDATE disclosures SET {change}"))  # noqa: S608 - constants of this test
    for person in (home, await world.staff("support")):
        with pytest.raises((DBAPIError, NotFound)):
            async with world.door.open(person.acts(Purpose.ADMINISTER)) as tx:
                await end_recipient(tx, desk.key)


@pytest.mark.parametrize(
    ("settings", "used"),
    [
        ({}, {}),
        ({"smtp_url": "smtp://127.0.0.1:25"}, {}),
        ({"smtp_url": "smtps://u:p@mail.example.org:465"}, {MAIL_RELAY: ("mail.example.org",)}),
        ({"database_url": "postgresql://u:p@/lineset?host=/run/pg"}, {}),
        (
            {"database_url": "postgresql://u:p@db1.example.org:5432,db2.example.org/x"},
            {"database_host": ("db1.example.org", "db2.example.org")},
        ),
        ({"nats_url": "tls://a.example.org:4222,tls://localhost:4222"}, {"bus_host": ("a.example.org",)}),
        ({"history_url": "s3://b/p", "s3": S3(endpoint="https://s3.example.org")}, {"object_storage": ("s3.example.org",)}),
        ({"history_url": "s3://b/p", "s3": S3(region="us-west-2")}, {"object_storage": ("s3.us-west-2.amazonaws.com",)}),
    ],
)
def test_SHR_03_settings_say_which_processors_are_used(settings: dict[str, Any], used: dict[str, tuple[str, ...]]) -> None:
    assert outside(Settings(data=Path(), **settings)) == used
    assert set(used) <= set(PROCESSORS)


async def test_a_recipient_is_written_down_with_all_that_is_needed(world: World) -> None:
    desk = await settle(world)
    usual: dict[str, Any] = {"kind": "partner", "name": "Acme", "does": "x", "region": "USA"}
    bad: tuple[dict[str, str], ...] = ({"name": ""}, {"kind": "friend"}, {"region": "x" * 501}, {"name": "a\x07"})
    for values in bad:
        with pytest.raises(Invalid) as refused:
            await desk.change(lambda tx, v=values: keep_recipient(tx, "acme_two", **{**usual, **v}))  # type: ignore[misc]
        assert refused.value.field == next(iter(values))
    with pytest.raises(Conflict):
        await desk.change(lambda tx: keep_recipient(tx, desk.key, **usual, new=True))
    relay: dict[str, Any] = {"title": "Terms", "purposes": ("communicate",), "confidentiality": True, "security": True}
    await desk.change(lambda tx: keep_recipient(tx, MAIL_RELAY, kind="processor", name="Post Ltd", does="", region="Germany"))
    with pytest.raises(Invalid) as beyond:
        await desk.change(lambda tx: add_agreement(tx, MAIL_RELAY, fields=("equipment.measurement",), **relay))
    assert beyond.value.field == "fields", "no agreement can allow a mail server more than the code ever gives it"
    async with world.door.open(desk.officer.acts(Purpose.ADMINISTER)) as tx:
        entry = await get_entry(tx, desk.key, Settings(data=Path()))
    assert (entry.consent, entry.complete, entry.fields, entry.purposes) == (True, True, READINGS, ("share",))


@pytest.mark.usefixtures("no_other_mails")
async def test_SHR_03_mail_leaves_this_machine_only_with_an_entry_and_each_is_a_disclosure(world: World, tmp_path: Path) -> None:
    with world.owner() as owner:
        owner.execute(text("TRUNCATE recipients, agreements, disclosures, recipient_notices CASCADE"))
    email, mailroom = world.address("ana"), Mailroom()
    await accounts.sign_up(world.door, name="Ana", email=email, password=PASSWORD, browser=world.browser())
    (mail,) = await world.mails(email)
    # 0.0.0.0 leads to this machine and is nobody's loopback: to the register it is somewhere else
    with smtp(tmp_path, mailroom, implicit=True, host="0.0.0.0") as url:
        settings = Settings(data=tmp_path, smtp_url=url, mail_from="post@lineset.example")
        sender = Sender(world.door, settings)
        await sender.send(mail.id)
        (held,) = await world.mails(email)
        assert (held.failure, held.sent_at, mailroom.taken) == ("held: unknown_recipient", None, [])
        with pytest.raises(ValueError, match=r"Egress\.send"):
            await hand_over(read_address(url), EmailMessage(), None)
        officer = await world.staff("operator")
        async with world.door.open(officer.acts(Purpose.ADMINISTER)) as tx:
            assert [(row.key, row.complete) for row in await gaps(tx, settings)] == [(MAIL_RELAY, False)]
            await keep_recipient(tx, MAIL_RELAY, kind="processor", name="Post Ltd", does="", region="Germany")
            terms: dict[str, Any] = {
                "fields": PROCESSORS[MAIL_RELAY].fields,
                "purposes": ("communicate",),
                "confidentiality": True,
                "security": True,
            }
            await add_agreement(tx, MAIL_RELAY, title="Data processing terms", **terms)
            assert await gaps(tx, settings) == []
            assert [(r.key, r.used, r.built_in) for r in await register_rows(tx, settings)] == [(MAIL_RELAY, True, True)]
        assert await resume_held(world.door) == 1
        await sender.send(mail.id)
    assert [m["To"] for m in mailroom.taken] == [email]
    assert mailroom.taken[0].get_content_type() == "text/plain", "without leave no second form"
    with world.owner() as owner:
        (row,) = owner.execute(text("SELECT subject_id, recipient, purpose, fields, what, outcome FROM disclosures")).all()
        assert row == (mail.about, "Post Ltd", "communicate", list(PROCESSORS[MAIL_RELAY].fields), "mail:verify", "taken")
        assert email not in str(owner.execute(text("SELECT * FROM disclosures")).all())


@pytest.mark.usefixtures("no_other_mails")
async def test_TAG_04_news_tells_of_its_opening_only_where_the_person_allows_it(world: World, tmp_path: Path) -> None:
    person, mailroom = await world.made("Ana"), Mailroom()
    async with world.door.open(MAIL) as tx:
        for kind in ("news", "reset"):
            await queue_mail(tx, person.principal.person_id, person.email, kind, "What is new", "Read {url}/news\n")
    mail, other = await world.mails(person.email)
    allowed: list[tuple[UUID, Purpose, str]] = []

    async def yes(_: Tx, subject: UUID, purpose: Purpose, detail: str) -> bool:
        allowed.append((subject, purpose, detail))
        return True

    with smtp(tmp_path, mailroom, implicit=True) as url:
        settings = Settings(data=tmp_path, smtp_url=url, mail_from="post@lineset.example", public_url="https://lineset.example")
        await Sender(world.door, settings).send(mail.id)
        with world.owner() as owner:
            owner.execute(text("UPDATE mails SET sent_at = NULL WHERE id = :id"), {"id": mail.id})
        for each in (mail, other):
            await Sender(world.door, settings, yes).send(each.id)
    without, with_picture, no_news = mailroom.taken
    for plain in (without, no_news):
        assert not plain.is_multipart()
        assert "/o/" not in plain.as_string()
    assert allowed == [(person.principal.person_id, *MAIL_OPENS)]
    html = with_picture.get_body(("html",))
    assert html is not None
    found = re.search(r'src="https://lineset\.example/o/([\w-]+)\.gif"', html.get_content())
    assert found
    key = secret(settings, PICTURE_KEY)
    assert read_picture(key, found[1]) == mail.id
    for forged in (found[1][:-1], "B" + found[1][1:], "", "..", "x" * 100, found[1] + "AA"):
        assert read_picture(key, forged) != mail.id


async def test_recipients_are_told_of_an_erasure_and_their_receipts_are_kept(world: World) -> None:
    desk, home = await settle(world), await world.made("Ana")
    way_out, request = Egress(world.door, everybody), new_id()
    await way_out.send(home.acts(Purpose.SHARE), parcel(desk, home), Carrier())
    async with world.door.open(HOUSEKEEPING) as tx:
        assert await tell_recipients(tx, home.household, request) == 1
        assert await tell_recipients(tx, home.household, request) == 1, "once more notes nothing twice"
        assert await tell_recipients(tx, new_id(), new_id()) == 0
        (notice,) = await recipient_notices(tx, request)
    assert (notice.recipient, notice.contact, notice.fields) == ("Acme Boilers", "privacy@acme.example", READINGS)
    with pytest.raises(Invalid):
        await desk.change(lambda tx: acknowledge(tx, notice.id, "  "))
    await desk.change(lambda tx: acknowledge(tx, notice.id, "ticket 4711"))
    async with world.door.open(HOUSEKEEPING) as tx:
        assert await tell_recipients(tx, home.household, request) == 0
        (done,) = await recipient_notices(tx, request)
    assert done.reference == "ticket 4711"
    assert done.acknowledged_at is not None
    assert done.told_at is not None
    async with world.door.open((await world.made("Bo")).acts(Purpose.RIGHTS)) as tx:
        assert await recipient_notices(tx, request) == []
