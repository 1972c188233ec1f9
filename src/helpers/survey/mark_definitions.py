"""What each mark of a row means, its cut-off and source, and the rules that exclude."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.errors import listing
from helpers.i18n import _
from helpers.specification import MARKS, Screening
from helpers.thresholds import THRESHOLDS

CUTS = {
    "speeding": ("seconds_per_item", "seconds_per_item"),
    "even_odd": ("even_odd", "even_odd"),
    "synonyms": ("synonyms", "synonyms"),
    "antonyms": ("antonyms", "antonyms"),
    "person_total": ("person_total", "person_total"),
    "mahalanobis": ("mahalanobis", "mahalanobis"),
    "contradictions": ("contradictions", "contradictions"),
    "autocorrelation": ("autocorrelation", "autocorrelation"),
    "longstring": ("longstring", "longstring_share"),
    "low_variability": ("low_variability", "irv"),
}
"""Mark -> (index, row of ``THRESHOLDS``). A row with direction ``min`` marks values below the
cut-off, one with ``max`` values at it or above."""


_MEADE = "Meade & Craig (2012), doi:10.1037/a0028085"
_INDEX_SOURCES = {
    "synonyms": _MEADE,
    "antonyms": "Johnson (2005), doi:10.1016/j.jrp.2004.09.009",
    "person_total": "Donlon & Fischer (1968), doi:10.1177/001316446802800110",
    "mahalanobis": _MEADE,
    "longstring": "Johnson (2005), doi:10.1016/j.jrp.2004.09.009",
}
"""Sources of indices whose cut-off has another source."""


@dataclass(frozen=True, slots=True)
class ExclusionRule:
    """A rule of the study file: rows with at least ``least`` of these marks are excluded."""

    name: str
    marks: tuple[str, ...]
    least: int


def exclusion_rules(screening: Screening) -> tuple[ExclusionRule, ...]:
    """Return the rules in the order in which the flow counts them.

    First the marks that exclude by themselves, in the order of ``specification.MARKS``, then the
    joint rules, then the rule "at least k of these". A name is free of language: a mark, marks
    joined by `` + ``, or ``k of `` and marks joined by `` | ``.
    """
    rules = [ExclusionRule(m, (m,), 1) for m in MARKS if m in screening.exclude]
    rules += [ExclusionRule(" + ".join(j), tuple(j), len(j)) for j in screening.exclude_jointly]
    some = screening.exclude_at_least
    if some is not None:
        rules.append(ExclusionRule(f"{some.k} of {' | '.join(some.of)}", tuple(some.of), some.k))
    return tuple(rules)


def cut_off(screening: Screening, mark: str) -> float:
    """Return the cut-off in force: the study's own, or the suite's."""
    if mark == "speeding" and screening.min_seconds_per_item is not None:
        return screening.min_seconds_per_item
    return screening.cutoffs.get(mark, THRESHOLDS[CUTS[mark][1]].value)


def mark_definitions(screening: Screening) -> dict[str, tuple[str, str]]:
    """Return mark -> (definition, source), in the current language, with the cut-offs in force."""
    return _of_rows(screening) | _of_indices(screening)


def _of_rows(screening: Screening) -> dict[str, tuple[str, str]]:
    """Return the definitions of marks that need no index."""
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
        "failed_attention": (
            _failed_definition(screening.max_failed_attention),
            _MEADE,
        ),
    }


def _of_indices(screening: Screening) -> dict[str, tuple[str, str]]:
    """Return the definitions of marks with an index and a cut-off."""
    texts = {
        "speeding": _("less than {cut:g} seconds for each question answered"),
        "even_odd": _(
            "odd and even items of the scales correlate below {cut:g} (over the scales, stepped up "
            "by Spearman-Brown)"
        ),
        "synonyms": _(
            "pairs of items that correlate above {r:g} in the sample correlate below {cut:g} in "
            "this respondent"
        ).replace("{r:g}", f"{THRESHOLDS['synonym_r'].value:g}"),
        "antonyms": _(
            "pairs of items that correlate below {r:g} in the sample correlate at {cut:g} or above "
            "in this respondent"
        ).replace("{r:g}", f"{THRESHOLDS['antonym_r'].value:g}"),
        "person_total": _(
            "own answers correlate below {cut:g} with the item means of all other respondents"
        ),
        "mahalanobis": _(
            "Mahalanobis distance over the items answered has a p value below {cut:g}"
        ),
        "contradictions": _(
            "agrees, or disagrees, with both of {cut:.0%} or more of the pairs of items keyed in "
            "opposite directions"
        ),
        "autocorrelation": _(
            "answers in the longest block on one scale repeat after some items: correlation with "
            "themselves {cut:g} or above"
        ),
        "longstring": _(
            "one answer given in a row to {cut:.0%} or more of the longest block of items on one "
            "scale"
        ),
        "low_variability": _(
            "standard deviation over one's own answers to that block, scaled to 0-1, below {cut:g}"
        ),
    }
    return {
        mark: (text.format(cut=cut_off(screening, mark)), _source(screening, mark))
        for mark, text in texts.items()
    }


def _source(screening: Screening, mark: str) -> str:
    """Return where the index and its cut-off come from: the literature, or the study file."""
    row = THRESHOLDS[CUTS[mark][1]]
    if cut_off(screening, mark) != row.value:
        cut = _("cut-off declared in the study file")
    else:
        cut = f"{_(row.source)}, doi:{row.doi}" if row.doi else _(row.source)
    return _("; ").join(filter(None, (_INDEX_SOURCES.get(mark), cut)))


def _failed_definition(allowed: int) -> str:
    """Return the definition of a failed attention check."""
    if allowed == 0:
        return _("at least one attention check answered wrongly")
    return _("more than {n} attention checks answered wrongly").format(n=allowed)
