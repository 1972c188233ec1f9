"""What the exclusions do to the scale scores, and whether they hit whom they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import Unavailable, check_level
from helpers.i18n import _
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import Study
from helpers.survey.mark_agreement import SIGNS
from helpers.survey.privacy import least_cell
from helpers.survey.scoring import scale_scores
from helpers.thresholds import LEVEL

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
        without exclusions. Constructs with fewer excluded answers than the study's k
        (``least_cell``) are left out. Unavailable if nobody was excluded.

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
        if len(b) >= least_cell(study) and len(a) > 1:
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
    check_level(level, "welch_interval")
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
    kinds = _planted_kinds(study)
    if isinstance(kinds, Unavailable):
        return kinds
    merged = pd.DataFrame({"kind": kinds, "excluded": ~study.cleaned.kept})
    table = merged.groupby("kind")["excluded"].agg(["size", "sum"]).reset_index()
    table.columns = ["kind", "n", "n_excluded"]
    table["share"] = table["n_excluded"] / table["n"]
    ends = [wilson_interval(int(h), int(n)) for h, n in zip(table["n_excluded"], table["n"])]
    table[["ci_low", "ci_high"]] = ends
    return table.sort_values("n", ascending=False, ignore_index=True)


CARELESS = ("speeder", "inattentive", "straight_liner")
"""Planted kinds of careless answering; the others are unfinished, repeated or unwanted rows."""


def detection_by_mark(study: Study) -> pd.DataFrame | Unavailable:
    """Hold each sign of carelessness against the carelessness that was planted.

    Returns
    -------
    DataFrame or Unavailable
        One row a sign that the study can compute: ``mark``, the share of each planted kind that
        carries it (``speeder, inattentive, straight_liner``), ``sensitivity`` over the three kinds
        together and ``false_alarms`` among sound rows, both with Wilson's interval
        (``sens_low, sens_high, false_low, false_high``); ``n_careless, n_sound``.
    """
    kinds = _planted_kinds(study)
    if isinstance(kinds, Unavailable):
        return kinds
    careless, sound = kinds.isin(CARELESS), kinds == "honest"
    rows = []
    for mark in (m for m in SIGNS if m not in study.marks.unavailable):
        hit = study.marks.table[mark]
        found, false = int((hit & careless).sum()), int((hit & sound).sum())
        n_careless, n_sound = int(careless.sum()), int(sound.sum())
        sens, alarm = wilson_interval(found, n_careless), wilson_interval(false, n_sound)
        row: dict[str, object] = {"mark": mark}
        row |= {kind: float(hit[kinds == kind].mean()) for kind in CARELESS}
        row |= {"sensitivity": found / n_careless, "sens_low": sens[0], "sens_high": sens[1]}
        row |= {"false_alarms": false / n_sound, "false_low": alarm[0], "false_high": alarm[1]}
        rows.append(row | {"n_careless": n_careless, "n_sound": n_sound})
    return pd.DataFrame(rows)


def _planted_kinds(study: Study) -> pd.Series | Unavailable:
    """Return the planted kind of every received row, in the order of the rows."""
    path = study.folder.folder / PLANTED_FLAGS
    if not study.is_simulated or not path.is_file():
        return Unavailable(
            _("a comparison with planted faults"), _("these data were observed, not simulated")
        )
    flags = pd.read_csv(path, usecols=["respondent_id", "kind"], dtype=str)
    ids = study.intake.meta["respondent_id"]
    return ids.map(flags.set_index("respondent_id")["kind"]).rename("kind")
