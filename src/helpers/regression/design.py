"""From variables of a study to columns of a regression; categories become 0/1 columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import (
    DataContractError,
    EstimationError,
    Unavailable,
    listing,
    nearest,
)
from helpers.i18n import _, pick

if TYPE_CHECKING:
    from helpers.survey.load import Study


Q = ParamSpec("Q")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Term:
    """One predictor: its columns, and how it reads.

    Attributes
    ----------
    name : str
        Construct or item.
    label : str
        In the language of the run.
    columns : DataFrame
        One column of a number, or one a category but the first that occurs (the reference).
    reference : str
        Label of the reference category; empty for a number.
    """

    name: str
    label: str
    columns: pd.DataFrame
    reference: str = ""


def study_term(study: Study, name: str) -> Term:
    """Return one variable of a study as regression columns.

    A construct gives its scale score; an item on a number or agreement scale its value; an item of
    categories one 0/1 column a category, named by the codebook's labels, the first category that
    occurs being the reference. Blanks stay blank in every column.

    Raises
    ------
    DataContractError
        The name is neither, or the item allows several answers.
    """
    if name in study.scores.columns and name != "respondent_id":
        label = study.construct_name(name)
        return Term(name, label, study.scores[[name]].astype(float).set_axis([label], axis=1))
    if name not in set(study.items["item"]):
        known = [*study.construct_codes, *study.items["item"]]
        raise DataContractError(
            f"study_term: name= is '{name}', neither a construct nor an item of '{study.id}'; "
            f"allowed are {listing(study.construct_codes)} and the items of items.csv."
            f"{nearest(name, known)} Correct regressions in study.yml."
        )
    kind = study.scale_of(name).kind
    if kind not in ("likert", "number", "category") or name not in study.responses.columns:
        raise DataContractError(
            f"study_term: name= is '{name}', an item of kind '{kind}'; a number, an agreement item "
            "or a single choice of the main questionnaire is needed. Leave it out of the "
            "regression."
        )
    label = variable_label(study, name)
    if kind in ("likert", "number"):
        values = pd.to_numeric(study.responses[name]).astype(float)
        return Term(name, label, values.to_frame(label))
    return dummy_term(study.labelled(name), name=name, label=label)


def dummy_term(values: pd.Series, *, name: str, label: str) -> Term:
    """Return a categorical variable as 0/1 columns, first occurring category as the reference."""
    categories = pd.Categorical(values).remove_unused_categories()
    if len(categories.categories) < 2:
        raise DataContractError(
            f"dummy_term: values= of '{name}' have {len(categories.categories)} category; at least "
            "2 are needed. Leave the variable out."
        )
    reference, *others = categories.categories
    blank = np.asarray(pd.isna(values))
    columns = {
        f"{label}: {other}": np.where(blank, np.nan, np.asarray(values == other, dtype=float))
        for other in others
    }
    return Term(name, label, pd.DataFrame(columns, index=values.index), str(reference))


def attempt(
    what: str, function: Callable[Q, R], *args: Q.args, **options: Q.kwargs
) -> R | Unavailable:
    """Call a statistic of a study; what these respondents do not allow becomes ``Unavailable``.

    For statistics only: names that the user wrote are checked before, and stay errors.
    """
    try:
        return function(*args, **options)
    except (DataContractError, EstimationError) as error:
        why = _("these respondents do not allow it ({detail})")
        return Unavailable(what, why.format(detail=str(error).rstrip(".")))


def terms_in_use(
    outcome: pd.Series, steps: Sequence[Sequence[Term]]
) -> tuple[list[list[Term]], NDArray[np.bool_], list[str]]:
    """Return the terms that can be estimated on the complete rows, these rows, and what falls away.

    Listwise deletion may leave a category without anybody, or a category alone. Columns of such
    categories fall away; where nobody of the reference is left, the next category takes its place.
    What falls away is named, never dropped in silence. Terms of numbers are handed through: one
    that never varies is for ``fit_least_squares`` to refuse.
    """
    parts = [outcome, *(term.columns for step in steps for term in step)]
    rows = pd.concat(parts, axis=1).notna().all(axis=1).to_numpy()
    kept, gone = [], []
    for step in steps:
        terms = [_term_in_use(term, rows) for term in step]
        for before, after in zip(step, terms, strict=True):
            lost = set(before.columns) - set(after.columns) - {after.reference}
            gone += [before.label] if after.columns.empty else sorted(
                name for name in lost if name != f"{after.label}: {after.reference}"
            )  # fmt: skip
            if before.reference != after.reference and not after.columns.empty:
                gone.append(f"{before.label}: {before.reference}")
        terms = [term for term in terms if not term.columns.empty]
        if terms:
            kept.append(terms)
    return kept, rows, gone


def _term_in_use(term: Term, rows: NDArray[np.bool_]) -> Term:
    """Return a term without the categories that nobody among some rows has."""
    if not term.reference:
        return term
    own = term.columns[rows]
    used = [name for name in own.columns if own[name].max() > 0]
    reference = term.reference
    if used and own[used].sum(axis=1).min() > 0:
        reference = used.pop(0).removeprefix(f"{term.label}: ")
    return Term(term.name, term.label, term.columns[used], reference)


def variable_label(study: Study, name: str) -> str:
    """Return a construct's name, a grouping's title, or the item's label with its unit."""
    if name in study.construct_codes:
        return study.construct_name(name)
    for grouping in study.spec.groups.values():
        if grouping.item == name:
            return pick(grouping.title.model_dump())
    label, unit = study.item_label(name), study.scale_of(name).unit
    return label if unit is None else f"{label} ({pick(unit.model_dump())})"
