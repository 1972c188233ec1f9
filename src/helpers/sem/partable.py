"""The parameter table: the one object from which everything else of a model is compiled.

``build_table`` adds to the stated relations the defaults of ``lavaan::sem``: marker items,
residual variances, covariances of exogenous latents and of outcomes, moments of observed
covariates, intercepts, thresholds, groups and equality over groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from helpers.errors import ModelSpecError, nearest
from helpers.sem.expressions import Expression
from helpers.sem.labels import Row, check_labels, follow_names, settle_fixed
from helpers.sem.syntax import Modifier, Syntax, Term

GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "thresholds",
    "regressions",
    "residuals",
    "residual_covariances",
    "lv_variances",
    "lv_covariances",
)


@dataclass(frozen=True, slots=True)
class Names:
    """The roles of the variables of a model, each in the order of first mention."""

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    covariate: tuple[str, ...]
    latent_exogenous: tuple[str, ...]
    outcome: tuple[str, ...]
    """Latent, then observed variables that are predicted and predict nothing."""

    ordered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What the table depends on besides the model text."""

    n_groups: int = 1
    meanstructure: bool = False
    std_lv: bool = False
    fixed_x: bool = True
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    thresholds: Mapping[str, int] = field(default_factory=dict)
    """Number of thresholds of each ordered variable."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, constraints and definitions, with the names of the variables."""

    rows: tuple[Row, ...]
    names: Names
    options: Options
    constraints: tuple[tuple[str, str, Expression], ...]
    defined: tuple[tuple[str, Expression], ...]

    @property
    def n_free(self) -> int:
        """Number of free rows, before equality constraints."""
        return max((row.free for row in self.rows), default=0)

    def label_index(self) -> dict[str, int]:
        """Map every label to the table position of its first row."""
        found: dict[str, int] = {}
        for k, row in enumerate(self.rows):
            if row.label:
                found.setdefault(row.label, k)
        return found


def _unique(values: Iterable[str]) -> list[str]:
    """Drop repeats, keep order."""
    return list(dict.fromkeys(values))


def find_names(syntax: Syntax, ordered: Collection[str] = ()) -> Names:
    """Find the role of every variable of the model."""
    terms = syntax.terms
    latent = _unique(t.lhs for t in terms if t.op == "=~")
    lv = set(latent)
    indicators = _unique(t.rhs for t in terms if t.op == "=~")
    predicted = _unique(t.lhs for t in terms if t.op == "~")
    predictors = _unique(t.rhs for t in terms if t.op == "~")
    items = [v for v in indicators if v not in lv]
    outcomes = [v for v in predicted if v not in lv and v not in items]
    covariates = [v for v in predictors if v not in lv and v not in items and v not in outcomes]
    extra = [v for t in terms if t.op == "~~" for v in (t.lhs,) if v not in lv]
    extra += [t.rhs for t in terms if t.op == "~~" and t.rhs not in lv]
    extra += [t.lhs for t in terms if t.op in ("~1", "|", "~*~") and t.lhs not in lv]
    observed = _unique([*items, *outcomes, *covariates, *extra])
    stated = {v for t in terms if t.op in ("~~", "~1") for v in (t.lhs, t.rhs)}
    ends = [v for v in predicted if v not in indicators and v not in predictors]
    return Names(
        latent=tuple(latent),
        observed=tuple(observed),
        covariate=tuple(v for v in covariates if v not in stated),
        latent_exogenous=tuple(v for v in latent if v not in indicators and v not in predicted),
        outcome=tuple(
            [v for v in latent if v in ends] + [v for v in observed if v in ends and v not in lv]
        ),
        ordered=tuple(v for v in observed if v in set(ordered)),
    )


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """All unordered pairs of different names."""
    return [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]


def _default_rows(names: Names, options: Options) -> list[tuple[str, str, str]]:
    """List the relations that lavaan's ``sem`` adds by itself, in its order."""
    rows = [(v, "|", f"t{k + 1}") for v in names.ordered for k in range(options.thresholds[v])]
    own = [v for v in names.observed if v not in names.covariate]
    rows += [(v, "~~", v) for v in [*own, *names.latent]]
    rows += [(a, "~~", b) for a, b in _pairs(names.latent_exogenous)]
    rows += [(a, "~~", b) for a, b in _pairs(names.outcome)]
    x = names.covariate
    rows += [(x[i], "~~", x[j]) for i in range(len(x)) for j in range(i, len(x))]
    rows += [(v, "~*~", v) for v in names.ordered]
    if options.meanstructure:
        rows += [(v, "~1", "") for v in [*names.observed, *names.latent]]
    return rows


def _stated(terms: Sequence[Term]) -> set[tuple[str, str, str]]:
    """Relations of the text, covariances in both directions."""
    found = {(t.lhs, t.op, t.rhs) for t in terms}
    return found | {(t.rhs, t.op, t.lhs) for t in terms if t.op == "~~"}


def _first_group(syntax: Syntax, names: Names, options: Options) -> list[Row]:
    """Build the rows of one group, with default fixed values but without modifiers."""
    have = _stated(syntax.terms)
    rows = [Row(t.lhs, t.op, t.rhs, user=True) for t in syntax.terms]
    rows += [Row(*key) for key in _default_rows(names, options) if key not in have]
    latent, covariate, ordered = set(names.latent), set(names.covariate), set(names.ordered)
    single = _single_items(syntax.terms)
    seen: set[str] = set()
    for row in rows:
        row.free = 1
        if row.op == "=~" and row.lhs not in seen:
            seen.add(row.lhs)
            if not options.std_lv:
                _fix(row, 1.0)
        elif row.op == "~~" and row.lhs == row.rhs:
            _variance_default(row, latent, ordered, single, options)
        if row.user:
            continue
        if row.op == "~1" and (row.lhs in latent or row.lhs in ordered):
            _fix(row, 0.0)
        elif row.op == "~*~":
            _fix(row, 1.0)
        if row.lhs in covariate and row.op in ("~~", "~1"):
            row.exo = options.fixed_x
            if options.fixed_x:
                _fix(row, np.nan)
    return rows


def _variance_default(
    row: Row, latent: set[str], ordered: set[str], single: set[str], options: Options
) -> None:
    """Fix variances that are not free by default."""
    if row.lhs in latent and options.std_lv or not row.user and row.lhs in ordered:
        _fix(row, 1.0)
    elif not row.user and row.lhs in single:
        _fix(row, 0.0)


def _single_items(terms: Sequence[Term]) -> set[str]:
    """Items that are the only item of their latent and of no other."""
    loads = [t for t in terms if t.op == "=~"]
    count, uses = Counter(t.lhs for t in loads), Counter(t.rhs for t in loads)
    return {t.rhs for t in loads if count[t.lhs] == 1 and uses[t.rhs] == 1}


def _fix(row: Row, value: float) -> None:
    """Fix a row at a value (NaN: at the sample moment)."""
    row.free, row.fixed = 0, value


def _spread(rows: list[Row], names: Names, options: Options) -> list[list[Row]]:
    """Copy the first group's rows to every group and free what equality makes estimable."""
    equal, latent = options.group_equal, set(names.latent)
    ordered = set(names.ordered)
    groups = [rows]
    for g in range(2, options.n_groups + 1):
        copies = [replace(row, group=g) for row in rows]
        for row in copies:
            if row.user and row.op != "~*~":
                continue
            anchored = "intercepts" in equal or "thresholds" in equal
            if row.op == "~1" and row.lhs in latent and anchored and "means" not in equal:
                row.free, row.fixed = 1, np.nan
            own_variance = row.op == "~~" and row.lhs == row.rhs and row.lhs in latent
            if own_variance and options.std_lv and "loadings" in equal:
                if "lv_variances" not in equal:
                    row.free, row.fixed = 1, np.nan
            elif row.op == "~*~" and row.lhs in ordered and "thresholds" in equal:
                row.free, row.fixed = 1, np.nan
        groups.append(copies)
    return groups


def _entry(values: list, group: int, n_groups: int, term: Term) -> object:
    """Pick one group's entry of a modifier."""
    if not values:
        return None
    if len(values) == 1:
        return values[0]
    if len(values) != n_groups:
        raise ModelSpecError(
            f"fit: model= has {len(values)} values before '{term.rhs or '1'}' in "
            f"'{term.lhs} {term.op} {term.rhs}', but there are {n_groups} groups; one value for "
            f"each group, or one for all. Change c(...), or set group=."
        )
    return values[group - 1]


def _modify(groups: list[list[Row]], terms: Sequence[Term], n_groups: int) -> None:
    """Apply fixed values, starts and labels of the text."""
    for k, term in enumerate(terms):
        modifier: Modifier = term.modifier
        for g, rows in enumerate(groups, start=1):
            row = rows[k]
            fixed = _entry(modifier.fixed, g, n_groups, term)
            if fixed == "NA":
                row.free, row.fixed = 1, np.nan
            elif fixed is not None:
                _fix(row, float(fixed))
            start = _entry(modifier.start, g, n_groups, term)
            if start is not None:
                row.start = float(start)
                if not row.free:  # as lavaan: start() on a fixed parameter moves its value
                    row.fixed = float(start)
            label = _entry(modifier.label, g, n_groups, term)
            row.label = str(label or "")


def _equal_kind(row: Row, names: Names) -> str:
    """Name the kind of equality over groups that a row belongs to."""
    latent, covariate = row.lhs in names.latent, row.lhs in names.covariate
    if row.op == "~~":
        same = row.lhs == row.rhs
        if latent:
            return "lv_variances" if same else "lv_covariances"
        if covariate:
            return ""
        return "residuals" if same else "residual_covariances"
    if row.op == "~1":
        return "means" if latent else ("" if covariate else "intercepts")
    return {"=~": "loadings", "~": "regressions", "|": "thresholds"}.get(row.op, "")


def _check_partial(rows: Sequence[Row], partial: Sequence[str]) -> set[str]:
    """Return the names of rows freed over groups; an unknown name is an error."""
    known = {row.name for row in rows} | {row.label for row in rows if row.label}
    flip = {f"{row.rhs}~~{row.lhs}": row.name for row in rows if row.op == "~~"}
    freed = set()
    for entry in partial:
        name = "".join(str(entry).split())
        name = name if name in known else flip.get(name, name)
        if name not in known:
            raise ModelSpecError(
                f"fit: group_partial= names '{entry}', which is not a parameter of the model; "
                f"needed are names such as 'f=~x2' or 'x2~1'.{nearest(name, known)} Correct it."
            )
        freed.add(name)
    return freed


def _name_shared(groups: list[list[Row]], names: Names, options: Options) -> None:
    """Give rows that must be equal the same ``shared`` name."""
    freed = _check_partial(groups[0], options.group_partial) if options.group_partial else set()
    if not options.group_equal:
        for row in (row for rows in groups for row in rows):
            row.shared = row.label
        return
    for k, first in enumerate(groups[0]):
        kind = _equal_kind(first, names)
        held = kind in options.group_equal and first.name not in freed and first.label not in freed
        for row in (rows[k] for rows in groups):
            if row.label:
                row.shared = row.label
            elif held and kind:
                row.shared = first.label or f".{first.name}"


def build_table(syntax: Syntax, names: Names, options: Options) -> Table:
    """Build the parameter table.

    Parameters
    ----------
    syntax : Syntax
        The parsed model.
    names : Names
        Roles of its variables, see ``find_names``.
    options : Options
        Groups, means, unit-variance latents, fixed covariates, equality over groups.

    Raises
    ------
    ModelSpecError
        A vector of modifiers does not fit the groups; a label is used twice for parameters of
        different kinds; ``group_partial`` names nothing.

    Notes
    -----
    Row order: the text, then defaults in the order of ``lavaan``; group after group.
    """
    groups = _spread(_first_group(syntax, names, options), names, options)
    _modify(groups, syntax.terms, options.n_groups)
    _name_shared(groups, names, options)
    rows = [row for group in groups for row in group]
    follow_names(rows)
    settle_fixed(rows)
    check_labels(rows, syntax)
    position = 0
    for row in rows:
        if row.free:
            position += 1
            row.free = position
    return Table(tuple(rows), names, options, syntax.constraints, syntax.defined)
