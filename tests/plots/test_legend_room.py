"""Contract: a long legend takes rows, not the width of the axes; names of groups do not touch."""

import pandas as pd
import pytest

from helpers.i18n import in_language
from helpers.plots import house_style, plot_group_means

GROUPS = ("order delay", "payment failure", "poor after-sales service", "privacy leak", "others")
SERIES = {
    "en": ("tolerance of failure", "word of mouth", "brand identification", "loyalty"),
    "zh": ("失误容忍", "口碑", "品牌认同", "忠诚度"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_of_groups_do_not_touch_under_a_long_legend(language):
    rows = [(g, s, 4.0, 3.8, 4.2) for g in GROUPS for s in SERIES[language]]
    data = pd.DataFrame(rows, columns=["group", "outcome", "mean", "ci_low", "ci_high"])
    with in_language(language), house_style():
        ax = plot_group_means(data, series="outcome")
        ax.figure.canvas.draw()
    figure = ax.figure.bbox
    assert ax.bbox.width > 0.7 * figure.width
    assert ax.get_legend().get_window_extent().x1 <= figure.x1
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:]))
