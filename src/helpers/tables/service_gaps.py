"""Tables and sentences of expected and perceived quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.design import variable_label
from helpers.regression.surface import ResponseSurface
from helpers.results import CheckResult
from helpers.service.gaps_study import Quality, planted_gaps, short_wordings
from helpers.service.quality_gaps import GapIndex, GapModels
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column, interval_label
from helpers.tables.formulas import surface_lines
from helpers.tables.numbers import format_interval, format_number, format_p, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


def dimension_names(quality: Quality) -> dict[str, str]:
    """Return the names of the dimensions by code, in the current language."""
    return {d.code: pick(d.name.model_dump()) for d in quality.plan.dimensions}


def variant_source(quality: Quality) -> str:
    """Return the scale that the study follows, with its source."""
    return {
        "SERVQUAL": _("SERVQUAL: Parasuraman, Zeithaml & Berry (1988)"),
        "E-S-QUAL": _("E-S-QUAL: Parasuraman, Zeithaml & Malhotra (2005)"),
        "E-RecS-QUAL": _("E-RecS-QUAL: Parasuraman, Zeithaml & Malhotra (2005)"),
    }[quality.plan.variant]


@passes_unavailable
def variant_sentence(quality: Quality) -> str:
    """Name the scale, its dimensions and its number of pairs."""
    return _("{source}. Pairs of items: {pairs}; dimensions: {k} ({names}).").format(
        source=variant_source(quality), pairs=quality.items["perceived"].shape[1],
        k=len(quality.plan.dimensions), names=_(", ").join(dimension_names(quality).values()),
    )  # fmt: skip


@passes_unavailable
def gaps_table(quality: Quality, gaps: pd.DataFrame) -> ApaTable:
    """Return expectation, perception and gap by dimension."""
    return apa_table(
        gaps.assign(name=gaps["code"].map(dimension_names(quality))),
        caption=_("What was expected, what was perceived, and the gap, by dimension"),
        columns=[
            Column("name", _("Dimension"), "text"),
            Column("expected", _("Expectation")),
            Column("perceived", _("Perception")),
            Column("gap", _("Gap")),
            interval_column(),
            Column("short", _("Got less"), "percent", 0),
            Column("ceiling", _("At the top"), "percent", 0),
        ],
        note=_(
            "Means on the answer scale of {low:g} to {high:g}; gap: perceived less expected, "
            "paired; n = {n}, {dropped} left out for a blank at most. Got less: share of customers "
            "who perceived less than they expected. At the top: share who expect the utmost and "
            "can therefore not be exceeded."
        ).format(
            low=quality.low, high=quality.high, n=gaps["n_used"].min(),
            dropped=gaps["n_dropped"].max(),
        ),
    )  # fmt: skip


@passes_unavailable
def gaps_picture(quality: Quality, gaps: pd.DataFrame) -> pd.DataFrame:
    """Return expectation and perception as ``plot_group_means`` takes them."""
    words = {"expected": _("Expectation"), "perceived": _("Perception")}
    return pd.DataFrame(
        [
            {
                "group": dimension_names(quality)[row["code"]], "series": words[side],
                "mean": row[side], "ci_low": row[f"{side}_low"], "ci_high": row[f"{side}_high"],
            }
            for row in gaps.to_dict("records")
            for side in words
        ]
    )  # fmt: skip


@passes_unavailable
def means_axis(quality: Quality) -> str:
    """Return the words along the axis of the means."""
    return _("Mean ({low:g}-{high:g})").format(low=quality.low, high=quality.high)


@passes_unavailable
def gaps_sentence(quality: Quality, gaps: pd.DataFrame) -> str:
    """Read the widest and the narrowest gap aloud."""
    names = dimension_names(quality)
    worst, best = gaps.loc[gaps["gap"].idxmin()], gaps.loc[gaps["gap"].idxmax()]
    text = _end_of_gaps(names, worst, lowest=True)
    if len(gaps) == 1:
        return text
    firm = (
        _("That {name} stands lowest is firm.")
        if worst["rank_high"] == 1
        else _("Whether {name} stands lowest is not settled by this sample.")
    ).format(name=names[worst["code"]])
    return f"{text} {_end_of_gaps(names, best, lowest=False)} {firm}"


def _end_of_gaps(names: dict[str, str], row: pd.Series, *, lowest: bool) -> str:
    """Read the lowest or the highest gap aloud; it falls behind or goes beyond, by its sign."""
    if lowest and row["gap"] < 0:
        text = _(
            "The shop falls furthest behind in {name}: {gap} {interval}; {short} of customers got "
            "less than they expected."
        )
    elif lowest:
        text = _(
            "On average the shop falls behind in nothing; lowest stands {name}: {gap} {interval}; "
            "{short} of customers got less than they expected."
        )
    elif row["gap"] > 0:
        text = _("It goes furthest beyond what was expected in {name}: {gap} {interval}.")
    else:
        text = _("Nearest to what was expected: {name}, {gap} {interval}.")
    return text.format(
        name=names[row["code"]], gap=format_number(row["gap"]),
        interval=format_interval(row["ci_low"], row["ci_high"]),
        short=format_percent(row["short"], 0),
    )  # fmt: skip


@passes_unavailable
def items_table(study: Study, quality: Quality, gaps: pd.DataFrame) -> ApaTable:
    """Return the gap of every pair of items, by dimension."""
    names = dimension_names(quality)
    return apa_table(
        gaps.assign(
            wording=gaps["code"].map(short_wordings(study, quality)),
            dimension=gaps["dimension"].map(names),
        ),
        caption=_("Gaps item by item"),
        columns=[
            Column("wording", _("Item"), "text"),
            Column("expected", _("Expectation")),
            Column("perceived", _("Perception")),
            Column("gap", _("Gap")),
            interval_column(),
            Column("short", _("Got less"), "percent", 0),
        ],
        section="dimension",
        note=_("{source}. Each interval holds for its item alone.").format(
            source=variant_source(quality)
        ),
    )


@passes_unavailable
def reliability_table(quality: Quality, gaps: pd.DataFrame) -> ApaTable:
    """Return how reliable both scores and their difference are."""
    return apa_table(
        gaps.assign(name=gaps["code"].map(dimension_names(quality))),
        caption=_("Reliability of expectations, perceptions and gaps"),
        columns=[
            Column("name", _("Dimension"), "text"),
            Column("alpha_expected", _("Expectation"), "bounded"),
            Column("alpha_perceived", _("Perception"), "bounded"),
            Column("r", "r", "bounded"),
            Column("alpha_gap", _("Gap"), "bounded"),
        ],
        note=_(
            "Coefficient alpha of both sides; r: their correlation; gap: reliability of the "
            "difference, which falls as r rises."
        ),
    )


@passes_unavailable
def index_table(quality: Quality, index: GapIndex) -> ApaTable:
    """Return the weights of the dimensions."""
    return apa_table(
        index.weights.assign(name=index.weights["code"].map(dimension_names(quality))),
        caption=_("Weights of the dimensions"),
        columns=[
            Column("name", _("Dimension"), "text"),
            Column("weight", _("Weight"), "percent", 0),
            Column("weight_low", interval_label(index.level), "percent_interval", 0,
                   upper="weight_high"),
        ],
        note=_(
            "Share of R² of the outcome that goes with the perceptions of the dimension (relative "
            "weights); percentile intervals of {b} bootstrap draws; n = {n}, {dropped} left out "
            "for a blank. Derived from the answers, not asked for."
        ).format(b=index.n_boot, n=index.n_used, dropped=index.n_dropped),
    )  # fmt: skip


@passes_unavailable
def index_sentence(index: GapIndex) -> str:
    """Read the plain and the weighted index aloud."""
    return _(
        "Over all dimensions the gap is {plain} {plain_interval}; weighted by what goes with the "
        "outcome, {weighted} {weighted_interval}."
    ).format(
        plain=format_number(index.plain),
        plain_interval=format_interval(index.plain_low, index.plain_high),
        weighted=format_number(index.weighted),
        weighted_interval=format_interval(index.weighted_low, index.weighted_high),
    )


@passes_unavailable
def models_table(study: Study, quality: Quality, models: GapModels) -> ApaTable:
    """Return how much of the outcome goes with gaps, perceptions, and both."""
    words = {
        "gap": _("gaps"),
        "perceived": _("perceptions alone"),
        "both": _("expectations and perceptions"),
    }
    return apa_table(
        models.table.assign(name=models.table["model"].map(words)),
        caption=_("What goes with {outcome}: gaps, or perceptions alone?").format(
            outcome=variable_label(study, str(quality.plan.outcome))
        ),
        columns=[
            Column("name", _("Predictors"), "text"),
            Column("n_parameters", _("Parameters"), "integer"),
            Column("r2", "R²", "bounded", 3),
            Column("adj_r2", _("Adjusted R²"), "bounded", 3),
            Column("aic", "AIC", "number", 1),
        ],
        note=_(
            "Equal and opposite weights: F({df}) = {gap_f}, p {gap_p}. No weight of expectations: "
            "F({df}) = {expected_f}, p {expected_p}; Wald tests, HC3. n = {n}, {dropped} left out."
        ).format(
            df=models.df, gap_f=format_number(models.gap_f), gap_p=_signed(models.gap_p),
            expected_f=format_number(models.expected_f), expected_p=_signed(models.expected_p),
            n=models.n_used, dropped=models.n_dropped,
        ),
    )  # fmt: skip


@passes_unavailable
def models_sentence(models: GapModels) -> str:
    """Say whether the gap, or the perceptions alone, may stand for both."""
    alpha = 1 - LEVEL
    text = _("Gaps explain {gap}, perceptions alone {perceived}, both freely {both}.").format(
        gap=format_percent(models.r2("gap")), perceived=format_percent(models.r2("perceived")),
        both=format_percent(models.r2("both")),
    )  # fmt: skip
    gap = (
        _("That expectation and perception weigh alike with opposite signs is not borne out.")
        if models.gap_p < alpha
        else _("The data do not contradict equal and opposite weights.")
    )
    plain = (
        _("Expectations add to the perceptions.")
        if models.expected_p < alpha
        else _("Expectations add nothing to the perceptions that this sample could show.")
    )
    return f"{text} {gap} {plain}"


@passes_unavailable
def disconfirmation_table(surface: ResponseSurface) -> ApaTable:
    """Return slopes and curvatures along the lines of agreement and disagreement."""
    return apa_table(
        surface.lines.assign(reading=surface.lines["name"].map(surface_lines())),
        caption=_("The surface along and across the line where both agree"),
        columns=[
            Column("name", "", "text"),
            Column("reading", _("Reading"), "text"),
            Column("estimate", _("Estimate")),
            interval_column(),
            Column("p_value", "p", "p"),
        ],
        note=_(
            "x: expectation, y: perception, means over the dimensions less {centre:g}. Polynomial "
            "of second degree, HC3 errors; n = {n}, {dropped} left out for a blank."
        ).format(centre=surface.centre, n=surface.n_used, dropped=surface.n_dropped),
    )


@passes_unavailable
def surface_grid(surface: ResponseSurface) -> pd.DataFrame:
    """Return the predicted values as ``plot_surface`` takes them."""
    return surface.grid


def surface_labels(
    study: Study, quality: Quality, surface: ResponseSurface | Unavailable
) -> dict[str, object]:
    """Return axis labels and where respondents lie."""
    if isinstance(surface, Unavailable):
        return {}
    return {
        "points": surface.points,
        "xlabel": _("Expectation"),
        "ylabel": _("Perception"),
        "label": variable_label(study, str(quality.plan.outcome)),
    }


@passes_unavailable
def surface_sentence(surface: ResponseSurface) -> str:
    """Read the slope across the line of agreement aloud, and whether the surface bends."""
    cross = surface.line("a3")
    text = _(
        "Across the line where both agree, towards more expected and less perceived, "
        "the outcome changes by {slope} per step {interval}."
    ).format(
        slope=format_number(cross["estimate"]),
        interval=format_interval(cross["ci_low"], cross["ci_high"]),
    )
    bend = _("Squares and product raise R² from {plain} to {full} (p {p}).").format(
        plain=format_number(surface.r2_linear, 3, bounded=True),
        full=format_number(surface.r2, 3, bounded=True), p=_signed(surface.gain_p),
    )  # fmt: skip
    return f"{text} {bend}"


@passes_unavailable
def zone_table(quality: Quality, zone: pd.DataFrame) -> ApaTable:
    """Return where perceptions lie between what would do and what is expected."""
    return apa_table(
        zone.assign(name=zone["code"].map(dimension_names(quality))),
        caption=_("Zone of tolerance, by dimension"),
        columns=[
            Column("name", _("Dimension"), "text"),
            Column("adequate", _("Would do")),
            Column("perceived", _("Perception")),
            Column("expected", _("Expectation")),
            Column("adequacy", _("Above what would do")),
            interval_column("adequacy_low", "adequacy_high"),
            Column("below", _("Below the zone"), "percent", 0),
            Column("within", _("Within"), "percent", 0),
            Column("above", _("Above"), "percent", 0),
        ],
        note=_(
            "Zeithaml, Berry & Parasuraman (1993). Shares among customers whose lowest level that "
            "would do is not above the expected one; {turned} answers turn the two round."
        ).format(turned=int(zone["turned"].sum())),
    )


def gap_checks(
    study: Study, quality: Quality | Unavailable, gaps: pd.DataFrame | Unavailable
) -> list[CheckResult | Unavailable]:
    """Check the reliability of the gaps and, in the simulated study, the planted gaps."""
    for lacking in (quality, gaps):
        if isinstance(lacking, Unavailable):
            return [lacking]
    cut = THRESHOLDS["alpha"]
    known = pd.to_numeric(gaps["alpha_gap"], errors="coerce").dropna()
    checks = []
    if len(known):
        text = _("Reliability of the gaps from {low} to {high}.").format(
            low=format_number(known.min(), bounded=True),
            high=format_number(known.max(), bounded=True),
        )
        least = float(known.min())
        checks.append(
            CheckResult(
                _("Reliability of gaps"), cut.holds(least), least, cut.value, cut.source, text
            )
        )
    if study.offers("truth") is not None or "servqual" not in study.truth.get("modules", {}):
        return checks
    return [*checks, _planted(quality, gaps, planted_gaps(study.truth))]


def _planted(quality: Quality, gaps: pd.DataFrame, truth: dict[str, float]) -> CheckResult:
    """Hold the gaps against the planted ones."""
    rows = [row for row in gaps.to_dict("records") if row["code"] in truth]
    hits = sum(row["ci_low"] <= truth[row["code"]] <= row["ci_high"] for row in rows)
    names = dimension_names(quality)
    listed = _("; ").join(
        f"{names[row['code']]} {format_number(row['gap'])} ({format_number(truth[row['code']])})"
        for row in rows
    )
    # With five intervals at 95 %, one miss is nothing unusual: 23 % of samples have one or more.
    return CheckResult(
        _("Planted gaps"), hits >= len(rows) - 1, hits / len(rows), None, "population.yml",
        _("Intervals that cover: {hits} of {total}; found (planted): {listed}.").format(
            hits=hits, total=len(rows), listed=listed),
    )  # fmt: skip


def _signed(p: float) -> str:
    """Return a p-value with its sign of relation."""
    text = format_p(p)
    return text if text.startswith(("<", ">")) else f"= {text}"
