"""Recovery: estimators find what was planted; intervals cover as often as they say."""

from __future__ import annotations

import copy
import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, Unavailable
from helpers.paths import data_folder
from helpers.survey.load import load_study, open_folder
from helpers.survey.simulate import (
    estimators,
    recovery_of_formulas,
    recovery_of_paths,
    recovery_table,
    simulate_study,
)
from helpers.survey.simulate.calibrate import CALIBRATION_SEED, calibrated
from helpers.survey.simulate.population import read_population

NEEDED = 0.90
"""Share of 95 % intervals that must cover on the bundled file."""

LONG_RUN = (0.93, 0.97)
"""Band for the share over many seeds; with 20 seeds of 61 intervals its standard error is near
0.007, larger than for independent intervals because those of one sample go together."""

SAME = 1e-6
"""Two programs that solve the same equations to convergence differ by less."""

SEEDS = range(101, 121)
REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def table(study):
    return recovery_table(study)


def test_nine_of_ten_intervals_cover(table):
    assert table["covered"].mean() >= NEEDED
    assert (table["ci_low"] < table["ci_high"]).all()
    assert table["estimate"].between(table["ci_low"], table["ci_high"]).all()


def test_every_table_of_the_source_is_there(table):
    assert set(table["where"]) == {f"T{k}" for k in range(1, 8)}
    assert not table[["where", "quantity"]].duplicated().any()
    source = {"coupon: recovery satisfaction (1-5)": 4.5, "apology only: hours to a solution": 48}
    for quantity, truth in source.items():
        assert table.set_index("quantity").loc[quantity, "truth"] == truth


def test_coverage_is_judged_by_the_interval(study):
    wrong = copy.deepcopy(study.truth)
    wrong["tables"]["T1"]["satisfaction"][1] = 2.0
    changed = open_folder(study.folder.folder)
    changed.__dict__["truth"] = wrong
    row = recovery_table(changed).set_index("quantity").loc["coupon: recovery satisfaction (1-5)"]
    assert row["truth"] == 2.0 and not row["covered"]


def test_formulas_are_recovered(study):
    table = recovery_of_formulas(study)
    assert len(table) == 21 and table["covered"].mean() >= NEEDED
    assert table.loc[table["where"] == "F3", "truth"].tolist() == [0.8, 0.6]
    assert set(table["where"]) == {"F1", "F2", "F3", "F4", "F5", "F6", "F7", "H8"}


def test_targets_of_scores_are_those_of_the_large_sample(study):
    stored = study.truth["targets"]["scores"]["regressions"]
    with (REFERENCE / "score_targets.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert sum(len(r["terms"]) for r in stored.values()) == len(rows)
    for row in rows:
        value = stored[row["regression"]]["terms"][row["term"]]
        assert value == pytest.approx(float(row["value"]), abs=1e-4)
        assert float(row["monte_carlo_se"]) < 0.001


def test_regressions_agree_with_statsmodels(study):
    import statsmodels.api as sm

    data, table = study.responses, recovery_of_formulas(study)
    score = {c: data[[f"{c}{k}" for k in (1, 2, 3)]].mean(axis=1, skipna=False)
             for c in ("EQ", "IQ", "AQ")}  # fmt: skip
    x = sm.add_constant(
        pd.DataFrame({"d": score["IQ"] - score["AQ"], "e": score["EQ"] - score["AQ"]})
    )
    complete = x.notna().all(axis=1) & data["NFAIL"].notna()
    poisson = sm.GLM(data["NFAIL"][complete] - 1, x[complete], family=sm.families.Poisson()).fit()
    mine = table[table["where"] == "F1"]
    np.testing.assert_allclose(mine["estimate"], poisson.params[1:], atol=SAME)
    np.testing.assert_allclose(mine["ci_low"], poisson.conf_int()[0][1:], atol=SAME)
    linear = sm.OLS(data["PSAT"], sm.add_constant(data[["EXM5", "SPD5"]]), missing="drop").fit()
    mine = table[table["where"] == "F3"]
    np.testing.assert_allclose(mine["estimate"], linear.params[1:], atol=SAME)
    np.testing.assert_allclose(mine["ci_high"], linear.conf_int()[1][1:], atol=SAME)


def test_a_real_study_has_no_recovery_table(study):
    class Real:
        truth = Unavailable("the planted truth", "these data were observed")

    assert isinstance(recovery_table(Real()), Unavailable)
    assert isinstance(recovery_of_formulas(Real()), Unavailable)


def path_estimates(study):
    """Estimates of lavaan on a very large sample, as a table of a fit, with intervals around."""
    with (REFERENCE / "structural_targets.csv").open(encoding="utf-8") as handle:
        rows = pd.DataFrame(csv.DictReader(handle))
    rows["est"] = rows["est"].astype(float)
    return rows.assign(ci_low=rows["est"] - 0.01, ci_high=rows["est"] + 0.01, std_all=rows["std"])


def test_targets_of_paths_are_lavaans(study):
    table = recovery_of_paths(path_estimates(study), study.truth)
    assert table["covered"].all() and len(table) == 26
    assert (table["estimate"] - table["truth"]).abs().max() < 1e-4
    assert set(table["where"]) == {"H1", "H2", "H3", "H4", "H5"}


def test_planted_paths_of_the_targets_are_those_of_the_structure(study):
    paths = study.truth["structure"]["paths"]
    targets = study.truth["targets"]["structural"]["paths"]
    for name, target in targets.items():
        if "~" in name:
            outcome, cause = name.split(" ~ ")
            assert target["planted_std"] == paths[outcome][cause]
    rec = paths["RSAT"]["REC"] + sum(paths[m]["REC"] * paths["RSAT"][m] for m in ("NEG", "BID"))
    assert targets["tot_sat"]["planted_std"] == pytest.approx(rec, abs=5e-5)
    trust = (paths["TRU"]["REC"] + rec * paths["TRU"]["RSAT"]) * paths["LOY"]["TRU"]
    assert targets["ind_tru"]["planted_std"] == pytest.approx(trust, abs=5e-5)


def test_steps_and_method_factor_move_standardised_paths_little(study):
    targets = study.truth["targets"]["structural"]["paths"].values()
    assert max(abs(t["value_std"] - t["planted_std"]) for t in targets) < 0.03


def test_paths_that_were_not_estimated_are_named(study):
    some = path_estimates(study).iloc[1:]
    with pytest.raises(DataContractError, match="no row NEG ~ REC"):
        recovery_of_paths(some, study.truth)


def test_estimators_by_hand():
    values = pd.Series([1.0, 2.0, 3.0, np.nan])
    found = estimators.mean(values)
    # t(2) at .975 is 4.302653, the standard error 1 / sqrt(3)
    assert found.value == 2 and found.n == 3
    assert found.high == pytest.approx(2 + 4.302653 / np.sqrt(3), abs=1e-6)
    # Wilson, 5 of 10: .2366 to .7634 (Newcombe 1998, doi:10.1002/(SICI)1097-0258)
    half = estimators.share(pd.Series([True] * 5 + [False] * 5))
    assert (half.low, half.high) == (
        pytest.approx(0.2366, abs=5e-5),
        pytest.approx(0.7634, abs=5e-5),
    )
    # 10 of 20 against 5 of 20: ratio 2, log standard error sqrt(.05 + .15)
    ratio = estimators.risk_ratio(pd.Series([1] * 10 + [0] * 10), pd.Series([1] * 5 + [0] * 15))
    assert ratio.value == 2
    assert ratio.low == pytest.approx(2 * np.exp(-1.959964 * np.sqrt(0.2)), abs=1e-6)
    # a ratio that is the same for everybody is known exactly
    exact = estimators.paired_ratio(pd.Series([2.0, 4.0, 6.0]), pd.Series([1.0, 2.0, 3.0]))
    assert (exact.value, exact.low, exact.high) == (2, 2, 2)
    assert estimators.lift(pd.Series([3.0, 3.0]), pd.Series([2.0, 2.0])).value == 0.5


def test_estimators_refuse_what_cannot_be_estimated():
    with pytest.raises(DataContractError, match="has 1 answers"):
        estimators.mean(pd.Series([1.0, np.nan], name="RS5"))
    with pytest.raises(DataContractError, match="no case"):
        estimators.risk_ratio(pd.Series([0, 0, 0]), pd.Series([1, 0, 1]))


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say(tmp_path):
    covered = []
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        simulate_study(folder, seed=seed)
        covered.append(recovery_table(open_folder(folder))["covered"].mean())
    assert LONG_RUN[0] <= np.mean(covered) <= LONG_RUN[1]


@pytest.mark.slow
def test_computed_numbers_are_found_again():
    stored = read_population(data_folder() / "online_shopping" / "population.yml")
    again = calibrated(stored, n=100_000, seed=CALIBRATION_SEED + 1)
    # another, smaller population: standard errors of the offsets are near .01
    for item, groupings in stored["ratings"]["offsets"].items():
        for name, offsets in groupings.items():
            for code, value in offsets.items():
                found = again["ratings"]["offsets"][item][name][code]
                assert found == pytest.approx(value, abs=0.06), (item, name, code)
    for name, (mean, sd) in stored["recovery"]["scale"].items():
        assert again["recovery"]["scale"][name] == pytest.approx([mean, sd], abs=0.02), name
