"""The map of a response surface: axes, line of equality, alternative text."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, Unavailable
from helpers.plots import attached_alt_text, plot_surface


def grid() -> pd.DataFrame:
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(1, 7, 5), np.linspace(1, 7, 5)))
    return pd.DataFrame({"x": x, "y": y, "estimate": x - 2 * y})


def test_the_map_tells_its_corners_and_draws_equality():
    ax = plot_surface(grid(), points=pd.DataFrame({"x": [2.0], "y": [3.0]}), xlabel="expected")
    told = attached_alt_text(ax)
    for value in ("−1.00", "−13.00", "5.00", "−7.00"):  # x - 2 y at (1,1), (1,7), (7,1), (7,7)
        assert value in told
    line = ax.get_lines()[-1]
    assert list(line.get_xdata()) == list(line.get_ydata()) == [1.0, 7.0]
    assert ax.get_xlabel() == "expected" and ax.get_aspect() == 1


def test_what_is_lacking_passes_through_and_bad_tables_are_named():
    lacking = Unavailable("a surface", "nobody was asked")
    assert plot_surface(lacking) is lacking
    with pytest.raises(DataContractError, match="estimate"):
        plot_surface(grid()[["x", "y"]])
