"""Reliability of a study's scales beyond alpha and omega total, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import SuiteError, Unavailable
from helpers.i18n import _
from helpers.measurement.hierarchical import hierarchical_omega
from helpers.measurement.pls_reliability import estimate_rho_a
from helpers.measurement.reliability_intervals import reliability_intervals
from helpers.measurement.rows import scale_fault
from helpers.measurement.study_scales import scale_blocks
from helpers.sem.model_reliability import omega_categorical, second_order_omega

if TYPE_CHECKING:
    from helpers.survey.load import Study

MOST_CATEGORIES = 10
"""Items with more answers than this are treated as continuous."""


@dataclass(frozen=True, slots=True)
class MoreReliability:
    """Further coefficients of the scales of one model, and of constructs with facets.

    Attributes
    ----------
    rows : DataFrame
        One row a scale: construct, then standardized, cr, ave, omega_cat, rho_a, each with _low
        and _high; a cell can be ``Unavailable``.
    facets : DataFrame
        One row a construct with facets and a way to estimate: construct, way (``"schmid_leiman"``
        or ``"second_order"``), omega_h and omega_t with _low and _high, n_used. May be empty.
    n_boot, seed : int
    """

    rows: pd.DataFrame
    facets: pd.DataFrame
    n_boot: int
    seed: int

    def table(self) -> pd.DataFrame:
        """Return one row a scale."""
        return self.rows


def study_more_reliability(
    study: Study,
    *,
    model: str | None = "measurement",
    n_boot: int = 1000,
    n_boot_facets: int = 100,
    seed: int = 0,
) -> MoreReliability | Unavailable:
    """Estimate the further coefficients of a model's scales (of all scales, if it is lacking).

    Parameters
    ----------
    study : Study
    model : str, optional
    n_boot : int
        Draws for standardised alpha and rho_A.
    n_boot_facets : int
        Draws for omega hierarchical by Schmid and Leiman, which extracts and rotates in each.
    seed : int
    """
    if not study.has_rows:
        return Unavailable(_("further coefficients"), _("only scale correlations were published"))
    blocks = {
        code: items
        for code, items in scale_blocks(study, model=model).items()
        if not scale_fault(study.responses[items])
    }
    if not blocks:
        return Unavailable(_("further coefficients"), _("no scale has two items that vary"))
    rho = _rho(study, blocks, n_boot, seed)
    rows = []
    for code, items in blocks.items():
        own = study.responses[items]
        found = reliability_intervals(own, construct=code, n_boot=n_boot, seed=seed)
        row: dict[str, Any] = {"construct": code, "n_items": len(items), "n_used": found.n_used}
        row |= {"standardized": found.standardized_alpha, "standardized_low":
                found.standardized_low, "standardized_high": found.standardized_high}  # fmt: skip
        for name in ("cr", "cr_low", "cr_high", "ave", "ave_low", "ave_high"):
            row[name] = getattr(found, name)
        rows.append(row | _categorical(own, code) | rho.get(code, _three("rho_a", _no_rho())))
    return MoreReliability(pd.DataFrame(rows), _facets(study, n_boot_facets, seed), n_boot, seed)


def _three(name: str, value: Any) -> dict[str, Any]:
    """Return a value for a coefficient and both of its limits."""
    return {name: value, f"{name}_low": value, f"{name}_high": value}


def _no_rho() -> Unavailable:
    """Say why rho_A is missing."""
    return Unavailable("rho_A", _("its weights need a second scale, and iterations that settle"))


def _rho(
    study: Study, blocks: dict[str, list[str]], n_boot: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return rho_A of every scale that has one."""
    try:
        found = estimate_rho_a(study.responses, blocks, n_boot=min(n_boot, 500), seed=seed)
    except SuiteError:  # shown as not available for every scale
        return {}
    return {
        row["construct"]: {k: row[k] for k in ("rho_a", "rho_a_low", "rho_a_high")}
        for row in found.rows.to_dict("records")
    }


def _categorical(items: pd.DataFrame, code: str) -> dict[str, Any]:
    """Return omega categorical with its interval, or why there is none."""
    what = _("omega categorical")
    if items.shape[1] < 3:
        return _three(
            "omega_cat",
            Unavailable(what, _("a one-factor model of two items is not identified")),
        )
    if items.nunique().max() > MOST_CATEGORIES:
        return _three("omega_cat", Unavailable(what, _("the items have too many categories")))
    try:
        found = omega_categorical(items, construct=code)
    except SuiteError as error:
        return _three("omega_cat", Unavailable(what, str(error)))
    values = (found.value, found.ci_low, found.ci_high)
    return dict(zip(("omega_cat", "omega_cat_low", "omega_cat_high"), values, strict=True))


def _facets(study: Study, n_boot: int, seed: int) -> pd.DataFrame:
    """Return omega hierarchical of every construct with facets, by both ways."""
    rows = []
    for construct in study.spec.constructs:
        facets = {f: study.items_of(f) for f in construct.facets or ()}
        facets = {f: items for f, items in facets.items() if len(items) > 1}
        if len(facets) < 3:
            continue
        columns = [item for items in facets.values() for item in items]
        own = study.responses[columns]
        try:
            found = hierarchical_omega(
                own, construct=construct.code, n_factors=len(facets), n_boot=n_boot, seed=seed
            )
            row = {k: getattr(found, k) for k in ("omega_h", "omega_h_low", "omega_h_high",
                   "omega_t", "omega_t_low", "omega_t_high", "n_used")}  # fmt: skip
            rows.append({"construct": construct.code, "way": "schmid_leiman", **row})
            head, total = second_order_omega(own, facets, construct=construct.code)
        except SuiteError:  # what could be estimated stays in the table
            continue
        row = {"omega_h": head.value, "omega_h_low": head.ci_low, "omega_h_high": head.ci_high,
               "omega_t": total.value, "omega_t_low": total.ci_low, "omega_t_high": total.ci_high,
               "n_used": head.n_used}  # fmt: skip
        rows.append({"construct": construct.code, "way": "second_order", **row})
    return pd.DataFrame(rows)
