"""Ready tables of description: items, categories, correlations, reliability, loadings."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from scipy.special import stdtrit

from helpers.errors import ReportError, listing
from helpers.i18n import _
from helpers.results import Basis
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, Parenthesised, interval_column, interval_label
from helpers.tables.numbers import format_integer, format_number, is_missing
from helpers.thresholds import LEVEL, THRESHOLDS


def descriptives_table(
    data: pd.DataFrame, *, labels: Mapping[str, str] | None = None, caption: str | None = None
) -> ApaTable:
    """Return the table of items or scales.

    Parameters
    ----------
    data : DataFrame
        Columns ``item mean sd``; optional ``construct n n_missing ci_low ci_high skewness
        kurtosis floor ceiling`` (the last two shares of 0 to 1). Several constructs become
        sub-headings.
    labels : mapping, optional
        Item to its wording, printed in place of the code.
    caption : str, optional
    """
    frame = _renamed(data, "item", labels)
    wanted = [
        Column("item", _("Item"), "text"),
        Column("n", "n", "integer"),
        Column("n_missing", _("Missing"), "integer"),
        Column("mean", "M"),
        interval_column(),
        Column("sd", "SD"),
        Column("skewness", _("Skewness")),
        Column("kurtosis", _("Excess kurtosis")),
        Column("floor", _("Lowest answer"), "percent", 1),
        Column("ceiling", _("Highest answer"), "percent", 1),
    ]
    several = "construct" in frame.columns and frame["construct"].nunique() > 1
    return apa_table(
        frame,
        caption=caption or _("Descriptive statistics of the items"),
        columns=present(frame, wanted, ("item", "mean", "sd"), "descriptives_table"),
        section="construct" if several else None,
    )


def categories_table(data: pd.DataFrame, *, caption: str | None = None) -> ApaTable:
    """Return counts and shares of categories, a sub-heading for each question.

    Columns ``item category n share``, optional ``ci_low ci_high`` (shares of 0 to 1).
    """
    wanted = [
        Column("category", _("Category"), "text"),
        Column("n", "n", "integer"),
        Column("share", _("Share"), "percent", 1),
        Column("ci_low", interval_label(), "percent_interval", 1, upper="ci_high"),
    ]
    return apa_table(
        data,
        caption=caption or _("Composition of the sample"),
        columns=present(data, wanted, ("category", "n"), "categories_table"),
        section="item" if "item" in data.columns else None,
    )


def correlation_table(
    corr: pd.DataFrame,
    *,
    means: Mapping[str, float] | None = None,
    sds: Mapping[str, float] | None = None,
    reliabilities: Mapping[str, float] | None = None,
    labels: Mapping[str, str] | None = None,
    n_used: int | None = None,
    caption: str | None = None,
) -> ApaTable:
    """Return the lower triangle with means, SDs, and reliabilities on the diagonal.

    Parameters
    ----------
    corr : DataFrame, shape (k, k)
        Correlations; index and columns name the variables alike.
    means, sds, reliabilities : mapping or Series, optional
        By variable. Reliabilities stand in brackets on the diagonal.
    labels : mapping, optional
    n_used : int, optional
        Complete rows; the note then gives the size of r that differs from zero at the level of
        the suite (t test). Stars are not printed.
    caption : str, optional

    Raises
    ------
    ReportError
        Rows and columns are named differently.
    """
    names = list(corr.columns)
    if list(corr.index) != names:
        raise ReportError(
            f"correlation_table: corr= has the rows {listing(corr.index)} and the columns "
            f"{listing(names)}; the same names in the same order are needed. Set both alike."
        )
    rows = [_correlation_row(corr, i, means, sds, reliabilities, labels) for i in range(len(names))]
    columns = [Column("variable", _("Variable"), "text")]
    columns += [Column("mean", "M")] if means is not None else []
    columns += [Column("sd", "SD")] if sds is not None else []
    columns += [Column(f"r{i + 1}", str(i + 1), "bounded") for i in range(len(names))]
    return apa_table(
        # Objects, or a column of numbers only would lose its brackets.
        pd.DataFrame(rows, dtype=object),
        caption=caption or _("Means, standard deviations and correlations"),
        columns=columns,
        note=_correlation_note(reliabilities is not None, n_used),
        basis=None if n_used is None else Basis(n_used=n_used),
    )


def _correlation_row(
    corr: pd.DataFrame,
    i: int,
    means: Mapping[str, float] | None,
    sds: Mapping[str, float] | None,
    reliabilities: Mapping[str, float] | None,
    labels: Mapping[str, str] | None,
) -> dict[str, object]:
    """Return one line of the triangle."""
    name = corr.columns[i]
    row: dict[str, object] = {"variable": f"{i + 1}. {(labels or {}).get(name, name)}"}
    if means is not None:
        row["mean"] = means[name]
    if sds is not None:
        row["sd"] = sds[name]
    for j in range(len(corr)):
        row[f"r{j + 1}"] = float(corr.iloc[i, j]) if j < i else ""
    own = None if reliabilities is None else reliabilities.get(name)
    row[f"r{i + 1}"] = "—" if is_missing(own) else Parenthesised(own)
    return row


def _correlation_note(with_reliabilities: bool, n_used: int | None) -> str:
    """Return the note: what stands on the diagonal, and which r differ from zero."""
    parts = []
    if with_reliabilities:
        parts.append(_("Reliabilities in brackets on the diagonal."))
    if n_used is not None and n_used > 3:
        bound = float(stdtrit(n_used - 2, (1 + LEVEL) / 2))
        # Rounded up: every r printed as this or more is beyond the bound.
        least = math.ceil(100 * bound / (n_used - 2 + bound**2) ** 0.5) / 100
        parts.append(
            _(
                "n = {n}; |r| of {least} or more differs from zero at the {percent:g}% level."
            ).format(
                n=format_integer(n_used),
                least=format_number(least, bounded=True),
                percent=100 * (1 - LEVEL),
            )
        )
    return " ".join(parts)


def reliability_table(data: pd.DataFrame, *, caption: str | None = None) -> ApaTable:
    """Return reliability and convergent validity of the scales.

    Columns ``name`` (or ``construct``) and ``alpha``; optional ``n_items n_used alpha_low
    alpha_high omega omega_low omega_high cr ave``. Cells may be ``Unavailable``.
    """
    first = "name" if "name" in data.columns else "construct"
    wanted = [
        Column(first, _("Construct"), "text"),
        Column("n_items", _("Items"), "integer"),
        Column("n_used", "n", "integer"),
        Column("alpha", "α", "bounded"),
        interval_column("alpha_low", "alpha_high", bounded=True),
        Column("omega", "ω", "bounded"),
        interval_column("omega_low", "omega_high", bounded=True),
        Column("cr", "CR", "bounded"),
        Column("ave", "AVE", "bounded"),
    ]
    columns = present(data, wanted, (first, "alpha"), "reliability_table")
    return apa_table(
        data,
        caption=caption or _("Reliability of the scales"),
        columns=columns,
        note=_cutoff_note({"alpha": "α", "omega": "ω", "composite_reliability": "CR",
                           "ave": "AVE"}, {c.key for c in columns}),
    )  # fmt: skip


def _cutoff_note(rules: Mapping[str, str], shown: set[str]) -> str:
    """Return the cut-offs of the columns shown, each with its source."""
    keys = {"composite_reliability": "cr"}
    parts = []
    for rule, sign in rules.items():
        if keys.get(rule, rule) in shown:
            row = THRESHOLDS[rule]
            parts.append(f"{sign} ≥ {format_number(row.value, bounded=True)}, {row.source}")
    return _("Cut-offs: {cutoffs}.").format(cutoffs=_("; ").join(parts)) if parts else ""


def efa_table(
    data: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    factors: Mapping[str, str] | None = None,
    hide_below: float | None = None,
    caption: str | None = None,
) -> ApaTable:
    """Return loadings of exploratory factors.

    Parameters
    ----------
    data : DataFrame
        Columns ``item f1 f2 ...`` and optionally ``communality uniqueness``.
    labels, factors : mapping, optional
        Item to its wording; factor column to its name.
    hide_below : float, optional
        Loadings of smaller size are left blank (never in the CSV), and the note says so.
    caption : str, optional
    """
    frame = _renamed(data, "item", labels)
    found = [key for key in frame.columns if str(key)[:1] == "f" and str(key)[1:].isdigit()]
    columns = [Column("item", _("Item"), "text")]
    columns += [
        Column(key, (factors or {}).get(key, str(key).upper()), "bounded", hide_below=hide_below)
        for key in found
    ]
    columns += [
        Column("communality", _("Communality"), "bounded"),
        Column("uniqueness", _("Uniqueness"), "bounded"),
    ]
    note = None
    if hide_below is not None:
        note = _("Loadings below {cut} in size are not shown.").format(
            cut=format_number(hide_below, bounded=True)
        )
    return apa_table(
        frame,
        caption=caption or _("Loadings of the factors"),
        columns=present(frame, columns, ("item", "f1"), "efa_table"),
        note=note,
    )


def _renamed(data: pd.DataFrame, key: str, labels: Mapping[str, str] | None) -> pd.DataFrame:
    """Return the table with codes replaced by their labels."""
    if labels is None or key not in data.columns:
        return data
    return data.assign(**{key: [labels.get(code, code) for code in data[key]]})


def present(
    frame: pd.DataFrame, wanted: list[Column], needed: tuple[str, ...], function: str
) -> list[Column]:
    """Keep the columns that the table has; stop if one that is needed is missing."""
    for key in needed:
        if key not in frame.columns:
            raise ReportError(
                f"{function}: data= has the columns {listing(frame.columns, 20)}; '{key}' is "
                "needed. Give the table of the result as it was computed."
            )
    return [column for column in wanted if set(column.keys) <= set(frame.columns)]
