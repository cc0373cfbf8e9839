"""Lives of parts: the likelihood against a library's, the prior where nothing is known, and what faults do to a risk."""

from datetime import date
from uuid import UUID

import lifelines
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.life import PRIORS, LifeModel, Lives, Prior, covariates, learnt, left, lives_of, published, risk_of_year
from lineset.diagnostics.samples import Floats

PRIOR = PRIORS["heat_pump"]["compressor"]
USUAL = np.zeros((1, 3))


def drawn(count: int, seed: int = 1) -> Lives:
    """Lives by a Weibull of shape 3 and scale 14 years that hours shorten, watched for some years of each."""
    rng = np.random.default_rng(seed)
    used = rng.normal(0, 0.4, (count, 3))
    span = np.exp(np.log(14.0) - 0.6 * used[:, 0] - 0.1 * used[:, 1]) * rng.weibull(3.0, count)
    entry = rng.uniform(0, 10, count) * rng.integers(0, 2, count)
    last = entry + rng.uniform(1, 10, count)
    seen = span > entry
    return Lives(np.minimum(span, last)[seen], (span <= last)[seen].astype(float), entry[seen], used[seen])


def test_DIA_03_without_a_prior_the_model_is_the_librarys() -> None:
    lives = drawn(600)
    flat = LifeModel(published(PRIOR).mode, 1e6 * np.eye(5))
    mine = learnt(flat, lives)
    frame = pd.DataFrame(lives.covariates, columns=["hours", "starts", "ageing"])
    frame = frame.assign(age=lives.age, ended=lives.ended, entry=lives.entry)
    fitter = lifelines.WeibullAFTFitter()
    fitter.fit(frame, duration_col="age", event_col="ended", entry_col="entry")
    theirs = fitter.params_["lambda_"]
    assert mine.mode[0] == pytest.approx(theirs["Intercept"], abs=2e-3)
    assert mine.mode[1:4] == pytest.approx(theirs[["hours", "starts", "ageing"]].to_numpy(), abs=3e-3)
    assert -mine.mode[4] == pytest.approx(float(fitter.params_["rho_"]["Intercept"]), abs=3e-3)
    spread = fitter.standard_errors_["lambda_"]["Intercept"]
    assert np.sqrt(mine.covariance[0, 0]) == pytest.approx(spread, rel=0.05)


def test_DIA_03_published_lives_alone_give_their_median() -> None:
    limits, risk = left(published(PRIOR), np.zeros(1), USUAL, np.zeros(1))
    assert limits[0, 1] == pytest.approx(PRIOR.median_years, rel=0.05)
    assert limits[0, 0] < 8
    assert limits[0, 2] > 20
    assert 0 < risk[0] < 0.01


def test_the_fleets_lives_move_the_prior_as_they_come() -> None:
    before = published(PRIOR)
    few, many = learnt(before, drawn(10)), learnt(before, drawn(3000))
    assert many.mode[1] == pytest.approx(-0.6, abs=0.08)
    assert np.exp(-many.mode[4]) == pytest.approx(3.0, rel=0.1)
    assert many.covariance[0, 0] < few.covariance[0, 0] < before.covariance[0, 0]
    assert few.lives < 11 < many.ends


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 40), st.floats(0, 1), st.lists(st.floats(0.05, 20), min_size=3, max_size=3))
def test_DIA_03_a_fault_never_makes_a_machine_safer(age: float, severity: float, use: list[float]) -> None:
    used = covariates(*(np.array([factor]) for factor in (1500 * use[0], 2 * use[1], use[2])))
    model = published(PRIOR)
    sound, sound_risk = left(model, np.array([age]), used, np.zeros(1))
    faulty, faulty_risk = left(model, np.array([age]), used, np.array([severity]))
    assert faulty_risk[0] >= sound_risk[0] - 1e-12
    assert (faulty <= sound + 1e-9).all()
    assert (np.diff(faulty[0]) >= 0).all()
    assert 0 <= faulty_risk[0] <= 1


def test_hard_use_shortens_and_old_age_leaves_less() -> None:
    model = published(PRIOR)
    ages = np.array([2.0, 2.0, 14.0])
    used = covariates(np.array([1500.0, 4500.0, 1500.0]), np.full(3, 2.0), np.array([1.0, 4.0, np.nan]))
    limits, risk = left(model, ages, used, np.zeros(3))
    assert limits[1, 1] < limits[0, 1]
    assert limits[2, 1] < limits[0, 1]
    assert risk[0] < risk[1]
    assert risk[0] < risk[2]


def test_lives_as_others_read_them() -> None:
    def machine(number: int, kind: str, installed: date | None) -> Machine:
        return Machine(id=str(UUID(int=number)), type=kind, installed=installed)

    machines = [
        machine(1, "heat_pump_air_air", date(2014, 1, 1)),
        machine(2, "furnace_gas", None),
        machine(3, "water_heater_gas", date(2020, 7, 1)),
    ]
    found = {life.equipment.int: life for life in lives_of(machines, 2026.0, np.zeros((3, 3)), np.zeros(3))}
    assert set(found) == {1, 3}
    assert found[1].part == "compressor"
    assert found[3].part == "tank"
    assert found[1].figures["age_years"] == pytest.approx(12, abs=0.01)
    assert found[1].model == "published lives"
    taught = {("heat_pump_air_air", "", "", "compressor"): learnt(published(PRIOR), drawn(3000))}
    (told,) = lives_of(machines[:1], 2026.0, np.zeros((1, 3)), np.zeros(1), taught)
    assert told.model.startswith("fleet of ")
    assert (found[1].taught_by, told.taught_by) == (0, len(drawn(3000).age))
    assert told.left_years[2] < found[1].left_years[2]


def test_the_closest_kind_that_taught_is_taken_for_each_machine() -> None:
    def machine(number: int, make: str, model: str) -> Machine:
        return Machine(id=str(UUID(int=number)), type="furnace_gas", make=make, model=model, installed=date(2014, 1, 1))

    def fleet(median: float, lives: int) -> LifeModel:
        alone = published(Prior(median, 3.0, 0.05, ""))
        return LifeModel(alone.mode, alone.covariance, lives)

    kinds = {("", ""): fleet(20, 300), ("Norvik", ""): fleet(16, 200), ("Norvik", "A1"): fleet(14, 100)}
    models = {("furnace_gas", *kind, "heat_exchanger"): model for kind, model in kinds.items()}
    machines = [machine(1, "Norvik ", "A1"), machine(2, "Norvik", "B"), machine(3, "Sola", "A1")]
    told = {life.equipment.int: life for life in lives_of(machines, 2026.0, np.zeros((3, 3)), np.zeros(3), models)}
    assert [told[n].taught_by for n in (1, 2, 3)] == [100, 200, 300]
    assert told[1].left_years[1] < told[2].left_years[1] < told[3].left_years[1]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6))
def test_a_life_that_counts_twice_counts_as_two(times: int) -> None:
    lives = drawn(20)
    weighted = Lives(lives.age, lives.ended, lives.entry, lives.covariates, np.full(len(lives.age), float(times)))
    repeated = Lives(*(np.repeat(each, times, axis=0) for each in (lives.age, lives.ended, lives.entry, lives.covariates)))
    assert learnt(published(PRIOR), weighted).mode == pytest.approx(learnt(published(PRIOR), repeated).mode, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 30))
def test_the_risk_of_a_year_is_what_is_left_tells(age: float) -> None:
    sure = LifeModel(published(PRIOR).mode, 1e-12 * np.eye(5))
    _, risk = left(sure, np.array([age]), USUAL, np.zeros(1))
    assert risk_of_year(sure.mode, np.array([age]), USUAL) == pytest.approx(risk, abs=1e-4)


def test_lives_that_can_not_be_are_refused() -> None:
    one: Floats = np.ones(1)
    with pytest.raises(ValueError, match="above the age"):
        learnt(published(PRIOR), Lives(one, one, one, USUAL))
