"""A study's named model fitted to the study's own data: rows, or a published matrix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from helpers.errors import SuiteError, Unavailable, listing
from helpers.i18n import _, in_language, pick
from helpers.relabel import relabelled
from helpers.sem.fit import fit
from helpers.sem.partable import find_names
from helpers.sem.syntax import parse

if TYPE_CHECKING:
    from helpers.sem.result import SemResult
    from helpers.survey.load import Study

R = TypeVar("R")

PLACEHOLDER_N = 1000
"""Stands in for an unstated number of respondents; nothing that depends on it is shown."""

LABEL = re.compile(r"\b(?!NA\b)[^\W\d]\w*\s*\*\s*(?=[^\W\d])")
"""A label before a variable: ``b*x``, but not ``NA*x``, ``1*x`` or ``start(1)*x``."""

N_DEPENDENT = ("se", "z", "p_value", "ci_low", "ci_high")
N_FREE_MEASURES = ("npar", "df", "srmr", "gfi")


@dataclass(frozen=True, slots=True)
class ModelFit:
    """A fitted model together with what a reader calls its parts.

    Attributes
    ----------
    name, title, syntax : str
        The model's key in the study file, its title in the language of the run, its text.
    result : SemResult
        The fit.
    labels : dict
        Construct code or name of a defined effect -> words in the language of the run.
    n_known : bool
        False for a published matrix whose source does not say how many answered: estimates stand,
        everything that depends on N is withheld.
    """

    name: str
    title: str
    syntax: str
    result: SemResult
    labels: Mapping[str, str]
    data: Mapping[str, Any]
    """What ``fit`` was given: rows, or covariances with the number of respondents."""
    n_known: bool = True

    @property
    def trustworthy(self) -> bool:
        """Tell whether verdicts may be given: converged and admissible."""
        return bool(self.result.converged and self.result.admissible)

    @property
    def estimates(self) -> pd.DataFrame:
        """Return the estimates table, without what depends on an unknown N."""
        table = self.result.estimates.copy()
        if not self.n_known:
            table[list(N_DEPENDENT)] = np.nan
        return table

    @property
    def fit_measures(self) -> dict[str, float]:
        """Return the fit measures, without what depends on an unknown N."""
        measures = dict(self.result.fit_measures)
        if self.n_known:
            return measures
        return {k: v for k, v in measures.items() if k in N_FREE_MEASURES}

    @property
    def latents(self) -> list[str]:
        """Return the latent variables, in the order of the model text."""
        return list(dict.fromkeys(self.rows("=~")["lhs"]))

    def plain(self) -> SemResult | Unavailable:
        """Fit the same model by plain maximum likelihood to the complete rows, groups pooled.

        This is what other programs can be held against.
        """
        rows = self.data.get("data")
        given = {**self.data, "data": rows[list(self.result.observed)]} if rows is not None else {}
        try:
            return fit(self.syntax, **(given or self.data), estimator="ML", missing="listwise")
        except SuiteError as error:
            return Unavailable(_("a fit by plain maximum likelihood"), str(error))

    def label(self, name: str) -> str:
        """Return a construct's name, or the variable's own name."""
        return self.labels.get(name, name)

    def rows(self, op: str) -> pd.DataFrame:
        """Return the estimates of one operator."""
        table = self.estimates
        return table[table["op"] == op].reset_index(drop=True)


def fit_model(
    study: Study,
    model: str,
    *,
    estimator: str = "MLR",
    missing: str = "fiml",
    group: str | None = None,
    **options: Any,
) -> ModelFit | Unavailable:
    """Fit one of the study's named models to the study's data.

    Parameters
    ----------
    study : Study
        Rows are used as cleaned (``study.responses``); a matrix study gives its covariances.
    model : str
        Name in ``study.yml``.
    estimator, missing : str
        As in ``helpers.sem.fit``. A matrix has no rows, so plain ML is used for it.
    group : str, optional
        A grouping of the study file. Labels and ``:=`` rows of the model are left out then, because
        a label shared by groups would hold the parameter equal in all of them.
    **options
        Passed on to ``helpers.sem.fit``.

    Returns
    -------
    ModelFit or Unavailable
        ``Unavailable`` where the study lacks the model, the variables, or enough data.
    """
    specification = study.model(model)
    if isinstance(specification, Unavailable):
        return specification
    title = pick(specification.title.model_dump())
    syntax = specification.syntax if group is None else without_labels(specification.syntax)
    effects = {name: pick(words.model_dump()) for name, words in specification.names.items()}
    labels = variable_labels(study, syntax) | effects
    call = _matrix_call if study.spec.kind == "matrix" else _rows_call
    arguments = call(study, syntax, estimator, missing, group)
    if isinstance(arguments, Unavailable):
        return arguments
    n_known = arguments.pop("n_known")
    try:
        result = fit(syntax, **arguments, **options)
    except SuiteError as error:
        return Unavailable(_("the model '{name}'").format(name=title), str(error))
    result = in_words(result, study, group)
    data = {k: v for k, v in arguments.items() if k in ("data", "sample_cov", "n_obs")}
    return ModelFit(model, title, syntax, result, labels, data, n_known)


def variable_labels(study: Study, syntax: str) -> dict[str, str]:
    """Return what a reader calls the variables of a model.

    Constructs by their names; so too the only item of a construct, and a latent variable whose
    only indicator is a construct's score.
    """
    labels = {code: study.construct_name(code) for code in study.construct_codes}
    for code in study.construct_codes:
        items = study.items_of(code)
        if len(items) == 1:
            labels.setdefault(items[0], labels[code])
    terms = [t for t in parse(syntax).terms if t.op == "=~"]
    for latent in {t.lhs for t in terms}:
        own = [t.rhs for t in terms if t.lhs == latent]
        if len(own) == 1 and own[0] in labels:
            labels.setdefault(latent, labels[own[0]])
    return labels


def without_labels(syntax: str) -> str:
    """Return a model text without parameter labels, ``:=`` rows and ``==`` constraints."""
    kept = [line for line in syntax.splitlines() if ":=" not in line and "==" not in line]
    return LABEL.sub("", "\n".join(kept))


def _rows_call(
    study: Study, syntax: str, estimator: str, missing: str, group: str | None
) -> dict[str, Any] | Unavailable:
    """Return the arguments of ``fit`` for a study with respondents."""
    names = list(find_names(parse(syntax)).observed)
    data = study.responses
    absent = [n for n in names if n not in data.columns]
    if absent:
        why = _("the data hold no column {names}").format(names=listing(absent))
        return Unavailable(_("the model"), why)
    columns = data[names].astype(float)
    arguments: dict[str, Any] = {"estimator": estimator, "n_known": True}
    if missing == "fiml" and columns.isna().to_numpy().any():
        arguments["missing"] = "fiml"
    if group is not None:
        lacking = study.offers(f"group:{group}")
        if lacking is not None:
            return lacking
        columns = with_group(study, columns, group)
        arguments["group"] = group
    return arguments | {"data": columns}


def with_group(study: Study, columns: pd.DataFrame, group: str) -> pd.DataFrame:
    """Add the English labels of a grouping; respondents without one are left out.

    Results are the same in every language then; ``in_words`` puts the labels of the language in.
    """
    with in_language("en"):
        labels = study.groups[group].astype("object")
    return columns.assign(**{group: labels}).dropna(subset=[group])


def in_words(result: R, study: Study, group: str | None) -> R:
    """Return a result of groups with the labels that the groups have in the current language."""
    if group is None or group not in study.spec.groups:
        return result
    scale = study.scale_of(study.spec.groups[group].item)
    names = {label.en: pick(label.model_dump()) for label in scale.labels.values()}
    return relabelled(result, names)


def model_data(study: Study, model: str, group: str | None = None) -> pd.DataFrame | Unavailable:
    """Return the items of a named model for the cleaned respondents, with a grouping if named."""
    specification = study.model(model)
    if isinstance(specification, Unavailable):
        return specification
    arguments = _rows_call(study, specification.syntax, "ML", "listwise", group)
    return arguments if isinstance(arguments, Unavailable) else arguments["data"]


def _matrix_call(
    study: Study, syntax: str, estimator: str, missing: str, group: str | None
) -> dict[str, Any] | Unavailable:
    """Return the arguments of ``fit`` for a published matrix."""
    if group is not None:
        why = _("a published matrix has no groups of respondents")
        return Unavailable(_("the comparison of groups"), why)
    matrix = study.matrix
    known = not isinstance(matrix.n, Unavailable)
    names = list(find_names(parse(syntax)).observed)
    return {
        "sample_cov": matrix.cov.loc[names, names],
        "n_obs": matrix.n if known else PLACEHOLDER_N,
        "estimator": "ML",
        "n_known": known,
    }
