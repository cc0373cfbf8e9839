"""Backup heat that is on though the weather does not ask for it."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import HEAT_PUMPS, Persistence, recent, rule_verdict

_RULE = {
    "mild_s": 3600.0,
    "mild_share": 0.25,
    "cool_s": 14_400.0,
    "cool_share": 0.75,
    "alone_s": 7200.0,
    "alone_share": 0.6,
    "light_s": 2700.0,
    "light_share": 0.75,
    "light_duty": 0.25,
}
_DAYS = Persistence(least=2, of=3)
_HEAT_PER_POWER = 3.0
"""What a heat pump gives for each unit of electricity in such weather."""


def locked_in(cases: Cases) -> Verdicts:
    """Bad is a day with an hour of backup heat over 4.4 degC that is a quarter of the heating in such weather, or four hours from -5 to
    4.4 degC that are three quarters of it, or two hours with the compressor standing still over -15 degC that are most of its time, or
    three quarters of an hour over -15 degC that are three quarters of the heating though that is needed for less than a quarter of the
    day: a machine that has that much room to work longer needs no backup heat.
    Severity: the share of heating with backup heat on. Loss: its energy, of which a heat pump with a COP of 3 needs a third."""
    mild, cool, alone = (np.nan_to_num(cases.daily(f"backup.{kind}.s")) for kind in ("mild", "cool", "alone"))
    mild_heat, cool_heat = cases.daily("backup.mild.heat.s"), cases.daily("backup.cool.heat.s")
    heat = np.nan_to_num(mild_heat) + np.nan_to_num(cool_heat)
    bad = (mild >= _RULE["mild_s"]) & (mild >= _RULE["mild_share"] * np.nan_to_num(mild_heat))
    bad |= (cool >= _RULE["cool_s"]) & (cool >= _RULE["cool_share"] * np.nan_to_num(cool_heat))
    bad |= (alone >= _RULE["alone_s"]) & (alone >= _RULE["alone_share"] * np.nan_to_num(cases.daily("backup.able.s")))
    cold, cold_heat = (np.nan_to_num(cases.daily(f"backup.cold.{kind}")) for kind in ("s", "heat.s"))
    every, any_heat = mild + cool + cold, heat + cold_heat
    light = any_heat <= _RULE["light_duty"] * np.nan_to_num(cases.daily("s.covered"))
    bad |= light & (every >= _RULE["light_s"]) & (every >= _RULE["light_share"] * any_heat)
    known = ~np.isnan(mild_heat) & (any_heat >= _RULE["light_s"])
    share = ratio(every, any_heat)
    electric = ratio(cases.total("kwh.auxiliary", 3), cases.total("kwh.electric", 3))
    by_energy = np.where(np.isnan(electric), recent(share, bad) * 0.6, electric)
    return rule_verdict(
        "auxiliary_heat_locked_in",
        bad & known,
        known,
        _DAYS,
        off=np.nan_to_num(cases.total("s.covered")) > heat.sum(axis=1) * 50.0,
        margin=recent(share, bad) / _RULE["mild_share"],
        severity=recent(share, bad),
        loss=np.clip(by_energy * (1.0 - 1.0 / _HEAT_PER_POWER), 0.02, 0.66),
        evidence={
            "backup_share_1": recent(share, known),
            "backup_h": cases.total("backup.on.s", 3) / 3600.0,
            "backup_mild_h": cases.total("backup.mild.s", 3) / 3600.0,
            "backup_alone_h": cases.total("backup.alone.s", 3) / 3600.0,
        },
    )


BACKUP = Detector(
    "auxiliary_heat_locked_in",
    ("auxiliary_heat_locked_in",),
    HEAT_PUMPS,
    (
        ("outdoor_temperature", "auxiliary_heat_state"),
        ("outdoor_temperature", "auxiliary_heat_power"),
        ("outdoor_temperature", "operating_mode"),
    ),
    {**_RULE, **_DAYS.parameters},
    "ENERGY STAR Program Requirements for Connected Thermostats 1.0 and ACCA Manual S: backup heat is needed under the balance point, "
    "usually -5 to 4 degC; lockout over 35 to 40 degF",
    ("auxiliary_heat_state", "auxiliary_heat_power", "outdoor_temperature", "compressor_state", "room_temperature"),
    locked_in,
)
