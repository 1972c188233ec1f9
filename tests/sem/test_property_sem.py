"""Property: what must not change a fit, or change it in a known way, whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MODEL = "f =~ a1 + a2 + a3\ng =~ b1 + b2 + b3\nh =~ d1 + d2 + d3\ng ~ f\nh ~ g + f"
ITEMS = ["a1", "a2", "a3", "b1", "b2", "b3", "d1", "d2", "d3"]
LOADINGS = np.array([0.8, 0.7, 0.9])

CHI_SQUARE = 1e-6  # relative; both fits stop at a gradient near rounding
ESTIMATE = 1e-6
STANDARD_ERROR = 1e-5

FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def draw(seed: int, n: int = 150) -> pd.DataFrame:
    """Draw a chain of three latents with three items each, and two groups."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    g = 0.5 * f + rng.normal(0, 0.8, n)
    h = 0.4 * g + 0.3 * f + rng.normal(0, 0.8, n)
    latent = np.column_stack([f, g, h])
    values = np.repeat(latent, 3, axis=1) * np.tile(LOADINGS, 3) + rng.normal(0, 0.6, (n, 9))
    return pd.DataFrame(values, columns=ITEMS).assign(
        half=np.where(np.arange(n) % 2, "odd", "even")
    )


def keyed(table: pd.DataFrame, column: str) -> dict[tuple[str, str, str, str], float]:
    """Map each parameter to a number; covariances do not depend on the order of their names."""
    out = {}
    for row in table.itertuples():
        pair = sorted((row.lhs, row.rhs)) if row.op == "~~" else [row.lhs, row.rhs]
        out[(pair[0], row.op, pair[1], str(row.group))] = float(getattr(row, column))
    return out


def same(a: pd.DataFrame, b: pd.DataFrame, column: str, tolerance: float) -> None:
    """Compare two tables parameter by parameter."""
    left, right = keyed(a, column), keyed(b, column)
    assert left.keys() == right.keys()
    for key, value in left.items():
        if np.isfinite(value):
            assert right[key] == pytest.approx(value, abs=tolerance, rel=tolerance), key


@given(
    seed=st.integers(0, 10_000),
    shift=st.lists(st.floats(-500, 500), min_size=9, max_size=9),
    power=st.lists(st.integers(-3, 3), min_size=9, max_size=9),
)
@FEW
def test_units_of_items_do_not_matter(seed: int, shift: list[float], power: list[int]) -> None:
    """Shifting and rescaling items leaves chi-square and fully standardised values alone."""
    from helpers.sem import fit

    data = draw(seed)
    moved = data.copy()
    moved[ITEMS] = data[ITEMS] * 10.0 ** np.array(power) + np.array(shift)
    first, second = fit(MODEL, data), fit(MODEL, moved)
    assert second.fit_measures["chisq"] == pytest.approx(
        first.fit_measures["chisq"], rel=1e-5, abs=1e-6
    )
    same(first.estimates, second.estimates, "std_all", 1e-5)


@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
@FEW
def test_order_of_rows_and_columns(seed: int, order: object) -> None:
    from helpers.sem import fit

    data = draw(seed)
    rows, columns = list(data.index), list(data.columns)
    order.shuffle(rows)
    order.shuffle(columns)
    first, second = fit(MODEL, data), fit(MODEL, data.loc[rows, columns])
    assert second.fit_measures["chisq"] == pytest.approx(
        first.fit_measures["chisq"], rel=CHI_SQUARE
    )
    same(first.estimates, second.estimates, "est", ESTIMATE)
    same(first.estimates, second.estimates, "se", STANDARD_ERROR)


@given(seed=st.integers(0, 10_000))
@FEW
def test_order_of_items_in_the_model(seed: int) -> None:
    """With unit-variance latents no item is special."""
    from helpers.sem import fit

    turned = "f =~ a3 + a2 + a1\nh =~ d2 + d1 + d3\ng =~ b1 + b3 + b2\nh ~ f + g\ng ~ f"
    data = draw(seed)
    first, second = fit(MODEL, data, std_lv=True), fit(turned, data, std_lv=True)
    assert second.fit_measures["chisq"] == pytest.approx(
        first.fit_measures["chisq"], rel=CHI_SQUARE
    )
    sizes = {k: abs(v) for k, v in keyed(first.estimates, "est").items()}
    for key, value in keyed(second.estimates, "est").items():
        assert abs(value) == pytest.approx(sizes[key], abs=ESTIMATE), key


@given(seed=st.integers(0, 10_000), missing=st.booleans())
@FEW
def test_order_of_groups(seed: int, missing: bool) -> None:
    """Which group stands first changes neither the fit nor a group's free parameters."""
    from helpers.sem import fit

    data = draw(seed)
    options = {"group": "half", "group_equal": ["loadings"]}
    if missing:
        data.loc[data.index % 5 == 0, "a2"] = np.nan
        options["missing"] = "fiml"
    first, second = fit(MODEL, data, **options), fit(MODEL, data[::-1], **options)
    assert second.fit_measures["chisq"] == pytest.approx(
        first.fit_measures["chisq"], rel=CHI_SQUARE
    )
    same(first.estimates, second.estimates, "est", 1e-5)
    same(first.estimates, second.estimates, "se", 1e-4)


@given(seed=st.integers(0, 10_000), means=st.booleans())
@FEW
def test_rows_against_their_moments(seed: int, means: bool) -> None:
    from helpers.sem import fit

    data = draw(seed)
    mean = data[ITEMS].mean() if means else None
    rows = fit(MODEL, data, meanstructure=means)
    moments = fit(MODEL, sample_cov=data[ITEMS].cov(), sample_mean=mean, n_obs=len(data))
    for name in ("chisq", "df", "cfi", "rmsea", "srmr"):
        assert moments.fit_measures[name] == pytest.approx(
            rows.fit_measures[name], rel=1e-6, abs=1e-8
        )
    same(rows.estimates, moments.estimates, "est", ESTIMATE)
    same(rows.estimates, moments.estimates, "se", STANDARD_ERROR)


@given(seed=st.integers(0, 10_000), missing=st.booleans())
@FEW
def test_every_row_twice(seed: int, missing: bool) -> None:
    """Chi-square doubles, errors shrink by the square root of two, estimates stand."""
    from helpers.sem import fit

    data = draw(seed)
    options = {"missing": "fiml"} if missing else {}
    if missing:
        data.loc[data.index % 4 == 0, "b3"] = np.nan
    once = fit(MODEL, data, **options)
    twice = fit(MODEL, pd.concat([data, data], ignore_index=True), **options)
    assert twice.fit_measures["chisq"] == pytest.approx(2 * once.fit_measures["chisq"], rel=1e-6)
    same(once.estimates, twice.estimates, "est", 1e-5)
    a, b = keyed(once.estimates, "se"), keyed(twice.estimates, "se")
    for key, value in a.items():
        if np.isfinite(value) and value > 0:
            assert b[key] * np.sqrt(2) == pytest.approx(value, rel=1e-4), key


@given(seed=st.integers(0, 10_000), estimator=st.sampled_from(["ML", "MLR", "MLM", "GLS"]))
@FEW
def test_marker_against_unit_variance(seed: int, estimator: str) -> None:
    """Two ways to give the latents a scale are one model."""
    from helpers.sem import fit

    data = draw(seed)
    marker = fit(MODEL, data, estimator=estimator)
    unit = fit(MODEL, data, estimator=estimator, std_lv=True)
    for name in ("chisq", "df", "npar", "cfi", "rmsea", "srmr", "chisq_scaled", "cfi_robust"):
        if name in marker.fit_measures:
            assert unit.fit_measures[name] == pytest.approx(
                marker.fit_measures[name], rel=1e-5, abs=1e-7
            ), name
    same(marker.estimates, unit.estimates, "std_all", 1e-5)


@given(seed=st.integers(0, 10_000))
@FEW
def test_complete_rows_need_no_full_information(seed: int) -> None:
    """Without blanks, FIML is ML with means."""
    from helpers.sem import fit

    data = draw(seed)
    fiml = fit(MODEL, data, missing="fiml", information="expected")
    ml = fit(MODEL, data, meanstructure=True)
    for name in ("chisq", "df", "cfi", "rmsea", "srmr", "logl", "aic", "bic"):
        assert fiml.fit_measures[name] == pytest.approx(ml.fit_measures[name], rel=1e-6, abs=1e-7)
    same(fiml.estimates, ml.estimates, "est", 1e-5)
    same(fiml.estimates, ml.estimates, "se", 1e-5)


@given(seed=st.integers(0, 10_000))
@FEW
def test_groups_without_equality_add_up(seed: int) -> None:
    """The chi-square of free groups is the sum of the groups' own."""
    from helpers.sem import fit

    data = draw(seed, 240)
    parts = [fit(MODEL, data[data["half"] == h]).fit_measures["chisq"] for h in ("even", "odd")]
    assert fit(MODEL, data, group="half").fit_measures["chisq"] == pytest.approx(
        sum(parts), rel=1e-6
    )


@given(seed=st.integers(0, 10_000), steps=st.lists(st.integers(1, 9), min_size=11, max_size=11))
@FEW
def test_category_codes_are_only_an_order(seed: int, steps: list[int]) -> None:
    """Relabelling ordered categories upwards leaves an ordinal fit alone."""
    from helpers.sem import fit

    data = draw(seed, 300)
    for item in ITEMS:
        data[item] = np.digitize(data[item], [-0.6, 0.5])
    codes = np.cumsum(steps)[:3]
    moved = data.copy()
    moved[ITEMS] = codes[data[ITEMS].to_numpy()]
    options = {"estimator": "WLSMV", "ordered": ITEMS}
    first, second = fit(MODEL, data, **options), fit(MODEL, moved, **options)
    assert second.fit_measures["chisq_scaled"] == pytest.approx(
        first.fit_measures["chisq_scaled"], rel=1e-8
    )
    same(first.estimates, second.estimates, "est", 1e-8)


COVERAGE_RUNS = 600
COVERAGE_BAND = (0.93, 0.97)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"estimator": "MLR"}, {"missing": "fiml"}], ids=str)
def test_intervals_cover_the_truth(options: dict[str, str]) -> None:
    """95 % intervals contain the planted value in 93 to 97 % of samples, averaged over paths.

    600 samples give a standard error of 0.9 points for one interval; the mean over the three
    structural paths is compared, so the band is wider than simulation noise alone needs.
    """
    from helpers.sem import fit

    truth = {("g", "f"): 0.5, ("h", "g"): 0.4, ("h", "f"): 0.3}
    model = MODEL.replace("a1", "0.8*a1").replace("b1", "0.8*b1").replace("d1", "0.8*d1")
    hits = []
    for seed in range(COVERAGE_RUNS):
        data = draw(seed, 300)
        if options.get("missing") == "fiml":
            hole = np.random.default_rng(seed + 10**6).random((300, 9)) < 0.1
            data[ITEMS] = data[ITEMS].mask(hole)
        table = fit(model, data, **options).estimates
        paths = table[table["op"] == "~"]
        hits += [
            row.ci_low <= truth[(row.lhs, row.rhs)] <= row.ci_high for row in paths.itertuples()
        ]
    low, high = COVERAGE_BAND
    assert low <= np.mean(hits) <= high
