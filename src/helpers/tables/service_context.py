"""Tables and sentences on context and on which recovery goes with more in which group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.design import variable_label
from helpers.results import CheckResult, Number
from helpers.service.segments import ContextTests, hurried_difference, same_for_all
from helpers.service.uplift import LEAST_CHANCE, Uplift
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.tables.sem_sentences import signed_p
from helpers.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

Uplifts = dict[str, Uplift | Unavailable]
SHOWN = 12
"""Rows of the table of context tests, the smallest p first."""


@passes_unavailable
def context_tests_table(found: ContextTests, study: Study) -> ApaTable:
    """Return the tests of moderation by context, the smallest p first."""
    table = found.table.head(SHOWN)
    named = table.assign(
        path=[
            _("{predictor} → {outcome}").format(
                predictor=variable_label(study, p), outcome=variable_label(study, o)
            )
            for p, o in zip(table["predictor"], table["outcome"])
        ],
        label=[variable_label(study, c) for c in table["context"]],
    )
    return apa_table(
        named,
        caption=_("Does the context change what goes with what?"),
        columns=[
            Column("path", _("Slope"), "text"),
            Column("label", _("Context"), "text"),
            Column("f", "F"),
            Column("df", "df", "integer"),
            Column("p_value", "p", "p"),
            Column("p_fdr", _("p, corrected"), "p"),
            Column("n_used", "n", "integer"),
        ],
        note=_(
            "Shown: {k} of {all} tests, those with the smallest p. F of all product terms with HC3 "
            "errors; p corrected for the false discovery rate over all tests."
        ).format(k=len(table), all=len(found.table))
        + _left_out_of_tests(found, study),
    )


def _left_out_of_tests(found: ContextTests, study: Study) -> str:
    """Name the categories that some test had to leave out, and count the tests that were none."""
    text = ""
    seen = found.left_out[["context", "category"]].drop_duplicates()
    if len(seen):
        names = _(", ").join(
            f"{variable_label(study, c)}: {_labels(study, c).get(code, f'{code:g}')}"
            for c, code in seen.itertuples(index=False)
        )
        text += " " + _(
            "Left out of one test or more, for fewer than {least} people or too little difference "
            "in the predictor: {names}."
        ).format(least=int(THRESHOLDS["group_size"].value), names=names)
    if len(found.untested):
        text += " " + _("Slopes that could not be compared between contexts: {k}.").format(
            k=len(found.untested)
        )
    return text


@passes_unavailable
def context_sentence(found: ContextTests, study: Study) -> str:
    """Say which slopes differ by context after correction."""
    clear = found.table[found.table["p_fdr"] <= 1 - found.level]
    if clear.empty:
        return _("After correction no slope differs clearly between contexts.")
    names = [
        _("{predictor} → {outcome} by {context} (p {p})").format(
            predictor=variable_label(study, row["predictor"]),
            outcome=variable_label(study, row["outcome"]),
            context=variable_label(study, row["context"]),
            p=signed_p(row["p_fdr"]),
        )
        for row in clear.to_dict("records")
    ]
    return _("After correction these slopes differ between contexts: {names}.").format(
        names=_("; ").join(names)
    )


@passes_unavailable
def slopes_picture(found: ContextTests, study: Study) -> pd.DataFrame:
    """Return the slopes in every category for the smallest p, for a forest plot."""
    top = found.table.iloc[0]
    own = found.slopes
    for key in ("outcome", "predictor", "context"):
        own = own[own[key] == top[key]]
    labels = _labels(study, top["context"])
    return pd.DataFrame(
        {
            "label": [labels.get(c, f"{c:g}") for c in own["category"]],
            "estimate": own["slope"],
            "ci_low": own["ci_low"],
            "ci_high": own["ci_high"],
        }
    )


def slopes_axis(found: ContextTests | Unavailable, study: Study) -> str:
    """Return the words under the axis of the slopes."""
    if isinstance(found, Unavailable):
        return ""
    top = found.table.iloc[0]
    return _("Points of {outcome} per point of {predictor}").format(
        outcome=variable_label(study, top["outcome"]),
        predictor=variable_label(study, top["predictor"]),
    )


def _labels(study: Study, item: str) -> dict[float, str]:
    """Return the labels of an item's codes in the current language."""
    labels = study.scale_of(item).labels
    return {float(code): pick(label.model_dump()) for code, label in labels.items()}


def _group_labels(study: Study, group: str) -> tuple[str, dict[float, str]]:
    """Return a grouping's title and the labels of its categories."""
    grouping = study.spec.groups[group]
    return pick(grouping.title.model_dump()), _labels(study, grouping.item)


def _lost(found: Uplifts | Unavailable) -> Unavailable:
    """Return why no treatment could be compared in any grouping."""
    return found if isinstance(found, Unavailable) else next(iter(found.values()))  # type: ignore[return-value]


def _known(found: Uplifts | Unavailable) -> dict[str, Uplift]:
    """Return the groupings in which treatments could be compared."""
    if isinstance(found, Unavailable):
        return {}
    return {g: u for g, u in found.items() if not isinstance(u, Unavailable)}


def uplift_picture(found: Uplifts | Unavailable, study: Study) -> pd.DataFrame | Unavailable:
    """Return adjusted differences from the reference for a forest plot, with joint intervals."""
    known = _known(found)
    if not known:
        return _lost(found)
    words = _labels(study, study.spec.service.segments.treatment)
    parts = []
    for group, one in known.items():
        labels = _group_labels(study, group)[1]
        table = one.contrasts
        parts.append(
            pd.DataFrame(
                {
                    "label": [labels[g] for g in table["group"]],
                    "way": [words[t] for t in table["treatment"]],
                    "estimate": table["estimate"],
                    "ci_low": table["joint_low"],
                    "ci_high": table["joint_high"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def uplift_axis(found: Uplifts | Unavailable, study: Study) -> str:
    """Return the words under the axis of the differences."""
    plan, known = study.spec.service.segments, _known(found)
    if not known:
        return ""
    reference = _labels(study, plan.treatment)[next(iter(known.values())).reference]
    return _("{outcome}: points above '{reference}', adjusted").format(
        outcome=variable_label(study, plan.outcome), reference=reference
    )


def uplift_table(found: Uplifts | Unavailable, study: Study) -> ApaTable | Unavailable:
    """Return plain and adjusted means of every treatment in every group."""
    known = _known(found)
    if not known:
        return _lost(found)
    words, parts = _labels(study, study.spec.service.segments.treatment), []
    for group, one in known.items():
        labels = _group_labels(study, group)[1]
        table = one.means.merge(
            one.contrasts[["group", "treatment", "estimate", "joint_low", "joint_high"]].rename(
                columns={"estimate": "uplift"}
            ),
            on=["group", "treatment"],
            how="left",
        )
        parts.append(
            table.assign(
                name=[labels[g] for g in table["group"]],
                measure=[words[t] for t in table["treatment"]],
            )
        )
    one = next(iter(known.values()))
    return apa_table(
        pd.concat(parts, ignore_index=True),
        caption=_("Which recovery goes with more in which group"),
        columns=[
            Column("name", _("Group"), "text"),
            Column("measure", _("Recovery"), "text"),
            Column("n", "n", "integer"),
            Column("raw", _("Plain mean")),
            Column("estimate", _("Adjusted mean")),
            Column("uplift", _("Difference")),
            interval_column("joint_low", "joint_high", label=_("Joint interval")),
        ],
        note=_(
            "Doubly robust, cross-fitted in {folds} folds. {groupings}. Left out: another "
            "recovery, a group too small, or a blank. Joint: all intervals of a grouping hold at "
            "once with {level}."
        ).format(
            folds=one.folds,
            groupings=_("; ").join(_who_was_compared(study, g, u) for g, u in known.items()),
            level=format_percent(one.level, 0),
        )
        + _same_for_all(study),
    )


def _who_was_compared(study: Study, group: str, one: Uplift) -> str:
    """Say how many people a grouping compares, and how many chances had to be raised."""
    return _(
        "{group}: n = {n}, {dropped} left out, {raised} of the chances of a recovery raised to "
        "{least}"
    ).format(
        group=_group_labels(study, group)[0],
        n=one.n_used,
        dropped=one.n_dropped,
        raised=format_percent(one.raised),
        least=format_number(LEAST_CHANCE, bounded=True),
    )


def _same_for_all(study: Study) -> str:
    """Name what was not adjusted for because it is the same for everybody."""
    names = [variable_label(study, name) for name in same_for_all(study)]
    if not names:
        return ""
    return " " + _("The same for everybody and therefore not adjusted for: {names}.").format(
        names=_(", ").join(names)
    )


def uplift_sentence(found: Uplifts | Unavailable, study: Study) -> str | Unavailable:
    """Say for every grouping whether it pays to choose by group, and who was left out."""
    known = _known(found)
    if not known:
        return _lost(found)
    return " ".join(_one_uplift(study, group, one) for group, one in known.items())


def _policy_words(title: str, one: Uplift) -> str:
    """Say how choosing by a grouping compares with one recovery for all."""
    policy = one.policy
    if policy["ci_low"] == policy["ci_high"]:
        return _(
            "Choosing by {group} changes nothing: either half of the sample would give every group "
            "the recovery that it would give to all."
        ).format(group=title)
    text = _(
        "Choosing by {group} against one recovery for all is associated with a difference of "
        "{gain} points, judged in the half of the sample that did not choose ({percent:g}% CI "
        "{interval})."
    ).format(
        group=title,
        gain=format_number(policy["gain"]),
        percent=100 * one.level,
        interval=format_interval(policy["ci_low"], policy["ci_high"]),
    )
    if policy["ci_high"] < 0:
        return f"{text} " + _("Choosing did worse, by more than chance.")
    clear = policy["ci_low"] > 0
    return f"{text} " + (_("That is more than chance.") if clear else _("That may be chance."))


def _one_uplift(study: Study, group: str, one: Uplift) -> str:
    """Say what choosing by one grouping would be associated with."""
    title, labels = _group_labels(study, group)
    text = _policy_words(title, one)
    if one.left_out:
        names = _(", ").join(labels.get(float(g), f"{g:g}") for g in one.left_out)
        text += " " + _("Too few for a comparison: {names}.").format(names=names)
    return text


def uplift_numbers(found: Uplifts | Unavailable) -> list[Number]:
    """Return the differences for ``results.json``."""
    return [
        Number(
            f"uplift_{group}_{row['group']:g}_{row['treatment']:g}", row["estimate"],
            "adjusted mean less that of the reference (AIPW, cross-fitted)", row["joint_low"],
            row["joint_high"], one.level, one.n_used, method="joint Gaussian intervals",
        )
        for group, one in _known(found).items()
        for row in one.contrasts.to_dict("records")
    ]  # fmt: skip


def uplift_checks(found: Uplifts | Unavailable, study: Study) -> list[CheckResult]:
    """Check that everybody could have had every recovery, and whether groups differ."""
    checks = []
    words = _labels(study, study.spec.service.segments.treatment or "") if _known(found) else {}
    for group, one in _known(found).items():
        title = _group_labels(study, group)[0]
        checks.append(
            CheckResult(
                _("Overlap: {group}").format(group=title), one.raised == 0, one.raised, 0.0,
                _("convention of this suite"),
                _("{share} of the chances lie below {least}.").format(
                    share=format_percent(one.raised), least=format_number(LEAST_CHANCE,
                                                                          bounded=True)
                ),
            )
        )  # fmt: skip
        for row in one.differences.to_dict("records"):
            text = _("χ²({df}) = {chisq}, p {p}: does '{treatment}' differ between groups?")
            checks.append(
                CheckResult(
                    _("Groups differ: {group}").format(group=title), None, row["chisq"], None, "",
                    text.format(
                        df=row["df"], chisq=format_number(row["chisq"]),
                        p=signed_p(row["p_value"]), treatment=words[row["treatment"]],
                    ),
                )
            )  # fmt: skip
    return checks


def hurried_checks(study: Study) -> list[CheckResult]:
    """Hold the weight of timeliness on hurried days against what was planted."""
    found = hurried_difference(study)
    if found is None:
        return []
    estimate, low, high = found
    text = _(
        "Planted: on public holidays and sales festivals timeliness weighs more. Found: the slope "
        "is steeper by {estimate} {interval}."
    ).format(estimate=format_number(estimate), interval=format_interval(low, high))
    name = _("Planted: hurried days")
    return [CheckResult(name, low > 0, estimate, 0.0, "population.yml", text)]
