"""Reference tests of group comparison against lavaan and semTools (invariance.R)."""

import json
from pathlib import Path

import numpy as np
import pytest
from semopy.examples import holzinger39

from helpers.sem import fit
from helpers.sem.groups import invariance
from helpers.sem.ladder_steps import ORDINAL_LADDER
from helpers.sem.latent_means import latent_means
from helpers.sem.partial_invariance import partial_invariance
from helpers.sem.permutation import permutation_ladder
from helpers.sem.release import candidates, release_scores

STOP_TOLERANCE = 2e-5
"""lavaan stops where its objective changes by 1e-10; what follows is off by up to 1e-5."""
ZERO_SCORE = 1e-4
"""Scores near zero are differences of gradients that lavaan has to about 1e-5."""
PERMUTED_TOLERANCE = 1e-6
"""Chi-squares are second order in the distance from the minimum, so they agree better."""

CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ORDINAL = "v =~ o1 + o2 + o3\nt =~ o4 + o5 + o6\ns =~ o7 + o8 + o9"


@pytest.fixture(scope="module")
def expected():
    path = Path(__file__).parents[1] / "reference" / "invariance.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows():
    data = holzinger39.get_data().reset_index(drop=True)
    data["age3"] = np.where(
        data["ageyr"] <= 12, "young", np.where(data["ageyr"] <= 13, "middle", "old")
    )
    for k in range(1, 10):
        x = data[f"x{k}"]
        data[f"o{k}"] = 1 + sum((x > x.quantile(q)).astype(int) for q in (0.2, 0.5, 0.8))
    return data


@pytest.fixture(scope="module")
def scalar(rows):
    return partial_invariance(CFA, rows, "school", step="scalar")


def scores(result, step, op, n_groups=2):
    call = {"text": CFA, "released": (), "ordered": False, "n_groups": n_groups}
    found = release_scores(result, candidates(result, op), step=step, **call)
    return found.set_index("release")["score"]


class TestReleaseScores:
    def test_equal_lavTestScore_at_the_metric_step(self, rows, expected):
        result = fit(CFA, rows, group="school", group_equal="loadings", std_lv=True)
        for name, score in scores(result, "metric", "=~").items():
            wanted = expected["score_metric"][name]
            assert score == pytest.approx(wanted, rel=STOP_TOLERANCE, abs=ZERO_SCORE)

    def test_equal_lavTestScore_at_the_scalar_step(self, scalar, expected):
        for name, score in scores(scalar.full, "scalar", "~1").items():
            wanted = expected["score_scalar"][name]
            assert score == pytest.approx(wanted, rel=STOP_TOLERANCE, abs=ZERO_SCORE)

    def test_three_groups_have_two_degrees_of_freedom(self, rows, expected):
        equal = ("loadings", "intercepts")
        result = fit(CFA, rows, group="age3", group_equal=equal, std_lv=True)
        found = scores(result, "scalar", "~1", n_groups=3)
        for k, wanted in enumerate(expected["score_three"], start=1):
            assert found[f"x{k}~1"] == pytest.approx(wanted, rel=STOP_TOLERANCE, abs=ZERO_SCORE)


class TestPartialInvariance:
    def test_releases_what_lavaan_scores_highest(self, scalar, expected):
        asked = {k: v for k, v in expected["score_scalar"].items() if k.endswith("~1")}
        assert scalar.log["release"].iloc[1] == max(asked, key=asked.get)
        assert scalar.released == ("x3~1", "x7~1")

    def test_final_fit_and_difference_equal_lavaan(self, scalar, expected):
        last = scalar.log.iloc[-1]
        for name, wanted in expected["partial"].items():
            assert last[name] == pytest.approx(wanted, rel=STOP_TOLERANCE)
        for name, wanted in expected["partial_difference"].items():
            assert last[name] == pytest.approx(wanted, rel=STOP_TOLERANCE)
        assert scalar.stopped == "holds"
        assert scalar.holds is True

    def test_latent_means_and_effect_sizes_equal_lavaan(self, scalar, expected):
        found = latent_means(scalar.final).set_index("construct")
        means, sizes = expected["means"], expected["latent_d"]
        for k, name in enumerate(means["construct"]):
            assert found.loc[name, "difference"] == pytest.approx(means["est"][k], abs=1e-5)
            assert found.loc[name, "se"] == pytest.approx(means["se"][k], abs=1e-5)
            assert found.loc[name, "d"] == pytest.approx(sizes["est"][k], abs=1e-5)
            assert found.loc[name, "d_se"] == pytest.approx(sizes["se"][k], abs=1e-5)


class TestOrdinalLadder:
    def test_equals_semtools_steps_of_wu_and_estabrook(self, rows, expected):
        ladder = invariance(ORDINAL, rows, "school", ordered=True)
        assert list(ladder.table["step"]) == list(ORDINAL_LADDER)
        for k, wanted in enumerate(expected["ordinal"]):
            row = ladder.table.iloc[k]
            assert row["df"] == wanted["df"]
            for name in ("chisq", "cfi", "rmsea"):
                other = wanted[f"{name}.scaled"]
                assert row[name] == pytest.approx(other, rel=STOP_TOLERANCE)
            assert row["srmr"] == pytest.approx(wanted["srmr"], rel=STOP_TOLERANCE)
        for k, wanted in enumerate(expected["ordinal_tests"], start=1):
            for name, other in wanted.items():
                assert ladder.table[name].iloc[k] == pytest.approx(other, rel=1e-4, abs=1e-9)


class TestPermutation:
    def test_a_deal_equals_lavaan_on_the_dealt_rows(self, rows, expected):
        """The dealt rows enter as the observed ones, by the same batched search as every deal."""
        dealt = rows.assign(school=expected["dealt_labels"])
        steps = {
            name: fit(CFA, dealt, group="school", group_equal=equal)
            for name, equal in (
                ("configural", ()), ("metric", "loadings"), ("scalar", ("loadings", "intercepts")),
            )
        }  # fmt: skip
        tests = permutation_ladder(steps, n_perm=99, seed=1)
        lavaan = [[d[m] for m in ("chisq", "cfi", "rmsea")] for d in expected["deal"]]
        wanted = [lavaan[0], *np.diff(lavaan, axis=0)]
        for test, other in zip(tests.values(), wanted):
            assert test.table["observed"].tolist() == pytest.approx(
                list(other), abs=PERMUTED_TOLERANCE * max(1.0, abs(other[0]))
            )
