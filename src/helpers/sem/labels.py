"""Rows of the parameter table and what their labels mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.errors import ModelSpecError, listing, nearest
from helpers.sem.expressions import Expression
from helpers.sem.syntax import Syntax


@dataclass(slots=True)
class Row:
    """One parameter: ``free`` is its position from 1, or 0 if fixed at ``fixed``."""

    lhs: str
    op: str
    rhs: str
    group: int = 1
    free: int = 0
    fixed: float = np.nan
    start: float = np.nan
    exo: bool = False
    user: bool = False
    label: str = ""
    shared: str = ""
    """Name under which equal parameters are found: the label, or a name over groups."""

    @property
    def name(self) -> str:
        """The parameter as text, e.g. ``f=~x1`` (``.g2`` in a second group)."""
        return f"{self.lhs}{self.op}{self.rhs}" + (f".g{self.group}" if self.group > 1 else "")


def follow_names(rows: Sequence[Row]) -> None:
    """Let a label that names another parameter (``equal("f=~x2")*x3``) make the two equal."""
    by_name = {row.name: row for row in rows}
    by_name |= {f"{row.rhs}~~{row.lhs}": row for row in rows if row.op == "~~" and row.group == 1}
    for row in rows:
        wanted = "".join(row.label.split())
        target = by_name.get(wanted)
        if not row.label or target is None or target is row:
            continue
        if not target.label:
            target.label = target.shared = wanted
        row.label = row.shared = target.label


def settle_fixed(rows: list[Row]) -> None:
    """A free row that shares its label with a fixed one takes the fixed value."""
    value: dict[str, float] = {}
    for row in rows:
        if not row.label or row.free or not np.isfinite(row.fixed):
            continue
        if value.setdefault(row.label, row.fixed) != row.fixed:
            raise ModelSpecError(
                f"fit: model= uses the label '{row.label}' for the fixed values "
                f"{value[row.label]:g} and {row.fixed:g}; equal parameters have one value. "
                f"Use two labels."
            )
    for row in rows:
        if row.free and row.label in value:
            row.free, row.fixed = 0, value[row.label]


def _kind(row: Row) -> str:
    """Kind of a parameter, for the check of labels."""
    if row.op == "~~":
        return "a variance" if row.lhs == row.rhs else "a covariance"
    return {
        "=~": "a loading",
        "~": "a regression",
        "~1": "an intercept",
        "|": "a threshold",
        "~*~": "a scale factor",
    }[row.op]


def check_labels(rows: Sequence[Row], syntax: Syntax) -> None:
    """Check that labels are used for one kind and that formulas use known labels."""
    kinds: dict[str, str] = {}
    for row in rows:
        if not row.label:
            continue
        kind = _kind(row)
        if kinds.setdefault(row.label, kind) != kind:
            raise ModelSpecError(
                f"fit: model= uses the label '{row.label}' for {kinds[row.label]} and for {kind}; "
                f"one label makes parameters equal, so it may stand for one kind only. "
                f"Use two labels."
            )
    known = set(kinds)
    for name, expression in syntax.defined:
        if name in known:
            raise ModelSpecError(
                f"fit: model= uses the name '{name}' for {kinds.get(name, 'a formula')} and for "
                f"a := formula; each name stands for one thing. Rename one of them."
            )
        _check_formula(expression, known, f"{name} := {expression.text}")
        known.add(name)
    for text, _op, expression in syntax.constraints:
        _check_formula(expression, known, text)


def _check_formula(expression: Expression, known: set[str], text: str) -> None:
    """Check that a formula uses labels that exist."""
    for name in expression.names:
        if name not in known:
            raise ModelSpecError(
                f"fit: model= has '{text}', but '{name}' is not a label of the model; labels are "
                f"{listing(sorted(known)) or 'none'}.{nearest(name, known)} Write the label before "
                f"a variable, as in 'y ~ {name}*x'."
            )
