"""Who needs help first: the risk of leaving that a study declares, by segment and never by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import (
    DataContractError,
    EstimationError,
    Unavailable,
    check_level,
    passes_unavailable,
)
from helpers.i18n import _
from helpers.results import Number
from helpers.service.risk_fairness import Fairness, fairness
from helpers.service.risk_model import (
    OutOfSample,
    PenalisedLogit,
    PenaltyChoice,
    Rule,
    choose_penalty,
    chosen_again,
    fit_penalised,
    out_of_sample,
)
from helpers.service.risk_optimism import Optimism, plain_optimism
from helpers.service.risk_scores import (
    LEAST,
    Performance,
    calibration_curve,
    call_threshold,
    net_benefit,
    performance,
    row_weights,
)
from helpers.service_specification import Risk
from helpers.survey.small_cells import guard_small_cells
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

Array = NDArray[np.float64]

BLANK = "blank"
"""Code of the column that marks customers who were not asked, or did not answer."""

OTHER = "other"
"""Segment that holds those of segments too small to be shown."""

BETWEEN = "|"
"""Stands between the codes of a segment, one a grouping."""


@dataclass(frozen=True, slots=True)
class RiskData:
    """Who left, and what was known before.

    Attributes
    ----------
    columns : DataFrame
        One column a number (named by the item or construct), one a category but the first
        (``item=code``), and ``item=blank`` where many were not asked; no respondent ids.
    outcome : array
        1 where the customer left.
    fairness, segments : DataFrame
        Codes of the groupings that the study file names.
    plan : Risk
    n_dropped : int
        Customers whose outcome is unknown.
    """

    columns: pd.DataFrame
    outcome: Array
    fairness: pd.DataFrame
    segments: pd.DataFrame
    plan: Risk
    n_dropped: int

    @property
    def matrix(self) -> Array:
        """Return the columns as numbers, blanks as NaN."""
        return self.columns.to_numpy(dtype=float)

    @property
    def filled(self) -> Array:
        """Return the columns with the median in place of blanks."""
        return self.columns.fillna(self.columns.median()).fillna(0.0).to_numpy(dtype=float)


@dataclass(frozen=True, slots=True)
class RiskModel:
    """The model, and how well it does on customers it has not seen.

    Attributes
    ----------
    fit : PenalisedLogit
        Fitted on everybody, at the penalty chosen on everybody.
    choice : PenaltyChoice
    honest : OutOfSample
    apparent, unseen : Performance
        On the customers it was fitted on; on customers it has not seen.
    plain : Optimism or Unavailable
        The unpenalised logit, corrected by bootstrap.
    coefficients : DataFrame
        column, coefficient (log odds for one standard deviation), odds, chosen (share of half
        samples in which it is chosen), largest first.
    """

    fit: PenalisedLogit
    choice: PenaltyChoice
    honest: OutOfSample
    apparent: Performance
    unseen: Performance
    plain: Optimism | Unavailable
    coefficients: pd.DataFrame


@passes_unavailable
def read_risk(study: Study) -> RiskData | Unavailable:
    """Return outcome and predictors of the risk that a study declares.

    Raises
    ------
    DataContractError
        The outcome is among the predictors.
    """
    plan = study.spec.service.risk
    if plan is None:
        return Unavailable(_("the risk of leaving"), _("the study file declares none"))
    if plan.outcome.item in plan.predictors:
        raise DataContractError(
            f"read_risk: predictors= hold the outcome '{plan.outcome.item}' itself; only what is "
            "known before may predict. Take it out of service.risk in study.yml."
        )
    answers = _answers(study, plan)
    if isinstance(answers, Unavailable):
        return answers
    kept = answers.notna().to_numpy()
    columns = pd.concat([_columns(study, name) for name in plan.predictors], axis=1)
    return RiskData(
        columns[kept].reset_index(drop=True),
        answers[kept].isin(plan.outcome.accept).to_numpy(dtype=float),
        _codes(study, plan.fairness, kept),
        _codes(study, plan.segments, kept),
        plan,
        int((~kept).sum()),
    )


def _answers(study: Study, plan: Risk) -> pd.Series | Unavailable:
    """Return the outcome's answers in the order of the responses."""
    if plan.module == "main":
        return study.responses[plan.outcome.item]
    module = study.module(plan.module)
    if isinstance(module, Unavailable):
        return module
    own = module.drop_duplicates("respondent_id").set_index("respondent_id")[plan.outcome.item]
    return study.responses["respondent_id"].map(own)


def _columns(study: Study, name: str) -> pd.DataFrame:
    """Return one predictor as columns, with a mark of its own where many answers lack.

    A blank stays blank in every column of a category: it is not taken for the first one.
    """
    if name in study.scores.columns:
        values, kind = study.scores[name], "number"
    else:
        values, kind = study.responses[name], study.scale_of(name).kind
    values = values.astype(float)
    found = {name: values}
    if kind == "category":
        codes = sorted(values.dropna().unique())
        known = values.notna()
        found = {
            f"{name}={code:g}": (values == code).astype(float).where(known) for code in codes[1:]
        }
    if values.isna().sum() >= THRESHOLDS["group_size"].value:
        found[f"{name}={BLANK}"] = values.isna().astype(float)
    return pd.DataFrame(found)


def _codes(study: Study, groupings: list[str], kept: Array) -> pd.DataFrame:
    """Return the codes of groupings."""
    found = {name: study.responses[study.spec.groups[name].item] for name in groupings}
    return pd.DataFrame(found, index=study.responses.index)[kept].reset_index(drop=True)


@passes_unavailable
def risk_model(
    data: RiskData,
    *,
    rule: Rule = "best",
    folds: int = 5,
    repeats: int = 5,
    draws: int = 200,
    seed: int = 1,
) -> RiskModel | Unavailable:
    """Fit the risk of leaving and judge it on customers it has not seen.

    Returns ``Unavailable`` if nearly everybody, or nearly nobody, left.
    """
    x, y = data.matrix, data.outcome
    events = int(y.sum())
    if min(events, len(y) - events) < LEAST:
        why = _(
            "{events} of {n} customers left; at least {least} who left and who stayed are needed"
        )
        return Unavailable(
            _("the risk of leaving"), why.format(events=events, n=len(y), least=LEAST)
        )
    choice = choose_penalty(x, y, rule=rule, seed=seed)
    fit = fit_penalised(x, y, penalty=choice.penalty)
    try:
        honest = out_of_sample(x, y, rule=rule, folds=folds, repeats=repeats, seed=seed)
        apparent = performance(y, fit.predict(x))
        unseen = performance(y, honest.risk)
    except EstimationError:  # the same risk for everybody
        why = _("nothing that was known before tells those who left from those who stayed")
        return Unavailable(_("the risk of leaving"), why)
    try:
        plain: Optimism | Unavailable = plain_optimism(data.filled, y, draws=draws, seed=seed)
    except EstimationError:
        plain = Unavailable(
            _("the plain logit"), _("it has no finite estimate with so few leavers")
        )
    table = pd.DataFrame(
        {
            "column": data.columns.columns,
            "coefficient": fit.coefficients,
            "odds": np.exp(fit.coefficients),
            "chosen": chosen_again(x, y, penalty=choice.penalty, draws=draws, seed=seed),
        }
    )
    order = table["coefficient"].abs().sort_values(ascending=False, kind="stable").index
    return RiskModel(
        fit, choice, honest, apparent, unseen, plain, table.loc[order].reset_index(drop=True)
    )


@passes_unavailable
def risk_calibration(data: RiskData, model: RiskModel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ``calibration_curve`` of unseen customers."""
    return calibration_curve(data.outcome, model.honest.risk)


@passes_unavailable
def risk_benefit(
    data: RiskData, model: RiskModel, thresholds: Sequence[float], *, seed: int = 1
) -> pd.DataFrame:
    """Return ``net_benefit`` of unseen customers."""
    return net_benefit(data.outcome, model.honest.risk, thresholds, seed=seed)


@passes_unavailable
def risk_fairness(
    data: RiskData, model: RiskModel, *, threshold: float, seed: int = 1
) -> dict[str, Fairness | Unavailable]:
    """Return errors over each grouping that the study file names."""
    found: dict[str, Fairness | Unavailable] = {}
    for name in data.fairness:
        try:
            found[name] = fairness(
                data.outcome, model.honest.risk, data.fairness[name],
                threshold=threshold, seed=seed,
            )  # fmt: skip
        except EstimationError:
            why = _("fewer than two groups are large enough to be shown")
            found[name] = Unavailable(_("errors by group"), why)
    return found


@passes_unavailable
def risk_segments(
    data: RiskData,
    model: RiskModel,
    *,
    cost: float,
    worth: float,
    kept: float,
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> pd.DataFrame | Unavailable:
    """Return the segments, the one whose customers gain most from calls first.

    A call goes to customers whose risk reaches ``call_threshold``. It costs ``cost`` and brings
    ``worth * kept`` if the customer was about to leave.

    Returns
    -------
    DataFrame
        segment (codes joined by ``|``, one a grouping; ``other`` for the small ones together),
        n_used, expected (leavers expected from the risks), predicted (mean risk), observed (share
        that left), called (share), gain with ci_low and ci_high: money per 100 customers of the
        segment, from what happened, with a bootstrap interval of its customers. Where a table of
        leavers and calls by segment would have to hide a count, observed, called and gain lack.
    """
    check_level(level, "risk_segments")
    if data.segments.empty or not len(data.segments.columns):
        return Unavailable(_("segments"), _("the study file names none for the risk of leaving"))
    threshold = call_threshold(cost=cost, worth=worth, kept=kept)
    y, p = data.outcome, model.honest.risk
    gain = np.where(p >= threshold, y * worth * kept - cost, 0.0)
    labels = _segment_labels(data.segments)
    calls = p >= threshold
    cells = {(out, call): (y == out) & (calls == call) for out in (0, 1) for call in (0, 1)}
    counts = pd.DataFrame(cells).astype(int).groupby(labels.to_numpy(), sort=True).sum()
    shown = guard_small_cells(counts).table.notna().all(axis=1)
    rng = np.random.default_rng(seed)
    rows = []
    for segment in counts.index:
        own = (labels == segment).to_numpy()
        rows.append(_segment(segment, y[own], p[own], gain[own], threshold, draws, rng, level))
    table = pd.DataFrame(rows)
    hidden = ~shown.to_numpy()
    table.loc[hidden, ["observed", "called", "gain", "ci_low", "ci_high"]] = np.nan
    return table.sort_values("gain", ascending=False, kind="stable").reset_index(drop=True)


def _segment_labels(codes: pd.DataFrame) -> pd.Series:
    """Return each customer's segment; small ones together, blank where that is still too few."""
    least = THRESHOLDS["group_size"].value
    labels = codes.map("{:g}".format).agg(BETWEEN.join, axis=1).where(codes.notna().all(axis=1))
    sizes = labels.map(labels.value_counts())
    labels = labels.where(labels.isna() | (sizes >= least), OTHER)
    return labels if (labels == OTHER).sum() >= least else labels.where(labels != OTHER)


def _segment(
    segment: str,
    y: Array,
    p: Array,
    gain: Array,
    threshold: float,
    draws: int,
    rng: np.random.Generator,
    level: float,
) -> dict[str, object]:
    """Return one row of the list."""
    drawn = np.concatenate([w @ gain for w in row_weights(len(y), draws, rng)]) / len(y)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return {
        "segment": segment,
        "n_used": len(y),
        "expected": float(p.sum()),
        "predicted": float(p.mean()),
        "observed": float(y.mean()),
        "called": float((p >= threshold).mean()),
        "gain": 100 * float(gain.mean()),
        "ci_low": 100 * float(low),
        "ci_high": 100 * float(high),
    }


@passes_unavailable
def leaks(data: RiskData, model: RiskModel, *, seed: int = 1) -> tuple[str, float, Performance]:
    """Look for signs that the future has leaked into the predictors.

    Returns
    -------
    (str, float, Performance)
        The column that ranks best alone, its area under the curve (turned to lie above 0.5), and
        the performance of the whole procedure when the outcomes are shuffled, which should be that
        of chance.
    """
    y = data.outcome
    ones = int(y.sum())
    areas = {}
    for name, values in data.columns.items():
        ranks = values.fillna(values.median()).fillna(0.0).rank().to_numpy()
        area = (ranks[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones))
        areas[str(name)] = max(area, 1 - area)
    best = max(areas, key=lambda name: areas[name])
    shuffled = np.random.default_rng(seed).permutation(y)
    chance = out_of_sample(
        data.matrix, shuffled, folds=model.honest.folds, repeats=1, seed=seed
    )  # fmt: skip
    return best, float(areas[best]), performance(shuffled, chance.risk)


def risk_numbers(model: RiskModel | Unavailable) -> list[Number]:
    """Return how well the risks do, for ``results.json``; of no single customer."""
    if isinstance(model, Unavailable):
        return []
    found, honest = model.unseen, "nested cross-validation"
    return [
        Number(
            "risk_auc", found.auc, "area under the curve, unseen customers", found.auc_low,
            found.auc_high, found.level, found.n_used, method=f"{honest}; DeLong, logit scale",
        ),
        Number("risk_brier", found.brier, "mean squared error of the risk", n_used=found.n_used,
               method=honest),
        Number(
            "risk_slope", found.slope, "calibration slope, unseen customers", found.slope_low,
            found.slope_high, found.level, found.n_used, method=f"{honest}; Wald",
        ),
    ]  # fmt: skip
