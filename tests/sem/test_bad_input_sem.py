"""Contract: what cannot be done ends in an error that names the thing and the way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.errors import SuiteError

MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ITEMS = [f"x{k}" for k in range(1, 10)]


def message(model: str, data: pd.DataFrame | None, **options: Any) -> str:
    """Fit, expect one of the suite's errors, check its form and return its text."""
    from helpers.sem import fit

    with pytest.raises(SuiteError) as caught:
        fit(model, data, **options)
    text = str(caught.value)
    assert text.startswith("fit: "), text
    assert ";" in text and text.rstrip().endswith((".", "?")), text
    assert "nan" not in text.lower().replace("covariance", ""), text
    return text


def says(text: str, *parts: str) -> None:
    """Check that all parts stand in the text."""
    for part in parts:
        assert part in text, f"'{part}' is missing in: {text}"


def test_unknown_variable_suggests_the_nearest(holzinger: pd.DataFrame) -> None:
    data = holzinger.rename(columns={"x3": "x_three", "x9": "speed9"})
    text = message(MODEL.replace("x3", "x_thre").replace("x9", "x8"), data)
    says(text, "x_thre", "Did you mean 'x_three'?")


@pytest.mark.parametrize(
    "model", ["f =~ a*x1 + a*x2 + x3\nx4 ~ a*x5", "f =~ x1 + x2 + x3\nx1 ~~ a*x1\nx2 ~~ a*x3"]
)
def test_label_for_two_kinds(holzinger: pd.DataFrame, model: str) -> None:
    says(message(model, holzinger), "'a'", "kind")


@pytest.mark.parametrize(
    "constraints",
    ["a == 1\na == 2", "a == b\nb == a + 1", "a == 0.5\nb == 0.7\na == b"],
)
def test_constraints_that_cannot_hold(holzinger: pd.DataFrame, constraints: str) -> None:
    model = MODEL.replace("x2", "a*x2").replace("x3", "b*x3") + "\n" + constraints
    says(message(model, holzinger), "constraint")


def test_constraint_on_an_unknown_label(holzinger: pd.DataFrame) -> None:
    model = MODEL.replace("x2", "load*x2") + "\nlode == 1"
    says(message(model, holzinger), "lode", "load")


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("f =~ x1 + x2", ""),
        ("f =~ NA*x1 + x2 + x3", "f"),
        ("f =~ x1 + x2 + x3\ng =~ x1 + x2 + x3", ""),
        ("f =~ x1 + x2 + x3\nx1 ~~ x2\nx2 ~~ x3\nx1 ~~ x3", ""),
        ("x2 ~ x1\nx1 ~ x2", ""),
    ],
)
def test_underidentified_names_a_parameter(holzinger: pd.DataFrame, model: str, named: str) -> None:
    text = message(model, holzinger)
    says(text, "identif", named)
    assert any(mark in text for mark in ("=~", "~~", " ~ ", "~")), text


def test_unidentified_block_is_found_though_counting_allows(holzinger: pd.DataFrame) -> None:
    """Six of nine items leave many degrees of freedom, yet one latent has no scale."""
    model = "visual =~ NA*x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
    says(message(model, holzinger), "identif", "visual")


def test_two_equal_columns(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(x2=holzinger["x1"])
    says(message(MODEL, data), "x1", "x2")


def test_a_column_that_is_a_sum(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(x9=holzinger["x7"] + 2 * holzinger["x8"])
    says(message(MODEL, data), "x7", "x8", "x9")


def test_sample_cov_not_positive_definite(holzinger: pd.DataFrame) -> None:
    cov = holzinger[ITEMS].cov()
    cov.loc["x1", "x2"] = cov.loc["x2", "x1"] = 3.0
    says(message(MODEL, None, sample_cov=cov, n_obs=301), "x1", "x2", "positive definite")


def test_sample_cov_not_symmetric(holzinger: pd.DataFrame) -> None:
    cov = holzinger[ITEMS].cov()
    cov.loc["x1", "x2"] += 0.2
    says(message(MODEL, None, sample_cov=cov, n_obs=301), "symmetric", "x1", "x2")


def test_sample_cov_without_n(holzinger: pd.DataFrame) -> None:
    says(message(MODEL, None, sample_cov=holzinger[ITEMS].cov()), "n_obs")


def test_neither_data_nor_moments() -> None:
    says(message(MODEL, None), "data", "sample_cov")


def test_zero_variance(holzinger: pd.DataFrame) -> None:
    says(message(MODEL, holzinger.assign(x5=4.0)), "x5", "varia")


def test_fewer_rows_than_variables(holzinger: pd.DataFrame) -> None:
    says(message(MODEL, holzinger.head(9)), "9")


def test_infinite_value(holzinger: pd.DataFrame) -> None:
    data = holzinger.copy()
    data.loc[3, "x4"] = np.inf
    says(message(MODEL, data), "x4", "infinite")


def test_text_column(holzinger: pd.DataFrame) -> None:
    data = holzinger.assign(x4=holzinger["x4"].map("{:.1f} points".format))
    says(message(MODEL, data), "x4")


def test_empty_data(holzinger: pd.DataFrame) -> None:
    message(MODEL, holzinger.head(0))


def test_all_rows_incomplete(holzinger: pd.DataFrame) -> None:
    data = holzinger.copy()
    data.loc[::2, "x1"] = np.nan
    data.loc[1::2, "x2"] = np.nan
    text = message(MODEL, data)
    says(text, "fiml")


def test_group_missing_a_category(holzinger: pd.DataFrame) -> None:
    """Thresholds cannot be held equal where a group never uses a category."""
    data = holzinger.copy()
    for item in ITEMS:
        data[item] = np.digitize(data[item], [3.0, 5.0])
    first = data["school"] == "Pasteur"
    data.loc[first & (data["x7"] == 2), "x7"] = 1
    text = message(
        MODEL, data, ordered=ITEMS, estimator="WLSMV", group="school",
        group_equal=["thresholds", "loadings"],
    )  # fmt: skip
    says(text, "x7", "Pasteur", "categor")


def test_pair_never_seen_together_under_fiml(holzinger: pd.DataFrame) -> None:
    data = holzinger.copy()
    data.loc[:150, "x1"] = np.nan
    data.loc[151:, "x4"] = np.nan
    says(message(MODEL, data, missing="fiml"), "x1", "x4", "together")


def test_unknown_group_column(holzinger: pd.DataFrame) -> None:
    says(message(MODEL, holzinger, group="schol"), "schol", "Did you mean 'school'?")


def test_unknown_equality(holzinger: pd.DataFrame) -> None:
    text = message(MODEL, holzinger, group="school", group_equal=["loading"])
    says(text, "loading", "intercepts")


def test_partial_names_nothing(holzinger: pd.DataFrame) -> None:
    text = message(
        MODEL, holzinger, group="school", group_equal=["loadings"], group_partial=["visual=~x22"]
    )
    says(text, "visual=~x22", "visual=~x2")


def test_vector_longer_than_the_groups(holzinger: pd.DataFrame) -> None:
    text = message("visual =~ x1 + c(a, b, c)*x2 + x3", holzinger, group="school")
    says(text, "3", "2 groups")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"estimator": "MLX"}, ("MLX", "MLM")),
        ({"estimator": "MLM", "missing": "fiml"}, ("MLM", "fiml", "MLR")),
        ({"estimator": "GLS", "missing": "fiml"}, ("GLS", "fiml")),
        ({"estimator": "ML", "ordered": ["x1"]}, ("ML", "ordered", "WLSMV")),
        ({"missing": "pairwise"}, ("pairwise", "listwise", "fiml")),
        ({"likelihood": "whishart"}, ("whishart", "wishart")),
        ({"likelihood": "wishart", "missing": "fiml"}, ("wishart", "fiml")),
        ({"information": "fisher"}, ("fisher", "expected", "observed")),
        ({"group_equal": ["loadings"]}, ("group_equal", "group=")),
        ({"missing": "fiml", "meanstructure": False}, ("meanstructure", "fiml")),
    ],
)
def test_options_that_do_not_go_together(
    holzinger: pd.DataFrame, options: dict[str, Any], named: tuple[str, ...]
) -> None:
    says(message(MODEL, holzinger, **options), *named)


@pytest.mark.parametrize("estimator", ["MLR", "MLM", "MLMV", "WLSMV"])
def test_robust_corrections_need_rows(holzinger: pd.DataFrame, estimator: str) -> None:
    cov = holzinger[ITEMS].cov()
    says(message(MODEL, None, sample_cov=cov, n_obs=301, estimator=estimator), estimator, "data")


@pytest.mark.parametrize(
    "model",
    ["", "   \n# only a comment", "visual x1 + x2", "visual =~", "visual =~ x1 + + x2", "=~ x1",
     "visual =~ x1 + x2 + x3)", "visual =~ x1 +* x2", "f =~ x1 + x2 + x3\nx := a*", "x1 <- x2"],
)  # fmt: skip
def test_text_that_is_no_model(holzinger: pd.DataFrame, model: str) -> None:
    message(model, holzinger)


@pytest.mark.parametrize("model", ["f =~ f + x1 + x2", "x1 ~ x1 + x2"])
def test_a_variable_that_explains_itself(holzinger: pd.DataFrame, model: str) -> None:
    says(message(model, holzinger), model[:2].strip(), "itself")


def test_two_columns_of_one_name(holzinger: pd.DataFrame) -> None:
    data = pd.concat([holzinger, holzinger[["x1"]] + 1.0], axis=1)
    says(message(MODEL, data), "x1", "more than one column")


def test_n_obs_that_is_no_number(holzinger: pd.DataFrame) -> None:
    cov = holzinger[ITEMS].cov()
    says(message(MODEL, None, sample_cov=cov, n_obs="many"), "n_obs", "many")


def test_the_data_are_not_touched(holzinger: pd.DataFrame) -> None:
    from helpers.sem import fit

    before = holzinger.copy(deep=True)
    fit(MODEL, holzinger, estimator="MLR", group="school")
    pd.testing.assert_frame_equal(holzinger, before)


def test_no_unexplained_blank_in_the_table(holzinger: pd.DataFrame) -> None:
    """Only fixed rows may lack a standard error."""
    from helpers.sem import fit

    table = fit(MODEL + "\nspeed ~~ 0*visual", holzinger).estimates
    assert table["est"].notna().all()
    assert table.loc[table["free"].astype(bool), ["se", "z", "p_value"]].notna().all().all()


def test_text_categories_have_no_numbers(holzinger: pd.DataFrame) -> None:
    """A category of texts has an order only if it says so."""
    from helpers.sem import fit

    texts = holzinger["x1"].round().map(lambda v: "abcdefghijkl"[int(v)])
    data = holzinger.assign(x1=pd.Categorical(texts))
    says(message("visual =~ x1 + x2 + x3 + x4", data), "x1", "text")
    ordered = holzinger.assign(x1=pd.Categorical(texts, ordered=True))
    numbers = holzinger.assign(x1=ordered["x1"].cat.codes)
    model = "visual =~ x1 + x2 + x3 + x4"
    assert fit(model, ordered).estimates["est"].equals(fit(model, numbers).estimates["est"])


def test_labels_of_groups_are_plain_values(holzinger: pd.DataFrame) -> None:
    """A missing label makes floats of a column of integers; the labels stay 1 and 2."""
    from helpers.sem import fit

    number = holzinger["school"].map({"Pasteur": 1, "Grant-White": 2}).astype(float)
    data = holzinger.assign(g=number.where(holzinger.index != 3))
    result = fit("visual =~ x1 + x2 + x3 + x4", data, group="g")
    assert [str(label) for label in result.group_labels] == ["1", "2"]
    assert result.n_obs == len(holzinger) - 1
