"""The population behind simulated data and planned studies: implied moments of every group.

A population is either a model text whose values are all known, or a fitted result whose estimates
are taken as the truth. Text follows ``lavaan::simulateData``: what the text leaves open is 1 for
loadings and variances and 0 for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from helpers.errors import ModelSpecError, listing, nearest
from helpers.memo import remembered
from helpers.sem.fit import model_text
from helpers.sem.model import GroupModel, State, compile_table
from helpers.sem.partable import Options, Row, Table, build_table, find_names
from helpers.sem.result import SemResult
from helpers.sem.standardize import defined_values, row_values
from helpers.sem.syntax import Syntax, Term, parse

Array = np.ndarray

SETTLED = 1e-12
"""Residual variances are settled when a round changes none by more than this."""


@dataclass(frozen=True, slots=True)
class Population:
    """Moments of every group, with the values that gave them (p observed variables).

    Attributes
    ----------
    names : tuple of str
        Observed variables in model order.
    labels : tuple
        Group labels, ``("",)`` for one group.
    cov, mean : tuple of arrays
        (p, p) and (p,) for every group.
    thresholds : dict
        Ordinal item -> cut points on the item's own scale.
    values : DataFrame
        lhs op rhs group value: every parameter and every ``:=`` of the population.
    model : str
        Text that can be fitted to data from this population.
    grouping : str
        Name of the grouping column, ``""`` for one group.
    """

    names: tuple[str, ...]
    labels: tuple[object, ...]
    cov: tuple[Array, ...]
    mean: tuple[Array, ...]
    thresholds: Mapping[str, tuple[float, ...]]
    values: pd.DataFrame
    model: str
    grouping: str = ""

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.cov)


@remembered
def build_population(
    source: object, *, groups: Sequence[object] = (), standardized: bool = False
) -> Population:
    """Take a population from a model text with values, or from a fitted result.

    Parameters
    ----------
    source : str, object with ``.syntax``, SemResult or Population
        A text gives values as ``f =~ .8*x1`` or ``start(.8)*x1``, per group as
        ``c(.8, .6)*x1``; cut points of an ordinal item as ``x1 | -1*t1 + 0*t2``.
    groups : sequence
        Labels of the groups; default 1, 2, ... as many as the text has values per group.
    standardized : bool
        Choose residual variances of predicted variables so that every variance is 1.

    Raises
    ------
    ModelSpecError
        The values give covariances that no data can have; a number of groups that does not fit.

    Notes
    -----
    Checked against ``lavaan::simulateData`` (implied moments): ``tests/reference/power.R``.
    """
    if isinstance(source, Population):
        return source
    if isinstance(source, SemResult):
        return _of_result(source)
    return _of_text(model_text(source), tuple(groups), standardized)


def _of_result(result: SemResult) -> Population:
    """Take a fitted result's estimates as the truth."""
    if not (result.converged and result.admissible):
        raise ModelSpecError(
            "simulate: population= is a fit that did not converge or is not admissible; planning "
            "values must be possible ones. Repair the model, or write the values as a model text."
        )
    if result.table.names.ordered:
        raise ModelSpecError(
            "simulate: population= is a fit of ordinal items; their response variables have no "
            "scale. Write the values as a model text with thresholds, as in 'x1 | -1*t1 + 1*t2'."
        )
    labels = result.group_labels if result.n_groups > 1 else ("",)
    means = []
    for g, state in enumerate(result.states):
        sample = result.moments[g].mean
        no_means = np.zeros(len(state.mu)) if sample is None else sample
        means.append(state.mu if result.meanstructure else no_means)
    return Population(
        names=tuple(result.observed), labels=tuple(labels),
        cov=tuple(s.sigma.copy() for s in result.states), mean=tuple(np.array(m) for m in means),
        thresholds={}, values=_value_table(result.table, result.theta, labels),
        model=result.syntax, grouping=(result.group or "group") if result.n_groups > 1 else "",
    )  # fmt: skip


def _of_text(text: str, groups: tuple[object, ...], standardized: bool) -> Population:
    """Build a population from a model text."""
    syntax = parse(text)
    thresholds, structural = _split_thresholds(syntax)
    n_groups = _count_groups(structural, len(groups))
    names = find_names(structural)
    options = Options(n_groups=n_groups, meanstructure=True, fixed_x=False)
    table = build_table(structural, names, options)
    theta = _settle(table, syntax)
    models = compile_table(table)
    if standardized:
        theta = _standardize(table, models, theta)
    labels = groups or (tuple(range(1, n_groups + 1)) if n_groups > 1 else ("",))
    states = [model.state(theta) for model in models]
    for label, state in zip(labels, states):
        _check_possible(state, models[0], names.observed, label)
    return Population(
        names=tuple(names.observed), labels=labels,
        cov=tuple(s.sigma.copy() for s in states), mean=tuple(s.mu.copy() for s in states),
        thresholds=_check_thresholds(thresholds, names.observed),
        values=_value_table(table, theta, labels), model=text,
        grouping="group" if n_groups > 1 else "",
    )  # fmt: skip


def _split_thresholds(syntax: Syntax) -> tuple[dict[str, tuple[float, ...]], Syntax]:
    """Take cut points out of the text; the rest is a model of the response variables."""
    cuts: dict[str, list[float]] = {}
    for term in syntax.terms:
        if term.op == "|":
            cuts.setdefault(term.lhs, []).append(_single_value(term))
    kept = tuple(t for t in syntax.terms if t.op not in ("|", "~*~"))
    return {k: tuple(v) for k, v in cuts.items()}, replace(syntax, terms=kept)


def _single_value(term: Term) -> float:
    """Return the one value of a threshold."""
    given = [v for v in (*term.modifier.fixed, *term.modifier.start) if isinstance(v, float | int)]
    if len(given) != 1:
        raise ModelSpecError(
            f"simulate: population= has '{term.lhs} | {term.rhs}' with {len(given)} values; one "
            f"cut point is needed. Write it as in '{term.lhs} | -1*t1 + 0.5*t2'."
        )
    return float(given[0])


def _check_thresholds(
    cuts: Mapping[str, Sequence[float]], observed: Sequence[str]
) -> dict[str, tuple[float, ...]]:
    """Check that cut points rise and belong to observed variables."""
    out = {}
    for name, values in cuts.items():
        if name not in observed:
            raise ModelSpecError(
                f"simulate: thresholds= names '{name}', which is not an observed variable; "
                f"variables are {listing(observed)}.{nearest(name, observed)} Correct the name."
            )
        points = tuple(float(v) for v in values)
        if not points or any(b <= a for a, b in zip(points, points[1:])):
            raise ModelSpecError(
                f"simulate: thresholds= of '{name}' are {listing(points)}; rising cut points are "
                f"needed. Order them."
            )
        out[name] = points
    return out


def with_thresholds(
    population: Population, thresholds: Mapping[str, Sequence[float]] | None
) -> Population:
    """Add cut points to a population; those of its own text remain."""
    if not thresholds:
        return population
    added = _check_thresholds(thresholds, population.names)
    return replace(population, thresholds={**population.thresholds, **added})


def _count_groups(syntax: Syntax, asked: int) -> int:
    """Count the groups from the vectors of values in the text."""
    most = 1
    for term in syntax.terms:
        m = term.modifier
        most = max(most, len(m.fixed), len(m.start), len(m.label))
    if asked and most > 1 and asked != most:
        raise ModelSpecError(
            f"simulate: groups= has {asked} labels, but the model has values for {most} groups; "
            f"one label per group is needed. Correct groups=, or the c(...) of the text."
        )
    return max(most, asked, 1)


def _settle(table: Table, syntax: Syntax) -> Array:
    """Give every free row a value: the text's, that of its label, or the default of its kind."""
    known = {row.shared: _stated(row) for row in table.rows if row.shared and _has_value(row)}
    theta = np.zeros(table.n_free)
    for row in table.rows:
        if not row.free:
            continue
        if _has_value(row):
            theta[row.free - 1] = _stated(row)
        elif row.shared in known:
            theta[row.free - 1] = known[row.shared]
        else:
            theta[row.free - 1] = 1.0 if row.op == "=~" or _is_variance(row) else 0.0
    _check_constraints(table, syntax, theta)
    return theta


def _has_value(row: Row) -> bool:
    """Tell whether the text gives the row a value."""
    return bool(np.isfinite(row.start) or (not row.free and np.isfinite(row.fixed)))


def _stated(row: Row) -> float:
    """Return the value of the text."""
    return float(row.start if np.isfinite(row.start) else row.fixed)


def _is_variance(row: Row) -> bool:
    """Tell whether a row is a variance."""
    return row.op == "~~" and row.lhs == row.rhs


def _check_constraints(table: Table, syntax: Syntax, theta: Array) -> None:
    """Values that break an equality of the text are an error."""
    if not syntax.constraints:
        return
    values = row_values(table, theta)
    space = {label: complex(values[k]) for label, k in table.label_index().items()}
    for text, op, expression in syntax.constraints:
        left = float(np.real(expression.value(space)))
        if op == "==" and abs(left) > 1e-8:
            raise ModelSpecError(
                f"simulate: population= breaks its own '{text}' by {left:.3g}; values must obey "
                f"the equalities of the text. Change the values, or delete the line."
            )


def _standardize(table: Table, models: list[GroupModel], theta: Array) -> Array:
    """Choose free residual variances so that every variable has variance 1.

    Variances of predicted variables depend on those before them, so rounds are repeated until
    nothing moves; an acyclic model settles in as many rounds as it has levels.
    """
    rows = [row for row in table.rows if row.free and _is_variance(row) and not _has_value(row)]
    out = theta.copy()
    for _round in range(len(models[0].names) + 1):
        before = out.copy()
        for g, model in enumerate(models, start=1):
            total = np.diag(model.state(out).total)
            at = {name: k for k, name in enumerate(model.names)}
            for row in rows:
                if row.group == g:
                    out[row.free - 1] += 1.0 - total[at[row.lhs]]
        if np.abs(out - before).max(initial=0.0) < SETTLED:
            break
    low = [row.name for row in rows if out[row.free - 1] <= 0]
    if low:
        raise ModelSpecError(
            f"simulate: population= explains all the variance of {listing(low)} when variances "
            f"are 1; standardised paths and loadings must leave a residual. Make them smaller."
        )
    return out


def _check_possible(
    state: State, model: GroupModel, observed: Sequence[str], label: object
) -> None:
    """Raise if the values are not those of a covariance matrix."""
    where = f" in group '{label}'" if label != "" else ""
    negative = [n for n, v in zip(model.names, np.diag(state.total)) if v < 0]
    values = np.linalg.eigvalsh(state.sigma)
    if negative or values[0] <= 1e-10 * values[-1]:
        about = f" (variance of {listing(negative)} below zero)" if negative else ""
        raise ModelSpecError(
            f"simulate: population= gives a covariance matrix of {listing(observed, 4)} that is "
            f"not positive definite{where}{about}; no data have it. Make loadings, paths or "
            f"covariances smaller, or residual variances larger."
        )


def _value_table(table: Table, theta: Array, labels: Sequence[object]) -> pd.DataFrame:
    """List every parameter and formula with its value."""
    shown = list(labels) if table.options.n_groups > 1 else [""]
    frame = pd.DataFrame(
        {
            "lhs": [row.lhs for row in table.rows],
            "op": [row.op for row in table.rows],
            "rhs": [row.rhs for row in table.rows],
            "group": [shown[row.group - 1] for row in table.rows],
            "value": row_values(table, theta),
        }
    )
    if not table.defined:
        return frame
    more = pd.DataFrame(
        {
            "lhs": [name for name, _e in table.defined],
            "op": ":=",
            "rhs": [e.text for _n, e in table.defined],
            "group": "",
            "value": defined_values(table, theta),
        }
    )
    return pd.concat([frame, more], ignore_index=True)


@lru_cache(maxsize=64)
def parsed(text: str) -> Syntax:
    """Parse a model text once."""
    return parse(text)


def freed_model(text: str) -> str:
    """Write a population's text as a model to be estimated: values other than 0 become free.

    Labels, formulas, equalities, ``NA*`` and relations fixed at 0 remain.
    """
    syntax = parsed(text)
    lines = [_freed_term(term) for term in syntax.terms if term.op not in ("|", "~*~")]
    lines += [statement for statement, _op, _e in syntax.constraints]
    lines += [f"{name} := {expression.text}" for name, expression in syntax.defined]
    return "\n".join(lines)


def _freed_term(term: Term) -> str:
    """Write one relation without its values."""
    fixed = term.modifier.fixed
    if any(term.modifier.label):
        labels = [v or "NA" for v in term.modifier.label]
        before = f"c({', '.join(labels)})*" if len(labels) > 1 else f"{labels[0]}*"
    elif fixed and all(v == "NA" for v in fixed):
        before = "NA*"
    elif fixed and all(v == 0 for v in fixed):
        before = "0*"
    else:
        before = ""
    op = "~" if term.op == "~1" else term.op
    return f"{term.lhs} {op} {before}{term.rhs or '1'}"
