"""What the exclusions do to the scale scores, and whether they hit whom they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import Study
from helpers.survey.scoring import scale_scores
from helpers.thresholds import LEVEL, THRESHOLDS

PLANTED_FLAGS = "truth/flags.csv.gz"
"""True faults of a simulated study's rows; read by recovery checks only, never by cleaning."""


def compare_exclusions(study: Study) -> pd.DataFrame | Unavailable:
    """Compare scale scores of the rows kept with those of the rows excluded.

    Returns
    -------
    DataFrame or Unavailable
        Columns ``construct, n_kept, mean_kept, n_excluded, mean_excluded, mean_all, difference,
        ci_low, ci_high, d``: difference excluded minus kept with Welch's interval, and the same in
        standard deviations of the rows kept. ``mean_all`` is over all rows but previews, the result
        without exclusions. Constructs with too few excluded answers
        (``THRESHOLDS["cell_size"]``) are left out. Unavailable if nobody was excluded.

    Notes
    -----
    Missing-data rule: each construct over the rows with a score. Welch (1947),
    doi:10.2307/2332510; checked by hand in ``tests/survey``.
    """
    everyone = scale_scores(study.folder, study.responses_all)
    kept = everyone["respondent_id"].isin(study.responses["respondent_id"])
    rows = []
    for code in everyone.columns.drop("respondent_id"):
        a, b = everyone.loc[kept, code].dropna(), everyone.loc[~kept, code].dropna()
        if len(b) >= THRESHOLDS["cell_size"].value and len(a) > 1:
            rows.append(_compare(code, a, b))
    if not rows:
        return Unavailable(
            _("a comparison of rows kept and rows excluded"), _("too few rows were excluded")
        )
    return pd.DataFrame(rows)


def _compare(code: str, kept: pd.Series, excluded: pd.Series) -> dict[str, object]:
    """Return one construct's row."""
    low, high = welch_interval(excluded, kept)
    difference = excluded.mean() - kept.mean()
    return {
        "construct": code,
        "n_kept": len(kept),
        "mean_kept": kept.mean(),
        "n_excluded": len(excluded),
        "mean_excluded": excluded.mean(),
        "mean_all": pd.concat([kept, excluded]).mean(),
        "difference": difference,
        "ci_low": low,
        "ci_high": high,
        "d": difference / kept.std() if kept.std() > 0 else np.nan,
    }


def welch_interval(x: pd.Series, y: pd.Series, *, level: float = LEVEL) -> tuple[float, float]:
    """Return Welch's interval of a difference of means, variances not taken as equal."""
    vx, vy = x.var() / len(x), y.var() / len(y)
    df = (vx + vy) ** 2 / (vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1))
    half = stats.t.ppf(0.5 + level / 2, df) * np.sqrt(vx + vy)
    difference = x.mean() - y.mean()
    return float(difference - half), float(difference + half)


def planted_faults(study: Study) -> pd.DataFrame | Unavailable:
    """Hold the exclusions of a simulated study against the faults that were planted.

    Returns
    -------
    DataFrame or Unavailable
        Columns ``kind, n, n_excluded, share, ci_low, ci_high``: rows of each planted kind
        (``honest`` is a sound one) and how many of them were excluded, with Wilson's interval.
    """
    path = study.folder.folder / PLANTED_FLAGS
    if not study.is_simulated or not path.is_file():
        return Unavailable(
            _("a comparison with planted faults"), _("these data were observed, not simulated")
        )
    flags = pd.read_csv(path, usecols=["respondent_id", "kind"], dtype=str)
    excluded = pd.DataFrame(
        {
            "respondent_id": study.intake.meta["respondent_id"],
            "excluded": ~study.cleaned.kept,
        }
    )
    merged = flags.merge(excluded, on="respondent_id", validate="one_to_one")
    table = merged.groupby("kind")["excluded"].agg(["size", "sum"]).reset_index()
    table.columns = ["kind", "n", "n_excluded"]
    table["share"] = table["n_excluded"] / table["n"]
    ends = [wilson_interval(int(h), int(n)) for h, n in zip(table["n_excluded"], table["n"])]
    table[["ci_low", "ci_high"]] = ends
    return table.sort_values("n", ascending=False, ignore_index=True)
