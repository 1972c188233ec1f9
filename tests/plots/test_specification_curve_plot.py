"""Contract: the specification curve draws every estimate sorted, with the choices below it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError
from helpers.i18n import in_language
from helpers.plots import attached_alt_text
from helpers.plots.specification_curve import plot_specification_curve


def estimates():
    return pd.DataFrame(
        {
            "estimate": [0.3, 0.1, 0.2, -0.1],
            "ci_low": [0.2, -0.1, 0.1, -0.3],
            "ci_high": [0.4, 0.3, 0.3, 0.1],
            "declared": [False, False, True, False],
            "Estimator": ["ML", "MLR", "ML", "MLR"],
            "Rows": ["all", "all", "declared", "declared"],
        }
    )


def drawn_points(ax) -> list[tuple[float, float]]:
    small = [line for line in ax.lines if line.get_markersize() == 3]
    return sorted((x, y) for line in small for x, y in zip(*line.get_data()))


def test_estimates_are_sorted_and_all_there():
    ax = plot_specification_curve(estimates())
    assert drawn_points(ax) == [(0, -0.1), (1, 0.1), (2, 0.2), (3, 0.3)]
    (diamond,) = [line for line in ax.lines if line.get_marker() == "D"]
    assert [a.tolist() for a in diamond.get_data()] == [[2], [0.2]]


def test_marks_stand_below_the_estimates_they_made():
    ax = plot_specification_curve(estimates())
    below = ax.figure.axes[1]
    texts = [label.get_text() for label in below.get_yticklabels()]
    assert texts == ["Estimator", "ML", "MLR", "Rows", "all", "declared"]
    marks = {
        int(line.get_ydata()[0]): line.get_xdata().tolist()
        for line in below.lines
        if line.get_marker() == "|"
    }
    assert {texts[y]: x for y, x in marks.items()} == {
        "ML": [2, 3], "MLR": [0, 1], "all": [1, 3], "declared": [0, 2]
    }  # fmt: skip


@pytest.mark.parametrize("code", ["en", "zh"])
def test_draws_and_describes_in_both_languages(code, tmp_path):
    with in_language(code):
        ax = plot_specification_curve(estimates())
        ax.figure.savefig(tmp_path / "figure.png")
        text = attached_alt_text(ax)
    assert "50" in text and "0.30" in text and "−0.10" in text


def test_divides_the_place_of_given_axes():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")
    assert plot_specification_curve(estimates(), ax=left) is left
    figure.canvas.draw()
    below = figure.axes[2]
    assert below.get_position().y1 <= left.get_position().y0
    assert np.isclose(left.get_position().x0, below.get_position().x0)


def test_input_stays_as_it_was():
    data = estimates()
    plot_specification_curve(data)
    pd.testing.assert_frame_equal(data, estimates())


def test_missing_columns_are_errors():
    with pytest.raises(DataContractError, match="'ci_low' is needed"):
        plot_specification_curve(estimates().drop(columns="ci_low"))
    with pytest.raises(DataContractError, match="'Controls' is needed"):
        plot_specification_curve(estimates(), choices=["Controls"])
