"""Mark rows that should not count, exclude by the declared rule, and account for every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.specification import MARKS, Screening
from helpers.study import StudyFolder
from helpers.survey.careless_indices import CarelessIndices, careless_indices, scale_items
from helpers.survey.mark_definitions import CUTS, cut_off, exclusion_rules, mark_definitions
from helpers.thresholds import THRESHOLDS


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of every received row.

    Attributes
    ----------
    table : DataFrame
        One row a received row: ``respondent_id`` and one bool column a mark, named as in
        ``specification.MARKS``.
    unavailable : Mapping[str, Unavailable]
        Marks that this study cannot compute, with the reason; their columns are all False.
    indices : CarelessIndices or None
        The numbers behind the marks that have a cut-off.
    """

    table: pd.DataFrame
    unavailable: Mapping[str, Unavailable]
    indices: CarelessIndices | None = None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Rows kept, rows excluded, and the account of both.

    Attributes
    ----------
    kept : Series of bool
        One value a received row.
    excluded_by : Series
        The rule that took the row out, empty for rows kept; each row has at most one.
    flow : DataFrame
        Columns ``step, rule, definition, source, n_before, n_hit, n_after, n_marked``: ``n_hit``
        counts the rows that this rule took out of those left before it, ``n_marked`` all rows that
        carry the mark.
    """

    kept: pd.Series
    excluded_by: pd.Series
    flow: pd.DataFrame

    @property
    def n_received(self) -> int:
        """Return the number of rows in the file."""
        return len(self.kept)

    @property
    def n_analysed(self) -> int:
        """Return the number of rows that remain."""
        return int(self.kept.sum())


def mark_responses(folder: StudyFolder, meta: pd.DataFrame, answers: pd.DataFrame) -> Marks:
    """Compute every mark for every row; nothing is removed.

    Parameters
    ----------
    folder : StudyFolder
        The study; its ``screening`` states items, codes and cut-offs.
    meta, answers : DataFrame
        As read (``readers.Intake``), answers as asked, not reverse-coded.

    Notes
    -----
    A blank attention check is not a failed one. Of a set of duplicates the earliest finished row
    stays unmarked (by start, else by end, else by file order); rows with a blank in one of the
    compared columns are never duplicates. ``address`` in ``duplicate_on`` means the network address
    (numbered at reading), ``answers`` all scale items together.
    """
    rule = folder.spec.screening
    given = {
        "preview": lambda: meta["preview"],
        "no_consent": lambda: _not_accepted(rule.consent, answers),
        "screened_out": lambda: _not_accepted(rule.screener, answers),
        "unfinished": lambda: _unfinished(meta),
        "duplicate": lambda: _duplicates(folder, meta, answers),
        "failed_attention": lambda: _failed_attention(rule, answers),
    }
    indices = careless_indices(folder, meta, answers)
    given |= {mark: partial(_beyond, indices, rule, mark) for mark in CUTS}
    lacking = _lacking(folder, meta, indices)
    table = pd.DataFrame({"respondent_id": meta["respondent_id"]})
    for mark in MARKS:
        if mark in lacking:
            table[mark] = False
        else:
            table[mark] = given[mark]().fillna(False).astype(bool).to_numpy()
    return Marks(table, lacking, indices)


def exclude_marked(marks: Marks, screening: Screening) -> Cleaned:
    """Exclude rows by the rule of the study file, and account for each row exactly once.

    A row is counted under the first rule it meets, in the order of ``exclusion_rules``. Marks that
    are not named by a rule exclude nobody.

    Raises
    ------
    DataContractError
        No row is left.
    """
    n = len(marks.table)
    excluded_by = pd.Series("", index=marks.table.index, dtype="str")
    definitions = mark_definitions(screening)
    for mark, lacking in marks.unavailable.items():
        text = _("not computed, because {why}").format(why=lacking.why)
        definitions[mark] = (text, definitions[mark][1])
    steps = []
    for rule in exclusion_rules(screening):
        marked = marks.table[list(rule.marks)].sum(axis=1) >= rule.least
        hit = marked & (excluded_by == "")
        before = int((excluded_by == "").sum())
        excluded_by = excluded_by.mask(hit, rule.name)
        counts = (before, int(hit.sum()), before - int(hit.sum()), int(marked.sum()))
        texts = ["; ".join(dict.fromkeys(definitions[m][i] for m in rule.marks)) for i in (0, 1)]
        steps.append((len(steps) + 1, rule.name, *texts, *counts))
    kept = excluded_by == ""
    columns = ["step", "rule", "definition", "source", "n_before", "n_hit", "n_after", "n_marked"]
    flow = pd.DataFrame(steps, columns=columns)
    if n and not kept.any():
        counts = ", ".join(f"{r.rule} {r.n_hit}" for r in flow.itertuples() if r.n_hit)
        raise DataContractError(
            f"exclude_marked: screening= leaves none of {n} rows ({counts}); at least one must "
            "remain. Check the accepted codes in the key screening of study.yml."
        )
    return Cleaned(kept, excluded_by, flow)


def _lacking(
    folder: StudyFolder, meta: pd.DataFrame, indices: CarelessIndices
) -> dict[str, Unavailable]:
    """Return the marks that cannot be computed from what the study has."""
    rule = folder.spec.screening
    reasons = {
        "preview": (meta["preview"].isna().all(), _("the export does not tell previews")),
        "no_consent": (rule.consent is None, _("the study names no consent question")),
        "screened_out": (rule.screener is None, _("the study names no screening question")),
        "unfinished": (
            meta["finished"].isna().all() and meta["progress"].isna().all(),
            _("the export does not tell who finished"),
        ),
        "duplicate": (not rule.duplicate_on, _("the study names no columns to compare")),
        "failed_attention": (not rule.attention, _("the questionnaire has no attention check")),
    }
    reasons |= {
        mark: (True, indices.unavailable[index].why)
        for mark, (index, _row) in CUTS.items()
        if index in indices.unavailable
    }
    return {
        mark: Unavailable(_("the mark '{mark}'").format(mark=mark), why)
        for mark, (absent, why) in reasons.items()
        if absent
    }


def _beyond(indices: CarelessIndices, screening: Screening, mark: str) -> pd.Series:
    """Mark rows whose index lies beyond the cut-off in force; a missing index does not."""
    values, row = indices.table[CUTS[mark][0]], THRESHOLDS[CUTS[mark][1]]
    cut = cut_off(screening, mark)
    return values < cut if row.direction == "min" else values >= cut


def _not_accepted(rule: object, answers: pd.DataFrame) -> pd.Series:
    """Mark rows whose answer is not an accepted code; a blank is not accepted either."""
    return ~answers[rule.item].isin(rule.accept)


def _unfinished(meta: pd.DataFrame) -> pd.Series:
    """Mark rows that the platform calls unfinished, or below 100 % where it does not say."""
    return (~meta["finished"]).fillna(meta["progress"] < 100)


def _duplicates(folder: StudyFolder, meta: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """Mark rows that repeat an earlier one on every declared column."""
    unusable = meta["preview"].fillna(False) | _unfinished(meta).fillna(False)
    when = meta["started_at"].fillna(meta["ended_at"])
    rank = pd.Series(np.arange(len(meta)), index=meta.index)
    order = np.lexsort((rank, when.fillna(pd.Timestamp.max), unusable.astype(bool)))
    group = pd.Series(0, index=meta.index[order])
    for values, blank_counts in _compared(folder, meta, answers):
        group = _still_alike(group, values, blank_counts=blank_counts)
    return group.duplicated(keep="first").reindex(meta.index, fill_value=False)


def _compared(
    folder: StudyFolder, meta: pd.DataFrame, answers: pd.DataFrame
) -> Iterator[tuple[pd.Series, bool]]:
    """Yield the columns to compare, and whether a blank counts as an answer of its own."""
    for column in folder.spec.screening.duplicate_on:
        if column == "answers":
            yield from ((answers[item], True) for item in scale_items(folder))
        elif column in answers or column in meta:
            yield (answers[column] if column in answers else meta[column]), False
        else:
            known = ["answers", *meta.columns, *answers.columns]
            raise DataContractError(
                f"mark_responses: duplicate_on= '{column}' is neither metadata nor an item; "
                f"allowed are {listing(known)}.{nearest(column, known)} Correct study.yml."
            )


def _still_alike(group: pd.Series, values: pd.Series, *, blank_counts: bool) -> pd.Series:
    """Split groups of like rows by one more column; rows that are alone now are left out."""
    codes, known = pd.factorize(values.loc[group.index])
    if not blank_counts:
        group, codes = group[codes >= 0], codes[codes >= 0]
    group = pd.Series(
        pd.factorize(group.to_numpy() * (len(known) + 1) + codes + 1)[0], index=group.index
    )
    return group[group.duplicated(keep=False)]


def _failed_attention(rule: Screening, answers: pd.DataFrame) -> pd.Series:
    """Mark rows with more wrong attention checks than the study allows."""
    failed = sum(
        (answers[c.item].notna() & ~answers[c.item].isin(c.accept)).astype(int)
        for c in rule.attention
    )
    return failed > rule.max_failed_attention
