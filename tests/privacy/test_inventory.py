"""What is told of the data that is held: made from the declarations alone, whole, and in both languages."""

from lineset import schema
from lineset.kit.ids import new_id
from lineset.pages.common.held_words import ANCHORS
from lineset.privacy import Subject
from lineset.privacy.inventory import FAMILIES, SOURCES, Scope, family_of, inventory, kinds_of
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES

from tests.words import translated

REGISTER = schema.register()
HOLDERS = {h.name: h for kind in inventory(REGISTER) for h in kind.holders}


def test_PRV_01_everything_that_holds_something_about_people_is_told() -> None:
    """Left out are what declares to be nobody's, what belongs to a signed-out tag that leads to no person, and tables of bare keys."""
    nobody = (Subject.NOBODY, Subject.TAG)
    tables = {name for name, declared in REGISTER.tables.items() if declared.subject not in nobody}
    for name in tables - HOLDERS.keys():
        categories = {REGISTER.column(name, c.name).category for c in REGISTER.metadata.tables[name].columns}
        assert all(c.startswith(("system.", "user.unique_id")) for c in categories), name
    others = {s.name: s for s in REGISTER.streams} | {f.pattern: f for f in REGISTER.files}
    personal = {name for name, d in others.items() if d.subject not in nobody and not d.category.startswith("system.")}
    assert personal | {c.name for c in REGISTER.cookies} <= HOLDERS.keys()
    assert len(tables & HOLDERS.keys()) > 35


def test_every_category_has_a_family_and_each_family_a_source() -> None:
    assert set(SOURCES) == {family.key for family in FAMILIES}
    for category in CATEGORIES:
        if not category.startswith(("system.", "user.unique_id")):
            assert category.startswith(family_of(category).categories), f"put {category} into a family of privacy/inventory.py"


def test_a_person_without_a_household_is_told_of_nothing_that_is_a_households() -> None:
    alone = {h.name: h.subject for kind in kinds_of(REGISTER, Scope(new_id())) for h in kind.holders}
    assert alone
    assert set(alone.values()) <= {Subject.PERSON, Subject.WORKER}
    assert len(alone) < len(HOLDERS)


def test_no_secret_is_among_what_people_read() -> None:
    for holder in HOLDERS.values():
        for column in holder.fields:
            holds = REGISTER.column(holder.name, column)
            assert holds.export is True, (holder.name, column)
            assert not holds.category.startswith("user.authorization"), (holder.name, column)


def test_what_declarations_say_has_words_in_every_language() -> None:
    texts = {h.about for h in HOLDERS.values()} | {family.title for family in FAMILIES} | set(SOURCES.values()) | set(ANCHORS.values())
    texts |= {CATEGORIES[c] for kind in inventory(REGISTER) for c in kind.categories}
    texts |= {words for p in PURPOSES.values() for words in (p.title, p.say)}
    assert sorted(texts - translated("es")) == [], "put these into pages/locale/es/LC_MESSAGES/data.po"
