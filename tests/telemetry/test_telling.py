"""Readings that tell of people: refused while their home has not switched them on, hidden and erased when it switches them off."""

from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import polars as pl
import pytest
from lineset import control, sites, telemetry
from lineset.kit.errors import Invalid
from lineset.privacy import Context, Purpose, give, withdraw
from lineset.telemetry.history.closing import close_due
from lineset.telemetry.history.columns import MORE, MORE_TYPE, TIME
from lineset.telemetry.history.forgetting import cleaned, forget
from lineset_contract.points import POINTS, consent_for

from tests.telemetry.test_closing import DAY, IMPORT, TODAY, desk_of, storage_of
from tests.telemetry.world import Bench, codes, just_now, message

pytestmark = pytest.mark.anyio
ON: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Presence", "On")}
OFF: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Presence", "Off")}


def household_of(world: Bench) -> UUID:
    return UUID(str(world.house.household))


async def switch(world: Bench, on: bool, purpose: Purpose = Purpose.PRESENCE, detail: str = "") -> None:
    async with world.door.open(Context(world.house.acting.actor, Purpose.RIGHTS)) as tx:
        if on:
            await give(tx, household_of(world), purpose, detail, **ON)
        else:
            await withdraw(tx, household_of(world), purpose, detail, **OFF)


def test_EQP_04_what_tells_of_people_is_marked_in_the_catalogue_and_known_by_its_words() -> None:
    assert {name for name, p in POINTS.items() if p.consent == "presence"} == {"occupancy", "motion", "presence", "occupant_count"}
    assert {name for name, p in POINTS.items() if p.consent == "location"} == {"latitude", "longitude"}
    assert consent_for("hall_motion") == consent_for("pir_2") == "presence"
    assert consent_for("gps_lat") == "location"
    assert consent_for("room_temperature") == consent_for("motional_force") == consent_for("x" * 70) == ""


async def test_EQP_04_presence_is_refused_until_switched_on_and_the_rest_of_the_frame_taken(world: Bench) -> None:
    t = just_now() - 60
    frame = {"room_temperature": 21, "occupancy": "occupied", "hall_motion": 1}
    acks = await world.send(message(1, (t, "hp1", frame)))
    assert (acks[0].through, codes(acks)) == (1, ["presence_off", "presence_off"])
    found = await world.newest()
    assert found is not None
    assert set(found.values) == {"room_temperature"}
    assert world.rows("SELECT count(*) FROM slots WHERE point <> 'room_temperature'") == [(0,)]
    assert {row[0] for row in world.rows("SELECT code FROM refusals")} == {"presence_off"}
    await switch(world, on=True)
    acks = await world.send(message(2, (t + 10, "hp1", frame)))
    assert codes(acks) == []
    found = await world.newest()
    assert found is not None
    assert found.values["occupancy"].word == "occupied"
    await switch(world, on=False)
    found = await world.newest()
    assert found is not None
    assert set(found.values) == {"room_temperature"}, "hidden at once"
    async with world.door.open(world.house.acting) as tx:
        assert {p.name for p in await telemetry.points(tx, world.machines["hp1"])} == {"room_temperature"}
    assert codes(await world.send(message(3, (t + 20, "hp1", frame)))) == ["presence_off", "presence_off"], "and refused at once"


async def test_EQP_04_a_place_is_taken_from_a_gateway_that_may_tell_it_and_no_other(world: Bench) -> None:
    t = just_now() - 60
    place = {"latitude": 48.2, "longitude": 16.4}
    await switch(world, on=True, purpose=Purpose.LOCATION, detail="gateway:other")
    assert codes(await world.send(message(1, (t, "hp1", place)))) == ["location_off", "location_off"]
    await switch(world, on=True, purpose=Purpose.LOCATION, detail=f"gateway:{world.gateway}")
    assert codes(await world.send(message(2, (t, "hp1", place)))) == []
    found = await world.newest()
    assert found is not None
    assert found.values["latitude"].value == pytest.approx(48.2)


async def test_EQP_04_what_was_stored_is_erased_from_rows_and_files(world: Bench) -> None:
    await switch(world, on=True)
    past = np.array([(TODAY - 5 * DAY).timestamp() + 43_200.0 + 60 * n for n in range(5)])
    columns = {"room_temperature": np.full(5, 20.25), "occupancy": np.ones(5), "hall_motion": np.full(5, 7.5)}
    async with world.door.open(IMPORT) as tx:
        await telemetry.load(tx, world.machines["hp1"], past, columns, now=just_now())
    await world.send(message(1, (just_now(), "hp1", {"room_temperature": 20.5, "hall_motion": 7.5})))
    async with desk_of(world) as desk:
        await close_due(desk)
        assert await forget(desk) == {}, "nothing while it is switched on"
        assert points_in_files(world) >= {"occupancy", "hall_motion", "room_temperature"}
        await switch(world, on=False)
        done = await forget(desk)
        assert done["hot"]
        assert done["raw"]
        assert done["hour"]
        assert done["day"]
        assert points_in_files(world) == {"room_temperature"}
        assert (await forget(desk))["hot"] == 0, "once is enough"
    assert not [row for row in world.rows("SELECT reals FROM frames") if 7.5 in row[0]]  # type: ignore[operator]
    found = await world.newest()
    assert found is not None
    assert found.values["room_temperature"].value == 20.5


async def test_EQP_04_a_place_in_an_event_is_refused_where_people_see_it_or_kept_if_they_want(world: Bench) -> None:
    async def tell(**detail: object) -> None:
        event = msgspec.json.encode({"kind": "inventory", "t": just_now(), "detail": {"equipment": [], **detail}})
        await control.take(world.door, world.gateway, "events", event)

    async def known() -> sites.Location | None:
        async with world.door.open(Context(world.house.acting.actor, Purpose.LOCATION)) as tx:
            return await sites.place_of(tx, household_of(world), "gateway", world.gateway)

    await tell(gps={"lat": 48.20849, "lon": 16.37208}, motion=True)
    kept = world.rows("SELECT kind, detail::text FROM gateway_events ORDER BY kind")
    assert not any("48.2" in str(detail) for _, detail in kept)
    assert [str(detail) for kind, detail in kept if kind == "inventory"] == ['{"machines": 0}']
    assert {msgspec.json.decode(str(detail))["code"] for kind, detail in kept if kind == "error"} == {"location_off", "presence_off"}
    assert await known() is None
    await switch(world, on=True, purpose=Purpose.LOCATION, detail=f"gateway:{world.gateway}")
    await tell(gps={"lat": 48.20849, "lon": 16.37208}, note="moved")
    found = await known()
    assert found is not None
    assert (found.latitude, found.longitude, found.source) == (48.208, 16.372, "device")
    assert not any("48.2" in str(detail) for _, detail in world.rows("SELECT kind, detail::text FROM gateway_events"))
    await switch(world, on=False, purpose=Purpose.LOCATION, detail=f"gateway:{world.gateway}")
    assert await known() is None
    async with world.door.open(Context(world.house.acting.actor, Purpose.RIGHTS)) as tx:
        assert await sites.place_of(tx, household_of(world), "gateway", world.gateway) is None, "erased, not hidden"


async def test_EQP_04_history_of_presence_is_not_imported_either(world: Bench) -> None:
    t = np.array([just_now() - 7200])
    for name, code in (("occupancy", "presence_off"), ("latitude", "location_off")):
        with pytest.raises(Invalid) as refused:
            async with world.door.open(IMPORT) as tx:
                await telemetry.load(tx, world.machines["hp1"], t, {name: np.array([1.0])}, now=just_now())
        assert refused.value.code == code


def points_in_files(world: Bench) -> set[str]:
    """Every point that any file of history still has a value of."""
    folder = storage_of(world).folder
    assert folder is not None
    found: set[str] = set()
    for path in folder.rglob("*.parquet"):
        if "_delta_log" in path.parts:
            continue
        frame = pl.read_parquet(path)
        if "point" in frame.columns:
            found |= set(frame["point"].cast(pl.String).to_list())
            continue
        found |= {name for name in frame.columns if name in POINTS and frame[name].null_count() < frame.height}
        if MORE in frame.columns:
            found |= {p["point"] for pairs in frame[MORE].to_list() for p in pairs or []}
    return found


def test_cleaning_takes_exactly_the_points_of_exactly_the_series() -> None:
    times = pl.Series("t", [1, 2, 3, 4], pl.Int64).cast(TIME)
    more = [
        [{"point": "hall_motion", "value": 1.0}, {"point": "magic", "value": 2.0}],
        None,
        [{"point": "hall_motion", "value": 3.0}],
        None,
    ]
    rows = pl.DataFrame(
        {"series": pl.Series([1, 1, 2, 1], dtype=pl.Int32), "t": times, "occupancy": [1, 0, 1, None], "energy": [None, 5.0, None, 6.0]}
    )
    rows = rows.with_columns(pl.Series(MORE, more, MORE_TYPE))
    left = cleaned(rows, {1: {"occupancy", "hall_motion"}})
    assert left["series"].to_list() == [1, 1, 2, 1]
    assert left["occupancy"].to_list() == [None, None, 1, None]
    assert left[MORE].to_list() == [[{"point": "magic", "value": 2.0}], None, [{"point": "hall_motion", "value": 3.0}], None]
    assert cleaned(rows.select("series", "t", "occupancy"), {1: {"occupancy"}, 2: {"occupancy"}}).height == 0
