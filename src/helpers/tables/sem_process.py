"""Tables of conditional process models of mean scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.errors import passes_unavailable
from helpers.i18n import _
from helpers.regression.process import ProcessResult
from helpers.results import Basis
from helpers.sem.interaction_study import ModerationQuestion
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.sem_moderation import term_names

if TYPE_CHECKING:
    from helpers.survey.load import Study


@passes_unavailable
def process_table(question: ModerationQuestion, result: ProcessResult) -> ApaTable:
    """Return the regression of mean scores: coefficients with robust errors."""
    names = dict(zip((result.coefficients["term"].tolist()[1:4]), term_names(question)))
    frame = result.coefficients.assign(
        term=[names.get(t, _("constant")) for t in result.coefficients["term"]]
    )
    columns = [
        Column("term", _("Predictor"), "text"),
        Column("estimate", "B", decimals=3),
        Column("se", "SE", decimals=3),
        interval_column(level=result.level, decimals=3),
        Column("p_value", "p", "p"),
    ]
    note = _("OLS of mean scores, {errors} errors, predictor and moderator centred; n = {n}.")
    return apa_table(
        frame, columns=columns, note=note.format(errors=result.errors, n=result.n_used),
        basis=Basis(result.n_used, "OLS", result.errors),
        caption=_("The same moderation among observed mean scores"),
    )  # fmt: skip


@passes_unavailable
def process_effects_table(study: Study, result: ProcessResult) -> ApaTable:
    """Return direct, indirect and conditional effects with both kinds of interval."""
    kinds = {
        "direct": _("direct"), "indirect": _("indirect"), "total_indirect": _("all indirect"),
        "total": _("total"), "index": _("index of moderated mediation"),
        "contrast": _("difference"),
    }  # fmt: skip
    frame = result.effects.copy()
    frame["way"] = [" → ".join(study.construct_name(v) for v in way) for way in frame["way"]]
    frame["kind"] = [kinds[k] for k in frame["kind"]]
    columns = [
        Column("way", _("Effect"), "text"),
        Column("kind", _("Kind"), "text"),
        Column("at", _("Moderator"), "text"),
        Column("estimate", _("Estimate"), decimals=3),
        interval_column("boot_low", "boot_high", label=_("Bootstrap interval"), decimals=3),
        interval_column("mc_low", "mc_high", label=_("Monte Carlo interval"), decimals=3),
    ]
    note = _(
        "Least squares of mean scores; {n_boot} bootstrap samples, percentile; {n_draws} Monte "
        "Carlo draws with {errors} errors; seed {seed}; n = {n}."
    ).format(
        n_boot=result.n_boot, n_draws=result.n_draws, errors=result.errors, seed=result.seed,
        n=result.n_used,
    )  # fmt: skip
    caption = _("Conditional process model {model} of mean scores").format(model=result.model)
    basis = Basis(result.n_used, "OLS", f"bootstrap, {result.n_boot} replicates")
    return apa_table(frame, caption=caption, columns=columns, note=note, basis=basis)
