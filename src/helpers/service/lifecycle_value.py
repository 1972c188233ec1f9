"""What a customer is worth: margin, retention and discount, with a bootstrap interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.errors import DataContractError, check_level
from helpers.resampling import check_draws, resampled_counts
from helpers.service.lifecycle import LEAST
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the data cannot say.

    Attributes
    ----------
    margin : float
        Share of the amount spent that remains after cost.
    discount : float
        Of one year.
    months : float
        Length of a period.
    years : float
        Horizon: periods within it count, later ones do not.
    """

    margin: float
    discount: float
    months: float
    years: float

    def __post_init__(self) -> None:
        wrong = (
            not 0 <= self.margin <= 1 or self.discount <= -1 or min(self.months, self.years) <= 0
        )
        if wrong:
            raise DataContractError(
                f"Assumptions: margin= {self.margin:g}, discount= {self.discount:g}, months= "
                f"{self.months:g}, years= {self.years:g}; a margin from 0 to 1, a discount above "
                "-1 and times above 0 are needed. Correct the parameters."
            )

    @property
    def periods(self) -> int:
        """Return the whole periods within the horizon, at least one."""
        return max(1, int(12 * self.years / self.months + 1e-9))

    @property
    def growth(self) -> float:
        """Return the discount factor of one period, above 1."""
        return float((1 + self.discount) ** (self.months / 12))


@dataclass(frozen=True, slots=True)
class CustomerValue:
    """The worth of the next years of a customer.

    Attributes
    ----------
    value, ci_low, ci_high : float
        In units of the amount; percentile interval.
    retention, spend : float
        Chance to buy again in the next period; mean amount of a period in which one buys.
    draws : array, shape (n_boot,)
    n_used, n_dropped, n_boot, n_failed, seed : int
        ``n_failed``: draws in which nobody bought.
    assumptions : Assumptions
    level : float
    """

    value: float
    ci_low: float
    ci_high: float
    retention: float
    spend: float
    draws: Array
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    seed: int
    assumptions: Assumptions
    level: float


def lifetime_value(
    retention: float | Array, spend: float | Array, assumptions: Assumptions
) -> float | Array:
    """Return margin times spend times the sum of ``(r / (1 + i))**t`` for t = 1 ... T.

    ``r`` is the chance to stay from one period to the next, ``i`` the discount of a period. Money
    comes at the end of a period, and nobody who left comes back (Berger & Nasr 1998).

    Examples
    --------
    >>> plain = Assumptions(margin=0.5, discount=0.0, months=12, years=2)
    >>> lifetime_value(0.5, 100.0, plain)
    37.5
    """
    q = retention / assumptions.growth
    total = sum(q**t for t in range(1, assumptions.periods + 1))
    return assumptions.margin * spend * total


def customer_value(
    before: pd.Series,
    after: pd.Series,
    amount: pd.Series,
    assumptions: Assumptions,
    *,
    weights: pd.Series | None = None,
    n_boot: int = 5000,
    seed: int = 20261121,
    level: float = LEVEL,
) -> CustomerValue:
    """Estimate what a customer is worth from two periods.

    Parameters
    ----------
    before, after : Series, shape (n,)
        Purchases of the earlier and the later period.
    amount : Series
        Spent in the later period.
    assumptions : Assumptions
    weights : Series, optional
        Of customers, kept with them in the bootstrap.
    n_boot, seed : int
    level : float

    Raises
    ------
    DataContractError
        Fewer than ``LEAST`` complete customers, nobody who bought in both periods, no draw.

    Notes
    -----
    Retention is the weighted share who bought later among those who had bought before; spend the
    weighted mean amount of those who bought later. Bootstrap over customers, percentile interval.
    One step of retention is carried on over all periods: two periods cannot show whether it rises
    for those who stay. Checked by hand and by simulation.

    References
    ----------
    Berger & Nasr (1998), Journal of Interactive Marketing 12(1), 17-30.
    """
    check_level(level, "customer_value")
    given = pd.Series(1.0, index=before.index) if weights is None else weights
    table = pd.DataFrame({"x": before, "y": after, "a": amount, "w": given}).astype(float)
    kept = table.dropna()
    if len(kept) < LEAST:
        raise DataContractError(
            f"customer_value: before=, after= and amount= share {len(kept)} complete customers; at "
            f"least {LEAST} are needed. Compare larger groups."
        )
    w, had, has = kept["w"].to_numpy(), kept["x"].to_numpy() > 0, kept["y"].to_numpy() > 0
    parts = np.column_stack([w * had, w * (had & has), w * has, w * has * kept["a"].to_numpy()])
    if parts[:, 1].sum() <= 0:
        raise DataContractError(
            f"customer_value: before= and after= have no customer among {len(kept)} who bought in "
            "both periods; retention needs some. Compare larger groups."
        )
    stay, spend = _rates(parts.sum(axis=0)[None])
    check_draws(n_boot, "customer_value")
    sums = _resampled(parts, n_boot, seed)
    draws = lifetime_value(*_rates(sums[(sums[:, 0] > 0) & (sums[:, 2] > 0)]), assumptions)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return CustomerValue(
        float(lifetime_value(stay, spend, assumptions)[0]), float(low), float(high),
        float(stay[0]), float(spend[0]), draws, len(kept), len(table) - len(kept), n_boot,
        n_boot - len(draws), seed, assumptions, level,
    )  # fmt: skip


def _rates(sums: Array) -> tuple[Array, Array]:
    """Return retention and spend from the four sums."""
    return sums[:, 1] / sums[:, 0], sums[:, 3] / sums[:, 2]


def _resampled(parts: Array, n_boot: int, seed: int) -> Array:
    """Return the column sums of resampled rows, shape (n_boot, columns)."""
    rng, n = np.random.default_rng(seed), len(parts)
    return np.concatenate([counts @ parts for counts in resampled_counts(n, n_boot, rng)])


def value_difference(first: CustomerValue, second: CustomerValue) -> tuple[float, float, float]:
    """Return first less second with the percentile interval of independent draws."""
    k = min(len(first.draws), len(second.draws))
    rng = np.random.default_rng(first.seed)
    # both were drawn from one seed: shuffling one makes the pairs independent
    gaps = first.draws[:k] - rng.permutation(second.draws)[:k]
    low, high = np.quantile(gaps, [(1 - first.level) / 2, (1 + first.level) / 2])
    return first.value - second.value, float(low), float(high)


def value_under(found: CustomerValue, steps: float = 0.05) -> pd.DataFrame:
    """Return the value when one assumption moves by ``steps``, everything else kept.

    Columns: what (``margin``, ``discount``, ``retention``), lower, higher: the value with the
    assumption lowered and raised.
    """
    given = found.assumptions

    def at(what: str, move: float) -> float:
        if what == "retention":
            stay = min(1.0, max(0.0, found.retention + move))
            return float(lifetime_value(stay, found.spend, given))
        moved = replace(given, **{what: min(1.0, max(0.0, getattr(given, what) + move))})
        return float(lifetime_value(found.retention, found.spend, moved))

    names = ("margin", "discount", "retention")
    return pd.DataFrame(
        [{"what": name, "lower": at(name, -steps), "higher": at(name, steps)} for name in names]
    )
