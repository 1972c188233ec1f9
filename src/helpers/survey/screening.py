"""Mark rows that should not count, exclude by the declared rule, and account for every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, listing, nearest
from helpers.i18n import _
from helpers.specification import MARKS, Screening
from helpers.study import StudyFolder
from helpers.survey.careless import intra_individual_variability, longest_run, unit_scaled
from helpers.thresholds import THRESHOLDS


def mark_definitions(screening: Screening) -> dict[str, tuple[str, str]]:
    """Return mark -> (definition, source), in the current language, with the cut-offs in force."""
    seconds = _seconds_per_item(screening)
    run, spread = THRESHOLDS["longstring_share"], THRESHOLDS["irv"]
    practice = _("survey practice")
    return {
        "preview": (_("preview or test of the questionnaire, not a respondent"), practice),
        "no_consent": (_("did not agree to take part"), _("research ethics")),
        "screened_out": (_("does not belong to the population asked"), practice),
        "unfinished": (_("did not reach the last page"), practice),
        "duplicate": (
            _("same answers on {columns} as an earlier row").format(
                columns=listing(screening.duplicate_on)
            ),
            practice,
        ),
        "speeding": (
            _("less than {seconds:g} seconds for each question answered").format(seconds=seconds),
            _(THRESHOLDS["seconds_per_item"].source),
        ),
        "failed_attention": (
            _failed_definition(screening.max_failed_attention),
            "Meade & Craig (2012), doi:10.1037/a0028085",
        ),
        "longstring": (
            _(
                "one answer given in a row to {share:.0%} or more of the longest block of items on "
                "one scale"
            ).format(share=run.value),
            _(run.source),
        ),
        "low_variability": (
            _(
                "standard deviation over one's own answers to that block, scaled to 0-1, below "
                "{cut:g}"
            ).format(cut=spread.value),
            _(spread.source),
        ),
    }


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
    """

    table: pd.DataFrame
    unavailable: Mapping[str, Unavailable]


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
        "speeding": lambda: _speeding(folder, meta, answers),
        "failed_attention": lambda: _failed_attention(rule, answers),
        "longstring": lambda: _longstring(folder, answers),
        "low_variability": lambda: _low_variability(folder, answers),
    }
    lacking = _lacking(folder, meta)
    table = pd.DataFrame({"respondent_id": meta["respondent_id"]})
    for mark in MARKS:
        if mark in lacking:
            table[mark] = False
        else:
            table[mark] = given[mark]().fillna(False).astype(bool).to_numpy()
    return Marks(table, lacking)


def exclude_marked(marks: Marks, screening: Screening) -> Cleaned:
    """Exclude rows by the rule of the study file, and account for each row exactly once.

    A row is counted under the first rule it meets, in the order of ``specification.MARKS``, then
    the joint rules. Marks that are not named by a rule exclude nobody.

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
    single = [m for m in MARKS if m in screening.exclude]
    rules = [(m,) for m in single] + [tuple(joint) for joint in screening.exclude_jointly]
    steps = []
    for rule in rules:
        marked = marks.table[list(rule)].all(axis=1)
        hit = marked & (excluded_by == "")
        before = int((excluded_by == "").sum())
        name = " + ".join(rule)
        excluded_by = excluded_by.mask(hit, name)
        counts = (before, int(hit.sum()), before - int(hit.sum()), int(marked.sum()))
        texts = ["; ".join(dict.fromkeys(definitions[m][i] for m in rule)) for i in (0, 1)]
        steps.append((len(steps) + 1, name, *texts, *counts))
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


def describe_marks(marks: Marks, screening: Screening) -> pd.DataFrame:
    """Return every mark with definition, source, count, share, and whether it excludes."""
    definitions = mark_definitions(screening)
    joint = {m for group in screening.exclude_jointly for m in group}
    rows = []
    for mark in MARKS:
        use = _("excludes") if mark in screening.exclude else _("marks only")
        if mark in joint and mark not in screening.exclude:
            use = _("excludes with another mark")
        lacking = marks.unavailable.get(mark)
        rows.append(
            {
                "mark": mark,
                "definition": definitions[mark][0] if lacking is None else lacking.why,
                "source": definitions[mark][1],
                "n": int(marks.table[mark].sum()) if lacking is None else pd.NA,
                "share": float(marks.table[mark].mean()) if lacking is None else np.nan,
                "use": use if lacking is None else _("not available"),
            }
        )
    return pd.DataFrame(rows).astype({"n": "Int64"})


def agreement_of_marks(marks: Marks) -> pd.DataFrame:
    """Compare marks pair by pair: how many rows carry both, and Cohen's kappa.

    Kappa is ``(p_o - p_e) / (1 - p_e)`` with ``p_o`` the share of rows on which two marks agree and
    ``p_e`` the share expected from the two marginals (Cohen 1960,
    doi:10.1177/001316446002000104). Marks that hit nobody, or that cannot be computed, are left
    out: agreement on nothing says nothing.
    """
    used = [m for m in MARKS if m not in marks.unavailable and marks.table[m].any()]
    rows = []
    for a, b in combinations(used, 2):
        x, y = marks.table[a], marks.table[b]
        agree = float((x == y).mean())
        chance = float(x.mean() * y.mean() + (1 - x.mean()) * (1 - y.mean()))
        kappa = (agree - chance) / (1 - chance) if chance < 1 else np.nan
        rows.append((a, b, int(x.sum()), int(y.sum()), int((x & y).sum()), kappa))
    return pd.DataFrame(rows, columns=["mark_a", "mark_b", "n_a", "n_b", "n_both", "kappa"])


def scale_items(folder: StudyFolder) -> list[str]:
    """Return the Likert items of the main questionnaire that are no attention check."""
    checks = {rule.item for rule in folder.spec.screening.attention}
    rows = folder.items[folder.items["module"] == "main"]
    return [
        r.item
        for r in rows.itertuples()
        if folder.spec.scales[r.scale].kind == "likert" and r.item not in checks
    ]


def careless_items(folder: StudyFolder) -> list[str]:
    """Return the items that carelessness is judged on: the longest block on one answer scale.

    A block is a run of Likert items of the questionnaire on the same scale, attention checks left
    out. Within one block the same key means the same answer; over blocks, a run and a spread say
    little.
    """
    scales = folder.items.set_index("item")["scale"]
    blocks = [list(run) for _name, run in groupby(scale_items(folder), key=scales.get)]
    return max(blocks, key=len, default=[])


def _failed_definition(allowed: int) -> str:
    """Return the definition of a failed attention check."""
    if allowed == 0:
        return _("at least one attention check answered wrongly")
    return _("more than {n} attention checks answered wrongly").format(n=allowed)


def _seconds_per_item(screening: Screening) -> float:
    """Return the cut-off in force: the study's own, or the suite's."""
    return screening.min_seconds_per_item or THRESHOLDS["seconds_per_item"].value


def _lacking(folder: StudyFolder, meta: pd.DataFrame) -> dict[str, Unavailable]:
    """Return the marks that cannot be computed from what the study has."""
    rule = folder.spec.screening
    few = len(careless_items(folder)) < THRESHOLDS["careless_items"].value
    reasons = {
        "preview": (meta["preview"].isna().all(), _("the export does not tell previews")),
        "no_consent": (rule.consent is None, _("the study names no consent question")),
        "screened_out": (rule.screener is None, _("the study names no screening question")),
        "unfinished": (
            meta["finished"].isna().all() and meta["progress"].isna().all(),
            _("the export does not tell who finished"),
        ),
        "duplicate": (not rule.duplicate_on, _("the study names no columns to compare")),
        "speeding": (meta["duration_s"].isna().all(), _("the export holds no times")),
        "failed_attention": (not rule.attention, _("the questionnaire has no attention check")),
        "longstring": (few, _("there are too few scale items")),
        "low_variability": (few, _("there are too few scale items")),
    }
    return {
        mark: Unavailable(_("the mark '{mark}'").format(mark=mark), why)
        for mark, (absent, why) in reasons.items()
        if absent
    }


def _not_accepted(rule: object, answers: pd.DataFrame) -> pd.Series:
    """Mark rows whose answer is not an accepted code; a blank is not accepted either."""
    return ~answers[rule.item].isin(rule.accept)


def _unfinished(meta: pd.DataFrame) -> pd.Series:
    """Mark rows that the platform calls unfinished, or below 100 % where it does not say."""
    return (~meta["finished"]).fillna(meta["progress"] < 100)


def _duplicates(folder: StudyFolder, meta: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """Mark rows that repeat an earlier one on every declared column."""
    parts = {}
    for column in folder.spec.screening.duplicate_on:
        if column == "answers":
            parts |= {item: answers[item].fillna(-1) for item in scale_items(folder)}
        elif column in answers or column in meta:
            parts[column] = answers[column] if column in answers else meta[column]
        else:
            known = ["answers", *meta.columns, *answers.columns]
            raise DataContractError(
                f"mark_responses: duplicate_on= '{column}' is neither metadata nor an item; "
                f"allowed are {listing(known)}.{nearest(column, known)} Correct study.yml."
            )
    keys = pd.DataFrame(parts)
    unusable = meta["preview"].fillna(False) | _unfinished(meta).fillna(False)
    when = meta["started_at"].fillna(meta["ended_at"])
    order = (
        pd.DataFrame({"unusable": unusable, "when": when})
        .sort_values(["unusable", "when"], kind="stable")
        .index
    )
    repeated = keys.loc[order].duplicated(keep="first") & keys.loc[order].notna().all(axis=1)
    return repeated.reindex(keys.index)


def _speeding(folder: StudyFolder, meta: pd.DataFrame, answers: pd.DataFrame) -> pd.Series:
    """Mark rows with too few seconds for each question answered."""
    items = folder.items.loc[folder.items["module"] == "main", "item"]
    answered = answers[[i for i in items if i in answers]].notna().sum(axis=1)
    per_item = meta["duration_s"] / answered.where(answered > 0)
    return per_item < _seconds_per_item(folder.spec.screening)


def _failed_attention(rule: Screening, answers: pd.DataFrame) -> pd.Series:
    """Mark rows with more wrong attention checks than the study allows."""
    failed = sum(
        (answers[c.item].notna() & ~answers[c.item].isin(c.accept)).astype(int)
        for c in rule.attention
    )
    return failed > rule.max_failed_attention


def _longstring(folder: StudyFolder, answers: pd.DataFrame) -> pd.Series:
    """Mark rows whose longest run of one answer is a large share of the items answered."""
    frame = answers[careless_items(folder)]
    answered = frame.notna().sum(axis=1)
    enough = answered >= THRESHOLDS["careless_items"].value
    share = longest_run(frame) / answered.where(enough)
    return share >= THRESHOLDS["longstring_share"].value


def _low_variability(folder: StudyFolder, answers: pd.DataFrame) -> pd.Series:
    """Mark rows whose answers hardly differ from each other."""
    items = careless_items(folder)
    ends = {i: (folder.scale_of(i).low, folder.scale_of(i).high) for i in items}
    frame = unit_scaled(answers[items], ends)
    spread = intra_individual_variability(frame)
    enough = frame.notna().sum(axis=1) >= THRESHOLDS["careless_items"].value
    return (spread < THRESHOLDS["irv"].value) & enough
