"""Writing a fitted model in other programs' languages, from the parameter table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from helpers.errors import ModelSpecError, listing

if TYPE_CHECKING:
    from helpers.sem.partable import Row
    from helpers.sem.result import SemResult

MPLUS_NAME = 8
"""Longest name that Mplus reads."""


def _number(value: float) -> str:
    """Shortest text that reads back as the same number."""
    return repr(float(value)).removesuffix(".0")


def _by_relation(result: SemResult) -> dict[tuple[str, str, str], list[Row]]:
    """Rows of all groups, by relation."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in result.table.rows:
        found.setdefault((row.lhs, row.op, row.rhs), []).append(row)
    return found


def _lavaan_label(row: Row) -> str:
    """Label of a row; equality over groups becomes a label made from the parameter."""
    if row.label:
        return row.label
    if row.shared:
        return "eq_" + re.sub(r"\W+", "_", row.shared).strip("_")
    return ""


def to_lavaan(result: SemResult) -> str:
    """Write the model with every default spelt out, for ``lavaan::lavaan()`` or ``sem()``.

    Moments of fixed covariates are left to lavaan's ``fixed.x``. Refitting the text gives the
    same estimates.
    """
    lines: list[str] = []
    opened: set[str] = set()
    for count, ((lhs, op, rhs), rows) in enumerate(_by_relation(result).items()):
        if rows[0].exo or (op == "~*~" and not any(row.free for row in rows)):
            continue
        right = "1" if op == "~1" else rhs
        left_op = "~" if op == "~1" else op
        labels = [_lavaan_label(row) if row.free else "" for row in rows]
        first = op == "=~" and lhs not in opened
        opened.add(lhs)
        parts = []
        if first or not all(row.free for row in rows):
            parts.append(_vector(["NA" if r.free else _number(r.fixed) for r in rows]) + "*")
        if any(labels):
            fill = [label or f"p{count}_{g}" for g, label in enumerate(labels, start=1)]
            parts.append(_vector(fill) + "*")
        lines.append(f"{lhs} {left_op} " + " + ".join(f"{part}{right}" for part in parts or [""]))
    lines += [text for text, _op, _e in result.table.constraints]
    lines += [f"{name} := {e.text}" for name, e in result.table.defined]
    return "\n".join(lines)


def _vector(values: list[str]) -> str:
    """One value, or ``c(...)`` over groups."""
    return values[0] if len(values) == 1 else f"c({', '.join(values)})"


def to_mplus(result: SemResult) -> str:
    """Write MODEL, MODEL CONSTRAINT and ANALYSIS commands for Mplus.

    Names longer than eight characters, or with other than ASCII letters, are replaced by short
    ones; a comment lists them. Groups follow as ``MODEL g2:`` sections.
    """
    short = _mplus_names(result)
    sections = []
    for g in range(result.n_groups):
        head = "MODEL:" if g == 0 else f"MODEL g{g + 1}:"
        lines = [_mplus_row(row, short) for row in result.table.rows if row.group == g + 1]
        sections.append("\n".join([head, *[f"  {line}" for line in lines if line]]))
    renamed = [f"! {new} = {old}" for old, new in short.items() if old != new]
    estimator = "ML" if result.estimator == "ML" else result.estimator
    analysis = f"ANALYSIS:\n  ESTIMATOR = {estimator};"
    return "\n".join([*renamed, analysis, *sections, *_mplus_constraints(result, short)])


def _mplus_names(result: SemResult) -> dict[str, str]:
    """Short names for Mplus."""
    out: dict[str, str] = {}
    used: set[str] = set()
    for k, name in enumerate([*result.observed, *result.latent], start=1):
        plain = re.sub(r"\W", "", name.replace(".", "_"), flags=re.ASCII)
        fits = plain == name and len(name) <= MPLUS_NAME and name.lower() not in used
        new = name if fits else f"v{k}"
        while new.lower() in used:
            new += "x"
        used.add(new.lower())
        out[name] = new
    return out


def _mplus_label(text: str) -> str:
    """A label that Mplus reads."""
    return re.sub(r"\W", "_", text.strip("."), flags=re.ASCII)[:MPLUS_NAME]


def _mplus_row(row: Row, short: dict[str, str]) -> str:
    """One parameter as an Mplus statement."""
    if row.exo or row.op == "~*~":
        return ""
    a, b = short[row.lhs], short.get(row.rhs, row.rhs)
    statement = {
        "=~": f"{a} BY {b}",
        "~": f"{a} ON {b}",
        "~~": a if row.lhs == row.rhs else f"{a} WITH {b}",
        "~1": f"[{a}]",
        "|": f"[{a}${row.rhs[1:]}]",
    }[row.op]
    mark = "*" if row.free else f"@{_number(row.fixed)}"
    statement = f"{statement[:-1]}{mark}]" if statement.endswith("]") else statement + mark
    label = row.label or row.shared
    return f"{statement} ({_mplus_label(label)});" if label and row.free else f"{statement};"


def _mplus_constraints(result: SemResult, short: dict[str, str]) -> list[str]:
    """MODEL CONSTRAINT with := as NEW and == as equations."""
    del short
    table = result.table
    if not table.constraints and not table.defined:
        return []
    lines = ["MODEL CONSTRAINT:"]
    if table.defined:
        lines.append(f"  NEW({' '.join(_mplus_label(name) for name, _e in table.defined)});")
    lines += [f"  {_mplus_label(name)} = {e.text.replace('^', '**')};" for name, e in table.defined]
    for _text, op, e in table.constraints:
        sign = {"==": "=", "<": "<", ">": ">"}[op]
        lines.append(f"  0 {sign} {e.text};" if op == "==" else f"  {e.text} {sign} 0;")
    return lines


def to_semopy(result: SemResult) -> str:
    """Write the model in semopy's language: one group, without means, formulas left out.

    Raises
    ------
    ModelSpecError
        Several groups, thresholds or constraints by formula, which semopy cannot hold.
    """
    if result.n_groups > 1:
        raise ModelSpecError(
            "to_semopy: result= has several groups; semopy fits groups apart and cannot hold "
            "parameters equal. Export each group's model on its own."
        )
    if result.table.names.ordered:
        raise ModelSpecError(
            f"to_semopy: result= has ordered items {listing(result.table.names.ordered)}; semopy "
            f"has no thresholds. Use to_lavaan()."
        )
    if result.table.constraints:
        raise ModelSpecError(
            "to_semopy: result= has constraints by formula; semopy's degrees of freedom are wrong "
            "with them. Use equal labels, or to_lavaan()."
        )
    if any(row.op == "~1" and row.lhs in result.latent and row.free for row in result.table.rows):
        raise ModelSpecError(
            "to_semopy: result= estimates latent means; semopy's tests with means are wrong. Use "
            "to_lavaan()."
        )
    lines = []
    for row in result.table.rows:
        if row.op == "~1" or row.exo:
            continue
        label = _lavaan_label(row)
        mark = f"{label}*" if row.free and label else ("" if row.free else f"{_number(row.fixed)}*")
        lines.append(f"{row.lhs} {row.op} {mark}{row.rhs}")
    return "\n".join(lines)
