"""The points that JARS-Quant asks of studies with structural equation models, filled from the run.

After Appelbaum et al. (2018), doi:10.1037/amp0000191, table 7; the wording is the suite's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.errors import DataContractError, Unavailable
from helpers.i18n import _
from helpers.sem.effects import Effects
from helpers.sem.result import error_kinds
from helpers.sem.rivals import RivalTable
from helpers.sem.study_fit import ModelFit
from helpers.survey.normality import mardia_test
from helpers.tables.apa import ApaTable
from helpers.tables.numbers import format_percent
from helpers.tables.reporting import Point, checklist, stated
from helpers.tables.sem_sentences import (
    fit_sentence,
    fit_verdict,
    problems_text,
    residual_sentence,
)

if TYPE_CHECKING:
    from helpers.survey.load import Study


def jars_points(
    study: Study,
    structural: ModelFit | Unavailable,
    *,
    measured: ModelFit | Unavailable,
    effects: Effects | Unavailable,
    compared: dict[str, RivalTable] | Unavailable,
) -> list[Point]:
    """Return the points in the order of a paper.

    Parameters
    ----------
    study : Study
    structural, measured : ModelFit or Unavailable
        The structural and the measurement model, fitted.
    effects : Effects or Unavailable
        Indirect and total effects of the structural model.
    compared : dict or Unavailable
        Rival models, as ``tables.study_report.rivals`` returns them.
    """
    points = [*_introduction(study), *_method(study)]
    if isinstance(structural, Unavailable):
        why = structural.text()
        return [*points, Point(_("Results"), _("a fitted model"), "gap", why)]
    return [
        *points,
        *_preparation(study, structural),
        *_specification(structural, measured),
        *_estimation(structural),
        *_fit(structural, compared),
        *_estimates(study, structural, effects),
        *_discussion(compared),
    ]


def jars_table(points: list[Point]) -> ApaTable:
    """Return the points as a table, open ones first."""
    return checklist(
        points,
        caption=_("What journals ask of structural equation models (JARS-Quant), and the answers"),
        note=_("After the reporting standards of the APA, Appelbaum et al. (2018)."),
    )


def _introduction(study: Study) -> list[Point]:
    """Return what the introduction must say."""
    part = _("Introduction")
    n = len(study.spec.hypotheses)
    directions = Point(
        part,
        _("hypotheses with their expected signs"),
        "answered" if n else "gap",
        _("hypotheses in the study file: {n}").format(n=n),
        "00",
    )
    return [directions, stated(study, part, _("why the arrows point as they do"), "rationale")]


def _method(study: Study) -> list[Point]:
    """Return what the method section must say."""
    part = _("Method")
    asked = _("who was asked, sampling frame and recall window")
    population = study.spec.population
    people = (
        Point(part, asked, "answered", _("stated in the study file"), "95")
        if population is not None
        else Point(part, asked, "gap", _("not stated; add the key population to study.yml"))
    )
    kind = _("whether the data are observed or simulated")
    words = {
        "simulated": _("SIMULATED, marked on every table and figure"),
        "survey": _("observed"),
        "matrix": _("a published matrix"),
    }
    wordings = _("wording, source and reliability of every measure")
    return [
        people,
        Point(part, kind, "answered", words[study.spec.kind], "95"),
        Point(
            part,
            wordings,
            "answered" if study.has_rows else "partly",
            _("in the codebook and the tables")
            if study.has_rows
            else _("as far as the source prints them"),
            "21, 30",
        ),
        stated(study, part, _("how the sample size was decided"), "sample_size"),
        Point(
            part, _("power for the paths of interest"), "answered", _("by simulation"), "54"
        ),
        stated(study, part, _("ethical review and consent"), "ethics"),
        stated(study, part, _("funding"), "funding"),
        stated(study, part, _("competing interests"), "interests"),
    ]  # fmt: skip


def _preparation(study: Study, fit: ModelFit) -> list[Point]:
    """Return what must be said of the data before the model."""
    part = _("Data")
    missing, shape = _("missing answers: how many, why, and how handled"), _("distributions")
    if not study.has_rows:
        why = _("single answers were not published")
        return [
            Point(part, missing, "not_applicable", why),
            Point(part, shape, "not_applicable", why),
        ]
    items = [name for name in fit.result.observed if name in study.responses]
    share = float(study.responses[items].isna().to_numpy().mean())
    text = _("{share} of the answers to the model's items are missing; handled by: {way}").format(
        share=format_percent(share), way=_missing_way(fit.result.missing)
    )
    return [
        Point(part, missing, "answered", text, "12"),
        Point(part, shape, "answered", _normality(study, items), "22"),
        Point(
            part,
            _("exclusions, and the result without them"),
            "answered",
            _("{n} rows received, {kept} analysed").format(
                n=len(study.raw), kept=len(study.responses)
            ),
            "10, 11",
        ),
    ]


def _missing_way(missing: str) -> str:
    """Return the words for how a fit took blank answers."""
    if missing == "fiml":
        return _("full-information maximum likelihood")
    return _("complete rows only")


def _normality(study: Study, items: list[str]) -> str:
    """Return what Mardia's test says, or why it cannot be computed."""
    try:
        return mardia_test(study.responses, items=items).text()
    except DataContractError as error:
        return str(error)


def _specification(fit: ModelFit, measured: ModelFit | Unavailable) -> list[Point]:
    """Return what must be said of the model."""
    part, result = _("Specification"), fit.result
    k = len(result.observed)
    moments = result.n_groups * (k * (k + 1) // 2 + (k if result.meanstructure else 0))
    counted = _("{npar} free parameters, {moments} moments, df = {df}").format(
        npar=result.npar, moments=moments, df=result.test.df
    )
    two_step = not isinstance(measured, Unavailable) and measured.trustworthy
    return [
        Point(part, _("the whole model, with a diagram"), "answered", fit.title, "95"),
        Point(part, _("parameters, observations, degrees of freedom"), "answered", counted),
        Point(
            part,
            _("measurement model tested before the structural one"),
            "answered" if two_step else "gap",
            fit_sentence(measured) if two_step else _("no admissible measurement model"),
            "32",
        ),
        Point(
            part,
            _("how latent variables got their scale"),
            "answered",
            _("first loading fixed to 1, unless the model text says otherwise"),
            "50",
        ),
    ]


def _estimation(fit: ModelFit) -> list[Point]:
    """Return what must be said of the estimation."""
    part, result = _("Estimation"), fit.result
    program = _("{engine} {version}; {estimator}, standard errors: {se}; N = {n}").format(
        engine=result.engine, version=result.version, estimator=result.estimator,
        se=error_kinds().get(result.se_type, result.se_type),
        n=result.n_obs if fit.n_known else _("unknown"),
    )  # fmt: skip
    clean = _("converged and admissible")
    return [
        Point(part, _("program, version, estimator, matrix"), "answered", program, "50"),
        Point(
            part,
            _("convergence and admissibility"),
            "answered",
            clean if fit.trustworthy else problems_text(result.problems),
            "50",
        ),
        Point(
            part,
            _("agreement with another program"),
            "answered",
            _("every fit is compared with semopy, and with lavaan if R has it"),
            "91",
        ),
    ]


def _fit(fit: ModelFit, compared: dict[str, RivalTable] | Unavailable) -> list[Point]:
    """Return what must be said of the fit."""
    part = _("Fit")
    rivals = not isinstance(compared, Unavailable)
    return [
        Point(
            part,
            _("global fit, several measures"),
            "answered" if fit.n_known else "partly",
            fit_sentence(fit),
            "50",
        ),
        Point(
            part,
            _("cut-offs with their source"),
            "answered" if fit.n_known else "partly",
            fit_verdict(fit),
            "50, 91",
        ),
        Point(part, _("local fit: residuals"), "answered", residual_sentence(fit), "50"),
        Point(
            part,
            _("rival models, with the test between them"),
            "answered" if rivals else "gap",
            _("comparisons declared in the study file, not chosen after the fit: {n}").format(
                n=len(compared)
            )
            if rivals
            else compared.text(),
            "53",
        ),
        Point(
            part,
            _("changes made to the model after seeing its fit"),
            "answered",
            _("none in this run; models are fitted as the study file states them"),
            "53",
        ),
    ]


def _estimates(study: Study, fit: ModelFit, effects: Effects | Unavailable) -> list[Point]:
    """Return what must be said of the estimates."""
    part = _("Estimates")
    indirect = not isinstance(effects, Unavailable)
    errors = fit.n_known
    return [
        Point(
            part,
            _("every parameter, raw and standardised, with its error"),
            "answered" if errors else "partly",
            _("with 95% intervals")
            if errors
            else _("without errors: the source does not state the number of respondents"),
            "50, 95",
        ),
        Point(
            part,
            _("indirect effects with intervals"),
            "answered" if indirect else "not_applicable",
            _("Monte Carlo and bootstrap intervals") if indirect else effects.text(),
            "51",
        ),
        Point(
            part,
            _("invariance before groups are compared"),
            "answered" if study.spec.groups else "not_applicable",
            _("groupings declared in the study file: {n}").format(n=len(study.spec.groups)),
            "60, 61, 62",
        ),
        Point(
            part,
            _("correlations, means and standard deviations"),
            "answered",
            _("printed for all constructs of the model"),
            "95",
        ),
    ]


def _discussion(compared: dict[str, RivalTable] | Unavailable) -> list[Point]:
    """Return what the discussion must say."""
    part = _("Discussion")
    return [
        Point(
            part,
            _("equivalent models"),
            "gap" if isinstance(compared, Unavailable) else "answered",
            _("no rival was declared")
            if isinstance(compared, Unavailable)
            else _("rivals that no data can tell apart are named"),
            "53",
        ),
        Point(
            part,
            _("how far the words may go about causes"),
            "answered",
            _("associations only; sensitivity to an unmeasured confounder is computed"),
            "90",
        ),
    ]
