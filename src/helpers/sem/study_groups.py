"""A study's groups compared: invariance of its measures, latent means, structural paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from helpers.errors import SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.sem.compare import compare
from helpers.sem.dmacs import item_bias
from helpers.sem.groups import (
    Invariance,
    fit_step,
    group_sizes,
    invariance,
    path_differences,
)
from helpers.sem.joined_categories import join_categories
from helpers.sem.ladder_steps import SCALAR
from helpers.sem.latent_means import latent_means
from helpers.sem.partial_invariance import PartialLadder, partial_ladder
from helpers.sem.permutation import PermutationTest, permutation_ladder
from helpers.sem.study_fit import (
    ModelFit,
    fit_model,
    in_words,
    model_data,
    variable_labels,
    without_labels,
)

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class GroupPaths:
    """Structural paths of a model in each group.

    Attributes
    ----------
    free : ModelFit
        Loadings equal over groups, paths free.
    equal : ModelFit or Unavailable
        Paths held equal too.
    delta_chisq, delta_df, p_value : float
        Test of equal paths, all at once; NaN if it cannot be given.
    differences : DataFrame
        As from ``path_differences``.
    """

    free: ModelFit
    equal: ModelFit | Unavailable
    delta_chisq: float
    delta_df: float
    p_value: float
    differences: pd.DataFrame


@dataclass(frozen=True, slots=True)
class LatentMeans:
    """Latent means of a study's groups.

    Attributes
    ----------
    table : DataFrame
        As from ``helpers.sem.latent_means``, with ``name``, what a reader calls the construct.
    released : tuple of str
        Parameters free over groups in the fit behind it.
    trustworthy : bool
    """

    table: pd.DataFrame
    released: tuple[str, ...]
    trustworthy: bool


def study_invariance(
    study: Study,
    model: str,
    group: str,
    *,
    estimator: str = "ML",
    missing: str = "listwise",
    ordered: bool = False,
) -> Invariance | Unavailable:
    """Fit the ladder of invariance for a model and a grouping of the study file.

    With ``ordered``, categories that some group leaves empty among the complete rows are joined
    with their neighbours, see ``join_categories``.
    """
    data = _grouped_data(study, model, group)
    if isinstance(data, Unavailable):
        return data
    options = {"estimator": estimator, "missing": missing, "ordered": ordered}
    try:
        if ordered:
            items = [c for c in data.columns if c != group]
            data = join_categories(data.dropna(), items, group)[0]
        return in_words(invariance(_syntax(study, model), data, group, **options), study, group)
    except SuiteError as error:
        return _failed(error)


def study_partial(
    study: Study,
    model: str,
    group: str,
    *,
    estimator: str = "ML",
    missing: str = "listwise",
    max_share: float | None = None,
) -> PartialLadder | Unavailable:
    """Go up the ladder to the scalar step, releasing what does not hold."""
    data = _grouped_data(study, model, group)
    if isinstance(data, Unavailable):
        return data
    options = {"estimator": estimator, "missing": missing, "max_share": max_share}
    try:
        found = partial_ladder(_syntax(study, model), data, group, **options)
        return in_words(found, study, group)
    except SuiteError as error:
        return _failed(error)


def study_permutation(
    study: Study, model: str, group: str, *, n_perm: int = 500, seed: int
) -> dict[str, PermutationTest] | Unavailable:
    """Test configural, metric and scalar invariance by permutation, on complete rows by ML.

    Returns step -> test; configural by its own fit, the others by the change.
    """
    data = _grouped_data(study, model, group)
    if isinstance(data, Unavailable):
        return data
    try:
        sizes = group_sizes(data, group)
    except SuiteError as error:
        return _failed(error)
    syntax, steps = _syntax(study, model), ("configural", "metric", "scalar")
    fits = [
        fit_step(s, syntax, data, group, ordered=False, n_groups=len(sizes), std_lv=True)
        for s in steps
    ]
    lost = next((r for r in fits if isinstance(r, Unavailable)), None)
    if lost is not None:
        return lost
    try:
        tests = permutation_ladder(dict(zip(steps, fits)), n_perm=n_perm, seed=seed)
        return in_words(tests, study, group)
    except SuiteError as error:
        return Unavailable(_("the permutation test"), str(error).rstrip("."))


def study_item_bias(study: Study, model: str, group: str) -> pd.DataFrame | Unavailable:
    """Compute dMACS of every item, on complete rows by ML, all other items as anchors."""
    data = _grouped_data(study, model, group)
    if isinstance(data, Unavailable):
        return data
    try:
        sizes = group_sizes(data, group)
        scalar = fit_step(
            "scalar", _syntax(study, model), data, group,
            ordered=False, n_groups=len(sizes), std_lv=True,
        )  # fmt: skip
        found = scalar if isinstance(scalar, Unavailable) else item_bias(scalar)
        return in_words(found, study, group)
    except SuiteError as error:
        return _failed(error)


@passes_unavailable
def study_latent_means(study: Study, partial: PartialLadder) -> LatentMeans | Unavailable:
    """Compare latent means if the ladder reached the scalar step, in full or in part."""
    final = partial.final
    if final is None or partial.reached not in SCALAR:
        why = _("intercepts cannot be taken as equal, not even in part")
        return Unavailable(_("a comparison of latent means"), why)
    table = latent_means(final)
    if isinstance(table, Unavailable):
        return table
    labels = variable_labels(study, final.syntax)
    table = table.assign(name=[labels.get(c, c) for c in table["construct"]])
    return LatentMeans(table, partial.released, bool(final.converged and final.admissible))


def _grouped_data(study: Study, model: str, group: str) -> pd.DataFrame | Unavailable:
    """Return the items and the grouping, or what the study lacks."""
    lacking = study.offers("rows", f"group:{group}", f"model:{model}")
    return model_data(study, model, group) if lacking is None else lacking


def _syntax(study: Study, model: str) -> str:
    """Return the text of a named model without its labels."""
    return without_labels(study.model(model).syntax)


def _failed(error: SuiteError) -> Unavailable:
    """Turn an error into a value with its reason."""
    return Unavailable(_("the comparison of groups"), str(error).rstrip("."))


def study_group_paths(
    study: Study, model: str, group: str, *, estimator: str = "ML", missing: str = "listwise"
) -> GroupPaths | Unavailable:
    """Fit a structural model in groups, paths free and paths equal, and compare the paths."""
    data = _grouped_data(study, model, group)
    if isinstance(data, Unavailable):
        return data
    try:
        group_sizes(data, group)
    except SuiteError as error:
        return _failed(error)
    call = {"estimator": estimator, "missing": missing, "group": group}
    free = fit_model(study, model, group_equal=("loadings",), **call)
    equal = fit_model(study, model, group_equal=("loadings", "regressions"), **call)
    return _joined(free, equal)


@passes_unavailable
def _joined(free: ModelFit, equal: ModelFit) -> GroupPaths:
    """Put both fits and their test together."""
    test = compare(equal.result, free.result)
    return GroupPaths(
        free, equal, test.delta_chisq, test.delta_df, test.p_value, path_differences(free.result)
    )


def group_title(study: Study, group: str) -> str:
    """Return the title of a grouping in the current language, or its name."""
    grouping = study.spec.groups.get(group)
    return pick(grouping.title.model_dump()) if grouping else group
