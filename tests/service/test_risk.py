"""Reference and contract: the risk of leaving against R, hand calculations and planted risks."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.plots.risk import plot_calibration
from helpers.service import risk_data, risk_segments, risk_study
from helpers.service.risk_fairness import fairness
from helpers.service.risk_model import (
    choose_penalty,
    chosen_again,
    fit_penalised,
    out_of_sample,
    penalty_path,
)
from helpers.service.risk_optimism import plain_optimism
from helpers.service.risk_scores import (
    calibration_curve,
    call_threshold,
    net_benefit,
    performance,
)
from helpers.survey.load import load_study
from helpers.tables import service_risk, service_risk_checks

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "risk.json").read_text(encoding="utf-8")
)
CLOSE = 1e-6
"""Both programs iterate to 1e-8 or better."""
LIBLINEAR = 1e-3
"""liblinear penalises its constant a little; coefficients are of the order of 0.1 to 1."""
DRAWN = {"auc": 0.006, "brier": 0.003, "intercept": 0.02, "slope": 0.022}
"""Four standard errors of a mean of 2,000 draws here and 4,000 in R."""
Z = 1.959963984540054


@pytest.fixture(scope="module")
def rows():
    return pd.DataFrame(REFERENCE["rows"])


@pytest.fixture(scope="module")
def x(rows):
    return rows[list("abcde")].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def y(rows):
    return rows["y"].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def risk(rows):
    return rows["risk"].to_numpy()


@pytest.fixture(scope="module")
def data():
    return risk_data.read_risk(load_study("online_shopping"))


@pytest.mark.parametrize("wanted", REFERENCE["lasso"], ids=lambda w: str(w["penalty"]))
def test_lasso_is_that_of_glmnet(x, y, wanted):
    fit = fit_penalised(x, y, penalty=wanted["penalty"])
    assert fit.coefficients / fit.sd == pytest.approx(wanted["slopes"], abs=LIBLINEAR)
    constant = fit.intercept - fit.mean / fit.sd @ fit.coefficients
    assert constant == pytest.approx(wanted["intercept"], abs=20 * LIBLINEAR)  # b has mean 20
    assert fit.predict(x).mean() == pytest.approx(y.mean(), abs=1e-9)


def test_largest_penalty_leaves_everything_out(x, y):
    path = penalty_path(x, y)
    assert path[0] == pytest.approx(REFERENCE["largest"], abs=CLOSE)
    assert not fit_penalised(x, y, penalty=path[0] * 1.01).coefficients.any()


def test_performance_is_that_of_proc_and_glm(y, risk):
    found = performance(y, risk)
    area = REFERENCE["auc"]
    assert found.auc == pytest.approx(area["value"], abs=CLOSE)
    half = (logit(found.auc_high) - logit(found.auc_low)) / 2
    assert half == pytest.approx(Z * area["se"] / (area["value"] * (1 - area["value"])), abs=CLOSE)
    assert found.brier == pytest.approx(REFERENCE["brier"], abs=CLOSE)
    for name, wanted in (("intercept", REFERENCE["large"]), ("slope", REFERENCE["slope"])):
        low, high = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
        assert getattr(found, name) == pytest.approx(wanted["value"], abs=CLOSE)
        assert (high - low) / 2 == pytest.approx(Z * wanted["se"], abs=1e-5)


def test_calibration_curve_is_the_spline_of_rms(y, risk):
    curve, groups = calibration_curve(y, risk)
    at, wanted = [0, 19, 39, 59], REFERENCE["curve"]
    assert logit(curve["observed"].to_numpy()[at]) == pytest.approx(wanted["line"], abs=1e-5)
    band = curve[["ci_low", "ci_high"]].to_numpy()[at]
    half = (logit(band[:, 1]) - logit(band[:, 0])) / 2
    assert half == pytest.approx(Z * np.array(wanted["se"]), abs=1e-5)
    assert groups["n_used"].sum() == len(y)
    assert np.average(groups["observed"], weights=groups["n_used"]) == pytest.approx(y.mean())


def test_optimism_is_that_of_rms_validate(x, y):
    found = plain_optimism(x, y, draws=2000, seed=2).table.set_index("measure")
    for name, wanted in REFERENCE["validate"].items():
        measure, scale = ("auc", 2.0) if name == "dxy" else (name, 1.0)
        row = found.loc[measure, ["apparent", "optimism", "corrected"]].to_numpy(dtype=float)
        expected = np.array([wanted[0], wanted[3], wanted[4]]) / scale
        if name == "dxy":
            expected[[0, 2]] += 0.5  # Dxy = 2 (AUC - 0.5)
        assert row == pytest.approx(expected, abs=DRAWN[measure])


def test_net_benefit_by_hand():
    """Twenty of 100 leave; at 0.2 the risks reach 15 of them and 25 who stay."""
    y = np.r_[np.ones(20), np.zeros(80)]
    p = np.r_[np.full(15, 0.6), np.full(5, 0.1), np.full(25, 0.4), np.full(55, 0.05)]
    found = net_benefit(y, p, [0.2, 0.5], draws=50)
    assert found["model"].to_numpy() == pytest.approx([0.15 - 0.25 / 4, 0.15])
    assert found["everybody"].to_numpy() == pytest.approx([0.2 - 0.8 / 4, 0.2 - 0.8])


def test_net_benefit_of_the_reference_rows(y, risk):
    wanted = REFERENCE["net_benefit"]
    found = net_benefit(y, risk, wanted["thresholds"], draws=50)
    assert found["model"].to_numpy() == pytest.approx(wanted["values"], abs=CLOSE)


def test_money_and_net_benefit_agree(y, risk):
    """Gain of a call = worth * kept * (1 - t) * net benefit, at the threshold of the costs."""
    t = call_threshold(cost=8, worth=100, kept=0.2)
    assert t == pytest.approx(0.4)
    gain = np.where(risk >= t, 20 * y - 8, 0).mean()
    benefit = net_benefit(y, risk, [t], draws=20)["model"].iloc[0]
    assert gain == pytest.approx(20 * (1 - t) * benefit, abs=1e-12)


def test_fairness_by_hand():
    y = np.tile(np.r_[np.ones(40), np.zeros(40)], 2)
    p = np.r_[np.full(30, 0.6), np.full(10, 0.2), np.full(10, 0.6), np.full(30, 0.2)]
    p = np.r_[p, np.r_[np.full(20, 0.6), np.full(20, 0.2), np.full(8, 0.6), np.full(32, 0.2)]]
    group = pd.Series(np.repeat([1.0, 2.0], 80))
    found = fairness(y, p, group, threshold=0.5)
    assert found.table["reached"].to_numpy() == pytest.approx([0.75, 0.5])
    assert found.table["in_vain"].to_numpy() == pytest.approx([0.25, 0.2])
    assert found.gap == pytest.approx(0.25)
    assert found.gap_low < 0.25 < found.gap_high
    # Group 1: half left, mean risk 0.4.
    assert found.table["excess"].iloc[0] == pytest.approx(0.1)
    spread = found.table["excess_high"].iloc[0] - 0.1
    assert spread == pytest.approx(Z * np.std((y - p)[:80], ddof=1) / np.sqrt(80))
    small = pd.concat([group.iloc[:-10], pd.Series([3.0] * 10)], ignore_index=True)
    assert fairness(y, p, small, threshold=0.5).too_small == (3.0,)


def test_a_group_with_few_errors_of_a_kind_is_hidden():
    y = np.tile(np.r_[np.ones(40), np.zeros(40)], 3)
    p = np.tile(np.r_[np.full(20, 0.6), np.full(20, 0.2), np.full(10, 0.6), np.full(30, 0.2)], 3)
    p[160 + np.arange(17)] = 0.1  # three leavers of the third group are called
    found = fairness(y, p, pd.Series(np.repeat([1.0, 2.0, 3.0], 80)), threshold=0.5)
    assert found.too_small == (3.0,) and found.gap == 0


@pytest.mark.slow
def test_slope_of_right_risks_is_one():
    """Planted: outcomes drawn from the risks themselves; intervals hold 0 and 1 in 95 of 100."""
    rng = np.random.default_rng(4)
    held = np.zeros(2)
    for _ in range(200):
        p = expit(rng.normal(-0.7, 0.8, 400))
        found = performance((rng.random(400) < p).astype(float), p)
        held += found.intercept_low <= 0 <= found.intercept_high
        held[1] += (found.slope_low <= 1 <= found.slope_high) - (
            found.intercept_low <= 0 <= found.intercept_high
        )
    assert np.all(np.abs(held / 200 - 0.95) < 0.062), held  # four standard errors


def test_nested_predictions_are_honest():
    """Pure noise: the fit on all rows ranks, but rows it has not seen are ranked by chance."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(150, 30)), (rng.random(150) < 0.4).astype(float)
    unseen = performance(y, out_of_sample(x, y, repeats=2).risk)
    assert performance(y, fit_penalised(x, y, penalty=0.01).predict(x)).auc > 0.7
    assert unseen.auc_low < 0.5


def test_planted_risks_are_recovered():
    """Two of eight columns carry the risk; unseen predictions follow the planted ones."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(1500, 8))
    planted = expit(-0.8 + 0.9 * x[:, 0] - 0.6 * x[:, 1])
    y = (rng.random(1500) < planted).astype(float)
    risk = out_of_sample(x, y, repeats=1).risk
    found, best = performance(y, risk), performance(y, planted)
    assert np.corrcoef(logit(risk), logit(planted))[0, 1] > 0.97
    assert found.auc_low < best.auc < found.auc_high
    assert found.slope_low < 1 < found.slope_high


def test_held_out_rows_do_not_touch_the_fit(x, y):
    """A changed outcome of a row leaves the row's own prediction as it is, with equal folds."""
    blank = x.copy()
    blank[::7, 1] = np.nan
    fit = fit_penalised(blank[20:], y[20:], penalty=0.02)
    assert fit.fill[1] == np.nanmedian(blank[20:, 1])
    changed = blank.copy()
    changed[:20] *= 50
    again = fit_penalised(changed[20:], y[20:], penalty=0.02)
    assert np.array_equal(fit.predict(blank[:20]), again.predict(blank[:20]))


def test_one_se_takes_the_larger_penalty(x, y):
    best, wide = (choose_penalty(x, y, rule=rule) for rule in ("best", "one_se"))
    table = best.table
    at = table["deviance"].idxmin()
    within = table["deviance"] <= table["deviance"][at] + table["se"][at]
    assert wide.penalty == table.loc[within, "penalty"].max() > best.penalty


def test_what_matters_is_chosen_again(x, y):
    chosen = chosen_again(x, y, penalty=0.03, draws=60)
    assert chosen[0] > 0.95 and chosen[0] > chosen[4]


class TestStudy:
    def test_planted_signs(self, data):
        """population.yml: without a recovery loyalty falls, and with attentive customers less."""
        fit = fit_penalised(data.matrix, data.outcome, penalty=0.01)
        found = dict(zip(data.columns.columns, fit.coefficients, strict=True))
        assert found["HOURS=blank"] > 0 > found["CTYPE=3"]

    def test_nobody_can_be_found(self, data):
        assert "respondent_id" not in {*data.columns, *data.fairness, *data.segments}
        assert list(data.columns.index) == list(range(len(data.outcome)))

    def test_no_respondent_stands_in_a_table(self, data):
        """Neither printed nor in the numbers that travel along, and no row of a single person."""
        study = load_study("online_shopping")
        honest = out_of_sample(data.matrix, data.outcome, repeats=1)
        model = SimpleNamespace(honest=honest)
        segments = risk_segments.risk_segments(data, model, cost=8, worth=150, kept=0.15)
        errors = risk_study.risk_fairness(data, model, threshold=0.36)
        shown = [
            service_risk.segments_table(study, data, segments),
            service_risk.fairness_table(study, errors),
        ]
        text = " ".join(table.html() + table.csv() + str(table.to_dict()) for table in shown)
        assert not [id for id in study.responses["respondent_id"] if str(id) in text]
        assert segments["n_used"].min() >= 30
        hidden = segments.assign(gain=np.nan)
        assert isinstance(service_risk.segments_picture(study, data, hidden), Unavailable)
        nobody = {"gender": Unavailable("errors", "few")}
        assert isinstance(service_risk.fairness_table(study, nobody), Unavailable)
        assert len(risk_study.risk_calibration(data, model)[1]) == 10

    def test_the_outcome_may_not_predict(self):
        study = load_study("online_shopping")
        plan = study.spec.service.risk.model_copy(update={"predictors": ["SEV", "LCHG"]})
        service = study.spec.service.model_copy(update={"risk": plan})
        spec = study.spec.model_copy(update={"service": service})
        changed = type("Changed", (), {"spec": spec})()
        with pytest.raises(DataContractError, match="only what is known before"):
            risk_data.read_risk(changed)

    def test_one_class_is_a_sentence(self, data):
        stayed = dataclasses.replace(data, outcome=np.zeros(len(data.outcome)))
        found = risk_study.risk_model(stayed)
        assert isinstance(found, Unavailable)
        assert "because 0 of 942 customers left; at least 10" in found.text()

    def test_risks_that_tell_nothing_are_a_sentence(self, data):
        flat = dataclasses.replace(
            data,
            columns=data.columns.iloc[:80, :1],
            outcome=np.tile([0.0, 1.0, 0.0, 0.0], 20),
        )
        found = risk_study.risk_model(flat, repeats=1)
        assert isinstance(found, Unavailable)
        assert "nothing that was known before" in found.text()

    @pytest.mark.parametrize("value", [np.nan, 3.0])
    def test_predictors_without_an_answer_or_a_difference_are_a_sentence(self, data, value):
        columns = pd.DataFrame(value, data.columns.index, data.columns.columns)
        found = risk_study.risk_model(dataclasses.replace(data, columns=columns))
        assert isinstance(found, Unavailable)
        assert "nothing that was known before" in found.text()

    def test_what_cannot_be_had_is_said_by_every_view(self, data):
        study, lost = load_study("online_shopping"), Unavailable("the risk of leaving", "few left")
        views = [
            service_risk.performance_table(lost),
            service_risk.performance_sentence(lost),
            service_risk.calibration_sentence(lost),
            service_risk.coefficients_table(study, lost),
            service_risk.fairness_table(study, risk_study.risk_fairness(data, lost, threshold=0.3)),
            service_risk.segments_table(
                study, data, risk_segments.risk_segments(data, lost, cost=8, worth=150, kept=0.2)
            ),
            service_risk.decision_sentence(risk_study.risk_benefit(data, lost, [0.3]), 0.3),
            plot_calibration(risk_study.risk_calibration(data, lost)),
            *service_risk_checks.leak_checks(study, risk_study.leaks(data, lost)),
        ]
        assert all(view is lost for view in views)
        assert (
            service_risk_checks.planted_checks(study, lost) == risk_study.risk_numbers(lost) == []
        )

    def test_small_segments_are_put_together(self):
        codes = pd.DataFrame({"a": [1.0] * 40 + [2.0] * 20 + [3.0] * 15, "b": 1.0})
        labels = risk_segments._segment_labels(codes)
        assert labels.value_counts().to_dict() == {"1|1": 40, "other": 35}
        few = risk_segments._segment_labels(codes.iloc[:60])
        assert few.isna().sum() == 20  # still too few to be shown


@pytest.mark.slow
def test_no_respondent_stands_in_what_a_run_writes(tmp_path):
    """Page, tables, results.json and the executed notebook together."""
    from helpers.cli import main

    assert main(["run", "online_shopping", "--only", "78", "--out", str(tmp_path)]) == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"results.json", "78_segments.csv"} <= {path.name for path in files}
    text = " ".join(path.read_text(encoding="utf-8", errors="ignore") for path in files)
    ids = load_study("online_shopping").responses["respondent_id"]
    assert not [id for id in ids if str(id) in text]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: call_threshold(cost=-1, worth=10, kept=0.5),
            DataContractError,
            "cost of at least",
        ),
        (
            lambda: call_threshold(cost=9, worth=10, kept=0.5),
            DataContractError,
            "whatever the risk",
        ),
        (lambda: performance(np.ones(30), np.full(30, 0.5)), EstimationError, "0 who stay"),
        (
            lambda: performance(np.repeat([0.0, 1.0], 15), np.full(30, 0.5)),
            EstimationError,
            "same for everybody",
        ),
        (
            lambda: performance(np.repeat([0.0, 1.0], 15), np.full(30, 1.5)),
            DataContractError,
            "strictly between",
        ),
        (lambda: performance(np.full(30, 2.0), np.full(30, 0.5)), DataContractError, "0 and 1"),
        (
            lambda: out_of_sample(np.ones((30, 2)), np.zeros(30)),
            EstimationError,
            "0 who leave",
        ),
        (
            lambda: net_benefit(np.repeat([0.0, 1.0], 15), np.linspace(0.1, 0.9, 30), [1.0]),
            DataContractError,
            "thresholds",
        ),
        (
            lambda: choose_penalty(np.ones((30, 1)), np.repeat([0.0, 1.0], 15), rule="tight"),
            DataContractError,
            "allowed are best, one_se",
        ),
    ],
)
def test_bad_input_says_what_is_needed(call, error, text):
    with pytest.raises(error, match=text):
        call()
