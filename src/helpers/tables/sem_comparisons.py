"""Rival models and groups: printed tables, and sentences that read them aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import Basis, CheckResult
from helpers.sem.groups import Invariance, step_label
from helpers.sem.result import SemResult
from helpers.sem.rivals import RivalTable
from helpers.sem.study_groups import GroupPaths
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number
from helpers.tables.sem_sentences import problems_text, signed_p, state_sentence
from helpers.tables.sem_tables import basis_of
from helpers.thresholds import LEVEL, THRESHOLDS


def rivals_table(rivals: RivalTable) -> ApaTable:
    """Return rival models side by side."""
    caption = _("Rival models for the same data")
    columns, note = _rival_columns(), _rival_note([rivals])
    basis = _rival_basis([rivals])
    return apa_table(rivals.measures, caption=caption, columns=columns, note=note, basis=basis)


def differences_table(rivals: RivalTable) -> ApaTable | Unavailable:
    """Return the tests of nested rivals."""
    if rivals.differences.empty:
        return _no_nested()
    caption = _("Nested models: does the restriction cost fit?")
    return apa_table(rivals.differences, caption=caption, columns=_difference_columns())


@passes_unavailable
def ladder_table(ladder: Invariance) -> ApaTable:
    """Return the ladder of measurement invariance."""
    frame = ladder.table.copy()
    frame["label"] = [step_label(s) for s in frame["step"]]
    columns = [
        Column("label", _("Step"), "text"),
        Column("chisq", "χ²"),
        Column("df", "df", "integer"),
        Column("cfi", "CFI", "bounded", 3),
        Column("rmsea", "RMSEA", "bounded", 3),
        Column("srmr", "SRMR", "bounded", 3),
        Column("delta_chisq", "Δχ²"),
        Column("delta_df", "Δdf", "integer"),
        Column("delta_p", "p", "p"),
        Column("delta_cfi", "ΔCFI", "bounded", 3),
        Column("delta_rmsea", "ΔRMSEA", "bounded", 3),
        Column("delta_srmr", "ΔSRMR", "bounded", 3),
        Column("holds", _("Holds"), "truth"),
    ]
    cfi, rmsea = THRESHOLDS["delta_cfi"], THRESHOLDS["delta_rmsea"]
    note = _(
        "A step holds if CFI falls by at most {cfi} ({cfi_source}) and RMSEA rises by at most "
        "{rmsea} ({rmsea_source}). A dash stands where no verdict is given. Groups: {groups}."
    ).format(
        cfi=format_number(cfi.value, 3, bounded=True),
        cfi_source=cfi.source,
        rmsea=format_number(rmsea.value, 3, bounded=True),
        rmsea_source=rmsea.source,
        groups=_(", ").join(f"{k} ({v})" for k, v in ladder.group_sizes.items()),
    )
    return apa_table(
        frame, caption=_("Ladder of measurement invariance"), columns=columns, note=note,
        basis=_ladder_basis(ladder),
    )  # fmt: skip


def _ladder_basis(ladder: Invariance) -> Basis:
    """Return what the steps of a ladder rest on; every step has the same rows and estimator."""
    fits = [fit for fit in ladder.steps.values() if not isinstance(fit, Unavailable)]
    if not fits:
        return Basis(n_used=sum(ladder.group_sizes.values()))
    first = fits[0]
    return Basis(first.n_obs, first.estimator, first.se_type, first.engine, first.version)


@passes_unavailable
def group_paths_table(paths: GroupPaths) -> ApaTable:
    """Return the structural paths compared between groups."""
    frame = paths.differences.copy()
    fit = paths.free
    frame["path"] = [
        f"{fit.label(r.predictor)} → {fit.label(r.outcome)}" for r in frame.itertuples()
    ]
    frame["pair"] = [f"{r.group_a} – {r.group_b}" for r in frame.itertuples()]
    columns = [
        Column("pair", _("Groups"), "text"),
        Column("estimate_a", _("B, first group")),
        Column("estimate_b", _("B, second group")),
        Column("difference", _("Difference")),
        interval_column(),
        Column("p_value", "p", "p"),
        Column("std_difference", _("Δβ")),
    ]
    caption = _("Structural paths compared between groups")
    note = _(
        "Δβ is the difference in standard deviations of predictor and outcome, pooled over groups."
    )
    return apa_table(
        frame, caption=caption, columns=columns, section="path", note=note, basis=basis_of(fit)
    )


def rivals_sentence(rivals: RivalTable) -> str:
    """Say which admissible rival has the smallest BIC, and which rivals cannot be told apart."""
    parts = []
    if rivals.best is None:
        parts.append(_("No rival can be preferred, as no admissible fit has a BIC."))
    else:
        parts.append(
            _("Among the admissible rivals, '{best}' has the smallest BIC.").format(
                best=rivals.best
            )
        )
    for a, b in rivals.equivalent:
        parts.append(
            _(
                "'{a}' and '{b}' are equivalent: no data can tell them apart, only theory and "
                "design can."
            ).format(a=a, b=b)
        )
    return " ".join(parts)


def difference_sentence(rivals: RivalTable) -> str | Unavailable:
    """Read the first nested difference aloud."""
    if rivals.differences.empty:
        return _no_nested()
    row = rivals.differences.iloc[0]
    return _(
        "Against '{free}', the restricted model '{restricted}' has Δχ²({df}) = {chisq}, p {p}."
    ).format(
        free=row["free"],
        restricted=row["restricted"],
        df=f"{row['delta_df']:.0f}",
        chisq=format_number(row["delta_chisq"]),
        p=signed_p(row["p_value"]),
    )


@passes_unavailable
def ladder_sentence(ladder: Invariance) -> str:
    """Say how far measurement invariance holds, and what may be compared."""
    if ladder.reached is None:
        why = [r.text() for r in ladder.steps.values() if isinstance(r, Unavailable)][:1]
        return " ".join(
            [
                _("No verdict on invariance is given, because a fit is missing or not admissible."),
                *why,
            ]
        )
    what = {
        "configural": _("neither paths nor means should be compared"),
        "metric": _("paths may be compared, latent means should not"),
        "scalar": _("paths and latent means may be compared"),
        "strict": _("paths, latent means and observed scores may be compared"),
    }
    what["thresholds"] = what["configural"]
    what["thresholds_loadings"] = what["metric"]
    what["thresholds_loadings_intercepts"] = what["scalar"]
    return _("Invariance holds up to the step: {step}; {what}.").format(
        step=step_label(ladder.reached), what=what[ladder.reached]
    )


@passes_unavailable
def group_path_sentence(paths: GroupPaths) -> str:
    """Say how many paths differ between groups, and read the largest difference aloud."""
    fit, differences = paths.free, paths.differences
    if not fit.trustworthy:
        return state_sentence(fit)
    clear = differences[(differences["ci_low"] > 0) | (differences["ci_high"] < 0)]
    row = differences.loc[differences["difference"].abs().idxmax()]
    return _(
        "Comparisons whose interval holds no zero: {clear} of {total}. The largest "
        "difference: {predictor} → {outcome}, {a} {value_a}, {b} {value_b}, difference "
        "{difference}, {percent}% CI {ci}."
    ).format(
        clear=len(clear),
        total=len(differences),
        predictor=fit.label(row["predictor"]),
        outcome=fit.label(row["outcome"]),
        a=row["group_a"],
        b=row["group_b"],
        value_a=format_number(row["estimate_a"]),
        value_b=format_number(row["estimate_b"]),
        difference=format_number(row["difference"]),
        percent=f"{100 * LEVEL:g}",
        ci=format_interval(row["ci_low"], row["ci_high"]),
    )


@passes_unavailable
def equal_paths_sentence(paths: GroupPaths) -> str:
    """Read the test that all paths are equal over groups aloud."""
    if isinstance(paths.equal, Unavailable):
        return paths.equal.text()
    if not (paths.free.trustworthy and paths.equal.trustworthy):
        return state_sentence(paths.free if not paths.free.trustworthy else paths.equal)
    if isinstance(paths.p_value, Unavailable):
        return paths.p_value.text()
    return _("Holding all structural paths equal over groups: Δχ²({df}) = {chisq}, p {p}.").format(
        df=f"{paths.delta_df:.0f}",
        chisq=format_number(paths.delta_chisq),
        p=signed_p(paths.p_value),
    )


def group_checks(
    ladder: Invariance | Unavailable, paths: GroupPaths | Unavailable
) -> list[CheckResult | Unavailable]:
    """Return whether the fits behind a comparison of groups can be trusted."""
    checks: list[CheckResult | Unavailable] = []
    if isinstance(ladder, Unavailable):
        checks.append(ladder)
    else:
        for step, result in ladder.steps.items():
            checks.append(_step_check(step, result))
    if isinstance(paths, Unavailable):
        checks.append(paths)
    else:
        name = _("Structural model in groups")
        checks.append(CheckResult(name, paths.free.trustworthy, text=state_sentence(paths.free)))
    return checks


def _step_check(step: str, result: SemResult | Unavailable) -> CheckResult | Unavailable:
    """Return whether one step of the ladder can be trusted."""
    if isinstance(result, Unavailable):
        return result
    sound = bool(result.converged and result.admissible)
    text = _("The estimation converged and the solution is admissible.")
    return CheckResult(
        step_label(step), sound, text=text if sound else problems_text(result.problems)
    )


def comparisons_table(comparisons: Mapping[str, RivalTable]) -> ApaTable:
    """Return the rivals of every comparison in one table, a section a question."""
    frame = pd.concat(
        [rivals.measures.assign(question=title) for title, rivals in comparisons.items()],
        ignore_index=True,
    )
    caption = _("Rival models for the same data")
    columns, note = _rival_columns(), _rival_note(comparisons.values())
    return apa_table(
        frame, caption=caption, columns=columns, section="question", note=note,
        basis=_rival_basis(comparisons.values()),
    )  # fmt: skip


def comparison_tests_table(comparisons: Mapping[str, RivalTable]) -> ApaTable | Unavailable:
    """Return the nested tests of every comparison."""
    frames = [
        rivals.differences.assign(question=title)
        for title, rivals in comparisons.items()
        if not rivals.differences.empty
    ]
    if not frames:
        return _no_nested()
    frame = pd.concat(frames, ignore_index=True)
    caption = _("Nested models: does the restriction cost fit?")
    return apa_table(frame, caption=caption, columns=_difference_columns(), section="question")


def comparisons_sentence(comparisons: Mapping[str, RivalTable]) -> str:
    """Say for every comparison which rival has the smallest BIC."""
    return " ".join(f"{title}: {rivals_sentence(rivals)}" for title, rivals in comparisons.items())


def equivalence_sentence(comparisons: Mapping[str, RivalTable]) -> str:
    """Name the models that these data cannot tell apart."""
    pairs = [pair for rivals in comparisons.values() for pair in rivals.equivalent]
    if not pairs:
        return _("No two of the rivals are equivalent.")
    return _("Equivalent, so that no data can tell them apart: {pairs}.").format(
        pairs=_("; ").join(f"'{a}' = '{b}'" for a, b in pairs)
    )


def comparison_checks(comparisons: Mapping[str, RivalTable]) -> list[CheckResult | Unavailable]:
    """Return, for every comparison, whether all its fits are admissible."""
    checks: list[CheckResult | Unavailable] = []
    for title, rivals in comparisons.items():
        unsound = [name for name, fit in rivals.fits.items() if not fit.trustworthy]
        text = _("All {count} fits converged and are admissible.").format(count=len(rivals.fits))
        if unsound:
            text = _("No verdict for: {models}.").format(models=_(", ").join(unsound))
        checks.append(CheckResult(title, not unsound, text=text))
        checks += list(rivals.unavailable)
    return checks


def _no_nested() -> Unavailable:
    """Say why there is no test of nested models."""
    return Unavailable(
        _("a test of nested models"),
        _("no two of the rivals are nested, or their number of respondents is not known"),
    )


def _rival_note(tables: Iterable[RivalTable]) -> str:
    """Say that a scaled chi-square is shown, where it is."""
    fits = [fit for rivals in tables for fit in rivals.fits.values()]
    if not any("chisq_scaled" in fit.fit_measures for fit in fits):
        return ""
    return _(
        "χ² is the scaled statistic of each model; differences of scaled statistics are no test, "
        "and a restricted model can show the smaller one. The tests of nested models stand apart."
    )


def _rival_basis(tables: Iterable[RivalTable]) -> Basis | None:
    """Return what rivals rest on, where all were fitted to as many people by one estimator."""
    found = {basis_of(fit, errors="") for rivals in tables for fit in rivals.fits.values()}
    return found.pop() if len(found) == 1 else None


def _rival_columns() -> list[Column]:
    """Return the columns of a table of rivals."""
    return [
        Column("model", _("Model"), "text"),
        Column("chisq", "χ²"),
        Column("df", "df", "integer"),
        Column("cfi", "CFI", "bounded", 3),
        Column("rmsea", "RMSEA", "bounded", 3),
        Column("srmr", "SRMR", "bounded", 3),
        Column("aic", "AIC", decimals=1),
        Column("bic", "BIC", decimals=1),
        Column("admissible", _("Admissible"), "truth"),
    ]


def _difference_columns() -> list[Column]:
    """Return the columns of a table of nested tests."""
    return [
        Column("restricted", _("Restricted model"), "text"),
        Column("free", _("Freer model"), "text"),
        Column("delta_chisq", "Δχ²"),
        Column("delta_df", "Δdf", "integer"),
        Column("p_value", "p", "p"),
    ]
