"""Tables and sentences: reasons of blanks, score rules, imputation, and treatments side by side."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import CheckResult, Number
from helpers.sem.missing_methods import MissingComparison
from helpers.survey.branches import asked
from helpers.survey.imputation import Imputations
from helpers.survey.load import Study
from helpers.survey.missing import NOT_ASKED, blanks_by_reason
from helpers.survey.scoring import compare_score_rules, count_scores
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import format_number, format_percent
from helpers.tables.survey_cleaning import reason_label
from helpers.tables.survey_missing import answered_items
from helpers.thresholds import THRESHOLDS


def method_label(method: str) -> str:
    """Return the name of a treatment of missing answers."""
    return {
        "fiml": _("FIML"),
        "fiml_auxiliary": _("FIML with auxiliary variables"),
        "imputation": _("Multiple imputation"),
        "listwise": _("Complete rows only"),
    }[method]


def short_label(method: str) -> str:
    """Return a treatment's name where there is little room."""
    return {
        "fiml": _("FIML"),
        "fiml_auxiliary": _("With auxiliary"),
        "imputation": _("Imputation"),
        "listwise": _("Complete rows"),
    }[method]


def path_label(study: Study, lhs: str, op: str, rhs: str) -> str:
    """Return ``Recovery → Loyalty``; for a loading, the item after its construct."""
    first, last = (rhs, lhs) if op == "~" else (lhs, rhs)
    return f"{study.construct_name(first)} → {study.construct_name(last)}"


def blank_reasons(study: Study) -> pd.DataFrame:
    """Return why answers of the cleaned respondents are blank, by reason."""
    was_asked = asked(study.folder, study.responses, answered_items(study))
    return blanks_by_reason(study.responses, study.reasons, was_asked=was_asked)


def blank_reasons_table(reasons: pd.DataFrame) -> ApaTable | Unavailable:
    """Return the reasons of blanks; those that are no missing answers are told apart."""
    if reasons.empty:
        return Unavailable(_("a table of blank cells"), _("no cell is blank"))
    words = {True: _("missing answer"), False: _("not asked")}
    shown = reasons.assign(
        reason=[_("not asked") if r == NOT_ASKED else reason_label(r) for r in reasons["reason"]],
        counts=reasons["is_missing"].map(words),
    )
    return apa_table(
        shown,
        caption=_("Why answers are blank"),
        columns=[
            Column("reason", _("Reason"), "text"),
            Column("counts", _("Counts as"), "text"),
            Column("cells", _("Cells"), "integer"),
            Column("items", _("Items concerned"), "integer"),
            Column("respondents", _("Respondents"), "integer"),
        ],
        note=_("Cleaned respondents, items of the main questionnaire."),
    )


def blank_reasons_sentence(reasons: pd.DataFrame) -> str | Unavailable:
    """Read aloud how many blanks are missing answers."""
    if reasons.empty:
        return Unavailable(_("a table of blank cells"), _("no cell is blank"))
    total = int(reasons["cells"].sum())
    lost = int(reasons.loc[reasons["is_missing"], "cells"].sum())
    return _(
        "Blank cells: {total}; missing answers among them: {lost}; cells of questions "
        "that were not asked: {rest}."
    ).format(total=total, lost=lost, rest=total - lost)


def paths_wide(comparison: MissingComparison | Unavailable) -> pd.DataFrame | Unavailable:
    """Return one row a path, columns ``est_ se_`` by method, and ``fmi``."""
    if isinstance(comparison, Unavailable):
        return comparison
    keys = ["lhs", "op", "rhs"]
    wide = comparison.paths[keys].drop_duplicates().reset_index(drop=True)
    for method, own in comparison.paths.groupby("method", sort=False):
        named = own.set_index(keys)[["est", "se"]].add_suffix(f"_{method}")
        wide = wide.merge(named.reset_index(), on=keys, how="left")
        if method == "imputation":
            wide = wide.merge(own[[*keys, "fmi"]], on=keys, how="left")
    return wide


@passes_unavailable
def treatments_table(comparison: MissingComparison) -> ApaTable:
    """Return the paths under each treatment, side by side."""
    wide = paths_wide(comparison)
    ends = zip(wide["lhs"], wide["op"], wide["rhs"])
    wide["path"] = [f"{b} → {a}" if op == "~" else f"{a} → {b}" for a, op, b in ends]
    columns = [Column("path", _("Path"), "text")]
    for method in comparison.paths["method"].unique():
        columns.append(Column(f"est_{method}", short_label(method), "number"))
        if method != "fiml_auxiliary":  # its errors are read in a sentence
            columns.append(Column(f"se_{method}", "SE", "number", 3))
        if method == "imputation":
            columns.append(Column("fmi", "FMI", "percent", 1))
    used = comparison.paths.groupby("method", sort=False)["n_used"].first()
    sizes = _("; ").join(f"{method_label(m)} n = {n}" for m, n in used.items())
    return apa_table(
        wide,
        caption=_("The same paths under several treatments of missing answers"),
        columns=columns,
        note=_(
            "Unstandardised paths with robust standard errors. {sizes}. {m} imputations; FMI: "
            "fraction of missing information; auxiliary variables: {names}."
        ).format(
            sizes=sizes, m=getattr(comparison.imputations, "m", 0),
            names=_(", ").join(comparison.auxiliary) or _("none"),
        ),
    )  # fmt: skip


@passes_unavailable
def treatments_sentence(comparison: MissingComparison) -> str:
    """Read aloud how far the treatments lie apart."""
    paths = comparison.paths
    parts = []
    for method in paths["method"].unique()[1:]:
        own = paths[paths["method"] == method]
        parts.append(f"{method_label(method)} {format_number(own['shift'].abs().max())}")
    listwise = paths[paths["method"] == "listwise"]
    text = _(
        "Largest distance of a path from its FIML estimate, in standard errors: {readings}."
    ).format(readings=_("; ").join(parts))
    if listwise.empty:
        return text
    n, kept = int(paths["n_used"].iloc[0]), int(listwise["n_used"].iloc[0])
    ratio = (
        listwise["se"].to_numpy()
        / paths.loc[paths["method"] == paths["method"].iloc[0], "se"].to_numpy()
    ).mean()
    return text + " " + _(
        "Complete rows use {kept} of {n} respondents, and their standard errors are on average "
        "{ratio} times as large."
    ).format(kept=kept, n=n, ratio=format_number(ratio))  # fmt: skip


@passes_unavailable
def treatments_figure(study: Study, comparison: MissingComparison, most: int = 8) -> pd.DataFrame:
    """Return the paths that the treatments move most, for a forest plot."""
    paths = comparison.paths.assign(
        label=[path_label(study, r.lhs, r.op, r.rhs) for r in comparison.paths.itertuples()],
        treatment=comparison.paths["method"].map(short_label),
    )
    paths = paths[paths["method"] != "fiml_auxiliary"]
    moved = paths.groupby("label", sort=False)["shift"].apply(lambda s: s.abs().max())
    chosen = set(moved.nlargest(most).index)
    shown = paths[paths["label"].isin(chosen)].rename(columns={"est": "estimate"})
    return shown.reset_index(drop=True)


@passes_unavailable
def auxiliary_sentence(comparison: MissingComparison) -> str | Unavailable:
    """Read aloud how much the auxiliary variables help."""
    wide = paths_wide(comparison)
    for method in ("fiml", "fiml_auxiliary"):
        if method in comparison.unavailable:
            return comparison.unavailable[method]
    ratio = wide["se_fiml_auxiliary"] / wide["se_fiml"]
    return _(
        "With the auxiliary variables the standard errors of the paths are {low} to {high} times "
        "those without."
    ).format(low=format_number(ratio.min(), 3), high=format_number(ratio.max(), 3))


@passes_unavailable
def imputation_sentence(comparison: MissingComparison) -> str | Unavailable:
    """Read aloud what was imputed, and what more imputations would gain."""
    made = comparison.imputations
    if "imputation" in comparison.unavailable or isinstance(made, Unavailable):
        return comparison.unavailable["imputation"]
    own = comparison.paths[comparison.paths["method"] == "imputation"]
    worst = own.loc[own["fmi"].idxmax()]
    gain = 1 / (1 + worst["fmi"] / made.m)
    return _(
        "{blanks} blanks in {k} items were filled {m} times; at most {fmi} of the information on a "
        "path is missing ({path}), for which {m} imputations reach {gain} of the efficiency of "
        "infinitely many; copies on which the model failed: {failed}."
    ).format(
        blanks=int(made.n_imputed.sum()), k=len(made.n_imputed), m=made.m,
        fmi=format_percent(worst["fmi"], 1), path=f"{worst['lhs']} {worst['op']} {worst['rhs']}",
        gain=format_percent(gain, 2), failed=comparison.n_failed,
    )  # fmt: skip


@passes_unavailable
def trace_data(comparison: MissingComparison, most: int = 4) -> pd.DataFrame | Unavailable:
    """Return the trace of the items with most imputed values, for a figure."""
    if isinstance(comparison.imputations, Unavailable):
        return comparison.imputations
    return imputation_trace(comparison.imputations, most)


def imputation_trace(made: Imputations, most: int = 4) -> pd.DataFrame:
    """Return the trace of the items with most imputed values."""
    chosen = list(made.n_imputed.nlargest(most).index)
    return made.trace[made.trace["item"].isin(chosen)].reset_index(drop=True)


def treatments_checks(
    comparison: MissingComparison | Unavailable,
) -> list[CheckResult | Unavailable]:
    """Check that FIML and imputation agree, and that the copies were enough."""
    if isinstance(comparison, Unavailable):
        return [comparison]
    lacking = [comparison.unavailable[m] for m in ("fiml", "imputation")
               if m in comparison.unavailable]  # fmt: skip
    if lacking:
        return [lacking[0]]
    paths = comparison.paths
    shift = float(paths.loc[paths["method"] == "imputation", "shift"].abs().max())
    limit = THRESHOLDS["treatment_shift"]
    fmi = float(paths["fmi"].max())
    least = THRESHOLDS["imputations_per_fmi"]
    per_share = comparison.imputations.m / fmi if fmi > 0 else float("inf")
    return [
        CheckResult(
            _("FIML and imputation agree"), limit.holds(shift), shift, limit.value,
            _(limit.source),
            _("No path moves by more than {shift} of its standard errors.").format(
                shift=format_number(shift)
            ),
        ),
        CheckResult(
            _("Enough imputations"), least.holds(per_share), per_share, least.value,
            _(least.source),
            _("{m} imputations where the path that loses most misses {share} of its information; "
              "a rule of thumb asks for as many as percent are missing.").format(
                m=comparison.imputations.m, share=format_percent(fmi, 1)
            ),
        ),
    ]  # fmt: skip


def treatments_numbers(comparison: MissingComparison | Unavailable) -> list[Number]:
    """Return the paths by method for ``results.json``; none where nothing could be compared."""
    if isinstance(comparison, Unavailable):
        return []
    words = {
        "fiml": "ML over all answers, MLR errors",
        "fiml_auxiliary": "ML over all answers, saturated correlates, MLR errors",
        "imputation": "Rubin's rules over imputations by predictive mean matching, MLR errors",
        "listwise": "ML over complete rows, MLR errors",
    }
    return [
        Number(
            f"{row.method}_{row.lhs}_{row.rhs}", float(row.est), words[row.method],
            ci_low=float(row.ci_low), ci_high=float(row.ci_high), level=comparison.level,
            n_used=int(row.n_used),
        )
        for row in comparison.paths.itertuples()
    ]  # fmt: skip


def score_counts_table(study: Study, most: int = 10) -> ApaTable | Unavailable:
    """Return how the scale scores came about, those with most blanks, and the rule behind them."""
    counted = count_scores(study.folder, study.responses)
    counted = counted[(counted["n_prorated"] > 0) | (counted["n_without"] > 0)]
    if counted.empty:
        return Unavailable(_("a table of scores from fewer items"), _("no answer is missing"))
    shown = counted.sort_values("n_complete", kind="stable").head(most)
    return apa_table(
        shown.assign(construct=shown["construct"].map(study.construct_name)),
        caption=_("Scale scores: from all items, from fewer, or none"),
        columns=[
            Column("construct", _("Construct"), "text"),
            Column("n_items", _("Items"), "integer"),
            Column("min_share", _("Least share answered"), "percent", 0),
            Column("n_complete", _("All items"), "integer"),
            Column("n_prorated", _("Fewer items"), "integer"),
            Column("n_without", _("No score"), "integer"),
        ],
        note=_(
            "Rule of the study file (key scores); a score is the mean of the items answered. "
            "Constructs with most blanks of the {k} that have any."
        ).format(k=len(counted)),
    )


def score_rules_sentence(study: Study) -> str:
    """Read aloud how much the rule of the scale scores matters."""
    table = compare_score_rules(study.folder, study.responses)
    if table.empty:
        return _("No scale has a blank item, so every rule gives the same scores.")
    top = table.loc[table["shift"].abs().idxmax()]
    return _(
        "Under the strictest of three rules (half, three quarters or all items answered) no mean "
        "of a scale moves by more than {shift} standard deviations ({construct})."
    ).format(shift=format_number(abs(top["shift"]), 3), construct=top["construct"])
