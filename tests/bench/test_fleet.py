"""Fleets as they are drawn: sound homes in the majority, every fault of the contract at its place and season."""

from collections import Counter

from lineset_contract.faults import FAULTS
from lineset_contract.profiles import PROFILES

from bench.diagnosis.fleet import KINDS, draw


def test_most_homes_are_sound_and_every_fault_has_its_turn() -> None:
    plans = draw(400, 56, 3)
    kinds = Counter(plan.kind.name for plan in plans if plan.kind)
    assert set(kinds) == set(FAULTS) == {kind.name for kind in KINDS}
    assert sum(kinds.values()) <= 0.4 * len(plans)
    assert max(kinds.values()) <= 4 * min(kinds.values()) + 4
    assert len({plan.spec.climate for plan in plans}) >= 3
    assert len({machine.make for plan in plans for machine in plan.spec.equipment}) >= 4
    sound = [machine for plan in plans if plan.kind is None for machine in plan.spec.equipment]
    assert {PROFILES[machine.type].family for machine in sound} >= {"heat_pump", "air_conditioner", "furnace", "boiler", "water_heater"}


def test_faults_begin_within_the_recording_or_before_it() -> None:
    plans = [plan for plan in draw(400, 56, 3) if plan.kind]
    before = 0
    for plan in plans:
        (fault,) = plan.spec.faults
        assert fault.equipment in {machine.local for machine in plan.spec.equipment}
        assert plan.kind is not None
        assert plan.season in {season for _, seasons in plan.kind.where for season in seasons}
        begun = plan.end - fault.days_before * 86_400.0
        assert begun < plan.end - 20 * 86_400.0
        before += begun < plan.start
    assert 0.1 < before / len(plans) < 0.5


def test_the_same_seed_draws_the_same_fleet() -> None:
    assert draw(30, 20, 5) == draw(30, 20, 5)
    assert draw(30, 20, 5) != draw(30, 20, 6)
