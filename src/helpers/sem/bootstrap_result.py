"""The result of a bootstrap: tables made from draws on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.errors import EstimationError
from helpers.i18n import _
from helpers.memo import kept
from helpers.sem.bootstrap_intervals import Intervals
from helpers.sem.result import SemResult

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Draws:
    """Replicates in the order drawn, failed ones as NaN.

    Attributes
    ----------
    theta : array, shape (B, n_free)
    values, standardized : arrays, shape (B, rows)
        In the order of the tables of estimates, ``:=`` rows last.
    statistics : array, shape (B, k)
    status : array of int, shape (B,)
        0 sound, 1 inadmissible, 2 failed.
    iterations : array of int, shape (B,)
    used : array of bool, shape (B,)
        Replicates behind the intervals.
    """

    theta: Array
    values: Array
    standardized: Array
    statistics: Array
    status: Array
    iterations: Array
    used: Array


@dataclass(frozen=True)
class BootstrapResult:
    """Bootstrap inference for one fit.

    Attributes
    ----------
    estimates, standardized, statistics : DataFrame
        lhs op rhs group label est se_boot bias ci_low ci_high p_value (``statistics``: name est
        se_boot bias ci_low ci_high p_value). Fixed parameters have error 0 and no p.
    n_boot, n_failed, n_inadmissible, n_used, n_retried : int
        Replicates asked for, not estimated, with impossible values, behind the intervals, and
        settled by guarded scoring after the fast search.
    seed : int
    ci, method, inadmissible : str
    level : float
    draws : Draws
    notes : tuple of str
        What a reader has to know before using the numbers.
    """

    source: SemResult
    raw: Intervals
    scaled: Intervals
    extra: Intervals
    statistic_names: tuple[str, ...]
    statistic_values: Array
    n_boot: int
    n_failed: int
    n_inadmissible: int
    n_used: int
    n_retried: int
    seed: int
    ci: str
    method: str
    inadmissible: str
    level: float
    draws: Draws
    notes: tuple[str, ...]

    @property
    def n_dropped(self) -> int:
        """Replicates left out of the intervals."""
        return self.n_boot - self.n_used

    @kept
    def estimates(self) -> pd.DataFrame:
        """Parameters and ``:=`` formulas."""
        return self._table(self.source.values, self.raw)

    @kept
    def standardized(self) -> pd.DataFrame:
        """Standardised parameters (``std_all``) and formulas of them."""
        return self._table(self.source.standard_values.std_all, self.scaled)

    @kept
    def statistics(self) -> pd.DataFrame:
        """Fit measures or other statistics asked for."""
        import pandas as pd

        names = {"name": list(self.statistic_names)}
        return pd.DataFrame(names | _columns(self.statistic_values, self.extra))

    def _table(self, values: Array, found: Intervals) -> pd.DataFrame:
        """Names of the rows beside their numbers."""
        import pandas as pd

        whole = self.source.columns(values, np.zeros(len(values)), standardized=False)
        names = {k: whole[k] for k in ("lhs", "op", "rhs", "group", "label")}
        return pd.DataFrame(names | _columns(values, found))

    def table(self) -> pd.DataFrame:
        """Return the table of estimates."""
        return self.estimates

    def test_p(self) -> float:
        """Bootstrap p-value of the model test: share of replicates at or above chi-square.

        ``(k + 1) / (B + 1)``. Meaningful where replicates are drawn under the model.

        Raises
        ------
        EstimationError
            The draws are not under the model, or ``statistics=`` did not name ``chisq``.
        """
        if self.method == "nonparametric" or "chisq" not in self.statistic_names:
            raise EstimationError(
                f"test_p: method= is '{self.method}' with statistics {self.statistic_names}; "
                "replicates drawn under the model are needed. Call bootstrap(r, "
                "method='bollen-stine', ci='percentile', statistics='chisq')."
            )
        at = self.statistic_names.index("chisq")
        drawn = self.draws.statistics[self.draws.used, at]
        return float((np.sum(drawn >= self.statistic_values[at]) + 1) / (len(drawn) + 1))

    def text(self) -> str:
        """Return what was drawn and what became of it."""
        kinds = {
            "percentile": _("percentile"), "bc": _("bias-corrected"),
            "bca": _("bias-corrected and accelerated"), "normal": _("normal"),
            "student": _("studentised"),
        }  # fmt: skip
        methods = {
            "nonparametric": _("nonparametric"), "bollen-stine": "Bollen-Stine",
            "parametric": _("parametric"),
        }  # fmt: skip
        sentence = _(
            "{method} bootstrap with {n} replicates (seed {seed}): {level} % {kind} intervals from "
            "{used} of them; {failed} failed, {inadmissible} were inadmissible and {rule}."
        ).format(
            method=methods[self.method],
            n=self.n_boot,
            seed=self.seed,
            level=f"{100 * self.level:g}",
            kind=kinds[self.ci],
            used=self.n_used,
            failed=self.n_failed,
            inadmissible=self.n_inadmissible,
            rule=_("kept") if self.inadmissible == "keep" else _("dropped"),
        )
        return " ".join([sentence, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        tables = {"estimates": self.estimates, "standardized": self.standardized}
        tables["statistics"] = self.statistics
        return {
            "n_boot": self.n_boot, "n_failed": self.n_failed, "n_used": self.n_used,
            "n_inadmissible": self.n_inadmissible, "n_retried": self.n_retried,
            "seed": self.seed, "ci": self.ci, "method": self.method, "level": self.level,
            "inadmissible": self.inadmissible, "notes": list(self.notes),
            **{
                k: t.astype(object).where(t.notna(), None).to_dict("list")
                for k, t in tables.items()
            },
        }  # fmt: skip


def _columns(values: Array, found: Intervals) -> dict[str, Array]:
    """Number columns of a table."""
    return {
        "est": values, "se_boot": found.se, "bias": found.bias, "ci_low": found.low,
        "ci_high": found.high, "p_value": found.p,
    }  # fmt: skip
