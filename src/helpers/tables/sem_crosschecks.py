"""What the fit measures mean, and how far programs and estimators agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.sem.agreement import agreement
from helpers.sem.study_fit import ModelFit, fit_model
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import format_number
from helpers.tables.sem_tables import measure

if TYPE_CHECKING:
    from helpers.survey.load import Study

ESTIMATORS = ("ML", "MLM", "MLR", "GLS")


def moments(fit: ModelFit) -> tuple[np.ndarray, np.ndarray]:
    """Return the sample and the implied covariance matrix, in the same order of variables."""
    implied = next(iter(fit.result.implied.values()))["cov"]
    raw = next(iter(fit.result.residuals.values()))["raw"]
    return (implied + raw).to_numpy(), implied.to_numpy()


@passes_unavailable
def chisq_sentence(fit: ModelFit) -> str:
    """Read the chi-square aloud."""
    return _(
        "With N = {n}, χ² = {chisq} on {df} degrees of freedom; {ratio} per degree of freedom."
    ).format(
        n=fit.result.n_obs,
        chisq=format_number(measure(fit, "chisq")),
        df=f"{measure(fit, 'df'):.0f}",
        ratio=format_number(measure(fit, "chisq") / measure(fit, "df")),
    )


@passes_unavailable
def rmsea_sentence(fit: ModelFit) -> str:
    """Read the RMSEA aloud."""
    return _("RMSEA = {value}: the misfit per degree of freedom, on the scale of a root.").format(
        value=format_number(measure(fit, "rmsea"), 3, bounded=True)
    )


@passes_unavailable
def cfi_sentence(fit: ModelFit) -> str:
    """Read the CFI aloud."""
    return _("CFI = {value}: this share of the independence model's misfit is gone.").format(
        value=format_number(measure(fit, "cfi"), 3, bounded=True)
    )


@passes_unavailable
def srmr_sentence(fit: ModelFit) -> str:
    """Read the SRMR aloud."""
    return _("SRMR = {value}: a typical correlation is missed by about this much.").format(
        value=format_number(measure(fit, "srmr"), 3, bounded=True)
    )


def _by_estimator(study: Study, model: str) -> pd.DataFrame:
    """Return one row an estimator: chi-square, df, CFI, RMSEA and the largest path with its SE."""
    rows = []
    for estimator in ESTIMATORS:
        fit = fit_model(study, model, estimator=estimator, missing="listwise")
        if isinstance(fit, Unavailable):
            continue
        paths = fit.rows("~")
        largest = paths.loc[paths["std_all"].abs().idxmax()]
        rows.append(
            {
                "estimator": estimator,
                "chisq": measure(fit, "chisq"),
                "df": measure(fit, "df"),
                "cfi": measure(fit, "cfi"),
                "rmsea": measure(fit, "rmsea"),
                "path": f"{fit.label(largest['rhs'])} → {fit.label(largest['lhs'])}",
                "estimate": largest["est"],
                "se": largest["se"],
            }
        )
    return pd.DataFrame(rows)


def estimators_table(study: Study, model: str) -> ApaTable:
    """Return the same model under several estimators, on the complete rows."""
    columns = [
        Column("estimator", _("Estimator"), "text"),
        Column("chisq", "χ²"),
        Column("df", "df", "integer"),
        Column("cfi", "CFI", "bounded", 3),
        Column("rmsea", "RMSEA", "bounded", 3),
        Column("path", _("Strongest path"), "text"),
        Column("estimate", "B", decimals=3),
        Column("se", "SE", decimals=3),
    ]
    note = _("Complete rows only; robust estimators show their scaled test and robust measures.")
    caption = _("One model under several estimators")
    return apa_table(_by_estimator(study, model), caption=caption, columns=columns, note=note)


def estimators_sentence(study: Study, model: str) -> str:
    """Say how much the test changes from ML to MLR."""
    table = _by_estimator(study, model).set_index("estimator")
    if not {"ML", "MLR"} <= set(table.index):
        return _("The estimators cannot be compared, because one of them gave no fit.")
    return _(
        "Non-normal answers change the chi-square from {ml} (ML) to {mlr} (MLR); the estimates "
        "are the same."
    ).format(
        ml=format_number(table.loc["ML", "chisq"]), mlr=format_number(table.loc["MLR", "chisq"])
    )


def rival_names(study: Study) -> list[str]:
    """Return the models that the study's comparisons name, each once."""
    return list(dict.fromkeys(m for c in study.spec.comparisons.values() for m in c.models))


def agreement_table(study: Study, models: Sequence[str] | None = None) -> ApaTable:
    """Return the largest differences from semopy for some models, or all, of a study."""
    rows = []
    for name in study.spec.models if models is None else models:
        fit = fit_model(study, name, estimator="ML", missing="listwise")
        found = fit if isinstance(fit, Unavailable) else agreement(fit.result)
        title = name if isinstance(fit, Unavailable) else fit.title
        rows.append({"model": title, **_agreement_row(found)})
    columns = [
        Column("model", _("Model"), "text"),
        Column("estimates", _("Estimates"), "text"),
        Column("chisq", "χ²", "text"),
        Column("df", "df", "text"),
        Column("remark", _("Remark"), "text"),
    ]
    caption = _("Largest differences between this engine and semopy, plain maximum likelihood")
    return apa_table(pd.DataFrame(rows), caption=caption, columns=columns)


def _agreement_row(found: object) -> dict[str, str]:
    """Return the differences as text, or the reason why there are none."""
    if isinstance(found, Unavailable):
        return {"estimates": "–", "chisq": "–", "df": "–", "remark": found.why}
    return {
        "estimates": f"{found.largest_estimate:.1e}",
        "chisq": f"{found.chisq_gap:.1e}",
        "df": f"{abs(found.df_ours - found.df_theirs):g}",
        "remark": "",
    }
