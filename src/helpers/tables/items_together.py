"""Tables and sentences: direction and use of items, correlations, normality, and the estimator."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import norm

from helpers.errors import SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import CheckResult, Number
from helpers.sem.polychorics import Polychorics, polychoric_correlations
from helpers.survey.item_checks import (
    ALREADY_TURNED,
    FINE,
    NOT_TURNED,
    UNCLEAR,
    describe_scale_use,
    item_directions,
)
from helpers.survey.load import Study
from helpers.survey.normality import MardiaResult
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS


def verdict_label(verdict: str) -> str:
    """Return what the direction of an item is called."""
    return {
        ALREADY_TURNED: _("stored turned already: would be turned twice"),
        NOT_TURNED: _("points the other way, but has no reverse key"),
        UNCLEAR: _("unclear: the interval holds 0"),
        FINE: _("as expected"),
    }[verdict]


def directions(study: Study) -> pd.DataFrame:
    """Return for each item how it goes with the rest of its scale."""
    return item_directions(study.folder, study.responses)


def directions_table(table: pd.DataFrame, most: int = 12) -> ApaTable | Unavailable:
    """Return the reverse-keyed items and those that do not point as expected; else the weakest."""
    shown = table[table["reverse"] | (table["verdict"] != FINE)]
    if table.empty:
        return Unavailable(
            _("a check of the direction of items"), _("no construct has two items on a scale")
        )
    if shown.empty:
        shown = table.nsmallest(5, "r")
    return apa_table(
        shown.head(most).assign(
            reading=shown["verdict"].map(verdict_label),
            keyed=[_("yes") if r else _("no") for r in shown["reverse"]],
        ),
        caption=_("Do the items point the same way as the rest of their scale?"),
        columns=[
            Column("item", _("Item"), "text"),
            Column("construct", _("Construct"), "text"),
            Column("keyed", _("Reverse-keyed"), "text"),
            Column("n", "n", "integer"),
            Column("r", "r", "bounded"),
            interval_column(bounded=True),
            Column("reading", _("Reading"), "text"),
        ],
        note=_(
            "Correlation with the mean of the scale's other items, after turning by the codebook. "
            "Reverse-keyed items and all that are not as expected; where there are none, the "
            "weakest."
        ),
    )


def directions_sentence(table: pd.DataFrame) -> str | Unavailable:
    """Read the check of directions aloud."""
    if table.empty:
        return Unavailable(
            _("a check of the direction of items"), _("no construct has two items on a scale")
        )
    wrong = table[table["verdict"].isin([ALREADY_TURNED, NOT_TURNED])]
    if len(wrong):
        top = wrong.loc[wrong["r"].idxmin()]
        return _(
            "{n} of {k} items point the other way; most clearly {item}: r = {r} ({level:.0%} CI "
            "{ci}): {reading}."
        ).format(
            n=len(wrong), k=len(table), item=top["item"], r=format_number(top["r"], bounded=True),
            level=LEVEL, ci=format_interval(top["ci_low"], top["ci_high"], bounded=True),
            reading=verdict_label(top["verdict"]),
        )  # fmt: skip
    low = table.loc[table["r"].idxmin()]
    return _(
        "No item of {k} points the other way; the weakest is {item}: r = {r} ({level:.0%} CI {ci})."
    ).format(
        k=len(table), item=low["item"], r=format_number(low["r"], bounded=True), level=LEVEL,
        ci=format_interval(low["ci_low"], low["ci_high"], bounded=True),
    )  # fmt: skip


def directions_check(table: pd.DataFrame) -> CheckResult | Unavailable:
    """Check that no item is turned twice or not at all."""
    if table.empty:
        return Unavailable(
            _("a check of the direction of items"), _("no construct has two items on a scale")
        )
    wrong = table.loc[table["verdict"].isin([ALREADY_TURNED, NOT_TURNED]), "item"].tolist()
    return CheckResult(
        _("Every item points the way of its scale"), not wrong, float(len(wrong)), 0.0,
        _("sign of the correlation with the rest of the scale, with its interval"),
        _("Items that point the other way: {items}.").format(
            items=_(", ").join(wrong) or _("none")
        ),
    )  # fmt: skip


def scale_use(study: Study, items: list[str]) -> pd.DataFrame:
    """Return how items use their scale."""
    return describe_scale_use(study.folder, study.responses, items=items)


def scale_use_table(study: Study, used: pd.DataFrame) -> ApaTable:
    """Return difficulty, spread and categories, one section a construct."""
    named = used["construct"].map(lambda c: study.construct_name(c) if c else "–")
    return apa_table(
        used.assign(construct=named),
        caption=_("How the items use their scale"),
        columns=[
            Column("item", _("Item"), "text"),
            Column("n", "n", "integer"),
            Column("n_categories", _("Steps"), "integer"),
            Column("n_used", _("Steps used"), "integer"),
            Column("sparse", _("Steps with few answers"), "integer"),
            Column("difficulty", _("Difficulty"), "bounded"),
            Column("spread", _("Spread"), "bounded"),
            Column("mode_share", _("Most frequent answer"), "percent", 1),
        ],
        section="construct",
        note=_(
            "Difficulty: mean as a share of the way from the lowest to the highest step. Spread: "
            "standard deviation over the largest possible. Few: fewer than {k} answers."
        ).format(k=int(THRESHOLDS["cell_size"].value)),
    )


def scale_use_sentence(used: pd.DataFrame) -> str:
    """Read the item with the least spread aloud."""
    low = used.loc[used["spread"].idxmin()]
    return _(
        "{item} spreads least: {spread} of the largest possible standard deviation; its most "
        "frequent answer has {share} of the answers."
    ).format(
        item=low["item"], spread=format_number(low["spread"], bounded=True),
        share=format_percent(low["mode_share"], 1),
    )  # fmt: skip


def score_correlations(study: Study) -> pd.DataFrame | Unavailable:
    """Return the correlations among scale scores, each over the people who have both."""
    scores = study.scores.drop(columns="respondent_id")
    kept = [c for c in scores if scores[c].notna().sum() > 3 and scores[c].std() > 0]
    if len(kept) < 2:
        return Unavailable(
            _("correlations among scale scores"), _("fewer than two constructs have scores")
        )
    return scores[kept].corr()


def item_polychorics(study: Study, items: list[str]) -> Polychorics | Unavailable:
    """Return the polychoric correlations of items on an answer scale."""
    ordered = [i for i in items if study.scale_of(i).kind == "likert"]
    ordered = [i for i in ordered if study.responses[i].nunique() > 1]
    if len(ordered) < 2:
        return Unavailable(
            _("polychoric correlations"), _("fewer than two items have ordered answers that vary")
        )
    try:
        return polychoric_correlations(study.responses, items=ordered)
    except SuiteError as error:
        return Unavailable(_("polychoric correlations"), str(error))


@passes_unavailable
def polychorics_table(result: Polychorics, most: int = 12) -> ApaTable:
    """Return the pairs whose polychoric correlation lies farthest from Pearson's."""
    pairs = result.pairs
    shown = pairs.loc[pairs["gap"].abs().sort_values(ascending=False).index].head(most)
    return apa_table(
        shown.assign(pair=shown["first"] + " – " + shown["second"]),
        caption=_("Polychoric correlations farthest from Pearson's"),
        columns=[
            Column("pair", _("Items"), "text"),
            Column("n", "n", "integer"),
            Column("rho", "ρ", "bounded"),
            Column("se", "SE", "bounded", 3),
            interval_column(bounded=True),
            Column("pearson", "r", "bounded"),
            Column("gap", "ρ − r", "bounded"),
            Column("empty_cells", _("Empty cells"), "integer"),
        ],
        note=_(
            "ρ: two-step maximum likelihood with robust errors, people who answered both. r: "
            "Pearson's of the codes. Empty cells of the pair's table make ρ lean on the supposed "
            "normality."
        ),
    )


@passes_unavailable
def polychorics_sentence(result: Polychorics) -> str:
    """Read the polychorics aloud."""
    pairs = result.pairs
    top = pairs.loc[pairs["rho"].abs().idxmax()]
    return _(
        "The strongest of {k} pairs is {first} with {second}: ρ = {rho} ({level:.0%} CI {ci}); on "
        "average ρ is {gap} larger in size than Pearson's r, and {empty} pairs have empty cells."
    ).format(
        k=len(pairs), first=top["first"], second=top["second"],
        rho=format_number(top["rho"], bounded=True), level=LEVEL,
        ci=format_interval(top["ci_low"], top["ci_high"], bounded=True),
        gap=format_number((pairs["rho"].abs() - pairs["pearson"].abs()).mean(), 3, bounded=True),
        empty=int((pairs["empty_cells"] > 0).sum()),
    )  # fmt: skip


@passes_unavailable
def polychorics_check(result: Polychorics) -> CheckResult:
    """Check that the matrix of polychorics can be analysed."""
    return CheckResult(
        _("Polychoric matrix positive definite"), result.definite and not result.at_bound,
        float(len(result.at_bound)), 0.0, "Olsson (1979), doi:10.1007/BF02296207",
        _("Pairs without a finite estimate: {n}.").format(n=len(result.at_bound)),
    )  # fmt: skip


def polychorics_numbers(result: Polychorics | Unavailable) -> list[Number]:
    """Return the largest correlation and the mean gap for ``results.json``."""
    if isinstance(result, Unavailable):
        return []
    pairs = result.pairs
    top = pairs.loc[pairs["rho"].abs().idxmax()]
    return [
        Number(
            "polychoric_largest", float(top["rho"]),
            _("polychoric correlation of {a} and {b}, two-step ML").format(
                a=top["first"], b=top["second"]
            ),
            ci_low=float(top["ci_low"]), ci_high=float(top["ci_high"]), level=result.level,
            n_used=int(top["n"]), method="robust SE, Fisher z",
        ),
        Number("polychoric_gap", float(pairs["gap"].mean()), "mean of rho - r over the pairs"),
    ]  # fmt: skip


def estimator_checks(
    study: Study, described: pd.DataFrame, normality: MardiaResult | Unavailable
) -> list[CheckResult | Unavailable]:
    """Say what the answers mean for the choice of the estimator.

    Items with at least five steps may count as continuous under robust ML; fewer ask for
    categorical estimation. Mardia decides between plain and robust errors.
    """
    steps = {i: study.scale_of(i).high - study.scale_of(i).low + 1 for i in described["item"]}
    limit = THRESHOLDS["continuous_categories"]
    fewest = min(steps, key=steps.__getitem__)
    coarse = [i for i, k in steps.items() if not limit.holds(k)]
    advice = (
        _("Categorical estimation (WLSMV) is in order for {n} items with fewer steps.").format(
            n=len(coarse)
        )
        if coarse
        else _("The items may count as continuous; WLSMV serves as a check.")
    )
    steps_check = CheckResult(
        _("Enough steps to count as continuous"), not coarse, float(steps[fewest]), limit.value,
        _(limit.source),
        _("Fewest steps: {k:g} ({item}).").format(k=steps[fewest], item=fewest) + " " + advice,
    )  # fmt: skip
    return [steps_check, _normality_check(normality)]


def _normality_check(normality: MardiaResult | Unavailable) -> CheckResult | Unavailable:
    """Say which standard errors Mardia's test asks for."""
    if isinstance(normality, Unavailable):
        return normality
    robust = min(normality.skewness_p, normality.kurtosis_p) < 1 - LEVEL
    errors = (
        _("Robust standard errors (MLR) are in order.")
        if robust
        else _("Plain standard errors would do; robust ones cost little.")
    )
    return CheckResult(
        _("Multivariate normal (Mardia)"), not robust, normality.kurtosis_z, None,
        "Mardia (1970), doi:10.1093/biomet/57.3.519", errors,
    )  # fmt: skip


def score_pairs(study: Study, scales: pd.DataFrame | Unavailable) -> pd.DataFrame:
    """Return every pair of scale scores: ``first, second, n, r, ci_low, ci_high`` (Fisher).

    A second-order construct is not paired with its own facets: it is made of them.
    """
    columns = ["first", "second", "n", "r", "ci_low", "ci_high"]
    if isinstance(scales, Unavailable):
        return pd.DataFrame(columns=columns)
    facets = {c.code: c.facets for c in study.spec.constructs}
    rows = []
    for i, a in enumerate(scales):
        for b in list(scales)[i + 1 :]:
            if a in facets[b] or b in facets[a]:
                continue
            n = int(study.scores[[a, b]].notna().all(axis=1).sum())
            rows.append((a, b, n, *_fisher(float(scales.loc[a, b]), n)))
    return pd.DataFrame(rows, columns=columns)


def _fisher(r: float, n: int) -> tuple[float, float, float]:
    """Return a correlation with Fisher's interval."""
    if n < 4 or abs(r) >= 1:
        return r, float("nan"), float("nan")
    half = norm.ppf(0.5 + LEVEL / 2) / math.sqrt(n - 3)
    return r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


@passes_unavailable
def score_correlations_table(study: Study, scales: pd.DataFrame, most: int = 12) -> ApaTable:
    """Return the strongest correlations among scales."""
    pairs = score_pairs(study, scales)
    shown = pairs.loc[pairs["r"].abs().sort_values(ascending=False, kind="stable").index]
    return apa_table(
        shown.head(most).assign(
            first=shown["first"].map(study.construct_name),
            second=shown["second"].map(study.construct_name),
        ),
        caption=_("The strongest correlations among scale scores"),
        columns=[
            Column("first", _("One scale"), "text"),
            Column("second", _("The other"), "text"),
            Column("n", "n", "integer"),
            Column("r", "r", "bounded"),
            interval_column(bounded=True),
        ],
        note=_(
            "Pearson's r of means of items, people who have both; Fisher's interval. {k} pairs in "
            "all; a second-order scale is not paired with its own parts."
        ).format(k=len(pairs)),
    )


@passes_unavailable
def score_correlations_sentence(study: Study, scales: pd.DataFrame) -> str:
    """Read the strongest correlation aloud."""
    pairs = score_pairs(study, scales)
    top = pairs.loc[pairs["r"].abs().idxmax()]
    return _(
        "The strongest of {k} correlations is that of {first} with {second}: r = {r} ({level:.0%} "
        "CI {ci}, n = {n})."
    ).format(
        k=len(pairs), first=study.construct_name(top["first"]),
        second=study.construct_name(top["second"]), r=format_number(top["r"], bounded=True),
        level=LEVEL, ci=format_interval(top["ci_low"], top["ci_high"], bounded=True), n=top["n"],
    )  # fmt: skip


@passes_unavailable
def core_correlations(
    study: Study, scales: pd.DataFrame, items: list[str], most: int = 14
) -> pd.DataFrame:
    """Return the correlations among the scales to which some items belong, for a figure."""
    own = study.items.set_index("item").loc[items, "construct"].unique()
    kept = [c for c in scales if c in set(own)][:most]
    kept = kept if len(kept) > 1 else list(scales)[:most]
    return scales.loc[kept, kept]


@passes_unavailable
def core_sentence(study: Study, scales: pd.DataFrame, items: list[str]) -> str:
    """Read aloud the weakest correlation among the scales of the figure."""
    shown = core_correlations(study, scales, items)
    pairs = score_pairs(study, shown)
    low = pairs.loc[pairs["r"].abs().idxmin()]
    return _(
        "Among these {k} scales the weakest correlation is that of {first} with {second}: r = {r} "
        "({level:.0%} CI {ci})."
    ).format(
        k=len(shown), first=study.construct_name(low["first"]),
        second=study.construct_name(low["second"]), r=format_number(low["r"], bounded=True),
        level=LEVEL, ci=format_interval(low["ci_low"], low["ci_high"], bounded=True),
    )  # fmt: skip
