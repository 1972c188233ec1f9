"""Tables and sentences of reliability, factor structure and discriminant validity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.measurement.reliability import inter_item_correlations
from helpers.measurement.rows import constants_text
from helpers.measurement.study_factors import StudyFactors
from helpers.measurement.study_scales import StudyReliability
from helpers.measurement.validity import HtmtResult
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.describing import correlation_table, efa_table, reliability_table
from helpers.thresholds import LEVEL


def scales_table(result: StudyReliability) -> ApaTable:
    """Return reliability and convergent validity, one row a scale."""
    caption = (
        _("Reliability of the scales, as published")
        if result.published
        else _("Reliability of the scales")
    )
    return reliability_table(result.table(), caption=caption)


def scales_picture(result: StudyReliability) -> pd.DataFrame:
    """Return alphas with their intervals for a forest plot; without an interval, points alone."""
    rows = result.table()
    known = rows[[not isinstance(value, Unavailable) for value in rows["alpha"]]]
    bounds = {
        name: [np.nan if isinstance(v, Unavailable) else float(v) for v in known[column]]
        for name, column in (("ci_low", "alpha_low"), ("ci_high", "alpha_high"))
    }
    return pd.DataFrame(
        {"label": known["name"], "estimate": known["alpha"].astype(float), **bounds}
    ).reset_index(drop=True)


def interval_axis(name: str) -> str:
    """Return the axis label of a coefficient with its interval."""
    return _("{name} with {percent:g}% interval").format(name=name, percent=100 * LEVEL)


def chosen_scale(result: StudyReliability, construct: str = "") -> str:
    """Return the construct asked for; if none is, the one with the lowest alpha."""
    codes = result.table()["construct"].tolist()
    if construct and construct not in codes:
        raise DataContractError(
            f"chosen_scale: construct= is '{construct}'; allowed are {listing(codes, 40)}."
            f"{nearest(construct, codes)} Correct the parameter."
        )
    if construct and result.scales and construct not in result.scales:
        why = result.table().set_index("construct").loc[construct, "alpha"].why
        raise DataContractError(
            f"chosen_scale: construct= is '{construct}', which has no reliability: {why}; allowed "
            f"are {listing(result.scales, 40)}. Choose another, or leave the parameter empty."
        )
    return construct or str(result.lowest()["construct"])


def scale_items_table(
    study: Study, result: StudyReliability, construct: str
) -> ApaTable | Unavailable:
    """Return the items of one scale: mean, SD, item-rest correlation, alpha without it, loading."""
    items = result.items()
    if isinstance(items, Unavailable):
        return items
    rows = items[items["construct"] == construct].reset_index(drop=True)
    rows = rows.assign(wording=[study.wording(item) for item in rows["item"]])
    return apa_table(
        rows,
        caption=_("Items of the scale: {name}").format(name=study.construct_name(construct)),
        columns=[
            Column("item", _("Item"), "text"),
            Column("wording", _("Wording"), "text"),
            Column("mean", _("Mean")),
            Column("sd", _("SD")),
            Column("item_rest", _("Item-rest r"), "bounded"),
            Column("alpha_if_deleted", _("Alpha without it"), "bounded"),
            Column("std_loading", _("Loading"), "bounded"),
        ],
        note=_(
            "Item-rest r is with the sum of the other items. The loading is of a one-factor model "
            "of this scale alone. Reverse-keyed items are turned."
        ),
    )


def scale_items_sentence(result: StudyReliability, construct: str) -> str | Unavailable:
    """Read the weakest item of one scale aloud."""
    items = result.items()
    if isinstance(items, Unavailable):
        return items
    scale = result.scales[construct]
    weakest = scale.items.loc[scale.items["item_rest"].astype(float).idxmin()]
    text = _(
        "The weakest item is {item}: it correlates {r:.2f} with the sum of the other items "
        "(n = {n})."
    ).format(item=weakest["item"], r=weakest["item_rest"], n=scale.n_used)
    if isinstance(weakest["alpha_if_deleted"], Unavailable):
        return text
    without = _("Without it alpha would be {without:.2f} in place of {alpha:.2f}.").format(
        without=weakest["alpha_if_deleted"], alpha=scale.alpha
    )
    return f"{text} {without}"


def inter_item_table(
    study: Study, result: StudyReliability, construct: str
) -> ApaTable | Unavailable:
    """Return the correlations among the items of one scale, on its complete rows."""
    if construct not in result.scales:
        return Unavailable(
            _("correlations among the items"), _("only scale correlations were published")
        )
    items = study.items_of(construct)
    return correlation_table(
        inter_item_correlations(study.responses[items]),
        n_used=result.scales[construct].n_used,
        caption=_("Correlations among the items of: {name}").format(
            name=study.construct_name(construct)
        ),
    )


def inter_item_sentence(result: StudyReliability, construct: str) -> str | Unavailable:
    """Read the mean inter-item correlation of one scale aloud."""
    if construct not in result.scales:
        return Unavailable(
            _("correlations among the items"), _("only scale correlations were published")
        )
    scale = result.scales[construct]
    return _(
        "On average two items correlate {r:.2f}; with {k} items this gives a standardised alpha of "
        "{alpha:.2f} (n = {n})."
    ).format(
        r=scale.mean_inter_item_r,
        k=scale.n_items,
        alpha=scale.standardized_alpha,
        n=scale.n_used,
    )


def factors_table(result: StudyFactors, hide_below: float) -> ApaTable:
    """Return the pattern matrix, small loadings left blank."""
    return efa_table(
        result.table(),
        hide_below=hide_below,
        caption=_("Factor loadings, number of factors {k} ({extraction}, {rotation})").format(
            k=result.n_factors,
            extraction=result.solution.extraction,
            rotation=result.solution.rotation,
        ),
    )


def factor_correlations_table(result: StudyFactors) -> ApaTable | Unavailable:
    """Return the correlations of the factors."""
    if result.n_factors == 1:
        return Unavailable(_("correlations of factors"), _("there is one factor only"))
    frame = result.solution.correlation_table()
    columns = [Column("factor", _("Factor"), "text")]
    columns += [Column(name, name.upper(), "bounded") for name in frame.columns[1:]]
    frame = frame.assign(factor=frame["factor"].str.upper())
    return apa_table(frame, caption=_("Correlations of the factors"), columns=columns)


def structure_table(result: StudyFactors) -> ApaTable | Unavailable:
    """Return the items that load most on a factor of another scale, or weakly on their own."""
    table = result.structure()
    if isinstance(table, Unavailable):
        return table
    odd = table[~table["met"]].reset_index(drop=True)
    if odd.empty:
        return Unavailable(
            _("a list of items that stray"), _("every item loads on the factor of its own scale")
        )
    return apa_table(
        odd,
        caption=_("Items that load most on the factor of another scale"),
        columns=[
            Column("item", _("Item"), "text"),
            Column("construct", _("Its own scale"), "text"),
            Column("belongs_to", _("Scale of the factor"), "text"),
            Column("loading", _("Loading"), "bounded"),
            Column("second_loading", _("Next loading"), "bounded"),
        ],
    )


def structure_sentence(result: StudyFactors) -> str | Unavailable:
    """Read the agreement of items and scales aloud."""
    check = result.checks()[1]
    return check if isinstance(check, Unavailable) else check.text


def retention_table(result: StudyFactors) -> ApaTable:
    """Return how many factors each rule keeps."""
    parallel, partials = result.parallel, result.partials
    lacking = isinstance(parallel, Unavailable)
    rows = [
        (_("Parallel analysis, components"), parallel if lacking else parallel.n_components),
        (_("Parallel analysis, common factors"), parallel if lacking else parallel.n_factors),
        (_("MAP, squared partial correlations"), partials.n_components),
        (_("MAP, fourth power"), partials.n_components_fourth),
        (_("Extracted here"), result.n_factors),
    ]
    frame = pd.DataFrame(rows, columns=["rule", "kept"])
    return apa_table(
        frame,
        caption=_("Number of factors by each rule"),
        columns=[Column("rule", _("Rule"), "text"), Column("kept", _("Factors"), "integer")],
        note=_(
            "Parallel analysis of common factors tends to keep too many where the sample is large."
        ),
    )


def neighbours_table(result: StudyFactors) -> ApaTable | Unavailable:
    """Return the fit of the numbers of factors around the one chosen."""
    if result.neighbours.empty:
        return _no_fit(result)
    columns = [
        Column("n_factors", _("Factors"), "integer"),
        Column("chi2", "χ²", "number", 1),
        Column("df", "df", "integer"),
        Column("p_value", "p", "p"),
        Column("rmsea", "RMSEA", "bounded", 3),
        Column("tli", "TLI", "bounded", 3),
        Column("bic", "BIC", "number", 1),
        Column("proper", _("Proper"), "truth"),
    ]
    note = _(
        "Maximum likelihood, n = {n}. BIC is χ² − df ln(n); smaller is better. Not proper: a "
        "uniqueness at its lower bound (Heywood case)."
    ).format(n=result.correlations.n_used)
    caption = _("Fit by the number of factors")
    return apa_table(result.neighbours, caption=caption, columns=columns, note=note)


def neighbours_sentence(result: StudyFactors) -> str | Unavailable:
    """Say which number of factors has the smallest BIC."""
    known = result.neighbours
    if not known.empty:
        known = known[[not isinstance(v, Unavailable) for v in known["bic"]]]
    if known.empty:
        return _no_fit(result)
    best = known.loc[known["bic"].astype(float).idxmin()]
    return _("Among these the smallest BIC belongs to this number of factors: {k}.").format(
        k=best["n_factors"]
    )


def _no_fit(result: StudyFactors) -> Unavailable:
    """Say why numbers of factors cannot be compared by fit."""
    why = _("the number of respondents behind the matrix is not known")
    if result.correlations.kind == "polychoric":
        why = _("tests of fit do not hold for polychoric correlations")
    return Unavailable(_("the fit by the number of factors"), why)


def adequacy_table(result: StudyFactors) -> ApaTable:
    """Return the measure of sampling adequacy of every variable, lowest first."""
    frame = pd.DataFrame({"item": result.solution.items, "msa": result.adequacy.msa})
    frame = frame.sort_values("msa", kind="stable", ignore_index=True).head(8)
    return apa_table(
        frame,
        caption=_("Lowest measures of sampling adequacy"),
        columns=[Column("item", _("Item"), "text"), Column("msa", "MSA", "bounded")],
        note=_("Overall: {kmo:.2f}.").format(kmo=result.adequacy.kmo),
    )


def sphericity_table(result: StudyFactors) -> ApaTable | Unavailable:
    """Return Bartlett's test, and the test that the factors suffice."""
    test, solution = result.sphericity, result.solution
    if isinstance(test, Unavailable):
        return test
    rows = pd.DataFrame(
        {
            "test": [
                _("Bartlett's test: no correlation at all"),
                _("The factors reproduce the correlations"),
            ],
            "chi2": [test.chi2, solution.chi2],
            "df": [test.df, solution.df],
            "p_value": [test.p_value, solution.p_value],
            "rmsea": [None, solution.rmsea],
        }
    )
    return apa_table(
        rows,
        caption=_("Tests of the correlations"),
        columns=[
            Column("test", _("Test"), "text"),
            Column("chi2", "χ²", "number", 1),
            Column("df", "df", "integer"),
            Column("p_value", "p", "p"),
            Column("rmsea", "RMSEA", "bounded", 3),
        ],
        note=_("n = {n}. Both tests assume normal answers and grow with n.").format(n=test.n_used),
        missing_reason=_("not defined for this test"),
    )


def htmt_table(result: HtmtResult | Unavailable, most: int) -> ApaTable | Unavailable:
    """Return the pairs with the largest HTMT, with HTMT2 beside."""
    if isinstance(result, Unavailable):
        return result
    rows = result.table()
    columns = [
        Column("construct_1", _("Construct"), "text"),
        Column("construct_2", _("with"), "text"),
        Column("htmt", "HTMT", "number"),  # not bounded: ratios can exceed 1
    ]
    if result.n_boot:
        columns.append(interval_column("htmt_low", "htmt_high"))
    columns.append(Column("htmt2", "HTMT2", "number"))
    if result.n_boot:
        columns.append(interval_column("htmt2_low", "htmt2_high"))
    if not result.n_boot:
        note = _(
            "Largest pairs shown: {shown} of {of}; n = {n}, {dropped} left out for a blank."
        ).format(
            shown=min(most, len(rows)), of=len(rows), n=result.n_used, dropped=result.n_dropped
        )
    else:
        note = _htmt_draws_note(result, min(most, len(rows)))
    if result.left_out:
        note += " " + _("Constructs with a single item are left out: {names}.").format(
            names=_(", ").join(result.left_out)
        )
    return apa_table(
        rows.head(most),
        caption=_("Heterotrait-monotrait ratios"),
        columns=columns,
        note=" ".join(filter(None, (note, constants_text(result.constant)))),
    )


def _htmt_draws_note(result: HtmtResult, shown: int) -> str:
    """Return the note of a table with bootstrap intervals."""
    return _(
        "Largest pairs shown: {shown} of {of}. Percentile intervals of {boot} bootstrap draws "
        "(seed {seed}; {failed} draws failed); n = {n}, {dropped} left out for a blank."
    ).format(
        shown=shown,
        of=len(result.pairs),
        boot=result.n_boot,
        seed=result.seed,
        failed=result.n_failed,
        n=result.n_used,
        dropped=result.n_dropped,
    )


def htmt_picture(result: HtmtResult | Unavailable, most: int) -> pd.DataFrame | Unavailable:
    """Return the pairs with the largest HTMT for a forest plot."""
    if isinstance(result, Unavailable):
        return result
    rows = result.table().head(most)
    nothing = pd.Series(np.nan, index=rows.index)
    return pd.DataFrame(
        {
            "label": rows["construct_1"] + " – " + rows["construct_2"],
            "estimate": rows["htmt"],
            "ci_low": rows.get("htmt_low", nothing),
            "ci_high": rows.get("htmt_high", nothing),
        }
    )


def htmt_sentence(result: HtmtResult | Unavailable) -> str | Unavailable:
    """Read the largest HTMT aloud."""
    return result if isinstance(result, Unavailable) else result.text()


def htmt_checks(result: HtmtResult | Unavailable) -> list:
    """Return the checks of HTMT, or why there are none."""
    return [result] if isinstance(result, Unavailable) else list(result.checks())
