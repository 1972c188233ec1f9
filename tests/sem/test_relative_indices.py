"""Reference: relative fit indices by hand, on the published chi-squares of Holzinger-Swineford."""

import pytest

from helpers.sem.fitindices import relative_indices

# lavaan's documentation prints chi-square 85.306 on 24 df, baseline 918.852 on 36 df.
CHISQ, DF, CHISQ0, DF0 = 85.306, 24, 918.852, 36


def test_formulas_by_hand():
    found = relative_indices(CHISQ, DF, CHISQ0, DF0)
    assert found["nfi"] == pytest.approx(1 - 85.306 / 918.852)
    assert found["rfi"] == pytest.approx(1 - (85.306 / 24) / (918.852 / 36))
    assert found["ifi"] == pytest.approx((918.852 - 85.306) / (918.852 - 24))
    assert found["pnfi"] == pytest.approx(24 / 36 * (1 - 85.306 / 918.852))


def test_ifi_is_one_where_the_baseline_leaves_nothing_to_improve():
    """The denominator, baseline chi-square less the model's df, would be zero or negative."""
    assert relative_indices(chisq=20.0, df=24, chisq0=24.0, df0=36)["ifi"] == 1.0
    assert relative_indices(chisq=20.0, df=24, chisq0=22.0, df0=36)["ifi"] == 1.0
