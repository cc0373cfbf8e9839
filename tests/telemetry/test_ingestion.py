"""What ingestion takes, merges, refuses and acknowledges, on a real database."""

import math

import pytest
from lineset.kit.ids import new_id
from lineset.telemetry.batch import Builder
from lineset.telemetry.store import AHEAD
from lineset_contract.wire import MAX_FRAMES, MAX_POINTS_PER_FRAME

from tests.telemetry.world import Bench, codes, just_now, message

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
