"""The recovery paradox of a study: change within people, and against people without recovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, check_level
from helpers.i18n import _
from helpers.regression.attrition import Attrition, attrition_weights
from helpers.regression.change import ChangeEffect, GroupChange, change_effect, compare_change
from helpers.regression.comparisons import hedges_g
from helpers.regression.design import attempt
from helpers.regression.study_importance import numeric_table
from helpers.survey.privacy import least_cell
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

GROUPS = ("all", "recovered", "excellent", "none")


@dataclass(frozen=True, slots=True)
class Paradox:
    """Satisfaction before the failure against after the recovery.

    Attributes
    ----------
    paired : DataFrame
        group (``all recovered excellent none``), n, before, after, change, ci_low, ci_high,
        p_value, dz, dz_low, dz_high, gav, gav_low, gav_high, bound, tost_p, equivalent.
    before, after : str
        Constructs.
    excellent_from : float
    n_failed : dict
        Groups that could not be judged, with their size.
    level : float
    hidden : tuple of str
        Groups that are not shown because they, or those beside them in a group that is shown, are
        so few that they could be told from the difference.
    least : int
        Respondents a group must have to be shown.
    """

    paired: pd.DataFrame
    before: str
    after: str
    excellent_from: float
    n_failed: dict[str, int]
    level: float
    hidden: tuple[str, ...] = ()
    least: int = 0

    def row(self, group: str) -> pd.Series | None:
        """Return one group's row, if it could be judged."""
        found = self.paired[self.paired["group"] == group]
        return None if found.empty else found.iloc[0]


def recovered_flag(study: Study, hypothesis: str) -> pd.Series | Unavailable:
    """Return 1 for respondents who had a recovery and 0 for others, as a hypothesis declares.

    The hypothesis's first test names under ``only`` the item and codes of those with a recovery.
    """
    declared = {h.id: h for h in study.spec.hypotheses}.get(hypothesis)
    if declared is None or not declared.tests or declared.tests[0].only is None:
        return Unavailable(
            _("a comparison with people without recovery"),
            _("the study file does not say who had a recovery"),
        )
    only = declared.tests[0].only
    answers = study.responses[only.item]
    return answers.isin(only.accept).astype(float).where(answers.notna())


def study_paradox(
    study: Study,
    *,
    before: str,
    after: str,
    satisfied: str,
    excellent_from: float,
    hypothesis: str,
    level: float = LEVEL,
) -> Paradox | Unavailable:
    """Compare satisfaction before the failure with satisfaction after the recovery.

    Parameters
    ----------
    study : Study
    before, after, satisfied : str
        Constructs: before the failure, after the recovery, and satisfaction with the recovery.
    excellent_from : float
        Satisfaction with the recovery from which it counts as excellent.
    hypothesis : str
        See ``recovered_flag``.
    level : float
    """
    check_level(level, "study_paradox")
    recovered = recovered_flag(study, hypothesis)
    if isinstance(recovered, Unavailable):
        return recovered
    data = numeric_table(study, [before, after, satisfied])
    chosen = {
        "all": recovered.notna(),
        "recovered": recovered == 1,
        "excellent": (recovered == 1) & (data[satisfied] >= excellent_from),
        "none": recovered == 0,
    }
    whole = data[[before, after]].notna().all(axis=1)
    least = least_cell(study)
    hidden = _told_apart({g: int((rule & whole).sum()) for g, rule in chosen.items()}, least)
    rows, failed = [], {}
    for group, rule in chosen.items():
        own = data[rule]
        pairs = own[[before, after]].dropna()
        if group in hidden:
            continue
        if len(pairs) < 4 or np.ptp((pairs[after] - pairs[before]).to_numpy()) == 0:
            failed[group] = len(pairs)
            continue
        rows.append(_effect_row(group, change_effect(own[before], own[after], level=level)))
    if not rows:
        return Unavailable(
            _("the recovery paradox"), _("no group has four respondents with both answers")
        )
    table = pd.DataFrame(rows)
    return Paradox(table, before, after, excellent_from, failed, level, hidden, least)


def _told_apart(sizes: dict[str, int], least: int) -> tuple[str, ...]:
    """Return groups of so few that they stand out, and those that leave so few of a larger one."""
    parts = {"recovered": "all", "none": "all", "excellent": "recovered"}
    rest = {g: sizes[parts[g]] - n if g in parts else 0 for g, n in sizes.items()}
    return tuple(g for g, n in sizes.items() if 0 < n < least or 0 < rest[g] < least)


def _effect_row(group: str, effect: ChangeEffect) -> dict[str, object]:
    """Return what tables show of a change."""
    names = ("before", "after", "change", "ci_low", "ci_high", "p_value", "dz", "dz_low", "dz_high",
             "gav", "gav_low", "gav_high", "bound", "tost_p", "equivalent")  # fmt: skip
    return {"group": group, "n": effect.n_used} | {name: getattr(effect, name) for name in names}


def study_changes(
    study: Study, pairs: list[tuple[str, str]], *, module: str, level: float = LEVEL
) -> pd.DataFrame | Unavailable:
    """Return the change of several outcomes, items of the main questionnaire or of a later wave.

    Columns as ``Paradox.paired``, with ``before_item`` and ``after_item`` in place of the group,
    and ratio (mean after over mean before), ratio_low, ratio_high.
    """
    check_level(level, "study_changes")
    from helpers.regression.paired import compare_paired

    table = linked(study, [name for pair in pairs for name in pair], module)
    if isinstance(table, Unavailable):
        return table
    rows = []
    for first, last in pairs:
        what = _("the change of an outcome")
        ratio = attempt(what, compare_paired, table[first], table[last], level=level)
        effect = attempt(what, change_effect, table[first], table[last], level=level)
        for value in (ratio, effect):
            if isinstance(value, Unavailable):
                return value
        row = _effect_row("", effect)
        row.pop("group")
        names = {"before_item": first, "after_item": last}
        ends = {"ratio": ratio.ratio, "ratio_low": ratio.ratio_low, "ratio_high": ratio.ratio_high}
        rows.append(names | row | ends)
    return pd.DataFrame(rows)


def linked(study: Study, names: list[str], module: str) -> pd.DataFrame | Unavailable:
    """Return variables of the main questionnaire and of a later wave, one row a respondent.

    The index is that of ``study.responses``; who did not answer the later wave is blank there.
    """
    later = study.module(module)
    if isinstance(later, Unavailable):
        return later
    wave = later.drop_duplicates("respondent_id").set_index("respondent_id")
    ids = study.responses["respondent_id"]
    table = {}
    for name in dict.fromkeys(names):
        if name in wave.columns:
            table[name] = pd.to_numeric(ids.map(wave[name]))
        else:
            table[name] = numeric_table(study, [name])[name]
    out = pd.DataFrame(table, index=study.responses.index)
    return out.assign(answered_again=ids.isin(wave.index))


def study_against_control(
    study: Study, outcomes: list[str], *, before: str, hypothesis: str, level: float = LEVEL
) -> pd.DataFrame | Unavailable:
    """Return each outcome of those with a recovery less those without.

    Columns: outcome, n_with, n_without, difference, ci_low, ci_high (HC3), p_value, g, g_low,
    g_high (Hedges), adjusted, adjusted_low, adjusted_high (satisfaction before held equal).
    """
    check_level(level, "study_against_control")
    recovered = recovered_flag(study, hypothesis)
    if isinstance(recovered, Unavailable):
        return recovered
    data = numeric_table(study, [before, *outcomes])
    rows = []
    for name in outcomes:
        what = _("a comparison with people without recovery")
        few = _too_few(study, what, data[[before, name]], recovered)
        if few is not None:
            return few
        fit = attempt(what, compare_change, data[before], data[name], recovered, level=level)
        if isinstance(fit, Unavailable):
            return fit
        raw, held = fit.effect("after"), fit.effect("ancova")
        used = data[[before, name]].assign(g=recovered).dropna()
        one, two = (used.loc[used["g"] == v, name].to_numpy() for v in (1, 0))
        g, low, high = hedges_g(one, two, level=level)
        rows.append(
            {
                "outcome": name, "n_with": len(one), "n_without": len(two),
                "difference": raw["estimate"], "ci_low": raw["ci_low"], "ci_high": raw["ci_high"],
                "p_value": raw["p_value"], "g": g, "g_low": low, "g_high": high,
                "adjusted": held["estimate"], "adjusted_low": held["ci_low"],
                "adjusted_high": held["ci_high"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _too_few(study: Study, what: str, values: pd.DataFrame, group: pd.Series) -> Unavailable | None:
    """Say that one of two groups has so few complete rows that its mean would show persons."""
    least = least_cell(study)
    sizes = group[values.notna().all(axis=1)].value_counts().reindex([0.0, 1.0], fill_value=0)
    if sizes.min() >= least:
        return None
    why = _("fewer than {k} respondents with all answers had a recovery, or had none")
    return Unavailable(what, why.format(k=least))


@dataclass(frozen=True, slots=True)
class Later:
    """A later wave: who answered, and its change with and without recovery.

    Attributes
    ----------
    attrition : Attrition
    plain, weighted : GroupChange
        Of the outcome, recovered less not, without and with the attrition weights.
    before, after : str
        Items.
    """

    attrition: Attrition
    plain: GroupChange
    weighted: GroupChange
    before: str
    after: str


def study_later(
    study: Study,
    *,
    before: str,
    after: str,
    module: str,
    predictors: list[str],
    hypothesis: str,
    level: float = LEVEL,
) -> Later | Unavailable:
    """Compare a change up to a later wave between those with and without recovery."""
    check_level(level, "study_later")
    recovered = recovered_flag(study, hypothesis)
    table = linked(study, [before, after, *predictors], module)
    for value in (recovered, table):
        if isinstance(value, Unavailable):
            return value
    lost = attempt(
        _("weights against attrition"), attrition_weights, table, table["answered_again"],
        predictors, level=level,
    )  # fmt: skip
    if isinstance(lost, Unavailable):
        return lost
    what = _("the change up to the later wave")
    few = _too_few(study, what, table[[before, after]], recovered)
    if few is not None:
        return few
    both = {"before": table[before], "after": table[after], "group": recovered, "level": level}
    plain = attempt(what, compare_change, **both)
    weighted = attempt(what, compare_change, **both, weights=lost.weights)
    for value in (plain, weighted):
        if isinstance(value, Unavailable):
            return value
    return Later(attrition=lost, plain=plain, weighted=weighted, before=before, after=after)
