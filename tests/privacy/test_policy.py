"""The policy is what the declarations say: nothing more, nothing less, and nothing that is not kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest
from lineset import schema
from lineset.pages.common.reader import Reader
from lineset.privacy import Purpose, Register, policy, technical
from lineset.privacy.policy.words import span
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES

from tests import checks

CONTACT = policy.Contact("Heat Cooperative", "1 Main Street", "hello@example.org", "+1 530 555 0100", "privacy@example.org")
RELAY = policy.Processor("Post Ltd", "processor", "Delivers mails.", "Oregon", ("user.contact.email",), ("communicate",))
ALL = frozenset(checks.PROMISES)
OURS = ("PRV", "SHR", "SEC", "DEL", "RET", "TAG", "CMP", "POL")


@pytest.fixture(scope="module")
def register() -> Register:
    return schema.register()


def facts(register: Register, *processors: policy.Processor) -> policy.Facts:
    return policy.facts_of(register, CONTACT, "California", processors)


def text(found: policy.Facts, kept: frozenset[str] = ALL, language: str = "en") -> policy.Text:
    return policy.compose("policy", found, [Reader(language)], kept).texts[language]


def grid(found: policy.Text, name: str) -> dict[str, tuple[str, ...]]:
    """The rows of one of a text's tables by their first cell."""
    return {row[0]: row for part in found.parts for _, table in part.body if table and table.name == name for row in table.rows}


def held(register: Register, table: str) -> set[str]:
    return {register.column(table, c.name).category for c in register.metadata.tables[table].columns}


def lines(found: policy.Text) -> dict[str, tuple[str, ...]]:
    return {line.text: line.promises for part in found.parts for line, _ in part.body if line}


@contextmanager
def without(register: Register, category: str) -> Iterator[Register]:
    """A register in which no column, stream or file holds that category."""
    columns = [c for t in register.metadata.tables.values() for c in t.columns if c.info["holds"].category == category]
    before = [c.info["holds"] for c in columns]
    for column in columns:
        column.info["holds"] = technical()["holds"]
    streams = tuple(s for s in register.streams if s.category != category)
    files = tuple(f for f in register.files if f.category != category)
    try:
        yield Register(register.metadata, register.engines, streams, files, register.cookies)
    finally:
        for column, holds in zip(columns, before, strict=True):
            column.info["holds"] = holds


@contextmanager
def undeclared(register: Register, purpose: Purpose) -> Iterator[None]:
    """No table declares that purpose meanwhile."""
    tables = {t: t.info["declared"] for t in register.metadata.tables.values() if purpose in t.info["declared"].purposes}
    assert tables
    for table, declared in tables.items():
        table.info["declared"] = replace(declared, purposes=tuple(p for p in declared.purposes if p is not purpose))
    try:
        yield
    finally:
        for table, declared in tables.items():
            table.info["declared"] = declared


def test_POL_01_everything_in_use_has_words_and_a_place_in_the_law(register: Register) -> None:
    assert facts(register).gaps() == ()
    lost = msgspec.structs.replace(facts(register).categories[0], key="user.shoes", letters=())
    odd = msgspec.structs.replace(facts(register).holders[0], anchor="full moon")
    broken = msgspec.structs.replace(facts(register), categories=(lost,), holders=(odd,))
    assert [gap.partition(":")[0] for gap in broken.gaps()] == ["category user.shoes", "retention 'full moon'"]


def test_POL_01_deleting_a_declaration_removes_its_sentence(register: Register) -> None:
    whole = grid(text(facts(register)), "categories")
    assert len(whole) == len(policy.categories_in_use(register)) > 20
    for category in policy.categories_in_use(register):
        said = CATEGORIES[category][:1].upper() + CATEGORIES[category][1:]
        assert said in whole
        with without(register, category) as less:
            assert said not in grid(text(facts(less)), "categories"), category
    assert set(grid(text(facts(register)), "cookies")) == {cookie.name for cookie in schema.COOKIES}
    fewer = Register(register.metadata, register.engines, register.streams, register.files, register.cookies[1:])
    assert set(grid(text(facts(fewer)), "cookies")) == {cookie.name for cookie in schema.COOKIES[1:]}


def test_POL_01_every_purpose_in_use_is_told_and_no_other(register: Register) -> None:
    told = grid(text(facts(register)), "purposes")
    personal = [d for name, d in register.tables.items() if any(h != "system.operations" for h in held(register, name))]
    used = {p for d in personal for p in d.purposes} | {p for s in register.streams for p in s.purposes}
    used |= {c.purpose for c in register.cookies}
    assert set(told) == {PURPOSES[p].title for p in used}
    assert all(row[1] for row in told.values())
    needs_yes = [PURPOSES[p].title for p in used if PURPOSES[p].consent]
    assert needs_yes
    assert all("your yes" in told[title][2] for title in needs_yes)
    with undeclared(register, Purpose.LOCATION):
        assert PURPOSES[Purpose.LOCATION].title not in grid(text(facts(schema.register())), "purposes")


def test_POL_01_a_sentence_is_published_only_while_each_of_its_promises_is_kept(register: Register) -> None:
    found = facts(register)
    everything = {said for said, ids in policy.sentences().items() if ids}
    whole = lines(text(found))
    for promise in sorted({i for ids in policy.sentences().values() for i in ids}):
        less = lines(text(found, ALL - {promise}))
        assert promise not in {i for ids in less.values() for i in ids}
        assert set(whole) - set(less) == {said for said, ids in whole.items() if promise in ids}
    assert not {said for said in lines(text(found, frozenset())) if said in everything}
    assert policy.kept_promises() <= ALL
    assert set(lines(text(found, policy.kept_promises()))) <= set(whole)


def test_POL_01_the_package_takes_for_kept_what_the_page_of_promises_proves() -> None:
    page = "| POL_01 | text | `code` | `test` |\n| POL_02 | text | open | |\n"
    assert list(checks.kept(page, "POL_01\n")) == []
    assert list(checks.kept(page, "POL_01\nPOL_02\n")), "a promise without code would be published"
    assert list(checks.kept(page, "")), "code without a promise"


def test_POL_01_every_promise_about_data_has_a_sentence() -> None:
    told = {i for ids in policy.sentences().values() for i in ids}
    assert told <= ALL, "a sentence names a promise that is none"
    assert {p for p in ALL if p[:3] in OURS} <= told, "a promise about data that no text tells"


def test_CMP_04_the_table_of_the_law_comes_from_the_schema(register: Register) -> None:
    rows = {key[:3]: row for key, row in grid(text(facts(register)), "statutory").items()}
    assert list(rows) == [f"({letter})" for letter in "ABCDEFGHIJKL"]
    assert "names" in rows["(A)"][1].lower()
    assert "gender" in rows["(C)"][1].lower()
    assert rows["(E)"][1] == "none"
    assert "secrets" in rows["(L)"][1].lower()
    assert "(ae)(1)(B)" in next(key for key in grid(text(facts(register)), "statutory") if key.startswith("(L)"))
    with without(register, "user.demographic.gender") as less:
        found = grid(text(facts(less)), "statutory")
    assert "gender" not in next(row[1].lower() for key, row in found.items() if key.startswith("(C)"))


def test_CMP_05_the_region_of_accounts_and_of_each_processor_is_told(register: Register) -> None:
    found = text(facts(register, RELAY))
    assert grid(found, "processors")["Post Ltd"][-1] == "Oregon"
    assert any("California" in said for said in lines(found))


def test_SHR_08_no_sale_is_said_only_while_the_register_proves_it(register: Register) -> None:
    clean = text(facts(register, RELAY))
    assert any(ids == ("SHR_08",) and said.startswith("We do not sell") for said, ids in lines(clean).items())
    assert {row[-1] for row in grid(clean, "statutory").values()} == {"no"}
    paid = text(facts(register, msgspec.structs.replace(RELAY, sale=True)))
    assert not any(said.startswith("We do not sell") for said in lines(paid))
    assert "no" not in {row[-1] for row in grid(paid, "statutory").values()}
    assert "no" not in {row[-1] for row in grid(text(facts(register), ALL - {"SHR_08"}), "statutory").values()}


def test_POL_02_the_address_is_made_of_the_content(register: Register) -> None:
    both = [Reader("en"), Reader("es")]
    draft = policy.compose("policy", facts(register), both, ALL)
    assert draft.digest == policy.compose("policy", facts(schema.register()), both, ALL).digest
    again = msgspec.convert(msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(draft))), policy.Draft)
    assert again == draft
    assert again.digest == draft.digest
    for other in (facts(register, RELAY), msgspec.structs.replace(facts(register), region="Oregon")):
        assert policy.compose("policy", other, both, ALL).digest != draft.digest
    assert policy.compose("terms", facts(register), both, ALL).digest != draft.digest
    assert draft.texts["es"].title == "Política de privacidad"


def test_POL_02_what_matters_is_found_in_the_facts(register: Register) -> None:
    old = facts(register)
    assert len({h.name for h in old.holders}) == len(old.holders)
    assert policy.significant(None, old) == ()
    assert policy.significant(old, old) == ()
    mails = next(i for i, h in enumerate(old.holders) if h.name == "mails")
    longer = msgspec.structs.replace(old.holders[mails], days=60)
    changed = msgspec.structs.replace(
        facts(register, RELAY), holders=(*old.holders[:mails], longer, *old.holders[mails + 1 :]), region="Oregon"
    )
    found = policy.significant(old, changed)
    assert {(c.what, c.name) for c in found} == {("recipient", "Post Ltd"), ("longer", "mails that the platform sends")}
    assert policy.significant(changed, old) == (), "less is not told of"
    with without(register, "user.demographic.gender") as less:
        assert [(c.what, c.name) for c in policy.significant(facts(less), old)] == [("category", "user.demographic.gender")]
    fewer = msgspec.structs.replace(old, purposes=old.purposes[1:])
    assert [c.what for c in policy.significant(fewer, old)] == ["purpose"]
    more = msgspec.structs.replace(RELAY, categories=("user.contact.email", "user.name"), sale=True)
    assert [c.what for c in policy.significant(facts(register, RELAY), facts(register, more))][:2] == ["consent", "sale"]
    said = policy.worded(found[1], [Reader("en"), Reader("es")])
    assert said.said("en") == "Kept longer: mails that the platform sends, 60 days after it is made"
    assert said.said("es") not in ("", said.said("en"))


def test_POL_02_differences_are_read_in_words(register: Register) -> None:
    old, new = text(facts(register)), text(msgspec.structs.replace(facts(register), region="Oregon"))
    assert policy.differences(old, old) == ()
    (difference,) = policy.differences(old, new)
    assert difference.section == "Where it lives"
    marks = {(piece.mark, piece.text.strip()) for line in difference.lines for piece in line}
    assert ("gone", "California.") in marks
    assert ("new", "Oregon.") in marks
    gone = policy.differences(new, policy.Text(new.title, new.parts[1:]))
    assert [d.section for d in gone] == ["Who we are"]


def test_times_are_told_in_the_unit_that_is_meant() -> None:
    reader = Reader("en")
    assert [span(reader, days) for days in (1, 30, 90, 365, 730, 800, 3653)] == [
        *("1 day", "30 days", "90 days", "1 year", "2 years", "800 days", "10 years")
    ]
