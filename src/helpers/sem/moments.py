"""Sample moments of every group, with the checks that keep impossible data out.

Rows with a missing value in a variable of the model are dropped (``listwise``) or kept as they
are (``fiml``); the caller gets the count either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.linalg.lapack import dpotrf

from helpers.errors import DataContractError, EstimationError, ModelSpecError, listing, nearest

Array = np.ndarray

SINGULAR = 1e-10
"""Smallest eigenvalue of a correlation matrix that double precision can invert safely."""
CHUNK = 8192
"""Rows centred at once; keeps them in cache."""
INVOLVED = 0.15
"""A column is named as part of a linear dependence from this weight in its eigenvector."""


@dataclass(frozen=True)
class GroupMoments:
    """Moments of one group (p observed variables in model order)."""

    label: object
    n: int
    cov: Array
    """(p, p), divisor N (normal likelihood) or N - 1."""
    mean: Array | None
    data: Array | None
    """Rows used, (n, p); holds NaN only under FIML; None if moments were given."""
    n_dropped: int = 0
    rows: object = None
    """Index labels of the rows used, if known."""
    positions: Array | None = None
    """Their positions in the data."""

    @cached_property
    def inverse(self) -> Array:
        """Inverse of the sample covariance matrix."""
        return np.linalg.inv(self.cov)

    @cached_property
    def logdet(self) -> float:
        """Log-determinant of the sample covariance matrix."""
        return float(np.linalg.slogdet(self.cov)[1])


def check_columns(data: pd.DataFrame, wanted: Sequence[str], role: str = "model") -> None:
    """Raise if a variable is not a column of the data."""
    if not isinstance(data, pd.DataFrame):
        raise DataContractError(
            f"fit: data= is a {type(data).__name__}; a pandas DataFrame with one column per "
            f"variable is needed. Wrap the table in pd.DataFrame(..., columns=[...])."
        )
    columns = set(data.columns)
    absent = [name for name in wanted if name not in columns]
    if absent:
        raise ModelSpecError(
            f"fit: {role}= names '{absent[0]}', which is not a column of the data; columns are "
            f"{listing(data.columns)}.{nearest(absent[0], map(str, data.columns))} "
            "Correct the name" + (f" (also missing: {listing(absent[1:])})." if absent[1:] else ".")
        )
    if not data.columns.is_unique:
        repeated = set(data.columns[data.columns.duplicated()])
        twice = [name for name in wanted if name in repeated]
        if twice:
            raise DataContractError(
                f"fit: data= has more than one column named {listing(twice)}; each variable is "
                f"one column. Rename or drop the others."
            )


def to_float(data: pd.DataFrame, observed: Sequence[str]) -> Array:
    """Take the model's columns as floats; missing becomes NaN."""
    part = data[list(observed)]
    plain = part.to_numpy()
    try:
        values = (
            plain.astype(float, copy=False)
            if plain.dtype.kind in "fiub"
            else part.to_numpy(dtype=float, na_value=np.nan)
        )
    except (TypeError, ValueError):
        values = np.column_stack([_column(part[name], name) for name in observed])
    if np.isinf(values.sum()) or not np.isfinite(np.nansum(values)):
        where = [observed[k] for k in np.flatnonzero(np.isinf(values).any(axis=0))]
        if where:
            raise DataContractError(
                f"fit: data= has infinite values in {listing(where)}; finite numbers or missing "
                f"values are needed. Replace them, or mark them as missing."
            )
    return values


def _texts(column: pd.Series) -> bool:
    """Tell whether the categories of a column are no numbers."""
    return not pd.api.types.is_numeric_dtype(column.cat.categories.dtype)


def _column(column: pd.Series, name: str) -> Array:
    """Convert one column, with a named error."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered and _texts(column):
        column = pd.Series(column.cat.codes).where(column.cat.codes >= 0)
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataContractError(
            f"fit: data= column '{name}' holds text (dtype {column.dtype}); numbers are needed. "
            f"Recode it to numbers, or leave it out of the model."
        ) from None


def _check_variance(values: Array, observed: Sequence[str], label: object, many: bool) -> None:
    """Raise for columns without variance or without values."""
    where = f" in group '{label}'" if many else ""
    with np.errstate(all="ignore"):
        spread = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
    flat = [observed[k] for k in np.flatnonzero(~(spread > 0))]
    if flat:
        raise DataContractError(
            f"fit: data= has no variance in {listing(flat)}{where}; every variable needs at least "
            f"two different values. Leave {'them' if len(flat) > 1 else 'it'} out of the model."
        )


def check_definite(
    cov: Array, observed: Sequence[str], label: object, many: bool, what: str
) -> None:
    """Raise for a singular or indefinite covariance matrix, naming the columns involved."""
    where = f" in group '{label}'" if many else ""
    deviation = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(deviation, deviation)
    factor, info = dpotrf(correlation)
    if info == 0 and np.diag(factor).min() ** 2 > 1e3 * SINGULAR:
        return
    values, vectors = np.linalg.eigh(correlation)
    if values[0] > SINGULAR:
        return
    weights = np.abs(vectors[:, 0])
    names = [observed[k] for k in np.flatnonzero(weights > INVOLVED * weights.max())]
    kind = "not positive definite" if values[0] < -SINGULAR else "singular"
    raise EstimationError(
        f"fit: {what}= gives a covariance matrix that is {kind}{where} (smallest eigenvalue of "
        f"the correlations {values[0]:.2g}), through {listing(names)}; the columns must not be "
        f"sums or copies of one another. Leave one of them out, or check the matrix."
    )


def _group_order(column: pd.Series) -> list[object]:
    """Group labels in order of appearance, as lavaan; whole numbers are written without ``.0``.

    A missing label turns a column of integers into floats.
    """
    labels = [v.item() if isinstance(v, np.generic) else v for v in pd.unique(column.dropna())]
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in labels]


def group_labels(data: pd.DataFrame, group: str) -> list[object]:
    """Labels of the groups in order of appearance; fewer than two are an error."""
    check_columns(data, [group], role="group")
    labels = _group_order(data[group])
    if len(labels) < 2:
        raise DataContractError(
            f"fit: group= '{group}' has {len(labels)} value(s) {listing(labels)}; at least two "
            f"groups are needed. Choose another column, or leave group= out."
        )
    return labels


def split_rows(data: pd.DataFrame, group: str | None) -> list[tuple[object, Array | None]]:
    """Positions of the rows of every group, in order of appearance; ``None`` for all rows."""
    if group is None:
        return [("", None)]
    labels = group_labels(data, group)
    column = data[group].to_numpy()
    return [(label, np.flatnonzero(column == label)) for label in labels]


def moments_of_data(
    values: Array,
    observed: Sequence[str],
    *,
    label: object,
    many: bool,
    divisor: int,
    index: pd.Index | None = None,
    positions: Array | None = None,
) -> GroupMoments:
    """Compute moments of one group's complete rows.

    Parameters
    ----------
    values : array, shape (n_rows, p)
        May hold NaN; such rows are dropped and counted.
    divisor : {0, 1}
        0: divide by N, 1: by N - 1.
    """
    n_rows, p = values.shape
    kept = values
    if np.isnan(values.sum()):
        complete = ~np.isnan(values).any(axis=1)
        kept = values[complete]
        index = None if index is None else index[complete]
        positions = None if positions is None else positions[complete]
    n = len(kept)
    where = f" in group '{label}'" if many else ""
    if n <= p:
        raise DataContractError(
            f"fit: data= has {n} complete rows{where} for {p} variables ({n_rows - n} dropped for "
            f"missing values); more rows than variables are needed. Add data, reduce the model, "
            f"or use missing='fiml' when values are missing."
        )
    mean = kept.mean(axis=0)
    cov = cross_product(kept, mean) / (n - divisor)
    if not (np.diag(cov) > 0).all() or (np.diag(cov) < 1e-12 * mean**2).any():
        _check_variance(kept, observed, label, many)
    check_definite(cov, observed, label, many, "data")
    return GroupMoments(label, n, cov, mean, kept, n_rows - n, index, positions)


def cross_product(values: Array, centre: Array) -> Array:
    """Sum of outer products of centred rows, a block of rows at a time."""
    total = np.zeros((values.shape[1], values.shape[1]))
    for at in range(0, len(values), CHUNK):
        block = values[at : at + CHUNK] - centre
        total += block.T @ block
    return total


def _matrix(given: object, observed: Sequence[str], what: str) -> Array:
    """Take the model's variables from a labelled covariance matrix."""
    if not isinstance(given, pd.DataFrame):
        raise DataContractError(
            f"fit: {what}= is a {type(given).__name__}; a DataFrame with variable names as columns "
            f"is needed. Use pd.DataFrame(matrix, index=names, columns=names)."
        )
    names = [str(c) for c in given.columns]
    absent = [name for name in observed if name not in names]
    if absent:
        raise ModelSpecError(
            f"fit: model= names '{absent[0]}', which is not in {what}; variables are "
            f"{listing(names)}.{nearest(absent[0], names)} Correct the name."
        )
    if given.shape[0] != given.shape[1]:
        raise DataContractError(
            f"fit: {what}= has {given.shape[0]} rows and {given.shape[1]} columns; a square matrix "
            f"is needed. Give the full matrix or its lower triangle with NaN above."
        )
    full = given.to_numpy(dtype=float, na_value=np.nan)
    upper = full[np.triu_indices(len(full), 1)]
    if len(upper) and (np.isnan(upper).all() or (upper == 0).all()):
        full = np.tril(full) + np.tril(full, -1).T
    if not np.isfinite(full).all():
        raise DataContractError(
            f"fit: {what}= has missing or infinite entries; all are needed. Fill them."
        )
    gap = np.abs(full - full.T)
    if gap.max() > 1e-8 * np.abs(full).max():
        i, j = np.unravel_index(int(gap.argmax()), gap.shape)
        raise DataContractError(
            f"fit: {what}= is not symmetric: '{names[i]}' with '{names[j]}' is {full[i, j]:g} and "
            f"{full[j, i]:g}; a covariance has one value. Check the entries."
        )
    at = [names.index(name) for name in observed]
    return full[np.ix_(at, at)]


def lower_triangle(text: str, names: Sequence[str]) -> pd.DataFrame:
    """Read a printed lower triangle, row by row with its diagonal, as a full matrix.

    Parameters
    ----------
    text : str
        Numbers separated by blanks, commas or line breaks: ``"1 .5 1 .4 .3 1"``.
    names : sequence of str
        Names of the variables, in the order of the rows.

    Returns
    -------
    DataFrame, shape (p, p)
        Symmetric, for ``fit(sample_cov=...)``.

    Raises
    ------
    DataContractError
        The count of numbers is not p (p + 1) / 2.

    Examples
    --------
    >>> lower_triangle("1 0.5 1", ["a", "b"]).loc["a", "b"]
    np.float64(0.5)
    """
    numbers = np.array([float(part) for part in text.replace(",", " ").split()])
    p = len(names)
    if len(numbers) != p * (p + 1) // 2:
        raise DataContractError(
            f"lower_triangle: text= has {len(numbers)} numbers for {p} names; p (p + 1) / 2 = "
            f"{p * (p + 1) // 2} are needed. Check the rows and names=."
        )
    full = np.zeros((p, p))
    full[np.tril_indices(p)] = numbers
    return pd.DataFrame(full + np.tril(full, -1).T, list(names), list(names))


def _vector(given: object, observed: Sequence[str], what: str) -> Array | None:
    """Take the model's variables from a labelled or plain vector."""
    if given is None:
        return None
    if isinstance(given, Mapping | pd.Series):
        absent = [name for name in observed if name not in given]
        if absent:
            raise ModelSpecError(
                f"fit: {what}= has no entry for '{absent[0]}'; one value per observed variable of "
                f"the model is needed.{nearest(absent[0], map(str, given.keys()))} Add it."
            )
        return np.array([float(given[name]) for name in observed])
    raise DataContractError(
        f"fit: {what}= is a {type(given).__name__}; a Series or dict by variable name is needed. "
        f"Use pd.Series(values, index=names)."
    )


def _per_group(given: object, labels: Sequence[object] | None, k: int) -> object:
    """Pick one group's entry of a list or dict; a single value serves all groups."""
    if labels is None or given is None:
        return given
    if isinstance(given, Mapping):
        return given[labels[k]]
    return given[k] if isinstance(given, Sequence | np.ndarray) else given


def _count(value: object) -> int:
    """Take a number of rows."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise DataContractError(
            f"fit: n_obs= is {value!r}; a number of rows is needed, one per group. Give a number."
        ) from None


def moments_given(
    sample_cov: object,
    observed: Sequence[str],
    *,
    sample_mean: object,
    sample_sd: object,
    n_obs: object,
    divisor: int,
) -> list[GroupMoments]:
    """Take covariance matrices as given (divisor N - 1), one or one per group.

    Several groups are a dict ``{label: matrix}`` or a list; ``n_obs``, ``sample_mean`` and
    ``sample_sd`` then have the same keys or order. With ``sample_sd`` the matrix holds
    correlations.
    """
    labels: list[object] | None = None
    if isinstance(sample_cov, Mapping):
        labels = list(sample_cov)
    elif isinstance(sample_cov, list | tuple):
        labels = [f"Group {k + 1}" for k in range(len(sample_cov))]
    if labels is None and isinstance(n_obs, list | tuple) and len(n_obs) == 1:
        n_obs = n_obs[0]
    if n_obs is None:
        raise DataContractError(
            "fit: n_obs= is missing; a covariance matrix has no N, and the tests need it. "
            "Give n_obs=, one number per group."
        )
    out = []
    for k in range(1 if labels is None else len(labels)):
        label = "" if labels is None else labels[k]
        given = sample_cov if labels is None else _per_group(sample_cov, labels, k)
        cov = _matrix(given, observed, "sample_cov")
        sd = _vector(_per_group(sample_sd, labels, k), observed, "sample_sd")
        if sd is not None:
            cov = cov * np.outer(sd, sd)
        n = _count(_per_group(n_obs, labels, k))
        if n <= len(observed):
            raise DataContractError(
                f"fit: n_obs= is {n} for {len(observed)} variables; more rows than variables are "
                f"needed. Check n_obs=."
            )
        if not (np.diag(cov) > 0).all():
            flat = [observed[j] for j in np.flatnonzero(~(np.diag(cov) > 0))]
            raise DataContractError(
                f"fit: sample_cov= has no positive variance for {listing(flat)}; every variable "
                f"needs one. Check the diagonal."
            )
        check_definite(cov, observed, label, labels is not None, "sample_cov")
        mean = _vector(_per_group(sample_mean, labels, k), observed, "sample_mean")
        rescaled = cov * ((n - 1) / n) if divisor == 0 else cov
        out.append(GroupMoments(label, n, rescaled, mean, None))
    return out
