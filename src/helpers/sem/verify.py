"""The models of the bundled studies in other programs: semopy, and lavaan where R has it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import EstimationError, Unavailable
from helpers.sem.agreement import agreement
from helpers.sem.outside import Agreement, compare_engines, fit_with_lavaan, lavaan_available
from helpers.sem.study_fit import ModelFit, fit_model

if TYPE_CHECKING:
    from helpers.survey.load import Study

ESTIMATE_TOLERANCE = 1e-3
"""In standard errors. Where the likelihood is flat, programs that agree on the chi-square to the
eighth digit stop at estimates that differ by more than rounding, but never by this much."""

CHISQ_TOLERANCE = 1e-4
"""Absolute difference in chi-square."""

COLUMNS = (
    "study", "model", "engine", "estimates", "standard_errors", "chisq", "df", "agrees", "remark",
)  # fmt: skip


def verify_studies(studies: Sequence[Study]) -> pd.DataFrame:
    """Fit every model of the studies by plain ML here, in semopy, and in lavaan if it is there.

    Returns
    -------
    DataFrame
        One row a model and program: study, model, engine, estimates, standard_errors, chisq, df
        (largest absolute differences), agrees (within ``ESTIMATE_TOLERANCE`` and
        ``CHISQ_TOLERANCE``; None where no comparison was possible), remark.
    """
    rows = [row for study in studies for row in _study_rows(study)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _study_rows(study: Study) -> Iterator[dict[str, object]]:
    """Yield the rows of one study."""
    for name in study.spec.models:
        head = {"study": study.id, "model": name}
        fitted = fit_model(study, name, estimator="ML", missing="listwise")
        if isinstance(fitted, Unavailable):
            yield {**head, **_row("helpers.sem", fitted)}
            continue
        yield {**head, **_row("semopy", agreement(fitted.result))}
        if lavaan_available():
            yield {**head, **_row("lavaan", _with_lavaan(fitted))}


def _with_lavaan(fitted: ModelFit) -> Agreement | Unavailable:
    """Compare one fit with lavaan's."""
    try:
        return compare_engines(fitted.result, fit_with_lavaan(fitted.syntax, **fitted.data))
    except EstimationError as error:
        return Unavailable("a comparison with lavaan", str(error))


def _row(engine: str, found: Agreement | Unavailable) -> dict[str, object]:
    """Return one comparison as a row."""
    if isinstance(found, Unavailable):
        blank = dict.fromkeys(("estimates", "standard_errors", "chisq", "df"), math.nan)
        return {"engine": engine, **blank, "agrees": None, "remark": found.why}
    df_gap = abs(found.df_ours - found.df_theirs)
    agrees = (
        found.largest_in_errors <= ESTIMATE_TOLERANCE
        and found.chisq_gap <= CHISQ_TOLERANCE
        and df_gap == 0
    )
    return {
        "engine": f"{found.engine} {found.version}",
        "estimates": found.largest_estimate,
        "standard_errors": found.largest_se,
        "chisq": found.chisq_gap,
        "df": df_gap,
        "agrees": agrees,
        "remark": "" if agrees else f"largest at {found.parameter}",
    }


def verdict(table: pd.DataFrame) -> tuple[str, bool]:
    """Return one line that sums a comparison up, and whether no program disagrees."""
    compared = table[table["agrees"].notna()]
    wrong = compared[~compared["agrees"].astype(bool)]
    skipped = len(table) - len(compared)
    text = (
        f"{len(compared) - len(wrong)} of {len(compared)} comparisons agree within "
        f"{ESTIMATE_TOLERANCE:g} standard errors and {CHISQ_TOLERANCE:g} in chi-square; "
        f"{skipped} could not be made."
    )
    return text, wrong.empty
