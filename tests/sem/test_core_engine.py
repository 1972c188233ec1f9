"""The covariance engine itself: hand values, planted truth, derivatives, and its contract.

Reference numbers of R stand in test_reference_*.py; here nothing but arithmetic is trusted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, ModelSpecError, Unavailable
from helpers.i18n import in_language
from helpers.sem import agreement, compare, fit, lower_triangle, modification_indices
from helpers.sem.discrepancy import NormalTheory
from helpers.sem.expressions import parse_expression
from helpers.sem.infer import casewise_scores
from helpers.sem.syntax import parse

EXACT = 1e-7
"""Planted moments are reproduced to the optimiser's stop; what is left is rounding."""
DERIVATIVE = 2e-6
"""Central differences with step 1e-5 are good to about six digits."""

ITEMS = ["x1", "x2", "x3", "y1", "y2", "y3"]
LOADING = np.array([1.0, 0.8, 1.2])
TWO = "F =~ x1 + x2 + x3\nG =~ y1 + y2 + y3\nG ~ F"


def planted() -> pd.DataFrame:
    """Covariances of two factors: Var F = 1.5, G = 0.6 F + e, Var e = 0.7, residuals 0.4 to 0.9."""
    load = np.zeros((6, 2))
    load[:3, 0] = load[3:, 1] = LOADING
    phi = np.array([[1.5, 0.9], [0.9, 0.36 * 1.5 + 0.7]])
    cov = load @ phi @ load.T + np.diag([0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    return pd.DataFrame(cov, ITEMS, ITEMS)


def rows(n: int = 240, seed: int = 3) -> pd.DataFrame:
    """Rows drawn from the planted moments."""
    rng = np.random.default_rng(seed)
    data = rng.multivariate_normal(np.arange(6.0), planted().to_numpy(), n)
    out = pd.DataFrame(data, columns=ITEMS)
    out["site"] = np.where(rng.random(n) < 0.5, "north", "south")
    return out


def value(result, lhs: str, op: str, rhs: str = "", column: str = "est") -> float:
    """One cell of the estimates of a single group."""
    table = result.estimates
    found = table[(table["lhs"] == lhs) & (table["op"] == op) & (table["rhs"] == rhs)]
    return float(found[column].iloc[0])


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return rows()


# recovery -------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ["ML", "GLS", "ULS"])
def test_planted_moments_are_found(estimator: str) -> None:
    n = 500
    cov = planted() * (n / (n - 1) if estimator == "ML" else 1.0)
    result = fit(TWO, sample_cov=cov, n_obs=n, estimator=estimator)
    assert result.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-9)
    assert value(result, "F", "=~", "x3") == pytest.approx(1.2, abs=EXACT)
    assert value(result, "G", "~", "F") == pytest.approx(0.6, abs=EXACT)
    assert value(result, "F", "~~", "F") == pytest.approx(1.5, abs=EXACT)
    assert value(result, "y3", "~~", "y3") == pytest.approx(0.9, abs=EXACT)
    assert result.fit_measures["df"] == 8


def test_three_items_by_hand() -> None:
    """One factor, three items: loading 2 is s23 / s13, the factor variance s12 s13 / s23."""
    cov = planted().loc[["x1", "x2", "x3"], ["x1", "x2", "x3"]] * 100 / 99
    s = planted().to_numpy()
    result = fit("F =~ x1 + x2 + x3", sample_cov=cov, n_obs=100)
    assert value(result, "F", "=~", "x2") == pytest.approx(s[1, 2] / s[0, 2], abs=EXACT)
    assert value(result, "F", "~~", "F") == pytest.approx(s[0, 1] * s[0, 2] / s[1, 2], abs=EXACT)
    assert isinstance(result.fit_measures["pvalue"], Unavailable)


def test_regression_is_least_squares(data: pd.DataFrame) -> None:
    result = fit("y1 ~ x1 + x2", data)
    x = np.column_stack([np.ones(len(data)), data[["x1", "x2"]]])
    b, residual, *_ = np.linalg.lstsq(x, data["y1"], rcond=None)
    variance = residual[0] / len(data)
    se = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    assert value(result, "y1", "~", "x2") == pytest.approx(b[2], abs=EXACT)
    assert value(result, "y1", "~", "x2", "se") == pytest.approx(se[2], rel=1e-6)
    assert value(result, "y1", "~~", "y1") == pytest.approx(variance, abs=EXACT)
    assert result.npar == 3
    # the log-likelihood is that of y given x
    loglik = -0.5 * len(data) * (np.log(2 * np.pi * variance) + 1.0)
    assert result.fit_measures["logl"] == pytest.approx(loglik, rel=1e-9)


@pytest.mark.slow
def test_simulated_errors_are_the_spread_of_estimates() -> None:
    """Standard errors against the spread over 200 samples, within four of its own errors."""
    found = [fit(TWO, rows(300, seed)) for seed in range(200)]
    slopes = np.array([value(r, "G", "~", "F") for r in found])
    errors = np.array([value(r, "G", "~", "F", "se") for r in found])
    tolerance = 4 * slopes.std(ddof=1) / np.sqrt(2 * (len(slopes) - 1))
    assert errors.mean() == pytest.approx(slopes.std(ddof=1), abs=tolerance)


# derivatives ----------------------------------------------------------------------------------


MODELS = {
    "factors": (TWO, {}),
    "means": (TWO + "\nx1 ~ 0*1\nF ~ 1", {}),
    "second order": ("F =~ x1 + x2 + x3\nG =~ y1 + y2 + y3\nH =~ 1*F + 1*G", {}),
    "paths": ("y1 ~ x1 + y2\ny2 ~ x2 + y1\nx1 ~~ x2", {}),
    "residuals": (TWO + "\nx1 ~~ y1\nx2 ~ y3", {}),
    "groups": (TWO, {"group": "site", "group_equal": ("loadings", "intercepts")}),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_gradient_and_hessian_by_differences(name: str, data: pd.DataFrame) -> None:
    model, options = MODELS[name]
    result = fit(model, data, **options)
    target = result.context.target
    assert isinstance(target, NormalTheory)
    rng = np.random.default_rng(1)
    x = result.theta + 0.05 * rng.uniform(-1, 1, len(result.theta))
    _f, gradient, observed = target.pieces(x, observed=True)
    step = 1e-5
    for k in range(len(x)):
        up, down = x.copy(), x.copy()
        up[k] += step
        down[k] -= step
        slope = (target.value(up) - target.value(down)) / (2 * step)
        assert gradient[k] == pytest.approx(slope, abs=DERIVATIVE)
        bend = (target.pieces(up)[1] - target.pieces(down)[1]) / (2 * step)
        assert observed[k] == pytest.approx(bend, abs=20 * DERIVATIVE)


def test_scores_add_up_to_the_gradient(data: pd.DataFrame) -> None:
    result = fit(TWO, data, meanstructure=True)
    model, sample = result.model[0], result.moments[0]
    x = result.theta * 1.02
    state = model.state(x)
    scores = casewise_scores(
        model, state, np.linalg.inv(state.sigma), sample.data, state.mu, len(x), True
    )
    gradient = result.context.target.pieces(x)[1]
    assert -scores.mean(axis=0) == pytest.approx(gradient, abs=1e-9)


def test_standardised_errors_by_differences(data: pd.DataFrame) -> None:
    from helpers.sem.standardize import standard_jacobian, standardize

    result = fit(TWO.replace("~ F", "~ b*F") + "\nx1 ~~ y1\ntwice := 2*b", data)
    x, step = result.theta, 1e-6
    jac = standard_jacobian(result.table, result.model, result.states, x)
    for k in range(len(x)):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[k] += sign * step
            states = [m.state(moved) for m in result.model]
            ends.append(standardize(result.table, result.model, states, moved).std_all)
        assert jac[:, k] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=DERIVATIVE)


def test_formula_derivative() -> None:
    e = parse_expression("a*b^2 + exp(a)/sqrt(b) - abs(c)")
    at = {"a": 0.3, "b": 1.7, "c": -2.0}
    slope = e.gradient(at)
    assert slope["a"] == pytest.approx(1.7**2 + np.exp(0.3) / np.sqrt(1.7), rel=1e-12)
    assert slope["b"] == pytest.approx(2 * 0.3 * 1.7 - 0.5 * np.exp(0.3) * 1.7**-1.5, rel=1e-12)
    assert slope["c"] == pytest.approx(1.0, rel=1e-12)


# constraints and bounds ---------------------------------------------------------------------------


def test_equal_labels_and_formula_agree(data: pd.DataFrame) -> None:
    label = fit("F =~ x1 + a*x2 + a*x3\nG =~ y1 + y2 + y3", data)
    formula = fit("F =~ x1 + a*x2 + b*x3\nG =~ y1 + y2 + y3\na == b", data)
    free = fit("F =~ x1 + x2 + x3\nG =~ y1 + y2 + y3", data)
    assert label.fit_measures["df"] == formula.fit_measures["df"] == free.fit_measures["df"] + 1
    assert formula.fit_measures["chisq"] == pytest.approx(label.fit_measures["chisq"], abs=1e-8)
    assert value(formula, "F", "=~", "x2", "se") == pytest.approx(
        value(label, "F", "=~", "x2", "se"), rel=1e-7
    )
    found = compare(label, free)
    assert found.df_diff == 1
    assert found.chisq_diff == pytest.approx(label.test.chisq - free.test.chisq)


def test_curved_constraint_holds(data: pd.DataFrame) -> None:
    result = fit("F =~ x1 + a*x2 + b*x3\nG =~ y1 + c*y2 + y3\nc == a*b", data)
    a, b, c = (value(result, *k) for k in (("F", "=~", "x2"), ("F", "=~", "x3"), ("G", "=~", "y2")))
    assert c == pytest.approx(a * b, abs=1e-8)
    assert result.converged
    assert result.npar == len(result.theta) - 1


def test_inequality_holds_and_holds_the_errors(data: pd.DataFrame) -> None:
    model = "F =~ x1 + a*x2 + x3\nG =~ y1 + y2 + y3"
    free = fit(model, data)
    limit = value(free, "F", "=~", "x2") + 0.1
    loose = fit(f"{model}\na < {limit + 1:.6f}", data)
    assert loose.test.chisq == pytest.approx(free.test.chisq, abs=1e-9)
    tight = fit(f"{model}\na > {limit:.6f}", data)
    assert value(tight, "F", "=~", "x2") == pytest.approx(limit, abs=1e-5)
    fixed = fit(model.replace("a*", f"{limit:.6f}*"), data)
    assert tight.test.chisq == pytest.approx(fixed.test.chisq, rel=1e-5)
    assert value(tight, "F", "=~", "x3", "se") == pytest.approx(
        value(fixed, "F", "=~", "x3", "se"), rel=1e-3
    )


def test_label_may_name_a_parameter(data: pd.DataFrame) -> None:
    named = fit('F =~ x1 + x2 + equal("F=~x2")*x3\nG =~ y1 + y2 + y3', data)
    label = fit("F =~ x1 + a*x2 + a*x3\nG =~ y1 + y2 + y3", data)
    assert named.test.chisq == pytest.approx(label.test.chisq, abs=1e-9)


def test_bounds_keep_variances_positive() -> None:
    """A sample whose unbounded solution has a negative residual variance."""
    cov = pd.DataFrame(
        [[1.0, 0.9, 0.8], [0.9, 1.0, 0.5], [0.8, 0.5, 1.0]], list("abc"), list("abc")
    )
    free = fit("F =~ a + b + c", sample_cov=cov, n_obs=100)
    assert not free.admissible
    assert any("variance of a" in text for text in free.problems)
    assert "no verdict" in free.text()
    bounded = fit("F =~ a + b + c", sample_cov=cov, n_obs=100, bounds="pos_var")
    assert value(bounded, "a", "~~", "a") >= -1e-8
    assert bounded.test.chisq > free.test.chisq


# grammar and defaults ---------------------------------------------------------------------------


def test_grammar() -> None:
    found = parse(
        "# comment\nF + G =~ NA*x1 + start(0.5)*x2 +\n c(a, b)*x3 ! more\n"
        "满意 ~ 2*信任 ; y ~ 1 + 0*z\ni := a*b\na == 2*b"
    )
    first = {(t.lhs, t.op, t.rhs): t.modifier for t in found.terms}
    assert first[("G", "=~", "x1")].fixed == ["NA"]
    assert first[("F", "=~", "x2")].start == [0.5]
    assert first[("F", "=~", "x3")].label == ["a", "b"]
    assert first[("满意", "~", "信任")].fixed == [2.0]
    assert ("y", "~1", "") in first
    assert found.defined[0][0] == "i"
    assert found.constraints[0][1] == "=="


def test_defaults_are_those_of_sem(data: pd.DataFrame) -> None:
    """Exogenous latents covary; outcomes covary; single items have no residual."""
    table = fit("F =~ x1 + x2 + x3\nG =~ y1\nH =~ y2\nG + H ~ F", data).estimates
    free = {(r.lhs, r.op, r.rhs): r.free for r in table.itertuples()}
    assert free[("G", "~~", "H")] > 0
    assert free[("y1", "~~", "y1")] == 0
    assert free[("F", "=~", "x1")] == 0
    unit = fit("F =~ x1 + x2 + x3", data, std_lv=True)
    assert value(unit, "F", "~~", "F") == 1.0
    marker = fit("F =~ x1 + x2 + x3", data)
    assert unit.test.chisq == pytest.approx(marker.test.chisq, abs=1e-9)


def test_row_of_a_fixed_covariate(data: pd.DataFrame) -> None:
    fixed = fit("y1 ~ x1", data)
    random = fit("y1 ~ x1", data, fixed_x=False)
    assert (fixed.npar, random.npar) == (2, 3)
    assert value(fixed, "x1", "~~", "x1") == pytest.approx(data["x1"].var(ddof=0))
    assert value(fixed, "x1", "~~", "x1", "se") == 0.0


def test_correlations_with_deviations_and_groups_of_moments(data: pd.DataFrame) -> None:
    part = data[ITEMS]
    rows_fit = fit(TWO, data)
    by_correlation = fit(TWO, sample_cov=part.corr(), sample_sd=part.std(), n_obs=len(data))
    assert by_correlation.test.chisq == pytest.approx(rows_fit.test.chisq, rel=1e-9)
    groups = dict(list(data.groupby("site", sort=False)))
    whole = fit(TWO, data, group="site", group_equal=("loadings", "intercepts"))
    moments = fit(
        TWO,
        sample_cov={k: v[ITEMS].cov() for k, v in groups.items()},
        sample_mean={k: v[ITEMS].mean() for k, v in groups.items()},
        n_obs={k: len(v) for k, v in groups.items()},
        group_equal=("loadings", "intercepts"),
    )
    assert moments.test.chisq == pytest.approx(whole.test.chisq, rel=1e-9)
    assert moments.group_labels == whole.group_labels


def test_lower_triangle_is_read() -> None:
    matrix = lower_triangle("1 .5 2\n.3, .4 3", ["a", "b", "c"])
    assert matrix.loc["a", "c"] == matrix.loc["c", "a"] == 0.3
    with pytest.raises(DataContractError, match="6 are needed"):
        lower_triangle("1 2", ["a", "b", "c"])


def test_rows_without_a_group_are_counted(data: pd.DataFrame) -> None:
    result = fit(TWO, data.assign(site=data["site"].where(data.index > 4)), group="site")
    assert (result.n_obs, result.n_dropped) == (len(data) - 5, 5)


def test_group_labels_are_kept(data: pd.DataFrame) -> None:
    result = fit(TWO, data, group="site", group_equal="loadings")
    assert set(result.estimates["group"]) == {"north", "south"}
    assert set(result.implied) == {"north", "south"}
    assert result.n_per_group == tuple((data["site"] == g).sum() for g in result.group_labels)


def test_exports_refit_to_the_same(data: pd.DataFrame) -> None:
    result = fit(
        TWO, data, group="site", group_equal=("loadings", "intercepts"), group_partial=["F=~x3"]
    )
    again = fit(result.to_lavaan(), data, group="site")
    assert again.test.chisq == pytest.approx(result.test.chisq, abs=1e-7)
    assert again.test.df == result.test.df
    assert "F BY x1@1;" in result.to_mplus()
    with pytest.raises(ModelSpecError, match="several groups"):
        result.to_semopy()


def test_agreement_with_semopy(data: pd.DataFrame) -> None:
    found = agreement(fit(TWO, data))
    assert found.largest_estimate < 1e-4
    assert found.chisq_gap < 1e-4
    assert found.df_ours == found.df_theirs
    assert isinstance(agreement(fit(TWO, data, group="site")), Unavailable)


def test_freeing_a_parameter_does_what_its_index_says(data: pd.DataFrame) -> None:
    """The index approximates the fall in chi-square; the expected change the new estimate."""
    result = fit(TWO, data)
    best = modification_indices(result).iloc[0]
    freed = fit(f"{TWO}\n{best.lhs} {best.op} {best.rhs}", data)
    assert result.test.chisq - freed.test.chisq == pytest.approx(best.mi, rel=0.25)
    assert np.sign(value(freed, best.lhs, best.op, best.rhs)) == np.sign(best.epc)


def test_input_is_not_changed(data: pd.DataFrame) -> None:
    before = data.copy(deep=True)
    fit(TWO, data, estimator="MLR", group="site").estimates  # noqa: B018
    pd.testing.assert_frame_equal(data, before)


def test_texts_in_chinese(data: pd.DataFrame) -> None:
    with in_language("zh"):
        assert "卡方值" in fit(TWO, data).text()


# contract -------------------------------------------------------------------------------------


BAD = {
    "unknown variable": (lambda d: fit(TWO + "\ny1 ~ sitee", d), ModelSpecError, "mean 'site'"),
    "kinds": (
        lambda d: fit("F =~ x1 + a*x2 + x3\nx1 ~~ a*x1", d),
        ModelSpecError,
        "a loading and for a variance",
    ),
    "unknown label": (
        lambda d: fit("y1 ~ bb*x1\ni := b*2", d),
        ModelSpecError,
        "'b' is not a label",
    ),
    "contradiction": (
        lambda d: fit("y1 ~ a*x1 + b*x2\na == b\na == b + 1", d),
        ModelSpecError,
        "cannot all hold",
    ),
    "cannot be met": (
        lambda d: fit("y1 ~ a*x1 + x2\na*a == -1", d),
        ModelSpecError,
        "cannot be met",
    ),
    "not identified": (
        lambda d: fit("F =~ NA*x1 + x2 + x3\nG =~ y1 + y2 + y3", d),
        ModelSpecError,
        "not identified through 'F",
    ),
    "not identified, robust": (
        lambda d: fit("F =~ NA*x1 + x2 + x3\nG =~ y1 + y2 + y3", d, estimator="MLR"),
        ModelSpecError,
        "not identified through 'F",
    ),
    "not identified, incomplete": (
        lambda d: fit("F =~ NA*x1 + x2 + x3\nG =~ y1 + y2 + y3", d, missing="fiml"),
        ModelSpecError,
        "not identified through 'F",
    ),
    "counting": (lambda d: fit("F =~ x1 + x2", d), ModelSpecError, "4 free parameters for 3"),
    "copies": (
        lambda d: fit("F =~ x1 + x2 + x3 + k", d.assign(k=d["x1"])),
        EstimationError,
        "singular",
    ),
    "constant": (lambda d: fit("y1 ~ x1 + k", d.assign(k=2.0)), DataContractError, "variance in k"),
    "few rows": (lambda d: fit(TWO, d.head(6)), DataContractError, "6 complete rows"),
    "infinite": (
        lambda d: fit(TWO, d.assign(x1=d["x1"].where(d.index > 0, np.inf))),
        DataContractError,
        "infinite values in x1",
    ),
    "text": (
        lambda d: fit("F =~ x1 + x2 + site", d),
        DataContractError,
        "column 'site' holds text",
    ),
    "one group": (
        lambda d: fit(TWO, d.assign(g=1), group="g"),
        DataContractError,
        "at least two groups",
    ),
    "estimator": (lambda d: fit(TWO, d, estimator="MLRR"), ModelSpecError, "Did you mean 'MLR'"),
    "moments only": (
        lambda d: fit(TWO, sample_cov=planted(), n_obs=99, estimator="MLR"),
        ModelSpecError,
        "needs the rows themselves",
    ),
    "no n": (lambda d: fit(TWO, sample_cov=planted()), DataContractError, "n_obs= is missing"),
    "both": (
        lambda d: fit(TWO, d, sample_cov=planted(), n_obs=9),
        DataContractError,
        "exactly one",
    ),
    "vector": (lambda d: fit("y1 ~ c(a, b)*x1", d), ModelSpecError, "1 groups"),
    "bracket": (lambda d: fit("y1 ~ c(a*x1", d), ModelSpecError, "unbalanced"),
    "twice": (lambda d: fit("y1 ~ a*x1 + b*x1", d), ModelSpecError, "twice"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_named(name: str, data: pd.DataFrame) -> None:
    call, kind, text = BAD[name]
    with pytest.raises(kind) as caught:
        call(data)
    message = str(caught.value)
    assert text in message
    assert message.endswith(".")
    assert "nan" not in message.lower().replace("nano", "")


def test_not_converged_gives_no_measures(data: pd.DataFrame) -> None:
    result = replace(fit(TWO, data), converged=False)
    assert "no verdict" in result.text()
    assert isinstance(result.fit_measures["cfi"], Unavailable)
