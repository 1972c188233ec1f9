"""What a specification curve chooses from: paths, versions of the models, and sets of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import CodebookError, Unavailable, listing
from helpers.i18n import _
from helpers.sem.partable import find_names
from helpers.sem.syntax import Syntax, parse
from helpers.survey.mark_definitions import exclusion_rules
from helpers.survey.scoring import mean_score
from helpers.survey.screening import exclude_marked
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.specification import Screening
    from helpers.survey.load import Study

DECLARED, NONE, WITHOUT = "declared", "none", "without:"
ALWAYS_OUT = ("preview", "no_consent")
"""A preview is no respondent, and answers without consent may not be used."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A key path: the hypothesis that names it and its expected sign."""

    hypothesis: str
    model: str
    outcome: str
    predictor: str
    sign: str

    def named(self) -> dict[str, object]:
        """Return the columns that identify the path."""
        return {
            "hypothesis": self.hypothesis,
            "outcome": self.outcome,
            "predictor": self.predictor,
            "sign": self.sign,
        }


@dataclass(frozen=True, slots=True)
class Version:
    """One form of a model: with or without controls, latent or among mean scores.

    Attributes
    ----------
    model, controls, scale : str
        Name in the study file; ``"without"`` or ``"with"``; ``"latent"`` or ``"scores"``.
    syntax : str
    composites : dict
        Latent variable -> indicators whose mean stands for it; empty for ``"latent"``.
    observed : tuple of str
        Columns of the rows that are taken as they are.
    ordered : tuple of str
        Rating items that can be taken as ordered categories; empty for ``"scores"``.
    covariates : tuple of str
        Observed variables that are explained by nothing.
    effects : tuple of Effect
    blanks : bool
        Whether a value is missing in any row.
    """

    model: str
    controls: str
    scale: str
    syntax: str
    composites: Mapping[str, tuple[str, ...]]
    observed: tuple[str, ...]
    ordered: tuple[str, ...]
    covariates: tuple[str, ...]
    effects: tuple[Effect, ...]
    blanks: bool = True

    def columns(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the variables of the model; rows without any value are left out."""
        out = rows[list(self.observed)].copy()
        share = THRESHOLDS["answered_share"].value
        for latent, parts in self.composites.items():  # facets stand before what they make up
            source = pd.concat([rows, out], axis=1) if set(parts) & set(out) else rows
            out[latent] = mean_score(source[list(parts)], min_share=share)
        return out.dropna(how="all").reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Material:
    """All that the specifications share.

    Attributes
    ----------
    rows : DataFrame
        Coded answers of all received rows but previews, the variables of all versions.
    kept : dict
        Exclusion -> bool per row; ``"declared"``, ``"none"``, ``"without:RULE"``.
    same_rows : dict
        Exclusion that is not in ``kept`` -> the one there that keeps the same rows.
    versions : tuple of Version
    omitted : tuple of Unavailable
    level : float
    """

    rows: pd.DataFrame
    kept: Mapping[str, np.ndarray]
    same_rows: Mapping[str, str]
    versions: tuple[Version, ...]
    omitted: tuple[Unavailable, ...]
    level: float = LEVEL

    def version(self, model: str, scale: str) -> Version:
        """Return one version."""
        return next(v for v in self.versions if (v.model, v.scale) == (model, scale))


def direct_effects(study: Study) -> list[Effect]:
    """Return the paths that the direct hypotheses name."""
    found = []
    for hypothesis in study.spec.hypotheses:
        if hypothesis.kind != "direct" or hypothesis.model is None:
            continue
        for text in hypothesis.effects:
            outcome, tilde, predictor = (part.strip() for part in text.partition("~"))
            if tilde:
                found.append(
                    Effect(hypothesis.id, hypothesis.model, outcome, predictor, hypothesis.sign)
                )
    return found


def make_material(study: Study, effects: Sequence[Effect], scales: Sequence[str]) -> Material:
    """Prepare rows, exclusions and versions of the models."""
    omitted: list[Unavailable] = []
    versions = [
        version
        for base in dict.fromkeys(e.model for e in effects)
        for version in _versions(study, base, effects, scales, omitted)
    ]
    indicators = {p for v in versions for parts in v.composites.values() for p in parts}
    made = {latent for v in versions for latent in v.composites}
    needed = {name for v in versions for name in v.observed} | (indicators - made)
    every = study.responses_all
    absent = sorted(needed - set(every.columns))
    if absent:
        raise CodebookError(
            f"specification_curve: study= '{study.id}' has models that name {listing(absent)}; "
            "columns of the data are needed. Correct the models in study.yml."
        )
    rows = every[[c for c in every.columns if c in needed]].astype(float)
    kept, same_rows = _exclusions(study)
    versions = [replace(v, blanks=bool(v.columns(rows).isna().to_numpy().any())) for v in versions]
    if not any(v.blanks for v in versions):
        why = _("no answer is missing")
        omitted.append(Unavailable(_("full information in place of complete rows"), why))
    return Material(rows, kept, same_rows, tuple(versions), tuple(omitted))


def _versions(
    study: Study,
    base: str,
    effects: Sequence[Effect],
    scales: Sequence[str],
    omitted: list[Unavailable],
) -> list[Version]:
    """Return the versions of one model: with and without controls, latent and scores."""
    own = tuple(e for e in effects if e.model == base)
    syntax = parse(study.spec.models[base].syntax)
    _check_effects(own, syntax)
    controlled = control_models(study, base)
    if not controlled:
        why = _("the study file has no model that adds them to '{model}'").format(model=base)
        omitted.append(Unavailable(_("a version with controls"), why))
    out = []
    for name, controls in [(base, "without"), *((m, "with") for m in controlled)]:
        text = study.spec.models[name].syntax
        for scale in scales:
            if scale == "latent":
                out.append(_latent_version(study, name, controls, text, own))
            elif any(t.op == "=~" for t in parse(text).terms):
                out.append(_score_version(name, controls, text, own))
    return out


def _check_effects(effects: Sequence[Effect], syntax: Syntax) -> None:
    """Raise for a key path that its model does not have."""
    paths = {(t.lhs, t.rhs) for t in syntax.terms if t.op == "~"}
    for effect in effects:
        if (effect.outcome, effect.predictor) not in paths:
            known = listing(f"{a} ~ {b}" for a, b in sorted(paths))
            raise CodebookError(
                f"specification_curve: hypothesis {effect.hypothesis} names the path "
                f"'{effect.outcome} ~ {effect.predictor}', which model '{effect.model}' does not "
                f"have; it has {known}. Correct study.yml."
            )


def control_models(study: Study, base: str) -> list[str]:
    """Return the models that hold all of a model's relations and add controls of the study only."""
    own = _relations(study.spec.models[base].syntax)
    found = []
    for name, model in study.spec.models.items():
        added = _relations(model.syntax) - own
        if name == base or not added or own - _relations(model.syntax):
            continue
        if all(op == "~" and rhs in study.spec.controls for _lhs, op, rhs in added):
            found.append(name)
    return found


def _relations(text: str) -> set[tuple[str, str, str]]:
    """Return the relations of a model without labels."""
    return {(t.lhs, t.op, t.rhs) for t in parse(text).terms}


def _latent_version(
    study: Study, name: str, controls: str, text: str, effects: tuple[Effect, ...]
) -> Version:
    """Return a model as the study file states it, with its rating items named."""
    names = find_names(parse(text))
    explained = [v for v in names.observed if v not in names.covariate]
    ratings = tuple(v for v in explained if study.scale_of(v).kind == "likert")
    return Version(
        name, controls, "latent", text, {}, names.observed, ratings, names.covariate, effects
    )


def _score_version(name: str, controls: str, text: str, effects: tuple[Effect, ...]) -> Version:
    """Return the paths of a model among mean scores in place of its latent variables."""
    syntax, composites = score_model(text)
    names = find_names(parse(syntax))
    observed = tuple(v for v in names.observed if v not in composites)
    return Version(
        name, controls, "scores", syntax, composites, observed, (), names.covariate, effects
    )


def score_model(text: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Rewrite a model with latent variables as a path model of their scores.

    Returns
    -------
    str
        Regressions and covariances that touch no indicator, without labels, fixed values and
        ``:=`` rows: these belong to the metric of the latent variables.
    dict
        Latent variable -> its indicators, facets before the constructs that they make up.

    Examples
    --------
    >>> score_model("A =~ a1 + a2" + chr(10) + "B =~ b1 + b2" + chr(10) + "B ~ k*A")
    ('B ~ A', {'A': ('a1', 'a2'), 'B': ('b1', 'b2')})
    """
    terms = parse(text).terms
    parts: dict[str, tuple[str, ...]] = {}
    for t in terms:
        if t.op == "=~":
            parts[t.lhs] = (*parts.get(t.lhs, ()), t.rhs)
    indicators = {p for own in parts.values() for p in own}
    lines = [
        f"{t.lhs} {t.op} {t.rhs}"
        for t in terms
        if t.op in ("~", "~~") and not {t.lhs, t.rhs} & indicators
    ]
    used = {name for t in terms if t.op in ("~", "~~") for name in (t.lhs, t.rhs)}
    ordered = sorted(parts, key=lambda latent: any(p in parts for p in parts[latent]))
    kept = {p for latent in parts if latent in used for p in parts[latent]} | used
    return "\n".join(lines), {latent: parts[latent] for latent in ordered if latent in kept}


def _exclusions(study: Study) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return which of ``responses_all`` each set of rules keeps; equal sets are given once."""
    real = ~study.marks.table["preview"].to_numpy()
    agreed = ~study.marks.table["no_consent"].to_numpy()
    kept = {DECLARED: study.cleaned.kept.to_numpy()[real] & agreed[real]}
    same_rows = {}
    for name, rules in _rule_sets(study.spec.screening).items():
        mask = exclude_marked(study.marks, rules).kept.to_numpy()[real] & agreed[real]
        same = next((k for k, other in kept.items() if np.array_equal(mask, other)), None)
        if same is None:
            kept[name] = mask
        else:
            same_rows[name] = same
    return kept, same_rows


def _rule_sets(screening: Screening) -> dict[str, Screening]:
    """Return the screening without any rule, and without each of its rules."""
    single = [m for m in screening.exclude if m not in ALWAYS_OUT]
    joint = screening.exclude_jointly
    always = [m for m in screening.exclude if m in ALWAYS_OUT]
    sets = {NONE: {"exclude": always, "exclude_jointly": [], "exclude_at_least": None}}
    for rule in single:
        left = [m for m in screening.exclude if m != rule]
        sets[WITHOUT + rule] = {"exclude": left}
    for rule in joint:
        sets[WITHOUT + " + ".join(rule)] = {"exclude_jointly": [j for j in joint if j != rule]}
    if screening.exclude_at_least is not None:
        sets[WITHOUT + exclusion_rules(screening)[-1].name] = {"exclude_at_least": None}
    return {name: screening.model_copy(update=change) for name, change in sets.items()}
