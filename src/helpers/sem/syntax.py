"""Reading lavaan's model language: text in, statements out.

Only grammar lives here. Defaults (marker items, residual variances, covariances) are added by
``partable``, because they depend on options and groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from helpers.errors import ModelSpecError
from helpers.sem.expressions import Expression, parse_expression

FIND_OPERATOR = re.compile(r"=~|<~|~\*~|~~|:=|==|~|\||<|>")
NUMBER = re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")
NAME = re.compile(r"^(?:[^\W\d]|\.)[\w.]*$")
NAME_RULE = "a variable name starts with a letter and has letters, digits, underscores and dots"
UNSUPPORTED = ("lower", "upper", "prior", "rv", "efa")


@dataclass(slots=True)
class Modifier:
    """What stands before ``*``: one entry per group, or one entry for all groups.

    ``fixed`` holds a number, ``None`` (not fixed) or ``"NA"`` (explicitly free).
    """

    fixed: list[float | str | None] = field(default_factory=list)
    start: list[float | None] = field(default_factory=list)
    label: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Term:
    """One relation of the model before defaults and groups are added."""

    lhs: str
    op: str
    rhs: str
    modifier: Modifier


@dataclass(frozen=True, slots=True)
class Syntax:
    """A parsed model: relations, ``==``/``<``/``>`` constraints and ``:=`` definitions."""

    terms: tuple[Term, ...]
    constraints: tuple[tuple[str, str, Expression], ...]
    """Each is (text, operator, expression): the expression is ``left - (right)``."""

    defined: tuple[tuple[str, Expression], ...]
    text: str


def _fault(found: str, need: str, do: str) -> ModelSpecError:
    """Build a syntax error in the suite's form."""
    return ModelSpecError(f"fit: model= has {found}; {need}. {do}")


def split_statements(text: str) -> list[str]:
    """Return one string per statement: comments gone, continued lines joined.

    A line without an operator continues the one before it, as in lavaan.
    """
    statements: list[str] = []
    for raw in text.replace("\r", "\n").replace(";", "\n").split("\n"):
        line = re.split(r"[#!]", raw, maxsplit=1)[0].strip()
        line = line.replace("\u00a0", " ").replace("\u3000", " ").strip()
        if not line:
            continue
        if FIND_OPERATOR.search(_hide_quotes(line)):
            statements.append(line)
        elif statements:
            statements[-1] += " " + line
        else:
            raise _fault(
                f"the line '{line}' without an operator",
                "every statement needs one of =~ ~ ~~ ~1 := ==",
                "Complete the line.",
            )
    return statements


def _hide_quotes(text: str) -> str:
    """Blank out quoted labels, keeping positions."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", lambda m: "_" * len(m.group()), text)


def split_top(text: str, mark: str) -> list[str]:
    """Split at ``mark`` outside brackets and quotes."""
    parts, depth, last = [], 0, 0
    hidden = _hide_quotes(text)
    for k, char in enumerate(hidden):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
            if depth < 0:
                break
        elif char == mark and depth == 0 and not _is_exponent(hidden, k):
            parts.append(text[last:k])
            last = k + 1
    if depth != 0:
        raise _fault(f"unbalanced brackets in '{text.strip()}'", "each ( needs its )", "Check it.")
    parts.append(text[last:])
    return parts


def _is_exponent(text: str, k: int) -> bool:
    """Tell whether a plus sign belongs to a number such as ``1e+3``."""
    return text[k] == "+" and bool(re.search(r"(?:^|[^\w.])\d[\d.]*[eE]$", text[:k]))


def _numbers(entry: str, where: str) -> float | str | None:
    """Read one value of a vector: a number or ``NA``; ``None`` if it is neither."""
    entry = entry.strip()
    if entry == "NA":
        return "NA"
    if NUMBER.match(entry):
        return float(entry)
    if re.search(r"[-+*/^()]", entry) and not re.search(r"[^\W\d]", re.sub(r"[eE]", "", entry)):
        return float(parse_expression(entry, where).value({}).real)
    return None


def _call(text: str) -> tuple[str, list[str]] | None:
    """Read ``name(arg, arg)``; ``None`` if the text has another form."""
    match = re.match(r"^([A-Za-z]\w*)\s*\((.*)\)$", text, re.S)
    return (match.group(1), split_top(match.group(2), ",")) if match else None


def _unquote(text: str) -> str:
    """Remove quotation marks around a label."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else text


def read_modifier(text: str, modifier: Modifier, where: str) -> None:
    """Read one factor before ``*`` into ``modifier``."""
    text = text.strip()
    call = _call(text)
    if call is None:
        values = [text]
        kind = "c"
    else:
        kind, values = call
        if kind in UNSUPPORTED:
            raise _fault(
                f"the modifier '{text}'",
                "allowed are numbers, NA, labels, c(...), start(), label(), equal()",
                "Bounds go to fit(bounds=...).",
            )
        inner = _call(values[0].strip()) if len(values) == 1 else None
        if kind in ("start", "label", "equal", "fixed") and inner and inner[0] == "c":
            values = inner[1]
    if kind in ("label", "equal"):
        modifier.label = [_unquote(v) for v in values]
        return
    if kind not in ("c", "start", "fixed"):
        number = _numbers(text, where)
        if not isinstance(number, float):
            raise _fault(
                f"the modifier '{text}' in '{where}'",
                "allowed are numbers, NA, labels, c(...), start(), label(), equal()",
                "Choose one of them.",
            )
        modifier.fixed = [number]
        return
    read = [_numbers(v, where) for v in values]
    if kind == "start":
        if not all(isinstance(v, float) or v == "NA" for v in read):
            raise _fault(f"'{text}'", "start() takes numbers", "Give a number for each group.")
        modifier.start = [v if isinstance(v, float) else None for v in read]
    elif any(v is None for v in read):
        _labels(values, read, modifier, where)
    else:
        modifier.fixed = list(read)


def _labels(
    values: list[str], read: list[float | str | None], modifier: Modifier, where: str
) -> None:
    """Read labels; numbers or NA may stand beside labels in one vector."""
    labels = [
        "" if isinstance(r, float) or r == "NA" else _unquote(v) for v, r in zip(values, read)
    ]
    for label in labels:
        if label and not NAME.match(label):
            raise _fault(
                f"the label '{label}' in '{where}'",
                "a label starts with a letter and has letters, digits, underscores and dots",
                "Rename it.",
            )
    modifier.label = labels
    if any(r is not None for r in read):
        modifier.fixed = list(read)


def _term(lhs: str, op: str, text: str, statement: str) -> Term:
    """Read one summand of a right-hand side."""
    text = text.strip()
    modifier = Modifier()
    question = split_top(text, "?")
    if len(question) == 2:
        read_modifier(f"start({question[0].strip()})", modifier, statement)
        text = question[1].strip()
    factors = [f.strip() for f in split_top(text, "*")]
    name = factors[-1]
    for factor in factors[:-1]:
        read_modifier(factor, modifier, statement)
    if op == "~" and name in ("1", "0", "-1"):
        if name != "1" and not modifier.fixed:
            modifier.fixed = [0.0]
        return Term(lhs, "~1", "", modifier)
    if ":" in name:
        raise _fault(
            f"the product term '{name}'",
            "interactions of variables are not part of the model language",
            "Compute the product as a column of the data and use its name.",
        )
    if not NAME.match(name):
        raise _fault(
            f"'{name}' in '{statement}'",
            NAME_RULE,
            "Check operators and spelling.",
        )
    return Term(lhs, op, name, modifier)


def _merge(terms: list[Term], term: Term) -> None:
    """Add a term, or add its modifiers to the same relation stated earlier."""
    for old in terms:
        same = (old.lhs, old.op, old.rhs) == (term.lhs, term.op, term.rhs)
        mirrored = term.op == "~~" and (old.lhs, old.rhs) == (term.rhs, term.lhs)
        if old.op != term.op or not (same or mirrored):
            continue
        for part in ("fixed", "start", "label"):
            new = getattr(term.modifier, part)
            if new and getattr(old.modifier, part):
                raise _fault(
                    f"'{term.lhs} {term.op} {term.rhs}' twice with different modifiers",
                    "each relation is stated once",
                    "Delete one of the two.",
                )
            if new:
                setattr(old.modifier, part, new)
        return
    terms.append(term)


def _constraint(statement: str, op: str, left: str, right: str) -> tuple[str, str, Expression]:
    """Read ``left op right`` as the expression ``left - (right)``."""
    return statement, op, parse_expression(f"({left}) - ({right})", statement)


def parse(text: str) -> Syntax:
    """Parse a model text.

    Parameters
    ----------
    text : str
        Statements in lavaan's language: ``=~ ~ ~~ ~1 := == | ~*~``, several terms and left
        sides joined by ``+``, labels, ``c(a,b)*``, fixed values, ``NA*``, ``start()``,
        comments after ``#`` or ``!``, statements split over lines or joined by ``;``.

    Raises
    ------
    ModelSpecError
        A statement cannot be read; the message quotes it.

    Examples
    --------
    >>> [t.rhs for t in parse("f =~ x1 + a*x2").terms]
    ['x1', 'x2']
    """
    if not isinstance(text, str) or not text.strip():
        raise _fault(
            "no statements", "at least one relation such as 'f =~ x1 + x2 + x3'", "Add it."
        )
    terms: list[Term] = []
    constraints, defined = [], []
    for statement in split_statements(text):
        match = FIND_OPERATOR.search(_hide_quotes(statement))
        op = match.group()
        left, right = statement[: match.start()].strip(), statement[match.end() :].strip()
        if not left or not right:
            raise _fault(
                f"the incomplete statement '{statement}'", f"both sides of {op}", "Fill in."
            )
        if op in ("==", "<", ">"):
            constraints.append(_constraint(statement, op, left, right))
        elif op == ":=":
            if not NAME.match(left):
                raise _fault(f"'{statement}'", "a name left of :=", "Use letters and digits.")
            defined.append((left, parse_expression(right, statement)))
        else:
            _relations(terms, statement, op, left, right)
    for term in terms:
        if term.op in ("=~", "~") and term.lhs == term.rhs:
            raise _fault(
                f"'{term.lhs} {term.op} {term.rhs}'",
                "a variable cannot load on or predict itself",
                "Name another variable on one side.",
            )
    if not terms:
        raise _fault("no relations", "at least one of =~ ~ ~~ ~1", "Add a relation.")
    return Syntax(tuple(terms), tuple(constraints), tuple(defined), text)


def _relations(terms: list[Term], statement: str, op: str, left: str, right: str) -> None:
    """Read a relation statement with one or more left sides."""
    if op == "<~":
        raise _fault(
            f"the formative construct '{statement}'",
            "reflective constructs (=~) and regressions (~)",
            "Write the composite as an observed mean score or as a latent with regressions.",
        )
    for lhs in (part.strip() for part in split_top(left, "+")):
        if not NAME.match(lhs):
            raise _fault(
                f"'{lhs}' left of {op} in '{statement}'",
                NAME_RULE,
                "Check operators and spelling.",
            )
        for part in split_top(right, "+"):
            if not part.strip():
                raise _fault(f"an empty term in '{statement}'", "a name after each +", "Fill in.")
            _merge(terms, _term(lhs, op, part, statement))
