"""Power and sample size: printed tables, and sentences that read them aloud."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import Basis, CheckResult
from helpers.sem.cutoffs import Cutoffs, Misspecification
from helpers.sem.equivalence import TSize
from helpers.sem.power_result import PowerResult
from helpers.sem.power_study import StudyPlan, formula_at
from helpers.sem.study_fit import ModelFit
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_integer, format_number, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS

CLOSE_TO_FORMULA = 3.0
"""Simulation errors by which a simulated power may differ from the formula."""


@passes_unavailable
def needed_table(plan: StudyPlan) -> ApaTable:
    """Return the N that each hypothesis needs, by formula."""
    rows = [_needed_row(plan, name, result) for name, result in plan.results.items()]
    first = next(r for r in plan.results.values() if not isinstance(r, Unavailable))
    note = _(
        "Power {target}, alpha {alpha}. Unstandardised values in the metric of the marker items. "
        "Values other than that of the path are the estimates of this study."
    ).format(target=format_number(first.target), alpha=format_number(first.alpha))
    columns = [
        Column("what", _("To be found"), "text"),
        Column("value", _("Value in the population"), decimals=3),
        Column("test", _("Test"), "text"),
        Column("needed", _("N needed"), "integer"),
    ]
    caption = _("People needed, by formula")
    return apa_table(pd.DataFrame(rows), caption=caption, columns=columns, note=note)


def _needed_row(plan: StudyPlan, name: str, result: PowerResult | Unavailable) -> dict[str, object]:
    """Return one hypothesis with its N, or with the reason why there is none."""
    if isinstance(result, Unavailable):
        return {"what": _hypothesis(plan, name, None), "value": None, "test": "–",
                "needed": result}  # fmt: skip
    needed = result.needed
    return {
        "what": _hypothesis(plan, name, result), "value": result.true_value, "test": result.test,
        "needed": needed if isinstance(needed, Unavailable) else needed.n,
    }  # fmt: skip


def _hypothesis(plan: StudyPlan, name: str, result: PowerResult | None) -> str:
    """Name a hypothesis for readers."""
    if name == "path":
        return _path_name(plan)
    if name == "indirect":
        if result is None:
            return _("indirect effect")
        return _("indirect effect {name}").format(name=result.hypothesis.split(" := ")[0])
    return _("a misfit of the model") if name == "close" else _("that the model fits")


def _path_name(plan: StudyPlan) -> str:
    """Write the path with the names of its ends."""
    return f"{plan.fit.label(plan.predictor)} → {plan.fit.label(plan.outcome)}"


@passes_unavailable
def plan_sentence(plan: StudyPlan) -> str:
    """Say which effect is planned, and the N it needs."""
    result = plan.results["path"]
    lead = _(
        "The path {path} is planned at a standardised size of {effect}, the smallest that would "
        "matter; this study estimates {estimated}."
    ).format(
        path=_path_name(plan), effect=format_number(plan.effect, bounded=True),
        estimated=format_number(plan.estimated, bounded=True),
    )  # fmt: skip
    if isinstance(result, Unavailable):
        return lead + " " + result.text()
    if isinstance(result.needed, Unavailable):
        return lead + " " + result.needed.text()
    return (
        lead
        + " "
        + _("By formula {n} people find it with a power of {target}.").format(
            n=format_integer(result.needed.n), target=format_number(result.target, bounded=True)
        )
    )


@passes_unavailable
def curve_table(result: PowerResult) -> ApaTable:
    """Return simulated power with bias and coverage at every N."""
    columns = [
        Column("n_obs", "N", "integer"),
        Column("power", _("Power"), "bounded"),
        interval_column(bounded=True),
        Column("relative_bias", _("Bias of the estimate"), "percent"),
        Column("se_bias", _("Bias of its error"), "percent"),
        Column("coverage", _("Coverage"), "bounded"),
        Column("n_failed", _("Failed"), "integer"),
        Column("n_improper", _("Improper"), "integer"),
    ]
    note = _(
        "{sets} samples at each N, {estimator}, seed {seed}. Intervals of power are Wilson's and "
        "show the error of the simulation. Coverage is that of 95% intervals. Improper: a negative "
        "variance."
    ).format(sets=result.n_sets, estimator=result.estimator, seed=result.seed)
    caption = _("Simulated power, bias and coverage")
    return apa_table(result.table, caption=caption, columns=columns, note=note)


@passes_unavailable
def curve_sentence(result: PowerResult) -> str:
    """Read the N of the simulation aloud."""
    needed = result.needed
    if isinstance(needed, Unavailable):
        return needed.text()
    if needed.ci_low is None or needed.ci_high is None:
        return _(
            "By simulation about {n} people are needed; the samples are too few to say how exact "
            "this is."
        ).format(n=format_integer(needed.n))
    return _(
        "By simulation about {n} people are needed; with this many samples the error of that "
        "number runs from {low} to {high} ({percent:g}% interval)."
    ).format(
        n=format_integer(needed.n), low=format_integer(needed.ci_low),
        high=format_integer(needed.ci_high), percent=100 * LEVEL,
    )  # fmt: skip


@passes_unavailable
def t_size_table(found: TSize) -> ApaTable:
    """Return T-size RMSEA and CFI with their adjusted cut-offs."""
    frame = found.table.assign(verdict=[_verdict_word(v) for v in found.table["verdict"]])
    columns = [
        Column("index", _("Measure"), "text"),
        Column("value", _("Value"), "bounded", 3),
        Column("t_size", _("T-size"), "bounded", 3),
        Column("excellent", _("excellent"), "bounded", 3),
        Column("close", _("close"), "bounded", 3),
        Column("fair", _("fair"), "bounded", 3),
        Column("mediocre", _("mediocre"), "bounded", 3),
        Column("verdict", _("Reading"), "text"),
    ]
    note = _(
        "N = {n}, df = {df}. The T-size is the misfit that cannot be ruled out at {alpha}; its "
        "cut-offs are those of Yuan, Chan, Marcoulides and Bentler (2016) for this N and df."
    ).format(n=found.n_used, df=found.df, alpha=format_number(found.alpha))
    caption = _("Equivalence test of fit")
    return apa_table(frame, caption=caption, columns=columns, note=note, basis=Basis(found.n_used))


def _verdict_word(word: str) -> str:
    """Translate a verdict."""
    words = {
        "excellent": _("excellent"), "close": _("close"), "fair": _("fair"),
        "mediocre": _("mediocre"), "poor": _("poor"),
    }  # fmt: skip
    return words.get(word, "–")


@passes_unavailable
def t_size_sentence(found: TSize) -> str:
    """Read the T-size RMSEA aloud."""
    row = found.table.set_index("index").loc["RMSEA"]
    text = _(
        "With {percent:g}% confidence the RMSEA is no larger than {t_size}; the estimate is "
        "{value}."
    ).format(
        percent=100 * (1 - found.alpha),
        t_size=format_number(row["t_size"], 3, bounded=True),
        value=format_number(row["value"], 3, bounded=True),
    )
    if not row["verdict"]:
        return text
    return (
        text
        + " "
        + _("By the adjusted cut-offs this is {word}.").format(
            word=_verdict_word(str(row["verdict"]))
        )
    )


@passes_unavailable
def cutoffs_table(found: Cutoffs, fit: ModelFit) -> ApaTable:
    """Return simulated cut-offs of fit indices, and what they detect."""
    columns = [
        Column("label", _("Measure"), "text"),
        Column("observed", _("Value"), "bounded", 3),
        Column("cutoff", _("Cut-off for this model"), "bounded", 3),
        Column("within", _("Within"), "truth"),
        Column("detects_minor", _("Finds minor misfit"), "percent", 0),
        Column("detects_moderate", _("Finds moderate misfit"), "percent", 0),
    ]
    frame = found.table.assign(label=[name.upper() for name in found.table["index"]])
    note = _(
        "{sets} complete normal samples each, N = {n}, seed {seed}. The cut-off is passed by 5% of "
        "samples from the model itself. Minor misfit: {minor}. Moderate misfit: "
        "{moderate}. Standardised size of each: {size}."
    ).format(
        sets=found.n_sets, n=found.n_obs, seed=found.seed,
        minor=_relations(found.omitted.get("minor"), fit),
        moderate=_relations(found.omitted.get("moderate"), fit), size=_size(found),
    )  # fmt: skip
    caption = _("Cut-offs of fit simulated for this model and this N")
    return apa_table(frame, caption=caption, columns=columns, note=note)


def _size(found: Cutoffs) -> str:
    """Return the size of the omitted relations."""
    sizes = {m.size for level in found.omitted.values() for m in level}
    return format_number(max(sizes), bounded=True) if sizes else "–"


def _relations(omitted: tuple[Misspecification, ...] | None, fit: ModelFit) -> str:
    """Name the relations that a population has and the model leaves out."""
    if not omitted:
        return _("none possible")
    if len(omitted) > 1:
        loads = omitted[0].kind == "cross-loading"
        words = _("{n} omitted cross-loadings") if loads else _("{n} omitted residual correlations")
        return words.format(n=len(omitted))
    one = omitted[0]
    if one.kind == "cross-loading":
        return _("an omitted cross-loading of {item} on {construct}").format(
            item=one.second, construct=fit.label(one.first)
        )
    return _("an omitted correlation of the residuals of {first} and {second}").format(
        first=one.first, second=one.second
    )


@passes_unavailable
def cutoffs_sentence(found: Cutoffs) -> str:
    """Read the simulated cut-off of the RMSEA aloud."""
    row = found.table.set_index("index").loc["rmsea"]
    values = {
        "value": format_number(row["observed"], 3, bounded=True),
        "cut": format_number(row["cutoff"], 3, bounded=True),
        "share": format_percent(row["detects_moderate"], 0),
    }
    if row["within"]:
        text = _(
            "The RMSEA of {value} is one that samples from the model itself give (cut-off {cut})."
        ).format(**values)
    else:
        text = _(
            "The RMSEA of {value} is larger than sampling alone gives in 95% of samples (cut-off "
            "{cut}); chance alone is an unlikely reason."
        ).format(**values)
    if np.isnan(row["detects_moderate"]):
        return text
    more = _("That cut-off would find the moderate misfit in {share} of samples.")
    return text + " " + more.format(**values)


def power_checks(
    result: PowerResult | Unavailable, plan: StudyPlan | Unavailable
) -> list[CheckResult | Unavailable]:
    """Check bias, coverage and agreement with the formula at the N nearest to the one needed."""
    for value in (plan, result):
        if isinstance(value, Unavailable):
            return [value]
    needed = plan.results["path"].needed
    row = result.table.iloc[(result.table["n_obs"] - needed.n).abs().argmin()]
    sets = float(row["n_used"])
    bias_error = row["sd"] / np.sqrt(sets) / abs(row["mean"] - row["bias"])
    return [
        _limit(_("Bias of the estimate"), row["relative_bias"], "relative_bias", row, bias_error),
        _limit(
            _("Bias of its standard error"), row["se_bias"], "se_bias", row, 1 / np.sqrt(2 * sets)
        ),
        _coverage(row),
        _agreement(row, plan),
    ]


def _limit(name: str, value: float, key: str, row: pd.Series, error: float) -> CheckResult:
    """Check the size of a bias; no verdict where the simulation is too short to give one."""
    cut = THRESHOLDS[key]
    text = _("{value} at N = {n}, simulation error {error}; at most {cut} in size.").format(
        value=format_percent(value), n=format_integer(row["n_obs"]), error=format_percent(error),
        cut=format_percent(cut.value, 0),
    )  # fmt: skip
    passed: bool | None = cut.holds(abs(value))
    if not passed and abs(value) - 2.0 * error <= cut.value:
        passed = None
    return CheckResult(name, passed, float(value), cut.value, cut.source, text)


def _coverage(row: pd.Series) -> CheckResult:
    """Check that intervals hold the truth about as often as they say."""
    low, high = THRESHOLDS["coverage_low"], THRESHOLDS["coverage_high"]
    value = float(row["coverage"])
    text = _("{value} at N = {n}; between {low} and {high}.").format(
        value=format_number(value, bounded=True), n=format_integer(row["n_obs"]),
        low=format_number(low.value, bounded=True), high=format_number(high.value, bounded=True),
    )  # fmt: skip
    holds = low.holds(value) and high.holds(value)
    return CheckResult(_("Coverage of intervals"), holds, value, low.value, low.source, text)


def _agreement(row: pd.Series, plan: StudyPlan) -> CheckResult:
    """Compare simulated power with the formula, in errors of the simulation."""
    exact = float(formula_at(plan, np.array([int(row["n_obs"])]))["power"].iloc[0])
    error = float(np.sqrt(exact * (1 - exact) / row["n_used"]))
    gap = abs(float(row["power"]) - exact) / error
    text = _("{simulated} by simulation, {exact} by formula at N = {n}.").format(
        simulated=format_number(row["power"], bounded=True),
        exact=format_number(exact, bounded=True), n=format_integer(row["n_obs"]),
    )  # fmt: skip
    source = _("three errors of the simulation")
    return CheckResult(
        _("Simulation and formula agree"), gap <= CLOSE_TO_FORMULA, gap, CLOSE_TO_FORMULA, source,
        text,
    )  # fmt: skip
