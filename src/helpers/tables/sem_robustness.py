"""The specification curve: printed tables, what the figure needs, and sentences that read it."""

from __future__ import annotations

import pandas as pd

from helpers.errors import ModelSpecError, Unavailable, listing, nearest, passes_unavailable
from helpers.i18n import _
from helpers.results import CheckResult
from helpers.sem.specification_choices import DECLARED, NONE, WITHOUT
from helpers.sem.specification_curve import CHOICES, SpecificationCurve, path_rows
from helpers.sem.study_fit import variable_labels
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.tables.survey_cleaning import mark_label

Key = tuple[str, str, str]
"""A path: hypothesis, outcome, predictor."""


def choice_label(choice: str) -> str:
    """Return the name of a choice."""
    names = {
        "exclusion": _("Rows excluded"),
        "missing": _("Missing answers"),
        "estimator": _("Estimator"),
        "controls": _("Controls"),
        "scale": _("Constructs"),
    }
    return names[choice]


def level_label(choice: str, level: str) -> str:
    """Return the name of one level of a choice."""
    names = {
        ("exclusion", DECLARED): _("as declared"),
        ("exclusion", NONE): _("nobody but previews and no consent"),
        ("missing", "fiml"): _("all answers (FIML)"),
        ("missing", "listwise"): _("complete rows"),
        ("estimator", "WLSMV"): _("WLSMV, items ordinal"),
        ("controls", "without"): _("without controls"),
        ("controls", "with"): _("with controls"),
        ("scale", "latent"): _("latent"),
        ("scale", "scores"): _("mean scores"),
    }
    if level.startswith(WITHOUT):
        rule = mark_label(level.removeprefix(WITHOUT))
        return _("declared, without the rule: {rule}").format(rule=rule)
    return names.get((choice, level), level)


@passes_unavailable
def key_path(curve: SpecificationCurve, path: str = "") -> Key:
    """Return the path that is named, such as ``LOY ~ REC``; the first one for an empty text.

    Raises
    ------
    ModelSpecError
        No direct hypothesis names that path.
    """
    summary = curve.summary
    known = {f"{r.outcome} ~ {r.predictor}": r for r in summary.itertuples(index=False)}
    if path and " ".join(path.split()) not in known:
        raise ModelSpecError(
            f"key_path: path= '{path}' is not named by a direct hypothesis; known are "
            f"{listing(known)}.{nearest(path, known)} Write it as there."
        )
    row = known[" ".join(path.split())] if path else next(iter(known.values()))
    return row.hypothesis, row.outcome, row.predictor


@passes_unavailable
def path_label(study: Study, curve: SpecificationCurve, key: Key) -> str:
    """Return ``H1: recovery quality → loyalty``."""
    model = path_rows(curve.table, *key)["model"].iloc[0]
    labels = variable_labels(study, study.spec.models[model].syntax)
    hypothesis, outcome, predictor = key
    ends = [labels.get(name, name) for name in (predictor, outcome)]
    return f"{hypothesis}: {ends[0]} → {ends[1]}"


@passes_unavailable
def summary_table(study: Study, curve: SpecificationCurve) -> ApaTable:
    """Return one row a key path: how many specifications count, and how far they agree."""
    frame = curve.summary
    keys = frame[["hypothesis", "outcome", "predictor"]].itertuples(index=False, name=None)
    frame["path"] = [path_label(study, curve, key) for key in keys]
    columns = [
        Column("path", _("Path"), "text"),
        Column("n_all", _("Specifications"), "integer"),
        Column("n", _("that count"), "integer"),
        Column("declared", _("β, as declared"), "bounded"),
        Column("median", _("Median β"), "bounded"),
        Column("low", _("Lowest and highest"), "interval", upper="high", bounded=True),
        Column("share_sign", _("Sign as expected"), "percent", 0),
        Column("share_clear", _("Interval without zero"), "percent", 0),
    ]
    note = _(
        "β: standardised path. The shares are of the specifications that count; they describe "
        "choices of analysis, not samples, and no error rate belongs to them."
    )
    caption = _("Key paths over all specifications")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def choices_table(study: Study, curve: SpecificationCurve, key: Key) -> ApaTable | Unavailable:
    """Return, for one path, median and range for every level of every choice."""
    frame = curve.by_choice(*key)
    if frame.empty:
        return _nothing_counts()
    frame["name"] = [level_label(r.choice, r.level) for r in frame.itertuples()]
    frame["section"] = [choice_label(c) for c in frame["choice"]]
    columns = [
        Column("name", _("Choice"), "text"),
        Column("n", _("Specifications"), "integer"),
        Column("median", _("Median β"), "bounded"),
        Column("low", _("Lowest and highest"), "interval", upper="high", bounded=True),
    ]
    caption = _("What each choice does to {path}").format(path=path_label(study, curve, key))
    return apa_table(frame, caption=caption, columns=columns, section="section")


@passes_unavailable
def failures_table(study: Study, curve: SpecificationCurve) -> ApaTable | Unavailable:
    """Return the specifications that do not count, each with its reason."""
    failed = curve.table[curve.table["reason"] != ""]
    if failed.empty:
        return Unavailable(
            _("a list of specifications that do not count"),
            _("all of them converged and are admissible"),
        )
    frame = failed.drop_duplicates("specification").copy()
    for choice in CHOICES:
        frame[choice] = [level_label(choice, level) for level in frame[choice]]
    columns = [Column(choice, choice_label(choice), "text") for choice in CHOICES]
    columns.append(Column("reason", _("Reason"), "text"))
    return apa_table(frame, caption=_("Specifications that do not count"), columns=columns)


@passes_unavailable
def curve_frame(curve: SpecificationCurve, key: Key) -> pd.DataFrame | Unavailable:
    """Return one path's specifications as ``plot_specification_curve`` takes them.

    Columns estimate, ci_low, ci_high, declared, and one column a choice under its name, holding
    the levels under theirs. Choices with one level only are left out.
    """
    own = path_rows(curve.counted, *key)
    if own.empty:
        return _nothing_counts()
    frame = own[["estimate", "ci_low", "ci_high", "declared"]].copy()
    for choice in CHOICES:
        if own[choice].nunique() > 1:
            frame[choice_label(choice)] = [level_label(choice, level) for level in own[choice]]
    return frame.reset_index(drop=True)


def _nothing_counts() -> Unavailable:
    """Say that there is nothing to show."""
    return Unavailable(
        _("the specification curve"), _("no specification converged to an admissible solution")
    )


@passes_unavailable
def path_sentence(study: Study, curve: SpecificationCurve, key: Key) -> str:
    """Read one path over all specifications aloud."""
    row = path_rows(curve.summary, *key).iloc[0]
    path = path_label(study, curve, key)
    if row["n"] == 0:
        return _("{path}: no specification counts, so nothing is said.").format(path=path)
    text = _(
        "{path}: over {n} specifications the standardised path has a median of {median} and runs "
        "from {low} to {high}; as declared it is {declared}."
    ).format(
        path=path,
        n=row["n"],
        median=format_number(row["median"], bounded=True),
        low=format_number(row["low"], bounded=True),
        high=format_number(row["high"], bounded=True),
        declared=format_number(row["declared"], bounded=True),
    )
    clear = format_percent(row["share_clear"], 0)
    if pd.isna(row["share_sign"]):
        rest = _("In {clear} of them the interval excludes zero.").format(clear=clear)
    else:
        rest = _(
            "{sign} of them have the expected sign, and in {clear} the interval excludes zero."
        ).format(sign=format_percent(row["share_sign"], 0), clear=clear)
    return f"{text} {rest}"


@passes_unavailable
def choice_sentence(curve: SpecificationCurve, key: Key) -> str:
    """Name the choice whose levels move the median of one path most."""
    table = curve.by_choice(*key)
    medians = table.groupby("choice", sort=False)["median"]
    reach = (medians.max() - medians.min())[medians.size() > 1]
    if reach.empty:
        return _("Only one level of each choice could be fitted, so no choice can be compared.")
    choice = reach.idxmax()
    own = table[table["choice"] == choice]
    least, most = (own.loc[own["median"] == end].iloc[0] for end in _ends(own["median"]))
    return _(
        "The choice that moves the median most is '{choice}': from {low} ({low_level}) to {high} "
        "({high_level})."
    ).format(
        choice=choice_label(choice),
        low=format_number(least["median"], bounded=True),
        low_level=level_label(choice, least["level"]),
        high=format_number(most["median"], bounded=True),
        high_level=level_label(choice, most["level"]),
    )


def _ends(values: pd.Series) -> tuple[float, float]:
    """Return the smallest and the largest value."""
    return values.min(), values.max()


@passes_unavailable
def omitted_sentence(curve: SpecificationCurve) -> str:
    """Say which choices were not made, and why."""
    parts = [value.text() for value in curve.omitted]
    parts += [
        _("'{name}' keeps the same rows as '{same}' and is not counted twice.").format(
            name=level_label("exclusion", name), same=level_label("exclusion", same)
        )
        for name, same in curve.same_rows.items()
    ]
    parts.append(
        _(
            "A joint test over all specifications is not given: no rearrangement of respondents "
            "removes one path of a structural model and leaves the others."
        )
    )
    return " ".join(parts)


def robustness_checks(
    study: Study, curve: SpecificationCurve | Unavailable
) -> list[CheckResult | Unavailable]:
    """Return whether every specification counts, and whether each path keeps sign and clarity."""
    if isinstance(curve, Unavailable):
        return [curve]
    n_all = curve.table["specification"].nunique()
    n = curve.counted["specification"].nunique()
    text = _("Specifications that converged and are admissible: {n} of {total}.")
    name = _("Specifications that count")
    checks = [CheckResult(name, n == n_all, text=text.format(n=n, total=n_all))]
    for row in curve.summary.itertuples(index=False):
        label = path_label(study, curve, (row.hypothesis, row.outcome, row.predictor))
        checks.append(_path_check(label, row))
    return checks


def _path_check(label: str, row: tuple) -> CheckResult:
    """Return whether a path's conclusion is the same in every specification."""
    if row.n == 0 or pd.isna(row.share_in_line):
        text = _("No expected sign to hold the specifications against.")
        return CheckResult(label, None, text=text if row.n else _("No specification counts."))
    text = _(
        "Interval on the expected side in {share} of the specifications; standardised path in "
        "{range}."
    ).format(
        share=format_percent(row.share_in_line, 0),
        range=format_interval(row.low, row.high, bounded=True),
    )
    same = row.share_in_line in (0.0, 1.0) and row.share_sign in (0.0, 1.0)
    return CheckResult(label, bool(same), value=float(row.share_in_line), text=text)
