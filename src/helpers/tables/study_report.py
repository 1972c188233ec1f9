"""Sentences and tables of the study report that no other room makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.measurement.study_scales import estimate_study_reliability
from helpers.sem.groups import Invariance
from helpers.sem.rivals import RivalTable, compare_study_rivals
from helpers.sem.study_fit import ModelFit
from helpers.sem.study_groups import study_invariance
from helpers.specification import one_text
from helpers.tables.apa import ApaTable
from helpers.tables.describing import correlation_table, reliability_table
from helpers.tables.findings import findings_sentence
from helpers.tables.sem_comparisons import comparisons_table, equivalence_sentence
from helpers.tables.sem_sentences import explained_sentence, fit_sentence
from helpers.tables.survey_cleaning import flow_picture, rule_labels
from helpers.tables.survey_missing import core_items
from helpers.tables.survey_sample import items_described, items_table

if TYPE_CHECKING:
    from helpers.survey.load import Study


def abstract(study: Study, structural: ModelFit | Unavailable, found: pd.DataFrame) -> str:
    """Return the study in five sentences: sample, model, fit, findings."""
    parts = [_("{title}.").format(title=study.title), sample_sentence(study)]
    if isinstance(structural, Unavailable):
        parts.append(structural.text())
    else:
        title = _("Model: {title}.").format(title=structural.title)
        parts += [title, fit_sentence(structural), explained_sentence(structural)]
    parts.append(findings_sentence(found))
    return " ".join(parts)


def question(study: Study) -> str:
    """Return the question of the study: that of service recovery where justice is measured."""
    roles = {construct.role for construct in study.spec.constructs}
    if "justice" in roles:
        return _(
            "When something goes wrong with a purchase, the seller can make it worse or put it "
            "right. The study asks whether a better recovery goes with more satisfaction, and "
            "whether satisfaction goes on to what customers later think and do."
        )
    names = _(", ").join(study.construct_name(code) for code in study.construct_codes)
    return _("The study asks how these concepts go together: {names}.").format(names=names)


def population_sentence(study: Study) -> str:
    """Say who was asked, as far as the study file tells."""
    if study.spec.population is None:
        return _("The study file does not say who was asked or over which period.")
    return pick(study.spec.population.model_dump())


def sample_sentence(study: Study) -> str:
    """Say how many answered and how many are analysed."""
    if not study.has_rows:
        matrix = study.matrix
        if isinstance(matrix.n, Unavailable):
            return _("The analysis rests on a published matrix of {k} variables; {why}.").format(
                k=len(matrix.names), why=matrix.n.why
            )
        return _("The analysis rests on a published matrix of {k} variables, N = {n}.").format(
            k=len(matrix.names), n=matrix.n
        )
    received, kept = len(study.raw), len(study.responses)
    if received == kept:
        return _(
            "All {n} respondents are analysed; no rule of the study file excludes one."
        ).format(n=kept)
    return _("Of {received} rows received, {kept} are analysed.").format(
        received=received, kept=kept
    )


def flow(study: Study) -> pd.DataFrame | Unavailable:
    """Return the flow of exclusions with readable rules, or why there is none."""
    lacking = study.offers("rows")
    if lacking is not None:
        return lacking
    drawn = flow_picture(study.cleaned)
    if isinstance(drawn, Unavailable):
        return drawn
    return drawn.assign(rule=drawn["rule"].replace(rule_labels(study.cleaned)))


def reliability(study: Study) -> ApaTable:
    """Return the reliability of every scale."""
    return reliability_table(estimate_study_reliability(study).table())


def correlations(study: Study) -> ApaTable:
    """Return means, standard deviations and correlations of the constructs."""
    if not study.has_rows:
        matrix = study.matrix
        return correlation_table(
            matrix.corr,
            means=None if isinstance(matrix.means, Unavailable) else matrix.means,
            sds=matrix.sds,
            reliabilities=matrix.reliability,
            labels={n: study.construct_name(n) for n in matrix.names},
        )
    scores = study.scores.drop(columns="respondent_id")
    wanted = _model_constructs(study, list(scores.columns))
    scores = scores[wanted].astype(float)
    alphas = estimate_study_reliability(study).rows.set_index("construct")["alpha"]
    known = {k: v for k, v in alphas.items() if not isinstance(v, Unavailable)}
    return correlation_table(
        scores.corr(),
        means=scores.mean(),
        sds=scores.std(ddof=1),
        reliabilities=known,
        labels={c: study.construct_name(c) for c in wanted},
        n_used=int(scores.dropna().shape[0]),
    )


def _model_constructs(study: Study, available: list[str]) -> list[str]:
    """Return the constructs of the structural model, or all if it names none."""
    model = study.spec.models.get("structural")
    if model is None:
        return available
    named = [line.partition("=~")[0].strip() for line in model.syntax.splitlines() if "=~" in line]
    return [c for c in named if c in available] or available


def rivals(
    study: Study, *, estimator: str = "MLR", missing: str = "fiml"
) -> dict[str, RivalTable] | Unavailable:
    """Return the comparisons that the study file declares, or that it declares none."""
    lacking = study.offers("comparisons")
    if lacking is not None:
        return lacking
    return compare_study_rivals(study, estimator=estimator, missing=missing)


@passes_unavailable
def rivals_table(compared: dict[str, RivalTable]) -> ApaTable:
    """Return all comparisons as one table."""
    return comparisons_table(compared)


@passes_unavailable
def rivals_sentence(compared: dict[str, RivalTable]) -> str:
    """Say which rivals no data can tell apart."""
    return equivalence_sentence(compared)


def findings_forest(study: Study, found: pd.DataFrame) -> pd.DataFrame | Unavailable:
    """Return the path estimates of the hypotheses as ``plot_forest`` takes them."""
    with_paths = {h.id for h in study.spec.hypotheses if h.effects}
    paths = found.dropna(subset=["estimate", "ci_low"])
    paths = paths[paths["hypothesis"].isin(with_paths)]
    if paths.empty:
        return Unavailable(_("a picture of the findings"), _("no path has an interval"))
    labels = paths["hypothesis"] + "  " + paths["quantity"].str.split(" = ").str[0]
    return paths.assign(label=labels)[["label", "estimate", "ci_low", "ci_high"]]


def limits_sentence(study: Study) -> str:
    """State the limit that lies in the kind of study."""
    return {
        "simulated": _(
            "These respondents are SIMULATED. The results show that the methods find what was "
            "planted; they say nothing about real customers."
        ),
        "survey": _(
            "The respondents are those whom the source could reach; how far the results hold "
            "for others cannot be seen in the data."
        ),
        "matrix": _(
            "Only correlations, means and standard deviations were published; whatever needs "
            "single answers is left out and named where it is missing."
        ),
    }[study.spec.kind]


def provenance_sentence(study: Study) -> str:
    """Say where the data come from, under which licence, and how to cite them."""
    return _("{provenance} Licence: {licence}. Cite: {citation}").format(
        provenance=pick(study.spec.provenance.model_dump()),
        licence=one_text(study.spec.licence),
        citation=one_text(study.spec.citation),
    )


def items(study: Study) -> ApaTable | Unavailable:
    """Return moments of every item of the measurement model, or that there are no answers."""
    lacking = study.offers("rows")
    if lacking is not None:
        return lacking
    return items_table(study, items_described(study, "all", core_items(study)))


def ladder(
    study: Study, group: str = "", *, estimator: str = "MLR", missing: str = "fiml"
) -> Invariance | Unavailable:
    """Return the ladder of invariance of the measurement model.

    Parameters
    ----------
    study : Study
    group : str
        A grouping of the study file; empty takes its first.
    estimator, missing : str
        As for the models of the report.
    """
    chosen = group or next(iter(study.spec.groups), "")
    if not chosen:
        return Unavailable(_("measurement invariance"), _("the study file names no grouping"))
    lacking = study.offers("rows", f"group:{chosen}", "model:measurement")
    if lacking is not None:
        return lacking
    return study_invariance(study, "measurement", chosen, estimator=estimator, missing=missing)
