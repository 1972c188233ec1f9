"""All indices of careless answering of a study, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.memo import remembered
from helpers.study import StudyFolder
from helpers.survey import careless
from helpers.survey.distance import distance_basis, mahalanobis_distance
from helpers.survey.pairwise import PairwiseMoments, pairwise_moments
from helpers.thresholds import THRESHOLDS

INDICES = (
    "seconds_per_item", "longstring", "average_run", "low_variability", "even_odd", "synonyms",
    "antonyms", "person_total", "mahalanobis", "autocorrelation", "contradictions",
)  # fmt: skip
"""Columns of the table of indices; a mark of the same name is cut from its index."""

BLOCK = 10_000
"""Rows worked on at once: the memory needed does not grow with the number of respondents."""

_SECONDS = {"duration": "duration_s", "pages": "page_seconds"}
"""Where the seconds come from, by ``seconds_from`` of the study file -> column of the metadata. The
whole duration holds breaks and pages without questions; page times hold neither, but count only
the pages that were timed."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CarelessIndices:
    """The indices of every received row.

    Attributes
    ----------
    table : DataFrame
        One row a received row, columns ``INDICES``: ``longstring`` is the longest run as a share of
        the items answered, ``mahalanobis`` the upper tail of chi-square. Missing where a row has
        too few answers.
    unavailable : Mapping[str, Unavailable]
        Indices that the study cannot have, with the reason; their columns are all missing.
    basis : Mapping[str, int]
        On how many items, pairs or constructs an index rests.
    """

    table: pd.DataFrame
    unavailable: Mapping[str, Unavailable]
    basis: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which items each index uses, and what it needs to know of the whole sample."""

    items: list[str]
    block: list[str]
    ends: Mapping[str, tuple[float, float]]
    reverse: list[str]
    constructs: Mapping[str, list[str]]
    moments: PairwiseMoments
    synonyms: Pairs
    antonyms: Pairs
    opposite: Pairs
    inverse: np.ndarray | Unavailable
    max_lag: int


def careless_indices(
    folder: StudyFolder, meta: pd.DataFrame, answers: pd.DataFrame
) -> CarelessIndices:
    """Compute every index for every row.

    Parameters
    ----------
    folder : StudyFolder
        The study: which items lie on an answer scale, their ends, keys and constructs.
    meta, answers : DataFrame
        As read (``readers.Intake``), answers as asked, not reverse-coded.

    Notes
    -----
    Missing-data rule: each index over what the respondent answered, from
    ``THRESHOLDS["careless_items"]`` answers on; means, correlations and covariances of the items
    over all rows received, pairwise. Runs, spread and repeating patterns are taken from the longest
    block of items on one scale; all else from all Likert items, scaled to 0-1.
    """
    plan = _plan(folder, answers)
    seconds = meta[_SECONDS[folder.spec.screening.seconds_from]]
    lacking = _lacking(plan, seconds)
    table = _all_indices(plan, answers, frozenset(lacking))
    answered = _answered(folder, answers)
    table["seconds_per_item"] = seconds / answered.where(answered > 0)
    return CarelessIndices(table, lacking, _basis(plan))


@remembered
def _all_indices(plan: _Plan, answers: pd.DataFrame, lacking: frozenset[str]) -> pd.DataFrame:
    """Return all indices but the time, blank where they are lacking."""
    values = np.full((len(answers), len(INDICES)), np.nan)
    for start in range(0, len(answers), BLOCK):
        part = _indices_of(plan, answers.iloc[start : start + BLOCK], lacking)
        values[start : start + BLOCK] = part.reindex(columns=list(INDICES))
    return pd.DataFrame(values, index=answers.index, columns=list(INDICES), copy=False)


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
    """Return the items that runs are judged on: the longest block on one answer scale.

    A block is a run of Likert items of the questionnaire on the same scale, attention checks left
    out. Within one block the same key means the same answer; over blocks, a run and a spread say
    little.
    """
    scales = folder.items.set_index("item")["scale"]
    blocks = [list(run) for _name, run in groupby(scale_items(folder), key=scales.get)]
    return max(blocks, key=len, default=[])


@remembered
def _plan(folder: StudyFolder, answers: pd.DataFrame) -> _Plan:
    """Choose items, pairs and constructs, and take the moments of the sample."""
    items, block = scale_items(folder), careless_items(folder)
    ends = {i: (folder.scale_of(i).low, folder.scale_of(i).high) for i in items}
    reverse = folder.items.loc[folder.items["reverse"], "item"]
    own = {
        c.code: [i for i in folder.items_of(c.code) if i in ends]
        for c in folder.spec.constructs
        if not c.formative
    }
    moments = pairwise_moments(answers, items=items, ends=ends, block=BLOCK)
    turned = set(reverse)
    return _Plan(
        items=items,
        block=block,
        ends=ends,
        reverse=[i for i in items if i in turned],
        constructs={code: named for code, named in own.items() if len(named) > 1},
        moments=moments,
        synonyms=careless.item_pairs(moments.correlation, least=THRESHOLDS["synonym_r"].value),
        antonyms=careless.item_pairs(moments.correlation, least=THRESHOLDS["antonym_r"].value),
        opposite=[
            (a, b) for named in own.values() for a in named for b in named
            if a not in turned and b in turned
        ],
        inverse=distance_basis(moments.covariance),
        max_lag=max(1, len(block) // 2),
    )  # fmt: skip


def _lacking(plan: _Plan, seconds: pd.Series) -> dict[str, Unavailable]:
    """Return the indices that this study cannot have, with the reason."""
    few = len(plan.items) < THRESHOLDS["careless_items"].value
    few_in_block = len(plan.block) < THRESHOLDS["careless_items"].value
    least = THRESHOLDS["consistency_pairs"].value
    items, block = _("there are too few scale items"), _("no block of items is long enough")
    blocks = _("there are too few scales")
    distance = plan.inverse if isinstance(plan.inverse, Unavailable) else None
    reasons = {
        "seconds_per_item": (seconds.isna().all(), _("the export holds no times")),
        "longstring": (few_in_block, block),
        "average_run": (few_in_block, block),
        "low_variability": (few_in_block, block),
        "autocorrelation": (len(plan.block) < THRESHOLDS["repeat_items"].value, block),
        "even_odd": (few or len(plan.constructs) < least, items if few else blocks),
        "synonyms": _pairs_lacking(plan, plan.synonyms, len(seconds)),
        "antonyms": _pairs_lacking(plan, plan.antonyms, len(seconds)),
        "person_total": (few, items),
        "mahalanobis": (
            few or distance is not None,
            items if few or distance is None else distance.why,
        ),
        "contradictions": (
            len(plan.opposite) < least,
            _("there are too few reverse-keyed items"),
        ),
    }
    return {
        name: Unavailable(_("the mark '{mark}'").format(mark=name), why)
        for name, (absent, why) in reasons.items()
        if absent
    }


def _pairs_lacking(plan: _Plan, pairs: Pairs, n: int) -> tuple[bool, str]:
    """Tell whether pairs found in the sample are too few to judge by, and why."""
    if len(plan.items) < THRESHOLDS["careless_items"].value:
        return True, _("there are too few scale items")
    if n < THRESHOLDS["consistency_rows"].value:
        return True, _("there are too few respondents to find pairs of items that go together")
    few = len(pairs) < THRESHOLDS["consistency_pairs"].value
    return few, _("too few pairs of items correlate that highly")


def _indices_of(plan: _Plan, rows: pd.DataFrame, lacking: Collection[str]) -> pd.DataFrame:
    """Return the indices of some rows, all but the time."""
    asked = careless.unit_scaled(rows[plan.items], plan.ends)
    enough = asked.notna().sum(axis=1) >= THRESHOLDS["careless_items"].value
    given = {
        **_of_block(plan, rows[plan.block]),
        "low_variability": lambda: careless.intra_individual_variability(asked[plan.block]),
        "even_odd": lambda: careless.even_odd_consistency(
            _turned(asked, plan.reverse), constructs=plan.constructs
        ),
        "synonyms": lambda: careless.paired_consistency(asked, pairs=plan.synonyms),
        "antonyms": lambda: careless.paired_consistency(asked, pairs=plan.antonyms),
        "person_total": lambda: careless.person_total(
            asked, sums=plan.moments.sums, counts=plan.moments.counts
        ),
        "mahalanobis": lambda: _distance_tail(plan, asked),
        "contradictions": lambda: careless.contradictions(asked, pairs=plan.opposite),
    }
    return pd.DataFrame(
        {name: index().where(enough) for name, index in given.items() if name not in lacking},
        index=rows.index,
    )


def _of_block(plan: _Plan, block: pd.DataFrame) -> dict:
    """Return the indices that look at the order of answers in one block."""
    answered = block.notna().sum(axis=1)
    enough = answered >= THRESHOLDS["careless_items"].value
    return {
        "longstring": lambda: careless.longest_run(block) / answered.where(enough),
        "average_run": lambda: careless.average_run(block).where(enough),
        "autocorrelation": lambda: careless.largest_autocorrelation(
            block, max_lag=plan.max_lag
        ).where(enough),
    }


def _turned(asked: pd.DataFrame, reverse: list[str]) -> pd.DataFrame:
    """Return scaled answers with reverse-keyed items turned."""
    return asked.assign(**{item: 1 - asked[item] for item in reverse})


def _distance_tail(plan: _Plan, asked: pd.DataFrame) -> pd.Series:
    """Return how likely a distance at least this large is under normality."""
    found = mahalanobis_distance(asked, mean=plan.moments.mean, inverse=plan.inverse)
    return pd.Series(stats.chi2.sf(found["d2"], found["df"].clip(lower=1)), index=asked.index)


def _answered(folder: StudyFolder, answers: pd.DataFrame) -> pd.Series:
    """Return how many questions of the main questionnaire each row answered."""
    items = folder.items.loc[folder.items["module"] == "main", "item"]
    count = np.zeros(len(answers), dtype=np.int64)
    for item in items:
        if item in answers:
            count += answers[item].notna().to_numpy()
    return pd.Series(count, index=answers.index)


def _basis(plan: _Plan) -> dict[str, int]:
    """Return on how many items, pairs or constructs each index rests."""
    block, items = len(plan.block), len(plan.items)
    return {
        "longstring": block, "average_run": block, "low_variability": block,
        "autocorrelation": block, "even_odd": len(plan.constructs),
        "synonyms": len(plan.synonyms), "antonyms": len(plan.antonyms), "person_total": items,
        "mahalanobis": items, "contradictions": len(plan.opposite),
    }  # fmt: skip
