"""Limits: nobody's limit widens another's, and the answer says whose limit it was."""

from hypothesis import given
from hypothesis import strategies as st
from lineset_contract.control import NO_LIMITS, Action, Limits, bounds, check_command, check_setting, holds, rounded, tightened
from lineset_contract.profiles import PROFILES, profile
from lineset_contract.refusals import Refusal
from lineset_contract.wire import Range, WireValue

HEAT_PUMP = profile("heat_pump_air_air")
NUMERIC = [(p.type, s.name) for p in PROFILES.values() for s in p.settings.values() if not s.choices]
side = st.none() | st.floats(-50, 150)
ranges = st.builds(Range, low=side, high=side)
anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))


def refused(answer: Refusal | Action | None) -> str:
    assert isinstance(answer, Refusal)
    return answer.code


@given(st.sampled_from(NUMERIC), ranges, ranges, st.floats(-60, 160))
def test_CTL_03_what_is_allowed_lies_within_everybodys_limits(which: tuple[str, str], machine: Range, people: Range, value: float) -> None:
    found, name = profile(which[0]), which[1]
    limits = Limits(equipment={name: machine}, site={name: people})
    setting = found.settings[name]
    answer = check_setting(found, limits, name, value)
    lows = [low for low in (setting.low, machine.low, people.low) if low is not None]
    highs = [high for high in (setting.high, machine.high, people.high) if high is not None]
    assert (answer is None) == (max(lows) <= value <= min(highs))
    if answer is None:
        sent = rounded(setting, value, bounds(found, limits, name))
        assert max(lows) <= sent <= min(highs)
        assert abs(sent - value) <= setting.step
        # the gateway judges the rounded value again and must agree
        assert check_setting(found, limits, name, sent) is None
        assert rounded(setting, sent, bounds(found, limits, name)) == sent


@given(st.sampled_from(sorted(PROFILES)), st.text(max_size=10), anything, st.dictionaries(st.text(), anything))
def test_anything_at_all_is_answered(kind: str, name: str, value: object, args: dict[str, float]) -> None:
    found = profile(kind)
    for setting in (name, *found.settings):
        answer = check_setting(found, NO_LIMITS, setting, value)  # type: ignore[arg-type]
        assert answer is None or answer.say
    for command in (name, *found.commands):
        result = check_command(found, NO_LIMITS, command, args)
        assert isinstance(result, Action) or result.say


def test_CTL_03_a_refusal_says_whose_limit_it_was() -> None:
    limits = Limits(equipment={"heating_setpoint": Range(high=26)}, site={"heating_setpoint": Range(low=16, high=22)})
    for value, whose, say in ((23, "site", "this home"), (15, "site", "this home")):
        answer = check_setting(HEAT_PUMP, limits, "heating_setpoint", value)
        assert answer is not None
        assert answer.values["whose"] == whose
        assert say in answer.say
    freeze = check_setting(HEAT_PUMP, NO_LIMITS, "heating_setpoint", 5)
    assert freeze is not None
    assert "freeze protection" in freeze.say
    scald = check_setting(profile("water_heater_gas"), NO_LIMITS, "hot_water_setpoint", 71)
    assert scald is not None
    assert "scald" in scald.say


def test_CTL_03_people_cannot_loosen_a_safety_rule() -> None:
    loose = Limits(site={"heating_setpoint": Range(low=0, high=99)}, equipment={"heating_setpoint": Range(low=-5)})
    left = bounds(HEAT_PUMP, loose, "heating_setpoint")
    assert (left.low, left.high, left.low_whose) == (7, 30, "freeze_protection")


@given(ranges, ranges, st.floats(-60, 160))
def test_CTL_03_limits_that_meet_keep_to_both(one: Range, other: Range, value: float) -> None:
    def within(limit: Range) -> bool:
        return (limit.low is None or value >= limit.low) and (limit.high is None or value <= limit.high)

    both = tightened({"a": one, "b": one}, {"a": other, "c": other})
    assert within(both["a"]) == (within(one) and within(other))
    assert (both["b"], both["c"]) == (one, other)


def test_limits_that_leave_nothing_name_both_sides() -> None:
    limits = Limits(equipment={"heating_setpoint": Range(low=22)}, site={"heating_setpoint": Range(high=20)})
    answer = check_setting(HEAT_PUMP, limits, "heating_setpoint", 21)
    assert answer is not None
    assert answer.code == "no_value_allowed"
    assert "this machine" in answer.say
    assert "this home" in answer.say


def test_wrong_types_and_unknown_names_are_told_apart() -> None:
    for wrong in ("20", True, None):
        assert refused(check_setting(HEAT_PUMP, NO_LIMITS, "heating_setpoint", wrong)) == "setting_wrong_type"
    for boundless in (float("nan"), float("inf"), 10**400):
        assert refused(check_setting(HEAT_PUMP, NO_LIMITS, "heating_setpoint", boundless)) == "not_finite"
    assert refused(check_setting(HEAT_PUMP, NO_LIMITS, "teapot_setpoint", 20)) == "unknown_setting"
    assert refused(check_setting(HEAT_PUMP, NO_LIMITS, "system_mode", "boil")) == "unknown_choice"
    assert refused(check_command(HEAT_PUMP, NO_LIMITS, "explode", {})) == "unknown_command"
    assert refused(check_command(HEAT_PUMP, NO_LIMITS, "set_mode", {})) == "missing_argument"
    assert refused(check_command(HEAT_PUMP, NO_LIMITS, "set_mode", {"mode": "heating", "x": 1})) == "unknown_argument"
    args: dict[str, WireValue] = {"setting": "hot_water_setpoint", "value": 50.0}
    assert refused(check_command(HEAT_PUMP, NO_LIMITS, "set_setpoint", args)) == "unknown_choice"


def test_heating_and_cooling_keep_their_distance() -> None:
    current = {"heating_setpoint": 20.0, "cooling_setpoint": 24.0}
    assert check_setting(HEAT_PUMP, NO_LIMITS, "heating_setpoint", 22.5, current) is None
    assert refused(check_setting(HEAT_PUMP, NO_LIMITS, "heating_setpoint", 23.0, current)) == "deadband"
    assert refused(check_setting(HEAT_PUMP, NO_LIMITS, "cooling_setpoint", 21.0, current)) == "deadband"
    # judged on the value that would be sent: 22.7 rounds to 22.5
    assert check_setting(HEAT_PUMP, NO_LIMITS, "heating_setpoint", 22.7, current) is None


def test_CTL_03_short_cycle_lockout_says_how_long() -> None:
    answer = check_command(HEAT_PUMP, NO_LIMITS, "set_mode", {"mode": "heating"}, since_switch=100.0)
    assert isinstance(answer, Refusal)
    assert answer.values["seconds"] == 200
    assert isinstance(check_command(HEAT_PUMP, NO_LIMITS, "set_mode", {"mode": "heating"}, since_switch=301.0), Action)
    set_point: dict[str, WireValue] = {"setting": "heating_setpoint", "value": 21}
    assert isinstance(check_command(HEAT_PUMP, NO_LIMITS, "set_setpoint", set_point, since_switch=1.0), Action)


def test_values_are_sent_on_their_step_and_never_over_a_limit() -> None:
    setting = HEAT_PUMP.settings["heating_setpoint"]
    assert rounded(setting, 20.3) == 20.5
    limits = Limits(site={"heating_setpoint": Range(low=18.2, high=21.7)})
    left = bounds(HEAT_PUMP, limits, "heating_setpoint")
    assert rounded(setting, 21.7, left) == 21.5
    assert rounded(setting, 18.2, left) == 18.5


def test_read_back_within_tolerance() -> None:
    setting = HEAT_PUMP.settings["heating_setpoint"]
    assert holds(setting, 21.0, 21.2)
    assert not holds(setting, 21.0, 21.4)
    mode = HEAT_PUMP.settings["system_mode"]
    for reading in (1, 1.0, "heating"):
        assert holds(mode, "heating", reading)
    for other in (None, "21", float("nan"), 10**400, True):
        assert not holds(setting, 21.0, other)
    assert not holds(mode, "heating", 99)
