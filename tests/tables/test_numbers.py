"""Contract: numbers are printed by the rules of the APA manual, 7th edition."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import ReportError
from helpers.i18n import in_language
from helpers.tables import (
    format_estimate,
    format_integer,
    format_interval,
    format_number,
    format_p,
    format_percent,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, ".012"), (0.0004, "< .001"), (0.001, ".001"), (0.9999, "> .999"), (0.05, ".050"),
     (1.0, "> .999"), (0.0, "< .001"), (np.nan, "–"), (None, "–"), (pd.NA, "–")],
)  # fmt: skip
def test_p_values(value, text):
    assert format_p(value) == text


@pytest.mark.parametrize("value", [-0.01, 1.2, 5])
def test_a_p_outside_0_to_1_is_refused(value):
    with pytest.raises(ReportError, match="a probability from 0 to 1 is needed"):
        format_p(value)


@pytest.mark.parametrize(
    ("value", "bounded", "text"),
    [(0.456, False, "0.46"), (-0.456, True, "−.46"), (1.0, True, "1.00"), (-0.001, True, ".00"),
     (1.204, True, "1.20"), (12345.678, False, "12,345.68"), (np.inf, False, "∞"),
     (np.float32(0.5), True, ".50"), (np.int64(3), False, "3.00"), (float("nan"), True, "–")],
)  # fmt: skip
def test_numbers(value, bounded, text):
    assert format_number(value, bounded=bounded) == text


def test_text_is_not_a_number():
    with pytest.raises(ReportError, match="a number is needed"):
        format_number("many")


def test_composed_formats():
    assert format_interval(-0.104, 0.25, bounded=True) == "[−.10, .25]"
    assert format_interval(np.nan, 0.25) == "–"
    assert format_estimate(0.31, 0.12, 0.45) == "0.31 [0.12, 0.45]"
    assert format_estimate(0.31, None, None) == "0.31"
    assert format_percent(0.1254) == "12.5%"
    assert format_integer(1200) == "1,200"


def test_numbers_are_the_same_in_chinese():
    with in_language("zh"):
        assert format_p(0.012) == ".012"
