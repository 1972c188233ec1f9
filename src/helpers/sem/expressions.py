"""Formulas over parameter labels: the right-hand sides of ``:=``, ``==``, ``<`` and ``>``.

An expression is parsed once, checked against a small grammar (numbers, labels, ``+ - * / ^``,
parentheses and a few functions) and evaluated on complex numbers, so that its derivative is
exact: ``Im f(x + ih) / h`` for a tiny ``h`` (Squire & Trapp 1998, doi:10.1137/S003614459631241X).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import CodeType

import numpy as np

from helpers.errors import ModelSpecError, listing

FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": lambda v: v if np.real(v) >= 0 else -v,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "atanh": np.arctanh,
}
CONSTANTS = {"pi": np.pi}
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d][\w.]*|\.[^\W\d][\w.]*)"
    r"|(?P<op>\*\*|[-+*/^(),]))"
)
STEP = 1e-100
"""Imaginary step of the derivative; any size below rounding works, nothing is subtracted."""

ALLOWED_NODES = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.USub,
    ast.UAdd,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked formula: its text, the labels it uses in order, and compiled code."""

    text: str
    names: tuple[str, ...]
    code: CodeType

    def value(self, values: Mapping[str, complex]) -> complex:
        """Return the value, given one number for every label."""
        space = {f"v{k}": values[name] for k, name in enumerate(self.names)}
        with np.errstate(all="ignore"):
            return eval(self.code, {"__builtins__": {}, **FUNCTIONS}, space)

    def gradient(self, values: Mapping[str, complex]) -> dict[str, float]:
        """Return the partial derivative for every label used."""
        out = {}
        for name in self.names:
            moved = dict(values)
            moved[name] = complex(moved[name]) + 1j * STEP
            out[name] = float(np.imag(self.value(moved)) / STEP)
        return out


def _tokens(text: str, where: str) -> list[tuple[str, str]]:
    """Split a formula into (kind, text) pairs."""
    found, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = TOKEN.match(stripped, at)
        if match is None:
            raise ModelSpecError(
                f"fit: model= has the formula '{where}', which cannot be read at "
                f"'{stripped[at:].strip()}'; allowed are labels, numbers, + - * / ^ ( ) and "
                f"{listing(FUNCTIONS)}. Rewrite the formula."
            )
        found.append((str(match.lastgroup), match.group(match.lastgroup)))
        at = match.end()
    return found


def parse_expression(text: str, where: str | None = None) -> Expression:
    """Parse a formula over labels.

    Parameters
    ----------
    text : str
        For example ``"a*b + c"``; ``^`` and ``**`` are powers.
    where : str, optional
        The whole statement, for the error message.

    Raises
    ------
    ModelSpecError
        The formula does not follow the grammar.
    """
    where = where or text
    names: list[str] = []
    parts: list[str] = []
    tokens = _tokens(text, where)
    for k, (kind, token) in enumerate(tokens):
        called = k + 1 < len(tokens) and tokens[k + 1][1] == "("
        if kind == "name" and called and token in FUNCTIONS:
            parts.append(token)
        elif kind == "name" and token in CONSTANTS:
            parts.append(repr(CONSTANTS[token]))
        elif kind == "name":
            if token not in names:
                names.append(token)
            parts.append(f"v{names.index(token)}")
        else:
            parts.append("**" if token == "^" else token)
    try:
        tree = ast.parse(" ".join(parts), mode="eval")
    except SyntaxError:
        raise ModelSpecError(
            f"fit: model= has the formula '{where}', which is not complete; a formula joins "
            f"labels and numbers with + - * / ^. Check brackets and operators."
        ) from None
    if not all(isinstance(node, ALLOWED_NODES) for node in ast.walk(tree)):
        raise ModelSpecError(
            f"fit: model= has the formula '{where}'; allowed are labels, numbers, + - * / ^ ( ) "
            f"and {listing(FUNCTIONS)}. Rewrite the formula."
        )
    return Expression(text.strip(), tuple(names), compile(tree, "<formula>", "eval"))


def evaluate_defined(
    defined: Sequence[tuple[str, Expression]], values: Mapping[str, complex]
) -> dict[str, complex]:
    """Evaluate ``:=`` rows in order; a later row may use an earlier one."""
    space: dict[str, complex] = dict(values)
    out: dict[str, complex] = {}
    for name, expression in defined:
        out[name] = space[name] = expression.value(space)
    return out
