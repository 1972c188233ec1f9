"""The trial that a study file declares: every outcome, the design, and looks on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from helpers.errors import (
    DataContractError,
    EstimationError,
    SuiteError,
    Unavailable,
    check_level,
    listing,
    passes_unavailable,
)
from helpers.i18n import _, pick
from helpers.results import Number
from helpers.service.pilot import LEAST, ArmEffect, arm_effect
from helpers.service.pilot_design import (
    Cuped,
    allocation_check,
    balance,
    cuped,
    detectable,
    stratified_effect,
)
from helpers.service.sequential import MOST_LOOKS, Looks, Spending, boundaries, crossing
from helpers.service_specification import Pilot, PilotOutcome
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class Trial:
    """The rows of a trial.

    Attributes
    ----------
    frame : DataFrame
        One row a customer in file order: ``arm`` (0 control, 1 on trial), ``stratum``, and the
        outcomes and covariates under their item names; shares are 0/1.
    plan : Pilot
        What the study file declares.
    n_other : int
        Rows whose arm is neither of the two.
    """

    frame: pd.DataFrame
    plan: Pilot
    n_other: int

    @property
    def primary(self) -> PilotOutcome:
        """Return the outcome that was named first, before the data were seen."""
        return self.plan.outcomes[0]


@dataclass(frozen=True, slots=True)
class OutcomeEffect:
    """An outcome with its effect, its p-value among the others, and what could have been seen."""

    outcome: PilotOutcome
    effect: ArmEffect
    p_holm: float
    detectable: float
    size: str


@passes_unavailable
def read_trial(study: Study) -> Trial | Unavailable:
    """Return the trial of a study.

    Raises
    ------
    DataContractError
        An arm without anybody in it.
    """
    plan = study.spec.service.pilot
    if plan is None:
        return Unavailable(_("the trial"), _("the study file declares none"))
    module = study.module(plan.module)
    if isinstance(module, Unavailable):
        return module
    rows = module[module["in_sample"]].reset_index(drop=True)
    codes = {float(plan.control): 0.0, float(plan.treated): 1.0}
    arm = rows[plan.arm].map(codes)
    sizes = arm.value_counts()
    if len(sizes) < 2:
        found = listing(rows[plan.arm].dropna().unique())
        raise DataContractError(
            f"read_trial: arm= '{plan.arm}' holds {found}; customers with {plan.control} (control) "
            f"and with {plan.treated} (on trial) are needed. Correct service.pilot in study.yml."
        )
    frame = pd.DataFrame({"arm": arm})
    frame["stratum"] = rows[plan.stratum] if plan.stratum else 0.0
    for outcome in plan.outcomes:
        values = rows[outcome.item]
        if outcome.kind == "share":
            values = values.isin(outcome.success).astype(float).where(values.notna())
        frame[outcome.item] = values
        if outcome.before:
            frame[outcome.before] = rows[outcome.before]
    known = _known_before(study, rows["respondent_id"])
    for name in plan.balance:
        frame[name] = rows[name] if name in rows else known[name].to_numpy()
    return Trial(frame[arm.notna()].reset_index(drop=True), plan, int(arm.isna().sum()))


@passes_unavailable
def trial_effects(trial: Trial, *, level: float = LEVEL) -> list[OutcomeEffect | Unavailable]:
    """Return the effect on every outcome in the order declared; all but the first p are Holm's.

    The first outcome is the primary one and keeps its own p-value. An outcome that cannot be
    compared says why; where it is the primary one, no other takes its place.
    """
    check_level(level, "trial_effects")
    plans = trial.plan.outcomes
    found = [_effect(trial, outcome, level) for outcome in plans]
    p_values = [np.nan if isinstance(e, Unavailable) else e.p_value for e in found]
    rest = [k for k in range(1, len(found)) if not np.isnan(p_values[k])]
    if rest:
        adjusted = multipletests([p_values[k] for k in rest], method="holm")[1]
        for k, p in zip(rest, adjusted, strict=True):
            p_values[k] = p
    return [
        effect
        if isinstance(effect, Unavailable)
        else OutcomeEffect(
            outcome, effect, float(p), _seen(trial, outcome), effect.size(outcome.smallest)
        )
        for outcome, effect, p in zip(plans, found, p_values, strict=True)
    ]


def _effect(trial: Trial, outcome: PilotOutcome, level: float) -> ArmEffect | Unavailable:
    """Return the effect on one outcome, or why there is none."""
    what = pick(outcome.name.model_dump())
    rows = trial.frame[["arm", outcome.item]].dropna()
    parts = [rows.loc[rows["arm"] == code, outcome.item] for code in (0, 1)]
    if min(map(len, parts)) < LEAST:
        why = _(
            "{control} and {treated} customers of the two services have one; {least} are needed"
        )
        return Unavailable(
            what, why.format(control=len(parts[0]), treated=len(parts[1]), least=LEAST)
        )
    flat = max(part.nunique() for part in parts) == 1
    if outcome.kind == "rating":  # ratings that differ between the arms only can be ranked
        flat = rows[outcome.item].nunique() == 1
    if outcome.kind != "share" and flat:
        return Unavailable(what, _("it does not vary within the services"))
    if outcome.kind == "count" and not min(part.sum() for part in parts) > 0:
        return Unavailable(what, _("nothing was counted in one of the services"))
    try:
        return arm_effect(rows[outcome.item], rows["arm"], kind=outcome.kind, level=level)
    except SuiteError as error:
        return Unavailable(what, str(error))


@passes_unavailable
def trial_cuped(trial: Trial, *, level: float = LEVEL) -> Cuped | Unavailable:
    """Return the primary effect with what was known before taken out."""
    check_level(level, "trial_cuped")
    outcome = trial.primary
    if outcome.before is None or outcome.kind != "amount":
        return Unavailable(
            _("an effect with earlier values taken out"),
            _("the study file names no earlier value of the primary outcome"),
        )
    frame = trial.frame
    try:
        return cuped(frame[outcome.item], frame["arm"], frame[outcome.before], level=level)
    except EstimationError:
        return Unavailable(
            _("an effect with earlier values taken out"),
            _("too few customers have an earlier value, or nothing varies"),
        )


@passes_unavailable
def trial_balance(trial: Trial) -> tuple[pd.DataFrame, float, float]:
    """Return the balance of what was known before, and chi-square and p of the allotment."""
    covariates = trial.frame[list(trial.plan.balance)]
    table = balance(covariates, trial.frame["arm"]) if len(covariates.columns) else pd.DataFrame()
    return table, *allocation_check(trial.frame["arm"], expected=trial.plan.share)


@passes_unavailable
def trial_strata(
    trial: Trial, *, level: float = LEVEL
) -> tuple[ArmEffect, pd.DataFrame, float] | Unavailable:
    """Return the primary effect over the strata, in each of them, and the p that they agree."""
    check_level(level, "trial_strata")
    outcome = trial.primary
    if trial.plan.stratum is None or outcome.kind not in ("amount", "rating"):
        return Unavailable(
            _("effects by stratum"), _("the study file declares no strata for a mean")
        )
    frame = trial.frame
    try:
        return stratified_effect(frame[outcome.item], frame["arm"], frame["stratum"], level=level)
    except EstimationError:
        return Unavailable(
            _("effects by stratum"),
            _("a stratum has fewer than two customers of a service, or answers that do not vary"),
        )


@passes_unavailable
def trial_looks(
    trial: Trial, *, looks: int = 5, spending: Spending = "obrien_fleming", level: float = LEVEL
) -> tuple[Looks, pd.DataFrame] | Unavailable:
    """Return boundaries for equal looks, and z of the primary outcome at each look in file order.

    Returns
    -------
    (Looks, DataFrame) or Unavailable
        Boundaries; columns look, n_used, z, bound, uncorrected (|z| of an uncorrected test),
        false_alarms (chance that uncorrected looks so far stop a trial of two equal arms).

    Raises
    ------
    DataContractError
        Fewer than one look, or more than ``MOST_LOOKS``; an unknown spending function.
    """
    check_level(level, "trial_looks")
    if not 1 <= looks <= MOST_LOOKS:
        raise DataContractError(
            f"trial_looks: looks= is {looks}; a whole number from 1 to {MOST_LOOKS} is needed. "
            "Choose one."
        )
    shares = np.arange(1, looks + 1) / looks
    plan = boundaries(shares, spending=spending, level=level)
    naive = np.full(looks, norm.isf((1 - level) / 2))
    alarms = crossing(shares, naive).cumsum()
    rows = trial.frame.dropna(subset=[trial.primary.item])
    if np.isnan(_z(rows, trial.primary)):
        return Unavailable(
            _("looks on the way"), _("the primary outcome cannot be compared at the end either")
        )
    found = []
    for i, share in enumerate(shares):
        part = rows.iloc[: max(int(round(share * len(rows))), 2)]
        found.append(
            {
                "look": i + 1,
                "n_used": len(part),
                "z": _z(part, trial.primary),
                "bound": float(plan.table["bound"].iloc[i]),
                "uncorrected": float(naive[i]),
                "false_alarms": float(alarms[i]),
            }
        )
    return plan, pd.DataFrame(found)


def trial_numbers(effects: list[OutcomeEffect | Unavailable]) -> list[Number]:
    """Return the effects for ``results.json``."""
    return [
        Number(
            f"effect_{e.outcome.item}", e.effect.estimate, e.effect.method, e.effect.ci_low,
            e.effect.ci_high, e.effect.level, e.effect.n_control + e.effect.n_treated,
            method=e.effect.method,
        )
        for e in effects
        if not isinstance(e, Unavailable)
    ]  # fmt: skip


def planted_effects(truth: Mapping[str, object]) -> dict[str, float]:
    """Return the planted effects of the simulated trial that have a closed form.

    Amount: the stated effect; share: difference of the two shares; count: ratio of the two means.
    """
    pilot = truth["modules"]["pilot"]
    share, contacts = pilot["repeat"], pilot["contacts"]
    return {
        "PI_POST_CNY": float(pilot["effect_amount"]),
        "PI_REPEAT": float(share["treated"] - share["control"]),
        "PI_CONTACTS": float(contacts["treated"] / contacts["control"]),
    }


def _known_before(study: Study, ids: pd.Series) -> pd.DataFrame:
    """Return items and scores of the main questionnaire for the trial's customers."""
    scores = study.scores.set_index("respondent_id")
    answers = study.responses.set_index("respondent_id")
    whole = answers.join(scores[[c for c in scores if c not in answers]])
    return whole.reindex(ids)


def _seen(trial: Trial, outcome: PilotOutcome) -> float:
    """Return the smallest difference of means or shares that this trial finds with power .80."""
    frame = trial.frame[["arm", outcome.item]].dropna()
    parts = [frame.loc[frame["arm"] == code, outcome.item] for code in (0, 1)]
    sd = float(np.sqrt(np.mean([part.var(ddof=1) for part in parts])))
    return detectable(sd, len(parts[0]), len(parts[1]), power=THRESHOLDS["power"].value)


def _z(rows: pd.DataFrame, outcome: PilotOutcome) -> float:
    """Return the z of the difference of means at a look; NaN while an arm is too small."""
    parts = [rows.loc[rows["arm"] == code, outcome.item].to_numpy(dtype=float) for code in (0, 1)]
    if min(map(len, parts)) < 2:
        return float("nan")
    se = np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
    return float((parts[1].mean() - parts[0].mean()) / se) if se > 0 else float("nan")
