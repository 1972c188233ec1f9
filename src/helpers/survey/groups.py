"""Groups that are large enough to be compared."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers.errors import DataContractError, listing, nearest
from helpers.survey.load import Study
from helpers.survey.privacy import least_cell
from helpers.thresholds import THRESHOLDS


@dataclass(frozen=True, slots=True)
class Groups:
    """A grouping of the respondents.

    Attributes
    ----------
    labels : Series
        One label a row of ``Study.responses``; missing for people in groups that are too small, or
        who did not answer.
    sizes : Series
        People in each group that can be compared.
    too_small : Series
        People in each group left out.
    n_unknown : int
        People who did not answer.
    """

    labels: pd.Series
    sizes: pd.Series
    too_small: pd.Series
    n_unknown: int


def comparable_groups(study: Study, group: str, *, least: int | None = None) -> Groups:
    """Return the groups with at least ``THRESHOLDS["group_size"]`` people.

    Raises
    ------
    DataContractError
        Unknown grouping, or fewer than two groups of that size; the message gives every size, but
        of small cells only that they are small.
    """
    known = list(study.spec.groups)
    if group not in known:
        raise DataContractError(
            f"comparable_groups: group= '{group}' is not a grouping of '{study.id}'; allowed are "
            f"{listing(known) or 'none'}.{nearest(group, known)} Groupings stand in study.yml."
        )
    labels = study.labelled(study.spec.groups[group].item)
    counts = labels.value_counts(sort=False)
    needed = int(THRESHOLDS["group_size"].value if least is None else least)
    sizes, small = counts[counts >= needed], counts[(counts < needed) & (counts > 0)]
    if len(sizes) < 2:
        found = ", ".join(f"{name} {_size(n, least_cell(study))}" for name, n in counts.items())
        raise DataContractError(
            f"comparable_groups: group= '{group}' has groups of {found} people; at least two "
            f"groups of {needed} are needed. Merge categories, or choose another grouping."
        )
    kept = labels.where(labels.isin(sizes.index)).astype(object)
    return Groups(kept, sizes, small, int(labels.isna().sum()))


def _size(n: int, k: int) -> str:
    """Return a size as it may be shown: below k only that it is."""
    return f"{n}" if n == 0 or n >= k else f"fewer than {k}"
