"""The Kano pairs that a study file declares, and what was planted in the simulated ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import SuiteError, Unavailable, check_level, passes_unavailable
from helpers.i18n import _
from helpers.regression.design import study_term
from helpers.results import Number
from helpers.service.asymmetry import penalty_reward
from helpers.service.kano import EVALUATION, LEAST, LETTERS, kano_classes, whole_pairs
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study


@passes_unavailable
def study_kano(
    study: Study, *, n_boot: int = 5000, level: float = LEVEL
) -> pd.DataFrame | Unavailable:
    """Return the classes of the attributes that a study declares; see ``kano_classes``.

    Attributes with fewer whole pairs than ``LEAST`` are left out.
    """
    check_level(level, "study_kano")
    plan = study.spec.service.kano
    if plan is None:
        return Unavailable(_("the Kano analysis"), _("the study file declares none"))
    answers = study.responses if plan.module == "main" else study.module(plan.module)
    if isinstance(answers, Unavailable):
        return answers
    if "in_sample" in answers:
        answers = answers[answers["in_sample"]].reset_index(drop=True)
    pairs = [
        (a.code, a.functional, a.dysfunctional)
        for a in plan.attributes
        if whole_pairs(answers[a.functional], answers[a.dysfunctional]) >= LEAST
    ]
    if not pairs:
        return Unavailable(
            _("the Kano analysis"),
            _("no attribute has {n} answers to both of its questions").format(n=LEAST),
        )
    return kano_classes(answers, pairs, answers=plan.answers, n_boot=n_boot, level=level)


@passes_unavailable
def study_asymmetry(
    study: Study, *, level: float = LEVEL
) -> tuple[pd.DataFrame, int] | Unavailable:
    """Return slopes below and above the middle of the ratings that a study declares."""
    check_level(level, "study_asymmetry")
    plan = study.spec.service.kano
    if plan is None or plan.outcome is None or not plan.ratings:
        return Unavailable(
            _("penalties and rewards"), _("the study file names no ratings and outcome for them")
        )
    names = [plan.outcome, *plan.ratings]
    data = {name: study_term(study, name).columns.iloc[:, 0] for name in names}
    try:
        return penalty_reward(pd.DataFrame(data), plan.outcome, plan.ratings, level=level)
    except SuiteError as error:
        return Unavailable(_("penalties and rewards"), str(error))


def planted_shares(truth: Mapping[str, Any]) -> pd.DataFrame:
    """Return the shares of the six classes that the simulated study leads to.

    Each person holds one class and answers both questions accordingly; with the chance of a slip
    an answer is any of the five. The shares of classes after the slips follow exactly.

    Returns
    -------
    DataFrame
        One row an attribute in the order of the study, columns ``M O A I R Q``.
    """
    from helpers.survey.simulate.modules import KANO_ANSWERS

    spec = truth["modules"]["kano"]
    slip = spec["slip"] / 2
    per_class = []
    for sides in KANO_ANSWERS.values():
        first, second = (
            slip / 5 + (1 - slip) * np.isin(np.arange(1, 6), options) / len(options)
            for options in sides
        )
        joint = np.outer(first, second)
        letters = np.array([[LETTERS.index(letter) for letter in row] for row in EVALUATION])
        per_class.append([joint[letters == k].sum() for k in range(len(LETTERS))])
    shares = np.asarray(spec["attributes"]) @ np.asarray(per_class)
    return pd.DataFrame(shares, columns=list(LETTERS))


def kano_numbers(table: pd.DataFrame | Unavailable, *, level: float = LEVEL) -> list[Number]:
    """Return Better and Worse of every attribute for ``results.json``; none without classes."""
    check_level(level, "kano_numbers")
    if isinstance(table, Unavailable):
        return []
    words = {
        "better": "(A + O) / (A + O + M + I), Berger et al. (1993)",
        "worse": "-(O + M) / (A + O + M + I), Berger et al. (1993)",
    }
    return [
        Number(
            f"{name}_{row['code']}", row[name], words[name], row[f"{name}_low"],
            row[f"{name}_high"], level, row["n_used"], method="Wilson",
        )
        for row in table.to_dict("records")
        for name in words
    ]  # fmt: skip
