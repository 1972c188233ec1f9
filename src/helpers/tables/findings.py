"""The findings of a study: every hypothesis with its estimates and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import EstimationError, Unavailable
from helpers.i18n import _, pick
from helpers.regression.hypotheses import Evidence, hypothesis_evidence
from helpers.sem.montecarlo import monte_carlo_intervals
from helpers.sem.study_fit import ModelFit, fit_model
from helpers.survey.overview import sign_label
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.sem_sentences import problems_text

if TYPE_CHECKING:
    from helpers.specification import Hypothesis
    from helpers.survey.load import Study

SEED = 20261121


def hypothesis_fits(
    study: Study, *, estimator: str = "MLR", missing: str = "fiml"
) -> dict[str, ModelFit | Unavailable]:
    """Fit every model that a hypothesis names, each once."""
    names = dict.fromkeys(h.model for h in study.spec.hypotheses if h.model)
    return {name: fit_model(study, name, estimator=estimator, missing=missing) for name in names}


def findings(study: Study, fits: Mapping[str, ModelFit | Unavailable]) -> pd.DataFrame:
    """Return one row an estimate: hypothesis, statement, expected, quantity, estimate, interval.

    Columns ``hypothesis statement expected quantity estimate ci_low ci_high p_value n_used verdict
    finding``; ``verdict`` is True (in line), False (against), or None (open, or withheld).
    """
    rows = []
    for hypothesis in study.spec.hypotheses:
        found = _model_evidence(study, hypothesis, fits) + hypothesis_evidence(study, hypothesis)
        for evidence in found or [_nothing(hypothesis)]:
            rows.append(_row(hypothesis, evidence))
    return pd.DataFrame(rows)


def _model_evidence(
    study: Study, hypothesis: Hypothesis, fits: Mapping[str, ModelFit | Unavailable]
) -> list[Evidence | Unavailable]:
    """Return the rows of a model that a hypothesis names."""
    if hypothesis.model is None:
        return []
    fit = fits[hypothesis.model]
    if isinstance(fit, Unavailable):
        return [fit]
    if not fit.trustworthy:
        problems = problems_text(fit.result.problems)
        return [Unavailable(_("a verdict"), problems or _("the fit cannot be trusted"))]
    table = fit.estimates
    drawn = _drawn_intervals(fit)
    found: list[Evidence | Unavailable] = []
    for effect in hypothesis.effects:
        lhs, _tilde, rhs = (part.strip() for part in effect.partition("~"))
        own = table[(table["lhs"] == lhs) & (table["op"] == ("~" if rhs else ":="))]
        own = own[own["rhs"] == rhs] if rhs else own
        if own.empty:
            why = _("the model has no row {effect}").format(effect=effect)
            found.append(Unavailable(_("an estimate"), why))
            continue
        row = own.iloc[0]
        low, high = drawn.get(effect, (row["ci_low"], row["ci_high"]))
        name = f"{fit.label(rhs)} → {fit.label(lhs)}" if rhs else effect_name(study, fit, effect)
        found.append(Evidence(name, row["est"], low, high, row["p_value"], 0.0, fit.result.n_obs))
    return found


def effect_name(study: Study, fit: ModelFit, effect: str) -> str:
    """Return what the study file calls a defined effect, else its name with its formula."""
    if fit.label(effect) != effect:
        return fit.label(effect)
    table = fit.estimates
    formula = table.loc[(table["op"] == ":=") & (table["lhs"] == effect), "rhs"].iloc[0]
    return f"{effect} = {formula}"


def _drawn_intervals(fit: ModelFit) -> dict[str, tuple[float, float]]:
    """Return Monte Carlo intervals of the defined effects, where there are any."""
    if not fit.n_known:
        return {}
    try:
        table = monte_carlo_intervals(fit.result, seed=SEED).table
    except EstimationError:
        return {}
    return {r.name: (r.ci_low, r.ci_high) for r in table.itertuples(index=False)}


def _nothing(hypothesis: Hypothesis) -> Unavailable:
    """Say that the study file names nothing that would test a hypothesis."""
    return Unavailable(
        _("a test of hypothesis {id}").format(id=hypothesis.id),
        _("the study file names no estimate that speaks to it"),
    )


def _row(hypothesis: Hypothesis, evidence: Evidence | Unavailable) -> dict[str, object]:
    """Return one row of the table of findings."""
    row: dict[str, object] = {
        "hypothesis": hypothesis.id,
        "statement": pick(hypothesis.text.model_dump()),
        "expected": sign_label(hypothesis.sign),
    }
    if isinstance(evidence, Unavailable):
        blank = dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value", "n_used"), math.nan)
        return row | {"quantity": "–", **blank, "verdict": None, "finding": evidence.text()}
    verdict = judge(hypothesis.sign, evidence)
    return row | {
        "quantity": evidence.quantity,
        "estimate": evidence.estimate,
        "ci_low": evidence.ci_low,
        "ci_high": evidence.ci_high,
        "p_value": evidence.p_value,
        "n_used": evidence.n_used,
        "verdict": verdict,
        "finding": _words(verdict, evidence),
    }


def judge(sign: str, evidence: Evidence) -> bool | None:
    """Hold an interval against the expected sign: True, False, or None if it leaves it open."""
    if math.isnan(evidence.ci_low) or math.isnan(evidence.ci_high):
        return None
    above = bool(evidence.ci_low > evidence.null)
    below = bool(evidence.ci_high < evidence.null)
    if not above and not below:
        return None
    if sign in ("different", "none"):
        return sign == "different"
    return above if sign == "+" else below


def _words(verdict: bool | None, evidence: Evidence) -> str:
    """Return a verdict in words."""
    if math.isnan(evidence.ci_low):
        return _("no verdict: there is no interval")
    if verdict is None:
        return _("open: the interval includes {null:g}").format(null=evidence.null)
    return _("in line with the hypothesis") if verdict else _("against the hypothesis")


def findings_table(table: pd.DataFrame) -> ApaTable:
    """Return the findings as a printed table, a section a hypothesis."""
    frame = table.assign(section=table["hypothesis"] + ". " + table["statement"])
    columns = [
        Column("quantity", _("Quantity"), "text"),
        Column("estimate", _("Estimate")),
        interval_column(),
        Column("p_value", "p", "p"),
        Column("finding", _("Finding"), "text"),
    ]
    caption = _("Findings, hypothesis by hypothesis")
    note = _("Where a section holds several estimates, each is judged by itself.")
    return apa_table(frame, caption=caption, columns=columns, section="section", note=note)


def findings_sentence(table: pd.DataFrame) -> str:
    """Say how many hypotheses are in line with the data, open, or contradicted."""
    if table.empty:
        return _("The study file states no hypotheses.")
    kinds = table.groupby("hypothesis", sort=False)["verdict"].agg(list)
    clear = [h for h, v in kinds.items() if all(x is True for x in v)]
    against = [h for h, v in kinds.items() if any(x is False for x in v)]
    rest = [h for h in kinds.index if h not in clear and h not in against]
    parts = []
    if clear:
        parts.append(_("In line in every estimate: {names}.").format(names=_(", ").join(clear)))
    if rest:
        parts.append(_("Open in at least one estimate: {names}.").format(names=_(", ").join(rest)))
    if against:
        parts.append(
            _("Contradicted in at least one: {names}.").format(names=_(", ").join(against))
        )
    return " ".join(parts)
