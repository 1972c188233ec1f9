"""Sensitivity to an unmeasured confounder: closed form, lavaan, planted confounder."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, ModelSpecError, Unavailable
from helpers.sem.confounder import confounder_sensitivity

REFERENCE = Path(__file__).parents[1] / "reference"
TRIANGLE = "m ~ x\ny ~ m + x"
CHAIN = (
    "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3\n"
    "sat ~ comp\nloy ~ sat + comp"
)
LAVAAN = 2e-5  # where lavaan's optimiser stops
ROOT = 2e-4  # tolerance of the root search


def triangle(n: int = 800, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    m = 0.5 * x + rng.standard_normal(n)
    return pd.DataFrame({"x": x, "m": m, "y": 0.3 * x + 0.4 * m + rng.standard_normal(n)})


def partial_moments(data: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """Covariance of m and y and variance of m given x, and the SDs, divisor n."""
    s = np.cov(data[["x", "m", "y"]].T, ddof=0)
    rest = s[1:, 1:] - np.outer(s[1:, 0], s[0, 1:]) / s[0, 0]
    return rest[0, 1], rest[0, 0], np.sqrt(np.diag(s)[1:])


class TestClosedForm:
    def test_path_beside_a_confounder(self):
        """Omitted-variable bias: the path is (s_my - u v) / s_mm, all given x."""
        data = triangle()
        found = confounder_sensitivity(TRIANGLE, data, cause="m", outcome="y")
        cov, var, sd = partial_moments(data)
        for row in found.contours.itertuples():
            hand = (cov - row.to_cause * sd[0] * row.to_outcome * sd[1]) / var
            assert row.estimate == pytest.approx(hand, abs=1e-6)

    def test_tipping_value_and_border(self):
        data = triangle()
        found = confounder_sensitivity(TRIANGLE, data, cause="m", outcome="y", source="x")
        cov, _var, sd = partial_moments(data)
        product = cov / sd.prod()
        assert found.tipping == pytest.approx(np.sqrt(product), abs=ROOT)
        for row in found.border.dropna().itertuples():
            assert row.to_cause * row.to_outcome == pytest.approx(product, abs=ROOT)
        assert found.border["to_outcome"].isna().tolist()[0]
        assert 0 < found.tipping_interval < found.tipping

    def test_negative_path_is_undone_too(self):
        data = triangle().assign(y=lambda d: -d["y"])
        found = confounder_sensitivity(TRIANGLE, data, cause="m", outcome="y")
        mirror = confounder_sensitivity(TRIANGLE, triangle(), cause="m", outcome="y")
        assert found.estimate < 0
        assert found.tipping == pytest.approx(mirror.tipping, abs=ROOT)

    def test_exogenous_cause(self):
        """Cause and confounder correlate by u: the path is (s_xm - u v) / s_xx."""
        data = triangle()
        found = confounder_sensitivity("m ~ x", data, cause="x", outcome="m")
        s = np.cov(data[["x", "m"]].T, ddof=0)
        sd = np.sqrt(np.diag(s))
        row = found.contours.iloc[7]
        hand = (s[0, 1] - row["to_cause"] * sd[0] * row["to_outcome"] * sd[1]) / s[0, 0]
        assert row["estimate"] == pytest.approx(hand, abs=1e-6)

    def test_covariances_give_what_rows_give(self):
        data = triangle()
        one = confounder_sensitivity(TRIANGLE, data, cause="m", outcome="y")
        two = confounder_sensitivity(
            TRIANGLE, sample_cov=data.cov(), n_obs=len(data), cause="m", outcome="y"
        )
        np.testing.assert_allclose(one.contours["estimate"], two.contours["estimate"], atol=1e-9)


class TestLavaan:
    def test_latent_phantom(self):
        rows = json.loads((REFERENCE / "moderation.json").read_text(encoding="utf-8"))["phantom"]
        data = pd.read_csv(REFERENCE / "sem_survey.csv.gz")
        options = {"cause": "sat", "outcome": "loy", "strengths": (0.2, 0.4, 0.5)}
        path = confounder_sensitivity(CHAIN, data, **options).contours
        way = confounder_sensitivity(CHAIN, data, **options, source="comp").contours
        keys = ["to_cause", "to_outcome"]
        path, way = path.set_index(keys), way.set_index(keys)
        for row in rows:
            at = (row["to_cause"], row["to_outcome"])
            assert path.loc[at, "estimate"] == pytest.approx(row["est"], abs=LAVAAN)
            assert path.loc[at, "se"] == pytest.approx(row["se"], abs=LAVAAN)
            assert way.loc[at, "estimate"] == pytest.approx(row["indirect"], abs=LAVAAN)


class TestRecovery:
    def test_planted_confounder_is_the_tipping_value(self):
        """m and y share u and nothing else: with u's own strengths the path is zero."""
        rng = np.random.default_rng(20261121)
        n = 4000
        x, u, d, e = rng.standard_normal((4, n))
        m = 0.5 * x + 0.6 * u + d
        y = 0.3 * x + 0.6 * u + e
        frame = pd.DataFrame({"x": x, "m": m, "y": y})
        found = confounder_sensitivity(TRIANGLE, frame, cause="m", outcome="y")
        planted = 0.6 / np.sqrt(m.std() * y.std())
        assert found.tipping == pytest.approx(planted, abs=0.03)

    def test_strong_effect_cannot_be_undone(self):
        rng = np.random.default_rng(1)
        x = rng.standard_normal(500)
        m = 2 * x + 0.3 * rng.standard_normal(500)
        frame = pd.DataFrame({"x": x, "m": m, "y": 3 * m + rng.standard_normal(500)})
        found = confounder_sensitivity(TRIANGLE, frame, cause="m", outcome="y",
                                       strengths=(0.1, 0.6))  # fmt: skip
        assert isinstance(found.tipping, Unavailable)
        assert not found.contours["possible"].iloc[-1]
        assert found.border["to_outcome"].isna().all()


class TestBadInput:
    def test_unknown_path(self):
        with pytest.raises(ModelSpecError, match="no free path 'y ~ z'"):
            confounder_sensitivity(TRIANGLE, triangle(), cause="z", outcome="y")

    def test_strength_beyond_one(self):
        with pytest.raises(ModelSpecError, match="between 0 and 1"):
            confounder_sensitivity(TRIANGLE, triangle(), cause="m", outcome="y", strengths=(1.2,))

    def test_absent_column(self):
        with pytest.raises(DataContractError, match="no column x"):
            confounder_sensitivity(TRIANGLE, triangle().drop(columns="x"), cause="m", outcome="y")

    def test_neither_rows_nor_moments(self):
        with pytest.raises(DataContractError, match="exactly one of data= and sample_cov="):
            confounder_sensitivity(TRIANGLE, cause="m", outcome="y")
