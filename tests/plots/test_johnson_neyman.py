"""Contract: the Johnson-Neyman picture draws the regions it is given, and says so."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.errors import DataContractError
from helpers.i18n import set_language
from helpers.plots import attached_alt_text
from helpers.plots.johnson_neyman import plot_johnson_neyman
from helpers.plots.style import PALE, PALETTE
from helpers.regression.process_slopes import SlopeLine, johnson_neyman

COV = np.array([[0.01, 0.001], [0.001, 0.004]])


@pytest.fixture
def region():
    set_language("en")
    return johnson_neyman(SlopeLine(0.25, 0.20, COV, 0.0, 1.0, -6.0, 3.0))


def test_three_regions_in_two_colours(region):
    ax = plot_johnson_neyman(region.curve, ends=region.ends)
    colours = [to_hex(patch.get_facecolor()[0]) for patch in ax.collections]
    assert colours == [PALETTE[0].lower(), PALE, PALETTE[0].lower()]
    edges = [patch.get_paths()[0].get_extents() for patch in ax.collections]
    assert [e.x1 for e in edges[:2]] == pytest.approx(list(region.ends))


def test_one_region_has_no_border(region):
    above = region.curve[region.curve["moderator_value"] > 0]
    ax = plot_johnson_neyman(above)
    assert len(ax.collections) == 1
    assert "No border" in attached_alt_text(ax)


def test_words_hold_the_numbers(region):
    text = attached_alt_text(plot_johnson_neyman(region.curve, ends=region.ends))
    for end in region.ends:
        assert f"{abs(end):.2f}" in text
    assert f"{region.curve['slope'].iloc[-1]:.2f}" in text


def test_missing_column(region):
    with pytest.raises(DataContractError, match="'ci_low' is needed"):
        plot_johnson_neyman(region.curve.drop(columns="ci_low"))
