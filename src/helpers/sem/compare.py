"""Comparing nested models: chi-square differences, scaled where the tests are scaled.

References
----------
Satorra (2000), doi:10.1007/978-1-4615-4603-0_17; Satorra & Bentler (2001),
doi:10.1007/BF02296192, and (2010), doi:10.1007/s11336-009-9135-y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import null_space
from scipy.special import chdtrc

from helpers.errors import EstimationError, ModelSpecError, Unavailable, listing
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.optimize import tangent
from helpers.sem.result import SemResult

Array = np.ndarray
METHODS = ("default", "standard", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000")
NESTED = 1e-6
"""A restricted model may fit better than the free one by rounding, relative to chi-square."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Difference of two nested models.

    Attributes
    ----------
    chisq_diff, df_diff, p_value : float
        Scaled difference test; ``p_value`` is ``Unavailable`` where it cannot be given.
    scaling : float or None
        Factor by which the plain difference was divided.
    delta_cfi, delta_rmsea : float
        Restricted minus free.
    """

    chisq_diff: float
    df_diff: float
    p_value: float | Unavailable
    method: str
    scaling: float | None
    chisq_plain: float
    delta_cfi: float
    delta_rmsea: float
    delta_aic: float | None
    delta_bic: float | None
    n_used: int
    trustworthy: bool
    """Both models converged and are admissible; without it no verdict is given."""

    @property
    def delta_chisq(self) -> float:
        """The scaled difference of the chi-squares."""
        return self.chisq_diff

    @property
    def delta_df(self) -> float:
        """The difference of the degrees of freedom."""
        return self.df_diff

    def table(self) -> Any:
        """Return the comparison as a one-row DataFrame."""
        import pandas as pd

        return pd.DataFrame([self.to_dict()])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe values."""
        p = self.p_value
        return {
            "chisq_diff": self.chisq_diff,
            "df_diff": self.df_diff,
            "p_value": None if isinstance(p, Unavailable) else p,
            "method": self.method,
            "scaling": self.scaling,
            "delta_cfi": self.delta_cfi,
            "delta_rmsea": self.delta_rmsea,
            "delta_aic": self.delta_aic,
            "delta_bic": self.delta_bic,
            "n_used": self.n_used,
        }

    def text(self) -> str:
        """Return one sentence."""
        if not self.trustworthy:
            return _(
                "No verdict: at least one of the two models did not converge or is not admissible."
            )
        if isinstance(self.p_value, Unavailable):
            return self.p_value.text()
        return _(
            "The restricted model fits worse by chi-square {chisq} on {df} degrees of freedom, "
            "p = {p} (N = {n}, {method})."
        ).format(
            chisq=f"{self.chisq_diff:.3f}",
            df=f"{self.df_diff:g}",
            p=f"{self.p_value:.4f}",
            n=self.n_used,
            method=self.method,
        )


@remembered
def compare(restricted: SemResult, free: SemResult, *, method: str = "default") -> Comparison:
    """Test the difference of two nested models.

    Parameters
    ----------
    restricted, free : SemResult
        Order does not matter; the model with more degrees of freedom is the restricted one.
    method : str
        ``default`` is as lavaan: plain for plain tests, Satorra-Bentler (2001) for MLM and MLR,
        Satorra (2000) with mean and variance adjustment for MLMV and WLSMV.

    Raises
    ------
    ModelSpecError
        Different data, variables or estimators, or an unknown method.
    EstimationError
        The restricted model fits better than the free one: the models are not nested.

    Notes
    -----
    Checked against lavaan ``lavTestLRT``: ``tests/reference/``.
    """
    if method not in METHODS:
        raise ModelSpecError(
            f"compare: method= is '{method}'; allowed are {listing(METHODS)}. Choose one of them."
        )
    if free.test.df > restricted.test.df:
        restricted, free = free, restricted
    _check_pair(restricted, free)
    plain = restricted.test.chisq - free.test.chisq
    df = restricted.test.df - free.test.df
    if method == "default":
        method = _default_method(restricted)
    chisq, scaling = _scaled(restricted, free, plain, df, method)
    return _assemble(restricted, free, chisq, df, plain, method, scaling)


def _assemble(
    restricted: SemResult,
    free: SemResult,
    chisq: float,
    df: float,
    plain: float,
    method: str,
    scaling: float | None,
) -> Comparison:
    """Collect the result."""
    a, b = restricted.fit_measures, free.fit_measures
    return Comparison(
        chisq_diff=float(chisq), df_diff=df, p_value=_p(chisq, df, scaling), method=method,
        scaling=scaling, chisq_plain=float(plain), delta_cfi=_difference(a, b, "cfi"),
        delta_rmsea=_difference(a, b, "rmsea"), delta_aic=_optional(a, b, "aic"),
        delta_bic=_optional(a, b, "bic"), n_used=restricted.n_obs,
        trustworthy=all(r.converged and r.admissible for r in (restricted, free)),
    )  # fmt: skip


def _p(chisq: float, df: float, scaling: float | None) -> float | Unavailable:
    """Upper tail, or why there is none."""
    if df <= 0:
        return Unavailable(_("the difference test"), _("both models have the same freedom"))
    if not np.isfinite(chisq) or (scaling is not None and scaling <= 0):
        return Unavailable(
            _("the difference test"), _("the scaling factor of the difference is not positive")
        )
    return float(chdtrc(df, max(chisq, 0.0)))


def _difference(a: dict, b: dict, key: str) -> float:
    """Restricted minus free; NaN if one is not available."""
    first, second = a.get(key), b.get(key)
    if isinstance(first, Unavailable | None) or isinstance(second, Unavailable | None):
        return float("nan")
    return float(first - second)


def _optional(a: dict, b: dict, key: str) -> float | None:
    """Difference, or None where the estimator has no likelihood."""
    value = _difference(a, b, key)
    return value if np.isfinite(value) else None


def _check_pair(restricted: SemResult, free: SemResult) -> None:
    """Raise if the two fits cannot be compared."""
    for name in ("estimator", "n_obs", "n_groups", "missing", "meanstructure"):
        one, two = getattr(restricted, name), getattr(free, name)
        if one != two:
            raise ModelSpecError(
                f"compare: the models have {name} {one} and {two}; nested models are fitted to the "
                f"same rows in the same way. Fit both with the same data and options."
            )
    if set(restricted.observed) != set(free.observed):
        odd = set(restricted.observed) ^ set(free.observed)
        raise ModelSpecError(
            f"compare: only one of the models has {listing(sorted(odd))}; nested models explain "
            f"the same variables. Add them to the other model, or compare by BIC."
        )
    gap = restricted.test.chisq - free.test.chisq
    if gap < -NESTED * max(1.0, free.test.chisq) and restricted.converged and free.converged:
        raise EstimationError(
            f"compare: the restricted model has the smaller chi-square "
            f"({restricted.test.chisq:.4f} against {free.test.chisq:.4f}); nested models cannot. "
            f"Check that one model is a "
            f"special case of the other, and that both found their minimum."
        )


def _default_method(result: SemResult) -> str:
    """lavaan's choice."""
    if result.test.scaled is None:
        return "standard"
    return "satorra.2000" if result.test.shift is not None else "satorra.bentler.2001"


def _scaled(
    restricted: SemResult, free: SemResult, plain: float, df: float, method: str
) -> tuple[float, float | None]:
    """Scaled difference and its scaling factor."""
    if method == "standard" or df <= 0:
        return plain, None
    if restricted.test.scaled is None:
        raise ModelSpecError(
            f"compare: method= is '{method}', but the models have plain tests; scaled differences "
            f"need MLM, MLR, MLMV or WLSMV. Refit, or use method='standard'."
        )
    if method == "satorra.2000":
        from helpers.sem.difference import satorra_2000

        return satorra_2000(restricted, free, plain, int(df))
    c0 = _factor(restricted)
    if method == "satorra.bentler.2010":
        from helpers.sem.difference import factor_at

        c1 = factor_at(free, restricted)
    else:
        c1 = _factor(free)
    c = (restricted.test.df * c0 - free.test.df * c1) / df
    return plain / c, c


def _factor(result: SemResult) -> float:
    """Scaling factor of a test; 1 for a saturated model."""
    return result.test.scaling if result.test.df > 0 and result.test.scaling else 1.0


def free_directions(result: SemResult) -> Array:
    """Basis of the free directions over all free rows of a result."""
    reduction = result.context.reduction
    basis = tangent(reduction, result.theta, 0)
    return np.eye(len(result.theta)) if basis is None else basis


def restriction_matrix(delta_free: Array, delta_restricted: Array) -> Array:
    """Restrictions A on the free model's parameters that give the restricted one (delta method)."""
    h = np.linalg.pinv(delta_free) @ delta_restricted
    return null_space(h.T).T
