"""Completeness, proven over every column: a copy holds each token that may be handed over, none that may not, none of anybody else."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from lineset import schema
from lineset.kit.database import make_engine
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, role_url
from lineset.kit.storage import Storage
from lineset.privacy import Door, Sensitivity, Subject, Vault, exporting
from lineset.privacy.paths import Whose, belongs

from tests.functional.devices.world import Keys
from tests.privacy.canaries import Canaries, plant
from tests.privacy.conftest import unforced
from tests.privacy.copying import copy_of, shop_of
from tests.support.engines import Engines

pytestmark = pytest.mark.anyio

REGISTER = schema.register()
EXPORTERS = {"measurements", "days"}
"""What the worker registers."""
NONE = (Subject.NOBODY, Subject.TAG)
OF_STAFF = {"memberships"}
"""Filled with the technician's work, which is in the technician's own copy."""
NOBODYS = {
    "agreements": "terms between companies",
    "attempts": "keyed digests for two days, which lead to nobody",
    "attestations": "what staff of the operator state",
    "organisations": "companies",
    "policy_versions": "which staff published the policy",
    "poison_messages": "could not be read, so not attributable",
    "recipients": "companies",
    "series_erasures": "numbers of series that mean nothing once they are gone",
}
"""Tables with personal columns that lead to nobody who could be told, and why that is right."""


@dataclass
class Planted:
    a: Canaries
    b: Canaries
    shop: exporting.Workshop


@pytest.fixture
async def planted(engines: Engines, database: str, tmp_path: Path) -> AsyncIterator[Planted]:
    for name in ("history", "copies"):
        (tmp_path / name).mkdir()
    vault = Vault(Keys(), b"k" * 32)
    with unforced(database) as connection:
        a, b = await plant(connection, vault, "a"), await plant(connection, vault, "b")
    engine = make_engine(role_url(database, engines.secret, APP).render_as_string(hide_password=False))
    door = Door(engine, vault, None, Storage(f"file://{tmp_path / 'history'}"))
    yield Planted(a, b, shop_of(door, Storage(f"file://{tmp_path / 'copies'}")))
    await engine.dispose()


def carries(whole: bytes, token: str) -> bool:
    """Whether the token is there, as text or as bytes written in hexadecimal."""
    return token.encode() in whole or token.encode().hex().encode() in whole


def handed_over(table: str, column: str) -> bool:
    declared = REGISTER.table(table)
    rows = declared.export is True and not declared.exporter and (declared.subject not in NONE or bool(declared.also))
    return rows and REGISTER.column(table, column).export is True


def test_PRV_07_every_table_that_is_linked_to_somebody_says_to_whom() -> None:
    for name, declared in REGISTER.tables.items():
        ways = [belongs(REGISTER, name, Whose(kind, new_id())) for kind in (Subject.PERSON, Subject.HOUSEHOLD)]
        leads = any(way is not None for way in ways)
        personal = any(REGISTER.column(name, c.name).sensitivity is not Sensitivity.NONE for c in REGISTER.metadata.tables[name].columns)
        assert leads or not personal or name in NOBODYS or declared.subject is Subject.TAG, (
            f"{name}: whose is it? Declare a path to its subject."
        )
        assert not (leads and name in NOBODYS), name
        assert leads == (declared.subject not in NONE or bool(declared.also)), name
        if declared.subject is Subject.PERSON and f"{declared.path} = ANY (ARRAY(SELECT access.households" in declared.guard.read:
            assert (declared.path, Subject.HOUSEHOLD) in declared.also, f"{name}: its subject may be a household; say so by `also`"
        assert not declared.exporter or declared.exporter in EXPORTERS, f"{name}: nothing hands over {declared.exporter!r}"


async def test_PRV_01_a_copy_holds_every_token_that_may_be_handed_over_and_no_other(planted: Planted) -> None:
    files = await copy_of(planted.shop, planted.a.side.owner)
    whole = b"\0".join(files.values())
    expected = {place for place in planted.a.tokens if handed_over(*place) and place[0] not in OF_STAFF}
    assert len(expected) > 120, sorted(expected)
    missing = [place for place in expected if not carries(whole, planted.a.tokens[place])]
    assert missing == [], missing
    secret = {place: token for place, token in planted.a.tokens.items() if place not in expected}
    assert [place for place, token in secret.items() if carries(whole, token)] == []
    assert len([place for place in secret if "digest" in place[1]]) > 5
    assert [place for place, token in planted.b.tokens.items() if carries(whole, token)] == []


async def test_PRV_01_readings_of_every_tier_are_in_the_copy(planted: Planted) -> None:
    files = await copy_of(planted.shop, planted.a.side.owner)
    point = planted.a.tokens["slots", "point"]
    tables = [pl.read_parquet(io.BytesIO(data)) for name, data in files.items() if name.endswith(".parquet")]
    found = {value for table in tables if point in table.columns for value in table[point].to_list()}
    assert set(planted.a.numbers.values()) <= found, sorted(files)
    assert not set(planted.b.numbers.values()) & found


async def test_PRV_01_whoever_is_no_owner_gets_what_is_about_the_person_alone(planted: Planted) -> None:
    files = await copy_of(planted.shop, planted.a.side.staff)
    whole = b"\0".join(files.values())
    found = {place for place, token in planted.a.tokens.items() if token.encode() in whole}
    assert {table for table, _ in found} <= {"memberships", "people"}, "the technician has a row of their own in these"
    assert str(planted.a.side.company).encode() in whole
    assert not [name for name in files if name.endswith(".parquet")]
