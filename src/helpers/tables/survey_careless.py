"""Tables, sentences and checks of careless answering."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.results import CheckResult, Number
from helpers.specification import NEVER_ALONE
from helpers.survey.careless_indices import INDICES
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import Study
from helpers.survey.mark_agreement import (
    SIGNS,
    agreement_of_marks,
    correlations_of_indices,
    describe_marks,
    several_signs,
)
from helpers.survey.mark_definitions import CUTS, cut_off, exclusion_rules
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_label
from helpers.tables.numbers import format_number, format_percent
from helpers.tables.survey_cleaning import fault_label, mark_label, percent_interval
from helpers.thresholds import LEVEL


def index_label(index: str) -> str:
    """Return the name of an index in the current language."""
    names = {
        "seconds_per_item": _("Seconds per item"),
        "longstring": _("Longest run (share)"),
        "average_run": _("Average run"),
        "low_variability": _("Own standard deviation"),
        "even_odd": _("Even-odd consistency"),
        "synonyms": _("Psychometric synonyms"),
        "antonyms": _("Psychometric antonyms"),
        "person_total": _("Person-total correlation"),
        "mahalanobis": _("Mahalanobis distance (p)"),
        "autocorrelation": _("Autocorrelation"),
        "contradictions": _("Contradicted pairs (share)"),
    }
    return names[index]


def index_labels() -> dict[str, str]:
    """Return index -> name, for figures."""
    return {index: index_label(index) for index in INDICES}


def marks_table(study: Study) -> ApaTable:
    """Return every mark with definition, source, count and use."""
    table = describe_marks(study.marks, study.spec.screening)
    return apa_table(
        table.assign(mark=table["mark"].map(mark_label)),
        caption=_("Marks of careless and unusable rows"),
        columns=[
            Column("mark", _("Mark"), "text"),
            Column("definition", _("Definition"), "text"),
            Column("n", _("n"), "integer"),
            Column("share", _("Share"), "percent", 1),
            Column("use", _("Use"), "text"),
            Column("source", _("Source"), "text"),
        ],
        note=_("A row can carry several marks. n is out of all rows received."),
    )


def marks_sentence(study: Study) -> str:
    """Read the most frequent sign of carelessness aloud."""
    names = [n for n in SIGNS if n not in study.marks.unavailable]
    if not names:
        return _("This study offers no sign of carelessness: neither times nor attention checks.")
    n = len(study.marks.table)
    counts = study.marks.table[names].sum()
    worst, hits = str(counts.idxmax()), int(counts.max())
    if not hits:
        return _("None of {n} rows carries a sign of carelessness.").format(n=n)
    low, high = wilson_interval(hits, n)
    return _(
        "The most frequent sign of carelessness is \"{mark}\": {hits} of {n} rows ({share}, "
        "{level:.0%} CI {ci})."
    ).format(
        mark=mark_label(worst), hits=hits, n=n, share=format_percent(hits / n, 1), level=LEVEL,
        ci=percent_interval(low, high),
    )  # fmt: skip


def indices_table(study: Study) -> ApaTable | Unavailable:
    """Return how each index is distributed, on how many items or pairs it rests, and its cut."""
    indices = study.marks.indices
    usable = [i for i in INDICES if indices is not None and i not in indices.unavailable]
    if not usable:
        return Unavailable(_("a table of indices"), _("the study has none of them"))
    cuts = {index: mark for mark, (index, _row) in CUTS.items()}
    rows = []
    for index in usable:
        x = indices.table[index].dropna()
        low, middle, high = x.quantile([0.05, 0.5, 0.95])
        mark = cuts.get(index)
        cut = (
            Unavailable(_("a cut-off"), _("the index is described, not cut"))
            if mark is None
            else f"{cut_off(study.spec.screening, mark):g}"
        )
        rows.append((index_label(index), indices.basis.get(index), len(x), low, middle, high, cut))
    columns = ["index", "basis", "n", "p5", "median", "p95", "cut"]
    return apa_table(
        pd.DataFrame(rows, columns=columns).astype({"basis": "Int64"}),
        caption=_("Indices of careless answering"),
        columns=[
            Column("index", _("Index"), "text"),
            Column("basis", _("Rests on"), "integer"),
            Column("n", _("n"), "integer"),
            Column("p5", _("5th percentile"), "number"),
            Column("median", _("Median"), "number"),
            Column("p95", _("95th percentile"), "number"),
            Column("cut", _("Cut-off"), "text"),
        ],
        note=_(
            "Rests on: number of items, pairs of items or scales. Each index over the rows with "
            "enough answers; all rows received."
        ),
    )


def signs_table(study: Study) -> ApaTable:
    """Return how many rows carry how many signs of carelessness."""
    table = several_signs(study.marks)
    n = len(study.marks.table)
    return apa_table(
        table.assign(share=table["n_at_least"] / n),
        caption=_("Signs of carelessness per row"),
        columns=[
            Column("signs", _("Signs"), "integer"),
            Column("n", _("n with exactly so many"), "integer"),
            Column("n_at_least", _("n with at least so many"), "integer"),
            Column("share", _("Share with at least so many"), "percent", 1),
        ],
        note=_("Signs counted: {names}.").format(
            names=_(", ").join(mark_label(m) for m in SIGNS if m not in study.marks.unavailable)
        ),
    )


def signs_sentence(study: Study) -> str:
    """Read the share of rows with two signs or more aloud."""
    table, n = several_signs(study.marks), len(study.marks.table)
    two = int(table.loc[table["signs"] >= 2, "n"].sum())
    one = int(table.loc[table["signs"] == 1, "n"].sum())
    return _(
        "Rows with a single sign of carelessness: {one}; with two or more: {two} ({share} of {n})."
    ).format(one=one, two=two, share=format_percent(two / n, 1), n=n)


def agreement_table(study: Study) -> ApaTable | Unavailable:
    """Return how far the marks agree, pair by pair, those with a common row only."""
    table = agreement_of_marks(study.marks)
    table = table[table["n_both"] > 0].sort_values("kappa", ascending=False)
    if table.empty:
        return Unavailable(_("a table of agreement"), _("no row carries two marks"))
    for column in ("mark_a", "mark_b"):
        table[column] = table[column].map(mark_label)
    return apa_table(
        table,
        caption=_("Agreement of the marks, pairs with common rows"),
        columns=[
            Column("mark_a", _("Mark"), "text"),
            Column("mark_b", _("Other mark"), "text"),
            Column("n_a", _("n first"), "integer"),
            Column("n_b", _("n second"), "integer"),
            Column("n_both", _("n both"), "integer"),
            Column("kappa", _("Cohen's kappa"), "bounded"),
        ],
    )


def agreement_sentence(study: Study) -> str:
    """Read the strongest agreement aloud."""
    table = agreement_of_marks(study.marks)
    table = table[table["n_both"] > 0]
    if table.empty:
        return _("No row carries two marks, so there is no agreement to report.")
    best = table.loc[table["kappa"].idxmax()]
    return _(
        "\"{a}\" and \"{b}\" agree most: kappa = {kappa}; rows with both: {both}."
    ).format(
        a=mark_label(best["mark_a"]), b=mark_label(best["mark_b"]), both=int(best["n_both"]),
        kappa=format_number(best["kappa"], bounded=True),
    )  # fmt: skip


def correlations_sentence(study: Study) -> str | Unavailable:
    """Read the strongest correlation of two indices aloud."""
    found = correlations_of_indices(study.marks)
    if isinstance(found, Unavailable):
        return found
    pairs = found.where(~pd.DataFrame(_upper(len(found)), found.index, found.columns)).stack()
    a, b = pairs.idxmax()
    return _(
        '"{a}" and "{b}" go together most: Spearman\'s correlation is {r}, high values '
        "speaking for carelessness in both."
    ).format(a=index_label(a), b=index_label(b), r=format_number(pairs.max(), bounded=True))


def _upper(k: int) -> list[list[bool]]:
    """Return the upper triangle with the diagonal."""
    return [[j >= i for j in range(k)] for i in range(k)]


def straight_lines_sentence(study: Study) -> str:
    """Say what else speaks against the rows with one answer in a row."""
    marks = study.marks
    if "longstring" in marks.unavailable:
        return _("Runs of equal answers are not judged: {why}.").format(
            why=marks.unavailable["longstring"].why
        )
    lines = marks.table["longstring"]
    others = [m for m in SIGNS if m not in NEVER_ALONE and m not in marks.unavailable]
    backed = int((lines & marks.table[others].any(axis=1)).sum())
    return _(
        "Rows with one answer to half of the longest block or more: {n}; with a sign of"
        " another kind, too: {backed}; without one, perhaps honest and not excluded for"
        " it: {rest}."
    ).format(n=int(lines.sum()), backed=backed, rest=int(lines.sum()) - backed)


def detection_table(detected: pd.DataFrame | Unavailable) -> ApaTable | Unavailable:
    """Return how well each sign finds what was planted, and how often it hits a sound row."""
    if isinstance(detected, Unavailable):
        return detected
    kinds = [
        Column(kind, fault_label(kind), "percent", 0)
        for kind in ("speeder", "inattentive", "straight_liner")
    ]
    interval = interval_label()
    return apa_table(
        detected.assign(mark=detected["mark"].map(mark_label)),
        caption=_("Planted carelessness found by each sign, and sound rows hit"),
        columns=[
            Column("mark", _("Mark"), "text"),
            *kinds,
            Column("sensitivity", _("Found (all three)"), "percent", 0),
            Column("sens_low", interval, "percent_interval", 0, upper="sens_high"),
            Column("false_alarms", _("Sound rows hit"), "percent", 1),
            Column("false_low", interval, "percent_interval", 1, upper="false_high"),
        ],
        note=_("{careless} planted careless rows, {sound} sound rows; Wilson intervals.").format(
            careless=int(detected["n_careless"].iloc[0]), sound=int(detected["n_sound"].iloc[0])
        ),
    )


def detection_sentence(detected: pd.DataFrame | Unavailable) -> str:
    """Read the best sign aloud, and that none finds every kind."""
    if isinstance(detected, Unavailable):
        return _("Which sign finds whom can be seen on simulated data only.")
    best = detected.loc[detected["sensitivity"].idxmax()]
    return _(
        "\"{mark}\" finds most of the planted carelessness, {share} ({level:.0%} CI {ci}), and "
        "hits {false} of the sound rows."
    ).format(
        mark=mark_label(best["mark"]), share=format_percent(best["sensitivity"], 0), level=LEVEL,
        ci=percent_interval(best["sens_low"], best["sens_high"]),
        false=format_percent(best["false_alarms"], 1),
    )  # fmt: skip


def careless_checks(study: Study) -> list[CheckResult]:
    """Check that nobody is excluded for equal answers alone."""
    rules = exclusion_rules(study.spec.screening)
    by_rule = study.cleaned.excluded_by
    weak = {r.name for r in rules if sum(m not in NEVER_ALONE for m in r.marks) == 0}
    others = [m for m in study.marks.table if m not in (*NEVER_ALONE, "respondent_id")]
    only = by_rule.isin(weak) | ((by_rule != "") & ~study.marks.table[others].any(axis=1))
    return [
        CheckResult(
            _("Nobody is excluded for equal answers alone"), int(only.sum()) == 0,
            float(only.sum()), 0.0, "Goldammer et al. (2024), doi:10.3758/s13428-024-02484-3",
            _("Rows excluded without a mark of another kind: {n}.").format(n=int(only.sum())),
        )
    ]  # fmt: skip


def careless_numbers(study: Study) -> list[Number]:
    """Return the share of rows with two signs or more for ``results.json``."""
    table, n = several_signs(study.marks), len(study.marks.table)
    two = int(table.loc[table["signs"] >= 2, "n"].sum())
    low, high = wilson_interval(two, n)
    return [
        Number(
            "share_two_signs", two / n, "rows with two signs of carelessness or more / rows "
            "received", low, high, LEVEL, n, method="Wilson",
        )
    ]  # fmt: skip
