"""Contract: every plot draws what it is given, in both languages, on own or given axes."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import plots
from helpers.errors import DataContractError, ReportError
from helpers.i18n import in_language
from helpers.thresholds import THRESHOLDS


def estimates():
    return pd.DataFrame(
        {
            "label": ["REC → SAT", "REC → LOY", "SAT → LOY"],
            "estimate": [0.5, 0.1, 0.4],
            "ci_low": [0.4, -0.05, 0.3],
            "ci_high": [0.6, 0.25, 0.5],
            "truth": [0.52, 0.1, 0.33],
        }
    )


def means():
    return pd.DataFrame(
        {
            "group": ["regular", "seeking", "attentive"],
            "mean": [3.8, 2.9, 3.4],
            "ci_low": [3.7, 2.8, 3.2],
            "ci_high": [3.9, 3.1, 3.6],
            "n": [600, 300, 1300],
        }
    )


def shares():
    rows = [(item, answer, share) for item in ("SAT1", "SAT2")
            for answer, share in zip((1, 2, 3), (0.2, 0.3, 0.5))]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "answer", "share"])


def counts():
    return pd.DataFrame(
        {"category": ["delay", "payment"], "n": [30, 70], "share": [0.3, 0.7],
         "ci_low": [0.2, 0.6], "ci_high": [0.4, 0.8]}
    )  # fmt: skip


def exclusions():
    return pd.DataFrame(
        {"rule": ["preview", "duplicate", "speeder"], "n_before": [100, 90, 90],
         "n_hit": [10, 0, 5], "n_after": [90, 90, 85]}
    )  # fmt: skip


def answers():
    data = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=["A", "B", "C", "D"])
    data.loc[[0, 1], ["A", "B"]] = np.nan
    data.loc[2, "C"] = np.nan
    return data


def correlations(k=4):
    values = np.eye(k) + 0.3 * (1 - np.eye(k))
    values[1, 0] = values[0, 1] = -0.6
    names = [f"V{i}" for i in range(k)]
    return pd.DataFrame(values, names, names)


def residuals():
    data = correlations(16) * 2
    data.iloc[3, 2] = data.iloc[2, 3] = 3.1
    return data


def loadings():
    return pd.DataFrame(
        {"item": ["S1", "S2", "T1", "T2"], "construct": ["SAT", "SAT", "TRU", "TRU"],
         "loading": [0.8, 0.7, 0.6, 0.9]}
    )  # fmt: skip


def scree():
    return pd.DataFrame(
        {
            "position": [1, 2, 3, 4],
            "eigenvalue": [3.0, 1.5, 0.9, 0.6],
            "random_eigenvalue": [1.3, 1.2, 1, 0.9],
        }
    )


def slopes():
    x = np.linspace(1, 7, 5)
    parts = [
        pd.DataFrame({"x": x, "estimate": b * x, "ci_low": b * x - 0.1, "ci_high": b * x + 0.1,
                      "moderator": name})
        for name, b in (("low", 0.5), ("high", 0.2))
    ]  # fmt: skip
    return pd.concat(parts)


def dose():
    rng = np.random.default_rng(7)
    hours = rng.exponential(24, 200)
    return pd.DataFrame({"hours": hours, "sat": np.round(6 - 0.03 * hours)})


def ladder():
    return pd.DataFrame({"step": ["configural", "metric", "scalar"], "cfi": [0.97, 0.968, 0.95]})


PLOTS = {
    "forest": (plots.plot_forest, estimates, {}),
    "group_means": (plots.plot_group_means, means, {}),
    "likert": (plots.plot_likert, shares, {}),
    "counts": (plots.plot_counts, counts, {}),
    "flow": (plots.plot_flow, exclusions, {}),
    "missing": (plots.plot_missing, answers, {}),
    "correlations": (plots.plot_correlations, correlations, {}),
    "residuals": (plots.plot_residuals, residuals, {}),
    "loadings": (plots.plot_loadings, loadings, {}),
    "scree": (plots.plot_scree, scree, {}),
    "interaction": (plots.plot_interaction, slopes, {}),
    "dose_response": (plots.plot_dose_response, dose, {"x": "hours", "y": "sat"}),
    "invariance": (plots.plot_invariance, ladder, {}),
}
CASES = pytest.mark.parametrize("name", PLOTS)


def draw(name, **extra):
    function, data, options = PLOTS[name]
    return function(data(), **options, **extra)


def texts(ax):
    return [t.get_text() for t in ax.texts]


@CASES
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_draws_with_an_alternative_text(name, language):
    with in_language(language):
        ax = draw(name)
        ax.figure.canvas.draw()
    assert len(plots.attached_alt_text(ax)) > 20
    assert "{" not in plots.attached_alt_text(ax)
    has_hanzi = any("\u4e00" <= letter <= "\u9fff" for letter in plots.attached_alt_text(ax))
    assert has_hanzi == (language == "zh")


@CASES
def test_given_axes_are_used_and_nothing_global_changes(name):
    before = dict(mpl.rcParams)
    _figure, ax = plt.subplots()
    assert draw(name, ax=ax) is ax
    assert dict(mpl.rcParams) == before


@CASES
def test_the_input_is_not_changed(name):
    function, make, options = PLOTS[name]
    data = make()
    function(data, **options)
    pd.testing.assert_frame_equal(data, make())


@CASES
def test_a_missing_column_is_named(name):
    function, _make, options = PLOTS[name]
    with pytest.raises(DataContractError, match=f"plot_{name}: data="):
        function(pd.DataFrame({"nothing": [1.0]}).iloc[:0], **options)
    with pytest.raises(DataContractError, match="a DataFrame is needed"):
        function([1, 2], **options)


@CASES
def test_labels_drawn_outside_the_style_keep_the_font(name):
    """A notebook renders after the cell, when no style is in force."""
    ax = draw(name)
    ax.figure.canvas.draw()
    ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
    assert {t.get_fontfamily()[0] for t in ticks} <= {"Noto Sans SC Subset"}


def test_forest_draws_each_estimate_and_interval():
    ax = draw("forest")
    points = ax.lines[1].get_xdata()
    np.testing.assert_array_equal(points, estimates()["estimate"])
    ends = np.array([segment[:, 0] for segment in ax.collections[0].get_segments()])
    np.testing.assert_array_equal(ends, estimates()[["ci_low", "ci_high"]])


def test_likert_bars_fill_the_scale_and_start_at_zero():
    ax = draw("likert")
    bars = ax.patches
    assert min(bar.get_x() for bar in bars) == 0
    assert max(bar.get_x() + bar.get_width() for bar in bars) == pytest.approx(100)
    assert texts(ax).count("50") == 2


def test_likert_of_two_scales_shows_places_on_each_and_no_codes():
    """The highest answer of three and the highest of two have one colour; both are counted."""
    two = pd.DataFrame({"item": "X", "answer": [1, 2], "share": [0.4, 0.6]})
    ax = plots.plot_likert(pd.concat([shares(), two]), answers={3: "agree"})
    colour = {
        (round(b.get_width()), round(b.get_y() + 0.36)): b.get_facecolor() for b in ax.patches
    }
    assert colour[60, 2] == colour[50, 0] != colour[30, 0]
    assert ax.get_legend_handles_labels()[1] == ["lowest answer of its scale", "highest answer"]
    assert "agree" not in ax.get_xlabel()
    assert "X 100%" in plots.attached_alt_text(ax)


def test_likert_refuses_shares_that_do_not_add_up():
    with pytest.raises(DataContractError, match="add up to 0.800"):
        plots.plot_likert(shares().assign(share=[0.2, 0.3, 0.3, 0.2, 0.3, 0.5]))


def test_flow_numbers_add_up_and_empty_rules_are_left_out():
    ax = draw("flow")
    assert "n = 10" in texts(ax)
    assert not any("duplicate" in text for text in texts(ax))
    numbers = [int(t.split("n = ")[1]) for t in texts(ax) if "n = " in t]
    assert max(numbers) - sum(sorted(numbers)[:2]) == sorted(numbers)[2] == 85
    wrong = exclusions().assign(n_after=[90, 90, 86])
    with pytest.raises(DataContractError, match="do not add up"):
        plots.plot_flow(wrong)
    gap = exclusions().assign(n_before=[100, 90, 80], n_after=[90, 90, 75])
    with pytest.raises(DataContractError, match="do not add up"):
        plots.plot_flow(gap)


def test_missing_counts_patterns():
    ax = draw("missing")
    sizes = [t.get_text().split()[0] for t in ax.get_yticklabels()]
    assert sizes == ["7", "2", "1"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["A", "B", "C"]
    whole = plots.plot_missing(answers()[["D"]])
    assert "No answer is missing (n = 10)." in texts(whole)


def test_correlations_print_the_lower_triangle_only():
    ax = draw("correlations")
    printed = sorted(text for text in texts(ax) if text)
    assert printed == [".30"] * 5 + ["−.60"]
    with pytest.raises(DataContractError, match="outside -1 to 1"):
        plots.plot_correlations(correlations() * 3)
    with pytest.raises(DataContractError, match="square matrix"):
        plots.plot_correlations(correlations().iloc[:, :2])


def test_residuals_print_those_beyond_chance():
    assert [text for text in texts(draw("residuals")) if text] == ["3.1"]


def test_loadings_show_the_cutoffs():
    ax = draw("loadings")
    lines = {line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1}
    assert {THRESHOLDS["loading"].value, THRESHOLDS["loading_low"].value} <= lines
    rows = [(i, f, v) for i in ("a", "b") for f, v in (("F1", 0.8), ("F2", 0.1))]
    wide = pd.DataFrame(rows, columns=["item", "factor", "loading"])
    ax = plots.plot_loadings(wide, hide_below=0.3)
    assert [text for text in texts(ax) if text] == [".80", ".80"]


def test_scree_keeps_what_exceeds_random_data():
    assert "2 exceed" in plots.attached_alt_text(draw("scree"))


def test_binned_means_by_hand():
    data = pd.DataFrame({"x": [1, 2, 3, 10, 11, 12], "y": [1, 2, 3, 4, 4, 7]}, dtype=float)
    data.loc[6] = [np.nan, 100.0]
    table = plots.binned_means(data, x="x", y="y", bins=2)
    np.testing.assert_allclose(table["mean"], [2, 5])
    np.testing.assert_allclose(table["x"], [2, 11])
    assert table["n"].tolist() == [3, 3]
    low, high = stats.t.interval(0.95, 2, loc=2, scale=stats.sem([1, 2, 3]))
    np.testing.assert_allclose(table.loc[0, ["ci_low", "ci_high"]].astype(float), [low, high])


def test_dose_response_needs_ten_rows():
    with pytest.raises(DataContractError, match="has 9 rows"):
        plots.plot_dose_response(dose().head(9), x="hours", y="sat")


def test_sizes_and_their_error():
    with plots.house_style("wide"):
        assert draw("scree").figure.get_figwidth() == pytest.approx(7.2)
    with (
        pytest.raises(ReportError, match="size= is 'wid'.*Did you mean 'wide'"),
        plots.house_style("wid"),
    ):
        pass


def test_a_dollar_sign_is_money():
    data = counts().assign(category=["below $50", "$50 to $100"])
    ax = plots.plot_counts(data)
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["below $50", "$50 to $100"]


def test_a_sign_outside_the_font_is_an_error_here():
    """Proof that the other tests would notice a missing glyph."""
    ax = plots.plot_counts(counts().assign(category=["\U00020bb7", "b"]))
    with pytest.raises(UserWarning, match="Glyph"):
        ax.figure.canvas.draw()
