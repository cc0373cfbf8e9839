"""What ingestion takes, merges, refuses and acknowledges, on a real database."""

import math
import time
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest
from lineset import gateways, sites
from lineset.kit.ids import new_id
from lineset.privacy import Context, Purpose, System
from lineset.telemetry import load, refusal_counts, refusals, store
from lineset.telemetry.batch import Builder
from lineset.telemetry.store import AHEAD
from lineset_contract.wire import MAX_FRAMES, MAX_POINTS_PER_FRAME

from tests.telemetry.world import SETUP, Bench, codes, just_now, message

pytestmark = pytest.mark.anyio


async def test_TEL_01_readings_arrive_with_their_own_time_and_unit(world: Bench) -> None:
    t = just_now() - 60
    acks = await world.send(message(1, (t, "hp1", {"supply_air_temperature": 31.25, "operating_mode": "heating", "energy": 1234567.891})))
    assert (acks[0].through, acks[0].refused) == (1, [])
    found = await world.newest()
    assert found is not None
    air = found.values["supply_air_temperature"]
    assert (air.value, air.t, air.unit, air.known) == (31.25, t, "degC", True)
    assert found.values["operating_mode"].word == "heating"
    if "energy" in found.values and found.values["energy"].known:
        assert found.values["energy"].value == pytest.approx(1234567.891, abs=1e-6)


async def test_TEL_01_unknown_points_are_kept_and_flagged(world: Bench) -> None:
    acks = await world.send(message(1, (just_now(), "hp1", {"supply_air_temperature": 30, "maker_magic": 4.5})))
    assert acks[0].refused == []
    found = await world.newest()
    assert found is not None
    assert (found.values["maker_magic"].value, found.values["maker_magic"].known) == (4.5, False)


async def test_TEL_01_wrong_values_are_refused_with_a_reason_and_the_good_ones_kept(world: Bench) -> None:
    frame = {"supply_air_temperature": 31, "room_temperature": "warm", "outdoor_temperature": 500, "Bad Name": 1}
    acks = await world.send(message(1, (just_now(), "hp1", frame)))
    assert sorted(codes(acks)) == ["bad_name", "out_of_range", "wrong_type"]
    assert all(r.index == 0 and r.say for r in acks[0].refused)
    found = await world.newest()
    assert found is not None
    assert set(found.values) == {"supply_air_temperature"}
    shown = world.rows("SELECT code FROM refusals ORDER BY code")
    assert [row[0] for row in shown] == ["bad_name", "out_of_range", "wrong_type"]


@pytest.mark.parametrize(("t", "code"), [(0.0, "bad_time_past"), (86_400.0 * 366, "bad_time_past"), (4_070_908_800.0, "bad_time_future")])
async def test_TEL_01_a_clock_in_1970_or_2099_is_refused(world: Bench, t: float, code: str) -> None:
    good = just_now()
    acks = await world.send(message(1, (t, "hp1", {"room_temperature": 20}), (good, "hp1", {"room_temperature": 21})))
    assert (acks[0].through, codes(acks)) == (1, [code])
    found = await world.newest()
    assert found is not None
    assert (found.t, found.values["room_temperature"].value) == (good, 21)


async def test_a_message_without_any_use_is_refused_by_its_number_and_the_sequence_goes_on(world: Bench) -> None:
    acks = await world.send(b'{"epoch": "e1", "seq": 1, "frames": 7}')
    assert (acks[0].through, codes(acks)) == (1, ["bad_message"])
    acks = await world.send(b"\xff\x00 rubbish", message(2, (just_now(), "hp1", {"room_temperature": 20})))
    assert codes(acks[:1]) == ["bad_json"]
    assert acks[1].through == 2


async def test_too_many_frames_too_many_points_and_unknown_machines_are_refused(world: Bench) -> None:
    t = just_now()
    many = message(1, *[(t - n, "hp1", {"room_temperature": 20}) for n in range(MAX_FRAMES + 1)])
    wide = message(2, (t, "hp1", {f"p{n}": 1 for n in range(MAX_POINTS_PER_FRAME + 1)}))
    lost = message(3, (t, "nobody", {"room_temperature": 20}))
    acks = await world.send(many, wide, lost)
    assert codes(acks) == ["too_many_frames", "too_many_points", "unknown_equipment"]
    assert acks[-1].through == 3


async def test_TEL_02_duplicates_and_reordered_batches_are_stored_once(world: Bench) -> None:
    t = just_now() - 1000
    messages = [message(n, (t + n, "hp1", {"room_temperature": 20 + n / 10})) for n in range(1, 9)]
    first = await world.send(*[messages[n] for n in (4, 2, 7)])
    assert {a.through for a in first} == {0}, "nothing contiguous has come yet"
    second = await world.send(messages[0], messages[1], messages[3], messages[4], messages[2])
    assert max(a.through for a in second) == 5, "6 and 7 are missing; 8 is stored but must not be acknowledged over the gap"
    third = await world.send(*messages)
    assert {a.through for a in third} == {8}
    assert world.rows("SELECT count(*), count(DISTINCT (series_id, t)) FROM frames") == [(8, 8)]


async def test_frames_of_one_moment_merge_point_by_point_and_the_first_value_stays(world: Bench) -> None:
    t = just_now()
    await world.send(message(1, (t, "hp1", {"room_temperature": 20.5})))
    acks = await world.send(message(2, (t, "hp1", {"outdoor_temperature": 3.0})))
    assert codes(acks) == []
    acks = await world.send(message(3, (t, "hp1", {"room_temperature": 25.0, "supply_air_temperature": 31.0})))
    assert codes(acks) == ["conflict"]
    assert "room_temperature" in acks[0].refused[0].say
    ((reals,),) = world.rows("SELECT reals FROM frames")
    assert isinstance(reals, list)
    assert sorted(v for v in reals if not math.isnan(v)) == [3.0, 20.5, 31.0]


async def test_two_halves_of_a_moment_in_one_batch_merge_too(world: Bench) -> None:
    t = just_now()
    acks = await world.send(
        message(1, (t, "hp1", {"room_temperature": 20.5}), (t, "hp1", {"outdoor_temperature": 3.0})),
        message(2, (t, "hp1", {"energy_unknown_total": 7})),
    )
    assert codes(acks) == []
    ((reals,),) = world.rows("SELECT reals FROM frames")
    assert isinstance(reals, list)
    assert sorted(v for v in reals if not math.isnan(v)) == [3.0, 7.0, 20.5]


async def test_late_frames_do_not_overwrite_newer_values(world: Bench) -> None:
    t = just_now()
    await world.send(message(1, (t, "hp1", {"room_temperature": 21})))
    await world.send(message(2, (t - 500, "hp1", {"room_temperature": 15, "outdoor_temperature": 2})))
    found = await world.newest()
    assert found is not None
    assert (found.values["room_temperature"].value, found.values["room_temperature"].t) == (21, t)
    assert (found.values["outdoor_temperature"].value, found.values["outdoor_temperature"].t) == (2, t - 500)


async def test_messages_far_ahead_wait(world: Bench) -> None:
    acks = await world.send(message(AHEAD + 1, (just_now(), "hp1", {"room_temperature": 21})))
    assert (acks[0].through, codes(acks)) == (0, [])
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]


async def test_a_refusal_is_told_again_to_a_device_that_missed_the_answer(world: Bench) -> None:
    bad = message(1, (0.0, "hp1", {"room_temperature": 20}))
    first, again = await world.send(bad), await world.send(bad)
    assert codes(first) == codes(again) == ["bad_time_past"]
    assert world.rows("SELECT count(*) FROM refusals") == [(1,)]


async def test_a_gateway_that_nobody_knows_gets_nothing_stored(world: Bench) -> None:
    acks = await world.send(message(1, (just_now(), "hp1", {"room_temperature": 20})), gateway=new_id())
    assert codes(acks) == ["revoked"]
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]


async def test_over_rate_is_refused_for_now_and_taken_later(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.BURST", 3)
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.PER_SECOND", 1)
    t = just_now()
    messages = [message(n, (t + n, "hp1", {"room_temperature": 20})) for n in range(1, 6)]
    acks = await world.send(*messages)
    assert codes(acks) == ["rate", "rate"]
    assert max(a.through for a in acks) == 3, "what was refused for now is not acknowledged, so the device keeps it"
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.BURST", 1000)
    world.ingestor.forgive()
    acks = await world.send(*messages[3:])
    assert acks[-1].through == 5


async def test_a_poison_message_is_set_aside_counted_and_shown_and_the_rest_flows_on(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Builder.add

    def breaks(self: Builder, route: object, frame: object, source: object) -> None:
        if getattr(frame, "v", {}).get("room_temperature") == 13:
            raise RuntimeError("a fault that no check foresaw")
        whole(self, route, frame, source)  # type: ignore[arg-type]

    monkeypatch.setattr(Builder, "add", breaks)
    t = just_now() - 100
    temperatures = [20, 21, 13, 22, 23]
    messages = [message(n, (t + n, "hp1", {"room_temperature": v})) for n, v in enumerate(temperatures, 1)]
    acks = await world.send(*messages)
    assert codes(acks) == ["set_aside"]
    assert max(a.through for a in acks) == 5
    assert world.ingestor.counts.poison == 1
    assert world.rows("SELECT count(*) FROM frames") == [(4,)]
    ((payload, reason),) = world.rows("SELECT payload, reason FROM poison_messages")
    assert isinstance(payload, bytes)
    assert b'"room_temperature":13' in payload
    assert "no check foresaw" in str(reason)


def close_days(world: Bench, before: float) -> None:
    """All days before that time are closed, as the history keeper would say."""
    with psycopg.connect(world.owner_address) as owner:
        owner.execute("ALTER TABLE closings NO FORCE ROW LEVEL SECURITY")
        owner.execute("INSERT INTO closings (id, closed_before, closed_at) VALUES (%s, to_timestamp(%s), now())", (new_id(), before))
        owner.execute("ALTER TABLE closings FORCE ROW LEVEL SECURITY")


def midnight(days_ago: int) -> float:
    """The beginning of a day (UTC), in seconds since 1970."""
    return (int(time.time()) // 86_400 - days_ago) * 86_400.0


LATE = "SELECT extract(epoch FROM t)::float8, reals FROM late_frames ORDER BY 1"


async def test_frames_of_closed_days_go_to_the_late_ones_and_the_others_to_theirs(world: Bench) -> None:
    close_days(world, midnight(2))
    days = world.rows("SELECT access.days()")
    times = [midnight(2) - 3600, midnight(2) - 1, midnight(2), midnight(1)]
    acks = await world.send(message(1, *[(t, "hp1", {"room_temperature": 20 + n}) for n, t in enumerate(times)]))
    assert (acks[0].through, codes(acks)) == (1, [])
    assert [t for t, _ in world.rows(LATE)] == times[:2]
    assert [t for (t,) in world.rows("SELECT extract(epoch FROM t)::float8 FROM frames ORDER BY 1")] == times[2:]
    assert set(world.rows("SELECT access.days()")) - set(days) <= {(datetime.fromtimestamp(t, UTC).date(),) for t in times[2:]}
    found = await world.newest()
    assert found is not None
    assert found.values["room_temperature"].value == 23


async def test_late_frames_merge_point_by_point_and_are_stored_once(world: Bench) -> None:
    close_days(world, midnight(1))
    t = midnight(2)
    first = message(1, (t, "hp1", {"room_temperature": 20.5}), (t, "hp1", {"outdoor_temperature": 3.0}))
    await world.send(first)
    await world.send(first | {"epoch": "e2"})
    acks = await world.send(
        message(2, (t, "hp1", {"room_temperature": 25.0, "supply_air_temperature": 31.0}), (midnight(0), "hp1", {"room_temperature": 21.0}))
    )
    assert codes(acks) == ["conflict"]
    ((at, reals),) = world.rows(LATE)
    assert at == t
    assert isinstance(reals, list)
    assert sorted(v for v in reals if not math.isnan(v)) == [3.0, 20.5, 31.0]
    assert world.rows("SELECT count(*) FROM frames") == [(1,)]


async def test_imported_history_of_closed_days_is_late_too(world: Bench) -> None:
    close_days(world, midnight(1))
    t = np.array([midnight(400), midnight(1) - 60, midnight(1)])
    async with world.door.open(Context(System("import"), Purpose.OPERATE)) as tx:
        assert await load(tx, world.machines["hp1"], t, {"room_temperature": np.array([18.0, 19.0, 20.0])}, now=time.time()) == 3
    assert [at for at, _ in world.rows(LATE)] == t[:2].tolist()
    assert world.rows("SELECT extract(epoch FROM t)::float8 FROM frames") == [(t[2],)]


async def test_no_day_is_closed_while_its_frames_are_being_stored(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The closing job locks what `access.closed_before` locks shared: here it must not get that lock before the batch's commit."""
    tried: list[bool] = []
    whole = store.save_progress

    async def observed(connection: psycopg.AsyncConnection, progress: dict[store.Key, store.Progress]) -> None:
        with psycopg.connect(world.owner_address) as closer:
            row = closer.execute("SELECT pg_try_advisory_xact_lock(hashtext('lineset.closing'))").fetchone()
            tried.append(bool(row and row[0]))
        await whole(connection, progress)

    monkeypatch.setattr(store, "save_progress", observed)
    await world.send(message(1, (just_now(), "hp1", {"room_temperature": 20.5})))
    assert tried == [False]
    with psycopg.connect(world.owner_address) as closer:
        assert closer.execute("SELECT pg_try_advisory_xact_lock(hashtext('lineset.closing'))").fetchone() == (True,)


async def test_an_older_value_of_one_point_does_not_replace_a_newer_one_within_a_newer_batch(world: Bench) -> None:
    t = just_now() - 100
    await world.send(message(1, (t, "hp1", {"room_temperature": 20, "outdoor_temperature": 1})))
    await world.send(message(2, (t + 50, "hp1", {"outdoor_temperature": 5})))
    await world.send(message(3, (t + 20, "hp1", {"outdoor_temperature": 2}), (t + 90, "hp1", {"room_temperature": 22})))
    found = await world.newest()
    assert found is not None
    assert {name: reading.value for name, reading in found.values.items()} == {"room_temperature": 22, "outdoor_temperature": 5}


async def test_null_is_no_reading_and_a_number_beyond_all_bounds_is_out_of_range(world: Bench) -> None:
    t = just_now()
    whole = f'{{"epoch":"e1","seq":1,"frames":[{{"t":{t},"e":"hp1","v":{{"room_temperature":null,"outdoor_temperature":4}}}},'
    whole += f'{{"t":{t - 1},"e":"hp1","v":{{"room_temperature":1{"0" * 400},"outdoor_temperature":5}}}}]}}'
    await world.send(message(9, (t - 5, "hp1", {"room_temperature": 20, "outdoor_temperature": 3}), epoch="e0"))
    acks = await world.send(whole.encode())
    assert [r.index for r in acks[0].refused] == [1]
    rows = world.rows("SELECT reals FROM frames ORDER BY t DESC LIMIT 2")
    kept = [sorted(v for v in reals if not math.isnan(v)) for (reals,) in rows if isinstance(reals, list)]
    assert kept == [[4.0], [5.0]]


async def test_gateways_of_a_household_share_a_limit_and_the_page_shows_a_count(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.HOUSEHOLD_BURST", 4)
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.HOUSEHOLD_PER_SECOND", 1)
    async with world.door.open(SETUP) as tx:
        second = (await gateways.create_gateway(tx, world.house.site, "Second")).gateway
        new = sites.NewEquipment(name="b", type="heat_pump_air_air", local_name="hp1")
        await sites.add_equipment(tx, world.house.site, new, gateway_id=second)
    t = just_now() - 100
    first = [message(n, (t + n, "hp1", {"room_temperature": 20})) for n in range(1, 4)]
    assert codes(await world.send(*first)) == []
    acks = await world.send(*first, gateway=second)
    assert codes(acks) == ["rate", "rate"]
    assert all("all gateways of a household" in r.say for ack in acks for r in ack.refused)
    await world.send(*first[1:], gateway=second)
    async with world.door.open(world.house.acting) as tx:
        shown = await refusals(tx, [second])
        counted = await refusal_counts(tx, [second], datetime.fromtimestamp(t, UTC))
    assert [(r.code, r.times) for r in shown] == [("rate", 4)]
    assert counted == {second: 4}


async def test_refusals_beyond_a_measure_are_counted_instead_of_kept_one_by_one(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.ROWS_BURST", 5)
    monkeypatch.setattr("lineset.telemetry.throttle.Throttle.ROWS_PER_SECOND", 0.0)
    for seq in range(1, 4):
        acks = await world.send(message(seq, *[(just_now() - n, "hp1", {"Bad Name": 1}) for n in range(10)]))
        assert codes(acks) == ["bad_name"] * 10, "the sender is told all the same"
    rows = world.rows("SELECT seq IS NULL, count(*), sum(times)::int FROM refusals GROUP BY 1 ORDER BY 1")
    assert rows == [(False, 5, 5), (True, 1, 25)]
