"""The later wave that a study file declares: who answered, what changed, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, check_level, passes_unavailable
from helpers.i18n import _
from helpers.regression.attrition import Attrition, attrition_weights
from helpers.regression.change import GroupChange, compare_change
from helpers.regression.study_change import linked
from helpers.results import Number
from helpers.service.lifecycle import (
    LEAST,
    ChangeRatio,
    RatioContrast,
    Retention,
    Tipping,
    change_ratio,
    ratio_contrast,
    retention,
    tipping_point,
    trimmed_weights,
)
from helpers.service.lifecycle_value import (
    Assumptions,
    CustomerValue,
    customer_value,
    value_difference,
)
from helpers.service_specification import Lifecycle
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

GROUPS = ("recovered", "none")

SPARE_LOST = 10
"""Lost customers beyond the predictors of the loss that weights need."""


@dataclass(frozen=True, slots=True)
class Wave:
    """A later wave joined to the main questionnaire.

    Attributes
    ----------
    frame : DataFrame
        One row a respondent of the main questionnaire: ``before after`` (purchases),
        ``amount_before amount_after`` (blank columns if not asked), ``recovered`` (1, 0), the
        predictors under their names, ``answered`` (bool), ``weight`` (blank without an answer).
    plan : Lifecycle
    attrition : Attrition or Unavailable
        ``balance`` is that of the trimmed weights. Unavailable: all weights are 1.
    n_trimmed : int
        Weights that were capped.
    """

    frame: pd.DataFrame
    plan: Lifecycle
    attrition: Attrition | Unavailable
    n_trimmed: int

    def group(self, name: str) -> pd.DataFrame:
        """Return the rows of ``recovered`` or ``none``."""
        return self.frame[self.frame["recovered"] == (1.0 if name == "recovered" else 0.0)]


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """The change of purchases or of the amount, with and without recovery.

    ``weighted`` tells whether the weights against attrition were used. A group of which nothing can
    be said is ``Unavailable``, and so is then the contrast; the other group keeps its change.
    """

    outcome: str
    weighted: bool
    recovered: ChangeRatio | Unavailable
    none: ChangeRatio | Unavailable
    contrast: RatioContrast | Unavailable


@passes_unavailable
def read_wave(study: Study, *, trim: float = 0.99) -> Wave | Unavailable:
    """Return the later wave of a study, with stabilised and trimmed weights against attrition.

    Parameters
    ----------
    study : Study
    trim : float
        Quantile at which weights are capped; 1 leaves them.
    """
    plan = study.spec.service.lifecycle
    if plan is None:
        return Unavailable(_("the later wave"), _("the study file declares none"))
    asked = {
        "before": plan.count_before, "after": plan.count_after,
        "amount_before": plan.amount_before, "amount_after": plan.amount_after,
    }  # fmt: skip
    items = {role: item for role, item in asked.items() if item is not None}
    names = [*items.values(), *plan.predictors, *plan.attrition]
    table = linked(study, names, plan.module)
    if isinstance(table, Unavailable):
        return table
    known = {name: table[name] for name in (*plan.predictors, *plan.attrition)}
    frame = pd.DataFrame({role: table[item] for role, item in items.items()} | known)
    frame = frame.reindex(columns=[*asked, *known])
    answers = study.responses[plan.recovered.item]
    hit = answers.isin(plan.recovered.accept).astype(float)
    frame["recovered"] = hit.where(answers.notna())
    frame["answered"] = table["answered_again"].astype(bool)
    lost = _attrition(frame, plan.attrition)
    if isinstance(lost, Unavailable):
        frame["weight"] = pd.Series(1.0, index=frame.index).where(frame["answered"])
        return Wave(frame, plan, lost, 0)
    frame["weight"] = trimmed_weights(lost.weights, trim)
    capped = int((frame["weight"] < lost.weights).sum())
    return Wave(frame, plan, _rebalanced(lost, frame, plan.attrition), capped)


def _attrition(frame: pd.DataFrame, names: list[str]) -> Attrition | Unavailable:
    """Return who answered again, or why no weights can be made."""
    what = _("weights against attrition")
    if not names:
        return Unavailable(what, _("the study file names nothing to make them from"))
    lost = int((~frame.loc[frame[names].notna().all(axis=1), "answered"]).sum())
    if lost < len(names) + SPARE_LOST:
        return Unavailable(what, _("too few customers were lost to tell who they are"))
    return attrition_weights(frame, frame["answered"], names)


def _rebalanced(lost: Attrition, frame: pd.DataFrame, names: list[str]) -> Attrition:
    """Return what is known of the loss with the balance and size of the trimmed weights."""
    known = frame[names].dropna()
    inside = (known - known.mean()) / known.std(ddof=0)
    own = frame["weight"].dropna()
    there, w = inside.loc[own.index].to_numpy(), own.to_numpy()
    balance = lost.balance.assign(weighted=np.average(there, axis=0, weights=w))
    return replace(
        lost, balance=balance, weights=frame["weight"],
        effective=float(w.sum() ** 2 / (w @ w)), largest=float(w.max()),
    )  # fmt: skip


@passes_unavailable
def wave_changes(wave: Wave, *, level: float = LEVEL) -> list[OutcomeChange] | Unavailable:
    """Return the change of purchases and of the amount, plain and weighted.

    ``Unavailable`` where nothing can be said of any group: too few customers, or nothing bought in
    one of the periods.
    """
    check_level(level, "wave_changes")
    found = []
    for outcome, pair in _pairs(wave).items():
        for weighted in (False, True):
            one, two = (_ratio(wave, name, pair, weighted, level) for name in GROUPS)
            contrast = one and two and ratio_contrast(one, two)  # what is lacking stays so
            found.append(OutcomeChange(outcome, weighted, one, two, contrast))
    if any(change.recovered or change.none for change in found):
        return found
    return found[0].recovered


def _lacking(wave: Wave, name: str, pair: tuple[str, str]) -> Unavailable | None:
    """Return why a group's change over the two periods is not known; None if it is."""
    what = _("the change of purchases with and without recovery")
    rows = wave.group(name)[[*pair, "weight"]].dropna()
    if len(rows) < LEAST:
        why = {
            "recovered": _(
                "{n} customers with recovery answered for both periods; at least {least} are needed"
            ),
            "none": _(
                "{n} customers without recovery answered for both periods; at least {least} are "
                "needed"
            ),
        }[name]
        return Unavailable(what, why.format(n=len(rows), least=LEAST))
    if rows[list(pair)].sum().min() > 0:
        return None
    why = {
        "recovered": _("customers with recovery bought nothing in one of the two periods"),
        "none": _("customers without recovery bought nothing in one of the two periods"),
    }[name]
    return Unavailable(what, why)


def _pairs(wave: Wave) -> dict[str, tuple[str, str]]:
    """Return the columns before and after of each outcome that was asked."""
    pairs = {"purchases": ("before", "after")}
    if wave.plan.amount_before is not None and wave.plan.amount_after is not None:
        pairs["amount"] = ("amount_before", "amount_after")
    return pairs


def _ratio(
    wave: Wave, name: str, pair: tuple[str, str], weighted: bool, level: float
) -> ChangeRatio | Unavailable:
    """Return the change ratio of a group, or why there is none."""
    lacking = _lacking(wave, name, pair)
    if lacking is not None:
        return lacking
    rows = wave.group(name)
    weights = rows["weight"] if weighted else None
    return change_ratio(rows[pair[0]], rows[pair[1]], weights=weights, level=level)


@passes_unavailable
def wave_differences(wave: Wave, *, level: float = LEVEL) -> dict[str, GroupChange | Unavailable]:
    """Return the difference in differences of each outcome in its own unit, weighted."""
    check_level(level, "wave_differences")
    frame, found = wave.frame, {}
    for outcome, pair in _pairs(wave).items():
        lacking = [why for name in GROUPS if (why := _lacking(wave, name, pair)) is not None]
        found[outcome] = (
            lacking[0]
            if lacking
            else compare_change(
                frame[pair[0]], frame[pair[1]], frame["recovered"], weights=frame["weight"],
                level=level,
            )
        )  # fmt: skip
    return found


@passes_unavailable
def wave_retention(wave: Wave, *, level: float = LEVEL) -> dict[str, Retention | Unavailable]:
    """Return who bought in the later period, with the bounds of what the lost could do."""
    check_level(level, "wave_retention")
    found: dict[str, Retention | Unavailable] = {}
    for name in GROUPS:
        later = wave.group(name)["after"]
        found[name] = (
            retention(later, n_invited=len(later), level=level)
            if later.notna().any()
            else Unavailable(
                _("who bought in the later period"), _("nobody of the group told of it")
            )
        )
    return found


@passes_unavailable
def wave_tipping(wave: Wave, changes: list[OutcomeChange]) -> Tipping | Unavailable:
    """Return how little the lost with recovery may have bought before the contrast is gone."""
    rows = wave.group("recovered")
    first = changes[0]
    if isinstance(first.contrast, Unavailable):
        return first.contrast
    return tipping_point(first.recovered, first.none, answered=float(rows["after"].notna().mean()))


def transaction_models() -> Unavailable:
    """Say why models of single purchases over time are not fitted to two periods."""
    return Unavailable(
        _("a BG/NBD or beta-geometric model of who is still a customer"),
        _("it needs the dates of single purchases or at least three periods, and there are two"),
    )


@passes_unavailable
def wave_value(
    wave: Wave, *, margin: float, discount: float, years: float, n_boot: int = 5000,
    seed: int = 20261121, level: float = LEVEL,
) -> dict[str, CustomerValue | Unavailable] | Unavailable:  # fmt: skip
    """Return what a customer is worth, with and without recovery; a group may be unavailable.

    Parameters
    ----------
    wave : Wave
    margin, discount : float
        Negative: those of the study file.
    years : float
        Horizon.
    n_boot, seed, level
    """
    check_level(level, "wave_value")
    if wave.plan.amount_after is None:
        return Unavailable(
            _("the worth of a customer"), _("the later wave did not ask for amounts")
        )
    given = Assumptions(
        margin=wave.plan.margin if margin < 0 else margin,
        discount=wave.plan.discount if discount < 0 else discount,
        months=wave.plan.months, years=years,
    )  # fmt: skip
    found: dict[str, CustomerValue | Unavailable] = {}
    for name in GROUPS:
        rows = wave.group(name)
        try:
            found[name] = customer_value(
                rows["before"], rows["after"], rows["amount_after"], given, weights=rows["weight"],
                n_boot=n_boot, seed=seed, level=level,
            )  # fmt: skip
        except DataContractError:
            found[name] = Unavailable(
                _("the worth of a customer"),
                _("too few of the group answered, or nobody of them bought in both periods"),
            )
    return found if any(found.values()) else found[GROUPS[0]]


def wave_numbers(
    changes: list[OutcomeChange] | Unavailable,
    values: dict[str, CustomerValue | Unavailable] | Unavailable,
) -> list[Number]:
    """Return the contrasts and values for ``results.json``; nothing of what is not available."""
    numbers = [
        Number(
            f"ratio_{c.outcome}_{'weighted' if c.weighted else 'plain'}", c.contrast.ratio,
            "change ratio with recovery over that without", c.contrast.ci_low, c.contrast.ci_high,
            c.contrast.level, c.recovered.n_used + c.none.n_used, method=c.recovered.method,
        )
        for c in changes or []
        if c.contrast
    ]  # fmt: skip
    known = {name: v for name, v in (values or {}).items() if v}
    for name, v in known.items():
        numbers.append(
            Number(f"value_{name}", v.value, "discounted margin of the years ahead", v.ci_low,
                   v.ci_high, v.level, v.n_used, method="bootstrap over customers, percentile")
        )  # fmt: skip
    if len(known) == len(GROUPS):
        gap = value_difference(known["recovered"], known["none"])
        size = known["recovered"].n_used + known["none"].n_used
        numbers.append(
            Number("value_difference", gap[0], "value with recovery less that without", gap[1],
                   gap[2], known["none"].level, size, method="independent bootstrap draws")
        )  # fmt: skip
    return numbers


def planted_ratios(truth: Mapping[str, object]) -> dict[tuple[str, str], float]:
    """Return the planted change ratios: (outcome, group) to ratio among those who answer."""
    six, none = truth["tables"]["T6"], truth["modules"]["followup"]["no_recovery"]
    return {
        (outcome, group): float(source[f"{outcome}_ratio"])
        for outcome in ("purchases", "amount")
        for group, source in (("recovered", six), ("none", none))
    }
