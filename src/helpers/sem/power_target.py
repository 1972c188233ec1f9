"""What is to be found: a parameter, a formula, or a step of the ladder of invariance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from helpers.errors import ModelSpecError, listing, nearest
from helpers.sem.groups import LADDER
from helpers.sem.partable import Row, Table
from helpers.sem.syntax import FIND_OPERATOR, Modifier, Syntax, Term

RMSEA_HYPOTHESES = ("close", "not-close")
STEPS = tuple(list(LADDER)[1:])
"""Steps of the ladder that restrict something."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parameter or formula whose power is asked for.

    Attributes
    ----------
    name : str
        As it is shown: the relation, with the label or formula's name where there is one.
    position : int
        Row of the table; formulas follow the rows.
    row : Row or None
        The parameter, None for a formula.
    """

    name: str
    position: int
    row: Row | None


def find_target(table: Table, hypothesis: str) -> Target:
    """Find a parameter by label or relation, or a formula by name.

    Raises
    ------
    ModelSpecError
        Nothing in the model has the name, or what has it is fixed.
    """
    wanted = "".join(str(hypothesis).split())
    for k, (name, expression) in enumerate(table.defined):
        if name == wanted:
            return Target(f"{name} := {expression.text}", len(table.rows) + k, None)
    for k, row in enumerate(table.rows):
        if wanted in _names(row):
            if not row.free:
                raise ModelSpecError(
                    f"power: hypothesis= '{hypothesis}' is fixed at {row.fixed:g} in the model "
                    f"that is fitted; only what is estimated can be found. Free it in model=."
                )
            return Target(_shown(row), k, row)
    known = [name for name, _e in table.defined] + [
        n for row in table.rows if row.free for n in dict.fromkeys((row.label, row.name)) if n
    ]
    raise ModelSpecError(
        f"power: hypothesis= '{hypothesis}' is not in the model; allowed are a label, a relation "
        f"such as 'y ~ x', a := name, {listing((*STEPS, *RMSEA_HYPOTHESES))}. The model has "
        f"{listing(dict.fromkeys(known))}.{_closest(wanted, known)} Correct the name, or add it to "
        f"the model."
    )


def _closest(wanted: str, known: Sequence[str]) -> str:
    """Suggest a name; for a relation one with the same variables first."""
    match = FIND_OPERATOR.search(wanted)
    if match:
        left, right = wanted[: match.start()], wanted[match.end() :]
        for name in known:
            parts = re.split(r"=~|~~|~", name)
            if len(parts) == 2 and {left, right} == set(parts):
                return f" Did you mean '{name}'?"
    return nearest(wanted, known)


def _names(row: Row) -> tuple[str, ...]:
    """Names under which a parameter can be asked for."""
    names = [row.name, row.label]
    if row.op == "~~":
        names.append(replace(row, lhs=row.rhs, rhs=row.lhs).name)
    return tuple(n for n in names if n)


def _shown(row: Row) -> str:
    """Write a parameter for readers."""
    text = f"{row.lhs} {row.op} {row.rhs}".strip() if row.op != "~1" else f"{row.lhs} ~ 1"
    return text + (f" (group {row.group})" if row.group > 1 else "")


def without(syntax: Syntax, row: Row, n_groups: int = 1) -> Syntax:
    """Fix a parameter, and all that share its label, at 0; formulas are left out.

    Raises
    ------
    ModelSpecError
        An equality of the text uses labels.
    """
    if syntax.constraints:
        raise ModelSpecError(
            "power: method= is 'analytic' for a model with equalities in its text; the model "
            "without the parameter cannot be written. Use method='montecarlo'."
        )
    terms, hit = [], False
    for term in syntax.terms:
        labels = [v for v in term.modifier.label if v]
        same = (term.lhs, term.op, term.rhs) == (row.lhs, row.op, row.rhs)
        mirrored = term.op == row.op == "~~" and (term.rhs, term.lhs) == (row.lhs, row.rhs)
        if same or mirrored or (row.label and row.label in labels):
            term, hit = replace(term, modifier=_zero(term.modifier, row, n_groups)), True
        terms.append(term)
    if not hit:
        terms.append(Term(row.lhs, row.op, row.rhs, _zero(Modifier(), row, n_groups)))
    return replace(syntax, terms=tuple(terms), defined=())


def _zero(modifier: Modifier, row: Row, n_groups: int) -> Modifier:
    """Fix at 0 in the groups in which the parameter is the one meant, free in the others."""
    labels = modifier.label
    if len(labels) == 1 or n_groups == 1:
        return Modifier(fixed=[0.0])
    if not labels:
        return Modifier(fixed=[0.0 if g == row.group else "NA" for g in range(1, n_groups + 1)])
    kept = ["" if label == row.label else label for label in labels]
    return Modifier(fixed=["NA" if label else 0.0 for label in kept], label=kept)
