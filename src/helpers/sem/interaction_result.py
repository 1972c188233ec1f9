"""What a latent interaction says: paths, simple slopes, Johnson-Neyman region, predicted lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.regression.process_slopes import (
    JohnsonNeyman,
    SlopeLine,
    johnson_neyman,
    prediction_lines,
    simple_slopes,
)
from helpers.results import to_plain
from helpers.thresholds import LEVEL

Array = np.ndarray

RANGE_SD = 3.0
"""A latent moderator has no observed range; the region is looked for within three SD of its mean,
where a normal variable has all but 0.3 % of its values."""

TERMS = ("predictor", "moderator", "product")


@dataclass(frozen=True, slots=True)
class LatentInteraction:
    """A latent interaction, by whichever method.

    Attributes
    ----------
    predictor, moderator, outcome : str
        Constructs.
    method : str
        ``"products"`` or ``"lms"``.
    paths : DataFrame
        Columns term (``predictor``, ``moderator``, ``product``), estimate, se, ci_low, ci_high,
        p_value, std, std_low, std_high. ``std`` counts each construct in its own standard
        deviations and the product in the product of the two (Wen, Marsh & Hau 2010,
        doi:10.1080/10705510903438872), the SDs taken as known in its interval.
    slopes : DataFrame
        The standardised slope one SD below the moderator's mean, at it and one above.
    region : JohnsonNeyman
        The moderator in SDs from its mean.
    lines : DataFrame
        Predicted outcome for drawing, all in SDs.
    sd : dict
        Model-implied standard deviation of predictor, moderator, outcome.
    converged, admissible : bool
    problems : tuple of str
    lr_chisq, lr_p : float or Unavailable
        Likelihood-ratio test of the product, 1 degree of freedom.
    n_used, n_dropped : int
    level : float
    fit : object
        The fit behind it.
    """

    predictor: str
    moderator: str
    outcome: str
    method: str
    paths: pd.DataFrame
    slopes: pd.DataFrame
    region: JohnsonNeyman
    lines: pd.DataFrame
    sd: dict[str, float]
    converged: bool
    admissible: bool
    problems: tuple[str, ...]
    lr_chisq: float | Unavailable
    lr_p: float | Unavailable
    n_used: int
    n_dropped: int
    level: float
    fit: Any

    @property
    def trustworthy(self) -> bool:
        """Tell whether verdicts may be given: converged and admissible."""
        return self.converged and self.admissible

    def row(self, term: str) -> pd.Series:
        """Return one path: predictor, moderator or product."""
        return self.paths.set_index("term").loc[term]

    def table(self) -> pd.DataFrame:
        """Return the paths."""
        return self.paths

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values, without the fit behind it."""
        names = [n for n in self.__dataclass_fields__ if n != "fit"]
        return {name: to_plain(getattr(self, name)) for name in names}

    def text(self) -> str:
        """Return one sentence that reads the product."""
        if not self.trustworthy:
            return _("The latent interaction has no admissible solution, so no verdict is given.")
        product = self.row("product")
        return _(
            "Per SD of {moderator}, the standardised slope of {outcome} on {predictor} changes by "
            "{value:.3f} ({level:.0%} interval {low:.3f} to {high:.3f}; n = {n})."
        ).format(
            moderator=self.moderator, outcome=self.outcome, predictor=self.predictor,
            value=product["std"], level=self.level, low=product["std_low"],
            high=product["std_high"], n=self.n_used,
        )  # fmt: skip


def summarise(
    estimates: Array,
    cov: Array,
    sd: dict[str, float],
    *,
    names: tuple[str, str, str],
    level: float = LEVEL,
    **facts: Any,
) -> LatentInteraction:
    """Build the result from the three paths and their covariance.

    Parameters
    ----------
    estimates, cov : ndarray, shapes (3,) and (3, 3)
        Predictor, moderator, product; predictor and moderator have mean 0.
    sd : dict
        Standard deviations under predictor, moderator, outcome.
    names : predictor, moderator, outcome
    level : float
    **facts
        The other fields of ``LatentInteraction``.
    """
    critical = float(stats.norm.ppf((1 + level) / 2))
    scale = np.array([sd["predictor"], sd["moderator"], sd["predictor"] * sd["moderator"]])
    scale = scale / sd["outcome"]
    se = np.sqrt(np.diag(cov))
    low, high = estimates - critical * se, estimates + critical * se
    paths = pd.DataFrame(
        {
            "term": TERMS, "estimate": estimates, "se": se, "ci_low": low, "ci_high": high,
            "p_value": 2 * stats.norm.sf(np.abs(estimates / se)), "std": estimates * scale,
            "std_low": low * scale, "std_high": high * scale,
        }
    )  # fmt: skip
    std, std_cov = estimates * scale, cov * np.outer(scale, scale)
    line = SlopeLine(
        slope=float(std[0]), change=float(std[2]), cov=std_cov[np.ix_([0, 2], [0, 2])], mean=0.0,
        sd=1.0, low=-RANGE_SD, high=RANGE_SD, level=level,
    )  # fmt: skip
    return LatentInteraction(
        *names, paths=paths, slopes=simple_slopes(line), region=johnson_neyman(line),
        lines=prediction_lines(
            std, std_cov, x=(0.0, 1.0), moderator=(0.0, 1.0), critical=critical
        ),
        sd=sd, level=level, **facts,
    )  # fmt: skip
