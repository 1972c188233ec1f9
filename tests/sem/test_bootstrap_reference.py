"""Reference: replicates by lavaan and intervals by R's boot, on the same resamples.

Written by ``tests/reference/bootstrap.R``, which makes the resamples by the rule repeated here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.sem import bootstrap, fit
from helpers.sem.bootstrap_intervals import acceleration

REFERENCE = Path(__file__).parents[1] / "reference" / "bootstrap.json"
MODULUS, FACTOR = 2**31 - 1, 16807

ESTIMATE = 1e-6  # stop of our search, 3e-6 standard errors, and of lavaan's, polished
ESTIMATE_FLAT = 3e-5  # lavaan's own stop under equality constraints, FIML, least squares
ESTIMATE_ORDINAL = 1e-3  # the polychoric correlations below carry 1e-4 into every estimate
LOOSE = {"groups": ESTIMATE_FLAT, "democracy": ESTIMATE_FLAT, "fiml": ESTIMATE_FLAT,
         "gls": ESTIMATE_FLAT, "wlsmv": ESTIMATE_ORDINAL}  # fmt: skip
MEASURE = 1e-5  # relative for chi-square, absolute for indices: flat at the minimum
MEASURE_ORDINAL = 2e-3
INTERVAL = 1e-7  # nine digits are stored; draws agree to 1e-8 standard errors
IDS = ("chain", "means", "covariates", "democracy", "wishart", "mlr", "groups", "gls", "fiml",
       "wlsmv")  # fmt: skip


@cache
def read() -> dict[str, dict[str, Any]]:
    found = json.loads(REFERENCE.read_text(encoding="utf-8"))
    return {c["id"]: c for c in found[1:]}


def draws(sizes: list[int], seed: int) -> list[np.ndarray]:
    """Positions drawn from 0 to n - 1, one array per size."""
    s = seed
    for _warm in range(10):
        s = FACTOR * s % MODULUS
    out = []
    for n in sizes:
        own = []
        for _row in range(n):
            s = FACTOR * s % MODULUS
            own.append(s % n)
        out.append(np.array(own))
    return out


def resamples(data: pd.DataFrame, group: str | None, number: int, count: int) -> np.ndarray:
    parts = [np.arange(len(data))]
    if group:
        parts = [np.flatnonzero(data[group] == g) for g in data[group].unique()]
    sizes = [len(p) for p in parts]
    return np.stack(
        [
            np.concatenate([p[at] for p, at in zip(parts, draws(sizes, 7919 * number + b))])
            for b in range(1, count + 1)
        ]
    )


@pytest.fixture(scope="module")
def tools(request: pytest.FixtureRequest) -> Any:
    """Data recipes shared with the other lavaan references."""
    path = Path(__file__).with_name("conftest.py")
    return request.config.pluginmanager.get_plugin(str(path))


@pytest.fixture(scope="module")
def run(tools: Any):
    """Fit a stored case and bootstrap it on its resamples, once."""

    @cache
    def of(name: str, statistics: tuple[str, ...] = ()):
        stored = read()[name]
        options = tools.fit_arguments(stored | {"options": stored["options"]})
        data = options.pop("data")
        result = fit(stored["model"], data, **options)
        indices = resamples(data, options.get("group"), stored["number"], len(stored["replicates"]))
        return bootstrap(result, indices=indices, ci="percentile", seed=1, statistics=statistics)

    return of


def matched(own: pd.DataFrame, stored: dict[str, list], n_groups: int) -> list[tuple[int, int]]:
    """Pairs of positions: our row, lavaan's row."""
    labels = list(dict.fromkeys(own["group"]))
    pairs = []
    keys = zip(stored["lhs"], stored["op"], stored["rhs"], stored["group"])
    place = {(lhs, op, rhs, g): k for k, (lhs, op, rhs, g) in enumerate(keys)}
    for k, row in enumerate(own.itertuples()):
        group = 0 if row.op == ":=" else (labels.index(row.group) + 1 if n_groups > 1 else 1)
        rhs = row.rhs.replace(" ", "") if row.op == ":=" else row.rhs
        for lhs, other in ((row.lhs, rhs), (rhs, row.lhs)):
            if (lhs, row.op, other, group) in place:
                pairs.append((k, place[lhs, row.op, other, group]))
                break
    return pairs


@pytest.mark.parametrize("name", IDS)
def test_replicates_agree_with_lavaan(run, name):
    b, stored = run(name), read()[name]
    assert b.n_failed == 0
    tolerance = LOOSE.get(name, ESTIMATE)
    for k, replicate in enumerate(stored["replicates"]):
        pairs = matched(b.estimates, replicate["estimates"], b.source.n_groups)
        assert len(pairs) >= len(b.source.theta)
        ours, theirs = (list(side) for side in zip(*pairs))
        for block, column in ((b.draws.values, "est"), (b.draws.standardized, "std_all")):
            there = np.array(replicate["estimates"][column], dtype=float)[theirs]
            assert np.allclose(block[k, ours], there, rtol=0, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("name", IDS)
def test_fit_measures_of_replicates_agree_with_lavaan(run, name):
    stored = read()[name]["replicates"]
    names = [n for n in stored[0]["measures"] if name != "gls" or n in ("chisq", "srmr")]
    wanted = [n.replace(".", "_") for n in names]
    tolerance = MEASURE_ORDINAL if name == "wlsmv" else MEASURE
    fast = tuple(n for n in wanted if n in ("chisq", "cfi", "tli", "rmsea"))
    for asked in (fast, tuple(wanted)):
        b = run(name, asked)
        for k, replicate in enumerate(stored):
            for j, n in enumerate(asked):
                there = replicate["measures"][names[wanted.index(n)]]
                if there == "NA":  # lavaan's search for its baseline model did not converge
                    continue
                here = b.draws.statistics[k, j]
                assert here == pytest.approx(there, rel=tolerance, abs=tolerance)


@pytest.fixture(scope="module")
def small(tools: Any):
    """Slope and correlation of 60 rows, with the resamples of the script."""
    stored = read()["intervals"]
    data = tools.read_source("file:sem_survey.csv.gz")[["c1", "s1"]].iloc[: stored["rows"]]
    result = fit("s1 ~ c1", data, fixed_x=False)
    return result, resamples(data, None, stored["number"], stored["n_boot"]), stored


@pytest.mark.parametrize("kind", ["normal", "percentile", "bc", "bca", "student"])
def test_intervals_agree_with_boot(small, kind):
    result, indices, stored = small
    b = bootstrap(result, indices=indices, ci=kind, seed=1)
    row = b.estimates[b.estimates["op"] == "~"].iloc[0]
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(stored["slope"][kind], abs=INTERVAL)
    assert row["se_boot"] == pytest.approx(stored["slope"]["se"], abs=INTERVAL)
    assert row["bias"] == pytest.approx(stored["slope"]["bias"], abs=INTERVAL)
    if kind != "student":  # boot's error of a correlation would need a formula of its own
        row = b.standardized[b.standardized["op"] == "~"].iloc[0]
        there = stored["correlation"][kind]
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(there, abs=INTERVAL)


def test_acceleration_agrees_with_boot(small):
    result, _indices, stored = small
    n = result.n_obs
    left_out = np.array([np.delete(np.arange(n), k) for k in range(n)])
    b = bootstrap(result, indices=left_out, ci="percentile", seed=1)
    k = list(result.estimates["op"]).index("~")
    found = acceleration(b.draws.values)[k], acceleration(b.draws.standardized)[k]
    wanted = stored["slope"]["acceleration"], stored["correlation"]["acceleration"]
    assert found == pytest.approx(wanted, abs=INTERVAL)


def test_bollen_stine_agrees_with_lavaan(tools):
    stored = read()["bollen_stine"]
    data = tools.read_source("file:sem_survey.csv.gz")
    result = fit(stored["model"], data)
    b = bootstrap(
        result, indices=resamples(data, None, stored["number"], len(stored["replicates"])),
        method="bollen-stine", ci="percentile", statistics="chisq", seed=1,
    )  # fmt: skip
    for k, replicate in enumerate(stored["replicates"]):
        pairs = matched(b.estimates, replicate["estimates"], 1)
        ours, theirs = (list(side) for side in zip(*pairs))
        there = np.array(replicate["estimates"]["est"])[theirs]
        assert np.allclose(b.draws.values[k, ours], there, rtol=0, atol=ESTIMATE)
        assert b.draws.statistics[k, 0] == pytest.approx(replicate["chisq"], rel=MEASURE)
