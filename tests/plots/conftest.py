"""Pictures are drawn without a screen; a missing glyph or any other warning is an error."""

import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("agg")


@pytest.fixture(autouse=True)
def strict_pictures():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    plt.close("all")
