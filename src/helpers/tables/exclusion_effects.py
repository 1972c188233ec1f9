"""The main results with and without the exclusions, as tables and sentences."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.results import CheckResult
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.numbers import format_interval, format_number
from helpers.thresholds import LEVEL


def _both(key: str, label: str, kind: str) -> list[Column]:
    """Return the four columns of an estimate with and without exclusions."""
    bounded = kind == "bounded"
    return [
        Column(f"{key}_kept", _("{what}, analysed").format(what=label), kind),
        interval_column("ci_low_kept", "ci_high_kept", label=interval_label(), bounded=bounded),
        Column(f"{key}_all", _("{what}, without exclusions").format(what=label), kind),
        interval_column("ci_low_all", "ci_high_all", label=interval_label(), bounded=bounded),
    ]


def paths_table(compared: pd.DataFrame | Unavailable) -> ApaTable | Unavailable:
    """Return every path of the structural model with and without the exclusions."""
    if isinstance(compared, Unavailable):
        return compared
    return apa_table(
        compared,
        caption=_("Structural paths with and without the exclusions"),
        columns=[
            Column("label", _("Path"), "text"),
            *_both("est", "b", "number"),
        ],
        note=_(
            "Raw paths; blanks by full information maximum likelihood. Analysed: n = {kept}; "
            "without exclusions (all rows but previews and people who did not consent): n = {all}."
        ).format(kept=int(compared["n_kept"].iloc[0]), all=int(compared["n_all"].iloc[0])),
    )


def paths_frame(compared: pd.DataFrame | Unavailable) -> pd.DataFrame | Unavailable:
    """Return both estimates of every path for a figure, side by side by ``sample``."""
    if isinstance(compared, Unavailable):
        return compared
    names = {"kept": _("analysed"), "all": _("without exclusions")}
    ends = {"est": "estimate", "ci_low": "ci_low", "ci_high": "ci_high"}
    parts = [
        compared[["label", *(f"{k}_{ending}" for k in ends)]]
        .set_axis(["label", *ends.values()], axis=1)
        .assign(sample=name)
        for ending, name in names.items()
    ]
    return pd.concat(parts, ignore_index=True)


def path_axis() -> str:
    """Return the label of the axis of the paths."""
    return _("Raw path (b)")


def paths_sentence(compared: pd.DataFrame | Unavailable) -> str:
    """Read the path that moves most aloud, and how many conclusions change."""
    if isinstance(compared, Unavailable):
        return _("The paths are not compared: {why}.").format(why=compared.why)
    moved = (compared["est_all"] - compared["est_kept"]).abs()
    worst = compared.loc[moved.idxmax()]
    return _(
        "{changed} of {n} paths would lead to another conclusion without the exclusions; {path} "
        "moves most, from {kept} ({level:.0%} CI {kept_ci}) to {all} ({all_ci})."
    ).format(
        changed=int(_changed(compared).sum()), n=len(compared), path=worst["label"], level=LEVEL,
        kept=format_number(worst["est_kept"]), all=format_number(worst["est_all"]),
        kept_ci=format_interval(worst["ci_low_kept"], worst["ci_high_kept"]),
        all_ci=format_interval(worst["ci_low_all"], worst["ci_high_all"]),
    )  # fmt: skip


def _changed(compared: pd.DataFrame) -> pd.Series:
    """Tell of which paths the interval speaks for another sign, or for none."""
    return _verdict(compared, "kept") != _verdict(compared, "all")


def _verdict(compared: pd.DataFrame, ending: str) -> pd.Series:
    """Return 1 or -1 for an interval above or below zero, 0 for one that holds zero."""
    above, below = compared[f"ci_low_{ending}"] > 0, compared[f"ci_high_{ending}"] < 0
    return above.astype(int) - below.astype(int)


def reliability_table(study: Study, compared: pd.DataFrame | Unavailable) -> ApaTable | Unavailable:
    """Return coefficient alpha of every scale with and without the exclusions."""
    if isinstance(compared, Unavailable):
        return compared
    return apa_table(
        compared.assign(construct=compared["construct"].map(study.construct_name)),
        caption=_("Coefficient alpha with and without the exclusions"),
        columns=[
            Column("construct", _("Construct"), "text"),
            *_both("alpha", _("alpha"), "bounded"),
        ],
        note=_("Raw alpha with Feldt intervals, each scale over its own complete rows."),
    )


def reliability_sentence(study: Study, compared: pd.DataFrame | Unavailable) -> str:
    """Read the scale whose reliability changes most aloud."""
    if isinstance(compared, Unavailable):
        return _("The reliabilities are not compared: {why}.").format(why=compared.why)
    moved = compared["alpha_all"] - compared["alpha_kept"]
    worst = compared.loc[moved.abs().idxmax()]
    return _(
        "Alpha moves most for {construct}: {kept} ({level:.0%} CI {kept_ci}) in the rows analysed, "
        "{all} ({all_ci}) without exclusions."
    ).format(
        construct=study.construct_name(worst["construct"]), level=LEVEL,
        kept=format_number(worst["alpha_kept"], bounded=True),
        all=format_number(worst["alpha_all"], bounded=True),
        kept_ci=format_interval(worst["ci_low_kept"], worst["ci_high_kept"], bounded=True),
        all_ci=format_interval(worst["ci_low_all"], worst["ci_high_all"], bounded=True),
    )  # fmt: skip


def conclusion_checks(compared: pd.DataFrame | Unavailable) -> list[CheckResult | Unavailable]:
    """Check that no path's conclusion hangs on the exclusions."""
    if isinstance(compared, Unavailable):
        return [compared]
    changed = compared.loc[_changed(compared), "label"].tolist()
    return [
        CheckResult(
            _("No conclusion hangs on the exclusions"), not changed, float(len(changed)), 0.0,
            _("definition: the interval speaks for the same sign"),
            _("Paths whose interval speaks for another sign without exclusions: {paths}.").format(
                paths=_(", ").join(changed) or _("none")
            ),
        )
    ]  # fmt: skip
