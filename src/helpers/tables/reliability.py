"""Tables and sentences of reliability beyond alpha: further coefficients, facets, items."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.measurement.reliability_intervals import ReliabilityIntervals, reliability_intervals
from helpers.sem.study_reliability import MoreReliability
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number


@passes_unavailable
def coefficients_table(study: Study, found: MoreReliability) -> ApaTable:
    """Return standardised alpha, CR and AVE with intervals."""
    kinds = (("standardized", _("α standardised")), ("cr", "CR"), ("ave", "AVE"))
    note = _(
        "Intervals: percentile bootstrap ({boot} draws, seed {seed}) for standardised α, delta "
        "method for CR and AVE, which are of a one-factor model of each scale."
    ).format(boot=found.n_boot, seed=found.seed)
    caption = _("Further coefficients of the scales, with intervals")
    return _coefficients(study, found, kinds, caption, note)


@passes_unavailable
def categorical_table(study: Study, found: MoreReliability) -> ApaTable:
    """Return omega categorical and rho_A with intervals."""
    kinds = (("omega_cat", _("ω categorical")), ("rho_a", "ρA"))
    note = _(
        "ω categorical: of the sum of the answers, from a one-factor model of polychoric "
        "correlations, delta method. ρA: PLS mode A among the scales shown, percentile bootstrap "
        "(at most 500 draws)."
    )
    caption = _("Omega categorical and rho_A, with intervals")
    return _coefficients(study, found, kinds, caption, note)


def _coefficients(
    study: Study,
    found: MoreReliability,
    kinds: tuple[tuple[str, str], ...],
    caption: str,
    note: str,
) -> ApaTable:
    """Return a table of some coefficients, each with its interval."""
    frame = found.rows.assign(name=[study.construct_name(c) for c in found.rows["construct"]])
    columns = [Column("name", _("Construct"), "text")]
    for key, label in kinds:
        columns += [
            Column(key, label, "bounded"),
            interval_column(f"{key}_low", f"{key}_high", bounded=True),
        ]
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def coefficients_sentence(study: Study, found: MoreReliability) -> str:
    """Say where omega categorical differs most from the reliability of continuous items."""
    known = found.rows[
        [not isinstance(a, Unavailable) and not isinstance(b, Unavailable)
         for a, b in zip(found.rows["omega_cat"], found.rows["cr"])]
    ]  # fmt: skip
    if known.empty:
        return _("No scale has both a composite reliability and an omega categorical.")
    gap = (known["omega_cat"].astype(float) - known["cr"].astype(float)).abs()
    row = known.loc[gap.idxmax()]
    return _(
        "Treating the answers as categories matters most for {name}: ω categorical is {cat}, CR "
        "is {cr}."
    ).format(
        name=study.construct_name(row["construct"]),
        cat=format_number(row["omega_cat"], bounded=True),
        cr=format_number(row["cr"], bounded=True),
    )


@passes_unavailable
def facets_table(study: Study, found: MoreReliability) -> ApaTable | Unavailable:
    """Return omega hierarchical and total of constructs with facets."""
    if found.facets.empty:
        return _no_facets()
    ways = {
        "schmid_leiman": _("Schmid-Leiman, exploratory"),
        "second_order": _("second-order model"),
    }
    frame = found.facets.assign(
        name=[study.construct_name(c) for c in found.facets["construct"]],
        words=[ways[w] for w in found.facets["way"]],
    )
    columns = [
        Column("name", _("Construct"), "text"),
        Column("words", _("Way"), "text"),
        Column("omega_h", _("ω hierarchical"), "bounded"),
        interval_column("omega_h_low", "omega_h_high", bounded=True),
        Column("omega_t", _("ω total"), "bounded"),
        interval_column("omega_t_low", "omega_t_high", bounded=True),
        Column("n_used", "n", "integer"),
    ]
    note = _(
        "ω hierarchical: share of the variance of the sum that the general factor accounts for; ω "
        "total: all factors together. Intervals: percentile bootstrap (exploratory), delta method "
        "(model)."
    )
    caption = _("Constructs with facets: one score, or several?")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def facets_sentence(study: Study, found: MoreReliability) -> str | Unavailable:
    """Read omega hierarchical against omega total aloud."""
    if found.facets.empty:
        return _no_facets()
    row = found.facets.iloc[-1]
    return _(
        "Of the reliable variance of the sum for {name}, {share:.0%} belongs to the general factor "
        "(ω hierarchical {h} of ω total {t})."
    ).format(
        name=study.construct_name(row["construct"]),
        share=float(row["omega_h"]) / float(row["omega_t"]),
        h=format_number(row["omega_h"], bounded=True),
        t=format_number(row["omega_t"], bounded=True),
    )


def _no_facets() -> Unavailable:
    """Say why there is no omega hierarchical."""
    return Unavailable(_("omega hierarchical"), _("no construct has three facets of two items"))


def item_intervals(
    study: Study, construct: str, *, n_boot: int, seed: int
) -> ReliabilityIntervals | Unavailable:
    """Return item-rest correlations and alpha without each item of one scale, with intervals."""
    items = study.items_of(construct) if study.has_rows else []
    if len(items) < 2:
        return Unavailable(_("an item table"), _("only scale correlations were published"))
    return reliability_intervals(
        study.responses[items], construct=construct, n_boot=n_boot, seed=seed
    )


@passes_unavailable
def item_intervals_table(study: Study, found: ReliabilityIntervals) -> ApaTable:
    """Return the intervals of one scale's items."""
    frame: pd.DataFrame = found.items
    columns = [
        Column("item", _("Item"), "text"),
        Column("item_rest", _("Item-rest r"), "bounded"),
        interval_column("item_rest_low", "item_rest_high", bounded=True),
    ]
    if len(frame) > 2:
        columns += [
            Column("alpha_if_deleted", _("Alpha without it"), "bounded"),
            interval_column("alpha_if_deleted_low", "alpha_if_deleted_high", bounded=True),
        ]
    caption = _("Items with intervals: {name}").format(name=study.construct_name(found.construct))
    note = _("Percentile intervals of {boot} bootstrap draws, seed {seed}; n = {n}.").format(
        boot=found.n_boot, seed=found.seed, n=found.n_used
    )
    return apa_table(frame, caption=caption, columns=columns, note=note)
