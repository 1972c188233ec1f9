"""The main results with and without the exclusions, side by side: structural paths, reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import SuiteError, Unavailable
from helpers.i18n import _
from helpers.measurement import coefficient_alpha
from helpers.measurement.rows import scale_fault
from helpers.measurement.study_scales import scale_blocks
from helpers.sem.fit import fit
from helpers.sem.study_fit import fit_model
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

ENDS = ("ci_low", "ci_high")


def rows_without_exclusions(study: Study) -> pd.DataFrame:
    """Return the answers of all received rows but previews and people who did not consent.

    These two are never counted: the first are no respondents, the second did not allow it.
    """
    marks = study.marks.table
    agreed = ~marks["no_consent"].to_numpy()[~marks["preview"].to_numpy()]
    return study.responses_all[agreed].reset_index(drop=True)


def compare_paths(
    study: Study, *, model: str = "structural", estimator: str = "MLR"
) -> pd.DataFrame | Unavailable:
    """Fit a model to the rows analysed and to the rows without exclusions.

    Returns
    -------
    DataFrame or Unavailable
        Columns ``outcome, predictor, label``, then ``est, ci_low, ci_high, n`` with the endings
        ``_kept`` and ``_all``: raw paths with intervals at ``LEVEL``, blanks by full information
        maximum likelihood. Unavailable where nobody is excluded, the study lacks the model, or one
        of the fits is not admissible.

    Notes
    -----
    The two samples overlap, so that the intervals do not tell whether the difference is by chance;
    they tell whether a conclusion would have been another.
    """
    if study.cleaned.n_analysed == study.cleaned.n_received:
        return Unavailable(_("the paths without exclusions"), _("no row is excluded"))
    kept = fit_model(study, model, estimator=estimator)
    if isinstance(kept, Unavailable):
        return kept
    every = rows_without_exclusions(study)[list(kept.result.observed)].astype(float)
    every = every.dropna(how="all")
    blanks = "fiml" if every.isna().to_numpy().any() else "listwise"
    try:
        result = fit(kept.syntax, every, estimator=estimator, missing=blanks)
    except SuiteError as error:
        return Unavailable(_("the paths without exclusions"), str(error))
    if not (kept.trustworthy and result.converged and result.admissible):
        return Unavailable(
            _("the paths without exclusions"),
            _("one of the two solutions has not converged or is not admissible"),
        )
    both = _paths(kept.result.estimates).merge(
        _paths(result.estimates), on=["outcome", "predictor"], suffixes=("_kept", "_all")
    )
    both["label"] = [
        f"{kept.label(p)} → {kept.label(o)}" for o, p in zip(both["outcome"], both["predictor"])
    ]
    return both.assign(n_kept=len(study.responses), n_all=len(every))


def _paths(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return the free regressions of a fit."""
    rows = estimates[(estimates["op"] == "~") & (estimates["se"] > 0)]
    named = rows.rename(columns={"lhs": "outcome", "rhs": "predictor"})
    return named[["outcome", "predictor", "est", *ENDS]].reset_index(drop=True)


def compare_reliability(study: Study) -> pd.DataFrame | Unavailable:
    """Return coefficient alpha of every scale in the rows analysed and without exclusions.

    Returns
    -------
    DataFrame or Unavailable
        Columns ``construct``, then ``alpha, ci_low, ci_high, n`` with the endings ``_kept`` and
        ``_all`` (Feldt intervals), each over its own complete rows.
    """
    if study.cleaned.n_analysed == study.cleaned.n_received:
        return Unavailable(_("reliability without exclusions"), _("no row is excluded"))
    every, least = rows_without_exclusions(study), THRESHOLDS["cell_size"].value
    rows = []
    for code, items in scale_blocks(study).items():
        enough = all(len(d[items].dropna()) >= least for d in (study.responses, every))
        if not enough or any(scale_fault(data[items]) for data in (study.responses, every)):
            continue
        row: dict[str, object] = {"construct": code}
        for ending, data in (("kept", study.responses), ("all", every)):
            found = coefficient_alpha(data[items], construct=code, level=LEVEL)
            row |= {f"alpha_{ending}": found.alpha, f"n_{ending}": found.n_used}
            row |= {f"ci_low_{ending}": found.ci_low, f"ci_high_{ending}": found.ci_high}
        rows.append(row)
    if not rows:
        return Unavailable(
            _("reliability without exclusions"), _("no construct has two items on a scale")
        )
    return pd.DataFrame(rows)
