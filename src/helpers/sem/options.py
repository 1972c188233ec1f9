"""Options of ``fit``: what is allowed, what goes together, and lavaan's defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from helpers.errors import ModelSpecError, listing, nearest
from helpers.sem.partable import GROUP_EQUAL

ESTIMATORS = ("ML", "MLR", "MLM", "MLMV", "GLS", "ULS", "WLS", "WLSMV", "DWLS")
MISSING = ("listwise", "fiml")
INFORMATION = ("expected", "observed")
LIKELIHOODS = ("normal", "wishart")
BOUNDS = ("pos_var",)
ROBUST = ("MLR", "MLM", "MLMV")
"""Normal-theory estimators with robust errors; they need the rows themselves."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked options."""

    estimator: str
    discrepancy: str
    missing: str
    information: str
    likelihood: str
    group_equal: tuple[str, ...]
    group_partial: tuple[str, ...]
    ordered: tuple[str, ...]
    std_lv: bool
    fixed_x: bool
    bounds: str | None

    @property
    def divisor(self) -> int:
        """0 where moments are divided by N, 1 where by N - 1."""
        return 0 if self.discrepancy == "ML" and self.likelihood == "normal" else 1

    @property
    def se_type(self) -> str:
        """Kind of standard errors."""
        if self.estimator == "MLR":
            return "robust sandwich (Huber-White)"
        if self.estimator in ("MLM", "MLMV"):
            return "robust (Satorra-Bentler)"
        if self.ordered:
            return "robust" if self.estimator == "WLSMV" else "standard"
        if self.estimator == "WLSMV":
            return "robust"
        return f"{self.information} information"

    @property
    def test_name(self) -> str:
        """Kind of test."""
        if self.estimator in ("MLM", "MLR"):
            return {"MLM": "satorra-bentler", "MLR": "yuan-bentler-mplus"}[self.estimator]
        if self.estimator == "MLMV":
            return "scaled-shifted"
        if self.estimator == "WLSMV":
            return "mean-adjusted-shifted-ordinal" if self.ordered else "scaled-shifted"
        return "standard"


def _choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """Check one option against its allowed values."""
    if value not in allowed:
        raise ModelSpecError(
            f"fit: {name}= is '{value}'; allowed are {listing(allowed)}."
            f"{nearest(str(value), allowed)} Choose one of them."
        )
    return str(value)


def _names(name: str, value: object) -> tuple[str, ...]:
    """Accept one name or several."""
    if value is None or value is False:
        return ()
    if isinstance(value, str):
        return (value,)
    try:
        return tuple(str(v) for v in value)  # type: ignore[union-attr]
    except TypeError:
        raise ModelSpecError(
            f"fit: {name}= is a {type(value).__name__}; a name or a list of names is needed. "
            f"Write for example {name}=['x1', 'x2']."
        ) from None


def check_options(
    *,
    estimator: str,
    missing: str,
    information: str | None,
    likelihood: str,
    group: str | None,
    group_equal: object,
    group_partial: object,
    ordered: object,
    std_lv: bool,
    fixed_x: bool | None,
    bounds: str | None,
    has_data: bool,
    meanstructure: bool | None,
    grouped: bool,
) -> Settings:
    """Check every option and every pair that does not go together."""
    estimator = _choice("estimator", str(estimator).upper(), ESTIMATORS)
    missing = _choice("missing", missing, MISSING)
    likelihood = _choice("likelihood", likelihood, LIKELIHOODS)
    if bounds is not None:
        bounds = _choice("bounds", str(bounds).replace(".", "_"), BOUNDS)
    equal = tuple(e.replace(".", "_") for e in _names("group_equal", group_equal))
    for entry in equal:
        _choice("group_equal", entry, GROUP_EQUAL)
    ordered = _names("ordered", ordered)
    fiml, discrepancy = missing == "fiml", _discrepancy(estimator)
    if information is not None:
        information = _choice("information", information, INFORMATION)
    _check_pairs(estimator, missing, likelihood, information, ordered, discrepancy)
    if not has_data and (estimator in (*ROBUST, "WLS", "WLSMV", "DWLS") or fiml or ordered):
        what = (
            "missing='fiml'"
            if fiml
            else (f"estimator='{estimator}'" if not ordered else "ordered=")
        )
        raise ModelSpecError(
            f"fit: {what} was asked for with sample_cov=; it needs the rows themselves, because "
            f"moments alone do not show the shape of the data. Give data=, or use estimator='ML'."
        )
    if equal and not grouped:
        raise ModelSpecError(
            f"fit: group_equal= is {listing(equal)} without group=; equality over groups needs "
            f"groups. Set group=, or leave group_equal= out."
        )
    if meanstructure is False and {"intercepts", "means"} & set(equal):
        raise ModelSpecError(
            "fit: meanstructure= is False while group_equal= holds intercepts or means equal; "
            "these need means. Leave meanstructure= out."
        )
    if fixed_x is None:
        fixed_x = discrepancy == "ML" or bool(ordered)
    default = "observed" if estimator == "MLR" or fiml else "expected"
    return Settings(
        estimator, discrepancy, missing, information or default, likelihood, equal,
        _names("group_partial", group_partial), ordered, bool(std_lv), bool(fixed_x), bounds,
    )  # fmt: skip


def _discrepancy(estimator: str) -> str:
    """Discrepancy function behind an estimator."""
    if estimator in ("ML", *ROBUST):
        return "ML"
    return "DWLS" if estimator == "WLSMV" else estimator


def _check_pairs(
    estimator: str,
    missing: str,
    likelihood: str,
    information: str | None,
    ordered: tuple[str, ...],
    discrepancy: str,
) -> None:
    """Raise for options that do not go together."""
    if missing == "fiml" and estimator not in ("ML", "MLR"):
        raise ModelSpecError(
            f"fit: missing= is 'fiml' with estimator='{estimator}'; full information goes with ML "
            f"or MLR. Use estimator='MLR' for robust errors, or missing='listwise'."
        )
    if ordered and discrepancy not in ("DWLS", "ULS", "WLS"):
        raise ModelSpecError(
            f"fit: ordered= names {listing(ordered)} with estimator='{estimator}'; ordered items "
            f"need WLSMV, DWLS, ULS or WLS. Use estimator='WLSMV'."
        )
    if ordered and missing == "fiml":
        raise ModelSpecError(
            "fit: missing= is 'fiml' with ordered=; the likelihood is for continuous items. Use "
            "missing='listwise' with WLSMV, or leave ordered= out."
        )
    if likelihood == "wishart" and (discrepancy != "ML" or missing == "fiml"):
        raise ModelSpecError(
            f"fit: likelihood= is 'wishart' with estimator='{estimator}', missing='{missing}'; it "
            f"is defined for ML on complete data. Leave likelihood= out."
        )
    if information == "observed" and discrepancy != "ML":
        raise ModelSpecError(
            f"fit: information= is 'observed' with estimator='{estimator}'; least squares has "
            f"expected information only. Leave information= out."
        )
