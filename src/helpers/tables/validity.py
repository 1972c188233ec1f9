"""Tables and sentences of convergent and discriminant validity from a confirmatory model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import passes_unavailable
from helpers.i18n import _
from helpers.measurement.study_scales import extreme_check
from helpers.results import CheckResult
from helpers.sem.latent_validity import LatentValidity
from helpers.survey.load import Study
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_number
from helpers.tables.sem_sentences import signed_p
from helpers.thresholds import LEVEL, THRESHOLDS


def grade_name(grade: str) -> str:
    """Return the grade of a latent correlation in words."""
    return {
        "none": _("none"),
        "marginal": _("marginal"),
        "moderate": _("moderate"),
        "severe": _("severe"),
        "unknown": _("not graded"),
    }[grade]


@passes_unavailable
def convergent_table(study: Study, found: LatentValidity) -> ApaTable:
    """Return CR and AVE of every construct with intervals."""
    frame = found.constructs.assign(name=_names(study, found.constructs["construct"]))
    cr, ave = THRESHOLDS["composite_reliability"], THRESHOLDS["ave"]
    columns = [
        Column("name", _("Construct"), "text"),
        Column("n_items", _("Items"), "integer"),
        Column("cr", "CR", "bounded"),
        interval_column("cr_low", "cr_high", bounded=True),
        Column("ave", "AVE", "bounded"),
        interval_column("ave_low", "ave_high", bounded=True),
    ]
    note = _(
        "From standardised loadings of the joint model, delta-method intervals; {method}, N = {n}. "
        "Cut-offs: CR {cr}, AVE {ave}, {source}."
    ).format(
        method=found.method,
        n=found.n_used,
        cr=format_number(cr.value, bounded=True),
        ave=format_number(ave.value, bounded=True),
        source=cr.source,
    )
    caption = _("Composite reliability and variance extracted, with intervals")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def convergent_sentence(study: Study, found: LatentValidity) -> str:
    """Read the construct with the smallest AVE aloud."""
    row = found.constructs.loc[found.constructs["ave"].idxmin()]
    rule = THRESHOLDS["ave"]
    place = (
        _("Its whole interval lies below {cut}.")
        if row["ave_high"] < rule.value
        else _("Its whole interval lies above {cut}.")
        if row["ave_low"] > rule.value
        else _("Its interval holds {cut}, so that the data do not decide.")
    )
    text = _("The smallest AVE is {ave} ({low} to {high}), that of {name}.").format(
        ave=format_number(row["ave"], bounded=True),
        low=format_number(row["ave_low"], bounded=True),
        high=format_number(row["ave_high"], bounded=True),
        name=study.construct_name(row["construct"]),
    )
    return f"{text} {place.format(cut=format_number(rule.value, bounded=True))}"


@passes_unavailable
def latent_correlations_table(study: Study, found: LatentValidity, most: int) -> ApaTable:
    """Return the largest latent correlations with intervals and their grade."""
    frame = found.pairs.head(most)
    frame = frame.assign(
        first=_names(study, frame["a"]),
        second=_names(study, frame["b"]),
        words=[grade_name(g) for g in frame["grade"]],
    )
    low, high = THRESHOLDS["latent_r"], THRESHOLDS["latent_r_high"]
    columns = [
        Column("first", _("Construct"), "text"),
        Column("second", _("with"), "text"),
        Column("r", "r", "bounded"),
        interval_column(bounded=True),
        Column("words", _("Problem"), "text"),
    ]
    note = _(
        "Largest pairs shown: {shown} of {of}. A problem is marginal where the interval reaches "
        "{low}, moderate at {high}, severe at 1; {source}."
    ).format(
        shown=len(frame),
        of=len(found.pairs),
        low=format_number(low.value, bounded=True),
        high=format_number(high.value, bounded=True),
        source=low.source,
    )
    caption = _("Correlations of the latent variables")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def latent_correlations_picture(
    study: Study, found: LatentValidity, most: int
) -> pd.DataFrame:  # fmt: skip
    """Return the largest latent correlations for a forest plot."""
    frame = found.pairs.head(most)
    names = zip(_names(study, frame["a"]), _names(study, frame["b"]), strict=True)
    return pd.DataFrame(
        {"label": [f"{a} – {b}" for a, b in names], "estimate": frame["r"],
         "ci_low": frame["ci_low"], "ci_high": frame["ci_high"]}
    )  # fmt: skip


@passes_unavailable
def latent_correlations_sentence(study: Study, found: LatentValidity) -> str:
    """Read the largest latent correlation aloud."""
    row = found.pairs.iloc[0]
    text = _("The largest latent correlation is {r} ({low} to {high}), of {a} with {b}.").format(
        r=format_number(row["r"], bounded=True),
        low=format_number(row["ci_low"], bounded=True),
        high=format_number(row["ci_high"], bounded=True),
        a=study.construct_name(row["a"]),
        b=study.construct_name(row["b"]),
    )
    return f"{text} {_grades_sentence(found)}"


def _grades_sentence(found: LatentValidity) -> str:
    """Count the pairs by their grade, the worst first; every pair is counted once."""
    counts = found.pairs["grade"].value_counts()
    if set(counts.index) == {"none"}:
        return _("Pairs graded as a problem of discriminant validity: 0 of {n}.").format(
            n=len(found.pairs)
        )
    grades = ("severe", "moderate", "marginal", "none", "unknown")
    listed = _(", ").join(f"{grade_name(g)} {counts[g]}" for g in grades if g in counts)
    return _("Pairs by the problem of telling them apart: {listed}.").format(listed=listed)


@passes_unavailable
def fornell_larcker_table(study: Study, found: LatentValidity) -> ApaTable:
    """Return the Fornell-Larcker table, constructs numbered in the columns."""
    table = found.fornell_larcker()
    codes = table["construct"].tolist()
    names = _names(study, table["construct"])
    shown = table.astype(dict.fromkeys(codes, object))
    for code in codes:
        shown.loc[table[code].isna(), code] = ""
    shown = shown.assign(construct=[f"{i}. {name}" for i, name in enumerate(names, start=1)])
    columns = [Column("construct", _("Construct"), "text")]
    columns += [Column(code, str(i), "bounded") for i, code in enumerate(codes, start=1)]
    return apa_table(
        shown,
        caption=_("Fornell-Larcker table"),
        columns=[*columns, Column("met", _("Met"), "truth")],
        note=_(
            "Diagonal: root of the AVE. Below it: correlations of the latent variables of the same "
            "model. Met: the root is above every correlation of the construct. {source}."
        ).format(source=THRESHOLDS["ave"].source),
    )


@passes_unavailable
def fornell_larcker_sentence(study: Study, found: LatentValidity) -> str:
    """Read the criterion aloud for the construct that comes nearest to failing it, or fails."""
    table = found.fornell_larcker()
    roots = np.array([float(table.loc[i, code]) for i, code in enumerate(table["construct"])])
    gap = roots - table["largest_r"].to_numpy(dtype=float)
    worst = int(gap.argmin())
    return _(
        "Constructs that meet the criterion: {k} of {of}. The margin is smallest for {name}: the "
        "root of its AVE is {root}, its largest correlation in size {r}."
    ).format(
        k=int(table["met"].sum()),
        of=len(table),
        name=study.construct_name(table["construct"].iloc[worst]),
        root=format_number(roots[worst], bounded=True),
        r=format_number(table["largest_r"].iloc[worst], bounded=True),
    )


@passes_unavailable
def distinctness_table(study: Study, tests: pd.DataFrame) -> ApaTable:
    """Return the tests of a correlation of 1 and of merged constructs."""
    frame = tests.assign(first=_names(study, tests["a"]), second=_names(study, tests["b"]))
    columns = [
        Column("first", _("Construct"), "text"),
        Column("second", _("with"), "text"),
        Column("r", "r", "bounded"),
        Column("chisq_phi", _("Δχ², r = 1"), "number", 1),
        Column("df_phi", "Δdf", "integer"),
        Column("p_phi", "p", "p"),
        Column("chisq_merged", _("Δχ², merged"), "number", 1),
        Column("df_merged", "Δdf", "integer"),
        Column("p_merged", "p", "p"),
    ]
    note = _(
        "r as above; tests by plain maximum likelihood on the n = {n} complete rows. A small p "
        "says that the two are not one, which is less than that they are well apart. For a "
        "negative r the correlation is held at −1."
    ).format(n=int(tests["n_used"].iloc[0]))
    if tests[["chisq_phi", "chisq_merged"]].isna().any(axis=None):
        note += " " + _("A dash: the restricted model has no solution.")
    caption = _("Can two constructs be one? Chi-square differences")
    return apa_table(frame, caption=caption, columns=columns, note=note)


@passes_unavailable
def distinctness_sentence(study: Study, tests: pd.DataFrame) -> str:
    """Read the pair that comes nearest to being one construct."""
    known = tests.dropna(subset=["chisq_phi", "p_phi"])
    if known.empty:
        return _("No restricted model has a solution, so that no pair could be tested.")
    row = known.loc[known["chisq_phi"].idxmin()]
    kept = known[known["p_phi"] >= 1 - LEVEL]
    text = _(
        "Holding the correlation of {a} with {b} at {one} costs least: chi-square rises by {chisq} "
        "on 1 degree of freedom (p {p})."
    ).format(
        a=study.construct_name(row["a"]),
        b=study.construct_name(row["b"]),
        one="1" if row["r"] >= 0 else "−1",
        chisq=format_number(row["chisq_phi"], 1),
        p=signed_p(float(row["p_phi"])),
    )
    verdict = (
        _("A correlation of exactly 1 in size is rejected for all pairs tested ({of}).")
        if kept.empty
        else _(
            "A correlation of exactly 1 in size is not rejected for {k} of the {of} pairs tested."
        )
    )
    return f"{text} {verdict.format(k=len(kept), of=len(known))}"


@passes_unavailable
def validity_checks(study: Study, found: LatentValidity) -> list[CheckResult]:
    """Hold CR, AVE, Fornell-Larcker and the latent correlations against their cut-offs."""
    names = _names(study, found.constructs["construct"])
    own = found.constructs
    checks = [
        extreme_check(_("CR of every construct"), "composite_reliability",
                      dict(zip(names, own["cr"].astype(float), strict=True))),
        extreme_check(_("AVE of every construct"), "ave",
                      dict(zip(names, own["ave"].astype(float), strict=True))),
    ]  # fmt: skip
    pairs = found.pairs
    labels = [
        f"{study.construct_name(a)} – {study.construct_name(b)}"
        for a, b in zip(pairs["a"], pairs["b"])
    ]
    reach = pairs[["ci_low", "ci_high"]].abs().max(axis=1)
    bounds = dict(zip(labels, reach.fillna(pairs["r"].abs()).astype(float), strict=True))
    name = _("Interval of every latent correlation")
    return [*checks, _fornell_larcker_check(found), extreme_check(name, "latent_r", bounds)]


def _fornell_larcker_check(found: LatentValidity) -> CheckResult:
    """Say whether every construct meets the criterion of Fornell and Larcker."""
    met = found.fornell_larcker()["met"]
    return CheckResult(
        name=_("Fornell-Larcker criterion"),
        passed=bool(met.all()),
        value=float(met.sum()),
        source=THRESHOLDS["ave"].source,
        text=_("Constructs that meet the criterion: {k} of {of}.").format(
            k=int(met.sum()), of=len(met)
        ),
    )


def _names(study: Study, codes: pd.Series) -> list[str]:
    """Return the constructs' names."""
    return [study.construct_name(code) for code in codes]
