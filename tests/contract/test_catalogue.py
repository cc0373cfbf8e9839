"""Points, profiles, faults and refusals as data: whole, consistent, in both languages."""

import string

import pytest
from lineset_contract.control import NO_LIMITS, Action, bounds, check_command, check_setting, rounded
from lineset_contract.faults import FAULTS
from lineset_contract.points import POINTS
from lineset_contract.profiles import PROFILES, CommandSpec, Profile, Setting, UnknownProfile, profile, read
from lineset_contract.refusals import LANGUAGES, SENTENCES, WORDS, refuse
from lineset_contract.units import UNITS
from lineset_contract.values import good_name

TYPES = {
    "heat_pump_air_air", "heat_pump_air_water", "air_conditioner", "furnace_gas", "boiler_gas", "water_heater_heat_pump",
    "water_heater_electric", "water_heater_gas", "air_handler", "rooftop_unit", "thermostat", "chiller",
    "circulation_pump",
}  # fmt: skip


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_point_has_a_name_a_unit_a_range_and_labels() -> None:
    assert len(POINTS) >= 120
    for name, point in POINTS.items():
        assert good_name(name), name
        assert point.unit in UNITS, f"{name}: units.py does not know {point.unit}"
        assert point.low < point.high, name
        assert point.about, name
        assert set(point.label) == set(LANGUAGES), name
        assert all(point.label.values()), name
        assert bool(point.codes) == (point.kind == "code"), name
        assert len(set(point.codes.values())) == len(point.codes), f"{name}: two words share a code"
        assert all(good_name(word) for word in point.codes), name
        if point.kind == "counter":
            assert point.low == 0, name


def test_labels_of_points_differ_within_a_language() -> None:
    for language in LANGUAGES:
        labels = [point.label[language] for point in POINTS.values()]
        assert len(set(labels)) == len(labels)


def test_EQP_01_every_profile_loads_and_is_consistent() -> None:
    assert set(PROFILES) == TYPES
    for kind, found in PROFILES.items():
        assert found.type == kind
        for texts in (found.label, found.about):
            assert set(texts) == set(LANGUAGES), kind
            assert all(texts.values()), kind
        assert found.fuels, kind
        assert 4 <= len(found.headlines) <= 12, kind
        assert any(use.required for use in found.points.values()), kind
        assert set(found.points) <= set(POINTS)
        for setting in found.settings.values():
            check_setting_of(found, setting)
        for command in found.commands.values():
            check_command_of(found, command)
        assert {"set_setpoint", "set_mode", "restart"} <= set(found.commands), kind
        for derived, alternatives in found.derived.items():
            assert derived in found.points, f"{kind}: {derived} is derived but no point of the type"
            for needed in alternatives:
                assert set(needed) <= set(found.points), f"{kind}: {derived} needs {needed}"
                assert derived not in needed


def check_setting_of(found: Profile, setting: Setting) -> None:
    where = f"{found.type}.{setting.name}"
    point = POINTS[setting.point]
    assert setting.point in found.points, f"{where} is read back at a point that the type does not have"
    assert set(setting.label) == set(LANGUAGES), where
    for reason in (setting.low_reason, setting.high_reason):
        assert not reason or reason in WORDS, where
    if setting.choices:
        assert set(setting.choices) <= set(point.codes), where
        assert setting.default in setting.choices, where
        return
    assert point.kind == "real", where
    assert point.low <= setting.low < setting.high <= point.high, where
    assert setting.step > 0, where
    assert 0 < setting.tolerance <= 2 * setting.step + 0.5, where
    assert isinstance(setting.default, (int, float)), where
    assert check_setting(found, NO_LIMITS, setting.name, setting.default) is None, where
    assert rounded(setting, setting.default) == setting.default, f"{where}: the default is off its step"


def check_command_of(found: Profile, command: CommandSpec) -> None:
    where = f"{found.type}.{command.name}"
    assert set(command.label) == set(LANGUAGES), where
    assert command.read_back.within > 0, where
    named = [arg for arg in command.args.values() if arg.kind == "setting"]
    assert bool(command.action) + bool(command.setting) + bool(named) == 1, f"{where} must write exactly one thing"
    targets = [command.setting] if command.setting else [name for arg in named for name in arg.choices]
    assert set(targets) <= set(found.settings), where
    if command.action:
        assert command.read_back.rule == "restarted", where
        assert command.read_back.point in found.points, where
    for target in targets:
        args: dict[str, float | int | str | bool | None] = {}
        for name, arg in command.args.items():
            assert set(arg.label) == set(LANGUAGES), where
            args[name] = target if arg.kind == "setting" else found.settings[target].default
        action = check_command(found, NO_LIMITS, command.name, args)
        assert isinstance(action, Action), f"{where}: {action}"
        assert action.write == target


def test_CTL_03_safety_rules_stand_in_the_profiles() -> None:
    for found in PROFILES.values():
        if "heating_setpoint" in found.settings:
            left = bounds(found, NO_LIMITS, "heating_setpoint")
            assert (left.low, left.low_whose) == (7, "freeze_protection")
        if "hot_water_setpoint" in found.settings:
            left = bounds(found, NO_LIMITS, "hot_water_setpoint")
            assert left.high <= 60
            assert left.high_whose == "scald"
            assert left.low >= 45
            assert left.low_whose == "hygiene"
        if "compressor_state" in found.points:
            assert found.limits.short_cycle_lockout >= 180
        if {"heating_setpoint", "cooling_setpoint"} <= set(found.settings):
            assert found.limits.deadband >= 1


def test_an_unknown_type_says_which_there_are() -> None:
    with pytest.raises(UnknownProfile, match="heat_pump_air_air"):
        profile("teapot")


def test_a_new_type_needs_only_yaml() -> None:
    made = read(
        "pool_heat_pump",
        b"""
label: {en: Pool heat pump, es: Bomba de calor de piscina}
about: {en: Heats a pool, es: Calienta una piscina}
family: heat_pump
fuels: [electricity]
points:
  outlet_water_temperature: {required: true, headline: true}
  supply_water_setpoint:
settings:
  supply_water_setpoint: {low: 15, high: 32, step: 0.5, default: 27, tolerance: 0.3}
commands:
  set_setpoint:
    label: {en: Change, es: Cambiar}
    setting: supply_water_setpoint
    args:
      value: {kind: value, label: {en: Value, es: Valor}}
""",
    )
    action = check_command(made, NO_LIMITS, "set_setpoint", {"value": 26.1})
    assert isinstance(action, Action)
    assert (action.write, action.value) == ("supply_water_setpoint", 26.0)


def test_every_refusal_speaks_both_languages_with_the_same_values() -> None:
    for code, texts in SENTENCES.items():
        assert set(texts) == set(LANGUAGES), code
        assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1, code
    for words in WORDS.values():
        assert set(words) == set(LANGUAGES)


def test_a_refusal_names_points_units_and_types_in_the_readers_language() -> None:
    refusal = refuse("above_limit", setting="heating_setpoint", value=31.0, unit="degC", limit=30.0, whose="profile")
    assert refusal.say == "heating_setpoint 31 degC is above 30 degC, the limit of this type of machine."
    assert refusal.sentence("es") == ("Consigna de calefacción 31 °C está por encima de 30 °C, el límite de este tipo de máquina.")
    assert refusal.sentence("fr") == refusal.sentence("en")
    unknown = refuse("unknown_setting", machine="chiller", setting="x", known="none")
    assert "Enfriadora" in unknown.sentence("es")


def test_what_a_device_sent_is_quoted_back_short_and_printable() -> None:
    refusal = refuse("bad_name", name="evil\x1b[31m\n" + "x" * 5000)
    assert refusal.say.isprintable()
    assert len(refusal.say) < 500


def test_faults_have_names_and_labels() -> None:
    assert len(FAULTS) >= 30
    for name, fault in FAULTS.items():
        assert good_name(name)
        assert set(fault.label) == set(LANGUAGES)
        assert all(fault.label.values())
