"""Receipts of consent without a database: what holds after any answers, the standard's record, and when we may ask again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset import schema
from lineset.kit.errors import Invalid
from lineset.privacy import CHOICES, Choice, Purpose, Receipt, Subject, Undeclared, choice_of, needs_new_yes, receipt_json
from lineset.privacy.consent.choices import LANGUAGES
from lineset.privacy.consent.receipt import fold, receipt_of, state
from lineset.privacy.vocabulary import PURPOSES

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
HOME = UUID(int=7)
BARE = {name: [name] for name in ("", "opened", "leads", "reports", "fleet", "due")}
DETAILS = BARE | {"recipient": ["acme", "site:1"], "site": ["site:1", "site:2"]}
THINGS = [(key, d) for key, c in CHOICES.items() for d in DETAILS.get(c.detail_kind, [f"{c.detail_kind}:1"])]


def receipt(number: int, choice: Choice, detail: str, yes: bool, at: datetime = NOON, terms: str | None = None) -> Receipt:
    words = choice.said("en").whole
    return Receipt(
        UUID(int=number), number, HOME, UUID(int=1), choice.key, choice.purpose, detail, yes, at, "Lineset", choice.data, choice.recipients,
        choice.kept, choice.terms if terms is None else terms, "p", words, "w", "en", "page", ("Your data", choice.said("en").title),
    )  # fmt: skip


answers = st.lists(st.tuples(st.sampled_from(THINGS), st.booleans(), st.integers(0, 3), st.booleans()), max_size=30)


@given(answers, st.randoms())
def test_PRV_04_what_holds_is_the_last_answer_in_whatever_order_receipts_are_read(
    given_: list[tuple[tuple[str, str], bool, int, bool]], chance: object
) -> None:
    """The model is a dictionary that each answer overwrites. Many answers share one instant; their number orders them."""
    model: dict[tuple[str, str], bool] = {}
    made = []
    for number, (thing, yes, hour, current) in enumerate(given_):
        choice = CHOICES[thing[0]]
        made.append(receipt(number, choice, thing[1], yes, NOON + timedelta(hours=hour), None if current else "older"))
        model[thing] = yes and current
    chance.shuffle(made)  # type: ignore[attr-defined]
    found = fold(made, NOON + timedelta(days=1))
    assert {thing: c.holds for thing, c in found.items()} == model


texts = st.text(max_size=30)
receipts = st.builds(
    Receipt,
    id=st.uuids(),
    number=st.integers(0, 2**53),
    subject=st.uuids(),
    by=st.none() | st.uuids(),
    choice=texts,
    purpose=st.sampled_from(Purpose),
    detail=texts,
    given=st.booleans(),
    at=st.datetimes(timezones=st.just(UTC)),
    controller=texts,
    data=st.lists(texts, max_size=4).map(tuple),
    recipients=st.lists(texts, max_size=4).map(tuple),
    kept=texts,
    terms=texts,
    policy=texts,
    wording=texts,
    wording_digest=texts,
    language=st.sampled_from(LANGUAGES),
    channel=texts,
    steps=st.lists(texts, max_size=4).map(tuple),
)


@given(receipts)
def test_PRV_04_a_receipt_says_all_of_itself_in_the_standards_fields(one: Receipt) -> None:
    assert receipt_of(receipt_json(one)) == one


def test_PRV_04_the_record_has_the_parts_of_iso_27560() -> None:
    record = msgspec.json.decode(receipt_json(receipt(1, CHOICES["presence"], "", True)))
    assert record["schema_version"] == "ISO/IEC TS 27560:2023"
    assert {"record_id", "pii_principal_id", "pii_processing", "party_identification", "events"} <= record.keys()
    purpose = record["pii_processing"]["purposes"][0]
    assert purpose["lawful_basis"] == "consent"
    assert purpose["pii_information"] == [{"pii_type": "occupancy.presence", "sensitive_pii_category": True}]
    assert record["events"][0]["event_state"] == "given"


def test_PRV_02_other_words_data_or_recipients_need_a_new_yes() -> None:
    before = CHOICES["presence"]
    yes = receipt(1, before, "", True)
    english = msgspec.structs.replace(before.words["en"], use="Also to sell you things.")
    for changed in (
        replace(before, words={**before.words, "en": english}),
        replace(before, data=(*before.data, "equipment.measurement")),
        replace(before, recipients=("Acme",)),
        replace(before, kept="for ever"),
    ):
        assert needs_new_yes(changed, yes)
        now = state(changed, "", yes, NOON)
        assert now.given
        assert now.needs_new_yes
        assert not now.holds, "processing waits"
        assert now.may_ask
    assert not needs_new_yes(before, yes)
    spanish = msgspec.structs.replace(before.words["es"], use="Mejor dicho.")
    assert not needs_new_yes(replace(before, words={**before.words, "es": spanish}), yes), "a better translation asks nobody again"


def test_PRV_02_another_text_of_the_purpose_needs_a_new_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    yes = receipt(1, CHOICES["offers"], "", True)
    monkeypatch.setitem(PURPOSES, Purpose.OFFERS, replace(PURPOSES[Purpose.OFFERS], say="Choose offers by what you earn."))
    assert needs_new_yes(replace(CHOICES["offers"]), yes)


@pytest.mark.parametrize(
    ("asked", "again"),
    [(NOON, datetime(2027, 2, 1, 12, tzinfo=UTC)), (datetime(2028, 2, 29, tzinfo=UTC), datetime(2029, 3, 1, tzinfo=UTC))],
)
def test_PRV_03_after_a_no_nobody_is_asked_for_twelve_months(asked: datetime, again: datetime) -> None:
    choice = CHOICES["offers"]
    no = receipt(1, choice, "", False, asked)
    assert not state(choice, "", no, again - timedelta(seconds=1)).may_ask
    assert state(choice, "", no, again).may_ask
    assert not state(replace(choice, kept="x"), "", no, again - timedelta(seconds=1)).may_ask, "other terms are no reason to ask sooner"
    assert state(choice, "", None, NOON).may_ask


def test_PRV_03_each_choice_is_declared_apart_with_words_in_both_languages() -> None:
    waiting = {p for p, t in PURPOSES.items() if t.consent}
    assert {c.purpose for c in CHOICES.values()} == waiting
    for choice in CHOICES.values():
        assert choice.subject in (Subject.HOUSEHOLD, Subject.PERSON)
        english, spanish = choice.said("en"), choice.said("es")
        for field in ("title", "ask", "use", "off"):
            assert getattr(english, field) != getattr(spanish, field), (choice.key, field)
        assert english.ask.endswith("?")
    assert len({c.said("en").whole for c in CHOICES.values()}) == len(CHOICES)
    with pytest.raises(Invalid):
        choice_of(Purpose.OPERATE)
    with pytest.raises(Invalid):
        choice_of(Purpose.LOCATION, "everything")


def test_PRV_02_a_table_for_a_purpose_that_waits_must_say_whose_yes_it_waits_for() -> None:
    table = schema.metadata.tables["latest"]
    before = table.info["declared"]
    table.info["declared"] = replace(before, purposes=(*before.purposes, Purpose.FLEET_MODELS))
    try:
        with pytest.raises(Undeclared, match="latest: the purpose of rights"):
            schema.register()
        table.info["declared"] = replace(before, path="series_id", via="", purposes=(Purpose.RIGHTS, Purpose.FLEET_MODELS))
        with pytest.raises(Undeclared, match="latest: whose consent"):
            schema.register()
    finally:
        table.info["declared"] = before


def columns_of(category: str) -> set[str]:
    found = ((t.name, c.name, c.info["holds"].category) for t in schema.metadata.tables.values() for c in t.columns)
    return {f"{table}.{column}" for table, column, held in found if held == category}


def test_EQP_04_places_lie_in_no_table_but_those_behind_the_switch() -> None:
    register = schema.register()
    assert columns_of("user.location.precise") == {"places.where_sealed", "session_places.where_sealed"}
    for table in ("places", "session_places"):
        declared = register.table(table)
        assert declared.rests_on == {Purpose.LOCATION}, "held for nothing else, so a no deletes it"
        assert declared.detail, "each thing has a switch of its own"
    assert columns_of("occupancy.presence") == set(), "presence is in no table of its own: readings wait at ingestion"


def test_PRV_07_whatever_is_linked_to_somebody_counts_as_personal() -> None:
    """A table with a key to people, or to what is theirs, says whose it is; or, where the row is nobody's, that this one column is."""
    register = schema.register()
    personal = {name for name, declared in register.tables.items() if declared.subject is not Subject.NOBODY} | {"people", "households"}
    linked = 0
    for name, table in schema.metadata.tables.items():
        declared = register.table(name)
        keys = [c for c in table.columns if {k.column.table.name for k in c.foreign_keys} & (personal - {name})]
        if not keys:
            continue
        linked += 1
        if declared.subject is Subject.NOBODY and not declared.also:
            for column in keys:
                assert column.info["holds"].category != "system.operations", (
                    f"{name}.{column.name} leads to somebody and says nothing of it"
                )
        else:
            held = {column.info["holds"].category for column in table.columns}
            assert held - {"system.operations"}, f"{name} is somebody's and declares none of its columns so"
    assert linked > 30
    derived = register.table("inferences")
    assert derived.subject is Subject.HOUSEHOLD
    assert derived.erasure == "delete"
    assert derived.export is True, "what is concluded about somebody is theirs like what it was made of"
