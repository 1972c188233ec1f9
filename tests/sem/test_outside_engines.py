"""Reference: our fits against semopy, always, and against lavaan itself where R has it."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.errors import EstimationError, Unavailable
from helpers.sem import fit
from helpers.sem.outside import (
    agreement_with_semopy,
    compare_engines,
    fit_with_lavaan,
    lavaan_available,
)

MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
STRUCTURE = MODEL + "\nspeed ~ a*visual + textual\ntextual ~ b*visual\nind := a*b"
ITEMS = [f"x{k}" for k in range(1, 10)]

SEMOPY_ESTIMATE = 5e-5  # semopy stops at 1e-12 of its objective, about 1e-5 in the estimates
LAVAAN_ESTIMATE = 3e-5
CHI_SQUARE = 1e-4

needs_lavaan = pytest.mark.skipif(not lavaan_available(), reason="R with lavaan is not installed")


@pytest.mark.parametrize("model", [MODEL, MODEL + "\nspeed ~ visual + textual\nx1 ~~ x4"])
def test_semopy_agrees_on_plain_ml(holzinger: pd.DataFrame, model: str) -> None:
    found = agreement_with_semopy(fit(model, holzinger), holzinger)
    assert not isinstance(found, Unavailable), found
    assert found.n_compared >= 20
    assert found.largest_estimate < SEMOPY_ESTIMATE
    assert found.chisq_gap < CHI_SQUARE
    assert found.df_ours == found.df_theirs
    assert "semopy" in found.text()


def test_a_difference_is_seen(holzinger: pd.DataFrame) -> None:
    """The comparison fails when the two engines see different data."""
    found = agreement_with_semopy(fit(MODEL, holzinger), holzinger.head(200))
    assert found.largest_estimate > 100 * SEMOPY_ESTIMATE


@pytest.mark.parametrize(
    "options", [{"group": "school"}, {"estimator": "GLS"}], ids=["groups", "least squares"]
)
def test_what_semopy_cannot_do_is_said(holzinger: pd.DataFrame, options: dict[str, str]) -> None:
    found = agreement_with_semopy(fit(MODEL, holzinger, **options), holzinger)
    assert isinstance(found, Unavailable)
    assert "semopy" in found.text()


@needs_lavaan
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"estimator": "MLR"},
        {"group": "school", "group_equal": ["loadings", "intercepts", "lv_variances"]},
        {"std_lv": True, "information": "observed"},
    ],
    ids=["ml", "mlr", "groups", "observed"],
)
def test_lavaan_agrees(holzinger: pd.DataFrame, options: dict[str, object]) -> None:
    rows = holzinger[[*ITEMS, "school"]]
    found = compare_engines(fit(MODEL, rows, **options), fit_with_lavaan(MODEL, rows, **options))
    assert found.n_compared >= 21
    assert found.largest_estimate < LAVAAN_ESTIMATE
    assert found.largest_se < LAVAAN_ESTIMATE
    assert found.chisq_gap < CHI_SQUARE
    assert found.df_ours == found.df_theirs


@needs_lavaan
def test_lavaan_from_moments_and_with_definitions(holzinger: pd.DataFrame) -> None:
    cov = holzinger[ITEMS].cov()
    ours = fit(STRUCTURE, sample_cov=cov, n_obs=301)
    found = compare_engines(ours, fit_with_lavaan(STRUCTURE, sample_cov=cov, n_obs=301))
    assert found.n_compared == 22
    assert found.largest_estimate < LAVAAN_ESTIMATE


@needs_lavaan
def test_lavaan_refusal_is_an_error_with_its_reason(holzinger: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="x22"):
        fit_with_lavaan("f =~ x1 + x2 + x22", holzinger[ITEMS])


def test_unknown_option_is_named(holzinger: pd.DataFrame) -> None:
    if not lavaan_available():
        pytest.skip("R with lavaan is not installed")
    with pytest.raises(EstimationError, match="estimater.*estimator"):
        fit_with_lavaan(MODEL, holzinger[ITEMS], estimater="MLR")


def test_no_r_is_a_value_not_an_error(
    holzinger: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpers.sem import outside

    monkeypatch.setattr(outside.shutil, "which", lambda name: None)
    outside.lavaan_version.cache_clear()
    found = fit_with_lavaan(MODEL, holzinger[ITEMS])
    outside.lavaan_version.cache_clear()
    assert isinstance(found, Unavailable)
    assert isinstance(compare_engines(fit(MODEL, holzinger), found), Unavailable)
