"""Key paths under every defensible way to analyse the same study: the specification curve.

Which rows count, what is done about blanks, which estimator, which controls and whether constructs
are latent or mean scores: each choice can be defended, and each combination is fitted. The spread
of the estimates shows how far a finding hangs on choices (Simonsohn, Simmons & Nelson 2020,
doi:10.1038/s41562-020-0912-z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import ModelSpecError, SuiteError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.fit import fit
from helpers.sem.specification_choices import (
    DECLARED,
    Effect,
    Material,
    direct_effects,
    make_material,
)
from helpers.workers import Progress, run_blocks

if TYPE_CHECKING:
    from helpers.survey.load import Study

CHOICES = ("exclusion", "missing", "estimator", "controls", "scale")
ESTIMATORS = ("ML", "MLR", "WLSMV")
MISSING = ("fiml", "listwise")
SCALES = ("latent", "scores")


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to analyse: a model of the study file, the rows, and the options of the fit."""

    model: str
    controls: str
    exclusion: str
    missing: str
    estimator: str
    scale: str


@dataclass(frozen=True, slots=True)
class SpecificationCurve:
    """Estimates of the key paths in every specification.

    Attributes
    ----------
    table : DataFrame
        One row a path and specification: hypothesis, outcome, predictor, sign (as expected),
        specification (number), model, the ``CHOICES``, declared (the study's own way), estimate
        (fully standardised), se, ci_low, ci_high, p_value, n_used, converged, admissible, reason
        (why it does not count; empty if it does).
    omitted : tuple of Unavailable
        Choices that were not made, with the reason.
    same_rows : dict
        Exclusion that was not made -> the one that keeps the same rows.
    level : float
    """

    table: pd.DataFrame
    omitted: tuple[Unavailable, ...]
    same_rows: Mapping[str, str]
    level: float

    @property
    def counted(self) -> pd.DataFrame:
        """Return the rows that count: converged, admissible, with an interval."""
        return self.table[self.table["reason"] == ""]

    @property
    def summary(self) -> pd.DataFrame:
        """Return one row a path.

        Columns hypothesis, outcome, predictor, sign, n_all, n (that count), declared (estimate of
        the study's own way), median, low, high, share_sign (estimates with the expected sign),
        share_clear (intervals without zero), share_in_line (intervals wholly on the expected side).
        The shares are of ``n`` and describe choices, not samples: the specifications share their
        data, so no error rate belongs to them.
        """
        keys = ["hypothesis", "outcome", "predictor", "sign"]
        grouped = self.table.groupby(keys, sort=False)
        return pd.DataFrame([dict(zip(keys, key)) | _summary(own) for key, own in grouped])

    def by_choice(self, hypothesis: str, outcome: str, predictor: str) -> pd.DataFrame:
        """Return, for one path, n, median, low and high for every level of every choice."""
        own = path_rows(self.counted, hypothesis, outcome, predictor)
        rows = []
        for choice in CHOICES:
            for level, part in own.groupby(choice, sort=False)["estimate"]:
                spread = {"median": part.median(), "low": part.min(), "high": part.max()}
                rows.append({"choice": choice, "level": level, "n": len(part)} | spread)
        return pd.DataFrame(rows, columns=["choice", "level", "n", "median", "low", "high"])


@remembered
def specification_curve(
    study: Study,
    *,
    estimators: Sequence[str] = ESTIMATORS,
    missing: Sequence[str] = MISSING,
    scales: Sequence[str] = SCALES,
    workers: int = 1,
    scheduler: str | None = None,
    keep: str | Path | None = None,
    progress: Progress | None = None,
) -> SpecificationCurve | Unavailable:
    """Estimate the paths of the direct hypotheses in every combination of choices.

    Parameters
    ----------
    study : Study
        With respondents, and with hypotheses of kind ``direct`` that name rows of a model.
    estimators : subset of {"ML", "MLR", "WLSMV"}
        WLSMV treats the items as ordered categories; it goes with latent constructs and complete
        rows only, and, where a model has covariates, with the declared rows only, because it is
        slow there.
    missing : subset of {"fiml", "listwise"}
        FIML is left out where nothing is missing.
    scales : subset of {"latent", "scores"}
        ``scores`` replaces every latent variable of the model by the mean of its indicators (of
        those answered, if at least ``THRESHOLDS["answered_share"]`` are), and estimates the same
        paths among them.
    workers, scheduler, keep, progress
        Where the specifications run, see ``helpers.workers.run_blocks``.

    Returns
    -------
    SpecificationCurve or Unavailable
        Exclusions: as declared; none; each rule of the study file left out. Previews and people
        who did not agree to take part are out everywhere. Controls: the hypothesis's model, and
        every model of the study file that adds nothing but the study's control variables to it. A
        specification that fails stays in the table with its reason.

    Raises
    ------
    ModelSpecError
        An unknown or empty choice.

    Notes
    -----
    Estimates are fully standardised with delta-method intervals, because raw paths of latent
    variables, ordered items and mean scores have different units. No joint test is given: the
    permutation test of the source needs data made under the null for every specification, and for
    a structural model there is no rearrangement of rows that removes one path and leaves the rest.

    Checked against lavaan on the same rows (``tests/reference/specification_curve.R``, 1e-5) and,
    for mean scores, against least squares by hand.
    """
    _check("estimators", estimators, ESTIMATORS)
    _check("missing", missing, MISSING)
    _check("scales", scales, SCALES)
    lacking = study.offers("rows", "hypotheses")
    if lacking is not None:
        return lacking
    effects = direct_effects(study)
    if not effects:
        why = _("no direct hypothesis of the study file names a path of a model")
        return Unavailable(_("a specification curve"), why)
    material = make_material(study, effects, scales)
    blocks = specifications(material, estimators, missing)
    rows = run_blocks(
        partial(fit_specification, material), blocks,
        workers=workers, scheduler=scheduler, keep=keep, progress=progress,
    )  # fmt: skip
    table = pd.DataFrame(
        [{"specification": i + 1} | row for i, found in enumerate(rows) for row in found]
    )
    omitted = (*material.omitted, *_not_ordinal(material, estimators))
    table = table.assign(declared=_declared(table))
    return SpecificationCurve(table, omitted, material.same_rows, material.level)


def specifications(
    material: Material, estimators: Sequence[str], missing: Sequence[str]
) -> list[Specification]:
    """Return every combination of choices that goes together."""
    blocks = []
    for version, exclusion, blanks, estimator in product(
        material.versions, material.kept, missing, estimators
    ):
        if blanks == "fiml" and not version.blanks and "listwise" in missing:
            continue
        if estimator == "WLSMV" and (
            blanks == "fiml"
            or not version.ordered
            or (version.covariates and exclusion != DECLARED)
        ):
            continue
        blocks.append(
            Specification(
                version.model, version.controls, exclusion, blanks, estimator, version.scale
            )
        )
    return blocks


def fit_specification(material: Material, block: Specification) -> list[dict[str, object]]:
    """Fit one specification; return one row a key path of its model."""
    version = material.version(block.model, block.scale)
    data = version.columns(material.rows[material.kept[block.exclusion]])
    shared = {name: getattr(block, name) for name in ("model", *CHOICES)}
    ordered = version.ordered if block.estimator == "WLSMV" else ()
    try:
        result = fit(
            version.syntax, data, estimator=block.estimator, missing=block.missing, ordered=ordered
        )
    except SuiteError as error:
        return [_failed(e, str(error)) | shared for e in version.effects]
    state = {
        "n_used": result.n_obs,
        "converged": bool(result.converged),
        "admissible": bool(result.admissible),
    }
    table = result.standardized
    return [_row(e, table, result.problems) | state | shared for e in version.effects]


def path_rows(table: pd.DataFrame, hypothesis: str, outcome: str, predictor: str) -> pd.DataFrame:
    """Return the rows of one path."""
    own = (table["hypothesis"] == hypothesis) & (table["outcome"] == outcome)
    return table[own & (table["predictor"] == predictor)]


def _row(effect: Effect, table: pd.DataFrame, problems: Sequence[str]) -> dict[str, object]:
    """Return one path's standardised estimate, or why it does not count."""
    own = table[(table["op"] == "~") & (table["lhs"] == effect.outcome)]
    row = own[own["rhs"] == effect.predictor].iloc[0]
    reason = "; ".join(problems)
    if not reason and not np.isfinite(row["ci_low"]):
        reason = _("the interval cannot be computed")
    return effect.named() | {
        "estimate": row["est_std"],
        "se": row["se"],
        "ci_low": row["ci_low"],
        "ci_high": row["ci_high"],
        "p_value": row["p_value"],
        "reason": reason,
    }


def _failed(effect: Effect, reason: str) -> dict[str, object]:
    """Return the row of a path whose specification could not be fitted."""
    blank = dict.fromkeys(("estimate", "se", "ci_low", "ci_high", "p_value", "n_used"), np.nan)
    return effect.named() | blank | {"converged": False, "admissible": False, "reason": reason}


def _declared(table: pd.DataFrame) -> pd.Series:
    """Mark the study's own way: declared rows, robust ML, all answers, latent, no controls."""
    own = (table["exclusion"] == DECLARED) & (table["controls"] == "without")
    for choice, order in (
        ("estimator", ("MLR", *ESTIMATORS)), ("missing", MISSING), ("scale", SCALES)
    ):  # fmt: skip
        found = set(table.loc[own, choice])
        own &= table[choice] == next((level for level in order if level in found), "")
    return own


def _summary(own: pd.DataFrame) -> dict[str, object]:
    """Summarise one path over the specifications that count."""
    used = own[own["reason"] == ""]
    declared = used.loc[used["declared"], "estimate"]
    out = {"n_all": len(own), "n": len(used)}
    out["declared"] = declared.iloc[0] if len(declared) else np.nan
    if used.empty:
        names = ("median", "low", "high", "share_sign", "share_clear", "share_in_line")
        return out | dict.fromkeys(names, np.nan)
    estimate, low, high = (used[c] for c in ("estimate", "ci_low", "ci_high"))
    out |= {"median": estimate.median(), "low": estimate.min(), "high": estimate.max()}
    clear = (low > 0) | (high < 0)
    side = {"+": 1.0, "-": -1.0}.get(own["sign"].iloc[0])
    if side is None:  # no direction was expected
        return out | {"share_sign": np.nan, "share_clear": clear.mean(), "share_in_line": np.nan}
    agrees = side * estimate > 0
    return out | {
        "share_sign": agrees.mean(),
        "share_clear": clear.mean(),
        "share_in_line": (clear & agrees).mean(),
    }


def _not_ordinal(material: Material, estimators: Sequence[str]) -> list[Unavailable]:
    """Say which combinations with ordered items were not made."""
    if "WLSMV" not in estimators:
        return []
    out = []
    if not any(v.ordered for v in material.versions):
        why = _("no latent construct of the models is measured by rating items")
        out.append(Unavailable(_("items as ordered categories"), why))
    elif any(v.ordered and v.covariates for v in material.versions) and len(material.kept) > 1:
        what = _("items as ordered categories together with controls and other exclusions")
        out.append(Unavailable(what, _("each such fit takes several seconds")))
    return out


def _check(name: str, given: Sequence[str], allowed: Sequence[str]) -> None:
    """Refuse an empty or unknown choice."""
    given = [given] if isinstance(given, str) else list(given)
    unknown = [g for g in given if g not in allowed]
    if not given or unknown:
        found = f"has '{unknown[0]}'" if unknown else "is empty"
        close = nearest(unknown[0], allowed) if unknown else ""
        raise ModelSpecError(
            f"specification_curve: {name}= {found}; a list from {listing(allowed)} is "
            f"needed.{close} Name at least one of them."
        )
