"""Conditional process models of observed variables: mediation and moderation in one regression set.

The numbering is that of Hayes (2022, *Introduction to Mediation, Moderation, and Conditional
Process Analysis*, 3rd edition). X causes, M mediates, W moderates, Y is the outcome:

====== ==========================================================================
model  equations
====== ==========================================================================
1      Y ~ X + W + XW
4      M ~ X; Y ~ X + M (several mediators side by side)
6      M1 ~ X; M2 ~ X + M1; ...; Y ~ X + all M (mediators in a chain)
7      M ~ X + W + XW; Y ~ X + M
8      M ~ X + W + XW; Y ~ X + W + XW + M
14     M ~ X; Y ~ X + M + W + MW
58     M ~ X + W + XW; Y ~ X + M + W + MW
59     M ~ X + W + XW; Y ~ X + W + XW + M + MW
====== ==========================================================================

Every equation is least squares. A bootstrap sample changes only how often each row counts, so the
cross-products of all variables in thousands of samples are one matrix product, and the
coefficients follow by solving small systems together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.errors import DataContractError, ModelSpecError, check_level, listing, nearest
from helpers.i18n import _
from helpers.memo import remembered
from helpers.regression.process_fit import (
    bootstrap_coefficients,
    design_columns,
    least_squares,
)
from helpers.regression.process_paths import (
    MODELS,
    MODERATED,
    Effect,
    Equation,
    effect_value,
    list_effects,
    list_equations,
    moderator_levels,
)
from helpers.regression.process_slopes import JohnsonNeyman, SlopeLine, johnson_neyman
from helpers.results import to_plain
from helpers.thresholds import LEVEL

Array = NDArray[np.float64]

ERRORS = ("HC3", "classical")


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """A conditional process model.

    Attributes
    ----------
    model : int
    coefficients : DataFrame
        Columns outcome, term, estimate, se, statistic, p_value, ci_low, ci_high.
    equations : DataFrame
        Columns outcome, r2, n.
    effects : DataFrame
        Columns kind (``direct``, ``indirect``, ``total_indirect``, ``total``, ``index``,
        ``contrast``), way (variables), at (name of the moderator's value), moderator_value,
        estimate, boot_low, boot_high, mc_low, mc_high. ``index`` is Hayes's (2015) index of
        moderated mediation; where both paths are moderated there is none, and ``contrast`` gives
        the differences of conditional indirect effects.
    region : JohnsonNeyman or None
        Of the conditional direct effect, where it depends on the moderator.
    errors : str
    n_used, n_dropped, n_boot, n_failed, n_draws, seed : int
    level : float
    """

    model: int
    coefficients: pd.DataFrame
    equations: pd.DataFrame
    effects: pd.DataFrame
    region: JohnsonNeyman | None
    errors: str
    n_used: int
    n_dropped: int
    n_boot: int
    n_failed: int
    n_draws: int
    seed: int
    level: float

    @property
    def method(self) -> str:
        """Kind of estimates, errors and intervals."""
        return f"OLS, {self.errors}; percentile bootstrap and Monte Carlo; listwise"

    def table(self) -> pd.DataFrame:
        """Return the effects."""
        return self.effects

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-safe values."""
        return {n: to_plain(getattr(self, n)) for n in self.__dataclass_fields__}

    def text(self) -> str:
        """Return one sentence that reads the index, else the last effect of the table."""
        index = self.effects[self.effects["kind"] == "index"]
        row = (index if len(index) else self.effects).iloc[-1]
        return _(
            "Model {model}, {what}: {value:.3f} ({level:.0%} bootstrap interval {low:.3f} to "
            "{high:.3f}; n = {n}, {draws} samples)."
        ).format(
            model=self.model, what=" → ".join(row["way"]), value=row["estimate"],
            level=self.level, low=row["boot_low"], high=row["boot_high"], n=self.n_used,
            draws=self.n_boot,
        )  # fmt: skip


@remembered
def process(
    data: pd.DataFrame,
    *,
    model: int,
    x: str,
    y: str,
    m: Sequence[str] | str = (),
    w: str = "",
    covariates: Sequence[str] = (),
    center: bool = True,
    errors: str = "HC3",
    n_boot: int = 5000,
    n_draws: int = 20_000,
    seed: int,
    level: float = LEVEL,
) -> ProcessResult:
    """Fit a conditional process model of observed variables.

    Parameters
    ----------
    data : DataFrame
        One numeric column a variable; rows with a blank in any of them are dropped and counted.
    model : {1, 4, 6, 7, 8, 14, 58, 59}
    x, y : str
    m : str or sequence of str
        One mediator, or several for models 4 and 6 (in the order of the chain).
    w : str
        Moderator of models 1, 7, 8, 14, 58 and 59.
    covariates : sequence of str
        Added to every equation.
    center : bool
        Subtract means before multiplying. Conditional effects and indices do not change.
    errors : {"HC3", "classical"}
    n_boot, n_draws : int
        Bootstrap samples for percentile intervals; Monte Carlo draws, equations independent.
    seed : int
        For ``numpy.random.default_rng``.
    level : float

    Raises
    ------
    ModelSpecError
        Unknown model or variables, variables that the model does not take or lacks.
    DataContractError
        A variable that is text or has one value, or too few rows.
    EstimationError
        Collinear predictors.

    Notes
    -----
    Conditional effects stand at the moderator's mean and one SD around it; for a moderator of two
    values at these. Index of moderated mediation: Hayes (2015),
    doi:10.1080/00273171.2014.962683. Checked against statsmodels, hand-derived values, and
    lavaan's path models (tests/reference/moderation.R).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, e = rng.standard_normal((2, 500))
    >>> toy = pd.DataFrame({"x": x, "m": 0.5 * x + e})
    >>> toy["y"] = 0.4 * toy["m"] + rng.standard_normal(500)
    >>> found = process(toy, model=4, x="x", m="m", y="y", n_boot=200, seed=1)
    >>> found.effects["kind"].tolist()
    ['direct', 'indirect', 'total']
    """
    check_level(level, "process")
    mediators = (m,) if isinstance(m, str) and m else tuple(m)
    _check_request(model, errors, n_boot, n_draws, mediators, w)
    names = [x, *mediators, *([w] if w else []), y, *covariates]
    frame = _frame(data, names)
    kept = frame.dropna()
    _check_rows(kept, names)
    equations = list_equations(model, x, y, mediators, w, tuple(covariates))
    columns = design_columns(kept, equations, center, (x, *mediators, w))
    fits = [least_squares(columns, e, errors) for e in equations]
    ways = list_effects(model, x, y, mediators, w, moderator_levels(kept[w], center) if w else [])
    rng = np.random.default_rng(seed)
    drawn, failed = bootstrap_coefficients(columns, equations, n_boot, rng)
    normal = [rng.multivariate_normal(b, cov, n_draws, method="eigh") for b, cov, *_rest in fits]
    effects = _effects_table(ways, equations, [f[0] for f in fits], drawn, normal, level)
    return ProcessResult(
        model=model,
        coefficients=pd.concat(
            [_coefficients(e, f, level) for e, f in zip(equations, fits)], ignore_index=True
        ),
        equations=pd.DataFrame(
            [{"outcome": e.outcome, "r2": f[3], "n": len(kept)} for e, f in zip(equations, fits)]
        ),
        effects=effects,
        region=_region(model, equations, fits, kept, x, w, center, level),
        errors=errors, n_used=len(kept), n_dropped=len(frame) - len(kept), n_boot=n_boot,
        n_failed=failed, n_draws=n_draws, seed=seed, level=level,
    )  # fmt: skip


def _check_request(
    model: int, errors: str, n_boot: int, n_draws: int, mediators: tuple[str, ...], w: str
) -> None:
    """Check options, and that the model has the mediators and the moderator it takes."""
    if model not in MODELS:
        raise ModelSpecError(
            f"process: model= is {model}; allowed are {listing(MODELS)}. Choose one of them."
        )
    if errors not in ERRORS:
        raise ModelSpecError(
            f"process: errors= is '{errors}'; allowed are {listing(ERRORS)}."
            f"{nearest(errors, ERRORS)} Choose one of them."
        )
    for name, value in (("n_boot", n_boot), ("n_draws", n_draws)):
        if value < 1:
            raise ModelSpecError(
                f"process: {name}= is {value}; at least 1 is needed. 5000 are usual."
            )
    least = {1: 0, 6: 2}.get(model, 1)
    most = {1: 0, 4: 99, 6: 99}.get(model, 1)
    if not least <= len(mediators) <= most:
        wanted = f"exactly {least}" if least == most else f"at least {least}"
        raise ModelSpecError(
            f"process: m= names {len(mediators)} mediators for model {model}; {wanted} are needed. "
            "Change m= or model=."
        )
    if bool(w) != (model in MODERATED):
        need = "a moderator" if model in MODERATED else "no moderator"
        raise ModelSpecError(
            f"process: w= is '{w}' for model {model}, which takes {need}. Change w= or model=."
        )


def _frame(data: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the variables as numbers."""
    for name in names:
        if name not in data.columns:
            raise ModelSpecError(
                f"process: '{name}' is not a column of data=; columns are {listing(data.columns)}."
                f"{nearest(name, data.columns)}"
            )
        if not pd.api.types.is_numeric_dtype(data[name]):
            raise DataContractError(
                f"process: data= holds text in '{name}'; numbers are needed. Recode it first."
            )
    if len(set(names)) < len(names):
        double = [n for n in dict.fromkeys(names) if names.count(n) > 1]
        raise ModelSpecError(
            f"process: {listing(double)} has more than one role; every variable takes one. "
            "Name different variables."
        )
    return data[names].astype(float)


def _check_rows(kept: pd.DataFrame, names: list[str]) -> None:
    """Raise for too few rows and for variables that do not vary."""
    least = len(names) + 4
    if len(kept) < least:
        raise DataContractError(
            f"process: data= has {len(kept)} complete rows in {listing(names)}; at least {least} "
            "are needed. Use fewer variables."
        )
    constant = [n for n in names if kept[n].nunique() < 2]
    if constant:
        raise DataContractError(
            f"process: data= has one value in {listing(constant)}; every variable must vary. "
            "Choose another one."
        )


def _coefficients(
    equation: Equation, fit: tuple[Array, Array, int, float], level: float
) -> pd.DataFrame:
    """Return the table of one equation."""
    b, cov, df, _r2 = fit
    se = np.sqrt(np.diag(cov))
    half = stats.t.ppf((1 + level) / 2, df) * se
    return pd.DataFrame(
        {"outcome": equation.outcome, "term": ("const", *equation.terms), "estimate": b, "se": se,
         "statistic": b / se, "p_value": 2 * stats.t.sf(np.abs(b / se), df), "ci_low": b - half,
         "ci_high": b + half}
    )  # fmt: skip


def _effects_table(
    ways: list[Effect],
    equations: list[Equation],
    estimates: list[Array],
    drawn: list[Array],
    normal: list[Array],
    level: float,
) -> pd.DataFrame:
    """Return every effect with both kinds of interval."""
    place = {
        (e.outcome, term): (k, j)
        for k, e in enumerate(equations)
        for j, term in enumerate(("const", *e.terms))
    }
    tails = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for way in ways:
        boot = np.quantile(effect_value(way, place, drawn), tails)
        carlo = np.quantile(effect_value(way, place, normal), tails)
        rows.append(
            {
                "kind": way.kind, "way": way.way, "at": way.at, "moderator_value": way.value,
                "estimate": float(effect_value(way, place, [b[None] for b in estimates])[0]),
                "boot_low": boot[0], "boot_high": boot[1], "mc_low": carlo[0],
                "mc_high": carlo[1],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _region(
    model: int, equations: list[Equation], fits: list, kept: pd.DataFrame, x: str, w: str,
    center: bool, level: float,
) -> JohnsonNeyman | None:  # fmt: skip
    """Return the region of the conditional direct effect, in the moderator's own units."""
    if "direct" not in MODERATED.get(model, "").split():
        return None
    b, cov, df, _r2 = fits[-1]
    names = ["const", *equations[-1].terms]
    at = [names.index(x), names.index(f"{x}:{w}")]
    shift = float(kept[w].mean()) if center else 0.0
    turn = np.array([[1.0, -shift], [0.0, 1.0]])
    own, own_cov = turn @ b[at], turn @ cov[np.ix_(at, at)] @ turn.T
    line = SlopeLine(
        float(own[0]), float(own[1]), own_cov, float(kept[w].mean()), float(kept[w].std(ddof=1)),
        float(kept[w].min()), float(kept[w].max()), df, level,
    )  # fmt: skip
    return johnson_neyman(line)
